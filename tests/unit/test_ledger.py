"""What may happen to a call, and which pauses are open afterwards."""

from dataclasses import replace

import pytest

from call_recording.ledger import CallLedger
from call_recording.ledger_parts import (
    AHEAD,
    INVOCATION,
    MAX_EVENTS,
    MAX_PAUSES,
    MAX_SEEN,
    MAX_STEPS,
    NOTHING,
    SKEW,
    Pause,
)
from call_recording.model import Action
from tests.unit.ledger_words import (
    NOW,
    PAUSED,
    RUNNING,
    STOPPED,
    TIMING,
    enter,
    leave,
    new,
    over,
    paused,
    record,
    report,
    settle,
    shown,
    stop,
    take,
)

DEADLINE = NOW + 300.0


def refusals(ledger: CallLedger) -> list[str]:
    """Why things that were told had no effect."""
    return [event.details["refused"] for event in ledger.events if "refused" in event.details]


class TestEntered:
    """A step is entered."""

    def test_a_pause_opens(self):
        """The step's pause is open until its deadline, and the vendor is to be asked for a pause."""
        ledger = enter(new(), pause_id="P1", event_id="E1", occurred_at=NOW - 2)

        assert ledger.pauses["card-entry"] == Pause("P1", NOW, DEADLINE, NOW - 2, kept=False)
        assert ledger.desired is Action.PAUSE
        assert not ledger.matches
        assert [(event.what, event.details) for event in ledger.events] == [
            (
                "entered",
                {"by": "flow", "step": "card-entry", "pause_id": "P1", "deadline": "2026-09-21T14:18:20.000Z"},
            )
        ]
        assert ledger.events[0].at == "2026-09-21T14:13:20.000Z"

    @pytest.mark.parametrize("seconds", [1.0, 300.0])
    def test_scenario_26_entered_again(self, seconds):
        """A step entered again keeps its opening time, gets the new id, and its deadline is never shortened."""
        ledger = enter(enter(new(), pause_id="P1"), NOW + 100, pause_id="P2", seconds=seconds)

        pause = ledger.pauses["card-entry"]
        assert (pause.pause_id, pause.opened_at, pause.entries) == ("P2", NOW, 2)
        assert pause.deadline == max(DEADLINE, NOW + 100 + seconds)
        assert [event.what for event in ledger.events] == ["entered", "entered again"]

    def test_scenario_26_a_kept_pause_counts_again(self):
        """A pause that was kept past its deadline has a deadline again once its step is entered again."""
        kept = enter(new()).expired(now=DEADLINE + 2, on_deadline="keep")
        ledger = enter(kept, DEADLINE + 10)

        assert ledger.pauses["card-entry"].kept is False
        assert ledger.pauses["card-entry"].deadline == DEADLINE + 310

    def test_scenario_14_the_same_event(self):
        """An event that was seen before opens and extends nothing: the ledger is the same object."""
        ledger = enter(new(), event_id="E1")

        assert enter(ledger, NOW + 10, event_id="E1") is ledger

    def test_scenario_14_the_same_event_after_left(self):
        """An event that was seen before does not open its pause a second time."""
        ledger = leave(enter(new(), event_id="E1"))

        assert enter(ledger, event_id="E1").pauses == {}

    def test_scenario_44_several_steps(self):
        """Each step has a pause of its own, and the call is to be paused until the last is left."""
        ledger = enter(enter(new(), step="identity-check"), step="card-entry")

        assert leave(ledger, step="card-entry").desired is Action.PAUSE
        assert leave(leave(ledger, step="card-entry"), step="identity-check").desired is Action.RESUME

    @pytest.mark.parametrize("late", [NOW - 1, NOW])
    def test_an_older_visit_entered_late(self, late):
        """An `entered` that is late, or told twice, extends the pause, but leaves it its id and its visit."""
        ledger = enter(enter(new(), pause_id="P1", occurred_at=NOW), NOW + 5, pause_id="P2", occurred_at=late)

        pause = ledger.pauses["card-entry"]
        assert (pause.pause_id, pause.occurred_at) == ("P1", NOW)
        assert pause.deadline == NOW + 305

    def test_the_next_visit(self):
        """A later visit to a step that was never left has its own id and time."""
        ledger = enter(enter(new(), pause_id="P1", occurred_at=NOW), NOW + 5, pause_id="P2", occurred_at=NOW + 4)

        assert (ledger.pauses["card-entry"].pause_id, ledger.pauses["card-entry"].occurred_at) == ("P2", NOW + 4)

    @pytest.mark.parametrize(("first", "second"), [(None, NOW), (NOW, None), (None, None)])
    def test_a_visit_without_a_time(self, first, second):
        """Where one of two visits has no time, the pause is the later one's, with what time there is."""
        ledger = enter(enter(new(), pause_id="P1", occurred_at=first), pause_id="P2", occurred_at=second)

        assert ledger.pauses["card-entry"].pause_id == "P2"
        assert ledger.pauses["card-entry"].occurred_at == (first or second)

    @pytest.mark.parametrize("ahead", [AHEAD, AHEAD + 1])
    def test_scenario_40_a_time_far_ahead(self, ahead):
        """A time that is more than a minute ahead of ours is taken for the arrival."""
        ledger = enter(new(), occurred_at=NOW + ahead)

        assert ledger.pauses["card-entry"].occurred_at == (NOW if ahead > AHEAD else NOW + ahead)

    @pytest.mark.parametrize(
        ("before", "reason"),
        [(over(new()), "the call is over"), (stop(new()), "the recording was stopped")],
        ids=["over", "stopped"],
    )
    def test_nothing_to_pause_any_more(self, before, reason):
        """On a call that is over or stopped for good no pause opens, and that is noted."""
        ledger = enter(before, event_id="E9")

        assert (ledger.pauses, refusals(ledger)) == ({}, [reason])
        assert enter(ledger, event_id="E9") is ledger

    def test_a_change_is_looked_at_at_once(self):
        """A pause that opens ends whatever was being waited for."""
        failing = record(take(leave(enter(new()))), report(error=None), NOW)._tried(NOW)
        ledger = enter(failing)

        assert (ledger.failures, ledger.failing_since, ledger.look_at) == (0, None, 0.0)


