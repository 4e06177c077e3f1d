"""The loop that makes the vendor match the ledger: what it asks of the table, the queue and the vendor, and in which order."""

from dataclasses import replace

import pytest

from call_recording import errors
from call_recording.doubts import Doubts
from call_recording.ledger import LedgerConflictError
from call_recording.ledger_parts import GIVE_UP, SKEW
from call_recording.model import Action, Call, Notice, RecordingStatus, Reminder, Verdict
from call_recording.reconcile import RECORD_SECONDS, TICK
from tests.unit.fake_stores import unavailable
from tests.unit.fake_vendor import Fault, lost
from tests.unit.fake_world import INVOCATION, World
from tests.unit.ledger_words import enter, take

PAUSED, RUNNING = RecordingStatus.PAUSED, RecordingStatus.IN_PROGRESS


@pytest.fixture(name="world")
def _world() -> World:
    return World()


@pytest.fixture(name="known")
def _known(world) -> World:
    """A call that is known: another step was entered and left a while ago."""
    world.enter("earlier")
    world.leave("earlier")
    world.clock.sleep(60.0)
    world.timers.reminders.clear()
    return world


class TestOperations:
    """What one trigger costs."""

    def test_a_new_call(self, world):
        """The first pause of a call takes two operations of the table, and one message."""
        world.enter()

        assert (world.ledgers.asked, len(world.timers.reminders)) == (["save", "save"], 1)

    def test_a_known_call(self, known):
        """A pause on a call that is known takes three: the refused put tells what is there."""
        assert known.enter().verdict is Verdict.CONFIRMED
        assert (known.ledgers.asked, len(known.timers.reminders)) == (["save", "save", "save"], 1)

    def test_left(self, world):
        """Leaving takes three."""
        world.enter()
        world.leave()

        assert world.ledgers.asked == ["load", "save", "save"]

    def test_held(self, world):
        """Leaving an inner step takes two, and the vendor is not asked."""
        world.enter("outer")
        world.enter("inner")
        world.leave("inner")

        assert (world.ledgers.asked, world.vendor.asked) == (["load", "save"], [])

    def test_a_duplicate(self, world):
        """An event that was seen before takes as many as a new one: what holds is proven afresh."""
        world.enter(event_id="E1")
        world.enter(event_id="E1")

        assert world.ledgers.asked == ["save"] * 3

    def test_no_wait_between_them(self, known):
        """None of that waits."""
        before = known.clock.now()
        known.enter()

        assert known.clock.now() == before


class TestReminder:
    """The reminder of a pause."""

    def test_scenario_23_it_is_sent_before_the_vendor_is_asked(self, world):
        """When the vendor is asked, the reminder and the lease are there already."""
        seen = []
        world.vendor.meanwhile = lambda: seen.append((list(world.timers.reminders), world.ledger.lease))
        world.enter(channel_id="channel-1", redirect_url="https://ivr.example.com/")

        [([(at, reminder)], lease)] = seen
        pause = world.ledger.pauses["card-entry"]
        assert at == pause.deadline + SKEW
        assert reminder == Reminder(
            "acme", Call(call_id="CA", channel_id="channel-1"), "card-entry", pause.pause_id, pause.deadline
        )
        assert (lease.holder, lease.ends_at) == ("nonce-2", world.clock.now() + INVOCATION)

    def test_scenario_26_an_extension_has_one_too(self, world):
        """A step entered again sends the reminder of its new deadline."""
        world.enter()
        world.clock.sleep(100.0)
        world.enter()

        assert [at for at, _ in world.timers.reminders] == [1301.0, 1401.0]

    def test_a_pause_that_does_not_open(self, world):
        """The reminder of a pause that is refused in the end does nothing when it comes."""
        world.stop()
        world.enter()
        world.clock.sleep(301.5)
        world.wake(world.timers.reminders[-1][1])

        assert (world.vendor.asked, world.ledgers.asked) == ([], ["load"])

    def test_nor_for_others(self, world):
        """Leaving reminds nobody."""
        world.enter()
        world.timers.reminders.clear()
        world.leave()

        assert world.timers.reminders == []

    def test_scenario_29_without_the_queue(self, world):
        """If it cannot be sent the pause is sent all the same, and the flow told that nobody would end it: 503."""
        world.timers.failure = unavailable()
        entered = world.enter()

        assert (entered.verdict, entered.error) == (Verdict.UNKNOWN, errors.UnavailableError)
        assert (entered.safe_to_collect, world.statuses) == (False, {"paused"})
        assert world.notices == [Notice.TIMER_UNAVAILABLE]
        assert world.ledger.due_at == world.ledger.pauses["card-entry"].deadline + SKEW

    def test_a_second_try_after_a_conflict(self, known):
        """A put that fails after its reminder could not be sent tries both again."""
        known.timers.failure = unavailable()
        known.ledgers.before.append(("save", lambda: None))
        known.ledgers.before.append(("save", lambda: setattr(known.timers, "failure", None)))
        original = known.timers.remind

        def remind(reminder, *, at):
            try:
                original(reminder, at=at)
            finally:
                known.timers.failure = None

        known.timers.remind = remind
        assert known.enter().verdict is Verdict.CONFIRMED
        assert len(known.timers.reminders) == 1


