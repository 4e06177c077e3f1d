"""What happened to a call, as others may hear of it: events that a rule of the company's can start something with.

They are read off two versions of a ledger, before and after it was saved, so that none is lost and none is invented.
docs/events.md says when each comes; events/schemas/ has what is in it.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from .ledger import CallLedger
from .ledger_parts import MAX_RECORDINGS, Event
from .model import Action, Proof, RecordingStatus

# Map what a ledger notes: what is announced; what is not here is nobody's business but ours.
_KINDS: Mapping[str, str] = {
    "entered": "Pause Opened",
    "entered again": "Pause Opened",
    "left": "Pause Released",
    "expired": "Pause Expired",
    "stop asked": "Stop Requested",
    "stop of one asked": "Stop Requested",
    "given up": "Call Given Up",
    "call over": "Call Ended",
    "recording-started": "Recording Started",
    "recording-ended": "Recording Ended",
    "recording-failed": "Recording Failed",
}
# Map an action: what is announced if the vendor has done it, with proof; what if not; and the statuses that show it.
_ANSWERS: Mapping[str, tuple[str, str, frozenset[str]]] = {
    Action.PAUSE: ("Recording Paused", "Pause Failed", frozenset({RecordingStatus.PAUSED})),
    Action.RESUME: ("Recording Resumed", "Resume Failed", frozenset({RecordingStatus.IN_PROGRESS})),
    Action.STOP: ("Recording Stopped", "Stop Failed", frozenset({RecordingStatus.STOPPED, RecordingStatus.COMPLETED})),
}
#: The vendor shows the call, and no live recording on it.
NOTHING_RECORDED: Final = "Nothing Recorded"

#: Every kind there is.
KINDS: Final = frozenset(
    {
        *_KINDS.values(),
        NOTHING_RECORDED,
        *(each for done, not_done, _ in _ANSWERS.values() for each in (done, not_done)),
    }
)


class Announcement(NamedTuple):
    """One event."""

    kind: str
    at: str  #: when it was noted, RFC 3339
    detail: Mapping[str, Any]


def announced(before: CallLedger | None, after: CallLedger) -> list[Announcement]:
    """Return what the ledger *after* notes that the one *before* did not; None: there was none."""
    noted = 0 if before is None else before.folded + len(before.events)
    announcements = []
    for number, event in enumerate(after.events, start=after.folded):
        kind = _kind(event)
        if number >= noted and kind is not None:
            announcements.append(Announcement(kind, event.at, _detail(after, number, event)))
    return announcements


def _kind(event: Event) -> str | None:
    if event.what == "answered":
        return _answer(event.details)
    return None if "refused" in event.details else _KINDS.get(event.what)


def _answer(details: Mapping[str, Any]) -> str:
    done, not_done, statuses = _ANSWERS[details["action"]]
    recordings = details["recordings"]
    if not recordings:
        return NOTHING_RECORDED if details.get("error") is None else not_done
    shown = all(status in statuses and proof != Proof.NONE for _, status, _, proof in recordings)
    # a stop that is shown cannot be undone: there is nothing to be in doubt about, unless not all are shown
    stopped = details["action"] == Action.STOP and len(recordings) < MAX_RECORDINGS
    return done if shown and details.get("error") is None and (details["proven"] or stopped) else not_done


def _detail(ledger: CallLedger, number: int, event: Event) -> dict[str, Any]:
    """Return what is told: ids, times and words, as the ledger has them."""
    told = {name: value for name, value in event.details.items() if name != "in_doubt"}
    if event.what == "answered":
        names = ("recording_id", "status", "vendor_status", "proof")
        told["recordings"] = [dict(zip(names, each, strict=True)) for each in event.details["recordings"]]
    return {
        "account": ledger.account,
        "vendor": ledger.vendor,
        "call_id": ledger.call.call_id,
        "sequence": number,
        "at": event.at,
        "open_pauses": len(ledger.pauses),
        **told,
    }
