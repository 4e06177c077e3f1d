"""Makes the virtual environments that the Makefile's targets need: `python -m local.environments dev emulator ...`.

Standard library only: it runs before there is anything else. An environment is made again when its pins or the
interpreter changed, and only then.
"""

import argparse
import concurrent.futures
import contextlib
import fcntl
import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
#: Shared by all stacks that run from this checkout.
ENVIRONMENTS: Final = ROOT / ".venvs"
#: Compiled as they are installed. The other environments' modules are compiled as they are imported, as most never are;
#: the local functions may not write bytecode, as Lambda's may not.
COMPILED: Final = ("runtime",)
#: The oldest Python that the functions, the layer and the tools run on.
OLDEST_PYTHON: Final = (3, 11)


def python(name: str) -> Path:
    """The interpreter of an environment, whether it is made yet or not."""
    return ENVIRONMENTS / name / "bin" / "python"


def pins(name: str) -> Path:
    """The locked requirements of an environment."""
    return ROOT / "requirements" / f"{name}.txt"


def fingerprint(requirements: Path) -> str:
    """What an environment depends on: its pins and the interpreter that it is made with."""
    interpreter = f"{sys.version}\n{sys.base_prefix}\n"
    return hashlib.sha256(interpreter.encode() + requirements.read_bytes()).hexdigest()


def is_current(name: str) -> bool:
    """Whether the environment stands as its pins want it."""
    stamp = ENVIRONMENTS / name / "fingerprint"
    return python(name).exists() and stamp.exists() and stamp.read_text() == fingerprint(pins(name))


def make(name: str) -> None:
    """Make one environment from its pins."""
    started = time.monotonic()
    folder = ENVIRONMENTS / name
    shutil.rmtree(folder, ignore_errors=True)
    run([sys.executable, "-m", "venv", str(folder)])
    pip = [str(python(name)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if name not in COMPILED:
        pip.append("--no-compile")
    # The pins name all that is needed, with its hashes: pip has nothing left to decide.
    run([*pip, "--no-deps", "--require-hashes", "--requirement", str(pins(name))])
    (folder / "fingerprint").write_text(fingerprint(pins(name)))
    print(f"environment {name} is ready after {time.monotonic() - started:.0f} s", flush=True)


def run(command: list[str]) -> None:
    """Run a command; what it printed is shown only if it failed."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode:
        raise SystemExit(f"{result.stdout}\nThis failed: {' '.join(command)}")


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """Let one make at a time work on the environments, however many run."""
    ENVIRONMENTS.mkdir(exist_ok=True)
    with (ENVIRONMENTS / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Make those of the named environments that are not current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", metavar="environment")
    names = parser.parse_args().names
    if sys.version_info < OLDEST_PYTHON:
        raise SystemExit(f"{sys.executable} is too old: install Python 3.11 or newer, then `make PYTHON=python3.13`.")
    with locked():
        missing = [name for name in names if not is_current(name)]
        if missing:
            print(f"making environments from the package index: {', '.join(missing)}", flush=True)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(make, missing))


if __name__ == "__main__":
    main()
