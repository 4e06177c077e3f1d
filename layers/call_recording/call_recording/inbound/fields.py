"""What callers say: a body or a workflow's input, read into a trigger.

Only the fields named here are ever looked at.  Everything else is dropped before anything can log it, for
some of it can carry card digits: Digits, SpeechResult, digit, tag, cardnumber, ...
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qsl

from ..account import NAME, Account
from ..errors import InvalidTriggerError, UnknownAccountError, UnreadableBodyError, UnsupportedMediaTypeError
from ..model import Action, Call, Trigger
from . import bandwidth, bird, signalwire, twilio

#: No vendor's ids and no sensible URL are longer.
MAX_TEXT_LENGTH: Final = 2048
#: A form with more fields than this is not a callback.
MAX_FORM_FIELDS: Final = 1000

#: Map a vendor's field: ours.
FIELDS: Mapping[str, Mapping[str, str]] = {
    "bandwidth": bandwidth.FIELDS,
    "bird": bird.FIELDS,
    "signalwire": signalwire.FIELDS,
    "twilio": twilio.FIELDS,
}
#: Map a vendor: the field in which its payloads name the account, and the credential that must equal it.
ACCOUNT_FIELDS: Mapping[str, tuple[str, str]] = {
    "bandwidth": bandwidth.ACCOUNT_FIELD,
    "bird": bird.ACCOUNT_FIELD,
    "signalwire": signalwire.ACCOUNT_FIELD,
    "twilio": twilio.ACCOUNT_FIELD,
}

_OUR_FIELDS: Final = frozenset(
    {
        "call_id",
        "recording_id",
        "channel_id",
        "pause_id",
        "event_id",
        "occurred_at",
        "max_pause_seconds",
        "redirect_url",
    }
)

_PRINTABLE = re.compile(r"[!-~]+")
_PAUSE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def parse_body(content_type: str, body: bytes) -> dict[str, Any]:
    """Read a JSON object or a form.  Raises UnsupportedMediaTypeError, UnreadableBodyError, InvalidTriggerError."""
    media_type, _, parameters = content_type.partition(";")
    charset = re.search(r'charset="?([^";\s]+)', parameters, re.IGNORECASE)
    if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaTypeError("content-type", "must have the charset UTF-8")
    match media_type.strip().lower():
        case "application/json":
            return _parse_json(body)
        case "application/x-www-form-urlencoded":
            return _parse_form(body)
    raise UnsupportedMediaTypeError("content-type", "must be application/json or application/x-www-form-urlencoded")


def parse_trigger(given: Mapping[str, Any], *, account: Account, action: Action, step: str) -> Trigger:
    """Read a trigger out of *given*.

    Raises InvalidTriggerError, and UnknownAccountError if the payload is of another account of the vendor.
    """
    _check_account(given, account)
    if not NAME.fullmatch(step):
        raise InvalidTriggerError("step", "must be lower-case letters, digits and hyphens, a letter first, at most 63")
    ours = _our_names(given, account.vendor)
    call_id = _text(ours, "call_id")
    if call_id is None:
        raise InvalidTriggerError("call_id", "is missing")
    event_id = _text(ours, "event_id")
    return Trigger(
        account=account.name,
        action=action,
        step=step,
        call=Call(call_id=call_id, channel_id=_text(ours, "channel_id"), redirect_url=_text(ours, "redirect_url")),
        recording_id=_text(ours, "recording_id"),
        pause_id=_pause_id(ours),
        event_id=None if event_id is None else sha256(event_id.encode()).hexdigest(),
        occurred_at=_instant(ours, "occurred_at"),
        max_pause_seconds=_integer(ours, "max_pause_seconds", 1, account.settings.max_pause_seconds),
    )


def _parse_json(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body.decode(), object_pairs_hook=_collect)
    except (ValueError, RecursionError):
        raise UnreadableBodyError("body", "is not JSON") from None
    if not isinstance(parsed, dict):
        raise UnreadableBodyError("body", "must be a JSON object")
    return parsed


def _parse_form(body: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=bool(body), errors="strict",
            max_num_fields=MAX_FORM_FIELDS,
        )  # fmt: skip
    except ValueError:
        raise UnreadableBodyError("body", "is not a form") from None
    return _collect(pairs)


def _collect(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dictionary of *pairs*; a field that comes twice with different values matters only if it is one of ours."""
    collected: dict[str, Any] = {}
    for name, value in pairs:
        collected[name] = _Twice() if name in collected and collected[name] != value else value
    return collected


class _Twice:
    """Stands for a field that was given twice with different values."""


def _our_names(given: Mapping[str, Any], vendor: str) -> dict[str, Any]:
    """Return the fields that we know, by our names; empty ones count as absent, as vendors send those."""
    ours: dict[str, Any] = {}
    for name, value in given.items():
        known = FIELDS[vendor].get(name, name if name in _OUR_FIELDS else None)
        if known is None or value is None or value == "":
            continue
        if known == "channel_id" and known not in FIELDS[vendor].values():
            continue  # only where calls belong to channels: elsewhere nobody checks what it is
        if isinstance(value, list | dict):
            raise InvalidTriggerError(known, "must be text or a number")
        if isinstance(value, _Twice) or (known in ours and ours[known] != value):
            raise InvalidTriggerError(known, "is given twice, with different values")
        ours[known] = value
    return ours


def _check_account(given: Mapping[str, Any], account: Account) -> None:
    """A payload of another account of the vendor proves that somebody has mixed up keys, or worse."""
    name, credential = ACCOUNT_FIELDS[account.vendor]
    named = given.get(name)
    if named is None or named == "":
        return
    if not isinstance(named, str) or named.lower() != account.credentials.get(credential, "").lower():
        raise UnknownAccountError(f"{name} is not this account's")


def _text(ours: Mapping[str, Any], name: str) -> str | None:
    value = ours.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > MAX_TEXT_LENGTH or not _PRINTABLE.fullmatch(value):
        raise InvalidTriggerError(name, f"must be printable ASCII text without blanks, at most {MAX_TEXT_LENGTH} long")
    return value


def _pause_id(ours: Mapping[str, Any]) -> str | None:
    value = _text(ours, "pause_id")
    if value is not None and not _PAUSE_ID.fullmatch(value):
        raise InvalidTriggerError("pause_id", "is not the id of a pause")
    return value


def _integer(ours: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    value = ours.get(name)
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        value = int(value)  # a form has only text
    # bool is an int in Python, and NaN, which Python reads in JSON, is a float
    if value is not None and not (type(value) is int and low <= value <= high):
        raise InvalidTriggerError(name, f"must be an integer from {low} to {high}")
    return value


def _instant(ours: Mapping[str, Any], name: str) -> datetime | None:
    value = _text(ours, name)
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value.upper())  # RFC 3339 allows t and z
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None or not 2000 <= instant.year <= 2100:
        raise InvalidTriggerError(name, "must be a time with its zone as in RFC 3339, 2026-01-31T12:00:00Z say")
    return instant.astimezone(UTC)
