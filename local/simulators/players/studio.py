"""
Twilio Studio, played: a flow's definition as Studio exports it.

https://www.twilio.com/docs/studio/widget-library . The properties and events of the widgets are as exported flows have
them. [unverified] What becomes of a call whose flow ends: here it ends.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from local.simulators.outgoing import FORM, JSON, Outgoing, Sent, form_body
from local.simulators.players.play import Json, Play, Start, UnplayableError, number_of, pressed, resolve
from local.simulators.players.requests import get, post_json_signed_by_url, with_body, with_query
from local.simulators.players.templates import LIQUID, fill, fill_all

#: https://www.twilio.com/docs/studio/widget-library/http-request : how long the widget waits, and for how much.
TIMEOUT_SECONDS: Final = 10.0
MAX_BODY: Final = 64_000

#: Widgets that give the call to somebody else. What follows once that is over is not played.
HANDS_ON: Final = frozenset({"connect-call-to", "connect-virtual-agent", "enqueue-call", "send-to-flex"})

#: How a split compares, of what it can; with the value in lower case, as Studio does.
#: [unverified] That letter case does not count.
CONDITIONS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "equal_to": lambda given, value: given == value,
    "not_equal_to": lambda given, value: given != value,
    "contains": lambda given, value: value in given,
    "is_blank": lambda given, _: not given,
    "is_not_blank": lambda given, _: bool(given),
    "matches_any_of": lambda given, value: given in {each.strip() for each in value.split(",")},
}


async def play_flow(play: Play, start: Start) -> None:
    """Play from the widget on that an incoming call leads to."""
    if start.url is not None or not isinstance(start.document, dict):
        raise UnplayableError("a flow of Studio is an object: Studio has it already, and fetches none")
    await _Flow(play, start.document).run()


class _Flow:
    """One execution of a flow."""

    def __init__(self, play: Play, definition: Mapping[str, Json]) -> None:
        self._play: Final = play
        states = definition.get("states")
        if not isinstance(states, list) or not all(isinstance(each, dict) and "name" in each for each in states):
            raise UnplayableError("the flow has no states")
        self._widgets: Final[dict[str, Mapping[str, Json]]] = {each["name"]: each for each in states}
        self._first: Final = definition.get("initial_state", "Trigger")
        account = play.vendor.common_fields(play.call)
        self._known: Final[dict[str, Any]] = {
            "trigger": {"call": account},
            "contact": {"channel": {"address": account.get("From")}},
            # [unverified] `account_sid`.
            "flow": {"data": {"account_sid": account.get("AccountSid")}, "variables": {}},
            "widgets": {},
        }

    async def run(self) -> None:
        """Go from widget to widget."""
        name = _next(self._widget(self._first), "incomingCall")
        while name is not None:
            widget = self._widget(name)
            self._play.begin(name)
            kind = widget.get("type")
            if kind in HANDS_ON:
                self._play.hand_on(str(kind))
            if kind == "split-based-on":
                name = self._split(widget)
            else:
                event = await self._perform(widget)
                self._play.branched(name, event)
                name = _next(widget, event)
        self._play.hang_up()

    async def _perform(self, widget: Mapping[str, Json]) -> str:
        """Do what a widget does, and give the event that it ends with."""
        properties = fill_all(widget.get("properties", {}), LIQUID, self._known)
        match widget.get("type"):
            case "make-http-request":
                return await self._request(widget["name"], properties)
            case "gather-input-on-call":
                return self._gather(widget["name"], properties)
            case "say-play":
                self._utter(properties)
                return "audioComplete"
            case "record-call" if properties.get("record_call") is True:
                # https://www.twilio.com/docs/studio/widget-library/call-recording : from now on, in the background.
                self._play.world.start_recording(self._play.call, self._play.vendor.new_recording_id())
                return "success"
            case "set-variables":
                given = {each["key"]: each["value"] for each in properties.get("variables", [])}
                self._known["flow"]["variables"].update(given)
                return "next"
        raise UnplayableError(f"the widget {widget['name']} is of a type that is not played here")

    def _utter(self, properties: Mapping[str, Json]) -> None:
        if properties.get("say"):
            self._play.say(properties["say"])
        if properties.get("play"):
            self._play.listen_to("play")

    def _gather(self, name: str, properties: Mapping[str, Json]) -> str:
        self._utter(properties)
        given = self._play.ask(name, speech=True)
        if given is None:
            return "timeout"
        if given.keys is None:
            self._known["widgets"][name] = {"SpeechResult": given.speech}
            return "speech"
        most = number_of(properties.get("number_of_digits"), f"number_of_digits of {name}")
        digits, _ = pressed(given.keys, terminators=properties.get("finish_on_key", "#"), most=most)
        self._known["widgets"][name] = {"Digits": digits}
        return "keypress"

    async def _request(self, name: str, properties: Mapping[str, Json]) -> str:
        if properties.get("add_twilio_auth"):
            # Twilio would send the account's own credentials: no customer's server but Twilio's may see them.
            raise UnplayableError(f"the widget {name} sends the account's credentials: not done here")
        sent = await self._play.fetch(self._outgoing(properties), timeout_seconds=TIMEOUT_SECONDS)
        self._known["widgets"][name] = {"status_code": sent.status, "content_type": sent.content_type}
        # A redirect by HTTP is followed by Twilio; nothing here answers with one.
        if not 200 <= sent.status < 300 or len(sent.body) > MAX_BODY:
            return "failed"
        self._known["widgets"][name] |= {"body": sent.body.decode("utf-8", "replace"), "parsed": _parsed(sent)}
        return "success"

    def _outgoing(self, properties: Mapping[str, Json]) -> Outgoing:
        """[unverified] That the widget signs, and JSON by its digest: users say so (twilio-node, issue 924)."""
        vendor = self._play.vendor
        url = resolve(properties.get("url", ""), base=None)
        parameters = [(each["key"], each["value"]) for each in properties.get("parameters", [])]
        if properties.get("method", "GET").upper() == "GET":
            return get(vendor, with_query(url, dict(parameters)))
        content_type = properties.get("content_type", FORM)
        text = properties.get("body") or form_body(parameters).decode()
        if content_type.partition(";")[0].strip() == FORM:
            # Twilio signs the fields as it decodes them.
            pairs = parse_qsl(text, keep_blank_values=True)
            return with_body(
                vendor.callback(url, _grouped(pairs)), method="POST", body=text.encode(), content_type=FORM
            )
        return post_json_signed_by_url(vendor, url, text.encode(), content_type)

    def _split(self, widget: Mapping[str, Json]) -> str | None:
        """The first branch whose conditions all hold, or the one for no match."""
        for transition in widget.get("transitions", []):
            if transition.get("event") == "match" and all(map(self._holds, transition.get("conditions", []))):
                self._play.branched(widget["name"], "match")
                return _following(transition)
        self._play.branched(widget["name"], "noMatch")
        return _next(widget, "noMatch")

    def _holds(self, condition: Mapping[str, Json]) -> bool:
        compare = CONDITIONS.get(condition.get("type", ""))
        if compare is None:
            raise UnplayableError("a split compares in a way that is not played here")
        given = [fill(each, LIQUID, self._known).lower() for each in condition.get("arguments", [])]
        return any(compare(each, str(condition.get("value", "")).lower()) for each in given)

    def _widget(self, name: str) -> Mapping[str, Json]:
        if name not in self._widgets:
            raise UnplayableError("the flow has no widget of a name that it leads to")
        return self._widgets[name]


def _next(widget: Mapping[str, Json], event: str) -> str | None:
    """The widget that an event leads to, if it leads anywhere."""
    for transition in widget.get("transitions", []):
        if transition.get("event") == event:
            return _following(transition)
    return None


def _following(transition: Mapping[str, Json]) -> str | None:
    following = transition.get("next")
    return following if isinstance(following, str) else None


def _parsed(sent: Sent) -> Json:
    """Only an object that is labelled as JSON is parsed."""
    if sent.content_type != JSON:
        return {}
    try:
        value = json.loads(sent.body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The fields of a form, with all values of each."""
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields
