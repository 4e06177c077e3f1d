"""Anything may happen to a call in any order: what must hold of its ledger all the same."""

from itertools import count
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from call_recording import errors, ledger_json
from call_recording.ledger import CallLedger
from call_recording.ledger_parts import (
    AHEAD,
    GIVE_UP,
    GONE,
    MAX_EVENTS,
    MAX_PAUSES,
    MAX_RECORDINGS,
    MAX_SEEN,
    MAX_STEPS,
    NOTHING,
    SKEW,
    Known,
)
from call_recording.model import Action, Call, Happening, Proof, RecordingStatus, Report
from tests import examples
from tests.unit.ledger_words import LAGGING, NOW, TIMING, report, shown

STEPS = ("card-entry", "identity-check", "third")
#: What may have come of a command, errors and all.
FAILURES: tuple[errors.VendorError | None, ...] = (
    None,
    None,
    None,
    errors.OutcomeUnknownError("ReadTimeout", vendor="fake"),
    errors.RateLimitedError("slow", vendor="fake", retry_after=30.0),
    errors.RecordingNotFoundError("none", vendor="fake"),
    errors.CallNotFoundError("none", vendor="fake"),
    errors.CallOverError("over", vendor="fake"),
)

steps = st.sampled_from(STEPS)
seconds = st.sampled_from([1.0, 5.0, 120.0, 300.0, 7200.0])
skews = st.sampled_from([-SKEW, 0.0, SKEW])  # of the clock of whoever acts
offsets = st.sampled_from([None, -30.0, -1.0, 0.0, AHEAD + 1])  # when a flow says that something happened
again = st.sampled_from([False, False, False, True])  # whether an event is one that was seen before
timings = st.sampled_from([TIMING, LAGGING])
recordings = st.lists(
    st.builds(shown, st.sampled_from(RecordingStatus), st.sampled_from(["RE1", "RE2"]), st.sampled_from(Proof)),
    max_size=3,
)
changed = st.sampled_from([each for each in Happening if each is not Happening.CALL_OVER])
reports = st.builds(
    lambda shows, error, in_doubt, own_work: report(*shows, error=error, in_doubt=in_doubt, own_work=own_work),
    recordings,
    st.sampled_from(FAILURES),
    st.booleans(),
    st.booleans(),
)


