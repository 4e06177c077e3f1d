"""The loop that makes the vendor match the ledger: others that command, errands, and wishes that change meanwhile."""

import pytest

from call_recording import errors
from call_recording.ledger import CallLedger
from call_recording.ledger_parts import AT_ONCE, SKEW
from call_recording.model import Action, Notice, RecordingStatus, Verdict
from tests.unit.fake_vendor import Fault, lost
from tests.unit.fake_world import BUDGET, INVOCATION, World
from tests.unit.ledger_words import TIMING, enter, new, record, report, take

PAUSED, RUNNING = RecordingStatus.PAUSED, RecordingStatus.IN_PROGRESS


@pytest.fixture(name="world")
def _world() -> World:
    return World()


def taken_by_other(world: World, ledger: CallLedger | None = None, **given) -> None:
    """Let somebody else hold the lease."""
    before = ledger if ledger is not None else world.ledger
    world.put(take(before, world.clock.now(), holder="other", **given))


def recorded_by_other(world: World, status: RecordingStatus) -> None:
    """Let the other one record what came of its command."""
    world.vendor.statuses["RE1"] = status
    world.put(record(world.ledger, report(status, asked_at=world.clock.now()), world.clock.now()))


class TestBusy:
    """Somebody else commands."""

    def test_scenario_15_the_outcome_is_waited_for(self, world):
        """A step that is entered while another pause is asked for is told what comes of that; nothing is sent twice."""
        taken_by_other(world, enter(new(), world.clock.now(), step="other"))
        world.clock.at(1.0, lambda: recorded_by_other(world, PAUSED))
        entered = world.enter()

        assert (entered.verdict, entered.safe_to_collect, world.commands) == (Verdict.CONFIRMED, True, [])
        assert 1.0 <= world.clock.now() - 1_000.0 < 2.0

    def test_waits_grow_and_differ(self, world):
        """The waits grow, with some jitter, so that the table is not asked all the time."""
        taken_by_other(world, enter(new(), world.clock.now(), step="other"))
        waits: list[float] = []
        world.clock.on_sleep = waits.append
        world.enter()

        assert waits[:3] == [pytest.approx(0.05), pytest.approx(0.08), pytest.approx(0.128)]
        assert sum(waits) <= BUDGET

    @pytest.mark.parametrize(("jitter", "first"), [(0.0, 0.05), (0.999, 0.075)])
    def test_waits_have_jitter(self, world, jitter, first):
        """Two that wait for the same do not ask at the same moment."""
        taken_by_other(world, enter(new(), world.clock.now(), step="other"))
        world.jitter = jitter
        waits: list[float] = []
        world.clock.on_sleep = waits.append
        world.enter()

        assert waits[0] == pytest.approx(max(0.05, first), rel=0.01) or waits[0] < 0.05

    def test_it_does_not_end(self, world):
        """If the other one does not come to an end in time nothing is known, and word is left for it."""
        taken_by_other(world, enter(new(), world.clock.now(), step="other"))
        entered = world.enter()

        assert (entered.verdict, entered.error) == (Verdict.UNKNOWN, errors.OutcomeUnknownError)
        assert (world.commands, "card-entry" in world.ledger.pauses) == ([], True)

    def test_a_sweep_does_not_wait(self, world):
        """Whoever has nobody waiting comes back later."""
        taken_by_other(world, enter(new(), world.clock.now()))
        with pytest.raises(errors.UnavailableError):
            world.wake()

        assert world.clock.now() == 1_000.0

    def test_scenario_28_a_dead_holder(self, world):
        """A pause does not wait for a holder that is dead for certain: it is sent without the lease, and proves nothing."""
        taken_by_other(world, enter(new(), world.clock.now(), step="other"))
        world.clock.sleep(INVOCATION + SKEW + 0.1)
        entered = world.enter()

        assert (entered.verdict, entered.safe_to_collect, world.statuses) == (Verdict.UNKNOWN, False, {"paused"})
        assert world.ledger.lease.holder == "other"
        assert world.ledger.doubts.pause == world.clock.now() + INVOCATION + TIMING.in_flight + SKEW
        assert world.events[-1] == "asking without lease"

    @pytest.mark.parametrize("seconds", [INVOCATION, INVOCATION + SKEW - 0.6, 25.0])
    def test_scenario_28_a_holder_that_may_live(self, world, seconds):
        """But it waits for one that may still live, or whose lease ends in time."""
        taken_by_other(world, enter(new(), world.clock.now(), step="other"))
        world.clock.sleep(seconds)
        entered = world.enter(budget=0.5 if seconds < 20 else BUDGET)

        assert "asking without lease" not in world.events
        assert entered.safe_to_collect is (seconds > 20)

    @pytest.mark.parametrize("what", ["left", "stopped", "seen"])
    def test_scenario_28_no_pause_without_a_reason(self, world, what):
        """A pause that did not open is not sent beside a dead holder either."""
        now = world.clock.now()
        ledger = {
            "left": lambda: new().left(
                step="card-entry", pause_id=None, event_id="L", occurred_at=now, now=now, by="flow", timing=TIMING
            ),
            "stopped": lambda: new().stop_asked(step="card-entry", event_id="S", now=now, by="flow"),
            "seen": lambda: new()._see("E1"),
        }[what]()
        taken_by_other(world, ledger)
        world.clock.sleep(INVOCATION + SKEW + 0.1)
        world.enter(occurred_at=now - 1, event_id="E1", budget=0.5)

        assert world.commands == []

    def test_a_resume_is_never_sent_without_the_lease(self, world):
        """A resume waits for a dead holder's lease to lapse."""
        world.enter()
        taken_by_other(world)
        world.clock.sleep(INVOCATION + SKEW + 0.1)
        left = world.leave()

        assert (left.verdict, world.commands, world.statuses) == (Verdict.UNKNOWN, [], {"paused"})

    def test_a_conflict_without_the_lease(self, world):
        """A conflict over the note of such a pause is decided anew, and the pause sent once."""
        taken_by_other(world, enter(new(), world.clock.now(), step="other"))
        world.clock.sleep(INVOCATION + SKEW + 0.1)
        world.ledgers.before += [
            ("save", lambda: None),
            ("save", lambda: None),
            ("save", lambda: world.put(enter(world.ledger, world.clock.now(), step="third"))),
        ]
        world.enter()

        assert (world.commands, sorted(world.ledger.pauses)) == (["pause"], ["card-entry", "other", "third"])