class TestLeft:
    """A step is left."""

    def test_a_pause_is_released(self):
        """The step's pause closes, and the vendor is to be asked to go on."""
        ledger = leave(enter(new(), pause_id="P1"))

        assert (ledger.pauses, ledger.desired) == ({}, Action.RESUME)
        assert (ledger.events[-1].what, ledger.events[-1].details["pause_id"]) == ("left", "P1")

    def test_the_same_event(self):
        """A `left` that was seen before releases nothing."""
        ledger = enter(leave(enter(new()), event_id="E1"))

        assert leave(ledger, event_id="E1") is ledger

    def test_scenario_18_an_older_pause_s_id(self):
        """A `left` that names an older pause of the step releases nothing."""
        ledger = enter(enter(new(), pause_id="P1"), pause_id="P2")
        left = leave(ledger, pause_id="P1")

        assert left.pauses == ledger.pauses
        assert refusals(left) == ["an earlier visit"]
        assert leave(ledger, pause_id="P2").pauses == {}

    def test_scenario_18_an_older_visit(self):
        """A `left` that happened before the step was entered last releases nothing."""
        ledger = enter(leave(enter(new(), occurred_at=NOW)), NOW + 20, occurred_at=NOW + 20)
        left = leave(ledger, NOW + 21, occurred_at=NOW + 19)

        assert left.pauses == ledger.pauses
        assert refusals(left) == ["an earlier visit"]

    @pytest.mark.parametrize("occurred_at", [NOW, NOW + 1, None])
    def test_scenario_19_this_visit(self, occurred_at):
        """A `left` of the same time or later, or without a time, is of this visit."""
        ledger = leave(enter(new(), occurred_at=NOW), NOW + 5, occurred_at=occurred_at)

        assert ledger.pauses == {}

    def test_scenario_18_its_own_id_counts_more_than_a_time(self):
        """A `left` that names this very pause releases it, whatever the clocks of the flow say."""
        assert leave(enter(new(), pause_id="P1", occurred_at=NOW), pause_id="P1", occurred_at=NOW - 5).pauses == {}

    def test_scenario_18_told_again(self):
        """The `left` of the first visit, told again with its time, releases nothing of the second; with its id it may."""
        first = leave(enter(new()), occurred_at=NOW)
        ledger = enter(first, NOW + 5, pause_id="P2")

        assert refusals(leave(ledger, NOW + 6, occurred_at=NOW)) == ["an earlier visit"]
        assert leave(ledger, NOW + 6, occurred_at=NOW, pause_id="P2").pauses == {}
        assert leave(ledger, NOW + 6, occurred_at=NOW + 1).pauses == {}
        assert leave(first, NOW + 6, occurred_at=NOW).doubts.unheard == 0.0

    def test_a_pause_without_a_time(self):
        """A pause whose flow gives no time is left by any `left` that does."""
        assert leave(enter(new()), occurred_at=NOW - 100).pauses == {}

    def test_scenario_40_left_far_ahead(self):
        """A `left` from the far future does not keep a later visit from being paused."""
        ledger = leave(new(), occurred_at=NOW + 10_000)

        assert enter(ledger, NOW + 1, occurred_at=NOW + 1).desired is Action.PAUSE

    @pytest.mark.parametrize(("entered_at", "opens"), [(NOW - 1, False), (NOW, True), (NOW + 1, True), (None, True)])
    def test_scenario_16_left_before_entered(self, entered_at, opens):
        """An `entered` that arrives after the `left` of its visit opens nothing; without a time nobody can tell."""
        ledger = enter(leave(new(), occurred_at=NOW), NOW + 1, occurred_at=entered_at)

        assert bool(ledger.pauses) is opens
        assert ("left already" in refusals(ledger)) is not opens

    def test_scenario_16_the_latest_left_counts(self):
        """An older `left` that comes later does not make room for a visit that was left."""
        ledger = leave(leave(new(), occurred_at=NOW + 10), occurred_at=NOW - 10)

        assert enter(ledger, occurred_at=NOW).pauses == {}

    def test_scenario_16_other_steps_are_free(self):
        """That one step was left says nothing of another one."""
        ledger = leave(new(), occurred_at=NOW)

        assert enter(ledger, step="identity-check", occurred_at=NOW - 1).desired is Action.PAUSE

    def test_no_pause_is_open(self):
        """A `left` of a step that is not open may be of a pause sent without the ledger: the vendor is looked at."""
        ledger = leave(settle(new(), RUNNING))

        assert ledger.known == NOTHING
        assert ledger.doubts.unheard == NOW + INVOCATION + TIMING.in_flight + SKEW
        assert ledger.due_at == 0.0
        assert refusals(ledger) == ["no pause is open"]

    def test_no_pause_is_open_but_another(self):
        """While another step is open that changes nothing of what is known."""
        before = paused(step="identity-check")
        ledger = leave(before)

        assert (ledger.known, ledger.desired) == (before.known, Action.PAUSE)
        assert ledger.doubts.unheard > NOW

    def test_a_pause_that_is_known_to_be_closed(self):
        """A `left` of a pause that the ledger has seen close is an earlier visit's, and nothing is looked at again."""
        before = settle(leave(enter(new(), pause_id="P1")), RUNNING)
        ledger = leave(before, pause_id="P1")

        assert (ledger.known, ledger.doubts) == (before.known, before.doubts)
        assert refusals(ledger) == ["an earlier visit"]

    def test_a_pause_that_is_not_known(self):
        """A `left` of a pause that the ledger has never seen is of one sent without it."""
        assert leave(settle(new(), RUNNING), pause_id="P9").known == NOTHING

    @pytest.mark.parametrize("before", [over(new()), settle(stop(new()), STOPPED)], ids=["over", "stopped"])
    def test_nothing_to_resume_any_more(self, before):
        """On a call that is over or stopped a `left` changes nothing of what is known."""
        ledger = leave(before)

        assert (ledger.known, ledger.doubts, ledger.due_at) == (before.known, before.doubts, None)


