"""A call whose recordings belong to the leg that it was made from: each leg has its own ledger, and a trigger is of both."""

from collections.abc import Callable

import pytest

from call_recording import errors
from call_recording.ledger import CallLedger
from call_recording.model import Action, Call, Notice, RecordingStatus, Reminder, Verdict
from tests.unit.fake_stores import unavailable
from tests.unit.fake_vendor import Fault, lost
from tests.unit.fake_world import World

RUNNING, PAUSED, STOPPED = RecordingStatus.IN_PROGRESS, RecordingStatus.PAUSED, RecordingStatus.STOPPED
COMPLETED = RecordingStatus.COMPLETED
PARENT = "CA-parent"


@pytest.fixture(name="world")
def _world() -> World:
    world = World()
    world.vendor.leg = PARENT
    return world


def parent(world: World) -> CallLedger:
    """The ledger of the leg that the call was made from."""
    return world.ledgers.of("acme", PARENT)


def reminders(world: World, step: str | None = "card-entry") -> dict[str, tuple[float, Reminder]]:
    """The reminders that were sent of a step, by call."""
    return {each.call.call_id: (at, each) for at, each in world.timers.reminders if each.step == step}


def without(world: World, call_id: str) -> Callable[[CallLedger], CallLedger]:
    """What saves the ledgers of all calls but one."""
    original = world.ledgers.save

    def save(ledger: CallLedger) -> CallLedger:
        if ledger.call.call_id == call_id:
            raise unavailable()
        return original(ledger)

    return save


def deliver(world: World) -> None:
    """Do what comes back to us by itself, from the queue and each minute."""
    for at, reminder in list(world.timers.reminders):
        if at <= world.clock.now():
            world.wake(reminder)
    world.sweep()


def both_recorded(world: World) -> None:
    """Let the call have a recording of its own too, and its list name those of the other leg."""
    world.vendor.statuses = {"RE1": RUNNING, "RE2": RUNNING}
    world.vendor.legs = {"RE2": "CA"}
    world.vendor.lists_all = True
    world.vendor.current_recording = None


