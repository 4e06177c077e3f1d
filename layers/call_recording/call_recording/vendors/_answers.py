"""What all vendors' answers have in common: JSON objects, HTTP statuses, Retry-After."""

import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from .. import errors

Json = dict[str, Any]

#: What reading an answer of another shape than documented runs into.
UNREADABLE: Final = (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError)

_ERRORS_BY_HTTP_STATUS: Mapping[int, type[errors.VendorResponseError]] = {
    401: errors.AuthenticationError,
    403: errors.AuthenticationError,
    404: errors.RecordingNotFoundError,
    409: errors.ConflictError,
    429: errors.RateLimitedError,
}


def json_object(body: bytes) -> Json:
    """Read a JSON object in UTF-8 (RFC 8259).  Raises one of `UNREADABLE`."""
    parsed = json.loads(body.decode(), object_pairs_hook=_unambiguous)
    if not isinstance(parsed, dict):
        raise TypeError("the answer is not a JSON object")
    return parsed


def _unambiguous(pairs: list[tuple[str, Any]]) -> Json:
    """Make an object of *pairs*.  A name that comes twice says two things, and so proves neither."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name comes twice")
    return members


def rows(body: Json, name: str) -> list[Json]:
    """Return the list that *body* has under *name*.  Raises one of `UNREADABLE`: nothing is no empty list."""
    listed = body[name]
    if not isinstance(listed, list):
        raise TypeError(f"{name} is not a list")
    return listed


def error_for(response: httpx.Response) -> type[errors.VendorError]:
    """Return the error that the HTTP status of *response*, not a 2xx, stands for.

    Only a 4xx is a definite no.  A 5xx, a 408 and a redirect, which nobody follows, tell nothing of what was done.
    """
    status = response.status_code
    if not response.is_client_error or status == httpx.codes.REQUEST_TIMEOUT:
        return errors.OutcomeUnknownError
    return _ERRORS_BY_HTTP_STATUS.get(status, errors.VendorResponseError)


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds of a Retry-After header, be it seconds or a date (RFC 9110 section 10.2.3)."""
    value = response.headers.get("retry-after", "")
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def require_same(one: object, other: str) -> None:
    """Raise one of `UNREADABLE` unless both are the same id: an answer about something else is no answer."""
    if not isinstance(one, str) or not same_id(one, other):
        raise ValueError("the answer is about something else")


def same_id(one: str | None, other: str | None) -> bool:
    """Whether two ids are the same: vendors accept them in either case."""
    return (one or "").lower() == (other or "").lower()