class TestStop:
    """The recording is stopped for good."""

    def test_all_pauses_close(self):
        """A stop closes every pause, and nothing is known until the vendor was asked."""
        ledger = stop(enter(paused(), step="identity-check"))

        assert (ledger.pauses, ledger.desired, ledger.known, ledger.due_at) == ({}, Action.STOP, NOTHING, 0.0)
        assert ledger.events[-1].what == "stop asked"

    def test_the_same_event(self):
        """A stop that was seen before changes nothing."""
        ledger = stop(new(), event_id="E1")

        assert stop(ledger, event_id="E1") is ledger

    def test_scenario_25_over_counts_more(self):
        """Of a call that is over nothing is desired, stopped or not."""
        assert stop(over(new())).desired is None
        assert over(stop(new())).desired is None

    @pytest.mark.parametrize("before", [paused(), take(paused()), new()], ids=["paused", "commanded", "new"])
    def test_by_the_vendor_s_document(self, before):
        """A document that stops the recording leaves nothing to send: the pauses close, and nothing more is desired."""
        ledger = before.stopped_by_document(step="card-entry", event_id="E1", now=NOW, by="flow")

        assert (ledger.pauses, ledger.stopped, ledger.desired, ledger.matches) == ({}, True, None, True)
        assert (ledger.looks_again_at, ledger.lease) == (None, before.lease)
        assert refusals(enter(ledger)) == ["the recording was stopped"]

    @pytest.mark.parametrize(
        "before", [enter(new(), event_id="E1"), stop(paused(), event_id="E1")], ids=["entered", "stop"]
    )
    def test_by_document_and_seen_before(self, before):
        """A document's stop that was seen before changes nothing."""
        assert before.stopped_by_document(step="card-entry", event_id="E1", now=NOW, by="flow") is before

    def test_a_stop_after_that_of_a_document(self):
        """A stop that has to be sent is sent, also after one that a document carried out."""
        ledger = new().stopped_by_document(step="card-entry", event_id="E1", now=NOW, by="flow")

        assert stop(ledger).desired is Action.STOP

    def test_one_recording_alone(self):
        """A stop of one recording is noted, once, and leaves what the others are to be."""
        before = paused()
        ledger = before.errand_asked(
            step="card-entry", recording_id="RE7", event_id="E1", errand="S1", now=NOW, by="flow"
        )

        assert (ledger.desired, ledger.pauses, ledger.known) == (Action.PAUSE, before.pauses, before.known)
        assert ledger.events[-1][1:] == (
            "stop of one asked",
            {"by": "flow", "step": "card-entry", "recording_id": "RE7"},
        )
        assert ledger.seen[-2:] == ("E1", "S1")
        assert (
            ledger.errand_asked(step="s", recording_id="RE7", event_id="E1", errand="S1", now=NOW, by="flow") is ledger
        )


