"""The rules of docs/reliability.md, each by the shortest story that goes wrong without it.

The simulation (tests/simulation) finds what nobody thought of; these say in a few lines what each rule is for.
"""

import threading
from dataclasses import replace

import pytest

from call_recording import errors
from call_recording.ledger_parts import SKEW
from call_recording.model import Action, Call, RecordingStatus, Reminder, Verdict
from tests.unit.fake_stores import unavailable
from tests.unit.fake_vendor import Fault, lost
from tests.unit.fake_world import World
from tests.unit.ledger_words import TIMING, take

PAUSED, RUNNING = RecordingStatus.PAUSED, RecordingStatus.IN_PROGRESS
IN_FLIGHT = TIMING.in_flight


@pytest.fixture(name="world")
def _world() -> World:
    return World()


def lost_resume(world: World, *, lands_in: float | None) -> None:
    """Leave the step; the resume gets no answer, and is carried out later, if at all."""
    world.vendor.lag = 10_000.0 if lands_in is None else lands_in
    world.vendor.fail("resume", Fault(error=lost()))
    world.leave()
    world.vendor.lag = 0.0


class TestIntent:
    """From the put that takes the lease until its holder is done, nobody uses what was known."""

    def test_scenario_17_no_verdict_while_somebody_commands(self, world):
        """Step B, entered while A's resume is under way, is not told that the tape is paused, though it was a moment ago."""
        world.enter("a")
        answers = []
        world.vendor.meanwhile = lambda: answers.append(world.enter("b", budget=1.0))
        world.leave("a")

        [answer] = answers
        assert (answer.verdict, answer.safe_to_collect) == (Verdict.UNKNOWN, False)

    def test_scenario_17_the_holder_sees_to_it(self, world):
        """The holder of the lease finds that step when it records its outcome, and pauses for it."""
        world.enter("a")
        world.vendor.meanwhile = lambda: world.enter("b", budget=0.2)
        left = world.leave("a")

        assert (left.verdict, world.statuses, world.ledger.matches) == (Verdict.HELD, {"paused"}, True)


class TestDoubt:
    """A command without an answer may take effect as long as the account says that it can."""

    def test_scenario_17_a_late_resume(self, world):
        """While a resume is in doubt no pause is confirmed, though the vendor shows one."""
        world.enter()
        lost_resume(world, lands_in=6.0)
        entered = world.enter()

        assert (entered.verdict, entered.safe_to_collect, world.statuses) == (Verdict.UNKNOWN, False, {"paused"})
        world.clock.sleep(5.0)
        world.vendor.read(Call(call_id="CA"), "RE1", timeout=1.0)
        assert world.statuses == {"in-progress"}  # as was to be feared

    def test_scenario_17_and_afterwards(self, world):
        """Once it can take effect no more, the next pause is confirmed."""
        world.enter()
        lost_resume(world, lands_in=None)
        world.clock.sleep(IN_FLIGHT + SKEW + 1)

        assert world.enter().verdict is Verdict.CONFIRMED

    def test_scenario_17_a_doubt_that_ends_soon_is_waited_for(self, world):
        """A doubt that is over inside the budget is waited for, and the pause then proven by another command."""
        world.enter()
        lost_resume(world, lands_in=None)
        doubt = world.ledger.doubts.resume
        world.clock.sleep(doubt - world.clock.now() - 1.5)
        entered = world.enter()

        assert entered.verdict is Verdict.CONFIRMED
        assert world.commands == ["pause", "pause"]
        assert world.clock.now() > doubt

    def test_scenario_17_asked_before_and_answered_after(self, world):
        """What counts is when the pause was asked for: an answer after the doubt's end proves nothing by itself."""
        world.enter()
        lost_resume(world, lands_in=None)
        world.clock.sleep(world.ledger.doubts.resume - world.clock.now() - 0.5)
        world.vendor.fail("pause", Fault(takes=1.0))
        entered = world.enter(budget=1.3)

        assert entered.safe_to_collect is False

    def test_scenario_04_a_late_pause(self, world):
        """A pause without an answer is in doubt too: a step that is left stays due until nothing can undo the resume."""
        world.vendor.lag = 10.0
        world.vendor.fail("any", *[Fault(error=lost()) for _ in range(30)])
        world.enter()
        world.vendor.faults.clear()
        world.vendor.lag = 0.0
        left = world.leave()

        assert left.error is not None  # or in-progress is told, and a pause that lands later undoes it unseen
        assert world.ledger.due_at is not None
        world.clock.sleep(10.0)
        world.vendor.read(Call(call_id="CA"), "RE1", timeout=1.0)
        assert world.statuses == {"paused"}
        world.settle()
        assert world.statuses == {"in-progress"}

    @pytest.mark.parametrize("starts_first", [True, False])
    def test_scenario_07_a_late_pause_on_what_starts_since(self, starts_first):
        """A pause without an answer, sent while nothing was recorded, may yet find what starts since: that goes on too."""
        world = World(accept_not_recording=True)
        world.vendor.statuses = {}
        world.vendor.fail("pause", Fault(error=lost(), applied=False))
        world.vendor.later.append((world.clock.monotonic() + 10.0, "RE2", PAUSED))  # it lands then
        assert world.enter().verdict is Verdict.NOT_RECORDING
        world.vendor.statuses = {"RE2": RUNNING} if starts_first else {}
        left = world.leave()

        assert starts_first or (left.verdict, left.error) == (Verdict.UNKNOWN, errors.OutcomeUnknownError)
        assert world.ledger.due_at is not None  # or nobody would look again
        world.vendor.statuses = {"RE2": RUNNING}
        world.clock.sleep(10.0)
        world.vendor.read(Call(call_id="CA"), "RE2", timeout=1.0)
        assert world.statuses == {"paused"}
        world.settle()
        assert world.statuses == {"in-progress"}

    def test_scenario_07_after_the_doubt(self):
        """Once that pause can act no more, that nothing is recorded is an answer to `left` again."""
        world = World(accept_not_recording=True)
        world.vendor.statuses = {}
        world.vendor.fail("pause", Fault(error=lost(), applied=False))
        world.enter()
        world.clock.sleep(IN_FLIGHT + SKEW + 5.0)
        left = world.leave()

        assert (left.verdict, left.error, world.ledger.due_at) == (Verdict.NOT_RECORDING, None, None)

    def test_scenario_02_seen_to_be_done(self, world):
        """A resume whose answer was lost, but that a read shows to be done, leaves no doubt: the next pause is confirmed."""
        world.enter()
        world.clock.sleep(1.0)
        world.vendor.fail("resume", Fault(error=lost()))

        assert world.leave().verdict is Verdict.CONFIRMED
        world.clock.sleep(1.0)
        assert world.enter().verdict is Verdict.CONFIRMED

    def test_scenario_02_a_read_that_is_no_proof(self, world):
        """But not if an older doubt leaves open whose work it was that the read shows."""
        world.enter()
        lost_resume(world, lands_in=None)
        world.clock.sleep(2.0)
        world.vendor.fail("resume", Fault(error=lost()))
        world.wake()
        until = world.ledger.doubts.resume

        assert until == world.ledger.doubts.resume > world.clock.now() + IN_FLIGHT


