"""Pins every environment and the layer (`make lock`): from each .in file a .txt with all that is needed, and its hashes.

The result is good for every Python from 3.11 and every platform, and names no package index.
"""

import os
import subprocess
from typing import Final

from local.environments import ROOT, python

#: A certificate store of the machine's own, as pip uses it.
CERTIFICATES: Final = {"UV_SYSTEM_CERTS": "1"}
OPTIONS: Final = (
    "--quiet",
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-strip-extras",  # pip wants the extras pinned as they are asked for.
    "--no-emit-index-url",
    "--no-annotate",
    "--upgrade",
    "--custom-compile-command=make lock",
)


def main() -> None:
    """Pin the layer first: the development environment is pinned with it."""
    layer = ROOT / "layers" / "call_recording" / "requirements.in"
    for source in [layer, *sorted((ROOT / "requirements").glob("*.in"))]:
        name = source.relative_to(ROOT)
        print(name, flush=True)
        command = [str(python("lock").with_name("uv")), "pip", "compile", *OPTIONS, str(name)]
        command += ["--output-file", str(name.with_suffix(".txt"))]
        subprocess.run(command, cwd=ROOT, env=os.environ | CERTIFICATES, check=True)


if __name__ == "__main__":
    main()
