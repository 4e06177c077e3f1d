"""
TwiML, and cXML, which SignalWire made after it: XML documents, each of which says where the next one is.

https://www.twilio.com/docs/voice/twiml and https://developer.signalwire.com/compatibility-api/cxml/voice . What the
documents leave open is decided alike for both.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from local.simulators.outgoing import Sent
from local.simulators.players.play import Play, Start, UnplayableError, number_of, path_of, pressed, resolve
from local.simulators.players.requests import in_markup

#: https://www.twilio.com/docs/voice/twiml#twilio-is-a-well-behaved-http-client : how documents may be labelled.
#: [unverified] That SignalWire is as broad.
MEDIA_TYPES: Final = frozenset({"text/xml", "application/xml", "text/html"})
#: The root of every document.
ROOT: Final = "Response"

#: Verbs that give the call to somebody else. What follows once that is over is not played.
HANDS_ON: Final = frozenset({"Connect", "Dial", "Enqueue"})
#: Verbs without words; they take no time here.
SILENT: Final = frozenset({"Pause", "Play"})

#: https://www.twilio.com/docs/api/errors : what the request for a fallback says was wrong.
#: [unverified] That SignalWire sends such codes, and these.
RETRIEVAL_FAILURE: Final = "11200"
PARSE_FAILURE: Final = "12100"
INVALID_CONTENT_TYPE: Final = "12300"


@dataclass(frozen=True, slots=True)
class _Page:
    """A document, and where it came from."""

    verbs: list[Element]
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A document to fetch, and what goes with the request beside the call's own fields."""

    url: str
    method: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


class _BadPageError(Exception):
    """What came is no document. The code is for the fallback."""

    def __init__(self, why: str, code: str) -> None:
        super().__init__(why)
        self.code: Final = code


def player(*, timeout_seconds: float) -> Callable[[Play, Start], Awaitable[None]]:
    """The player of a platform that waits this long for a document."""

    async def play_flow(play: Play, start: Start) -> None:
        await _Flow(play, start, timeout_seconds).run()

    return play_flow


class _Flow:
    """One flow of documents."""

    def __init__(self, play: Play, start: Start, timeout_seconds: float) -> None:
        self._play: Final = play
        self._start: Final = start
        self._timeout_seconds: Final = timeout_seconds

    async def run(self) -> None:
        """Go from document to document until the call ends or is handed on."""
        page = await self._first()
        while True:
            page = await self._fetch(self._perform(page))

    async def _first(self) -> _Page:
        if self._start.url is not None:
            return await self._fetch(_Wanted(url=resolve(self._start.url, base=None)))
        if not isinstance(self._start.document, str):
            raise UnplayableError("the document must be a string")
        try:
            return _Page(_parse(self._start.document.encode()), None)
        except _BadPageError as problem:
            return await self._fall_back(str(problem), problem.code, "")

    def _perform(self, page: _Page) -> _Wanted:
        """Do what the document says, and give what it goes on with."""
        for verb in page.verbs:
            self._play.begin(verb.tag)
            if verb.tag == "Redirect":
                url = resolve("".join(verb.itertext()), base=page.url)
                self._play.redirected(url)
                return _Wanted(url=url, method=verb.get("method"))
            if verb.tag == "Gather" and (wanted := self._gather(verb, page)) is not None:
                return wanted
            if verb.tag == "Hangup":
                self._play.hang_up()
            if verb.tag in HANDS_ON:
                self._play.hand_on(verb.tag)
            if verb.tag == "Start" and [each.tag for each in verb] == ["Recording"]:
                # https://www.twilio.com/docs/voice/twiml/recording : in the background. [unverified] That cXML has it, too.
                self._play.world.start_recording(self._play.call, self._play.vendor.new_recording_id())
            elif verb.tag != "Gather":
                self._utter(verb)
        # https://www.twilio.com/docs/voice/twiml : the call ends with its document.
        return self._play.hang_up()

    def _utter(self, verb: Element) -> None:
        if verb.tag == "Say":
            self._play.say(" ".join("".join(verb.itertext()).split()))
        elif verb.tag in SILENT:
            self._play.listen_to(verb.tag)
        else:
            raise UnplayableError(f"the verb {verb.tag} is not played here")

    def _gather(self, verb: Element, page: _Page) -> _Wanted | None:
        """https://www.twilio.com/docs/voice/twiml/gather : without input the document goes on."""
        for nested in verb:
            self._play.begin(nested.tag)
            self._utter(nested)
        kinds = verb.get("input", "dtmf").split()
        given = self._play.ask("Gather", keys="dtmf" in kinds, speech="speech" in kinds)
        if given is None and verb.get("actionOnEmptyResult", "false") != "true":
            return None
        fields = {}
        if given is None or given.keys is not None:
            most = number_of(verb.get("numDigits"), "numDigits of Gather")
            keys = "" if given is None or given.keys is None else given.keys
            fields["Digits"] = pressed(keys, terminators=verb.get("finishOnKey", "#"), most=most)[0]
        elif given.speech is not None:
            fields |= {"SpeechResult": given.speech, "Confidence": "0.9"}
        action = verb.get("action")
        if action is None and page.url is None:
            raise UnplayableError("a Gather without an action needs a document that was fetched")
        return _Wanted(url=resolve(action or "", base=page.url), method=verb.get("method"), fields=fields)

    async def _fetch(self, wanted: _Wanted) -> _Page:
        try:
            return await self._get(wanted)
        except _BadPageError as problem:
            return await self._fall_back(str(problem), problem.code, wanted.url)

    async def _fall_back(self, why: str, code: str, failed_url: str) -> _Page:
        """https://www.twilio.com/docs/availability-reliability : the fallback is asked instead, once; else the call ends."""
        if self._start.fallback_url is None:
            self._play.fail(why)
        fields = {"ErrorCode": code, "ErrorUrl": _without_user(failed_url)}
        url = resolve(self._start.fallback_url, base=None)
        self._play.branched(why, "fallback")
        try:
            return await self._get(_Wanted(url=url, fields=fields))
        except _BadPageError as problem:
            self._play.fail(f"{why}; and the fallback: {problem}")

    async def _get(self, wanted: _Wanted) -> _Page:
        fields = {**self._play.vendor.common_fields(self._play.call), **wanted.fields}
        outgoing = in_markup(self._play.vendor, wanted.method, wanted.url, fields)
        sent = await self._play.fetch(outgoing, timeout_seconds=self._timeout_seconds)
        path = path_of(wanted.url)
        _refuse_failure(sent, path)
        if sent.content_type not in MEDIA_TYPES:
            raise _BadPageError(f"what {path} answered is not labelled as XML", INVALID_CONTENT_TYPE)
        return _Page(_parse(sent.body), wanted.url)


def _refuse_failure(sent: Sent, path: str) -> None:
    if sent.status == 0:
        raise _BadPageError(f"{path} did not answer", RETRIEVAL_FAILURE)
    # [unverified] A redirect by HTTP is followed by both, up to a limit: here it is a failure.
    if not 200 <= sent.status < 300:
        raise _BadPageError(f"{path} answered {sent.status}", RETRIEVAL_FAILURE)


def _parse(document: bytes) -> list[Element]:
    try:
        root: Element = fromstring(document)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise _BadPageError("the document is not XML", PARSE_FAILURE) from None
    if root.tag != ROOT:
        raise _BadPageError(f"the document's root is not {ROOT}", PARSE_FAILURE)
    return list(root)


def _without_user(url: str) -> str:
    """[unverified] Whether a user in the URL is in `ErrorUrl`; here it is not."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
