"""What a vendor tells by itself, while somebody else commands the vendor, or the table or the queue is down."""

import json

import pytest

from call_recording import errors
from call_recording.account import AccountSecret
from call_recording.ledger_parts import INVOCATION, SKEW
from call_recording.model import Call, Happening, Notice, RecordingStatus, Reminder
from tests.unit.fake_stores import unavailable
from tests.unit.fake_world import World, secret_of
from tests.unit.ledger_words import TIMING, take

OVER, STARTED = Happening.CALL_OVER, Happening.RECORDING_STARTED
HASH = "0123456789abcdef" * 4
#: The account, exchanged for one at another vendor.
EXCHANGED = AccountSecret("acme", json.dumps({"vendor": "other", "credentials": {"token": "new"}}))


@pytest.fixture(name="world")
def _world() -> World:
    return World()


class TestLease:
    """Somebody else commands the vendor."""

    def test_scenario_17_the_event_is_written_and_the_holder_sees_it(self, world):
        """While somebody else has the lease the event is written down, and the call is looked at when it has lapsed."""
        world.enter()
        world.put(take(world.ledger, world.clock.now(), holder="other"))
        world.start(event_id="E1")

        assert (world.vendor.asked, world.ledger.changes, world.ledger.lease is None) == ([], 1, False)
        assert world.ledger.lease is not None
        assert world.timers.reminders[1:] == [(world.ledger.lease.until + SKEW, Reminder("acme", Call(call_id="CA")))]

    @pytest.mark.parametrize(
        ("happening", "commands"), [(STARTED, ["pause"]), (Happening.RECORDING_ENDED, [])], ids=["started", "ended"]
    )
    def test_scenario_28_a_holder_that_is_dead_for_certain(self, world, happening, commands):
        """A tape that starts while a dead holder's lease is live is paused without it: that can do no harm."""
        world.enter()
        world.put(take(world.ledger, world.clock.now(), holder="dead"))
        world.clock.sleep(INVOCATION + 2.0)
        world.vendor.statuses["RE1"] = RecordingStatus.IN_PROGRESS
        world.happen(happening, recording_id="RE1")

        assert (world.commands, world.ledger.matches) == (commands, False)
        assert world.ledger.due_at is not None

    def test_scenario_17_told_while_the_vendor_is_asked(self, world):
        """A tape that starts while a pause is being sent is paused by the same command, before anybody is told yes."""
        world.vendor.meanwhile = lambda: world.start(event_id="E1")
        entered = world.enter()

        assert (entered.safe_to_collect, len(entered.recordings), world.statuses) == (True, 2, {"paused"})

    def test_scenario_28_a_holder_that_died(self, world):
        """A lease that has lapsed stands in nobody's way."""
        world.enter()
        world.put(take(world.ledger, world.clock.now(), holder="dead"))
        world.clock.sleep(INVOCATION + TIMING.settles + 5.0)
        world.start()

        assert (world.statuses, world.ledger.matches, "holder lost" in world.events) == ({"paused"}, True, True)

    def test_scenario_28_the_outcome_cannot_be_written(self, world):
        """If the table fails after the vendor was asked, the call is looked at when our lease has lapsed."""
        world.enter()
        world.timers.reminders.clear()
        world.vendor.meanwhile = lambda: setattr(world.ledgers, "failure", unavailable())
        world.start()
        world.ledgers.failure = None
        [(at, reminder)] = world.timers.reminders

        assert world.ledger.lease is not None
        assert (at, reminder) == (world.ledger.lease.until, Reminder("acme", Call(call_id="CA")))


