"""
BXML, Bandwidth's call markup, played.

https://dev.bandwidth.com/docs/voice/bxml/ and https://dev.bandwidth.com/docs/voice/webhooks/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from xml.etree.ElementTree import Element

from local.simulators.bxml import HANGS_UP, VERBS, parse
from local.simulators.faults import Action
from local.simulators.outgoing import Basic
from local.simulators.players.play import Play, Start, UnplayableError, number_of, path_of, pressed, resolve
from local.simulators.players.requests import in_markup
from local.simulators.world import iso_milliseconds

#: https://dev.bandwidth.com/docs/voice/webhooks/ : the default.
TIMEOUT_SECONDS: Final = 15.0
#: [unverified] Which types an answer may have; the examples have the first.
MEDIA_TYPES: Final = frozenset({"application/xml", "text/xml"})
#: Verbs that give the call to somebody else. What follows once that is over is not played.
HANDS_ON: Final = frozenset({"Bridge", "Conference", "Forward", "Transfer"})
#: Verbs without words; they take no time here.
SILENT: Final = frozenset({"Pause", "PlayAudio", "Ring"})
#: `disconnectCause` in the OpenAPI document, when a document cannot be had.
CALLBACK_ERROR: Final = "callback-error"
#: The event that asks for the first document of a call that comes in.
FIRST_EVENT: Final = "initiate"


@dataclass(frozen=True, slots=True)
class _Page:
    """A document, and where it came from."""

    verbs: list[Element]
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """Where an event is delivered."""

    url: str
    method: str | None = None
    basic: Basic | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """What is delivered, where, and where else if that fails."""

    event_type: str
    to: _Target
    otherwise: _Target | None = None
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)


class _BadPageError(Exception):
    """What came is no document."""


async def play_flow(play: Play, start: Start) -> None:
    """Play from the first document on."""
    await _Flow(play).run(start)


class _Flow:
    """One flow of documents."""

    def __init__(self, play: Play) -> None:
        self._play: Final = play
        #: What a verb last said is to be sent with every event.
        self._tag: str | None = None

    async def run(self, start: Start) -> None:
        """Go from document to document until the call ends or is handed on."""
        page = await self._first(start)
        while True:
            page = await self._deliver(self._perform(page))

    async def _first(self, start: Start) -> _Page:
        otherwise = None if start.fallback_url is None else _Target(url=resolve(start.fallback_url, base=None))
        if start.url is not None:
            to = _Target(url=resolve(start.url, base=None))
            return await self._deliver(_Event(event_type=FIRST_EVENT, to=to, otherwise=otherwise))
        if not isinstance(start.document, str):
            raise UnplayableError("the document must be a string")
        try:
            return _Page(parse(start.document.encode()), None)
        except ValueError as problem:
            self._play.fail(f"{CALLBACK_ERROR}: {problem}")

    def _perform(self, page: _Page) -> _Event:
        """Do what the document says, and give the event that it goes on with."""
        for verb in page.verbs:
            self._play.begin(verb.tag)
            if verb.tag == "Redirect" and (event := self._event("redirect", verb, page.url)) is not None:
                self._play.redirected(event.to.url)
                return event
            if verb.tag == "Gather" and (event := self._gather(verb, page)) is not None:
                return event
            if verb.tag == HANGS_UP:
                self._play.hang_up()
            if verb.tag in HANDS_ON:
                self._play.hand_on(verb.tag)
            if verb.tag not in {"Redirect", "Gather"}:
                self._do(verb)
        # `disconnectCause` `hangup` means, among others, that there was no more BXML.
        return self._play.hang_up()

    def _do(self, verb: Element) -> None:
        if verb.tag in VERBS:
            self._change_recordings(VERBS[verb.tag])
        elif verb.tag == "StartRecording":
            # [unverified] One recording at a time: starting another has no effect.
            if not self._play.call.live_recordings:
                self._play.world.start_recording(self._play.call, self._play.vendor.new_recording_id())
        else:
            self._utter(verb)

    def _change_recordings(self, action: Action) -> None:
        """Without a recording these verbs do nothing: https://dev.bandwidth.com/docs/voice/bxml/pauseRecording"""
        at = self._play.world.clock()
        for recording in self._play.call.live_recordings:
            {Action.PAUSE: recording.pause, Action.RESUME: recording.resume, Action.STOP: recording.stop}[action](at)

    def _utter(self, verb: Element) -> None:
        if verb.tag == "SpeakSentence":
            self._play.say(" ".join("".join(verb.itertext()).split()))
        elif verb.tag in SILENT:
            self._play.listen_to(verb.tag)
        else:
            raise UnplayableError(f"the verb {verb.tag} is not played here")

    def _gather(self, verb: Element, page: _Page) -> _Event | None:
        """https://dev.bandwidth.com/docs/voice/webhooks/gather : the event comes without digits too."""
        for nested in verb:
            self._play.begin(nested.tag)
            self._utter(nested)
        given = self._play.ask("Gather")
        keys = "" if given is None or given.keys is None else given.keys
        most = number_of(verb.get("maxDigits"), "maxDigits of Gather")
        digits, ended_by = pressed(keys, terminators=verb.get("terminatingDigits", ""), most=most)
        return self._event("gather", verb, page.url, digits=digits, terminatingDigit=ended_by)

    def _event(self, event_type: str, verb: Element, base: str | None, **fields: str) -> _Event | None:
        """The event of a verb, if the verb says where it is to be delivered."""
        self._tag = verb.get("tag", self._tag)
        to = _target(verb, base, (f"{event_type}Url", f"{event_type}Method", "username", "password"))
        if to is None:
            return None
        names = (f"{event_type}FallbackUrl", f"{event_type}FallbackMethod", "fallbackUsername", "fallbackPassword")
        return _Event(event_type=event_type, to=to, otherwise=_target(verb, base, names), fields=fields)

    async def _deliver(self, event: _Event) -> _Page:
        try:
            return await self._post(event, event.to)
        except _BadPageError as problem:
            if event.otherwise is None:
                self._play.fail(f"{CALLBACK_ERROR}: {problem}")
            self._play.branched(str(problem), "fallback")
            try:
                return await self._post(event, event.otherwise)
            except _BadPageError as again:
                self._play.fail(f"{CALLBACK_ERROR}: {problem}; and the fallback: {again}")

    async def _post(self, event: _Event, to: _Target) -> _Page:
        tag = {"tag": self._tag} if self._tag else {}
        known = self._play.vendor.common_fields(self._play.call)
        at = iso_milliseconds(self._play.world.clock())
        fields = {"eventType": event.event_type, "eventTime": at, **known, **tag, **event.fields}
        outgoing = in_markup(self._play.vendor, to.method, to.url, fields, basic=to.basic)
        sent = await self._play.fetch(outgoing, timeout_seconds=TIMEOUT_SECONDS)
        path = path_of(to.url)
        if sent.status == 0:
            raise _BadPageError(f"{path} did not answer")
        if not 200 <= sent.status < 300:
            raise _BadPageError(f"{path} answered {sent.status}")
        if sent.content_type not in MEDIA_TYPES:
            raise _BadPageError(f"what {path} answered is not labelled as XML")
        try:
            return _Page(parse(sent.body), to.url)
        except ValueError:
            raise _BadPageError(f"what {path} answered is not BXML") from None


def _target(verb: Element, base: str | None, names: tuple[str, str, str, str]) -> _Target | None:
    """Where the attributes of these names say; None if there is no URL."""
    url, method, username, password = names
    address = verb.get(url)
    if not address:
        return None
    user = verb.get(username)
    basic = None if user is None else (user, verb.get(password, ""))
    return _Target(url=resolve(address, base=base), method=verb.get(method), basic=basic)
