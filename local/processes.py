"""Child processes that end when the stack ends, whatever happens to it."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Final

#: How long a child may take to end before it is killed.
GRACE_SECONDS: Final = 5.0


class Child:
    """A process with a group of its own that ends when its standard input is closed.

    The pipe is the leash: should this process be killed, the pipe closes by itself. The group keeps Ctrl-C in a terminal
    from reaching the child before its turn, and takes the child's own children along in the end.
    """

    def __init__(
        self, name: str, command: list[str], *, env: dict[str, str], cwd: Path, log: Path, speaks: bool = False
    ) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if speaks else output,
                stderr=output,
                text=True,
                start_new_session=True,
            )

    def tell(self, line: str) -> None:
        """Write a line to the child's standard input, which stays open."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # It has ended: hear() says so, and why.
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def hear(self) -> str:
        """Wait for a line on the standard output of a child that speaks."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(GRACE_SECONDS)
            raise SystemExit(self.obituary())
        return line

    def obituary(self) -> str:
        """Say that the child has ended, and what it said last."""
        last_words = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
        return f"{last_words}\n{self.name} ended with status {self.process.returncode}; its log is {self.log}"

    def stop(self) -> None:
        """End the child and its children, and wait for them."""
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        self._signal(signal.SIGTERM)
        try:
            self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self.process.wait()
        self._signal(signal.SIGKILL)  # Its children, if one of them does not listen.
        if self.process.stdout is not None:
            self.process.stdout.close()

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal to the child's process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