class AnyCall(RuleBasedStateMachine):
    """One call, its ledger, and a simple idea of which pauses are open."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = CallLedger(account="acme", call=Call(call_id="CA"))
        self.now = NOW
        self.ids = count(1)
        self.open: dict[str, tuple[str, float, float | None, bool]] = {}  # step: pause id, deadline, occurred at, kept
        self.left_at: dict[str, float] = {}
        self.stopped = self.by_document = self.over = self.presumed = False
        self.changes = 0  # of the recordings, when the vendor was asked
        self.past: list[tuple[str, str]] = []  # ids of events, and of the pauses that they opened

    def become(self, ledger: CallLedger, *, shows: bool = False) -> None:
        """Go on with *ledger*, and hold it to what no change may do."""
        before, self.ledger = self.ledger, ledger
        assert all(new >= old for old, new in zip(before.doubts, ledger.doubts, strict=True))
        if ledger.known.complete and ledger.known is not before.known:
            assert shows  # nothing else makes anything known
        assert ledger.folded + len(ledger.events) >= before.folded + len(before.events)
        kept = before.events[ledger.folded - before.folded :]
        assert ledger.events[: len(kept)] == kept

    def event(self, is_old) -> tuple[str, str]:
        """Return the id of an event, and of the pause that it may open."""
        if is_old and self.past:
            return self.past[len(self.past) // 2]
        fresh = next(self.ids)
        return f"event-{fresh}", f"pause-{fresh}"

    def is_new(self, event_id: str, after: CallLedger) -> bool:
        """Whether an event may have an effect; one that was seen has none at all."""
        if event_id in self.ledger.seen:
            assert after is self.ledger
            return False
        self.past.append((event_id, event_id.replace("event", "pause")))
        assert event_id in after.seen
        return True

    def heard_of(self) -> None:
        """Somebody tells of the call: if it was only presumed over, it is not."""
        if self.presumed:
            self.over = self.presumed = False

    def told(self, offset: float | None, at: float) -> tuple[float | None, float | None]:
        """Return when a flow says that something happened, and what of that is believed."""
        if offset is None:
            return None, None
        return at + offset, at if offset > AHEAD else at + offset

    @rule(seconds=st.sampled_from([0.1, 1.0, 3.0, 20.0, 120.0, 301.0, 3600.0]))
    def time_passes(self, seconds):
        """Time passes."""
        self.now += seconds

    @rule(step=steps, seconds=seconds, offset=offsets, is_old=again, skew=skews)
    def entered(self, step, seconds, offset, is_old, skew):
        """A flow enters a step."""
        at = self.now + skew
        event_id, pause_id = self.event(is_old)
        occurred_at, believed = self.told(offset, at)
        before = self.open.get(step)
        after = self.ledger.entered(
            step=step,
            pause_id=pause_id,
            event_id=event_id,
            seconds=seconds,
            occurred_at=occurred_at,
            now=at,
            by="flow",
        )
        is_new = self.is_new(event_id, after)
        self.become(after)
        if is_new:
            self.heard_of()
        if not is_new or self.over or self.stopped or ((believed or at) < self.left_at.get(step, 0.0) and believed):
            return
        deadline = at + seconds
        if before is not None:
            is_late = believed is not None and before[2] is not None and believed <= before[2]
            pause_id = before[0] if is_late else pause_id
            deadline = max(deadline, before[1])
            believed = max((each for each in (believed, before[2]) if each is not None), default=None)
            assert after.pauses[step].opened_at == self.ledger.pauses[step].opened_at
        assert after.look_at == 0.0
        self.open[step] = pause_id, deadline, believed, False

    @rule(
        step=steps,
        offset=offsets,
        is_old=again,
        skew=skews,
        timing=timings,
        names=st.sampled_from(["none", "mine", "old"]),
    )
    def left(self, step, offset, is_old, skew, timing, names):
        """A flow leaves a step."""
        at = self.now + skew
        event_id, fresh_pause_id = self.event(is_old)
        occurred_at, believed = self.told(offset, at)
        before = self.open.get(step)
        pause_id = {"none": None, "mine": before and before[0], "old": self.past[0][1] if self.past else fresh_pause_id}
        after = self.ledger.left(
            step=step,
            pause_id=pause_id[names],
            event_id=event_id,
            occurred_at=occurred_at,
            now=at,
            by="flow",
            timing=timing,
        )
        is_new = self.is_new(event_id, after)
        self.become(after)
        if not is_new:
            return
        self.heard_of()
        told_again = believed is not None and believed == self.left_at.get(step)
        if believed is not None:
            self.left_at[step] = max(believed, self.left_at.get(step, 0.0))
        if before is None:
            return
        is_late = None not in {believed, before[2]} and (believed or 0.0) < (before[2] or 0.0)
        if pause_id[names] == before[0] or (pause_id[names] is None and not is_late and not told_again):
            del self.open[step]

    @rule(is_old=again, skew=skews)
    def stop_is_asked(self, is_old, skew):
        """A flow stops the recording."""
        event_id, _ = self.event(is_old)
        after = self.ledger.stop_asked(step="card-entry", event_id=event_id, now=self.now + skew, by="flow")
        if self.is_new(event_id, after):
            self.stopped, self.by_document, self.open = True, False, {}
            self.heard_of()
        self.become(after)

    @precondition(lambda self: len(self.past) > 8)
    @rule(is_old=again)
    def the_document_stops_it(self, is_old):
        """A document stops the recording."""
        event_id, _ = self.event(is_old)
        after = self.ledger.stopped_by_document(step="s", event_id=event_id, now=self.now, by="flow")
        if self.is_new(event_id, after):
            self.stopped, self.by_document, self.open = True, True, {}
            self.heard_of()
        self.become(after)

    @rule(is_old=again)
    def an_errand_is_asked(self, is_old):
        """One recording is to be stopped."""
        event_id, _ = self.event(is_old)
        after = self.ledger.errand_asked(
            step="s", recording_id="RE1", event_id=event_id, errand=f"stop {event_id}", now=self.now, by="flow"
        )
        self.is_new(event_id, after)
        self.become(after)

    @rule(is_old=again, timing=timings)
    def a_reminder_comes(self, is_old, timing):
        """A reminder of some pause comes."""
        _, pause_id = self.event(is_old)
        after = self.ledger.unheard(step="card-entry", pause_id=pause_id, now=self.now, timing=timing)

        assert (after is self.ledger) is (pause_id in self.ledger.seen)
        if after is not self.ledger:
            self.heard_of()
        assert after is self.ledger or after.doubts.unheard > self.now
        self.become(after)

    @rule(on_deadline=st.sampled_from(["resume", "resume", "keep", "stop"]), skew=skews)
    def deadlines_pass(self, on_deadline, skew):
        """Somebody looks at the deadlines."""
        at = self.now + skew
        after = self.ledger.expired(now=at, on_deadline=on_deadline)
        late = [step for step, (_, deadline, _, kept) in self.open.items() if at > deadline + SKEW and not kept]

        assert (after is self.ledger) is (not late)
        for step in late:
            pause_id, deadline, occurred_at, _ = self.open.pop(step)
            assert at - SKEW > deadline  # by nobody's clock before the time that its flow was told
            if on_deadline == "keep":
                self.open[step] = pause_id, deadline, occurred_at, True
        if late and on_deadline == "stop":
            self.stopped, self.open = True, {}
        self.become(after)

    @precondition(lambda self: len(self.past) > 8)
    @rule()
    def the_call_ends(self):
        """Somebody says that the call is over: that is so if nothing is open, and else for the vendor to show."""
        before = self.ledger
        event_id, _ = self.event(is_old=False)
        after = before.call_ended(event_id=event_id, now=self.now, by="vendor")
        open_still = bool(before.pauses) or not before.matches

        assert (after is before) is self.over
        assert after.pauses == before.pauses
        if not self.over:
            assert after.over is after.presumed is not open_still
            assert not (open_still and after.matches)
            self.over = self.presumed = after.over
        self.become(after)

    @rule(is_old=again, what=changed)
    def a_recording_changes(self, is_old, what):
        """A recording starts or ends."""
        before = self.ledger
        event_id, _ = self.event(is_old)
        after = before.recording_changed(event_id=event_id, now=self.now, by="vendor", what=what)
        if self.is_new(event_id, after):
            unasked = before.lease is None and before.matches and before.desired is Action.RESUME
            assert after.known == (before.known if unasked else NOTHING)
            assert after.changes == before.changes + (not unasked)
            if what is Happening.RECORDING_STARTED:
                self.heard_of()
        self.become(after)

    @rule(skew=skews)
    def a_lapsed_lease_is_taken_away(self, skew):
        """Somebody looks whether the lease has lapsed."""
        after = self.ledger.relieved(self.now + skew)

        assert after is self.ledger or (after.lease, after.known, after.look_at) == (None, NOTHING, 0.0)
        self.become(after)

    @precondition(lambda self: self.ledger.lease is None and self.ledger.desired is not None)
    @rule(timing=timings)
    def the_lease_is_taken(self, timing):
        """Somebody is about to ask the vendor."""
        ends_at = self.now + 10.0
        assert self.ledger.desired is not None
        after = self.ledger.taken(
            holder="me", action=self.ledger.desired, ends_at=ends_at, now=self.now, by="flow", timing=timing
        )

        self.changes = after.changes
        assert after.lease is not None
        assert after.lease.until == ends_at + timing.in_flight + timing.read_lag + SKEW
        self.become(after)

    @precondition(lambda self: self.ledger.lease is not None)
    @rule(timing=timings)
    def a_pause_is_sent_without_the_lease(self, timing):
        """Somebody does not wait for a dead holder."""
        self.become(self.ledger.pausing_unleased(ends_at=self.now + 10, now=self.now, by="flow", timing=timing))

    @precondition(lambda self: self.ledger.lease is not None)
    @rule(
        came=reports,
        action=st.sampled_from(Action),
        as_desired=st.booleans(),
        took=st.sampled_from([0.0, 0.2, 5.0]),
        timing=timings,
        may_go_on=st.booleans(),
    )
    def an_outcome_is_recorded(self, came, action, as_desired, took, timing, may_go_on):
        """The holder says what came of its command."""
        before, action = self.ledger, (self.ledger.desired or action) if as_desired else action
        came = came._replace(asked_at=self.now - took)
        changed = self.changes != before.changes
        after = before.recorded(came, action, changes=self.changes, now=self.now, timing=timing, may_go_on=may_go_on)
        self.changes = before.changes
        if isinstance(came.error, errors.CallNotFoundError) and after.over and not self.over:
            assert before.missing_since is not None
            assert self.now - before.missing_since >= GONE
            self.over, self.open = True, {}
        if isinstance(came.error, errors.CallOverError):
            self.over, self.open = True, {}
        self.presumed = after.presumed
        assert self.over or not self.presumed
        if after.lease is not None:
            assert may_go_on
            assert after.desired is not None
            assert after.desired is not action or changed
        assert not changed or after.known == NOTHING  # what was asked before the change says nothing of now
        assert_proof(after, came)
        if came.in_doubt and not came.own_work and action is not Action.STOP:
            doubt = after.doubts.pause if action is Action.PAUSE else after.doubts.resume
            assert doubt >= self.now + timing.in_flight + timing.read_lag + SKEW
        self.become(after, shows=True)

    @precondition(lambda self: self.ledger.lease is not None)
    @rule(came=reports, timing=timings)
    def an_errand_is_recorded(self, came, timing):
        """The holder says what came of stopping one recording."""
        self.become(self.ledger.ran_errand(came, Action.STOP, now=self.now, timing=timing))

    @precondition(lambda self: self.ledger.lease is not None)
    @rule()
    def the_lease_is_given_up(self):
        """The holder has nothing to ask for."""
        self.become(self.ledger.released())

    @rule()
    def it_is_forgotten(self):
        """There was no time to prove it afresh."""
        self.become(self.ledger.forgotten(self.now))

    @precondition(lambda self: self.ledger.lease is None and not self.ledger.matches)
    @rule()
    def nobody_can_ask(self):
        """The account is gone."""
        before = self.ledger
        self.become(before.failed(now=self.now, reason="no account"))

        assert self.ledger.failures == before.failures + 1
        assert self.ledger.look_at > self.now

    @rule()
    def it_is_saved_and_loaded(self):
        """What is written as JSON is read as it was."""
        again = ledger_json.loads(ledger_json.dumps(self.ledger), self.ledger.version)

        assert again == self.ledger
        self.ledger = again

    # What always holds.

    @invariant()
    def the_open_pauses_are_those_that_were_opened(self):
        """The open pauses are those that the flows have opened and nobody has closed."""
        open_pauses = {
            step: (pause.pause_id, pause.deadline, pause.occurred_at, pause.kept)
            for step, pause in self.ledger.pauses.items()
        }

        assert open_pauses == self.open
        assert (self.ledger.stopped, self.ledger.over) == (self.stopped, self.over)

    @invariant()
    def what_is_desired_follows(self):
        """What the vendor is asked for follows from the pauses alone."""
        wanted = Action.STOP if self.stopped else Action.PAUSE if self.open else Action.RESUME

        assert self.ledger.desired is (None if self.over or self.by_document else wanted)

    @invariant()
    def nothing_is_known_while_somebody_commands(self):
        """While somebody commands nothing is known."""
        assert not self.ledger.leased(self.now) or self.ledger.known == NOTHING

    @invariant()
    def it_is_due_until_it_is_settled(self):
        """Somebody looks at the call again until it is settled, or given up."""
        ledger = self.ledger
        settled = (
            ledger.lease is None
            and not ledger.pauses
            and (ledger.desired is None or shows(ledger.known, ledger.desired))
        )
        if ledger.due_at is None:
            assert settled or (ledger.given_up and ledger.lease is None)
            assert all(kept for *_, kept in self.open.values())
        else:
            assert not settled
            assert ledger.due_at <= latest(ledger)
        for pause in ledger.pauses.values():
            assert pause.kept or (ledger.due_at or 0.0) <= pause.deadline + SKEW

    @invariant()
    def giving_up_takes_its_time(self):
        """A call is given up after four hours of failures only."""
        if self.ledger.given_up:
            assert self.ledger.failing_since is not None
            assert self.now - self.ledger.failing_since >= GIVE_UP

    @invariant()
    def bounds_hold(self):
        """A ledger does not grow without end."""
        ledger = self.ledger

        assert len(ledger.pauses) <= MAX_PAUSES
        assert len(ledger.events) <= MAX_EVENTS
        assert len(ledger.seen) <= MAX_SEEN
        assert len(ledger.left_at) <= MAX_STEPS
        assert len(ledger.known.recordings) <= MAX_RECORDINGS


def shows(known: Known, action: Action | None) -> bool:
    """Whether nothing is left to be done about the recordings."""
    live = [each for each in known.recordings if each.live]
    if not live:  # a pause that is in doubt may yet find a recording that has started since
        return known.complete and (known.proven or action is not Action.RESUME)
    return known.complete and known.proven and all(each.is_as_asked(action or Action.STOP) for each in known.recordings)


def latest(ledger: CallLedger) -> float:
    """Whatever is the matter, somebody looks no later than this."""
    lease = ledger.lease.until if ledger.lease else 0.0
    doubts = ledger.doubts
    return max(lease, *doubts, ledger.look_at, *(pause.deadline + SKEW for pause in ledger.pauses.values()))


def assert_proof(ledger: CallLedger, came: Report) -> None:
    """What counts as proven was asked for after each doubt that may be in its way."""
    if not ledger.known.proven or ledger.known is NOTHING:
        return
    assert came.error is None
    for each in came.recordings:
        assert each.proof is not Proof.NONE or ledger.known.shows_none_live
        if each.status is RecordingStatus.PAUSED:
            assert came.asked_at > ledger.doubts.resume
        if each.status is RecordingStatus.IN_PROGRESS:
            assert came.asked_at > max(ledger.doubts.pause, ledger.doubts.unheard)
    if ledger.known.shows_none_live:
        assert came.asked_at > max(ledger.doubts.pause, ledger.doubts.unheard)


TestAnyCall: Any = AnyCall.TestCase
TestAnyCall.settings = examples.settings(200, stateful_step_count=40)
