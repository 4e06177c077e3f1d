"""
`python -m local.simulators`: reads its configuration from standard input, prints where everything is, serves.

Standard input carries one JSON object, `{"credentials": {...}, "ports": {...}}`, and stays open: when whoever started
us closes it, or dies, we end. Standard output gets exactly one line, once every listener is up:
`{"control": "...", "vendors": {...}, "ivr": "..."}`. Credentials come this way because arguments and the environment
can be read by others.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from typing import Any, Final

from local.simulators.server import serve

STDIN: Final = 0
#: More than any configuration: what has not become a JSON object by then never will.
MAX_CONFIGURATION: Final = 1 << 20


class ConfigurationError(Exception):
    """What came by standard input does not do. Its message never repeats a value."""


def read_configuration() -> dict[str, Any]:
    """One JSON object, without waiting for the end of the input: that is how we are told to stop."""
    received = b""
    while len(received) < MAX_CONFIGURATION:
        chunk = os.read(STDIN, 65536)
        received += chunk
        try:
            value, _ = json.JSONDecoder().raw_decode(received.decode().lstrip())
        except (ValueError, RecursionError):
            if not chunk:
                raise ConfigurationError("standard input ended before one whole JSON object") from None
            continue
        return _checked(value)
    raise ConfigurationError("standard input carries no JSON object")


def _checked(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not isinstance(value.get("credentials"), dict):
        raise ConfigurationError("the configuration must be an object with 'credentials', an object")
    if not isinstance(value.get("ports", {}), dict):
        raise ConfigurationError("'ports' must be an object")
    if unknown := sorted(set(value) - {"credentials", "ports"}):
        raise ConfigurationError(f"unknown field {unknown[0]!r}")
    return value


async def run(configuration: dict[str, Any]) -> None:
    """Serve until a signal comes or standard input ends."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    try:
        simulators = await serve(configuration["credentials"], configuration.get("ports"))
    except (ValueError, OSError) as exc:
        raise ConfigurationError(str(exc)) from exc
    # A thread, because a loop cannot wait for every kind of standard input; it may be left waiting when we end.
    threading.Thread(target=_wait_for_end_of_input, args=(loop, stop), daemon=True).start()
    addresses = {"control": simulators.control, "vendors": dict(simulators.vendors), "ivr": simulators.ivr}
    print(json.dumps(addresses), flush=True)
    await stop.wait()
    await simulators.close()


def _wait_for_end_of_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(STDIN, 65536):
        pass
    # The loop may have been closed by a signal meanwhile.
    if not loop.is_closed():
        loop.call_soon_threadsafe(stop.set)


def main() -> int:
    """Run; 2 if the configuration does not do."""
    try:
        asyncio.run(run(read_configuration()))
    except ConfigurationError as exc:
        print(f"simulators: {exc}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
