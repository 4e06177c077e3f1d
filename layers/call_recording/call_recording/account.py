"""An account: one named set of vendor credentials and settings, read from one secret.

The secret is JSON with `vendor`, `credentials`, `inbound` and `settings`; docs/accounts.md
describes each field.  What does not fit is refused with the name of the field, never its value.
"""

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Final, TypeGuard

from . import redirects
from .errors import ConfigurationError

#: What an account and a step may be called.
NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")

#: Shorter bearer tokens than this can be guessed.
MIN_TOKEN_LENGTH: Final = 16

#: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#symmetric
WEBHOOK_SECRET_PREFIX: Final = "whsec_"  # noqa: S105 -- a prefix
#: What that page asks for at least, bytes.
MIN_WEBHOOK_SECRET_BYTES: Final = 24

#: The credentials with which a vendor that signs nothing (Bandwidth) is to ask the company's own server.
REDIRECT_CREDENTIALS: Final = ("redirect_username", "redirect_password")

# A key travels in a header: a stray newline from a shell would otherwise surface as a baffling refusal.
_KEY = re.compile(r"[!-~]+")
_FIELD = re.compile(r"[a-z_]{1,32}")
_HALF_A_CHARACTER = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicCredential:
    """A user name and password that a flow may present."""

    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """What a caller may prove itself with.  Each list takes several values, so that a key rotates with no gap."""

    bearer_tokens: tuple[str, ...] = field(default=(), repr=False)
    basic: tuple[BasicCredential, ...] = ()
    signing_keys: tuple[str, ...] = field(default=(), repr=False)
    webhook_secrets: tuple[bytes, ...] = field(default=(), repr=False)
    # from the other sections of the secret
    vendor: str | None = None  #: whose signatures count
    auth_token: str | None = field(default=None, repr=False)  #: Twilio's, with which it signs
    allow_shared_keys: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How an account wants its recordings treated."""

    pause_behavior: str = "silence"
    max_pause_seconds: int = 300
    on_deadline: str = "resume"
    accept_acknowledged: bool = True
    accept_not_recording: bool = False
    in_flight_ms: int = 15_000
    read_lag_ms: int = 0
    budget_ms: int = 3_500
    allowed_redirects: tuple[str, ...] = ()
    allow_shared_keys: bool = False
    api_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account, ready to use."""

    name: str
    vendor: str
    credentials: Mapping[str, str] = field(repr=False)
    settings: Settings

    def redirect_credentials(self, url: str) -> tuple[str, str] | None:
        """Return user name and password that the company's own server asks for at *url*, if it does.

        Only below the first of `allowed_redirects`: the others may be somebody else's.
        """
        username, password = map(self.credentials.get, REDIRECT_CREDENTIALS)
        own = redirects.is_allowed(url, self.settings.allowed_redirects[:1])
        return (username, password) if username and password and own else None


