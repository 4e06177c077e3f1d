"""The command line: reads the event and the secret, and prints what is wrong."""

import argparse
import json
import re
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn, TextIO

from . import diagnosis

VERIFIED, REFUSED, UNUSABLE = 0, 1, 2

# The parameter's own pattern, in template.yaml.
_PUBLIC_URL = re.compile(r"https://[^\s,/?#]+(/[^\s,?#]*[^\s,/?#])?|http://(localhost|127\.[0-9.]+)(:[0-9]+)?")
_HALF_A_CHARACTER = re.compile(r"[\ud800-\udfff]")
_FAR_AWAY: Final = 253402300800


class UnusableError(Exception):
    """What was given cannot be worked with.  The message says what to do, and quotes nothing of it."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Refuse without quoting: what does not fit may be a key."""
        del message
        raise UnusableError("The arguments do not fit. --help shows them; a key is never one of them.")


def main(arguments: Sequence[str], *, stdin: TextIO | None = None, stdout: TextIO | None = None) -> int:
    """Print whether the request verifies and if not, why."""
    stdin, stdout = stdin or sys.stdin, stdout or sys.stdout
    try:
        options = _parser().parse_args(arguments)
        public_urls = _public_urls(options.public_urls)
        event = _event(_json(options.event, "The event", stdin=None))
        document = _json(options.secret, "The secret", stdin=stdin)
    except UnusableError as problem:
        stdout.write(f"{problem}\n")
        return UNUSABLE
    now, as_of, notes = _time(event, real_clock=options.now)
    found = diagnosis.diagnose(event, document, public_urls=public_urls, now=now, real_clock=options.now)
    if found.admitted_by is not None and (misfit := diagnosis.misfit(document)):
        notes.append(f"The secret does not fit, so that even who has proven itself is answered with 500: {misfit}.")
    stdout.write(diagnosis.report(found, event, document, as_of=as_of, notes=notes))
    return REFUSED if found.admitted_by is None else VERIFIED


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m developer_tools.signature_doctor",
        description="Says whether a stored request verifies, and if not, why. No key, header, query or body is printed.",
        epilog="Exit code: 0 it verifies, 1 it does not, 2 the input cannot be used. See docs/signature-doctor.md.",
        allow_abbrev=False,
    )
    parser.add_argument("event", help="a file with API Gateway's event (payload format 2.0)")
    parser.add_argument(
        "--secret", required=True, metavar="FILE", help="the account's secret (JSON); - reads it from stdin"
    )
    parser.add_argument(
        "--public-urls",
        action="append",
        default=[],
        metavar="URLS",
        help="the deployed parameter PublicUrls, or what you think of putting there; comma-separated",
    )
    parser.add_argument(
        "--now", action="store_true", help="hold times against the clock, not against the event's own time"
    )
    return parser


def _public_urls(given: Sequence[str]) -> list[str]:
    urls = [url for each in given for url in each.split(",") if url]
    if not all(map(_PUBLIC_URL.fullmatch, urls)):
        raise UnusableError("--public-urls takes https URLs, separated by commas, without a slash at the end.")
    return urls


def _json(name: str, what: str, stdin: TextIO | None) -> dict[str, Any]:
    try:
        text = stdin.read() if name == "-" and stdin is not None else Path(name).read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        raise UnusableError(f"{what} cannot be read: give the name of a file with JSON in UTF-8.") from None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise UnusableError(
            f"{what} is not JSON: store it as it is, without what a log or a shell puts around it."
        ) from None
    if _HALF_A_CHARACTER.search(json.dumps(document, ensure_ascii=False)):
        raise UnusableError(f"{what} has halves of characters, which were never sent: get it anew.")
    if not isinstance(document, dict):
        raise UnusableError(f"{what} must be a JSON object: docs/signature-doctor.md has one to begin with.")
    return document


def _event(event: dict[str, Any]) -> dict[str, Any]:
    """Return *event* if it can be worked with."""
    if "httpMethod" in event or event.get("version") == "1.0":
        raise UnusableError(
            "The event has payload format 1.0 (a REST API's): Offtape's API is an HTTP API, with format 2.0."
        )
    if not str(event.get("rawPath")).startswith("/"):
        raise UnusableError("The event has no rawPath: put the URL's path there, from its first slash on.")
    if not _is_texts(event.get("headers")):
        raise UnusableError("The event has no headers: put those of the request there, each a name and a text.")
    for name, kinds in (("requestContext", dict), ("queryStringParameters", dict), ("pathParameters", dict)):
        if not isinstance(event.get(name) or {}, kinds):
            raise UnusableError(f"The event's {name} must be an object, as API Gateway makes it.")
    for name in ("body", "rawQueryString"):
        if not isinstance(event.get(name) or "", str):
            raise UnusableError(f"The event's {name} must be a text, exactly as it was sent (a body may be in base64).")
    return {**event, "requestContext": event.get("requestContext") or {}}


def _is_texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def _time(event: Mapping[str, Any], *, real_clock: bool) -> tuple[float, str, list[str]]:
    """Return as of when the event is verified, in words too, and what is to be said of that."""
    epoch = event["requestContext"].get("timeEpoch")
    notes: list[str] = []
    if real_clock:
        return (now := time.time()), f"now, {_written(now)}", notes
    if type(epoch) in (int, float) and 0 <= epoch / 1000 < _FAR_AWAY:
        return epoch / 1000, f"the event's own time, {_written(epoch / 1000)}", notes
    notes.append("The event has no requestContext.timeEpoch (milliseconds), so the clock was used.")
    return (now := time.time()), f"now, {_written(now)}", notes


def _written(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"
