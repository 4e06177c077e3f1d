"""
A flow that stands for one of Bird's, played.

Bird documents no form in which a flow could be written down: this notation is ours, not Bird's. It has what matters
here, a step that sends an HTTP request and goes one way after a success and another after everything else:

    {"steps": [
      {"name": "pause", "type": "http-request", "method": "POST", "url": "http://…", "headers": {…},
       "body": {"callId": "{{call.id}}", …}, "on_success": "card", "on_failure": "agent"},
      {"name": "card", "type": "gather", "say": "Your card number?", "on_input": "bye", "on_no_input": "agent"},
      {"name": "bye", "type": "say", "text": "Thank you.", "next": "end"},
      {"name": "end", "type": "hangup"},
      {"name": "agent", "type": "transfer"}]}

It begins with the first step, and a step that names none after it is the last.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from local.simulators import outgoing
from local.simulators.players.play import Json, Play, Start, UnplayableError, resolve
from local.simulators.players.requests import with_body
from local.simulators.players.templates import LIQUID, fill_all

#: [unverified] How long such a step waits.
TIMEOUT_SECONDS: Final = 10.0


async def play_flow(play: Play, start: Start) -> None:
    """Play from the first step on."""
    if start.url is not None or not isinstance(start.document, dict):
        raise UnplayableError("a flow of Bird is an object: Bird has it already, and fetches none")
    await _Flow(play, start.document).run()


class _Flow:
    """One flow of steps."""

    def __init__(self, play: Play, definition: Mapping[str, Json]) -> None:
        self._play: Final = play
        steps = definition.get("steps")
        if not isinstance(steps, list) or not steps or not all(isinstance(each, dict) for each in steps):
            raise UnplayableError("the flow has no steps")
        self._steps: Final = {each.get("name"): each for each in steps}
        self._first: Final = steps[0].get("name")
        self._known: Final[dict[str, Any]] = {"call": self._call_fields(), "steps": {}}

    async def run(self) -> None:
        """Go from step to step."""
        name = self._first
        while name is not None:
            if name not in self._steps:
                raise UnplayableError("the flow has no step of a name that it leads to")
            step = fill_all(self._steps[name], LIQUID, self._known)
            self._play.begin(str(name))
            way = await self._perform(step)
            self._play.branched(name, way)
            name = step.get(way)
        self._play.hang_up()

    async def _perform(self, step: Mapping[str, Json]) -> str:
        """Do what a step says, and give the field that names the next one."""
        match step.get("type"):
            case "http-request":
                return await self._request(step)
            case "gather":
                return self._gather(step)
            case "say":
                self._play.say(step.get("text", ""))
                return "next"
            case "hangup":
                self._play.hang_up()
            case "transfer":
                self._play.hand_on("transfer")
        raise UnplayableError(f"the step {step['name']} is of a type that is not played here")

    def _gather(self, step: Mapping[str, Json]) -> str:
        self._play.say(step.get("say", ""))
        given = self._play.ask("gather", speech=bool(step.get("speech")))
        if given is None:
            return "on_no_input"
        self._known["steps"][step["name"]] = {"input": given.keys if given.keys is not None else given.speech}
        return "on_input"

    async def _request(self, step: Mapping[str, Json]) -> str:
        """[unverified] Which statuses are a success, and that the request carries no signature."""
        body = step.get("body", "")
        text = body if isinstance(body, str) else json.dumps(body)
        headers = {name: value for name, value in step.get("headers", {}).items() if name.lower() != "content-type"}
        asked = outgoing.post(
            resolve(step.get("url", ""), base=None), body=text.encode(), content_type=outgoing.JSON, headers=headers
        )
        method = step.get("method", "POST").upper()
        if method == "GET":
            asked = with_body(asked, method="GET", body=b"", content_type=None)
        sent = await self._play.fetch(asked, timeout_seconds=TIMEOUT_SECONDS)
        self._known["steps"][step["name"]] = {"status": sent.status}
        return "on_success" if 200 <= sent.status < 300 else "on_failure"

    def _call_fields(self) -> dict[str, Any]:
        known = self._play.vendor.common_fields(self._play.call)
        return {"id": self._play.call.call_id, **known}
