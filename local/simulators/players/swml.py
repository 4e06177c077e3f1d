"""
SWML, SignalWire's markup of its own, played: YAML or JSON.

https://developer.signalwire.com/swml/methods . Only sections of the same document are executed.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

import yaml

from local.simulators.players.expressions import holds
from local.simulators.players.play import (
    MAX_SECONDS,
    Json,
    Play,
    Start,
    UnplayableError,
    number_of,
    path_of,
    pressed,
    resolve,
)
from local.simulators.players.swml_requests import PREFIX, outcome_of, request_of
from local.simulators.players.templates import SWML, fill_all, look_up, written

#: [unverified] How long SignalWire waits for a document: as for cXML.
DOCUMENT_SECONDS: Final = 5.0

#: Methods that give the call to somebody else. What follows once that is over is not played.
HANDS_ON: Final = frozenset({"ai", "connect", "enter_queue", "join_conference", "join_room"})
#: Methods that take no time here, and say nothing.
SILENT: Final = frozenset({"answer", "label", "sleep"})

#: https://developer.signalwire.com/swml/methods/prompt : with one of these speech counts, ...
SPEECH: Final = frozenset({"speech_timeout", "speech_end_timeout", "speech_language", "speech_hints"})
#: ... and then keys only with one of these.
KEYS: Final = frozenset({"max_digits", "terminators", "digit_timeout", "initial_timeout"})

Section = list[Json]


class _ReturnError(Exception):
    """A section is done with before its end."""


class _GoToError(Exception):
    """The section goes on at a label."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.label: Final = label


async def play_flow(play: Play, start: Start) -> None:
    """Play from the section `main` on."""
    document = start.document if start.url is None else await _fetched(play, resolve(start.url, base=None))
    if isinstance(document, str):
        try:
            # JSON is YAML, too.
            document = yaml.safe_load(document)
        except (yaml.YAMLError, RecursionError):
            play.fail("the document is neither YAML nor JSON")
    sections = document.get("sections") if isinstance(document, dict) else None
    if not isinstance(sections, dict) or not all(isinstance(section, list) for section in sections.values()):
        play.fail("the document has no sections")
    await _Script(play, sections).run()


async def _fetched(play: Play, url: str) -> str:
    """[unverified] What SignalWire sends for a document: JSON with the call in it, signed like all that it posts."""
    known = {"call": _call_fields(play), "vars": {}, "envs": {}}
    sent = await play.fetch(play.vendor.json_callback(url, known), timeout_seconds=DOCUMENT_SECONDS)
    if not 200 <= sent.status < 300:
        play.fail(f"{path_of(url)} answered {sent.status}" if sent.status else f"{path_of(url)} did not answer")
    return sent.body.decode("utf-8", "replace")


def _call_fields(play: Play) -> dict[str, Any]:
    """[unverified] `call_id` is the id by which the compatibility API knows the call."""
    known = play.vendor.common_fields(play.call)
    return {
        "call_id": play.call.call_id,
        "project_id": known.get("AccountSid"),
        "call_state": "answered",
        "direction": known.get("Direction"),
        "type": "phone",
        "from": known.get("From"),
        "to": known.get("To"),
    }


