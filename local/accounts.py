"""The demo accounts: random vendor credentials, and the secret that holds them."""

import base64
import dataclasses
import secrets
import uuid
from typing import Any, Final

#: Where the demo's flows may be sent on to.
ALLOWED_REDIRECTS: Final = ["https://ivr.example.com/"]
#: The credential with which a vendor signs its requests, where that is none that it lets us in with.
SIGNING_KEY: Final = "signing_key"


def new_webhook_secret() -> str:
    """Make a key as https://www.standardwebhooks.com has them."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account of one vendor, made for one run of the stack."""

    vendor: str
    #: All that the vendor gave out, by the names of the secret.
    credentials: dict[str, str] = dataclasses.field(repr=False)
    #: What of it the secret leaves out.
    unused: tuple[str, ...] = ()
    #: What only we need to know, to reach the vendor.
    address: dict[str, str] = dataclasses.field(default_factory=dict)
    bearer_token: str = dataclasses.field(repr=False, default_factory=lambda: secrets.token_urlsafe(24))
    #: Goes with the account's name, by Basic authentication.
    password: str = dataclasses.field(repr=False, default_factory=lambda: secrets.token_urlsafe(24))
    webhook_secret: str = dataclasses.field(repr=False, default_factory=new_webhook_secret)

    @property
    def name(self) -> str:
        """The account's name in URLs and secrets."""
        return f"demo-{self.vendor}"

    @property
    def signing_key(self) -> str | None:
        """What the vendor signs with, if that is a key of its own: Twilio signs with the auth token, Bandwidth never."""
        return self.credentials.get(SIGNING_KEY)

    @property
    def for_callers(self) -> dict[str, Any]:
        """Give what one needs who wants to be let in as this account."""
        return {
            "vendor": self.vendor,
            "bearer_token": self.bearer_token,
            "basic": {"username": self.name, "password": self.password},
            "signing_key": self.signing_key,
            "webhook_secret": self.webhook_secret,
        }

    def secret(self, api_url: str, *, ivr: str | None = None) -> dict[str, Any]:
        """Give the content of the secret `call-recording/<name>`, whose vendor and whose IVR are at the given origins."""
        own = [] if ivr is None else [f"{ivr}/"]
        return {
            "vendor": self.vendor,
            "credentials": self.address | self._used,
            "inbound": {
                "bearer_tokens": [self.bearer_token],
                "basic": [{"username": self.name, "password": self.password}],
                "signing_keys": [] if self.signing_key is None else [self.signing_key],
                "webhook_secrets": [self.webhook_secret],
            },
            "settings": {"api_url": api_url, "allowed_redirects": [*ALLOWED_REDIRECTS, *own]},
        }

    @property
    def _used(self) -> dict[str, str]:
        unused = {*self.unused, SIGNING_KEY}
        return {name: value for name, value in self.credentials.items() if name not in unused}


def demo_accounts() -> list[Account]:
    """Make an account for each vendor, with credentials of the shape that the vendor gives out."""
    return [twilio(), signalwire(), bandwidth(), bird()]


def twilio() -> Account:
    """Make a Twilio account, asked by its auth token; its API key is for whoever wants to try that."""
    credentials = {
        "account_sid": f"AC{secrets.token_hex(16)}",
        "auth_token": secrets.token_hex(16),
        "api_key": f"SK{secrets.token_hex(16)}",
        "api_secret": secrets.token_urlsafe(24),
    }
    return Account(vendor="twilio", credentials=credentials, unused=("api_key", "api_secret"))


def signalwire() -> Account:
    """Make a SignalWire project, with the key that signs what it sends."""
    credentials = {
        "project_id": str(uuid.uuid4()),
        "api_token": f"PT{secrets.token_hex(24)}",
        SIGNING_KEY: f"PSK{secrets.token_hex(24)}",
    }
    return Account(
        vendor="signalwire",
        credentials=credentials,
        address={"space": "demo.signalwire.com"},
    )


def bandwidth() -> Account:
    """Make a Bandwidth account, with a user for Basic and a client for OAuth2."""
    credentials = {
        "account_id": str(secrets.randbelow(9_000_000) + 1_000_000),
        "username": f"api-{secrets.token_hex(4)}",
        "password": secrets.token_urlsafe(24),
        "client_id": str(uuid.uuid4()),
        "client_secret": secrets.token_urlsafe(24),
    }
    return Account(vendor="bandwidth", credentials=credentials)


def bird() -> Account:
    """Make a Bird workspace with one voice channel, and the key of a webhook subscription."""
    credentials = {
        "workspace_id": str(uuid.uuid4()),
        "access_key": secrets.token_urlsafe(30),
        "channel_id": str(uuid.uuid4()),
        SIGNING_KEY: secrets.token_urlsafe(24),
    }
    return Account(vendor="bird", credentials=credentials)