class TestDeadline:
    """Nobody leaves in time."""

    @pytest.mark.parametrize("seconds", [0.0, 300.0, 300.0 + SKEW])
    def test_scenario_40_not_before_its_time(self, seconds):
        """A pause is not over before its deadline, and the difference between two clocks, have passed."""
        ledger = paused()

        assert ledger.expired(now=NOW + seconds, on_deadline="resume") is ledger

    @pytest.mark.parametrize(
        ("on_deadline", "desired", "known"),
        [("resume", Action.RESUME, True), ("keep", Action.PAUSE, True), ("stop", Action.STOP, False)],
    )
    def test_scenario_23_what_the_account_wants(self, on_deadline, desired, known):
        """After it the recording is to go on, to stay paused, or to be stopped, as the account says."""
        before = paused(pause_id="P1")
        ledger = before.expired(now=DEADLINE + 1.1, on_deadline=on_deadline)

        assert ledger.desired is desired
        assert ledger.stopped is (on_deadline == "stop")
        assert list(ledger.pauses) == (["card-entry"] if on_deadline == "keep" else [])
        assert ledger.known == (before.known if known else NOTHING)
        assert (ledger.events[-1].what, ledger.events[-1].details) == (
            "expired",
            {"step": "card-entry", "pause_id": "P1", "on_deadline": on_deadline},
        )

    def test_scenario_23_only_what_is_late(self):
        """Another pause, which is not late, stays open."""
        ledger = enter(paused(), NOW + 10, step="identity-check").expired(now=DEADLINE + 2, on_deadline="resume")

        assert list(ledger.pauses) == ["identity-check"]

    def test_scenario_23_a_stop_closes_all(self):
        """Where a deadline stops the recording, pauses that are not late close too."""
        ledger = enter(paused(), NOW + 10, step="identity-check").expired(now=DEADLINE + 2, on_deadline="stop")

        assert (ledger.pauses, ledger.stopped) == ({}, True)

    def test_scenario_27_once(self):
        """Time that passes once more finds nothing: a kept pause is kept once."""
        for on_deadline in ("resume", "keep", "stop"):
            ledger = paused().expired(now=DEADLINE + 2, on_deadline=on_deadline)

            assert ledger.expired(now=DEADLINE + 3, on_deadline=on_deadline) is ledger

    def test_scenario_23_two_are_kept(self):
        """Every late pause is kept, each by itself."""
        ledger = enter(paused(), step="identity-check").expired(now=DEADLINE + 2, on_deadline="keep")

        assert [pause.kept for pause in ledger.pauses.values()] == [True, True]


