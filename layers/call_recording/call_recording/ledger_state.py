"""What the ledger of a call is at one moment: its fields, and what follows from them.  ledger.py has what may happen to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .doubts import NO_DOUBTS, Doubts
from .ledger_parts import NOTHING, SKEW, Event, Known, Lease, Pause
from .model import Action, Call


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerState:
    """One call, as it stands.  All instants are seconds since the epoch, UTC."""

    account: str
    call: Call
    version: int = 0  #: 0: never saved
    vendor: str = ""  #: whose call it is
    pauses: Mapping[str, Pause] = field(default_factory=dict)  #: the open ones, by step
    stopped: bool = False  #: a stop for good was asked for
    by_document: bool = False  #: and the vendor carries it out itself, as it follows a document of ours
    over: bool = False  #: the call has ended
    presumed: bool = False  #: so it seems: its vendor has not known it for long.  Whoever tells of it again reopens it
    parent: str | None = None  #: the leg that this one was made from, where that one's recordings count too
    known: Known = NOTHING
    changes: int = 0  #: how often we were told of something that makes void what was known
    lease: Lease | None = None
    doubts: Doubts = NO_DOUBTS
    left_at: Mapping[str, float] = field(default_factory=dict)  #: when flows say that they last left a step
    seen: tuple[str, ...] = ()  #: ids of events and pauses that have had their effect
    failures: int = 0  #: tries in a row that did not make the vendor match
    failing_since: float | None = None
    missing_since: float | None = None  #: since when the vendor says that it does not know the call
    given_up: bool = False
    look_at: float = 0.0  #: when to look at the vendor again, if anything is left to look after
    events: tuple[Event, ...] = ()
    folded: int = 0  #: how many older events are no longer kept

    @property
    def desired(self) -> Action | None:
        """What the vendor is to be asked for; None if nothing any more."""
        if self.over or self.by_document:
            return None
        if self.stopped:
            return Action.STOP
        return Action.PAUSE if self.pauses else Action.RESUME

    @property
    def matches(self) -> bool:
        """Whether the vendor is known to be as desired, with proof."""
        action = self.desired
        if action is None:
            return True
        if self.known.shows_none_live:  # a pause in doubt may yet find a recording that has started since
            return self.known.proven or action is not Action.RESUME
        return self.known.proven and self.known.shows(action)

    @property
    def noted(self) -> int:
        """How many events it has noted, also those that are no longer kept."""
        return self.folded + len(self.events)

    def answered_since(self, noted: int) -> bool:
        """Whether the vendor was heard since so many events were *noted*."""
        return any(event.what == "answered" for event in self.events[max(0, noted - self.folded) :])

    def leased(self, now: float) -> bool:
        """Whether somebody may be commanding the vendor: no verdict is given meanwhile."""
        return self.lease is not None and now <= self.lease.until

    def doubtful(self, now: float) -> bool:
        """Whether there is nothing to send: the vendor shows what is desired, and only time can prove it."""
        return self.doubt is not None and now <= self.doubt

    @property
    def doubt(self) -> float | None:
        """Until when the proof of what the vendor shows has to wait; None if that is not what is missing."""
        action = self.desired
        if action is None or self.known.proven or self.matches:
            return None
        return self.doubts.about(action) if self.known.shows(action) or self.known.shows_none_live else None

    @property
    def looks_again_at(self) -> float | None:
        """When the vendor has to be looked at again, deadlines and leases aside; None if that is not needed."""
        if self.lease is not None or self.given_up:
            return None
        if not self.matches:
            return self.look_at if self.doubt is None else max(self.doubt, self.look_at)
        return self.look_at if self.polls else None

    @property
    def polls(self) -> bool:
        """Whether open pauses have to be looked after, though all is as desired."""
        return bool(self.pauses) and (self.known.shows_none_live or all(each.kept for each in self.pauses.values()))

    @property
    def due_at(self) -> float | None:
        """The key of the sweep's index: None only when the call is settled, or given up."""
        times = [pause.deadline + SKEW for pause in self.pauses.values() if not pause.kept]
        if self.lease is not None:
            times.append(self.lease.until)
        if (look := self.looks_again_at) is not None:
            times.append(look)
        return min(times, default=None)
