"""A customer of the simulated platforms: a server in a thread of its own that keeps what it is told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.test_utils import TestServer

TIMEOUT_SECONDS = 20
#: Longer than every retry together: what has not come by then does not come.
QUIET_SECONDS = 0.6


@dataclass(frozen=True)
class Received:
    """A request as the customer's server gets it."""

    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> Any:
        """The form or the JSON."""
        if self.headers["Content-Type"] == "application/json":
            return json.loads(self.body)
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))


@dataclass
class ToldCustomer:
    """A customer's server, in a thread of its own: the statuses that it answers, and what came."""

    url: str = ""
    #: Of the next answers; 200 where there are no more.
    statuses: list[int] = field(default_factory=list)
    #: How long it takes to answer.
    seconds: float = 0
    received: list[Received] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """Keep the request."""
        headers = {name: request.headers[name] for name in request.headers}
        self.received.append(Received(f"{self.url}{request.raw_path}", headers, await request.read()))
        status = self.statuses.pop(0) if self.statuses else 200
        await asyncio.sleep(self.seconds)
        return web.Response(status=status)


@contextlib.contextmanager
def open_for_business() -> Iterator[ToldCustomer]:
    """Serve on any free port until the block ends."""
    customer, up, down = ToldCustomer(), threading.Event(), threading.Event()

    async def serve() -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", customer.answer)
        async with TestServer(application, host="127.0.0.1") as server:
            customer.url = str(server.make_url("")).rstrip("/")
            up.set()
            await asyncio.to_thread(down.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert up.wait(TIMEOUT_SECONDS)
    try:
        yield customer
    finally:
        down.set()
        thread.join(TIMEOUT_SECONDS)


def eventually(true: Callable[[], Any]) -> None:
    """Wait until it is so."""
    ends = time.monotonic() + TIMEOUT_SECONDS
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.005)