class TestScenario13:
    """A two-leg call: the trigger names one leg, the tape runs on the other."""

    def test_scenario_13_entered(self, world):
        """The tape is found where it runs, and the pause is confirmed of the call that was asked for."""
        entered = world.enter(event_id="E1")

        assert (entered.verdict, entered.safe_to_collect, world.statuses) == (Verdict.CONFIRMED, True, {"paused"})
        assert entered.as_dict()["call_id"] == "CA"
        assert [each.recording_id for each in entered.recordings] == ["RE1"]
        assert world.observer.outcomes == [(entered, None)]

    def test_scenario_13_each_leg_has_its_ledger(self, world):
        """Both ledgers have the same pause of the same event, and each a reminder of its own."""
        entered = world.enter(event_id="E1")
        here, there = world.ledger.pauses["card-entry"], parent(world).pauses["card-entry"]

        assert here.pause_id == there.pause_id == entered.as_dict()["pause"]["id"]
        assert world.ledger.seen == parent(world).seen
        assert (world.ledger.parent, parent(world).parent) == (PARENT, None)
        assert reminders(world).keys() == {"CA", PARENT}
        assert world.ledger.known.shows_none_live

    def test_scenario_13_a_named_recording(self, world):
        """A recording that the flow names, and that is the other leg's, is no failure of the call's own."""
        entered = world.enter(recording_id="RE1")

        assert (entered.verdict, entered.safe_to_collect, world.statuses) == (Verdict.CONFIRMED, True, {"paused"})
        assert (world.ledger.matches, parent(world).matches) == (True, True)

    def test_scenario_13_left(self, world):
        """The last step that is left, whichever leg it names, lets the tape go on."""
        world.enter()
        left = world.leave()

        assert (left.verdict, left.error, world.statuses) == (Verdict.CONFIRMED, None, {"in-progress"})
        assert (world.ledger.pauses, parent(world).pauses) == ({}, {})

    @pytest.mark.parametrize("is_entered", [False, True])
    def test_scenario_13_a_step_of_the_other_leg_is_open(self, world, is_entered):
        """What is left on one leg does not break the pause of a step that was entered on the other."""
        assert world.enter("identity-check", call_id=PARENT).safe_to_collect
        if is_entered:
            assert world.enter().safe_to_collect
        left = world.leave()

        assert (left.verdict, left.error, world.statuses) == (Verdict.HELD, None, {"paused"})
        assert world.leave("identity-check", call_id=PARENT).verdict is Verdict.CONFIRMED
        assert world.statuses == {"in-progress"}

    def test_scenario_13_and_the_other_way_round(self, world):
        """What is left on the leg that the call was made from does not break the pause of the call's step."""
        world.enter()
        world.enter("identity-check", call_id=PARENT)

        assert world.leave("identity-check", call_id=PARENT).verdict is Verdict.HELD
        assert world.statuses == {"paused"}
        assert world.leave().verdict is Verdict.CONFIRMED

    def test_scenario_13_left_where_nothing_was_entered(self, world):
        """A step that was never entered is left with the tape as it was, and both legs say so."""
        left = world.leave()

        assert (left.verdict, world.statuses) == (Verdict.CONFIRMED, {"in-progress"})

    def test_scenario_13_without_a_ledger(self, world):
        """A step that is left on a leg of which nothing is on record is still held by the other leg's pause."""
        world.enter("identity-check", call_id=PARENT)
        with pytest.raises(KeyError):
            world.ledgers.of("acme", "CA")
        left = world.leave()

        assert (left.verdict, world.ledger.parent, world.statuses) == (Verdict.HELD, PARENT, {"paused"})

    def test_scenario_13_stop(self, world):
        """A stop for good stops the tape where it runs."""
        world.enter()
        stopped = world.stop()

        assert (stopped.verdict, stopped.error, world.statuses) == (Verdict.CONFIRMED, None, {"stopped"})
        assert (world.ledger.stopped, parent(world).stopped) == (True, True)

    @pytest.mark.parametrize("is_known", [False, True])
    def test_scenario_13_stop_of_one(self, world, is_known):
        """A stop of one recording finds it on the other leg, and only that one is stopped."""
        world.vendor.statuses = {"RE1": RUNNING, "RE2": RUNNING}
        if is_known:
            world.enter()
        stopped = world.stop(recording_id="RE1")

        assert (stopped.verdict, stopped.error) == (Verdict.CONFIRMED, None)
        assert world.vendor.statuses == {"RE1": STOPPED, "RE2": PAUSED if is_known else RUNNING}

    def test_scenario_13_stop_of_one_that_is_nowhere(self, world):
        """A stop of a recording that neither leg has is refused."""
        stopped = world.stop(recording_id="RE9")

        assert (stopped.verdict, stopped.error) == (Verdict.FAILED, errors.RecordingNotFoundError)

    def test_scenario_13_nothing_is_recorded(self, world):
        """If neither leg is recorded that is the answer."""
        world.vendor.statuses = {}

        assert world.enter().error is errors.NotRecordingError

    def test_scenario_14_the_same_event(self, world):
        """An event that is told twice opens one pause on each leg, and both prove it again."""
        first = world.enter(event_id="E1")
        again = world.enter(event_id="E1")

        assert (first.verdict, again.verdict, again.safe_to_collect) == (Verdict.CONFIRMED, Verdict.CONFIRMED, True)
        assert first.as_dict()["pause"] == again.as_dict()["pause"]
        assert (parent(world).pauses["card-entry"].entries, set(world.commands)) == (1, {"pause"})

    def test_scenario_14_left_twice(self, world):
        """So does one that is left twice."""
        world.enter()
        world.leave(event_id="E2")

        assert world.leave(event_id="E2").verdict is Verdict.CONFIRMED
        assert world.statuses == {"in-progress"}


class TestBothRecorded:
    """Each leg has a tape."""

    def test_scenario_13_both_are_paused(self, world):
        """Both tapes are paused by their own leg, and both go on."""
        both_recorded(world)

        assert world.enter().safe_to_collect
        assert world.statuses == {"paused"}
        assert world.leave().verdict is Verdict.CONFIRMED
        assert world.statuses == {"in-progress"}

    def test_scenario_13_one_that_started_since(self, world):
        """A tape of the call's own that starts later is paused with the other one."""
        world.enter("identity-check")
        world.vendor.statuses["RE2"], world.vendor.legs = RUNNING, {"RE2": "CA"}

        assert world.enter().safe_to_collect
        assert world.statuses == {"paused"}

    def test_scenario_13_the_call_s_own_fails(self, world):
        """Where the call's own tape is not paused, the other one's pause is no consolation."""
        both_recorded(world)
        refused = world.vendor.refusal(errors.VendorResponseError, 422)
        world.vendor.fail("pause", *[Fault(error=refused, applied=False) for _ in range(1)])
        entered = world.enter()

        assert (entered.error, entered.safe_to_collect) == (errors.VendorResponseError, False)
        assert world.vendor.statuses == {"RE1": PAUSED, "RE2": RUNNING}

    def test_scenario_13_the_other_fails(self, world):
        """Nor the other way round."""
        both_recorded(world)
        refused = world.vendor.refusal(errors.VendorResponseError, 422)
        original = world.vendor.update

        def update(call: Call, recording_id: str | None, action: Action, *, timeout: float) -> object:
            if call.call_id == PARENT:
                raise refused
            return original(call, recording_id, action, timeout=timeout)

        world.vendor.update = update
        entered = world.enter()

        assert (entered.error, entered.safe_to_collect) == (errors.VendorResponseError, False)
        assert world.vendor.statuses == {"RE1": RUNNING, "RE2": PAUSED}


