"""What Offtape talks about.  Imports nothing but the standard library."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Action(StrEnum):
    """What is asked of a vendor."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


class RecordingStatus(StrEnum):
    """Where a recording is, whatever its vendor calls it."""

    IN_PROGRESS = "in-progress"
    PAUSED = "paused"
    STOPPED = "stopped"  #: ended by request; the media may not be ready yet
    COMPLETED = "completed"  #: the media is ready
    FAILED = "failed"  #: there is no media
    UNKNOWN = "unknown"  #: not known, or a word that this version has no name for


class Proof(StrEnum):
    """How well a status is known."""

    OBSERVED = "observed"  #: the vendor's own answer or a read-back names it
    ACKNOWLEDGED = "acknowledged"  #: the vendor said yes, and offers no read
    NONE = "none"


class Verdict(StrEnum):
    """What a flow branches on."""

    CONFIRMED = "confirmed"
    ACKNOWLEDGED = "acknowledged"
    HELD = "held"
    NOT_RECORDING = "not-recording"
    UNCONFIRMED = "unconfirmed"
    UNKNOWN = "unknown"
    FAILED = "failed"


_AS_ASKED: Mapping[Action, frozenset[RecordingStatus]] = {
    Action.PAUSE: frozenset({RecordingStatus.PAUSED}),
    Action.RESUME: frozenset({RecordingStatus.IN_PROGRESS}),
    Action.STOP: frozenset({RecordingStatus.STOPPED, RecordingStatus.COMPLETED}),
}

#: What a vendor's bare yes makes of a recording.
ACKNOWLEDGED_AS: Mapping[Action, RecordingStatus] = {
    Action.PAUSE: RecordingStatus.PAUSED,
    Action.RESUME: RecordingStatus.IN_PROGRESS,
    Action.STOP: RecordingStatus.STOPPED,
}

_ENDED = frozenset({RecordingStatus.STOPPED, RecordingStatus.COMPLETED, RecordingStatus.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, as its vendor finds it."""

    call_id: str
    channel_id: str | None = None  #: Bird: the channel that the call belongs to
    redirect_url: str | None = None  #: Bandwidth: where the call goes on after its recording was stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class CallState:
    """What the vendor says of a call itself."""

    live: bool
    parent_call_id: str | None = None  #: the leg that recordings of a two-leg call belong to


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One recording, and what is known of it."""

    recording_id: str | None  #: None: the vendor acts on the call and names no recording
    call_id: str  #: the leg that it is addressed on
    status: RecordingStatus = RecordingStatus.UNKNOWN
    vendor_status: str | None = None  #: as the vendor spelt it; None if it named none
    proof: Proof = Proof.NONE

    @property
    def live(self) -> bool:
        """Whether it may still be taping: a status that we cannot read counts as live."""
        return self.status not in _ENDED

    def is_as_asked(self, action: Action) -> bool:
        """Whether it is known to be as *action* would have it."""
        return self.proof is not Proof.NONE and self.status in _AS_ASKED[action]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What a flow, a workflow or a timer asks for."""

    account: str
    action: Action
    step: str
    call: Call
    recording_id: str | None = None  #: the recording that the trigger names, if any
    pause_id: str | None = None
    event_id: str | None = None  #: SHA-256 of the caller's own id, never the id itself
    occurred_at: datetime | None = None
    max_pause_seconds: int | None = None


class Deadline:
    """A point in time by which an answer must be given."""

    def __init__(self, monotonic: Callable[[], float], seconds: float) -> None:
        self._monotonic = monotonic
        self.ends_at = monotonic() + seconds

    def remaining(self) -> float:
        """Seconds that are left; never negative."""
        return max(0.0, self.ends_at - self._monotonic())
