"""Reminders as text: the body of a message that we send to ourselves.

It holds ids and times only.  What comes back is checked like anything that comes from outside: whoever may write into
the queue must not be able to make us act on what is no account, call or step.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

from .account import NAME
from .model import Call, Happening, Reminder

#: Ids of the greatest length, every character of them escaped, still fit.
MAX_BODY_LENGTH: Final = 16_384
#: No vendor's ids are longer (inbound/fields.py has the same bound).
MAX_ID_LENGTH: Final = 2048
#: The year 2100 in seconds since the epoch: no reminder is wanted later.
LATEST: Final = 4_102_444_800.0

_PRINTABLE = re.compile(r"[!-~]+")
_PAUSE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HASH = re.compile(r"[0-9a-f]{64}")
_Value = TypeVar("_Value")


def dump_reminder(reminder: Reminder, *, at: float) -> str:
    """Return *reminder*, wanted at *at* (seconds since the epoch), as JSON; what it does not have is left out."""
    fields = {
        "account": reminder.account,
        "call_id": reminder.call.call_id,
        "channel_id": reminder.call.channel_id,
        "step": reminder.step,
        "pause_id": reminder.pause_id,
        "deadline": reminder.deadline,
        "happening": reminder.happening,
        "recording_id": reminder.recording_id,
        "event_id": reminder.event_id,
        "at": at,
    }
    return json.dumps({name: value for name, value in fields.items() if value is not None})


def parse_reminder(body: str) -> tuple[Reminder, float]:
    """Read what dump_reminder() wrote: the reminder, and when it is wanted, in seconds since the epoch.

    Fields that are not known are ignored.  Raises ValueError, which names the field and never its value.
    """
    if len(body) > MAX_BODY_LENGTH:
        raise ValueError("the reminder is too long")
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the reminder is not JSON") from None
    if not isinstance(fields, dict):
        raise ValueError("the reminder is not a JSON object")  # noqa: TRY004 -- one error for all that does not fit
    call = Call(call_id=_needed(fields, "call_id", _id), channel_id=_optional(fields, "channel_id", _id))
    reminder = Reminder(
        account=_needed(fields, "account", _name),
        call=call,
        step=_optional(fields, "step", _name),
        pause_id=_optional(fields, "pause_id", _pause_id),
        deadline=_optional(fields, "deadline", _instant),
        happening=_optional(fields, "happening", _happening),
        recording_id=_optional(fields, "recording_id", _id),
        event_id=_optional(fields, "event_id", _hash),
    )
    return reminder, _needed(fields, "at", _instant)


def _needed(fields: dict[str, Any], name: str, read: Callable[[Any], _Value | None]) -> _Value:
    value = _optional(fields, name, read)
    if value is None:
        raise ValueError(f"the reminder has no {name}")
    return value


def _optional(fields: dict[str, Any], name: str, read: Callable[[Any], _Value | None]) -> _Value | None:
    if fields.get(name) is None:
        return None
    value = read(fields[name])
    if value is None:
        raise ValueError(f"the reminder's {name} does not fit")
    return value


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and NAME.fullmatch(value) else None


def _id(value: Any) -> str | None:
    if not isinstance(value, str) or len(value) > MAX_ID_LENGTH or value in {".", ".."}:
        return None
    return value if _PRINTABLE.fullmatch(value) else None


def _pause_id(value: Any) -> str | None:
    return value if isinstance(value, str) and _PAUSE_ID.fullmatch(value) else None


def _happening(value: Any) -> Happening | None:
    return Happening(value) if value in tuple(Happening) else None


def _hash(value: Any) -> str | None:
    return value if isinstance(value, str) and _HASH.fullmatch(value) else None


def _instant(value: Any) -> float | None:
    # bool is an int in Python, and NaN and Infinity, which Python reads in JSON, are floats
    return float(value) if type(value) in {int, float} and 0 <= value <= LATEST else None
