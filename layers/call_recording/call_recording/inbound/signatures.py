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
# https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1: with anything else in it, a URL would be one of another host.
_USERINFO = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:%-]+")
# What no URL has as it is sent, and each JSON object.
_NOT_IN_URLS = re.compile(r"[^!#-;=?-\[\]_a-z~]")
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.\[\]-]{0,127}")
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
    """Return how `user:password` may stand in a URL: as it was sent, if a URL can have that, or quoted."""
    if userinfo is None:
        return set()
    username, _, password = userinfo.partition(":")
    quoted = f"{quote(username, safe='')}:{quote(password, safe='')}"
    return {userinfo, quoted} if _USERINFO.fullmatch(userinfo) else {quoted}


def cuts_nowhere_else(
    query: str, pairs: Iterable[tuple[str, str]], ours: frozenset[str], theirs: frozenset[str]
) -> bool:
    """Whether what was signed can be read in one way only, as far as we act on it.

    These signatures join URL, names and values with no mark between them, so whoever has got hold of a signed request
    could cut it up anew: hide a field in the value before it, or have a caller's name become one.  The names that we
    act on, *ours*, must therefore stand nowhere but as names; *theirs* are other names in which they occur.
    """
    if _NOT_IN_URLS.search(query) or _has_any(query, ours):
        return False
    return all(
        _FIELD_NAME.fullmatch(name) and (name in ours or name in theirs or not _has_any(name, ours))
        and not _has_any(value, ours)
        for name, value in pairs
    )  # fmt: skip


def _has_any(text: str, names: frozenset[str]) -> bool:
    return any(name in text for name in names)