class TestConflicts:
    """Somebody else writes at the same time."""

    def test_scenario_17_a_conflict_is_decided_anew(self, world):
        """What somebody else wrote meanwhile is kept, and both have their effect."""
        world.enter("outer")
        world.ledgers.before.append(("save", lambda: world.put(enter(world.ledger, world.clock.now(), step="other"))))
        world.leave("outer")

        assert list(world.ledger.pauses) == ["other"]
        assert world.statuses == {"paused"}

    def test_too_many(self, world):
        """A ledger that is written by others all the time is as good as none: a resume is not sent."""
        world.enter()

        def write():
            world.put(enter(world.ledger, world.clock.now(), step="other"))
            world.ledgers.before.append(("save", write))

        world.ledgers.before.append(("save", write))
        with pytest.raises(errors.UnavailableError):
            world.leave()

        assert (world.commands, world.statuses) == ([], {"paused"})

    @pytest.mark.parametrize("puts", [0, 1])
    def test_scenario_15_our_own_put(self, world, puts):
        """A put that was carried out, but whose answer is lost, is recognised: one command is sent."""
        if puts:
            world.enter("earlier")
        world.ledgers.before = [("save", lambda: None)] * puts + [("save", lambda: setattr(world.ledgers, "lost", 1))]
        entered = world.enter()

        assert (entered.verdict, world.commands) == (Verdict.CONFIRMED, ["pause"])
        assert world.events.count("entered") == 1 + puts
        assert len([1 for _, reminder in world.timers.reminders if reminder.step == "card-entry"]) == 1

    def test_our_own_put_of_a_resume(self, world):
        """The same goes for leaving."""
        world.enter()
        world.ledgers.lost = 1

        assert (world.leave().verdict, world.commands) == (Verdict.CONFIRMED, ["resume"])
        assert world.events.count("left") == 1

    def test_scenario_28_the_record_s_answer_is_lost(self, world):
        """If it is the outcome whose put is not answered, nobody is told that it is safe; the ledger has it all the same."""
        world.vendor.meanwhile = lambda: setattr(world.ledgers, "lost", 1)
        entered = world.enter()

        assert (entered.verdict, entered.error, entered.safe_to_collect) == (
            Verdict.UNKNOWN,
            errors.UnavailableError,
            False,
        )
        assert world.ledger.matches

    def test_our_lease_over_a_call_that_ended(self, world):
        """If nothing is desired any more by the time that our own put is recognised, the lease is given up."""

        def over():
            world.put(world.ledger._over(world.clock.now(), "vendor"))

        world.ledgers.before += [("save", lambda: setattr(world.ledgers, "lost", 1)), ("load", over)]
        entered = world.enter()

        assert (entered.error, world.vendor.asked) == (errors.ConflictError, [])
        assert (world.ledger.lease, world.ledger.due_at) == (None, None)

    @pytest.mark.parametrize(("took", "budget", "hurries"), [(1.5, 3.5, True), (1.5, 9.0, False), (0.1, 2.2, False)])
    def test_scenario_29_a_pause_does_not_wait_for_a_slow_table(self, world, took, budget, hurries):
        """If the put's answer is lost after a while, and time is short, the pause is sent rather than the table asked again."""
        world.ledgers.before.append(("save", lambda: world.clock.sleep(took)))
        world.ledgers.lost = 1
        entered = world.enter(budget=budget)

        assert (entered.error is errors.UnavailableError) is hurries
        assert entered.safe_to_collect is not hurries
        assert world.statuses == {"paused"}
        assert world.ledgers.asked == (["save"] if hurries else ["save", "load", "save"])

    def test_a_table_that_is_slow_but_tells(self, known):
        """A slow put that tells what stands in its way costs no second wait, and the pause is decided by that."""
        known.ledgers.before.append(("save", lambda: known.clock.sleep(1.5)))

        assert known.enter().verdict is Verdict.CONFIRMED

    def test_a_resume_is_not_sent_in_a_hurry(self, world):
        """A resume has no hurry: it is looked at again whatever that takes."""
        world.enter()
        world.ledgers.before.append(("load", lambda: world.clock.sleep(1.5)))
        world.ledgers.lost = 1

        assert world.leave().verdict is Verdict.CONFIRMED

    def test_our_lease_that_has_lapsed(self, world):
        """A lease of ours that has lapsed by the time that it is recognised is none any more."""
        world.ledgers.lost = 1
        world.ledgers.before.append(("load", lambda: world.clock.sleep(30.0)))
        world.enter(budget=60.0)

        assert "holder lost" in world.events


