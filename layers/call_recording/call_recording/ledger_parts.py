"""What the ledger of a call is made of."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from .model import Action, Recording, Report

#: The largest difference between two of our clocks, seconds.
SKEW: Final = 1.0
#: The longest life of an invocation that may send a pause without the ledger, seconds: the functions' Timeout in template.yaml.
INVOCATION: Final = 10.0
#: A time that a flow gives is not believed if it is further ahead than this, seconds.
AHEAD: Final = 60.0
#: How often we look whether a recording has started during a pause that found none, seconds.
POLL: Final = 60.0
#: How often we look whether the call of a kept pause is over, seconds.
KEPT_POLL: Final = 3600.0
#: What there was no time for is looked at after this, seconds.
AT_ONCE: Final = 1.0
#: The longest wait between two tries, seconds.
LONGEST_BACKOFF: Final = 60.0
#: A vendor that asks us to wait longer is asked again all the same, seconds.
LONGEST_RETRY_AFTER: Final = 300.0
#: After so long without success a call is given up, seconds.
GIVE_UP: Final = 4 * 3600.0
#: A call that the vendor does not know for so long counts as over, seconds.
GONE: Final = 600.0

#: What a ledger keeps at most.  Beyond it a pause is refused (that flow is told not to go on), recordings are not
#: proven, and of the rest the oldest is folded away.
MAX_PAUSES: Final = 16
MAX_RECORDINGS: Final = 32
MAX_EVENTS: Final = 100
MAX_SEEN: Final = 100
#: Of the ids that senders give to events, as they are kept (SHA-256); those of our own making are shorter.
EVENT_ID_LENGTH: Final = 64
MAX_STEPS: Final = 64


class Timing(NamedTuple):
    """What an account assumes of its vendor, seconds."""

    in_flight: float  #: how long after we sent a command the vendor may still act on it
    read_lag: float  #: how old its reads may be

    @property
    def settles(self) -> float:
        """How long after we sent a command a read may still show what was before it: one that acts late shows later yet."""
        return self.in_flight + self.read_lag


class Pause(NamedTuple):
    """One step's claim that the call's recordings stay paused."""

    pause_id: str
    opened_at: float
    deadline: float
    occurred_at: float | None = None  #: when the flow says that it entered the step
    entries: int = 1  #: how often it was entered
    kept: bool = False  #: past its deadline, and kept by the account's wish
    token: str | None = None  #: of the workflow that waits for its end: a secret, which goes with the pause

    def is_later(self, pause_id: str | None, occurred_at: float | None) -> bool:
        """Whether it is of a later visit than the one that a `left` which says this is about."""
        if pause_id is not None:
            return pause_id != self.pause_id
        return occurred_at is not None and self.occurred_at is not None and occurred_at < self.occurred_at


class Lease(NamedTuple):
    """The right to command the vendor."""

    holder: str  #: a nonce of one attempt of one invocation
    ends_at: float  #: when that invocation is dead for certain
    until: float  #: when nothing that it sent can act any more


class Known(NamedTuple):
    """What is known of the call's recordings."""

    recordings: tuple[Recording, ...] = ()
    complete: bool = False  #: whether these are all the live ones, each as said
    proven: bool = False  #: whether no command of ours can change or have changed it since

    def shows(self, action: Action) -> bool:
        """Whether it shows every live recording as *action* would have it, proven or not; one at least."""
        return self.complete and bool(self.recordings) and all(each.is_as_asked(action) for each in self.recordings)

    @property
    def shows_none_live(self) -> bool:
        """Whether it shows that nothing is being recorded."""
        return self.complete and not any(each.live for each in self.recordings)


NOTHING: Final = Known()


class Event(NamedTuple):
    """Something that happened."""

    at: str  #: RFC 3339, UTC, by the clock of whoever wrote it down
    what: str
    details: Mapping[str, Any]


def believed(occurred_at: float | None, now: float) -> float | None:
    """A time that a flow gives; one that is far ahead counts as now."""
    return now if occurred_at is not None and occurred_at > now + AHEAD else occurred_at


def remembered(seen: Sequence[str], ids: Sequence[str]) -> tuple[str, ...]:
    """*seen* and *ids*, as far as a ledger remembers them.

    Ids of our own making go first: whoever repeats requests that have none must not wash out those of others.
    """
    kept = [*seen, *ids]
    while len(kept) > MAX_SEEN:
        kept.remove(next((each for each in kept if len(each) != EVENT_ID_LENGTH), kept[0]))
    return tuple(kept)


def as_text(instant: float) -> str:
    """An instant as people read it."""
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def as_details(report: Report, action: Action, known: Known) -> dict[str, Any]:
    """What the vendor said, as an event keeps it."""
    error = report.error
    return {
        "action": str(action),
        "recordings": [
            [each.recording_id, str(each.status), each.vendor_status, str(each.proof)] for each in known.recordings
        ],
        "proven": known.proven,
        "in_doubt": report.in_doubt or None,
        "error": type(error).__name__ if error else None,
        "http_status": error.http_status if error else None,
        "vendor_code": error.vendor_code if error else None,
    }