class TestReadLag:
    """Reads may be old."""

    def test_scenario_03_an_old_read(self):
        """After a resume, a read that still shows the pause of before proves nothing."""
        world = World(read_lag_ms=3000)
        world.vendor.current_recording = None
        world.enter()
        world.clock.sleep(10.0)
        world.leave()
        world.vendor.fail("list", Fault(word=PAUSED))
        entered = world.enter()

        assert (world.commands, world.statuses) == ([], {"in-progress"})
        assert entered.safe_to_collect is False


class TestDue:
    """What is not settled is found by the sweep, whatever got lost."""

    def test_scenario_24_a_refused_resume(self, world):
        """A resume that is refused, after the last pause was closed, is sent again until it works."""
        world.enter()
        refused = world.vendor.refusal(errors.VendorResponseError, 422)
        world.vendor.fail("resume", *[Fault(error=refused, applied=False) for _ in range(5)])
        left = world.leave()

        assert (left.verdict, left.error) == (Verdict.FAILED, errors.VendorResponseError)
        assert (world.ledger.pauses, world.statuses) == ({}, {"paused"})
        world.settle()
        assert world.statuses == {"in-progress"}

    @pytest.mark.parametrize("applied", [True, False])
    def test_scenario_28_killed_between_command_and_record(self, world, applied):
        """A holder that is killed leaves its lease: when it has lapsed the vendor is read, and not guessed about."""
        world.enter()
        world.put(take(world.ledger, world.clock.now(), holder="killed", action=Action.RESUME))
        world.vendor.statuses["RE1"] = RUNNING if applied else PAUSED
        world.leave(budget=0.5)
        assert world.commands == []

        world.settle()
        assert world.statuses == {"in-progress"}
        assert "holder lost" in world.events

    def test_scenario_28_killed_before_it_was_left(self, world):
        """A pause whose handler was killed before it asked the vendor is carried out by the sweep."""
        world.vendor.meanwhile = None
        world.put(take(applied_pause(world), world.clock.now(), holder="killed"))
        world.clock.sleep(30.0)
        world.sweep()

        assert (world.statuses, world.ledger.matches) == ({"paused"}, True)

    def test_scenario_27_a_lost_timer(self, world):
        """A timer that never comes is made up for by the sweep: within a minute after the deadline the tape goes on."""
        world.enter()
        world.timers.reminders.clear()
        world.clock.sleep(300.0 + SKEW + 60.0)
        world.sweep()

        assert world.statuses == {"in-progress"}


