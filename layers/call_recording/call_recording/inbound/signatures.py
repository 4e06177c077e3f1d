"""What signatures have in common: keyed hashes of what was sent, compared in constant time."""

import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Final
from urllib.parse import quote, urlsplit

from .request import InboundRequest

#: A signature that says when it was made is good for this long before and after, seconds.
#: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md leaves it to the receiver.
TOLERANCE_SECONDS: Final = 300

_PORTS = {"https": 443, "http": 80}
_SECONDS = re.compile(r"[0-9]{1,12}")


def hex_hmac(key: str, message: bytes, digest: str) -> str:
    """Return the HMAC in lower-case hexadecimal digits."""
    return hmac.digest(key.encode(), message, digest).hex()


def base64_hmac(key: str | bytes, message: bytes, digest: str) -> str:
    """Return the HMAC in base64."""
    return b64encode(hmac.digest(key.encode() if isinstance(key, str) else key, message, digest)).decode()


def matches(given: str, expected: Iterable[str]) -> bool:
    """Whether *given* is one of the signatures *expected*: all are compared, so that the time tells nothing."""
    signature = given.encode(errors="surrogatepass")
    equal = [hmac.compare_digest(signature, each.encode()) for each in expected]
    return any(equal)


def is_recent(timestamp: str, now: float) -> bool:
    """Whether *timestamp*, whole seconds since the epoch, is near *now*."""
    return bool(_SECONDS.fullmatch(timestamp)) and abs(now - int(timestamp)) <= TOLERANCE_SECONDS


def has_body_digest(request: InboundRequest, body: bytes) -> bool:
    """Whether the URL, which is signed, carries the digest of the *body*, once."""
    digest = sha256(body).hexdigest()
    return len(given := request.query_values("bodySHA256")) == 1 and matches(given[0], [digest])


def spellings(request: InboundRequest, userinfo: str | None) -> Iterator[str]:
    """Yield the URLs that a platform may have signed: with and without the port, with and without *userinfo*.

    Platforms are not of one mind about either:
    https://github.com/twilio/twilio-python/blob/main/twilio/request_validator.py
    """
    for url in request.urls:
        parts = urlsplit(url)
        host, colon, port = parts.netloc.rpartition(":")
        bare = host if colon and port.isdigit() else parts.netloc
        netlocs = [bare, parts.netloc if bare != parts.netloc else f"{bare}:{_PORTS[parts.scheme]}"]
        rest = url[len(f"{parts.scheme}://{parts.netloc}") :]
        for netloc in netlocs:
            yield f"{parts.scheme}://{netloc}{rest}"
            for each in _userinfos(userinfo):
                yield f"{parts.scheme}://{each}@{netloc}{rest}"


def _userinfos(userinfo: str | None) -> set[str]:
    """Return how `user:password` may stand in a URL: as it was sent, or quoted."""
    if userinfo is None:
        return set()
    username, _, password = userinfo.partition(":")
    return {userinfo, f"{quote(username, safe='')}:{quote(password, safe='')}"}