class TestVendorTells:
    """What the vendor says by itself, and what was found without record."""

    def test_scenario_25_the_call_is_over(self):
        """A call that ends while it is paused closes its ledger, which says so; nothing is due any more."""
        ledger = over(paused(), NOW + 5)

        assert (ledger.pauses, ledger.desired, ledger.matches, ledger.due_at) == ({}, None, True, None)
        assert ledger.known == NOTHING
        assert (ledger.events[-1].what, ledger.events[-1].details["paused"]) == ("call over", 1)

    def test_over_is_over(self):
        """The end of a call is noted once."""
        ledger = over(paused())

        assert ledger.call_ended(event_id="E2", now=NOW, by="vendor") is ledger
        assert new()._see("E3").call_ended(event_id="E3", now=NOW, by="vendor").over is False

    def test_scenario_08_a_recording_starts(self):
        """A recording that starts while a pause is open makes what was known void, so that it is paused."""
        before = record(take(enter(new())), report())
        ledger = before.recording_changed(event_id="E1", now=NOW + 9, by="vendor", what="recording-started")

        assert (before.matches, ledger.matches, ledger.due_at) == (True, False, 0.0)
        assert ledger.events[-1].what == "recording-started"
        assert ledger.recording_changed(event_id="E1", now=NOW, by="vendor", what="recording-started") is ledger

    def test_scenario_29_a_pause_that_is_not_on_record(self):
        """A pause that was sent without the ledger is found by its reminder, once: the vendor is looked at."""
        ledger = settle(new(), RUNNING).unheard(step="card-entry", pause_id="P1", now=NOW + 30, timing=TIMING)

        assert (ledger.known, ledger.due_at) == (NOTHING, 0.0)
        assert ledger.doubts.unheard == NOW + 30 + INVOCATION + TIMING.in_flight + SKEW
        assert ledger.events[-1][1:] == ("found without record", {"step": "card-entry", "pause_id": "P1"})
        assert ledger.unheard(step="card-entry", pause_id="P1", now=NOW + 31, timing=TIMING) is ledger

    def test_scenario_29_a_pause_that_is_not_on_record_of_a_call_that_was_presumed_over(self):
        """Who entered a step of it told that it is not: it is looked at.  One that its vendor has shown over stays over."""
        ended = over(settle(new(), RUNNING))
        found = [
            ledger.unheard(step="card-entry", pause_id="P1", now=NOW + 30, timing=TIMING)
            for ledger in (replace(ended, presumed=True), ended)
        ]

        assert [(each.over, each.desired, each.due_at) for each in found] == [
            (False, Action.RESUME, 0.0),
            (True, None, None),
        ]

    def test_a_pause_that_is_on_record(self):
        """The reminder of a pause that is on record finds it there."""
        ledger = paused(pause_id="P1")

        assert ledger.unheard(step="card-entry", pause_id="P1", now=NOW, timing=TIMING) is ledger


