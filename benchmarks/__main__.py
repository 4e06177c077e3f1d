"""Measures the cold start, the warm path and the layer's size against the project's budgets."""

import argparse
import asyncio
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks import packages, surroundings, tls
from benchmarks.measure import Bench
from benchmarks.report import Report
from benchmarks.runtime_api import FunctionFailedError
from local.environments import ROOT

ROUNDS: Final = 15
INVOCATIONS: Final = 300
#: Enough to see that everything runs, too few for figures.
QUICK: Final = (3, 50)
#: With fewer, minimum and maximum say little.
FEWEST_ROUNDS: Final = 9


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"cold starts of each arrangement ({ROUNDS})")
    parser.add_argument(
        "--invocations", type=int, default=INVOCATIONS, help=f"warm, of each arrangement ({INVOCATIONS})"
    )
    parser.add_argument("--quick", action="store_true", help="a look whether it runs; not for figures")
    parser.add_argument("--python", help="measure on this interpreter instead of the checkout's own")
    parser.add_argument("--plain", action="store_true", help="speak plain HTTP to both, which nothing does in AWS")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single time to FILE as well")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.invocations = QUICK
    if min(options.rounds, options.invocations) < 2:
        parser.error("two rounds and two invocations at the least")
    if options.python:
        if not (found := shutil.which(options.python)):
            parser.error(f"there is no {options.python}")
        options.python = Path(found)
    if not (options.plain or shutil.which("openssl")):
        parser.error("TLS needs openssl on PATH; without it, measure with --plain")
    return options


async def measure(options: argparse.Namespace, folder: Path, progress: Callable[[str], None]) -> Report:
    """Build, start, measure."""
    progress("building the layer three times, and the peer")
    built = packages.build(folder, options.python)
    authority = None
    if not options.plain:
        authority = tls.Authority.made_in(folder)
        authority.be_trusted_by(built)
    async with surroundings.running(folder, authority) as around:
        progress(f"running: {surroundings.DESCRIPTION}")
        bench = Bench(built, around, logs=folder / "logs", progress=progress)
        cold = await bench.cold(options.rounds)
        warm = await bench.warm(options.invocations)
    return Report(python=version_of(built.python), tls=not options.plain, sizes=built.sizes, cold=cold, warm=warm)


def version_of(python: Path) -> str:
    """Ask an interpreter for its version."""
    command = [str(python), "-c", "import platform; print(platform.python_version())"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def progress_since(started: float) -> Callable[[str], None]:
    """Make what writes a line of progress with its time, beside the table and not into it."""

    def progress(line: str) -> None:
        print(f"[{time.monotonic() - started:5.1f} s] {line}", file=sys.stderr, flush=True)

    return progress


def main() -> None:
    """Print the table."""
    options = arguments()
    # What ends on Ctrl-C, and cleans up, does so when it is told to end as well.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    state = ROOT / ".local"
    state.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=state) as folder:
        try:
            report = asyncio.run(measure(options, Path(folder), progress_since(time.monotonic())))
        except FunctionFailedError as failure:
            raise SystemExit(f"A function did not do its work: {failure}") from None
        except KeyboardInterrupt:
            raise SystemExit("interrupted") from None
    print(report.text())
    if options.rounds < FEWEST_ROUNDS:
        print(f"\nFewer than {FEWEST_ROUNDS} rounds: not for figures.")
    if options.json:
        options.json.write_text(json.dumps(report.document(), indent=2) + "\n")


if __name__ == "__main__":
    main()
