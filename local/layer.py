"""The layer for the local stack: built once for equal sources, shared by all stacks of this checkout."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from local.environments import ROOT, python

SOURCE: Final = ROOT / "layers" / "call_recording"
BUILDS: Final = ROOT / ".local" / "build"


def fingerprint() -> str:
    """Name a build by what it is made from: first the dependencies and how they are built, then the package."""
    build = [python("runtime").parent.parent / "fingerprint", SOURCE / "requirements.txt", *SOURCE.glob("*.py")]
    package = [path for path in (SOURCE / "call_recording").rglob("*") if path.suffix != ".pyc" and path.is_file()]
    return f"{digest(build)}-{digest(package)}"


def digest(paths: list[Path]) -> str:
    """Digest files' names and contents."""
    digested = hashlib.sha256()
    for path in sorted(paths):
        content = path.read_bytes()
        digested.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode() + content)
    return digested.hexdigest()[:12]


@contextlib.contextmanager
def built() -> Iterator[Path]:
    """Give the folder of an up-to-date layer, which stays as long as it is in use."""
    BUILDS.mkdir(parents=True, exist_ok=True)
    with (BUILDS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = BUILDS / f"layer-{fingerprint()}"
        if not folder.exists():
            build(folder)
        in_use = os.open(folder, os.O_RDONLY)
        fcntl.flock(in_use, fcntl.LOCK_SH)
        remove_others(folder)
    try:
        yield folder
    finally:
        os.close(in_use)


def build(folder: Path) -> None:
    """Run build_layer.py as `sam build` does, by the Python of the local functions; none or all of it appears.

    Where only the package has changed, the dependencies are taken from the layer before.
    """
    unfinished = BUILDS / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [str(python("runtime")), str(SOURCE / "build_layer.py"), str(unfinished)]
    dependencies = folder.name.rpartition("-")[0]
    for before in BUILDS.glob(f"{dependencies}-*"):
        shutil.copytree(before, unfinished)
        command.append("--package-only")
        break
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode:
        raise SystemExit(f"{result.stdout}\nThe layer could not be built: {' '.join(command)}")
    unfinished.rename(folder)


def remove_others(kept: Path) -> None:
    """Remove the layers of other sources, unless a stack runs on them."""
    for folder in BUILDS.glob("layer-*"):
        if folder != kept:
            descriptor = os.open(folder, os.O_RDONLY)
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            os.close(descriptor)