class TestNothingToAsk:
    """What the vendor is not asked."""

    def test_a_backoff(self, world):
        """A reminder that comes before a failure's wait is over asks nobody."""
        world.enter()
        refused = world.vendor.refusal(errors.VendorResponseError, 422)
        world.vendor.fail("resume", Fault(error=refused, applied=False))
        world.leave()
        sent = len(world.timers.reminders)
        world.wake()

        assert (world.vendor.asked, world.ledgers.asked) == ([], ["load"])
        assert len(world.timers.reminders) == sent  # or reminders that come early would multiply

    def test_scenario_29_but_a_pause_without_record_is_noted(self, world):
        """A reminder of a pause that is not on record is not taken for one that came too early."""
        world.enter()
        world.wake(Reminder("acme", Call(call_id="CA"), "other", "unheard"))

        assert world.events[-1] == "found without record"

    def test_scenario_08_what_was_looked_at_lately(self, world):
        """A `left` that changes nothing does not ask again whether a recording has started; in a minute it would."""
        world.vendor.statuses = {}
        world.enter()

        assert (world.leave(pause_id="older").verdict, world.vendor.asked) == (Verdict.HELD, [])
        world.clock.sleep(60.0)
        world.leave(pause_id="older")
        assert world.vendor.asked != []

    def test_scenario_14_a_duplicate_of_a_closed_pause(self, world):
        """A duplicate whose pause is closed is told so, without asking what is being recorded."""
        world.vendor.statuses = {}
        world.enter(event_id="E1")
        world.leave()

        assert (world.enter(event_id="E1").error, world.vendor.asked) == (errors.ConflictError, [])


