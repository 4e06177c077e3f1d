"""
The control API's way to let a platform play a flow on a call: `POST /calls/{call_id}/play`.

The answer comes when the flow is done with, and tells what it did. Meanwhile everything else is served as usual: a flow
asks its company's servers, and those ask the vendor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from local.simulators import outgoing
from local.simulators.asked import WrongRequestError, json_object, refuse_unknown, text_of
from local.simulators.outgoing import ForeignUrlError, check_is_own
from local.simulators.players import bird, bxml, studio, swml, twiml
from local.simulators.players.play import Play, Player, Send, Start, perform
from local.simulators.vendor import Vendor
from local.simulators.world import Call, World

#: More answers of a caller than any flow has questions.
MAX_ANSWERS: Final = 100

_FIELDS: Final = frozenset({"language", "url", "document", "caller", "fallback_url"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language of flows, and whose it is."""

    vendor: str
    player: Player
    #: Whether its flows are fetched from the company's servers; else the platform has them.
    fetched: bool = True
    #: Whether a call may have a fallback for documents that cannot be had.
    falls_back: bool = False


LANGUAGES: Final[Mapping[str, Language]] = {
    # https://www.twilio.com/docs/voice/twiml . [unverified] The 15 seconds: only blog posts of Twilio's say so.
    "twiml": Language(vendor="twilio", player=twiml.player(timeout_seconds=15.0), falls_back=True),
    # SignalWire's documentation (common webhook errors): five seconds to read an answer.
    "cxml": Language(vendor="signalwire", player=twiml.player(timeout_seconds=5.0), falls_back=True),
    "bxml": Language(vendor="bandwidth", player=bxml.play_flow, falls_back=True),
    "studio": Language(vendor="twilio", player=studio.play_flow, fetched=False),
    "swml": Language(vendor="signalwire", player=swml.play_flow),
    "bird": Language(vendor="bird", player=bird.play_flow, fetched=False),
}


class Plays:
    """Plays flows on the calls of one world."""

    def __init__(self, *, world: World, vendors: Mapping[str, Vendor], send: Send = outgoing.send) -> None:
        self._world: Final = world
        self._vendors: Final = vendors
        self._send: Final = send
        self._playing: Final[set[str]] = set()

    def control_routes(self) -> Sequence[web.AbstractRouteDef]:
        """Its part of the control API."""
        return (web.post("/calls/{call_id}/play", self._play),)

    async def _play(self, request: web.Request) -> web.Response:
        call = self._world.call(request.match_info["call_id"])
        if call is None:
            raise WrongRequestError("no such call", status=404)
        asked = await json_object(request)
        refuse_unknown(asked, _FIELDS)
        language = _language_of(asked, call)
        start, caller = _start_of(asked, language), _caller_of(asked)
        # A platform runs one flow on a call: a second one would be its replacement, not its companion.
        if call.over or call.call_id in self._playing:
            raise WrongRequestError("the call is over, or a flow is being played on it", status=409)

        play = Play(world=self._world, vendor=self._vendors[call.vendor], call=call, caller=caller, send=self._send)
        self._playing.add(call.call_id)
        try:
            error = await perform(language.player, play, start)
        finally:
            self._playing.discard(call.call_id)
        return web.json_response({"transcript": play.transcript, "ended": call.over, "error": error})


def _language_of(asked: Mapping[str, Any], call: Call) -> Language:
    name = text_of(asked, "language")
    own = [each for each, language in LANGUAGES.items() if language.vendor == call.vendor]
    if name not in own:
        raise WrongRequestError(f"'language' of a call at {call.vendor} must be one of {', '.join(own)}")
    return LANGUAGES[name]


def _start_of(asked: Mapping[str, Any], language: Language) -> Start:
    if ("url" in asked) is ("document" in asked):
        raise WrongRequestError("a flow has a 'url' or a 'document': exactly one of them")
    if "url" in asked and not language.fetched:
        raise WrongRequestError("'url': the platform has such a flow itself, and needs its 'document'")
    if "fallback_url" in asked and not language.falls_back:
        raise WrongRequestError("'fallback_url': such a flow has none")
    if not isinstance(asked.get("document", ""), str | dict):
        raise WrongRequestError("'document' must be a string or an object")
    return Start(
        url=_own_url_of(asked, "url"),
        document=asked.get("document"),
        fallback_url=_own_url_of(asked, "fallback_url"),
    )


def _own_url_of(asked: Mapping[str, Any], name: str) -> str | None:
    if name not in asked:
        return None
    url = text_of(asked, name)
    try:
        check_is_own(url)
    except ForeignUrlError as exc:
        raise WrongRequestError(f"{name!r} {exc}") from exc
    return url


def _caller_of(asked: Mapping[str, Any]) -> list[str]:
    caller = asked.get("caller", [])
    if not isinstance(caller, list) or len(caller) > MAX_ANSWERS or not all(isinstance(each, str) for each in caller):
        raise WrongRequestError(f"'caller' must be a list of at most {MAX_ANSWERS} strings")
    return caller