class TestScenario29:
    """The table or the queue is down."""

    def test_scenario_29_the_queue_keeps_the_event(self, world):
        """Without the ledger the event goes into the queue, to be told at once when it comes back; no vendor is asked."""
        world.enter()
        world.timers.reminders.clear()
        world.ledgers.failure = unavailable()
        world.start(event_id=HASH)

        expected = Reminder("acme", Call(call_id="CA"), happening=STARTED, recording_id="RE2", event_id=HASH)
        assert world.timers.reminders == [(world.clock.now(), expected)]
        assert (world.vendor.asked, world.notices) == ([], [Notice.LEDGER_UNAVAILABLE])
        assert world.observer.notices == [(Notice.LEDGER_UNAVAILABLE, "CA", None)]
        assert world.observer.reasons == ["it does not answer"]

    @pytest.mark.parametrize("event_id", [HASH, None])
    def test_scenario_29_it_is_told_later(self, world, event_id):
        """When the message comes the ledger is told what the vendor had told, and the tape is paused."""
        world.enter()
        world.ledgers.failure = unavailable()
        world.start(event_id=event_id)
        world.ledgers.failure = None
        world.clock.sleep(30.0)
        world.wake(world.timers.reminders[-1][1])

        assert (world.statuses, world.ledger.matches) == ({"paused"}, True)
        told = next(each for each in world.ledger.events if each.what == "recording-started")
        assert told.details == {"by": "webhook", "recording_id": "RE2"}

    def test_scenario_29_once(self, world):
        """A message that is delivered twice tells the ledger once."""
        world.enter()
        world.ledgers.failure = unavailable()
        world.start(event_id=HASH)
        world.ledgers.failure = None
        world.wake(world.timers.reminders[-1][1])
        before = world.ledger
        world.wake(world.timers.reminders[-1][1])

        assert (world.ledger, world.vendor.asked) == (before, [])

    def test_scenario_29_the_call_is_over_is_told_later(self, world):
        """A message that tells of the end of a call makes us look, and the call is over."""
        world.enter()
        world.vendor.hang_up()
        world.wake(Reminder("acme", Call(call_id="CA"), happening=OVER, event_id=HASH))

        assert (world.ledger.over, world.ledger.pauses) == (True, {})

    def test_scenario_29_the_table_is_still_down(self, world):
        """A message that finds no table is given back, and comes again; no second one is sent."""
        world.enter()
        sent = len(world.timers.reminders)
        world.ledgers.failure = unavailable()
        with pytest.raises(errors.UnavailableError):
            world.wake(Reminder("acme", Call(call_id="CA"), happening=STARTED, event_id=HASH))

        assert (len(world.timers.reminders), world.notices) == (sent, [])

    def test_scenario_29_of_a_call_that_nobody_knows(self, world):
        """A message of a call that nobody has paused is forgotten when it comes."""
        world.wake(Reminder("acme", Call(call_id="CA"), happening=STARTED, event_id=HASH))

        assert (world.ledgers.items, world.vendor.asked, world.timers.reminders) == ({}, [], [])

    def test_scenario_29_table_and_queue_are_down(self, world):
        """With both down the event cannot be kept: whoever pushes it has to come again."""
        world.enter()
        world.ledgers.failure = world.timers.failure = unavailable()

        with pytest.raises(errors.UnavailableError):
            world.start()
        assert world.vendor.asked == []

    def test_scenario_29_only_the_queue_is_down(self, world):
        """Without the queue the event is written and acted on all the same."""
        world.enter()
        world.timers.failure = unavailable()
        world.start()

        assert (world.statuses, world.ledger.matches) == ({"paused"}, True)

    def test_scenario_29_the_table_fails_after_the_first_look(self, world):
        """Whenever the table fails before the event is written, the queue has it."""
        world.enter()
        world.timers.reminders.clear()
        world.ledgers.before = [("save", lambda: setattr(world.ledgers, "failure", unavailable()))]
        world.start(event_id=HASH)

        [(_, reminder)] = world.timers.reminders
        assert (reminder.happening, reminder.event_id, world.vendor.asked) == (STARTED, HASH, [])

    def test_scenario_43_another_vendor_by_now(self, world):
        """A message of a call that the account's vendor by now does not know is none of that one's: it is not asked."""
        world.enter()
        before = world.ledger
        world.secret = EXCHANGED
        world.wake(Reminder("acme", Call(call_id="CA"), happening=STARTED, event_id=HASH))

        assert (world.notices, world.vendor.asked) == ([Notice.ACCOUNT_GONE], [])
        assert [(each["account"], each["field"]) for each in world.observer.misfits] == [("acme", "vendor")]
        assert (world.ledger.seen, world.ledger.vendor, world.ledger.over) == (before.seen, "fake", False)

    @pytest.mark.parametrize("happening", Happening)
    def test_scenario_43_a_new_vendor_tells_of_an_old_one_s_call(self, world, happening):
        """What is pushed by another vendor than the call's own changes nothing of it, and the owner hears of it."""
        world.enter()
        before = world.ledger
        world.own = EXCHANGED

        with pytest.raises(errors.ConfigurationError, match="no longer the one whose call this is"):
            world.happen(happening)
        assert (world.ledger, world.vendor.asked) == (before, [])

    @pytest.mark.parametrize("secret", [None, "unfit"])
    def test_scenario_30_the_account_is_gone_when_it_comes(self, world, secret):
        """A message of an account that is no more is counted, and nobody is asked."""
        world.enter()
        world.secret = secret and secret_of(secret)
        world.wake(Reminder("acme", Call(call_id="CA"), happening=STARTED, event_id=HASH))

        assert (world.notices, world.vendor.asked) == ([Notice.ACCOUNT_GONE], [])
