"""That a call is over, by somebody's word: it closes nothing that is open until the call's vendor shows it."""

import pytest

from call_recording import errors
from call_recording.ledger import CallLedger
from call_recording.model import Happening, RecordingStatus, Verdict
from tests.unit.fake_vendor import Fault, lost
from tests.unit.fake_world import World

OVER = Happening.CALL_OVER
RUNNING = RecordingStatus.IN_PROGRESS
PARENT = "CA-parent"
HASH = "0123456789abcdef" * 4


@pytest.fixture(name="world")
def _world() -> World:
    return World()


@pytest.fixture(name="legs")
def _legs() -> World:
    """A two-leg call whose tape is the parent's."""
    world = World()
    world.vendor.leg = PARENT
    return world


def parent(world: World) -> CallLedger:
    """The ledger of the leg that the call was made from."""
    return world.ledgers.of("acme", PARENT)


def hang_up(world: World) -> None:
    """Let the call end at its vendor, and its tapes with it."""
    world.vendor.live = False
    world.vendor.statuses = dict.fromkeys(world.vendor.statuses, RecordingStatus.COMPLETED)


class TestOpen:
    """A pause is open."""

    def test_scenario_20_a_live_call(self, world):
        """As long as the vendor goes on with the call, the word ends nothing: the tape stays paused, and that is proven."""
        world.enter()
        pauses = world.ledger.pauses
        for number in range(3):
            world.happen(OVER, event_id=f"E{number}")

            assert (world.ledger.over, world.ledger.pauses, world.ledger.matches) == (False, pauses, True)
            assert (world.statuses, world.commands, world.events.count("told over")) == (
                {"paused"},
                ["pause"],
                number + 1,
            )
        assert world.leave().verdict is Verdict.CONFIRMED

    def test_scenario_20_a_tape_that_runs(self, world):
        """What the word finds running is paused: nobody's word lets a tape run in a card step."""
        world.enter()
        world.vendor.statuses["RE1"] = RUNNING
        world.happen(OVER)

        assert (world.statuses, world.ledger.matches) == ({"paused"}, True)

    def test_scenario_25_the_vendor_shows_it(self, world):
        """A call that its vendor shows over is over for good, at once."""
        world.enter()
        hang_up(world)
        world.happen(OVER, event_id=HASH)

        assert (world.ledger.over, world.ledger.presumed, world.ledger.due_at) == (True, False, None)
        assert (world.enter().error, world.leave().error) == (errors.ConflictError, errors.ConflictError)

    def test_scenario_25_a_vendor_that_answers_later(self, world):
        """What a vendor did not answer at first it is asked again, and what it shows then is final."""
        world.enter()
        hang_up(world)
        world.timers.reminders.clear()
        world.vendor.fail("any", *[Fault(error=lost(), applied=False) for _ in range(99)])
        world.happen(OVER, event_id=HASH)
        assert (world.ledger.over, world.ledger.pauses.keys()) == (False, {"card-entry"})
        [(at, reminder)] = world.timers.reminders
        assert at == world.ledger.due_at
        world.vendor.faults.clear()
        world.clock.sleep(at - world.clock.now())
        world.wake(reminder)

        assert (world.ledger.over, world.ledger.presumed, world.ledger.due_at) == (True, False, None)

    def test_scenario_25_a_vendor_that_knows_it_no_more(self, world):
        """A call that its vendor does not know is looked for a while, and then presumed over."""
        world.enter()
        world.vendor.statuses.clear()
        gone = world.vendor.refusal(errors.RecordingNotFoundError, 404)
        world.vendor.fail("call", *[Fault(error=gone) for _ in range(9_999)])
        world.happen(OVER)
        assert (world.ledger.over, world.ledger.pauses.keys()) == (False, {"card-entry"})
        world.settle()

        assert (world.ledger.over, world.ledger.presumed, world.ledger.pauses) == (True, True, {})

    def test_scenario_24_a_resume_that_is_owed(self, world):
        """With no pause open, but a tape that is not known to run again, the word ends nothing either."""
        world.enter()
        world.vendor.fail("any", *[Fault(error=lost(), applied=False) for _ in range(99)])
        world.leave()
        world.vendor.faults.clear()
        world.happen(OVER)

        assert (world.ledger.over, world.events.count("told over")) == (False, 1)
        world.settle()
        assert world.statuses == {"in-progress"}

    def test_scenario_14_the_same_word_again(self, world):
        """An event that comes a second time asks for nothing."""
        world.enter()
        world.happen(OVER, event_id=HASH)
        before = world.ledger
        world.happen(OVER, event_id=HASH)

        assert (world.ledger, world.vendor.asked) == (before, [])