def applied_pause(world: World):
    """The ledger of the call with a pause that nobody has asked the vendor for."""
    world.ledgers.before.append(("save", lambda: None))
    world.enter(budget=0.01)
    world.timers.reminders.clear()
    assert world.commands == []
    return world.ledger


class TestNow:
    """Answers are made from what holds now."""

    def test_scenario_14_a_duplicate_after_left(self, world):
        """An `entered` that is delivered once more after the step was left is not told what the first was told."""
        assert world.enter(event_id="E1").safe_to_collect
        world.leave()
        again = world.enter(event_id="E1")

        assert (again.verdict, again.error, again.safe_to_collect) == (Verdict.FAILED, errors.ConflictError, False)
        assert (world.statuses, world.ledger.pauses) == ({"in-progress"}, {})

    def test_scenario_14_a_duplicate_while_it_holds(self, world):
        """One that is delivered once more while its pause holds opens nothing; what holds is proven afresh."""
        first = world.enter(event_id="E1")
        world.clock.sleep(9.0)
        again = world.enter(event_id="E1")

        assert (again.verdict, again.safe_to_collect, world.commands) == (Verdict.CONFIRMED, True, ["pause"])
        assert again.as_dict()["pause"] == first.as_dict()["pause"]

    def test_scenario_14_a_duplicate_late_in_a_long_call(self, world):
        """So it is where the ledger has noted more than it keeps."""
        world.enter(event_id="E1")
        world.put(replace(world.ledger, folded=1_000))
        world.clock.sleep(9.0)
        world.vendor.statuses["RE1"] = RecordingStatus.IN_PROGRESS  # somebody else has resumed it
        again = world.enter(event_id="E1")

        assert (again.safe_to_collect, world.statuses, world.commands) == (True, {"paused"}, ["pause"])
        assert world.ledger.answered_since(world.ledger.noted - 1)
        assert not world.ledger.answered_since(world.ledger.noted)

    def test_scenario_14_a_duplicate_after_the_call(self, world):
        """A duplicate of a call that has ended meanwhile, unheard, is not answered from memory."""
        world.enter(event_id="E1")
        world.vendor.hang_up()
        world.clock.sleep(9.0)
        again = world.enter(event_id="E1")

        assert (again.error, again.safe_to_collect) == (errors.ConflictError, False)

    def test_scenario_14_a_duplicate_after_its_deadline(self, world):
        """After the deadline that it was told, a pause is not safe, whether or not anybody has ended it."""
        world.enter(event_id="E1")
        world.clock.sleep(300.0)
        again = world.enter(event_id="E1")

        assert (again.error, again.safe_to_collect, world.statuses) == (errors.ConflictError, False, {"paused"})

    def test_scenario_17_left_while_the_pause_is_under_way(self, world):
        """A `left` that comes while its pause is asked for is obeyed by the handler of the pause, which tells the flow so."""
        world.vendor.meanwhile = lambda: world.leave(budget=0.2)
        entered = world.enter()

        assert (entered.error, entered.safe_to_collect) == (errors.ConflictError, False)
        assert (world.statuses, world.ledger.due_at) == ({"in-progress"}, None)

    def test_scenario_07_nothing_recorded_is_read_afresh(self):
        """That nothing is being recorded is never told from memory: a recording may have started since."""
        world = World(accept_not_recording=True)
        world.vendor.statuses = {}
        assert world.enter("a").verdict is Verdict.NOT_RECORDING
        world.vendor.statuses = {"RE1": RUNNING}

        entered = world.enter("b", event_id="E1")
        assert (entered.verdict, world.statuses) == (Verdict.CONFIRMED, {"paused"})

    def test_scenario_07_nor_to_a_duplicate(self):
        """Not even to an event that was seen before."""
        world = World(accept_not_recording=True)
        world.vendor.statuses = {}
        world.enter(event_id="E1")
        again = world.enter(event_id="E1")

        assert again.verdict is Verdict.NOT_RECORDING
        assert world.vendor.asked != []


class TestNonce:
    """Who holds the lease is told by a nonce of the attempt, not of the invocation or its caller."""

    def test_scenario_28_a_redelivered_invocation(self, world):
        """An event that is delivered again does not take its dead predecessor's lease for its own."""
        world.enter(event_id="E1")
        world.put(take(world.ledger, world.clock.now(), holder="nonce-1"))
        world.vendor.asked.clear()
        again = world.enter(event_id="E1", budget=0.5)

        assert (again.verdict, world.vendor.asked) == (Verdict.UNKNOWN, [])


