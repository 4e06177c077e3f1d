"""
How each vendor proves that a request comes from it: the header's value, from the key, the URL and what is sent.

Written from the vendors' documentation, on the standard library alone. The URL is always the one that the customer
configured. Bandwidth is not here: it signs nothing, and proves itself by Basic authentication.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable

#: The fields of a form, in the order in which they are sent.
Pairs = Iterable[tuple[str, str]]


def twilio_form(auth_token: str, url: str, pairs: Pairs) -> str:
    """
    `X-Twilio-Signature` of a form: the URL, then every name with its value, by name.

    A name that repeats counts once per different value, and those are sorted, as Twilio's own validator has it.
    https://www.twilio.com/docs/usage/webhooks/webhooks-security
    """
    return _base64_sha1(auth_token, url + "".join(name + value for name, value in sorted(set(pairs))))


def twilio_url(auth_token: str, url: str) -> str:
    """`X-Twilio-Signature` where no form is sent: of the URL alone."""
    return _base64_sha1(auth_token, url)


def with_body_sha256(url: str, body: bytes) -> str:
    """The URL that Twilio asks, and signs, when it sends what is no form: the body's hash is in its query."""
    before, hash_mark, fragment = url.partition("#")
    joint = "&" if "?" in before else "?"
    return f"{before}{joint}bodySHA256={hashlib.sha256(body).hexdigest()}{hash_mark}{fragment}"


def signalwire_body(signing_key: str, url: str, body: bytes) -> dict[str, str]:
    """
    SignalWire's headers where JSON is sent ("scheme A"): the URL and the raw body, once by each hash.

    https://github.com/signalwire/signalwire-python/blob/main/signalwire/core/security/webhook_validator.py
    """
    message = url.encode() + body
    return {
        "X-SignalWire-Signature": _digest(signing_key, message, hashlib.sha1).hex(),
        "X-SignalWire-Sha256-Signature": _digest(signing_key, message, hashlib.sha256).hex(),
    }


def signalwire_form(signing_key: str, url: str, pairs: Pairs) -> dict[str, str]:
    """
    SignalWire's header where a cXML form is sent ("scheme B"): the URL, then every name with its value, by name.

    Unlike Twilio's, a name that repeats keeps its values as they were sent; and there is no SHA-256 of this one.
    """
    by_name = sorted(pairs, key=lambda pair: pair[0])
    return {"X-SignalWire-Signature": _base64_sha1(signing_key, url + "".join(n + v for n, v in by_name))}


def bird(signing_key: str, url: str, body: bytes, *, timestamp: int) -> dict[str, str]:
    """
    Bird's headers: the seconds since 1970, the URL and the body's hash as 32 raw bytes, a line each.

    https://docs.bird.com/api/notifications-api/api-reference/webhooks/verifying-a-webhook
    """
    message = f"{timestamp}\n{url}\n".encode() + hashlib.sha256(body).digest()
    return {
        "messagebird-signature": base64.b64encode(_digest(signing_key, message, hashlib.sha256)).decode(),
        "messagebird-request-timestamp": str(timestamp),
    }


def _base64_sha1(key: str, message: str) -> str:
    return base64.b64encode(_digest(key, message.encode(), hashlib.sha1)).decode()


def _digest(key: str, message: bytes, algorithm: Callable[[], hashlib._Hash]) -> bytes:
    return hmac.new(key.encode(), message, algorithm).digest()