class TestCall:
    """How the call is named to the vendor."""

    def test_the_channel_that_is_on_record(self, world):
        """A call that is looked at again is asked about on the channel that was named last: a wrong one is mended."""
        world.enter(channel_id="channel-1")
        world.leave(channel_id="channel-2")
        world.enter()

        assert [call.channel_id for call in world.vendor.calls] == ["channel-1", "channel-2", "channel-2"]
        assert (world.ledger.call.channel_id, world.ledger.vendor) == ("channel-2", "fake")

    def test_a_reminder_that_names_no_channel(self, world):
        """A sweep, which knows the call's id alone, asks on the channel that is on record."""
        world.enter(channel_id="channel-1")
        world.clock.sleep(302.0)
        world.sweep()

        assert [call.channel_id for call in world.vendor.calls] == ["channel-1"] * 2

    def test_its_id_as_first_told(self, world):
        """The vendor is asked by the id that the ledger has, however it is spelt later."""
        world.enter()
        world.leave(call_id="ca")

        assert [call.call_id for call in world.vendor.calls] == ["CA", "CA"]

    def test_the_channel_that_is_named(self, world):
        """If there is none on record it is the one that the trigger names."""
        world.enter()
        world.leave(channel_id="channel-2")

        assert [call.channel_id for call in world.vendor.calls] == [None, "channel-2"]

    @pytest.mark.parametrize("action", list(Action))
    def test_where_it_goes_on(self, world, action):
        """Where the call goes on is said with a stop alone, and never kept."""
        url = "https://ivr.example.com/"
        world.vendor.statuses["RE1"] = PAUSED if action is Action.RESUME else RUNNING
        world.handle(action, redirect_url=url)

        assert [call.redirect_url for call in world.vendor.calls] == [url if action is Action.STOP else None]
        assert world.ledger.call.redirect_url is None


class TestRecord:
    """What came of a command is written down, whatever else happens."""

    def test_scenario_38_a_conflict_while_recording(self, world):
        """What somebody else wrote while the vendor was asked counts: the outcome is judged against it."""
        world.vendor.meanwhile = lambda: world.put(enter(world.ledger, world.clock.now(), step="other"))

        assert world.enter().verdict is Verdict.CONFIRMED
        assert sorted(world.ledger.pauses) == ["card-entry", "other"]
        assert world.ledgers.asked == ["save", "save", "save"]

    def test_scenario_38_without_the_table(self, world):
        """If it cannot be written the flow is told 503; the lease lapses, and the vendor is read."""
        world.vendor.meanwhile = lambda: setattr(world.ledgers, "failure", unavailable())
        entered = world.enter()
        world.ledgers.failure = None

        assert (entered.verdict, entered.error, world.statuses) == (
            Verdict.UNKNOWN,
            errors.UnavailableError,
            {"paused"},
        )
        assert world.ledger.due_at == world.ledger.lease.until
        world.clock.sleep(27.0)
        world.sweep()
        assert (world.ledger.matches, world.events[-3:]) == (True, ["holder lost", "asking", "answered"])

    def test_scenario_38_the_table_fails_after_a_conflict(self, world):
        """The same if it fails while the conflict is looked into."""

        def interfere():
            world.ledgers.before += [
                ("save", lambda: setattr(world.ledgers, "lost", 1)),
                ("load", lambda: setattr(world.ledgers, "failure", unavailable())),
            ]

        world.vendor.meanwhile = interfere

        assert world.enter().error is errors.UnavailableError

    def test_somebody_else_holds_the_lease_by_now(self, world):
        """A holder whose lease was taken away says nothing any more."""

        def take_away():
            world.put(replace(take(world.ledger, world.clock.now(), holder="other")))

        world.vendor.meanwhile = take_away
        entered = world.enter()

        assert (entered.error, entered.safe_to_collect) == (errors.UnavailableError, False)
        assert world.ledger.lease.holder == "other"

    def test_no_time_to_write_again(self, world):
        """Close to the invocation's end a conflict is not fought over: the lease lapses."""

        def interfere():
            world.put(enter(world.ledger, world.clock.now(), step="other"))
            world.clock.sleep(INVOCATION - RECORD_SECONDS / 2)

        world.vendor.meanwhile = interfere
        world.enter()

        assert world.ledgers.asked == ["save", "save"]
        assert world.ledger.lease is not None

    def test_scenario_24_given_up(self, world):
        """A call that is given up goes where people look after it, and they are told."""
        failing(world)
        world.wake()

        assert (world.ledger.given_up, world.ledger.due_at) == (True, None)
        assert world.timers.surrendered == [Reminder("acme", Call(call_id="CA"))]
        assert world.notices == [Notice.GIVEN_UP]

    def test_scenario_24_not_given_up_in_silence(self, world):
        """As long as nobody can be told, the call is not given up."""
        failing(world)
        world.timers.failure = unavailable()
        world.wake()

        assert (world.ledger.given_up, world.ledger.due_at is None) == (False, False)
        assert Notice.GIVEN_UP not in world.notices