class TestBlind:
    """A pause that was sent without the ledger is found again."""

    def test_scenario_29_by_its_message(self, world):
        """The message that it left behind comes when there is a ledger again: the tape does not stay paused."""
        world.ledgers.failure = unavailable()
        world.enter()
        world.ledgers.failure = None
        at, reminder = world.timers.reminders[-1]
        assert world.statuses == {"paused"}
        world.clock.sleep(at - world.clock.now())

        world.wake(reminder)
        assert (world.statuses, "found without record" in world.events) == ({"in-progress"}, True)
        world.settle()

    def test_scenario_29_by_its_left(self, world):
        """A `left` of a step that the ledger knows nothing of reads the vendor, and is settled once the pause cannot land."""
        world.ledgers.failure = unavailable()
        world.enter()
        world.ledgers.failure = None
        left = world.leave()

        assert (left.verdict, world.statuses) == (Verdict.CONFIRMED, {"in-progress"})
        assert world.ledger.due_at is not None
        world.vendor.statuses["RE1"] = PAUSED  # by the blind pause, which lands only now
        world.settle()
        assert world.statuses == {"in-progress"}


class TestVisits:
    """A `left` ends the visit that it is of."""

    def test_scenario_18_a_late_left(self, world):
        """The `left` of the first visit, delivered during the second, does not resume."""
        now = world.clock.now()
        first = world.enter(occurred_at=now).as_dict()["pause"]["id"]
        world.clock.sleep(5)
        world.enter(occurred_at=now + 5)
        by_time = world.leave(occurred_at=now + 3)
        by_id = world.leave(pause_id=first)

        assert (by_time.verdict, by_id.verdict, world.statuses) == (Verdict.HELD, Verdict.HELD, {"paused"})
        assert world.leave(occurred_at=now + 6).verdict is Verdict.CONFIRMED

    def test_scenario_16_left_before_entered(self, world):
        """An `entered` that is overtaken by its `left` pauses nothing that stays paused."""
        now = world.clock.now()
        world.leave(occurred_at=now + 1)
        entered = world.enter(occurred_at=now)

        assert (entered.error, entered.safe_to_collect, world.statuses) == (
            errors.ConflictError,
            False,
            {"in-progress"},
        )

    def test_scenario_44_two_owners(self, world):
        """The tape goes on only when the last of two steps is left."""
        world.enter("identity-check")
        world.enter("card-entry")

        assert (world.leave("card-entry").verdict, world.statuses) == (Verdict.HELD, {"paused"})
        assert (world.leave("identity-check").verdict, world.statuses) == (Verdict.CONFIRMED, {"in-progress"})


class TestParallel:
    """Two deliveries of one event at the same time."""

    def test_scenario_15_one_command(self, world):
        """One of them asks the vendor, once; the other one waits, and both are told the same."""
        waits, done = threading.Event(), threading.Event()
        answers = []

        def deliver():
            answers.append(world.enter(event_id="E1"))

        def wait(seconds: float):
            if threading.current_thread() is other:
                waits.set()
                done.wait(5)

        def begin():
            other.start()
            waits.wait(5)

        other = threading.Thread(target=deliver)
        world.clock.on_sleep = wait
        world.vendor.meanwhile = begin
        deliver()
        done.set()
        other.join(5)

        assert [answer.verdict for answer in answers] == [Verdict.CONFIRMED, Verdict.CONFIRMED]
        assert answers[0].as_dict()["pause"] == answers[1].as_dict()["pause"]
        assert world.ledger.events[-1].what == "answered"
        assert world.events.count("asking") == 1

    def test_scenario_27_a_timer_twice(self, world):
        """A timer that is delivered twice resumes once."""
        world.enter()
        [(at, reminder)] = world.timers.reminders
        world.clock.sleep(at - world.clock.now() + 0.1)
        world.wake(reminder)
        assert world.commands == ["resume"]
        world.wake(reminder)

        assert (world.vendor.asked, world.ledger.due_at) == ([], None)

    def test_scenario_27_a_timer_late(self, world):
        """A timer that comes after its step was left and entered again ends nothing."""
        world.enter()
        [(_, reminder)] = world.timers.reminders
        world.leave()
        world.clock.sleep(200)
        world.enter()
        world.clock.sleep(101.5)
        world.wake(reminder)

        assert (world.vendor.asked, world.statuses) == ([], {"paused"})

    def test_a_timer_of_another_call(self, world):
        """A sweep that finds a call which is settled by then does nothing."""
        world.enter()
        world.leave()
        world.wake(Reminder("acme", Call(call_id="CA")))

        assert (world.vendor.asked, world.ledgers.asked) == ([], ["load"])
