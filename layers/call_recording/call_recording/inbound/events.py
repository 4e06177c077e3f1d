"""What vendors push by themselves, and third parties tell: payloads read into events of a call.

A payload that tells nothing that matters here makes no event: it is acknowledged and forgotten.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..account import Account
from ..model import Happening, RecordingEvent
from . import bandwidth, bird, signalwire, twilio
from .fields import call_of, check_account, hashed, our_names, text

#: Map a vendor: what its payloads tell; the function that it is given reads a field that is a word.
HAPPENINGS: Mapping[str, Callable[[Callable[[str], str]], list[Happening]]] = {
    "bandwidth": bandwidth.happenings,
    "bird": bird.happenings,
    "signalwire": signalwire.happenings,
    "twilio": twilio.happenings,
}
# Map a vendor whose fields do not all lie open: how to find them.
_UNWRAPPED: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
    "bird": bird.unwrapped,
    "signalwire": signalwire.unwrapped,
}

#: Map the `type` of a third party's message: what happened.  Its `data` has the fields of a flow's body.
#: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#payload-structure
TYPES: Mapping[str, Happening] = {
    "call.ended": Happening.CALL_OVER,
    "recording.started": Happening.RECORDING_STARTED,
    "recording.ended": Happening.RECORDING_ENDED,
    "recording.failed": Happening.RECORDING_FAILED,
}

_FIELDS: Final = frozenset({"call_id", "recording_id", "channel_id", "event_id"})


def parse_events(given: Mapping[str, Any], *, account: Account, message_id: str | None) -> list[RecordingEvent]:
    """Read events out of *given*, the payload of a webhook whose message has *message_id*, if a signature covers one.

    Raises InvalidTriggerError, and UnknownAccountError if the payload is of another account of the vendor.
    """
    check_account(given, account)
    happenings, inner = _read(given, account.vendor)
    check_account(inner, account)
    if not happenings:
        return []
    ours = {name: value for name, value in our_names(inner, account.vendor).items() if name in _FIELDS}
    if "call_id" not in ours and inner is not given.get("data"):
        return []  # a conference's, say
    call, recording_id = call_of(ours), text(ours, "recording_id")
    told_id = text(ours, "event_id") or message_id
    return [
        RecordingEvent(
            account=account.name,
            happening=happening,
            call=call,
            recording_id=recording_id,
            event_id=hashed(_id_of(happening, recording_id, told_id, index)),
        )
        for index, happening in enumerate(happenings)
    ]


def _read(given: Mapping[str, Any], vendor: str) -> tuple[list[Happening], Mapping[str, Any]]:
    """Return what *given* tells, and where its fields are."""
    data = given.get("data")
    if (kind := _word(given, "type")) in TYPES and isinstance(data, dict):
        return [TYPES[kind]], data
    inner = _UNWRAPPED[vendor](given) if vendor in _UNWRAPPED else given
    return HAPPENINGS[vendor](lambda name: _word(inner, name)), inner


def _word(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    return value if isinstance(value, str) else ""


def _id_of(happening: Happening, recording_id: str | None, told_id: str | None, index: int) -> str | None:
    """Return what two deliveries of the same event have in common, on one call."""
    if told_id is not None:
        return told_id if index == 0 else f"{told_id} {index}"  # the first: what a flow's request would have been told
    if recording_id is not None and happening is not Happening.CALL_OVER:
        return f"{happening} {recording_id}"  # each happens once
    return None
