"""Short words for what happens to a ledger, for the tests of the ledger itself."""

from itertools import count
from typing import Any

from call_recording.ledger import CallLedger
from call_recording.ledger_parts import Timing
from call_recording.model import Action, Call, Proof, Recording, RecordingStatus, Report

NOW = 1_790_000_000.0
TIMING = Timing(in_flight=15.0, read_lag=0.0)
LAGGING = Timing(in_flight=15.0, read_lag=3.0)
PAUSED, RUNNING, STOPPED = RecordingStatus.PAUSED, RecordingStatus.IN_PROGRESS, RecordingStatus.STOPPED

_ids = count(1)


def new() -> CallLedger:
    """The ledger of a call that nobody has heard of."""
    return CallLedger(account="acme", call=Call(call_id="CA"))


def enter(ledger: CallLedger, now: float = NOW, *, step: str = "card-entry", **given: Any) -> CallLedger:
    """Enter a step; the event and the pause have new ids unless some are given."""
    fresh = next(_ids)
    fields: dict[str, Any] = {
        "pause_id": f"pause-{fresh}",
        "event_id": f"event-{fresh}",
        "seconds": 300.0,
        "occurred_at": None,
        "by": "flow",
    }
    return ledger.entered(step=step, now=now, **fields | given)


def leave(ledger: CallLedger, now: float = NOW, *, step: str = "card-entry", **given: Any) -> CallLedger:
    """Leave a step."""
    fields: dict[str, Any] = {
        "pause_id": None,
        "event_id": f"event-{next(_ids)}",
        "occurred_at": None,
        "by": "flow",
        "timing": TIMING,
    }
    return ledger.left(step=step, now=now, **fields | given)


def stop(ledger: CallLedger, now: float = NOW, **given: Any) -> CallLedger:
    """Ask for a stop for good."""
    fields: dict[str, Any] = {"step": "card-entry", "event_id": f"event-{next(_ids)}", "by": "flow"}
    return ledger.stop_asked(now=now, **fields | given)


def over(ledger: CallLedger, now: float = NOW) -> CallLedger:
    """Let the call be over, as its vendor has shown."""
    return ledger._over(now, "vendor")


def take(ledger: CallLedger, now: float = NOW, **given: Any) -> CallLedger:
    """Take the lease."""
    fields: dict[str, Any] = {
        "holder": "me",
        "action": ledger.desired or Action.PAUSE,
        "ends_at": now + 10.0,
        "by": "flow",
        "timing": TIMING,
    }
    return ledger.taken(now=now, **fields | given)


def record(ledger: CallLedger, report: Report, now: float = NOW, **given: Any) -> CallLedger:
    """Record what came of a command."""
    fields: dict[str, Any] = {
        "action": ledger.desired or Action.PAUSE,
        "changes": ledger.changes,
        "timing": TIMING,
        "may_go_on": True,
    }
    return ledger.recorded(report, now=now, **fields | given)


def shown(status: RecordingStatus, recording_id: str | None = "RE1", proof: Proof = Proof.OBSERVED) -> Recording:
    """A recording as the vendor shows it."""
    return Recording(recording_id=recording_id, call_id="CA", status=status, vendor_status=str(status), proof=proof)


def report(*recordings: RecordingStatus | Recording, asked_at: float = NOW, **given: Any) -> Report:
    """What came of a command: recordings, or what they are."""
    listed = [
        each if isinstance(each, Recording) else shown(each, f"RE{number}")
        for number, each in enumerate(recordings, start=1)
    ]
    return Report(recordings=tuple(listed), asked_at=asked_at, **given)


def settle(ledger: CallLedger, status: RecordingStatus, now: float = NOW) -> CallLedger:
    """Ask the vendor for what is desired, and have it proven at once, with the recording as *status*."""
    return record(take(ledger, now), report(status, asked_at=now), now)


def paused(now: float = NOW, **given: Any) -> CallLedger:
    """The ledger of a call whose one pause is proven."""
    return settle(enter(new(), now, **given), PAUSED, now)