class AccountSecret:
    """The secret of one account, read in two steps.

    Whether a caller may come in must be known before anybody is told what is wrong with the rest.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccountSecret) and (self.name, self._text) == (other.name, other._text)

    def __hash__(self) -> int:
        return hash((self.name, self._text))

    @cached_property
    def inbound(self) -> Inbound:
        """What callers may prove themselves with.  Raises ConfigurationError if it does not parse."""
        if "inbound" not in self._document:
            _refuse_unknown(self._document, _SECTIONS, "secret")  # it may be there, misspelt
        section = _section(self._document, "inbound")
        _refuse_unknown(section, _INBOUND_FIELDS, "inbound")
        # leniently: what is wrong with these sections is told to those alone who have proven who they are
        credentials, settings = self._document.get("credentials"), self._document.get("settings")
        token = credentials.get("auth_token") if isinstance(credentials, dict) else None
        vendor = self._document.get("vendor")
        return Inbound(
            bearer_tokens=tuple(_keys(section, "bearer_tokens", minimum=MIN_TOKEN_LENGTH)),
            basic=tuple(_basic(section)),
            signing_keys=tuple(_keys(section, "signing_keys")),
            webhook_secrets=tuple(_webhook_secrets(section)),
            vendor=vendor if isinstance(vendor, str) else None,
            auth_token=token if isinstance(token, str) and _KEY.fullmatch(token) else None,
            allow_shared_keys=isinstance(settings, dict) and settings.get("allow_shared_keys") is True,
        )

    @cached_property
    def account(self) -> Account:
        """The account itself.  Raises ConfigurationError if the secret does not fit."""
        _refuse_unknown(self._document, _SECTIONS, "secret")
        vendor = self._document.get("vendor")
        if not isinstance(vendor, str):
            raise ConfigurationError("vendor", "must be the name of a vendor")
        return Account(
            name=self.name,
            vendor=vendor,
            credentials=_credentials(_section(self._document, "credentials")),
            settings=_settings(_section(self._document, "settings")),
        )

    @cached_property
    def _document(self) -> dict[str, Any]:
        try:
            document = json.loads(self._text)
        except (ValueError, RecursionError):
            raise ConfigurationError("secret", "is not JSON") from None  # the cause would quote the secret
        if not isinstance(document, dict):
            raise ConfigurationError("secret", "must be a JSON object")
        return document


def _section(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = document.get(name, {})
    if not isinstance(section, dict):
        raise ConfigurationError(name, "must be an object")
    return section


_SECTIONS: Final = frozenset({"vendor", "credentials", "inbound", "settings"})
_INBOUND_FIELDS: Final = frozenset({"bearer_tokens", "basic", "signing_keys", "webhook_secrets"})


def _refuse_unknown(section: Mapping[str, Any], known: frozenset[str], name: str) -> None:
    if unknown := section.keys() - known:
        raise ConfigurationError(name, f"has {len(unknown)} unknown field(s); check the spelling")


def _keys(section: Mapping[str, Any], name: str, *, minimum: int = 1) -> list[str]:
    keys = section.get(name, [])
    if not isinstance(keys, list):
        raise ConfigurationError(f"inbound.{name}", "must be a list")
    for index, key in enumerate(keys):
        if not isinstance(key, str) or len(key) < minimum or not _KEY.fullmatch(key):
            raise ConfigurationError(
                f"inbound.{name}[{index}]", f"must be at least {minimum} printable ASCII character(s), without blanks"
            )
    return keys


def _webhook_secrets(section: Mapping[str, Any]) -> list[bytes]:
    """Return the keys that the secrets stand for: base64 behind a prefix that some leave out."""
    secrets = []
    for index, text in enumerate(_keys(section, "webhook_secrets")):
        encoded = text.removeprefix(WEBHOOK_SECRET_PREFIX).rstrip("=")  # some leave the padding out as well
        try:
            secret = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except binascii.Error:
            secret = b""
        if len(secret) < MIN_WEBHOOK_SECRET_BYTES:
            raise ConfigurationError(
                f"inbound.webhook_secrets[{index}]",
                f"must be {WEBHOOK_SECRET_PREFIX} and the base64 of at least {MIN_WEBHOOK_SECRET_BYTES} bytes",
            )
        secrets.append(secret)
    return secrets


def _basic(section: Mapping[str, Any]) -> list[BasicCredential]:
    pairs = section.get("basic", [])
    if not isinstance(pairs, list):
        raise ConfigurationError("inbound.basic", "must be a list")
    for index, pair in enumerate(pairs):
        username, password = (pair.get("username"), pair.get("password")) if isinstance(pair, dict) else (None, None)
        if not (_is_text(username) and ":" not in username):
            raise ConfigurationError(f"inbound.basic[{index}].username", "must be text without a colon, and not empty")
        if not _is_text(password):
            raise ConfigurationError(f"inbound.basic[{index}].password", "must be text, and not empty")
    return [BasicCredential(username=pair["username"], password=pair["password"]) for pair in pairs]


def _is_text(value: object) -> TypeGuard[str]:
    """Whether *value* can be sent: JSON allows halves of a character, which no encoding has."""
    return isinstance(value, str) and value != "" and not _HALF_A_CHARACTER.search(value)


def _credentials(section: Mapping[str, Any]) -> dict[str, str]:
    for name, value in section.items():
        if not _FIELD.fullmatch(name):
            raise ConfigurationError("credentials", "has a field whose name is not one")
        if not isinstance(value, str) or not _KEY.fullmatch(value):
            raise ConfigurationError(f"credentials.{name}", "must be printable ASCII text, without blanks")
    return dict(section)


def _settings(section: Mapping[str, Any]) -> Settings:
    _refuse_unknown(section, frozenset(each.name for each in fields(Settings)), "settings")
    for name, value in section.items():
        fits, problem = _SETTINGS[name]
        if not fits(value):
            raise ConfigurationError(f"settings.{name}", problem)
    values = dict(section)
    values["allowed_redirects"] = tuple(values.get("allowed_redirects", ()))
    return Settings(**values)


Check = tuple[Callable[[Any], bool], str]


def _integer(low: int, high: int) -> Check:
    # bool is an int in Python, and `true` milliseconds is nobody's wish
    return lambda value: type(value) is int and low <= value <= high, f"must be an integer from {low} to {high}"


def _word(*words: str) -> Check:
    return lambda value: isinstance(value, str) and value in words, f"must be one of {', '.join(words)}"


def _is_base(url: object) -> bool:
    target = redirects.parse(url) if isinstance(url, str) else None
    return target is not None and target.encrypted_or_local and target.bare and target.path.endswith("/")


def _is_origin(url: object) -> bool:
    target = redirects.parse(url) if isinstance(url, str) else None
    return target is not None and target.encrypted_or_local and target.bare and target.path == "/"


_BOOLEAN: Check = (lambda value: isinstance(value, bool), "must be true or false")

_SETTINGS: Mapping[str, Check] = {
    "pause_behavior": _word("silence", "skip"),
    "max_pause_seconds": _integer(1, 7200),
    "on_deadline": _word("resume", "keep", "stop"),
    "accept_acknowledged": _BOOLEAN,
    "accept_not_recording": _BOOLEAN,
    # never below the time that one request to a vendor may take (conversation.ATTEMPT_SECONDS; a test compares them)
    "in_flight_ms": _integer(2_000, 300_000),
    "read_lag_ms": _integer(0, 60_000),
    "budget_ms": _integer(500, 9_000),
    "allowed_redirects": (
        lambda value: isinstance(value, list) and all(map(_is_base, value)),
        "must be a list of https URLs (http on loopback) whose path ends in a slash",
    ),
    "allow_shared_keys": _BOOLEAN,
    "api_url": (
        lambda value: value is None or _is_origin(value),
        "must be a scheme, host and port alone: https, or http on loopback",
    ),
}