class TestRaces:
    """A step is entered while somebody says that the call is over, of which nothing was open."""

    @pytest.mark.parametrize("loads", [1, 2, None], ids=["before", "between", "while it is written"])
    def test_scenario_17_the_step_stays_open(self, world, loads):
        """What was open when the word is written down counts: the tape stays paused, and so does one that starts then."""
        world.enter()
        world.leave()
        entered = []

        def enters() -> None:
            entered.append(world.enter().safe_to_collect)

        if loads == 2:
            world.ledgers.before.append(("load", lambda: world.ledgers.before.append(("load", enters))))
        else:
            world.ledgers.before.append(("save" if loads is None else "load", enters))
        world.happen(OVER, event_id=HASH)

        assert (entered, world.ledger.over, world.ledger.pauses.keys()) == ([True], False, {"card-entry"})
        world.start("RE2")
        assert (world.statuses, world.ledger.matches) == ({"paused"}, True)

    def test_scenario_17_somebody_commands(self, world):
        """While somebody has the lease the word only makes the holder look again."""
        world.vendor.meanwhile = lambda: world.happen(OVER, event_id=HASH)
        entered = world.enter()

        assert (entered.safe_to_collect, world.ledger.over, world.statuses) == (True, False, {"paused"})


class TestNothingOpen:
    """No pause is open, and the tape runs: the word is taken, and undone by the next one."""

    @pytest.fixture(autouse=True)
    def _over(self, world):
        world.enter()
        world.leave()
        world.happen(OVER, event_id=HASH)
        assert (world.ledger.over, world.ledger.presumed, world.vendor.asked) == (True, True, [])

    def test_scenario_20_a_step_is_entered(self, world):
        """A step that is entered later is looked after as if nobody had said anything."""
        entered = world.enter()

        assert (entered.verdict, entered.safe_to_collect, world.commands) == (Verdict.CONFIRMED, True, ["pause"])
        assert (world.ledger.over, world.ledger.presumed) == (False, False)
        assert world.leave().verdict is Verdict.CONFIRMED

    def test_scenario_20_it_is_stopped(self, world):
        """A stop finds the tape that runs, and stops it."""
        assert (world.stop().verdict, world.statuses) == (Verdict.CONFIRMED, {"stopped"})

    def test_scenario_25_it_was_over(self, world):
        """If it is over indeed, the vendor says so to whoever enters a step."""
        hang_up(world)

        assert world.enter().safe_to_collect is False

    def test_scenario_14_the_same_word_again(self, world):
        """The event that has closed it once closes what was opened since no second time, whatever the vendor shows."""
        world.enter()
        hang_up(world)
        world.happen(OVER, event_id=HASH)

        assert (world.ledger.over, world.ledger.pauses.keys()) == (False, {"card-entry"})


class TestLegs:
    """A call that was made from another one, whose tape it is."""

    @pytest.mark.parametrize("accept_not_recording", [False, True])
    def test_scenario_20_the_parent_is_over_by_a_word(self, legs, accept_not_recording):
        """Whatever a webhook says of the parent: its tape is looked at, and nothing is safe while it runs."""
        legs.own = World(accept_not_recording=accept_not_recording).own
        legs.enter()
        legs.leave()
        legs.happen(OVER, call_id=PARENT)
        assert (parent(legs).over, parent(legs).presumed) == (True, True)
        entered = legs.enter()

        assert (entered.verdict, entered.safe_to_collect, legs.statuses) == (Verdict.CONFIRMED, True, {"paused"})

    @pytest.mark.parametrize("accept_not_recording", [False, True])
    def test_scenario_20_and_its_vendor_fails(self, legs, accept_not_recording):
        """If the parent's tape cannot be paused then, the word that it is over makes nothing safe."""
        legs.own = World(accept_not_recording=accept_not_recording).own
        legs.enter()
        legs.leave()
        legs.happen(OVER, call_id=PARENT)
        legs.vendor.fail("pause", *[Fault(error=lost(), applied=False) for _ in range(99)])
        entered = legs.enter()

        assert (entered.safe_to_collect, legs.statuses) == (False, {"in-progress"})

    def test_scenario_13_the_child_is_over_and_left(self, legs):
        """A `left` by the id of a child that is over releases the parent's pause, and is answered by the parent."""
        legs.enter()
        legs.vendor.ended.add("CA")
        legs.happen(OVER)
        assert (legs.ledger.over, legs.ledger.presumed, legs.statuses) == (True, False, {"paused"})
        left = legs.leave()

        assert (left.verdict, left.error, legs.statuses) == (Verdict.CONFIRMED, None, {"in-progress"})
        assert (left.as_dict()["call_id"], parent(legs).pauses) == ("CA", {})

    def test_scenario_44_another_step_is_open_on_the_parent(self, legs):
        """The parent's answer is the parent's: while another step is open there the tape stays paused."""
        legs.enter("other-step", call_id=PARENT)
        legs.enter()
        legs.vendor.ended.add("CA")
        legs.happen(OVER)

        assert (legs.leave().verdict, legs.statuses) == (Verdict.HELD, {"paused"})

    def test_scenario_13_the_child_is_over_and_entered(self, legs):
        """A step that is entered by the id of a child that is over is never safe, though the parent's tape is paused."""
        legs.enter()
        legs.vendor.ended.add("CA")
        legs.happen(OVER)
        entered = legs.enter()

        assert (entered.safe_to_collect, entered.error) == (False, errors.ConflictError)
