"""Builds the layer: `python build_layer.py OUTPUT [--platform manylinux2014_aarch64]`, into OUTPUT/python.

Standard library only. The Makefile beside this file calls it for `sam build`, the local stack calls it for itself. What it
adds to `pip install --target`: bytecode, botocore cut to what is used, and the CA certificates in a hashed folder.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import cut_botocore

HERE: Final = Path(__file__).resolve().parent
PACKAGE: Final = "call_recording"
#: The Python of the functions (template.yaml). Bytecode of another minor version is ignored there without a word.
RUNTIME: Final = (3, 13)
#: The project's promise; AWS's own limit for a function with its layers is 250 MB.
MOST_BYTES: Final = 20 * 1024 * 1024
#: Where Lambda mounts a layer: what is written into the bytecode, so that it is the same wherever it is built.
MOUNT: Final = "/opt/python"
#: pip's notes about one installation. The rest of *.dist-info stays: Amazon Inspector finds packages by it.
PIP_NOTES: Final = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
#: Parts of packages that nothing here reads: scripts, boto3's resources, a second copy of certifi's bundle, web pages.
UNUSED: Final = (
    "bin",
    "boto3/data",
    "boto3/examples",
    "botocore/cacert.pem",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/swagger-ui-bundle.min.js",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/swagger-ui.min.css",
)
#: Zip files know no earlier time; one fixed time makes equal layers equal files.
OLDEST_ZIP_TIME: Final = 315532800
CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----\n.*?\n-----END CERTIFICATE-----\n", re.DOTALL)


def install_dependencies(target: Path, platform: str | None) -> None:
    """Install the locked requirements; for another platform, if one is named."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--target", str(target), "--require-hashes", "--requirement", str(HERE / "requirements.txt")]
    command += ["--only-binary=:all:"]
    if platform:
        version = ".".join(map(str, RUNTIME))
        command += ["--platform", platform, "--implementation", "cp", "--python-version", version]
    subprocess.run(command, check=True)
    for notes in target.glob("*.dist-info"):
        for name in PIP_NOTES:
            (notes / name).unlink(missing_ok=True)


def copy_package(target: Path) -> None:
    """Put this project's package beside its dependencies."""
    shutil.rmtree(target / PACKAGE, ignore_errors=True)
    shutil.copytree(HERE / PACKAGE, target / PACKAGE, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))


def cut_dependencies(target: Path) -> None:
    """Remove what no function reads."""
    for name in UNUSED:
        path = target / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    cut_botocore.cut(target / "botocore" / "data")


def hash_certificates(target: Path) -> None:
    """Write certifi's roots as <subject hash>.<n>: OpenSSL then reads the one that it needs instead of all of them."""
    openssl = shutil.which("openssl")
    if openssl is None:
        print("warning: no openssl on PATH, so the layer has no hashed CA folder: cold starts are slower", flush=True)
        return
    folder = target / PACKAGE / "ca"
    folder.mkdir(parents=True, exist_ok=True)
    for certificate in CERTIFICATE.findall((target / "certifi" / "cacert.pem").read_text()):
        command = [openssl, "x509", "-hash", "-noout"]
        subject = subprocess.run(command, input=certificate, capture_output=True, text=True, check=True).stdout.strip()
        number = len(list(folder.glob(f"{subject}.*")))
        (folder / f"{subject}.{number}").write_text(certificate)


def compile_modules(target: Path, folder: Path) -> None:
    """Write bytecode that is valid whatever happens to the files' times (zipping and mounting change them)."""
    command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(target), "-p", MOUNT, str(folder)]
    # The order of a set's items is part of the bytecode, and depends on the seed.
    subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": "0"})


def fix_times(target: Path) -> None:
    """Give every file the same time, so that the same input gives the same layer."""
    for path in [target, *target.rglob("*")]:
        os.utime(path, (OLDEST_ZIP_TIME, OLDEST_ZIP_TIME))


def size(target: Path) -> int:
    """Count the bytes of the unpacked layer."""
    return sum(path.stat().st_size for path in target.rglob("*") if path.is_file())


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, help="the folder that becomes /opt in Lambda")
    parser.add_argument("--platform", help="pip's name of another machine's platform, manylinux2014_aarch64 say")
    parser.add_argument("--deploy", action="store_true", help="refuse a Python that is not the functions' own")
    parser.add_argument("--package-only", action="store_true", help="renew this project's package in a built layer")
    parser.add_argument("--no-bytecode", action="store_true", help="as a plain `sam build` does it, to measure")
    parser.add_argument("--no-cuts", action="store_true", help="whole dependencies, to measure")
    return parser.parse_args()


def main() -> None:
    """Build the layer, into a folder that is empty or absent unless only the package is renewed."""
    options = arguments()
    if options.deploy and sys.version_info[:2] != RUNTIME:
        raise SystemExit(f"The layer's bytecode needs CPython {RUNTIME[0]}.{RUNTIME[1]}, the functions' runtime.")
    target = options.output / "python"
    target.mkdir(parents=True, exist_ok=True)
    if not options.package_only:
        install_dependencies(target, options.platform)
        if not options.no_cuts:
            cut_dependencies(target)
    copy_package(target)
    if not options.no_cuts:
        hash_certificates(target)
    if not options.no_bytecode:
        compile_modules(target, target / PACKAGE if options.package_only else target)
    fix_times(target)
    print(f"layer: {size(target) / 1024 / 1024:.1f} MB unpacked", flush=True)
    if not options.no_cuts and size(target) > MOST_BYTES:
        raise SystemExit(f"The layer is larger than {MOST_BYTES} bytes: see what was added with `du -a {target}`.")


if __name__ == "__main__":
    main()
