"""Builds what is measured: the layer in its variants, the peer's packages, and the functions' folders."""

import concurrent.futures
import io
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.environments import ROOT, pins, python
from local.layer import SOURCE as LAYER

HANDLERS: Final = Path(__file__).parent / "handlers"
#: The variants of the layer, and the switches of build_layer.py that make them.
LAYERS: Final[Mapping[str, tuple[str, ...]]] = {
    "deployed": (),
    "no-bytecode": ("--no-bytecode",),
    "no-cuts": ("--no-cuts",),
}
#: Of the peer's packages, those that Lambda's own runtime brings. The rest is deployed with the function.
IN_THE_RUNTIME: Final = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a layer is, in bytes."""

    unpacked: int
    zipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """Where everything is."""

    python: Path
    layers: Mapping[str, Path]
    sizes: Mapping[str, Size]
    #: The official SDK and what it needs, compiled and not, and the runtime's boto3, which is compiled.
    peer: Path
    peer_no_bytecode: Path
    runtime: Path
    #: The functions' folders, each a /var/task.
    tasks: Path


def build(folder: Path, interpreter: Path | None) -> Built:
    """Build everything into an empty folder, by the local functions' Python or by another one."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        chosen = make_environment(folder / "runtime", interpreter) if interpreter else python("runtime")
        layers = {name: folder / "layers" / name for name in LAYERS}
        waiting = [pool.submit(build_layer, chosen, layers[name], switches) for name, switches in LAYERS.items()]
        waiting.append(pool.submit(build_peer, chosen, folder / "peer"))
        for each in waiting:
            each.result()
    copy_functions(folder / "tasks")
    return Built(
        python=chosen,
        layers={name: layer / "python" for name, layer in layers.items()},
        sizes={name: size(layer) for name, layer in layers.items()},
        peer=folder / "peer" / "compiled",
        peer_no_bytecode=folder / "peer" / "no-bytecode",
        runtime=folder / "peer" / "runtime",
        tasks=folder / "tasks",
    )


def make_environment(folder: Path, interpreter: Path) -> Path:
    """Make the managed runtime's stand-in for an interpreter that the checkout's environments are not made with."""
    run([str(interpreter), "-m", "venv", str(folder)])
    chosen = folder / "bin" / "python"
    install(chosen, "--requirement", str(pins("runtime")))
    return chosen


def build_layer(chosen: Path, folder: Path, switches: tuple[str, ...]) -> None:
    """Build one variant of the layer."""
    run([str(chosen), str(LAYER / "build_layer.py"), str(folder), *switches])


def build_peer(chosen: Path, folder: Path) -> None:
    """Install the peer's packages, and compile them as the layer is compiled."""
    bare, compiled, runtime = folder / "no-bytecode", folder / "compiled", folder / "runtime"
    install(chosen, "--no-compile", "--target", str(bare), "--requirement", str(pins("bench")))
    runtime.mkdir()
    for name in IN_THE_RUNTIME:
        shutil.move(bare / name, runtime)
    shutil.copytree(bare, compiled)
    for each in (compiled, runtime):
        run([str(chosen), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(each)])


def install(chosen: Path, *arguments: str) -> None:
    """Run pip."""
    pip = [str(chosen), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--no-deps", "--require-hashes", *arguments])


def copy_functions(tasks: Path) -> None:
    """Copy the functions as `sam build` does: without bytecode, which for files this small does not count."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "functions" / "flow_callback", tasks / "flow_callback", ignore=ignored)
    shutil.copytree(HANDLERS, tasks / "others", ignore=ignored)
    for wrapper in HANDLERS.glob("*.py"):
        shutil.copy(wrapper, tasks / "flow_callback")


def size(layer: Path) -> Size:
    """Measure a layer, unpacked and as it is uploaded."""
    content = io.BytesIO()
    files = [path for path in sorted(layer.rglob("*")) if path.is_file()]
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(layer))
    return Size(unpacked=sum(path.stat().st_size for path in files), zipped=len(content.getvalue()))


def run(command: list[str]) -> None:
    """Run a command; what it printed is shown only if it failed."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode:
        raise SystemExit(f"{result.stdout}\nThis failed: {' '.join(command)}")