class TestGoingOn:
    """What was desired changes while the vendor is asked."""

    def test_scenario_17_no_time_to_go_on(self, world):
        """Without the time for another command the lease is given up, and the call is due."""
        world.vendor.meanwhile = lambda: (world.leave(budget=0.1), world.clock.sleep(BUDGET))
        entered = world.enter()

        assert (entered.safe_to_collect, world.ledger.lease, world.ledger.desired) == (False, None, Action.RESUME)
        assert world.ledger.due_at is not None

    def test_scenario_11_a_recording_starts_meanwhile(self, world):
        """A recording that starts while the vendor is asked, and of which the ledger is told, is paused as well."""

        def start():
            world.vendor.statuses["RE2"] = RUNNING
            ledger = world.ledger
            world.put(ledger.recording_changed(event_id="X", now=world.clock.now(), by="vendor", what="started"))

        world.vendor.meanwhile = start
        entered = world.enter()

        assert (entered.verdict, len(entered.recordings), world.statuses) == (Verdict.CONFIRMED, 2, {"paused"})

    def test_scenario_11_the_answer_to_the_put_that_says_so_is_lost(self, world):
        """What was seen before the recording started counts no more when it is written down a second time."""

        def starts() -> None:
            ledger = world.ledger
            world.put(ledger.recording_changed(event_id="X", now=world.clock.now(), by="vendor", what="started"))
            world.ledgers.lost = 1

        world.vendor.meanwhile = starts
        entered = world.enter()

        assert (entered.verdict, world.commands) == (Verdict.CONFIRMED, ["pause", "pause"])
        assert world.events[-4:] == ["asking", "answered", "asking", "answered"]

    def test_scenario_11_our_own_resume_is_no_news(self, world):
        """If a resume is asked for again, because recordings have changed, that the tape runs by then is our own work."""
        world.enter()

        def change():
            ledger = world.ledger
            world.put(ledger.recording_changed(event_id="X", now=world.clock.now(), by="vendor", what="ended"))

        world.vendor.meanwhile = change

        assert world.leave().verdict is Verdict.CONFIRMED
        assert (world.events.count("asking"), world.notices) == (3, [])

    def test_a_wish_that_is_not_the_trigger_s(self, world):
        """The recording that a trigger names narrows nothing else that is to be done on its call."""
        world.vendor.statuses = {"RE1": RUNNING, "RE2": RUNNING}
        world.put(new().stop_asked(step="card-entry", event_id="S", now=world.clock.now(), by="flow"))
        world.enter(recording_id="RE2")

        assert world.statuses == {"stopped"}

    def test_no_time_to_ask_at_all(self, world):
        """Without the time to ask, the pause is on record, reminded of and due at once, and nothing is claimed."""
        entered = world.enter(budget=0.01)

        assert (entered.verdict, entered.error, world.vendor.asked) == (
            Verdict.UNKNOWN,
            errors.OutcomeUnknownError,
            [],
        )
        assert (world.ledger.due_at, len(world.timers.reminders)) == (world.clock.now() + AT_ONCE, 2)

    def test_no_time_to_prove_it_afresh(self, world):
        """Nor is a pause that was proven before taken for proof of the one that could not be asked for."""
        world.enter("other")
        entered = world.enter(budget=0.01)

        assert (entered.verdict, entered.safe_to_collect) == (Verdict.UNKNOWN, False)

    def test_scenario_26_entered_again_is_proven_afresh(self, world):
        """A step that is entered again asks the vendor again."""
        world.enter()
        world.vendor.statuses["RE1"] = RUNNING  # somebody else resumed it

        assert world.enter().verdict is Verdict.CONFIRMED
        assert (world.commands, world.statuses) == (["pause"], {"paused"})


