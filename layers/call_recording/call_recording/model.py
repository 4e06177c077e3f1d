"""What Offtape talks about.  Imports nothing but the standard library."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from .errors import VendorError


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
    by: str = "flow"  #: who asks: flow or workflow


class Happening(StrEnum):
    """What a vendor, or a third party, tells of a call by itself."""

    CALL_OVER = "call-over"
    RECORDING_STARTED = "recording-started"
    RECORDING_ENDED = "recording-ended"
    RECORDING_FAILED = "recording-failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingEvent:
    """Something that has happened to a call or to one of its recordings."""

    account: str
    happening: Happening
    call: Call
    recording_id: str | None = None
    event_id: str | None = None  #: SHA-256 of what makes two deliveries the same event; None if nothing does


class Report(NamedTuple):
    """What came of one command at the vendor: every live recording of the call, and what stood in the way."""

    recordings: tuple[Recording, ...] = ()
    error: VendorError | None = None
    asked_at: float = 0.0  #: when the command began, seconds since the epoch: nothing that it shows is older
    in_doubt: bool = False  #: whether the vendor may act later on something that it was asked
    own_work: bool = False  #: what was in doubt was seen to be done: the opposite before, as asked after, sent once
    found: tuple[Recording, ...] | None = None  #: the live recordings as they were before anything was sent, if read
    parent: str | None = None  #: the leg that this one was made from, if this one has no live recording: look there too


class Reminder(NamedTuple):
    """A message to ourselves: look at this call again, or write down what has happened to it."""

    account: str
    call: Call
    step: str | None = None  #: of the pause that it is about, if it is about one
    pause_id: str | None = None
    deadline: float | None = None  #: of that pause, seconds since the epoch
    happening: Happening | None = None  #: what the ledger could not be told
    recording_id: str | None = None  #: of which that was told
    event_id: str | None = None


class Notice(StrEnum):
    """What operators are told beside the outcomes: each is a metric, worth an alarm or a look."""

    LEDGER_UNAVAILABLE = "ledger-unavailable"  #: a trigger met no ledger: a pause was sent all the same, a resume not
    TIMER_UNAVAILABLE = "timer-unavailable"  #: a reminder could not be sent; the sweep stands in
    PAUSE_EXPIRED = "pause-expired"  #: nobody left the step in time
    PAUSE_KEPT = "pause-kept"  #: the same, and the account wants the tape to stay paused
    FOUND_RUNNING = "found-running"  #: a tape that we had paused was running: somebody else resumed it
    NOT_LOOKED_AT = "not-looked-at"  #: the sweep could not look at a call that is due: it stays so
    GIVEN_UP = "given-up"  #: four hours of failures: somebody has to look at this call
    STOPPED_BY_DOCUMENT = (
        "stopped-by-document"  #: the vendor stops as it follows our document: that it did is shown nowhere
    )
    PROOF_REFUSED = "proof-refused"  #: somebody came to an account with a key or signature that does not hold
    CARD_DATA_REFUSED = "card-data-refused"  #: a payment connector was pointed at Offtape
    ACCOUNT_GONE = "account-gone"  #: a call of an account that is no more, or whose secret does not fit


class Deadline:
    """A point in time by which an answer must be given."""

    def __init__(self, monotonic: Callable[[], float], seconds: float) -> None:
        self._monotonic = monotonic
        self.ends_at = monotonic() + seconds

    def remaining(self) -> float:
        """Seconds that are left; never negative."""
        return max(0.0, self.ends_at - self._monotonic())