class TestLater:
    """What comes back to us is of one leg alone."""

    def late(self, world: World) -> None:
        """Let both deadlines pass."""
        world.enter()
        world.clock.sleep(302.0)

    def test_scenario_23_the_deadline(self, world):
        """The reminder of the leg that has the tape lets it go on."""
        self.late(world)
        world.wake(reminders(world)[PARENT][1])

        assert (world.statuses, parent(world).pauses) == ({"in-progress"}, {})
        assert world.observer.notices == [(Notice.PAUSE_EXPIRED, PARENT, "card-entry")]

    def test_scenario_23_the_call_s_own(self, world):
        """The call's own reminder ends its own pause, and touches no tape."""
        self.late(world)
        world.wake(reminders(world)["CA"][1])

        assert (world.statuses, world.ledger.pauses, world.commands) == ({"paused"}, {}, [])

    def test_scenario_23_the_call_s_own_comes_first(self, world):
        """Nor does it break what is entered on the other leg meanwhile."""
        self.late(world)
        world.enter("identity-check", call_id=PARENT)
        for _, reminder in reminders(world).values():
            world.wake(reminder)

        assert world.statuses == {"paused"}

    def test_scenario_27_the_sweep(self, world):
        """Without any reminder the sweep settles both."""
        self.late(world)
        world.timers.reminders.clear()
        world.sweep()

        assert (world.statuses, parent(world).pauses, world.ledger.pauses) == ({"in-progress"}, {}, {})
        world.settle()
        assert (world.ledger.due_at, parent(world).due_at, world.statuses) == (None, None, {"in-progress"})

    def test_scenario_08_a_tape_of_the_call_s_own(self, world):
        """A tape of the call's own that starts during the pause is paused within a minute or so."""
        world.enter()
        world.vendor.statuses["RE2"], world.vendor.legs = RUNNING, {"RE2": "CA"}
        world.clock.sleep(61.0)
        world.sweep()

        assert world.statuses == {"paused"}


class TestFoundLater:
    """At first nobody could tell that the tape is the other leg's."""

    @pytest.mark.parametrize(("action", "status"), [(Action.PAUSE, "paused"), (Action.STOP, "stopped")])
    def test_scenario_13_a_silent_vendor(self, world, action, status):
        """What was asked for while the vendor was silent is carried out where the tape runs, once it speaks."""
        world.vendor.fail("any", *[Fault(error=lost(), applied=False) for _ in range(40)])
        asked = world.handle(action)
        world.vendor.faults.clear()

        assert (asked.verdict, asked.safe_to_collect) == (Verdict.UNKNOWN, False)
        for _ in range(2):
            world.clock.sleep(60.0)
            world.sweep()
        assert world.statuses == {status}

    @pytest.mark.parametrize("by", ["timer", "sweep"])
    def test_scenario_13_without_the_other_leg_s_ledger(self, world, by):
        """If the other leg's ledger cannot be written just then, somebody comes back for it."""
        world.vendor.fail("any", *[Fault(error=lost(), applied=False) for _ in range(40)])
        world.stop()
        world.vendor.faults.clear()
        original, world.ledgers.save = world.ledgers.save, without(world, PARENT)
        world.clock.sleep(60.0)
        world.timers.reminders.clear()
        if by == "sweep":
            world.sweep()
            assert Notice.NOT_LOOKED_AT in world.notices
        else:
            with pytest.raises(errors.UnavailableError):
                world.wake()
        world.ledgers.save = original
        world.clock.sleep(60.0)
        if by == "sweep":
            deliver(world)
        else:
            world.wake()
        assert world.statuses == {"stopped"}


