"""What callers say: a body or a workflow's input, read into a trigger or into events.

Only the fields named here are ever looked at.  Everything else is dropped before anything can log it, for
some of it can carry card digits: Digits, SpeechResult, digit, tag, cardnumber, ...
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from ..account import NAME, Account
from ..errors import InvalidTriggerError, UnknownAccountError
from ..model import Action, Call, Trigger
from . import bandwidth, bird, signalwire, twilio
from .body import Twice
from .names import OUR_FIELDS

#: No vendor's ids and no sensible URL are longer.
MAX_TEXT_LENGTH: Final = 2048

#: Map a vendor's field: ours.
FIELDS: Mapping[str, Mapping[str, str]] = {
    "bandwidth": bandwidth.FIELDS,
    "bird": bird.FIELDS,
    "signalwire": signalwire.FIELDS,
    "twilio": twilio.FIELDS,
}
#: Map a vendor: the fields in which its payloads name the account, and the credential that must equal them.
ACCOUNT_FIELDS: Mapping[str, tuple[Sequence[str], str]] = {
    "bandwidth": bandwidth.ACCOUNT_FIELDS,
    "bird": bird.ACCOUNT_FIELDS,
    "signalwire": signalwire.ACCOUNT_FIELDS,
    "twilio": twilio.ACCOUNT_FIELDS,
}

_PRINTABLE = re.compile(r"[!-~]+")
_MANY_DIGITS = re.compile(r"([0-9]-*){12}")
_PAUSE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def parse_trigger(
    given: Mapping[str, Any], *, account: Account, action: Action, step: str, message_id: str | None = None
) -> Trigger:
    """Read a trigger out of *given*; *message_id* stands for the event's id where it names none.

    Raises InvalidTriggerError, and UnknownAccountError if the payload is of another account of the vendor.
    """
    check_account(given, account)
    if not NAME.fullmatch(step):
        raise InvalidTriggerError("step", "must be lower-case letters, digits and hyphens, a letter first, at most 63")
    if _MANY_DIGITS.search(step):  # it stands in logs and results
        raise InvalidTriggerError(
            "step", "must not have twelve digits in a row: name the step, not what was keyed in it"
        )
    ours = our_names(given, account.vendor)
    call = call_of(ours)
    parent = text(ours, "parent_call_id")
    return Trigger(
        account=account.name,
        action=action,
        step=step,
        # the leg that has the recordings
        call=call if parent is None else replace(call, call_id=parent),
        recording_id=text(ours, "recording_id"),
        pause_id=_pause_id(ours),
        event_id=hashed(text(ours, "event_id") or message_id),
        occurred_at=_instant(ours, "occurred_at"),
        max_pause_seconds=_integer(ours, "max_pause_seconds", 1, account.settings.max_pause_seconds),
    )


def call_of(ours: Mapping[str, Any]) -> Call:
    """Return the call that is named.  Raises InvalidTriggerError if none is."""
    call_id = text(ours, "call_id")
    if call_id is None:
        raise InvalidTriggerError("call_id", "is missing")
    return Call(call_id=call_id, channel_id=text(ours, "channel_id"), redirect_url=text(ours, "redirect_url"))


def hashed(event_id: str | None) -> str | None:
    """Return what is kept of an event's id: nobody knows what the sender has put into it."""
    return None if event_id is None else sha256(event_id.encode()).hexdigest()


def our_names(given: Mapping[str, Any], vendor: str) -> dict[str, Any]:
    """Return the fields that we know, by our names; empty ones count as absent, as vendors send those."""
    ours: dict[str, Any] = {}
    for name, value in given.items():
        known = FIELDS[vendor].get(name, name if name in OUR_FIELDS else None)
        if known is None or value is None or value == "":
            continue
        if known == "channel_id" and known not in FIELDS[vendor].values():
            continue  # only where calls belong to channels: elsewhere nobody checks what it is
        if isinstance(value, list | dict):
            raise InvalidTriggerError(known, "must be text or a number")
        if isinstance(value, Twice) or (known in ours and ours[known] != value):
            raise InvalidTriggerError(known, "is given twice, with different values")
        ours[known] = value
    return ours


def check_account(given: Mapping[str, Any], account: Account) -> None:
    """Raise UnknownAccountError if *given* is of another account of the vendor: somebody has mixed up keys, or worse."""
    names, credential = ACCOUNT_FIELDS[account.vendor]
    for name in names:
        named = given.get(name)
        if named is None or named == "":
            continue
        if not isinstance(named, str) or named.lower() != account.credentials.get(credential, "").lower():
            raise UnknownAccountError(f"{name} is not this account's")


def text(ours: Mapping[str, Any], name: str) -> str | None:
    """Return a field that is text.  Raises InvalidTriggerError if it is something else."""
    value = ours.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > MAX_TEXT_LENGTH or not _PRINTABLE.fullmatch(value):
        raise InvalidTriggerError(name, f"must be printable ASCII text without blanks, at most {MAX_TEXT_LENGTH} long")
    return value


def _pause_id(ours: Mapping[str, Any]) -> str | None:
    value = text(ours, "pause_id")
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
    value = text(ours, name)
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value.upper())  # RFC 3339 allows t and z
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None or not 2000 <= instant.year <= 2100:
        raise InvalidTriggerError(name, "must be a time with its zone as in RFC 3339, 2026-01-31T12:00:00Z say")
    return instant.astimezone(UTC)
