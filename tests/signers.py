"""Signs as vendors and third parties do, with their own code where they give any away: never with ours."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook
from twilio.request_validator import RequestValidator

from tests.unit.inbound import signalwire_sdk

Pairs = Sequence[tuple[str, str]]
Headers = dict[str, str]


class Fields(dict[str, list[str]]):
    """A form's fields, as the frameworks have them that Twilio's validator knows."""

    def __init__(self, pairs: Pairs) -> None:
        super().__init__()
        for name, value in pairs:
            self.setdefault(name, []).append(value)

    def getlist(self, name: str) -> list[str]:
        """Return all that *name* was given."""
        return self[name]


def twilio(key: str, url: str, pairs: Pairs = ()) -> Headers:
    """Sign a form, or with no *pairs* a URL whose query has the digest of the body."""
    return {"x-twilio-signature": RequestValidator(key).compute_signature(url, Fields(pairs))}


def twilio_shared_key(key: str, url: str, pairs: Pairs = (), *, digest: str = "HMAC_SHA256") -> Headers:
    """Sign with a SharedKey.  https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys"""
    return {
        "x-twilio-signature": RequestValidator(key).compute_signature(url, Fields(pairs), digest),
        "x-twilio-webhooks-signature-settings": f"key=webhooks_sharedkey_1,algorithm={digest}",
    }


def digested(url: str, body: bytes) -> str:
    """Return the URL that is asked, and signed, where the body is no form."""
    return f"{url}{'&' if '?' in url else '?'}bodySHA256={hashlib.sha256(body).hexdigest()}"


def signalwire_body(key: str, url: str, body: bytes, *, header: str = "x-signalwire-signature") -> Headers:
    """Sign URL and body: scheme A."""
    return {header: signalwire_sdk.validator()._hex_hmac_sha1(key, url + body.decode())}


def signalwire_sha256(key: str, url: str, body: bytes) -> Headers:
    """Sign URL and body: scheme A with SHA-256."""
    signature = signalwire_sdk.validator()._hex_hmac_sha256(key, url + body.decode())
    return {"x-signalwire-sha256-signature": signature}


def signalwire_form(key: str, url: str, pairs: Pairs = (), *, header: str = "x-signalwire-signature") -> Headers:
    """Sign URL and fields: scheme B."""
    sdk = signalwire_sdk.validator()
    return {header: sdk._b64_hmac_sha1(key, url + sdk._sorted_concat_params(list(pairs)))}


def bird(key: str, url: str, body: bytes, *, at: float) -> Headers:
    """Sign as https://docs.bird.com/api/notifications-api/api-reference/webhooks/verifying-a-webhook says.

    Bird has no code for it: what is joined by line feeds is the time, the URL, and the digest of the body as bytes.
    """
    timestamp = str(int(at))
    signed = timestamp.encode() + b"\n" + url.encode() + b"\n" + hashlib.new("sha256", body).digest()
    signature = hmac.new(key.encode(), signed, hashlib.sha256).digest()
    return {"messagebird-signature": b64encode(signature).decode(), "messagebird-request-timestamp": timestamp}


def standard_webhooks(secret: str, message_id: str, body: bytes, *, at: float) -> Headers:
    """Sign as https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md has it."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": Webhook(secret).sign(message_id, datetime.fromtimestamp(int(at), UTC), body.decode()),
    }