class TestTransfer:
    """The leg that the call was made from has ended."""

    def test_scenario_13_the_call_goes_on_alone(self, world):
        """A tape of the call's own is paused and goes on, whatever became of the other leg's."""
        world.enter("identity-check")
        world.leave("identity-check")
        world.vendor.statuses = {"RE1": COMPLETED, "RE2": RUNNING}
        world.vendor.legs = {"RE2": "CA"}
        entered = world.enter()

        assert (entered.verdict, entered.safe_to_collect) == (Verdict.CONFIRMED, True)
        assert world.leave().verdict is Verdict.CONFIRMED
        assert world.vendor.statuses == {"RE1": COMPLETED, "RE2": RUNNING}

    @pytest.mark.parametrize("is_recorded", [True, False])
    def test_scenario_13_the_other_leg_is_over(self, world, is_recorded):
        """Once the other leg is over, the answer is the call's own."""
        world.enter("identity-check")
        world.leave("identity-check")
        world.vendor.ended = {PARENT}
        world.vendor.statuses = {"RE1": COMPLETED} | ({"RE2": RUNNING} if is_recorded else {})
        world.vendor.legs = {"RE2": "CA"}
        entered = world.enter()

        assert (entered.verdict, entered.error) == (
            (Verdict.CONFIRMED, None) if is_recorded else (Verdict.NOT_RECORDING, errors.NotRecordingError)
        )
        left = world.leave()
        assert (left.verdict, left.error) == (Verdict.CONFIRMED if is_recorded else Verdict.NOT_RECORDING, None)
        world.settle()
        assert parent(world).over

    def test_scenario_13_the_call_is_over(self, world):
        """If the call itself is over when its step is left, the other leg's tape goes on all the same."""
        world.enter()
        world.vendor.ended = {"CA"}
        world.clock.sleep(61.0)
        world.sweep()
        assert (world.ledger.over, world.statuses) == (True, {"paused"})
        left = world.leave()

        assert (left.error, world.statuses) == (None, {"in-progress"})

    def test_scenario_13_a_list_of_another_call(self, world):
        """Recordings of a leg that is not the call's are touched by nobody, and prove nothing."""
        world.vendor.statuses = {"RE1": RUNNING, "RE9": RUNNING}
        world.vendor.legs = {"RE9": "CX"}
        world.vendor.lists_all = True
        entered = world.enter()

        assert (entered.safe_to_collect, world.vendor.statuses["RE9"]) == (False, RUNNING)


class TestDoubt:
    """A pause that was sent on one leg may act on the other's tape."""

    def test_scenario_17_it_is_noted_on_the_other_leg(self, world):
        """A pause without an answer leaves a doubt on the other leg too: no resume there is final before it is over."""
        world.vendor.fail("pause", Fault(error=lost(), applied=False))
        entered = world.enter()

        assert (entered.verdict, world.statuses) == (Verdict.CONFIRMED, {"paused"})
        assert parent(world).doubts.unheard > world.clock.now()
        assert "found without record" in [event.what for event in parent(world).events]
        world.leave()
        assert (parent(world).matches, world.statuses) == (False, {"in-progress"})
        world.vendor.statuses["RE1"] = PAUSED  # as was to be feared
        world.settle()
        assert world.statuses == {"in-progress"}

    def test_scenario_17_no_doubt(self, world):
        """A pause that was refused there leaves none."""
        world.enter()

        assert parent(world).doubts.unheard == 0.0


class TestScenario29:
    """The ledgers cannot be read or written."""

    def test_scenario_29_a_pause_goes_to_both(self, world):
        """A pause is sent where the tape runs, with a word for whoever has a ledger of that leg again."""
        world.ledgers.failure = unavailable()
        entered = world.enter()

        assert (entered.verdict, entered.error, world.statuses) == (
            Verdict.UNKNOWN,
            errors.UnavailableError,
            {"paused"},
        )
        blind = {
            each.call.call_id: each for _, each in world.timers.reminders if (each.pause_id or "").startswith("blind")
        }
        assert blind.keys() == {"CA", PARENT}
        assert blind["CA"].pause_id != blind[PARENT].pause_id
        world.ledgers.failure = None
        world.clock.sleep(27.0)
        for each in blind.values():
            world.wake(each)
        world.settle()
        assert world.statuses == {"in-progress"}

    def test_scenario_29_the_other_leg_s_ledger_alone(self, world):
        """If only the other leg's ledger is out of reach, what was sent there proves nothing."""
        world.ledgers.save = without(world, PARENT)
        entered = world.enter()

        assert (entered.verdict, entered.safe_to_collect, world.statuses) == (Verdict.UNKNOWN, False, {"paused"})
        assert world.observer.notices == [(Notice.LEDGER_UNAVAILABLE, "CA", "card-entry")]
        assert world.observer.reasons == ["it does not answer"]

    def test_scenario_29_a_resume_is_not_sent(self, world):
        """Nor is a resume sent then; told again, it is carried out on that leg."""
        world.enter()
        world.ledgers.before.append(
            ("save", lambda: setattr(world.ledgers, "failure", unavailable() if world.ledger.seen else None))
        )
        with pytest.raises(errors.UnavailableError):
            world.leave(event_id="E2")

        assert world.statuses == {"paused"}
        world.ledgers.failure = None
        assert world.leave(event_id="E2").verdict is Verdict.CONFIRMED
        assert world.statuses == {"in-progress"}
