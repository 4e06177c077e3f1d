"""What Twilio and SignalWire's cXML tell of a call and its recordings: the same fields, by the same names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.simulators import laml
from local.simulators.webhooks.base import CALLED, CALLER
from local.simulators.world import Call, Happened, Happening, Recording


def common_fields(call: Call, *, account_sid: str, of_child: str) -> dict[str, Any]:
    """The fields of every request about a call. `of_child`: the direction of a leg that the platform dialled."""
    parent = {} if call.parent is None else {"ParentCallSid": call.parent.call_id}
    return {
        "CallSid": call.call_id,
        "AccountSid": account_sid,
        "From": CALLER,
        "To": CALLED,
        "CallStatus": "completed" if call.over else "in-progress",
        "ApiVersion": laml.API_VERSION,
        "Direction": "inbound" if call.parent is None else of_child,
        **parent,
    }


def recording_status(happening: Happening) -> str | None:
    """What the platform tells of a recording: nothing of a pause, nor of what follows one."""
    match happening.what, happening.recording:
        case Happened.RECORDING_STARTED, Recording():
            return "in-progress"
        case Happened.RECORDING_STOPPED, Recording() as recording:
            # [unverified] A recording is absent if nothing was ever heard on it.
            return "completed" if any(entry.text is not None for entry in recording.tape.entries) else "absent"
    return None


def recording_fields(recording: Recording, status: str, *, account_sid: str, url: str) -> Mapping[str, Any]:
    """The fields that both platforms have of a recording."""
    there = status == "completed"
    return {
        "AccountSid": account_sid,
        "CallSid": recording.call.call_id,
        "RecordingSid": recording.recording_id,
        "RecordingUrl": url if there else None,
        "RecordingStatus": status,
        "RecordingDuration": recording.seconds if there else None,
    }


def seconds(call: Call) -> int:
    """How long a call has lasted."""
    return int(((call.ended_at or call.updated_at) - call.started_at).total_seconds())