class TestBounds:
    """What a ledger keeps at most, and what beyond it is safe."""

    def test_pauses(self):
        """One step too many is refused, and none of the open ones is given up for it."""
        ledger = new()
        for number in range(MAX_PAUSES):
            ledger = enter(ledger, step=f"step-{number}")
        full = enter(ledger, step="one-more")

        assert (full.pauses, refusals(full)) == (ledger.pauses, ["too many steps are open"])
        assert len(full.pauses) == MAX_PAUSES
        assert enter(full, NOW + 9, step="step-3").pauses["step-3"].deadline == NOW + 309

    def test_events(self):
        """Of too many events the oldest are folded: how many they were is known."""
        ledger = new()
        for number in range(MAX_EVENTS + 7):
            ledger = enter(ledger, NOW + number)

        assert (len(ledger.events), ledger.folded) == (MAX_EVENTS, 7)
        assert [event.what for event in ledger.events] == ["entered again"] * MAX_EVENTS
        assert ledger.events[-1].at == "2026-09-21T14:15:06.000Z"

    def test_ids(self):
        """Of too many ids the oldest are forgotten, and the latest never."""
        ledger = new()
        for number in range(MAX_SEEN):
            ledger = enter(ledger, event_id=f"E{number}", pause_id=f"P{number}")

        assert len(ledger.seen) == MAX_SEEN
        assert ledger.seen[-2:] == (f"E{MAX_SEEN - 1}", f"P{MAX_SEEN - 1}")

    def test_steps_that_were_left(self):
        """Of too many steps that were left the one heard of longest ago is forgotten."""
        ledger = new()
        for number in [*range(MAX_STEPS), 0, MAX_STEPS]:
            ledger = leave(ledger, step=f"step-{number}", occurred_at=NOW + number)

        assert len(ledger.left_at) == MAX_STEPS
        assert ledger.left_at["step-0"] == NOW
        assert "step-1" not in ledger.left_at


class TestWhose:
    """Whose call it is."""

    def test_the_vendor_and_the_channel(self):
        """The vendor is noted, and the channel that it finds the call by."""
        ledger = new().of("bird", "channel-1")

        assert (ledger.vendor, ledger.call.call_id, ledger.call.channel_id) == ("bird", "CA", "channel-1")

    @pytest.mark.parametrize("channel_id", [None, "", "channel-1"])
    def test_nothing_new(self, channel_id):
        """Whoever knows of no channel, or of the same one, changes nothing."""
        ledger = new().of("bird", "channel-1")

        assert ledger.of("bird", channel_id) is ledger

    def test_something_new(self):
        """A channel or a vendor that is told later counts, and what else is known stays."""
        before = paused()
        ledger = before.of("bird", None)

        assert ledger == replace(before, vendor="bird")
        assert ledger.of("bird", "channel-2").call.channel_id == "channel-2"
        assert ledger.of("twilio", None).vendor == "twilio"


def test_what_is_known_is_of_this_call():
    """A recording is known as the vendor showed it."""
    assert paused().known.recordings == (shown(PAUSED),)