class TestErrand:
    """One named recording is stopped, whatever is desired of the call."""

    def test_the_named_one(self, world):
        """The stop is sent for that recording alone; what the others are to be stays as it is."""
        world.vendor.statuses = {"RE1": RUNNING, "RE2": RUNNING}
        world.enter()
        stopped = world.stop(recording_id="RE2")

        assert (stopped.verdict, world.vendor.asked) == (Verdict.CONFIRMED, [("stop", "RE2")])
        assert [each.recording_id for each in stopped.recordings] == ["RE2"]
        assert (world.ledger.desired, world.ledger.lease, world.ledger.matches) == (Action.PAUSE, None, False)
        world.wake(world.timers.reminders[-1][1])
        assert world.ledger.matches

    def test_on_a_call_that_is_as_desired(self, world):
        """An errand is run also where nothing else is to be done, and while a doubt is waited for."""
        world.enter()
        world.vendor.lag = 9_999.0
        world.vendor.fail("resume", Fault(error=lost()))
        world.leave()
        world.vendor.lag = 0.0
        world.enter()
        assert world.ledger.doubtful(world.clock.now())

        assert world.stop(recording_id="RE1").verdict is Verdict.CONFIRMED

    def test_somebody_else_commands(self, world):
        """An errand waits for its turn, and is unknown if that does not come."""
        taken_by_other(world, enter(new(), world.clock.now()))
        stopped = world.stop(recording_id="RE1")

        assert (stopped.verdict, stopped.error, world.vendor.asked) == (
            Verdict.UNKNOWN,
            errors.OutcomeUnknownError,
            [],
        )

    def test_on_a_call_that_is_over(self, world):
        """Even a call that counts as over is asked: the flow named what it wants stopped."""
        world.put(new()._over(world.clock.now(), "vendor"))
        world.stop(recording_id="RE1")

        assert world.commands == ["stop"]


class TestFoundRunning:
    """A tape that we had paused runs."""

    def test_scenario_31_somebody_else_resumed_it(self, world):
        """On `left` it is found out, before anything is sent, and told to operators."""
        world.enter()
        world.vendor.statuses["RE1"] = RUNNING
        left = world.leave()

        assert (left.verdict, world.commands, world.notices) == (Verdict.CONFIRMED, [], [Notice.FOUND_RUNNING])

    def test_scenario_31_it_is_found_by_the_next_step_too(self, world):
        """So it is where a vendor lists the recordings before a pause."""
        world.vendor.current_recording = None
        world.enter()
        world.vendor.statuses["RE1"] = RUNNING
        entered = world.enter(step="identity-check")

        assert (entered.verdict, world.notices) == (Verdict.CONFIRMED, [Notice.FOUND_RUNNING])

    def test_a_tape_that_is_as_we_left_it(self, world):
        """A tape that is paused, as it should be, is no news."""
        world.enter()
        world.leave()
        world.leave()

        assert world.notices == []