class _Script:
    """One script on one call."""

    def __init__(self, play: Play, sections: Mapping[str, Section]) -> None:
        self._play: Final = play
        self._sections: Final = sections
        #: Variables are known by their own names.
        self._known: Final[dict[str, Any]] = {"call": _call_fields(play), "params": {}}

    async def run(self) -> None:
        """Play the script. [unverified] The call ends where the script does."""
        try:
            await self._section("main")
        except _GoToError as jump:
            raise UnplayableError("the script goes to a label that is nowhere around") from jump
        self._play.hang_up()

    async def _section(self, name: str) -> None:
        if name not in self._sections:
            raise UnplayableError("the script has no section of a name that it executes")
        try:
            await self._list(self._sections[name])
        except _ReturnError:
            return

    async def _list(self, instructions: Section) -> None:
        """Instructions one after the other; a label is looked for where the `goto` stands, then around it."""
        position = 0
        while position < len(instructions):
            try:
                await self._instruction(*_named(instructions[position]))
            except _GoToError as jump:
                labels = [at for at, each in enumerate(instructions) if _named(each) == ("label", jump.label)]
                if not labels:
                    raise
                position = labels[0]
            position += 1

    async def _instruction(self, method: str, given: Json) -> None:
        self._play.begin(method)
        if method in HANDS_ON:
            self._play.hand_on(method)
        match method:
            case "hangup":
                self._play.hang_up()
            case "cond":
                # Conditions are no texts to be filled; what they lead to is filled when it is reached.
                await self._condition(given)
            case "switch":
                await self._switch(given)
            case "return":
                raise _ReturnError
            case _ if method not in SILENT:
                await self._act(method, fill_all(given, SWML, self._known))

    async def _act(self, method: str, given: Json) -> None:
        match method, given:
            case "request", dict():
                await self._request(given)
            case "prompt", dict():
                self._prompt(given)
            case "play", _:
                self._utter(given)
            case "set", dict():
                self._known.update(given)
            case "record_call", _:
                self._record(given if isinstance(given, dict) else {})
            case "execute", {"dest": str(name), **more}:
                await self._execute(name, more.get("params", {}))
            case "transfer", {"dest": str(name)}:
                await self._section(name)
                self._play.hang_up()
            case "goto", {"label": str(label), **more}:
                if "when" not in more or holds(str(more["when"]), self._known):
                    raise _GoToError(label)
            case _:
                raise UnplayableError(f"the method {method} is not played here, or not like this")

    async def _execute(self, name: str, params: Json) -> None:
        before = self._known["params"]
        self._known["params"] = params
        await self._section(name)
        self._known["params"] = before

    async def _condition(self, given: Json) -> None:
        for each in given if isinstance(given, list) else [given]:
            if "when" not in each:
                self._play.branched("cond", "else")
                return await self._list(each.get("else", []))
            if holds(str(each["when"]), self._known):
                self._play.branched("cond", "then")
                return await self._list(each.get("then", []))
        return None

    async def _switch(self, given: Mapping[str, Json]) -> None:
        value = written(look_up(str(given.get("variable", "")), self._known))
        cases = {str(each): instructions for each, instructions in given.get("case", {}).items()}
        self._play.branched("switch", "case" if value in cases else "default")
        await self._list(cases[value] if value in cases else given.get("default", []))

    def _utter(self, given: Json) -> None:
        """One URL or several; `say:` is a text, everything else a sound."""
        urls = given.get("urls", given.get("url", [])) if isinstance(given, dict) else given
        for url in urls if isinstance(urls, list) else [urls]:
            if str(url).startswith("say:"):
                self._play.say(str(url).removeprefix("say:").strip())
            else:
                self._play.listen_to("play")

    def _prompt(self, given: Mapping[str, Json]) -> None:
        self._utter(given.get("play", []))
        speech = not SPEECH.isdisjoint(given)
        answer = self._play.ask("prompt", keys=not speech or not KEYS.isdisjoint(given), speech=speech)
        if answer is None:
            self._known.update({"prompt_result": "no_input", "prompt_value": ""})
        elif answer.keys is None:
            self._known.update({"prompt_result": "match_speech", "prompt_value": answer.speech})
        else:
            most = number_of(given.get("max_digits"), "max_digits of prompt")
            digits, ended_by = pressed(answer.keys, terminators=str(given.get("terminators", "")), most=most)
            self._known.update(
                {
                    "prompt_result": "match_digits",
                    "prompt_value": digits,
                    "prompt_digit_terminator": ended_by,
                }
            )

    def _record(self, given: Mapping[str, Json]) -> None:
        """
        A recording in the background, known to the script by its control id.

        [unverified] That the Compatibility API shows it. The platform's own events name a control id that is made from
        the recording's id (`webhooks/signalwire.py`); so does the script if it sets none.
        """
        recording = self._play.world.start_recording(self._play.call, self._play.vendor.new_recording_id())
        made_up = str(uuid.uuid5(uuid.NAMESPACE_OID, recording.recording_id))
        self._known["record_control_id"] = given.get("control_id", made_up)

    async def _request(self, given: Mapping[str, Json]) -> None:
        url = resolve(str(given.get("url", "")), base=None)
        seconds = float(given.get("timeout") or MAX_SECONDS)
        sent = await self._play.fetch(request_of(given, url), timeout_seconds=seconds)
        for name in [name for name in self._known if name.startswith(PREFIX)]:
            del self._known[name]
        self._known.update(outcome_of(sent, url, save=bool(given.get("save_variables"))))


def _named(instruction: Json) -> tuple[str, Json]:
    """A method and what it is given; a method without anything may stand alone."""
    if isinstance(instruction, str):
        return instruction, {}
    if isinstance(instruction, dict) and len(instruction) == 1:
        (named,) = instruction.items()
        return str(named[0]), named[1]
    raise UnplayableError("an instruction of the script is not one method")
