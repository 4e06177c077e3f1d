"""
The control API: with it a test plays the caller, the vendor's own platform and whatever goes wrong between.

JSON in and out. What cannot be is answered with 400 (the request is wrong), 404 (no such thing) or 409 (too late), and
`{"error": "..."}`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from local.simulators.asked import (
    WrongRequestError,
    action_of,
    effect_of,
    integer_of,
    json_object,
    refuse_unknown,
    subscription_of,
    text_of,
)
from local.simulators.bandwidth import Bandwidth
from local.simulators.faults import Fault, FaultBook
from local.simulators.pushes import Delivered, Pushes
from local.simulators.vendor import Vendor
from local.simulators.world import Call, Entry, Recording, World, WorldError, iso_milliseconds

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: More recordings of one call, or uses of one fault, than a test means.
MAX_COUNT: Final = 10_000
#: The longest life of a token: ten years.
MAX_TOKEN_SECONDS: Final = 315_360_000

_CALL_FIELDS: Final = frozenset({"vendor", "recordings", "parent_call_id", "status", "callbacks"})
_FAULT_FIELDS: Final = frozenset({"vendor", "call_id", "action", "times", "effect"})


class Control:
    """The control API over one world, its vendors and their faults."""

    def __init__(self, *, world: World, vendors: Mapping[str, Vendor], faults: FaultBook, pushes: Pushes) -> None:
        self._world: Final = world
        self._pushes: Final = pushes
        self._vendors: Final = vendors
        self._faults: Final = faults

    def application(self) -> web.Application:
        """What aiohttp serves."""
        application = web.Application(middlewares=[_say_what_is_wrong])
        application.add_routes(
            [
                web.post("/calls", self._start_call),
                web.get("/calls/{call_id}", self._show_call),
                web.post("/calls/{call_id}/say", self._say),
                web.post("/calls/{call_id}/recordings", self._start_recording),
                web.post("/calls/{call_id}/end", self._end_call),
                web.post("/calls/{call_id}/callbacks/repeat", self._repeat_callback),
                web.get("/faults", self._show_faults),
                web.post("/faults", self._arm_fault),
                web.delete("/faults", self._clear_faults),
                web.put("/credentials/{vendor}", self._rotate_credentials),
                web.put("/bandwidth/token-ttl", self._set_token_seconds),
            ]
        )
        return application

    async def _start_call(self, request: web.Request) -> web.Response:
        asked = await json_object(request)
        vendor = self._vendor(asked.get("vendor"))
        parent = self._parent(asked, vendor)
        # What a child leg says is on its parent's tape, so none of its own is the natural number.
        recordings = integer_of(asked, "recordings", default=1 if parent is None else 0, least=0, most=MAX_COUNT)
        status = text_of(asked, "status", default="in-progress")
        if status not in {"in-progress", "completed"}:
            raise WrongRequestError("'status' must be in-progress or completed")
        subscription = subscription_of(asked.get("callbacks"))
        extras = {name: text_of(asked, name) for name in asked if name not in _CALL_FIELDS}
        try:
            options = vendor.call_options(extras)
        except ValueError as exc:
            raise WrongRequestError(f"unknown or wrong field: {exc}") from exc

        call = self._world.start_call(vendor=vendor.name, call_id=vendor.new_call_id(), parent=parent, options=options)
        if subscription is not None:
            self._pushes.subscribe(call, subscription)
        started = [self._world.start_recording(call, vendor.new_recording_id()) for _ in range(recordings)]
        if status == "completed":
            self._world.end(call)
        return web.json_response(
            {
                "call_id": call.call_id,
                "recording_ids": [recording.recording_id for recording in started],
                **vendor.shown_with_call(call),
            },
            status=201,
        )

    async def _show_call(self, request: web.Request) -> web.Response:
        call = self._call(request.match_info["call_id"])
        return web.json_response(
            {
                "status": _status(call),
                "recordings": [self._shown(recording) for recording in call.recordings],
                "requests": [
                    {"at": iso_milliseconds(each.at), "method": each.method, "path": each.path, "status": each.status}
                    for each in call.requests
                ],
                "callbacks": [_shown_delivered(each) for each in self._pushes.delivered(call)],
            }
        )

    async def _say(self, request: web.Request) -> web.Response:
        call = self._call(request.match_info["call_id"])
        asked = await json_object(request)
        refuse_unknown(asked, frozenset({"text"}))
        heard_by = self._world.say(call, text_of(asked, "text"))
        return web.json_response({"heard_by": [recording.recording_id for recording in heard_by]})

    async def _start_recording(self, request: web.Request) -> web.Response:
        call = self._call(request.match_info["call_id"])
        refuse_unknown(await json_object(request, default={}), frozenset())
        recording = self._world.start_recording(call, self._vendors[call.vendor].new_recording_id())
        return web.json_response({"recording_id": recording.recording_id}, status=201)

    async def _end_call(self, request: web.Request) -> web.Response:
        call = self._call(request.match_info["call_id"])
        self._world.end(call)
        return web.json_response({"status": _status(call)})

    async def _repeat_callback(self, request: web.Request) -> web.Response:
        call = self._call(request.match_info["call_id"])
        asked = await json_object(request)
        refuse_unknown(asked, frozenset({"index"}))
        delivered = self._pushes.delivered(call)
        index = integer_of(asked, "index", default=None, least=0, most=MAX_COUNT)
        if index >= len(delivered):
            raise WrongRequestError("no such callback", status=404)
        return web.json_response(_shown_delivered(await self._pushes.repeat(call, delivered[index])))

    async def _show_faults(self, _: web.Request) -> web.Response:
        return web.json_response({"faults": [_shown_fault(fault) for fault in self._faults.faults]})

    async def _arm_fault(self, request: web.Request) -> web.Response:
        asked = await json_object(request)
        refuse_unknown(asked, _FAULT_FIELDS)
        vendor = self._vendor(asked.get("vendor"))
        fault = Fault(
            vendor=vendor.name,
            call_id=self._call_id_of_fault(asked, vendor),
            action=action_of(asked),
            times=integer_of(asked, "times", default=1, least=1, most=MAX_COUNT),
            effect=effect_of(asked.get("effect")),
            written=asked["effect"],
        )
        self._faults.arm(fault)
        return web.json_response(_shown_fault(fault), status=201)

    async def _clear_faults(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return web.json_response({"faults": []})

    async def _rotate_credentials(self, request: web.Request) -> web.Response:
        vendor = self._vendor(request.match_info["vendor"])
        try:
            vendor.rotate(await json_object(request))
        except ValueError as exc:
            raise WrongRequestError(str(exc)) from exc
        return web.Response(status=204)

    async def _set_token_seconds(self, request: web.Request) -> web.Response:
        asked = await json_object(request)
        refuse_unknown(asked, frozenset({"seconds"}))
        seconds = integer_of(asked, "seconds", default=None, least=0, most=MAX_TOKEN_SECONDS)
        for vendor in self._vendors.values():
            if isinstance(vendor, Bandwidth):
                vendor.token_seconds = seconds
        return web.Response(status=204)

    def _vendor(self, name: Any) -> Vendor:
        if not isinstance(name, str) or name not in self._vendors:
            raise WrongRequestError(f"'vendor' must be one of {', '.join(self._vendors)}")
        return self._vendors[name]

    def _call(self, call_id: str) -> Call:
        call = self._world.call(call_id)
        if call is None:
            raise WrongRequestError("no such call", status=404)
        return call

    def _parent(self, asked: Mapping[str, Any], vendor: Vendor) -> Call | None:
        if "parent_call_id" not in asked:
            return None
        parent = self._world.call(text_of(asked, "parent_call_id"), vendor=vendor.name)
        if parent is None:
            raise WrongRequestError(f"'parent_call_id': {vendor.name} has no such call", status=404)
        if parent.parent is not None:
            raise WrongRequestError("'parent_call_id' is a child leg itself")
        return parent

    def _call_id_of_fault(self, asked: Mapping[str, Any], vendor: Vendor) -> str | None:
        if asked.get("call_id") is None:
            return None
        call = self._world.call(text_of(asked, "call_id"), vendor=vendor.name)
        if call is None:
            raise WrongRequestError(f"'call_id': {vendor.name} has no such call", status=404)
        return call.call_id

    def _shown(self, recording: Recording) -> dict[str, Any]:
        return {
            "recording_id": recording.recording_id,
            "status": self._vendors[recording.call.vendor].word_for(recording),
            "tape": [_shown_entry(entry) for entry in recording.tape.entries],
        }


@web.middleware
async def _say_what_is_wrong(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error as JSON."""
    try:
        return await handler(request)
    except WrongRequestError as exc:
        return web.json_response({"error": str(exc)}, status=exc.status)
    except WorldError as exc:
        return web.json_response({"error": str(exc)}, status=409)
    except web.HTTPException as exc:
        return web.json_response({"error": exc.reason}, status=exc.status)


def _status(call: Call) -> str:
    return "completed" if call.over else "in-progress"


def _shown_entry(entry: Entry) -> dict[str, str]:
    said_or_done = {"text": entry.text} if entry.event is None else {"event": entry.event.value}
    return {"at": iso_milliseconds(entry.at)} | {
        name: value for name, value in said_or_done.items() if value is not None
    }


def _shown_delivered(delivered: Delivered) -> dict[str, Any]:
    return {
        "at": iso_milliseconds(delivered.at),
        # Not the query: a customer may keep a key there.
        "url_path": urlsplit(delivered.outgoing.url).path,
        "event": delivered.event,
        "status": delivered.status,
    }


def _shown_fault(fault: Fault) -> dict[str, Any]:
    return {
        "vendor": fault.vendor,
        "call_id": fault.call_id,
        "action": fault.action.value,
        "times": fault.times,
        "used": fault.used,
        "effect": fault.written,
    }