def failing(world: World) -> None:
    """Let the resume of the call fail for four hours."""
    world.enter()
    world.vendor.fail("any", *[Fault(error=lost(), applied=False) for _ in range(99)])
    world.leave()
    world.clock.sleep(GIVE_UP + 1)
    world.observer.notices.clear()


class TestDoubt:
    """Only time can prove what the vendor shows."""

    def in_doubt(self, world: World) -> float:
        """Leave a resume in doubt, and return until when."""
        world.enter()
        world.vendor.lag = 9_999.0
        world.vendor.fail("resume", Fault(error=lost()))
        world.leave()
        world.vendor.lag = 0.0
        return world.ledger.doubts.resume

    def test_nothing_is_sent_meanwhile(self, world):
        """A step entered again while the doubt lasts is answered from it: there is nothing that another pause could prove."""
        self.in_doubt(world)
        assert world.enter(event_id="E1").verdict is Verdict.UNKNOWN
        again = world.enter(event_id="E1")

        assert (again.verdict, world.commands) == (Verdict.UNKNOWN, [])

    @pytest.mark.parametrize(("left", "waits"), [(1.0, True), (3.1, True), (3.3, False)])
    def test_it_is_waited_for_if_there_is_time_for_proof(self, world, left, waits):
        """The wait leaves time for the command that proves it, else the flow is told at once."""
        until = self.in_doubt(world)
        world.clock.sleep(until - left - world.clock.now())
        before = world.clock.now()
        entered = world.enter()

        assert entered.safe_to_collect is waits
        assert world.clock.now() == pytest.approx(until + TICK if waits else before)

    def test_scenario_14_nor_a_duplicate_whose_pause_is_closed(self, world):
        """A duplicate that is told that its pause is closed does not wait for what the tape does."""
        world.enter(event_id="E1")
        world.put(replace(world.ledger, doubts=Doubts(pause=world.clock.now() + 1.0)))
        world.leave()
        before = world.clock.now()

        assert world.ledger.doubtful(before)
        assert world.enter(event_id="E1").error is errors.ConflictError
        assert world.clock.now() == before

    def test_nor_a_step_that_is_left(self, world):
        """Nor does a flow that leaves an inner step wait until the outer one's pause is proven."""
        until = self.in_doubt(world)
        world.enter("outer")
        world.enter("inner")
        world.clock.sleep(until - 1.0 - world.clock.now())
        before = world.clock.now()

        assert (world.leave("inner").verdict, world.clock.now()) == (Verdict.HELD, before)

    def test_nobody_else_waits(self, world):
        """A sweep that finds a doubt leaves it: a reminder of its end is under way."""
        until = self.in_doubt(world)
        world.enter()
        assert world.timers.reminders[-1] == (until, Reminder("acme", Call(call_id="CA")))
        world.wake()
        assert (world.vendor.asked, world.ledgers.asked) == ([], ["load"])

        world.clock.sleep(until - world.clock.now() + 0.1)
        world.wake()
        assert (world.commands, world.ledger.matches) == (["pause"], True)


def test_a_conflict_of_its_own_kind():
    """A conflict is none of the errors that callers handle: it never leaves the loop."""
    assert not issubclass(LedgerConflictError, errors.CallRecordingError)
