"""Runs the local stack in the foreground (`make serve`).

The environment says how: PORT (8080; 0 picks a free one), OFFTAPE_LOCAL (the folder of its state, .local),
SECRET_TTL_SECONDS (how long functions keep a secret; else the template's default) and ENFORCE_IAM=1 (hold the functions
to their roles' policies).
"""

import argparse
import asyncio
import contextlib
import fcntl
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

from local import layer, stack, startup
from local.processes import Child

DEFAULT_PORT: Final = 8080
#: How often the processes are looked after.
WATCH_SECONDS: Final = 0.5
#: What ends the stack.
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """A signal came: not an error, and nothing to be caught on the way out."""


def main() -> None:
    """Start the stack, say where it is, and keep it until it is told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the process that started this one")
    options = parser.parse_args()
    for number in SIGNALS:
        signal.signal(number, end)
    state = stack.default_state()
    state.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(Ended), sole_use_of(state), listening(wanted_port()) as listener:
        run(state, listener, watch_stdin=options.until_stdin_closes)


def end(_number: int, _frame: FrameType | None) -> None:
    """Leave, once: what follows ends the processes, and must not be interrupted."""
    ignore_signals()
    raise Ended


def ignore_signals() -> None:
    """Let nothing interrupt the ending: it takes seconds at most."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def wanted_port() -> int:
    """Read PORT."""
    value = os.environ.get("PORT") or str(DEFAULT_PORT)
    if not value.isdecimal() or int(value) > 65535:
        raise SystemExit("PORT must be a number from 0 to 65535; 0 picks a free port.")
    return int(value)


@contextlib.contextmanager
def sole_use_of(state: Path) -> Iterator[None]:
    """Keep a second stack out of this state folder, and leave no stack.json behind."""
    with (state / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(
                f"A stack runs already with its state in {state}. End it (Ctrl-C), or give this one a folder and a port "
                "of its own: OFFTAPE_LOCAL=.local/second PORT=8081 make serve"
            ) from None
        described = state / "stack.json"
        described.unlink(missing_ok=True)
        lock.truncate(0)
        lock.write(str(os.getpid()))  # From here on a stack.json is this stack's: local.stack waits for both.
        lock.flush()
        try:
            yield
        finally:
            described.unlink(missing_ok=True)


@contextlib.contextmanager
def listening(port: int) -> Iterator[socket.socket]:
    """Take the port first, so that nothing is started in vain."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen()
        except OSError as error:
            raise SystemExit(
                f"Port {port} of 127.0.0.1 cannot be had ({error.strerror}). Give the stack another one: "
                "PORT=8081 make serve, or PORT=0 for any that is free."
            ) from None
        yield listener


def run(state: Path, listener: socket.socket, *, watch_stdin: bool) -> None:
    """Bring everything up, then serve until a signal comes, the input closes or a process ends by itself."""
    progress = progress_since(time.monotonic())
    try:
        api = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with layer.built() as built, startup.brought_up(state, built, api, progress) as (described, children):
            asyncio.run(serve(state, listener, described, children, progress, watch_stdin=watch_stdin))
            ignore_signals()
    finally:
        progress("ended")


async def serve(
    state: Path,
    listener: socket.socket,
    described: dict[str, Any],
    children: list[Child],
    progress: Callable[[str], None],
    *,
    watch_stdin: bool,
) -> None:
    """Serve the API, say where it is, and wait."""
    from local.front import Front

    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in SIGNALS:
        loop.add_signal_handler(number, told.set)
    if watch_stdin:
        loop.add_reader(sys.stdin, told.set)
    async with Front(described.pop("upstream")).serving(listener):
        write_privately(state / "stack.json", described)
        progress(f"the API is at {described['api']}")
        explain(state, described["api"], described["control"])
        while not told.is_set() and not any(child.process.poll() is not None for child in children):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), WATCH_SECONDS)
    ended = [child for child in children if child.process.poll() is not None]
    if ended and not told.is_set():
        raise SystemExit(ended[0].obituary())


def write_privately(path: Path, described: dict[str, Any]) -> None:
    """Write stack.json, which holds keys, all at once and for this user alone."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(described, file, indent=2)
        file.write("\n")
    unfinished.rename(path)


def explain(state: Path, api: str, control: str) -> None:
    """Say how to try it."""
    path = state.relative_to(Path.cwd()) if state.is_relative_to(Path.cwd()) else state
    token = f'$(python3 -c \'import json; print(json.load(open("{path}/stack.json"))["accounts"]["demo-twilio"]["bearer_token"])\')'
    print(
        f"""
addresses and keys: {path}/stack.json    function logs: {path}/logs/    Ctrl-C ends it

Start a call at the simulated Twilio, let its flow enter a step, and look at the tape:

  CALL=$(curl -s {control}/calls -d '{{"vendor": "twilio"}}' | python3 -c 'import json, sys; print(json.load(sys.stdin)["call_id"])')
  curl -i {api}/flows/demo-twilio/card-entry/entered -H 'content-type: application/json' \\
    -H "authorization: Bearer {token}" \\
    -d "{{\\"call_id\\": \\"$CALL\\"}}"
  curl -s {control}/calls/$CALL
""",
        flush=True,
    )


def progress_since(started: float) -> Callable[[str], None]:
    """Make what prints a line of progress with its time."""

    def progress(line: str) -> None:
        print(f"[{time.monotonic() - started:5.1f} s] {line}", flush=True)

    return progress


if __name__ == "__main__":
    main()
