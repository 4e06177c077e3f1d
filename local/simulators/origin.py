"""One vendor's origin: takes requests from a socket, lets the vendor answer, and does what the faults say."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from http.client import responses
from typing import Final

from aiohttp import web

from local.simulators.exchange import Answer, Asked, Exchange, Received, Refusal
from local.simulators.faults import ABSENT, Action, Effect, FaultBook
from local.simulators.vendor import Vendor
from local.simulators.world import Call, Request, World, WorldError

#: Of a faulted answer whose length is the fault's own business, so that aiohttp must not frame it.
_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})


class Origin:
    """Everything that a client reaches under one vendor's scheme, host and port."""

    def __init__(self, vendor: Vendor, *, world: World, faults: FaultBook) -> None:
        self._vendor: Final = vendor
        self._world: Final = world
        self._faults: Final = faults
        self._pending: Final[set[asyncio.TimerHandle]] = set()

    def application(self) -> web.Application:
        """What aiohttp serves."""
        application = web.Application()
        # One route for all: which paths exist, and how their absence is said, is the vendor's own.
        application.router.add_route("*", "/{path:.*}", self._serve)
        application.on_shutdown.append(self._forget_pending)
        return application

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        received = Received(
            method=request.method,
            path=request.path,
            query=request.query,
            headers=request.headers,
            body=await request.read(),
        )
        asked = self._vendor.ask(received)
        call = self._call_of(received)
        noted = Request(at=self._world.clock(), method=request.method, path=request.rel_url.raw_path)
        if call is not None:
            call.requests.append(noted)

        if (refused := self._vendor.refuse_stranger(received)) is not None:
            noted.status = refused.status
            return _response(refused)
        effect = self._effect(call, asked.action)
        await asyncio.sleep(effect.delay_ms / 1000)
        answer = self._carry_out(asked, effect)
        if effect.drop is not None:
            # Before or after acting: that the vendor did not act is already in `apply`.
            _hang_up(request)
            return web.Response()

        answer = _rewritten(answer, effect)
        noted.status = answer.status
        if effect.drip_ms is not None or not _FRAMING.isdisjoint(name.lower() for name in effect.headers):
            await _send_raw(request, answer, (effect.drip_ms or 0) / 1000)
            return web.Response()
        return _response(answer)

    def _call_of(self, received: Received) -> Call | None:
        segments = [segment.removesuffix(".json") for segment in received.path.split("/")]
        return self._world.concerned(self._vendor.name, [*segments, received.query.get("CallSid", "")])

    def _effect(self, call: Call | None, action: Action | None) -> Effect:
        call_id = None if call is None else call.call_id
        return self._faults.take(vendor=self._vendor.name, call_id=call_id, action=action)

    def _carry_out(self, asked: Asked, effect: Effect) -> Answer:
        try:
            exchange = asked.carry_out()
            return self._act_and_answer(exchange, effect)
        except Refusal as refusal:
            return refusal.answer

    def _act_and_answer(self, exchange: Exchange, effect: Effect) -> Answer:
        if exchange.act is not None and effect.apply:
            wait_ms = exchange.settles_after_ms if effect.apply_after_ms is None else effect.apply_after_ms
            if wait_ms:
                self._later(wait_ms, exchange.act)
            else:
                exchange.act()
        return exchange.answer()

    def _later(self, wait_ms: int, act: Callable[[], None]) -> None:
        def act_if_still_possible() -> None:
            self._pending.discard(timer)
            # The call may have ended meanwhile; a vendor that said yes does not come back on it.
            with contextlib.suppress(WorldError):
                act()

        timer = asyncio.get_running_loop().call_later(wait_ms / 1000, act_if_still_possible)
        self._pending.add(timer)

    async def _forget_pending(self, _: web.Application) -> None:
        for timer in self._pending:
            timer.cancel()


def _rewritten(answer: Answer, effect: Effect) -> Answer:
    """The answer, as the fault wants it."""
    body = answer.body
    if effect.body is not ABSENT:
        body = effect.body.encode() if isinstance(effect.body, str) else json.dumps(effect.body).encode()
    replaced = {name.lower() for name in effect.headers}
    kept = {name: value for name, value in answer.headers.items() if name.lower() not in replaced}
    if effect.body is not ABSENT and "content-type" not in {name.lower() for name in kept} | replaced:
        kept["Content-Type"] = "application/json"
    return Answer(status=effect.status or answer.status, body=body, headers=kept | dict(effect.headers))


def _response(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body or None, headers=dict(answer.headers))


def _hang_up(request: web.Request) -> None:
    """End the connection. aiohttp notices when it tries to write the answer, and leaves it at that."""
    if request.transport is not None:
        request.transport.close()


async def _send_raw(request: web.Request, answer: Answer, pause_seconds: float) -> None:
    """Send the whole answer, status line and headers included, one byte at a time, and end the connection."""
    reason = responses.get(answer.status, "Unknown")
    framing = {"Content-Length": str(len(answer.body)), "Connection": "close"}
    if not _FRAMING.isdisjoint(name.lower() for name in answer.headers):
        del framing["Content-Length"]
    head = "".join(f"{name}: {value}\r\n" for name, value in {**framing, **answer.headers}.items())
    for byte in f"HTTP/1.1 {answer.status} {reason}\r\n{head}\r\n".encode("latin-1") + answer.body:
        # A transport is None or closing once the client is gone: nobody reads on.
        if request.transport is None or request.transport.is_closing():
            return
        request.transport.write(bytes([byte]))
        await asyncio.sleep(pause_seconds)
    _hang_up(request)
