"""
Requests that a simulated platform makes to its customers' URLs, and how they are sent.

They never leave the machine: whatever a URL says, only this one's loopback is ever asked.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlencode, urlsplit

import aiohttp
from yarl import URL

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"

#: Where a customer's URL may be.
OWN_HOSTS: Final = frozenset({"127.0.0.1", "localhost"})

#: A user and a password.
Basic = tuple[str, str]


class ForeignUrlError(ValueError):
    """A URL that is not on this machine, or that is none. The message does not repeat it: it may hold a password."""

    def __init__(self) -> None:
        super().__init__("must be a URL of http://127.0.0.1 or http://localhost")


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A request that the platform makes to a customer's URL. The URL is what is asked: a user is in the headers."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What the customer answered; status 0 if there was no (whole) answer."""

    status: int
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)


NO_ANSWER: Final = Sent(status=0)


def post(
    url: str, *, body: bytes, content_type: str, headers: Mapping[str, str] | None = None, basic: Basic | None = None
) -> Outgoing:
    """A POST to a configured URL. A user in it goes where it belongs; one that is given by itself comes first."""
    asked, user = split_user(without_fragment(url))
    user = basic or user
    authorization = {} if user is None else {"Authorization": _basic(user)}
    return Outgoing(
        method="POST",
        url=asked,
        headers={"Content-Type": content_type, **(headers or {}), **authorization},
        body=body,
    )


def without_fragment(url: str) -> str:
    """
    A configured URL without what follows `#`: Twilio and SignalWire keep settings of the connection there.

    [unverified] That it is left out of what they sign, too.
    """
    return url.partition("#")[0]


def split_user(url: str) -> tuple[str, Basic | None]:
    """A URL as it is asked, and the user that it names. By hand: everything else must stay as it was written."""
    scheme, separator, rest = url.partition("://")
    end = min((at for mark in "/?" if (at := rest.find(mark)) >= 0), default=len(rest))
    user, at_sign, host = rest[:end].rpartition("@")
    if not at_sign:
        return url, None
    name, _, password = user.partition(":")
    return f"{scheme}{separator}{host}{rest[end:]}", (unquote(name), unquote(password))


def form_pairs(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The fields as a form has them: None is left out, several values of a name follow each other."""
    return [
        (name, str(each).lower() if isinstance(each, bool) else str(each))
        for name, value in fields.items()
        for each in (value if isinstance(value, list | tuple) else (value,))
        if each is not None
    ]


def form_body(pairs: Iterable[tuple[str, str]]) -> bytes:
    """A form, encoded."""
    return urlencode(list(pairs)).encode()


def json_body(value: Any) -> bytes:
    """A JSON document, encoded."""
    return json.dumps(value).encode()


def check_is_own(url: str) -> None:
    """ForeignUrlError unless the URL is on this machine."""
    try:
        parts = urlsplit(url)
        own = parts.scheme == "http" and parts.hostname in OWN_HOSTS and parts.port != 0
    except ValueError:
        own = False
    # What is no printable ASCII cannot be asked as it stands.
    if not own or not url.isascii() or not url.isprintable() or " " in url:
        raise ForeignUrlError


async def send(outgoing: Outgoing, *, timeout_seconds: float) -> Sent:
    """Make the request once. ForeignUrlError if it would leave the machine."""
    check_is_own(outgoing.url)
    try:
        async with _session().request(
            outgoing.method,
            # As it stands: what is asked is what was signed.
            URL(outgoing.url, encoded=True),
            data=outgoing.body or None,
            headers=outgoing.headers,
            # SignalWire documents up to three redirects, but not what it signs for the second URL, nor does any other
            # vendor: a redirect is an answer like any that is no success.
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=timeout_seconds),
        ) as response:
            return Sent(status=response.status, content_type=response.content_type, body=await response.read())
    except (aiohttp.ClientError, TimeoutError, OSError):
        return NO_ANSWER


async def close() -> None:
    """End the connections that this loop has open."""
    if (session := _sessions.pop(asyncio.get_running_loop(), None)) is not None:
        await session.close()


#: One for the process, which has one loop; a test that starts another loop has another.
_sessions: Final[dict[asyncio.AbstractEventLoop, aiohttp.ClientSession]] = {}


def _session() -> aiohttp.ClientSession:
    loop = asyncio.get_running_loop()
    if loop not in _sessions:
        # No jar: a platform keeps no cookies of its customers here.
        _sessions[loop] = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
    return _sessions[loop]


def _basic(user: Basic) -> str:
    return f"Basic {base64.b64encode(':'.join(user).encode()).decode()}"
