"""Runs the simulators: the control API and one origin for each vendor, each on a port of its own on 127.0.0.1."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from local.simulators.bandwidth import Bandwidth
from local.simulators.bird import Bird
from local.simulators.control import Control
from local.simulators.faults import FaultBook
from local.simulators.ivr import Ivr
from local.simulators.origin import Origin
from local.simulators.plays import Plays
from local.simulators.pushes import Pushes
from local.simulators.signalwire import SignalWire
from local.simulators.twilio import Twilio
from local.simulators.vendor import Vendor
from local.simulators.world import World

VENDORS: Final[Mapping[str, type[Vendor]]] = {vendor.name: vendor for vendor in (Bandwidth, Bird, SignalWire, Twilio)}

#: Never anything else: the simulators have no protection but that nobody outside can reach them.
HOST: Final = "127.0.0.1"

MAX_PORT: Final = 65535

#: How long an answer that is being dripped may go on once we are told to stop.
SHUTDOWN_SECONDS: Final = 0.2


class _NotTheClientsDoing(logging.Filter):
    """Drops what aiohttp says of broken requests and broken connections: it quotes headers, keys included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep everything else: an error of our own."""
        cause = record.exc_info[1] if record.exc_info else None
        return not isinstance(cause, HttpProcessingError | ConnectionError)


_LOGGER: Final = logging.getLogger(__name__)
_LOGGER.addFilter(_NotTheClientsDoing())


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulators:
    """Where the running simulators are."""

    control: str
    vendors: Mapping[str, str]
    #: Not a vendor's: the company's own web server.
    ivr: str
    _running: contextlib.AsyncExitStack = field(repr=False)

    async def close(self) -> None:
        """Stop all of them."""
        await self._running.aclose()


async def serve(credentials: Mapping[str, Mapping[str, str]], ports: Mapping[str, int] | None = None) -> Simulators:
    """
    Start them. A port that is missing or 0 is any free one.

    ValueError names the vendor or field of the configuration that is wrong, and never a value.
    """
    ports = ports or {}
    _check(credentials, ports)
    world, faults = World(), FaultBook()
    vendors = {name: vendor(world, credentials[name]) for name, vendor in VENDORS.items()}
    async with contextlib.AsyncExitStack() as starting:
        pushes = Pushes(world, vendors)
        starting.push_async_callback(pushes.close)
        control = Control(world=world, vendors=vendors, faults=faults, pushes=pushes).application()
        ivr, plays = Ivr(), Plays(world=world, vendors=vendors)
        control.add_routes([*ivr.control_routes(), *plays.control_routes()])
        control_url = await _listen(control, ports.get("control", 0), starting)
        urls = {
            name: await _listen(Origin(vendor, world=world, faults=faults).application(), ports.get(name, 0), starting)
            for name, vendor in vendors.items()
        }
        ivr_url = await _listen(ivr.application(), ports.get("ivr", 0), starting)
        return Simulators(control=control_url, vendors=urls, ivr=ivr_url, _running=starting.pop_all())


async def _listen(application: web.Application, port: int, running: contextlib.AsyncExitStack) -> str:
    # No access log: the paths carry ids and the control API what was said on the calls.
    runner = web.AppRunner(application, access_log=None, logger=_LOGGER, shutdown_timeout=SHUTDOWN_SECONDS)
    running.push_async_callback(runner.cleanup)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    host, bound_port = runner.addresses[0][:2]
    return f"http://{host}:{bound_port}"


def _check(credentials: Mapping[str, Any], ports: Mapping[str, Any]) -> None:
    # Both come from outside, by standard input: their types are a wish.
    for name in VENDORS:
        if not isinstance(credentials.get(name), Mapping):
            # Not TypeError: there is one class for whatever is wrong with a configuration.
            raise ValueError(f"credentials: {name!r} must be an object")  # noqa: TRY004
    if unknown := sorted(set(credentials) - set(VENDORS)):
        raise ValueError(f"credentials: unknown vendor {unknown[0]!r}")
    for name, port in ports.items():
        if name not in {"control", "ivr", *VENDORS}:
            raise ValueError(f"ports: unknown listener {name!r}")
        if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= MAX_PORT:
            raise ValueError(f"ports: {name!r} must be an integer from 0 to {MAX_PORT}")
