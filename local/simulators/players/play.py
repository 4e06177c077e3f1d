"""
One flow being played on one call: what it has done, whom it asked, and the limits that end it.

    Over                the flow is done with; not an error
      FailedError       the platform gave up on the flow and ended the call, as it would
    UnplayableError     the flow asks for something that is not simulated, or for too much; the call stays as it is
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn, Protocol
from urllib.parse import urljoin, urlsplit

from local.simulators.outgoing import ForeignUrlError, Outgoing, Sent
from local.simulators.vendor import Vendor
from local.simulators.world import Call, CallOverError, World

#: A flow that needs more of any of these is going in circles.
MAX_VERBS: Final = 50
MAX_REQUESTS: Final = 30
MAX_SECONDS: Final = 60.0

#: What can be keyed, and what people write between it.
_KEYED: Final = re.compile(r"[0-9*# -]+")
_SPACING: Final = str.maketrans("", "", " -")

Json = Any


class Over(Exception):  # noqa: N818 -- it is how every flow ends
    """The flow is done with: it hung up, ran out, or handed the call on."""


class FailedError(Over):
    """The platform cannot go on with the flow, and ends the call."""


class UnplayableError(Exception):
    """The flow cannot be played on here; the platform itself might."""


class Send(Protocol):
    """Sends a request as a platform; status 0 is no answer."""

    def __call__(self, outgoing: Outgoing, *, timeout_seconds: float) -> Awaitable[Sent]:
        """Send it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where a flow begins: at a URL, or with a document that the platform has already."""

    url: str | None = None
    document: Json = None
    #: Where a platform that has such a thing turns when a document cannot be had.
    fallback_url: str | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """What a caller gave when asked: one of the two."""

    keys: str | None = None
    speech: str | None = None


class Play:
    """One flow on one call."""

    def __init__(self, *, world: World, vendor: Vendor, call: Call, caller: Sequence[str], send: Send) -> None:
        self.world: Final = world
        self.vendor: Final = vendor
        self.call: Final = call
        #: What happened, as the control API shows it: never a query, a host, a key or a digit.
        self.transcript: Final[list[dict[str, Json]]] = []
        self._answers: Final = list(caller)
        self._send: Final = send
        self._verbs = 0
        self._requests = 0

    def begin(self, verb: str) -> None:
        """Begin with a verb (a widget, a step), and count it."""
        if self.call.over:
            raise CallOverError(f"call {self.call.call_id} has ended")
        self._verbs += 1
        if self._verbs > MAX_VERBS:
            raise UnplayableError(f"more than {MAX_VERBS} verbs, the last of them {verb}")

    async def fetch(self, outgoing: Outgoing, *, timeout_seconds: float) -> Sent:
        """Send a request to the customer's side, and give what came back; status 0 if nothing did."""
        self._requests += 1
        if self._requests > MAX_REQUESTS:
            raise UnplayableError(f"more than {MAX_REQUESTS} requests")
        try:
            sent = await self._send(outgoing, timeout_seconds=timeout_seconds)
        except ForeignUrlError as exc:
            raise UnplayableError(f"a URL of the flow {exc}") from exc
        self._note("fetched", path=path_of(outgoing.url), status=sent.status)
        return sent

    def redirected(self, url: str) -> None:
        """Note that the flow goes on at another URL."""
        self._note("redirected", to_path=path_of(url))

    def branched(self, at: str, on: str) -> None:
        """Note which way the flow went."""
        self._note("branched", at=at, on=on)

    def say(self, text: str) -> None:
        """Say something to the caller: every tape that runs hears it."""
        if text:
            self.world.say(self.call, text)
            self._note("said", text=text)

    def listen_to(self, what: str) -> None:
        """Let the caller hear something that has no words, or nothing for a while; it takes no time here."""
        self._note("played", verb=what)

    def ask(self, verb: str, *, keys: bool = True, speech: bool = False) -> Input | None:
        """
        Ask the caller, who gives the next answer of the script: every tape that runs hears it.

        None if the script is at its end, says nothing, or has an answer of a kind that was not asked for.
        """
        answer = self._answers.pop(0) if self._answers else ""
        if answer:
            self.world.say(self.call, answer)
        keyed = _KEYED.fullmatch(answer) is not None
        given = None
        if answer and keyed and keys:
            given = Input(keys=answer.translate(_SPACING))
        elif answer and speech:
            given = Input(speech=answer)
        self._note("asked", verb=verb, answered=given is not None)
        return given

    def hang_up(self) -> NoReturn:
        """End the call, and the flow with it."""
        self.world.end(self.call)
        self._note("hung up")
        raise Over

    def hand_on(self, verb: str) -> NoReturn:
        """Give the call to somebody else, an agent perhaps. The flow is over, the call is not."""
        self._note("handed on", verb=verb)
        raise Over

    def fail(self, why: str) -> NoReturn:
        """End the call because the flow cannot go on."""
        self.world.end(self.call)
        raise FailedError(why)

    def _note(self, did: str, **what: Json) -> None:
        self.transcript.append({"did": did, **what})


Player = Callable[[Play, Start], Awaitable[None]]


async def perform(player: Player, play: Play, start: Start, *, seconds: float = MAX_SECONDS) -> str | None:
    """Play the flow to its end, and say what went wrong, if anything did."""
    try:
        async with asyncio.timeout(seconds):
            await player(play, start)
    except (FailedError, UnplayableError) as exc:
        return str(exc)
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        # A list where a text should be, say: flows are taken apart without being checked first.
        return f"the flow is not of its language's form ({type(exc).__name__})"
    except CallOverError:
        # The caller hung up, or the company ended the call through the vendor's API.
        return "the call ended while the flow went on"
    except TimeoutError:
        return f"more than {seconds:g} seconds"
    except Over:
        return None
    return None


def path_of(url: str) -> str:
    """The path of a URL: what of it may be shown."""
    return urlsplit(url).path or "/"


def resolve(url: str, *, base: str | None) -> str:
    """A URL as it stands in the document that came from `base`."""
    resolved = urljoin(base or "", url.strip())
    try:
        scheme, host = urlsplit(resolved).scheme, urlsplit(resolved).hostname
    except ValueError:
        scheme, host = "", None
    if scheme not in {"http", "https"} or not host:
        raise UnplayableError("a URL of the flow is neither absolute nor relative to a document that was fetched")
    return resolved


def pressed(keys: str, *, terminators: str, most: int | None) -> tuple[str, str]:
    """The keys up to one that ends the input or up to the most that are wanted, and the key that ended it."""
    for position, key in enumerate(keys):
        if key in terminators:
            return keys[:position], key
        if position == most:
            return keys[:position], ""
    return keys, ""


def number_of(value: str | int | None, what: str) -> int | None:
    """An attribute or a field that is a whole number, or is not there."""
    if value is None:
        return None
    written = str(value)
    if not written.isascii() or not written.isdecimal():
        raise UnplayableError(f"{what} must be a whole number")
    return int(written)
