"""The functions' deployment packages: their code, and a bootstrap that runs it as Lambda does.

The emulator's own Python worker reports every exception as `Runtime.HandlerError` and waits 50 ms per call. So a function
is given the runtime `provided.al2023`, whose bootstrap starts AWS's own Runtime Interface Client, awslambdaric.
"""

import dataclasses
import io
import shlex
import zipfile
from pathlib import Path
from typing import Any, Final

#: Zip files know no earlier time; a fixed one makes equal packages equal files.
OLDEST_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)
EXECUTABLE: Final = 0o100755 << 16


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What stands in for Lambda's managed Python runtime."""

    #: An interpreter that has awslambdaric and nothing else.
    python: Path
    #: The unpacked layer.
    layer: Path
    #: Where each function's log file goes.
    logs: Path
    #: Variables of the emulator that a function must not see.
    hidden: tuple[str, ...]

    def bootstrap(self, name: str, properties: dict[str, Any]) -> str:
        """Write the script that the emulator starts for each environment of a function."""
        logging = properties.get("LoggingConfig", {})
        variables = {
            # /var/task comes before /opt/python, as in Lambda: -m puts the working directory first.
            "PYTHONPATH": str(self.layer / "python"),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's file system is read-only: a layer without bytecode stays without.
            "TZ": ":UTC",
            "LANG": "en_US.UTF-8",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{properties['Runtime']}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_FORMAT": logging.get("LogFormat", "Text"),
            "AWS_LAMBDA_LOG_LEVEL": logging.get("ApplicationLogLevel", "INFO"),
        }
        exports = " ".join(f"{key}={shlex.quote(value)}" for key, value in variables.items())
        log, python = shlex.quote(str(self.logs / f"{name}.log")), shlex.quote(str(self.python))
        unset = " ".join(self.hidden)
        return f'#!/bin/sh\nunset {unset}\nexport {exports}\nexec {python} -m awslambdaric "$_HANDLER" >>{log} 2>&1\n'


def package(folder: Path, bootstrap: str) -> bytes:
    """Zip a function's folder and its bootstrap."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo("bootstrap", OLDEST_ZIP_TIME)
        entry.external_attr = EXECUTABLE
        archive.writestr(entry, bootstrap)
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.writestr(zipfile.ZipInfo(str(path.relative_to(folder)), OLDEST_ZIP_TIME), path.read_bytes())
    return content.getvalue()
