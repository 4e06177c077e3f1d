"""The ledger of one call: which pauses are open, what is known of its recordings, what happened, and when.

Pure: every method returns the ledger as it is afterwards, the same object if nothing changed, and nothing here asks
anybody anything.  All instants are seconds since the epoch, UTC.  The rules are those of docs/reliability.md, which
says what each is for; a test takes each of them out, and the simulation finds what then goes wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import errors
from .ledger_parts import (
    AT_ONCE,
    GIVE_UP,
    GONE,
    KEPT_POLL,
    LONGEST_BACKOFF,
    LONGEST_RETRY_AFTER,
    MAX_EVENTS,
    MAX_PAUSES,
    MAX_STEPS,
    NOTHING,
    POLL,
    SKEW,
    Event,
    Known,
    Lease,
    Pause,
    Timing,
    as_details,
    as_text,
    believed,
    remembered,
)
from .ledger_state import LedgerState
from .model import Action, Happening, Report


class LedgerConflictError(Exception):
    """Somebody else has written the ledger meanwhile, or nobody knows whether what we wrote is there."""

    def __init__(self, current: "CallLedger | None" = None) -> None:
        super().__init__("the ledger has changed")
        self.current = current  #: as it is now, where the store says so


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLedger(LedgerState):
    """One call.  The store saves it as a whole if nobody else has since it was loaded."""

    # What may happen to a call.

    def of(self, vendor: str, channel_id: str | None) -> "CallLedger":
        """Whose call it is, and by which channel of that vendor, as far as whoever tells us of it says so."""
        channel_id = channel_id or self.call.channel_id
        if (vendor, channel_id) == (self.vendor, self.call.channel_id):
            return self
        return replace(self, vendor=vendor, call=replace(self.call, channel_id=channel_id))

    def entered(
        self,
        *,
        step: str,
        pause_id: str,
        event_id: str,
        seconds: float,
        occurred_at: float | None,
        now: float,
        by: str,
    ) -> "CallLedger":
        """A flow has entered *step*: its pause is open for *seconds*, and longer only if it was.

        An event that was seen before, an older visit that was left already, a call that is over or stopped open nothing.
        """
        if event_id in self.seen:
            return self
        ledger = self._heard_of(event_id, pause_id)
        occurred_at = believed(occurred_at, now)
        if refusal := ledger._refusal(step, occurred_at):
            return ledger._noted(now, "entered", by=by, step=step, refused=refusal)
        before = self.pauses.get(step)
        # told twice, or late: the visit that is known already
        late = before and occurred_at and before.occurred_at and occurred_at <= before.occurred_at
        pause = Pause(
            pause_id=before.pause_id if before and late else pause_id,
            opened_at=before.opened_at if before else now,
            deadline=max(now + seconds, before.deadline if before else 0.0),
            occurred_at=max(filter(None, (occurred_at, before and before.occurred_at)), default=None),
            entries=before.entries + 1 if before else 1,
        )  # and no token: whoever waits for its end is told of the new deadline, or of whoever has entered now
        opened = replace(ledger, pauses={**self.pauses, step: pause})._anew(self)
        what = "entered again" if before else "entered"
        return opened._noted(now, what, by=by, step=step, pause_id=pause.pause_id, deadline=as_text(pause.deadline))

    def left(
        self,
        *,
        step: str,
        pause_id: str | None,
        event_id: str,
        occurred_at: float | None,
        now: float,
        by: str,
        timing: Timing,
    ) -> "CallLedger":
        """A flow has left *step*: its pause is released, unless this tells of an earlier visit."""
        if event_id in self.seen:
            return self
        occurred_at = believed(occurred_at, now)
        ledger = self._heard_of(event_id)
        if occurred_at is not None:
            latest = max(occurred_at, self.left_at.get(step, 0.0))
            others = {name: at for name, at in self.left_at.items() if name != step}
            ledger = replace(ledger, left_at=dict([*others.items(), (step, latest)][-MAX_STEPS:]))
        pause = self.pauses.get(step)
        told_again = pause_id is None and occurred_at is not None and occurred_at == self.left_at.get(step)
        of_earlier = pause_id in self.seen if pause is None else pause.is_later(pause_id, occurred_at)
        if told_again or of_earlier:
            return ledger._noted(now, "left", by=by, step=step, refused="an earlier visit")
        if pause is None:
            ledger = ledger if ledger.over or ledger.stopped else ledger._unheard(now, timing)
            return ledger._noted(now, "left", by=by, step=step, refused="no pause is open")
        ledger = replace(ledger, pauses=_without(self.pauses, step))._anew(self)
        return ledger._noted(now, "left", by=by, step=step, pause_id=pause.pause_id)

    def unheard(self, *, step: str | None, pause_id: str, now: float, timing: Timing) -> "CallLedger":
        """A reminder came of a pause that is not on record: it was sent while there was no ledger."""
        if pause_id in self.seen:
            return self
        ledger = self._heard_of(pause_id)._unheard(now, timing)
        return ledger._noted(now, "found without record", step=step, pause_id=pause_id)

    def stop_asked(self, *, step: str, event_id: str, now: float, by: str) -> "CallLedger":
        """The recording is to be stopped for good; all pauses close."""
        if event_id in self.seen:
            return self
        ledger = replace(self._heard_of(event_id), stopped=True, by_document=False, pauses={}, known=NOTHING)._anew(
            self
        )
        return ledger._noted(now, "stop asked", by=by, step=step)

    def stopped_by_document(self, *, step: str, event_id: str, now: float, by: str) -> "CallLedger":
        """The same, but the vendor carries the stop out itself, as it follows our document: there is nothing to send."""
        asked = self.stop_asked(step=step, event_id=event_id, now=now, by=by)
        return self if asked is self else replace(asked, by_document=True)._noted(now, "left to a document", step=step)

    def errand_asked(
        self, *, step: str, recording_id: str, event_id: str, errand: str, now: float, by: str
    ) -> "CallLedger":
        """One recording is to be stopped; what the call's others are to be stays as it is.

        *errand* stands for this stop: an event that was seen as something else is none.
        """
        if event_id in self.seen:
            return self
        return self._see(event_id, errand)._noted(now, "stop of one asked", by=by, step=step, recording_id=recording_id)

    def expired(self, *, now: float, on_deadline: str) -> "CallLedger":
        """Time has passed: pauses that nobody left by their deadline end as the account wants it."""
        late = {step: p for step, p in self.pauses.items() if now > p.deadline + SKEW and not p.kept}
        ledger = self
        for step, pause in late.items():
            if on_deadline == "keep":
                ledger = replace(ledger, pauses={**ledger.pauses, step: pause._replace(kept=True, token=None)})
            else:
                ledger = replace(ledger, pauses=_without(ledger.pauses, step))
            ledger = ledger._noted(now, "expired", step=step, pause_id=pause.pause_id, on_deadline=on_deadline)
        if late and on_deadline == "stop":
            ledger = replace(ledger, stopped=True, pauses={}, known=NOTHING)
        return ledger._anew(self) if late else self

    def awaited(self, *, step: str, pause_id: str | None, token: str, now: float, by: str) -> "CallLedger":
        """A workflow waits for the end of *step*, if its pause (*pause_id*) is open: whatever closes it tells the *token*."""
        pause = self.pauses.get(step)
        if pause is None or pause.kept or pause.token == token or pause_id not in (None, pause.pause_id):
            return self
        ledger = replace(self, pauses={**self.pauses, step: pause._replace(token=token)})
        return ledger._noted(now, "awaited", by=by, step=step, pause_id=pause.pause_id)

    def not_awaited(self, *, step: str, now: float) -> "CallLedger":
        """The workflow that waited for the end of *step* had gone, or its time was over: nobody was told."""
        return self._noted(now, "nobody waited", step=step)

    def call_ended(self, *, event_id: str, now: float, by: str) -> "CallLedger":
        """Somebody says that the call is over: where anything is open that is for its vendor to show, else it is presumed."""
        if event_id in self.seen or self.over:
            return self
        told = self._see(event_id)
        if self.pauses or not self.matches:
            return replace(told, known=NOTHING, changes=self.changes + 1)._anew(self)._noted(now, "told over", by=by)
        return replace(told, over=True, presumed=True)._noted(now, "call over", by=by)

    def recording_changed(
        self, *, event_id: str, now: float, by: str, what: str, recording_id: str | None = None
    ) -> "CallLedger":
        """A recording of the call has started, ended or failed: what was known of it is known no longer."""
        if event_id in self.seen:
            return self
        started = what == Happening.RECORDING_STARTED
        ledger = self._heard_of(event_id) if started else self._see(event_id)  # of a call that is over, others come too
        ledger = ledger._noted(now, what, by=by, recording_id=recording_id)
        if ledger.matches and ledger.desired is Action.RESUME:
            return ledger  # a tape runs by itself, and one that somebody else has paused is not ours to resume
        return replace(ledger, known=NOTHING, changes=self.changes + 1)._anew(self)

    # The lease, and what comes of it.

    def relieved(self, now: float) -> "CallLedger":
        """A holder whose lease has lapsed is dead, and what it sent has acted or never will."""
        if self.lease is None or self.leased(now):
            return self
        return replace(self, lease=None, known=NOTHING, look_at=0.0)._noted(
            now, "holder lost", holder=self.lease.holder
        )

    def taken(
        self, *, holder: str, action: Action, ends_at: float, now: float, by: str, timing: Timing
    ) -> "CallLedger":
        """*holder* takes the lease to ask for *action*: until it says what came of it, nothing is known."""
        lease = Lease(holder=holder, ends_at=ends_at, until=ends_at + timing.settles + SKEW)
        return replace(self, lease=lease, known=NOTHING)._noted(now, "asking", action=str(action), holder=holder, by=by)

    def pausing_unleased(self, *, ends_at: float, now: float, by: str, timing: Timing) -> "CallLedger":
        """The holder is dead and its lease live: a pause, which can do no harm, is about to be sent without it."""
        doubts = self.doubts.raised(Action.PAUSE, ends_at + timing.settles + SKEW)
        return replace(self, known=NOTHING, doubts=doubts)._noted(now, "asking without lease", action="pause", by=by)

    def recorded(
        self, report: Report, action: Action, *, changes: int, now: float, timing: Timing, may_go_on: bool
    ) -> "CallLedger":
        """Note what came of *action*, which was asked for when the recordings had changed so often, and give the lease up.

        The lease is kept if something else is desired by now, or the recordings have changed meanwhile, and *may_go_on*,
        and it is known where the vendor stands.
        """
        doubts = self.doubts.after(report, action, now=now, timing=timing)
        known = doubts.judge(report)
        disturbed = self.changes != changes
        ledger = replace(
            self,
            parent=report.parent or self.parent,
            doubts=doubts,
            known=NOTHING if disturbed else known,
            missing_since=self._missing(report, now),
        )
        ledger = ledger._noted(now, "answered", **as_details(report, action, known))
        if not ledger.over and ledger._is_over(report.error, now):
            presumed = isinstance(report.error, errors.CallNotFoundError)
            ledger = replace(ledger._over(now, "vendor"), presumed=presumed)
        changed = disturbed or (ledger.desired is not action and not known.shows_none_live)
        if may_go_on and changed and known.complete and ledger.desired is not None:
            return replace(ledger, known=NOTHING)._noted(
                now, "asking", action=str(ledger.desired), holder=self.lease and self.lease.holder
            )
        if disturbed:
            return replace(ledger, lease=None, look_at=now)
        return replace(ledger, lease=None)._tried(now, report.error.retry_after if report.error else None)

    def released(self) -> "CallLedger":
        """The holder gives its lease up without having asked for anything."""
        return replace(self, lease=None)

    def forgotten(self, now: float) -> "CallLedger":
        """What is known is not to be relied on: it was to be proven afresh, and there was no time for it."""
        return replace(self, known=NOTHING, look_at=now + AT_ONCE)

    def ran_errand(self, report: Report, action: Action, *, now: float, timing: Timing) -> "CallLedger":
        """Note what came of an *action* on one recording alone, and give the lease up: of the others nothing is known."""
        doubts = self.doubts.after(report, action, now=now, timing=timing)
        parent = report.parent or self.parent
        ledger = replace(self, parent=parent, doubts=doubts, known=NOTHING, lease=None, look_at=now)
        return ledger._noted(now, "answered", **as_details(report, action, Known(report.recordings)))

    def failed(self, *, now: float, reason: str) -> "CallLedger":
        """The vendor could not even be asked: whatever it was, it may have changed since."""
        return replace(self, known=NOTHING)._noted(now, "not asked", reason=reason)._tried(now)

    # How.

    def _see(self, *ids: str) -> "CallLedger":
        return replace(self, seen=remembered(self.seen, ids))

    def _heard_of(self, *ids: str) -> "CallLedger":
        """A flow or the vendor tells of the call: if it was only presumed over, it is looked for again."""
        told = self._see(*ids)
        return replace(told, over=False, presumed=False, missing_since=None) if self.presumed else told

    def _refusal(self, step: str, occurred_at: float | None) -> str | None:
        if self.over:
            return "the call is over"
        if self.stopped:
            return "the recording was stopped"
        if occurred_at is not None and occurred_at < self.left_at.get(step, 0.0):
            return "left already"
        if step not in self.pauses and len(self.pauses) >= MAX_PAUSES:
            return "too many steps are open"
        return None

    def _unheard(self, now: float, timing: Timing) -> "CallLedger":
        """A pause may be under way that the ledger never heard of: if none is wanted, look at the vendor."""
        ledger = replace(self, doubts=self.doubts.after_unheard(now, timing))
        return ledger if self.pauses else replace(ledger, known=NOTHING)._anew(self)

    def _anew(self, before: "CallLedger") -> "CallLedger":
        """Begin to count failures anew if something else is desired than *before*, and look at once in any case."""
        if self.desired is before.desired and not before.given_up:
            return replace(self, look_at=0.0)
        return replace(self, look_at=0.0, failures=0, failing_since=None, given_up=False)

    def _over(self, now: float, by: str) -> "CallLedger":
        return replace(self, over=True, pauses={}, known=NOTHING)._noted(
            now, "call over", by=by, paused=len(self.pauses)
        )

    def _missing(self, report: Report, now: float) -> float | None:
        """Since when the vendor says that it does not know the call; that it says nothing changes nothing."""
        if isinstance(report.error, errors.CallNotFoundError):
            return now if self.missing_since is None else self.missing_since
        answers = (errors.VendorResponseError, errors.UnconfirmedError)
        return None if report.error is None or isinstance(report.error, answers) else self.missing_since

    def _is_over(self, error: Exception | None, now: float) -> bool:
        if isinstance(error, errors.CallNotFoundError):  # some vendors forget a call that is over
            return self.missing_since is not None and now - self.missing_since >= GONE
        return isinstance(error, errors.CallOverError)

    def _tried(self, now: float, retry_after: float | None = None) -> "CallLedger":
        """Count a try, and set when to look again."""
        if self.matches:
            kept = bool(self.pauses) and not self.known.shows_none_live
            look_at = now + (KEPT_POLL if kept else POLL)
            return replace(self, failures=0, failing_since=None, given_up=False, look_at=look_at)
        if self.doubtful(now):
            return replace(self, look_at=0.0)
        since = self.failing_since if self.failing_since is not None else now
        failures = self.failures + 1
        # as long as a pause has its deadline before it, trying goes on
        given_up = now - since >= GIVE_UP and all(pause.kept for pause in self.pauses.values())
        ledger = self._noted(now, "given up", failures=failures) if given_up else self
        wait = max(min(LONGEST_BACKOFF, 2.0 ** min(failures, 10)), min(retry_after or 0.0, LONGEST_RETRY_AFTER))
        return replace(ledger, failures=failures, failing_since=since, given_up=given_up, look_at=now + wait)

    def _noted(self, now: float, what: str, **details: Any) -> "CallLedger":
        event = Event(as_text(now), what, {name: value for name, value in details.items() if value is not None})
        events = (*self.events, event)
        surplus = max(0, len(events) - MAX_EVENTS)
        return replace(self, events=events[surplus:], folded=self.folded + surplus)


def _without(pauses: Mapping[str, Pause], step: str) -> dict[str, Pause]:
    return {name: pause for name, pause in pauses.items() if name != step}
