"""The local stack, for tests and for the demo: start one, read where everything is, end it.

Standard library only, and nothing of the stack itself: it runs as a process of its own, in its own environment.

    with stack.running(state=tmp_path) as local:
        requests.post(local["api"] + "/flows/demo-twilio/card-entry/entered", ...)

What differs from AWS is listed in docs/local-stack.md.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from local.environments import ROOT, python

#: A first start builds the layer, which asks the package index.
START_SECONDS: Final = 120.0
#: Every process of the stack has ended before this.
STOP_SECONDS: Final = 20.0


class StackError(Exception):
    """The local stack did not start, or ended by itself; the message has its last words."""


def default_state() -> Path:
    """The folder of the stack that `make serve` starts: OFFTAPE_LOCAL, or .local."""
    return ROOT / os.environ.get("OFFTAPE_LOCAL", ".local")


def read(state: Path | None = None) -> dict[str, Any]:
    """Read the stack.json of a running stack."""
    path = (state or default_state()) / "stack.json"
    try:
        described = json.loads(path.read_text())
    except FileNotFoundError:
        raise StackError(f"no stack runs: there is no {path}. Start one with `make serve`.") from None
    assert isinstance(described, dict)
    return described


@contextlib.contextmanager
def running(
    *,
    state: Path,
    port: int = 0,
    secret_ttl: int | None = None,
    env: Mapping[str, str] | None = None,
    show_progress: bool = False,
) -> Iterator[dict[str, Any]]:
    """Run a stack, and give the content of its stack.json. It ends with the block, and with this process.

    The environments `emulator` and `runtime` must be there: `python -m local.environments emulator runtime`.
    """
    process = start(state=state, port=port, secret_ttl=secret_ttl, env=env, show_progress=show_progress)
    try:
        wait_until_ready(process, state)
        yield read(state)
    finally:
        stop(process)


def start(
    *,
    state: Path,
    port: int = 0,
    secret_ttl: int | None = None,
    env: Mapping[str, str] | None = None,
    show_progress: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a stack without waiting for it."""
    state.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **(env or {}), "PORT": str(port), "OFFTAPE_LOCAL": str(state.resolve())}
    if secret_ttl is not None:
        environment["SECRET_TTL_SECONDS"] = str(secret_ttl)
    with (state / "serve.log").open("wb") as log:
        return subprocess.Popen(
            [str(python("emulator")), "-m", "local.serve", "--until-stdin-closes"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=None if show_progress else log,
            stderr=None if show_progress else log,
        )


def wait_until_ready(process: subprocess.Popen[bytes], state: Path) -> None:
    """Wait for stack.json, which is written last."""
    deadline = time.monotonic() + START_SECONDS
    while not is_ready(process, state):
        if process.poll() is not None or time.monotonic() > deadline:
            said = (state / "serve.log").read_text(errors="replace")
            raise StackError(f"the local stack did not start; it said:\n{said}")
        time.sleep(0.02)


def is_ready(process: subprocess.Popen[bytes], state: Path) -> bool:
    """Whether there is a stack.json, and it is that of the given process."""
    lock = state / "lock"
    return lock.exists() and lock.read_text() == str(process.pid) and (state / "stack.json").exists()


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a stack and wait until every process of it is gone."""
    assert process.stdin is not None
    process.send_signal(signal.SIGTERM)
    process.wait(STOP_SECONDS)
    process.stdin.close()
