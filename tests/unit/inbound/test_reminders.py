"""What comes back to us by itself, from its text to what is done about it."""

from dataclasses import replace

import pytest

from call_recording import errors
from call_recording.inbound.reminders import SWEEP_LIMIT, Reminders
from call_recording.model import Call, Happening, Reminder
from call_recording.reminders import dump_reminder
from tests.unit.fake_stores import unavailable
from tests.unit.fake_world import World
from tests.unit.fakes import CARD
from tests.unit.ledger_words import enter, new


@pytest.fixture(name="world")
def _world() -> World:
    return World()


@pytest.fixture(name="reminders")
def _reminders(world) -> Reminders:
    return Reminders(recordings=world.service, timers=world.timers, clock=world.clock, observer=world.observer)


def sent(world: World) -> str:
    """The text of the last reminder that was sent."""
    at, reminder = world.timers.reminders.pop()
    return dump_reminder(reminder, at=at)


class TestDeliver:
    """A message of the queue."""

    def test_scenario_23_a_forgotten_pause(self, world, reminders):
        """The message of a pause that nobody left, delivered at its time, ends it."""
        world.enter()
        body = sent(world)
        world.clock.sleep(301.1)
        reminders.deliver(body, seconds_left=10.0)

        assert world.statuses == {"in-progress"}

    @pytest.mark.parametrize("early", [0.001, 900.0])
    def test_scenario_27_before_its_time(self, world, reminders, early):
        """A message that comes before its time, as the queue can delay by a quarter of an hour only, is sent on as it was."""
        reminder = Reminder("acme", Call(call_id="CA", channel_id="C1"), "card-entry", "P1", 5_000.0)
        at = world.clock.now() + early
        reminders.deliver(dump_reminder(reminder, at=at), seconds_left=10.0)

        assert world.timers.reminders == [(at, reminder)]
        assert world.ledgers.asked == []

    def test_at_its_time(self, world, reminders):
        """At its time the call is looked at."""
        reminders.deliver(dump_reminder(Reminder("acme", Call(call_id="CA")), at=world.clock.now()), seconds_left=10.0)

        assert world.ledgers.asked[0] == "load"

    def test_it_cannot_be_sent_on(self, world, reminders):
        """If it cannot be sent on it is given back."""
        world.timers.failure = unavailable()
        with pytest.raises(errors.UnavailableError):
            reminders.deliver(dump_reminder(Reminder("acme", Call(call_id="CA")), at=5_000.0), seconds_left=10.0)

    def test_it_cannot_be_looked_after(self, world, reminders):
        """If the call cannot be looked at it is given back."""
        world.ledgers.failure = unavailable()
        with pytest.raises(errors.UnavailableError):
            reminders.deliver(dump_reminder(Reminder("acme", Call(call_id="CA")), at=0.0), seconds_left=10.0)

    @pytest.mark.parametrize("body", ["{", "[]", f'{{"account": "{CARD}"}}'])
    def test_scenario_33_what_cannot_be_read(self, world, reminders, body):
        """A message that cannot be read is given back, until it ends where people look, and is told without its content."""
        with pytest.raises(ValueError, match="reminder"):
            reminders.deliver(body, seconds_left=10.0)

        [refusal] = world.observer.refusals
        assert refusal == {"reason": "a message of the queue cannot be read", "account": None, "field": None}
        assert world.ledgers.asked == []

    @pytest.mark.parametrize(
        "reminder",
        [
            Reminder("acme", Call(call_id="unfit")),
            Reminder("acme", Call(call_id="unfit"), "card-entry", "0123456789abcdef01234567", 5_000.0),
            Reminder("acme", Call(call_id="CA"), happening=Happening.RECORDING_STARTED, recording_id="unfit"),
            Reminder("acme", Call(call_id="unfit"), happening=Happening.CALL_OVER),
        ],
        ids=["a call", "a pause", "a recording", "an event"],
    )
    def test_scenario_33_ids_of_no_call_of_the_vendor(self, world, reminders, reminder):
        """A message about what its account's vendor could not have named is given back, and told without its content."""
        world.enter()
        world.vendor.asked.clear()
        world.ledgers.asked.clear()
        with pytest.raises(errors.InvalidTriggerError):
            reminders.deliver(dump_reminder(reminder, at=0.0), seconds_left=10.0)

        [refusal] = world.observer.refusals
        assert refusal == {
            "reason": "a message of the queue is about no call of its account's vendor",
            "account": None,
            "field": None,
        }
        assert (world.ledgers.asked, world.vendor.asked) == ([], [])


class TestSweep:
    """What comes each minute."""

    def test_scenario_27_what_is_due(self, world, reminders):
        """A pause whose message was lost ends all the same."""
        world.enter()
        world.timers.reminders.clear()
        world.clock.sleep(302.0)
        reminders.sweep(seconds_left=10.0)

        assert world.statuses == {"in-progress"}

    def test_what_the_table_names_is_not_checked(self, world, reminders):
        """The sweep's ids come from the table, whose keys are in lower case: no pattern of a vendor's keeps them out."""
        world.put(replace(enter(new(), 1.0), call=Call(call_id="unfit")))
        reminders.sweep(seconds_left=10.0)

        assert (world.observer.refusals, world.ledgers.of("acme", "unfit").pauses) == ([], {})

    def test_a_bounded_number(self, world, reminders):
        """A sweep lists a bounded number of calls."""
        for number in range(SWEEP_LIMIT + 1):
            world.put(replace(enter(new(), 1.0), call=Call(call_id=f"C{number}")))
        reminders.sweep(seconds_left=0.2)

        assert len(world.timers.reminders) == SWEEP_LIMIT

    def test_the_time_that_is_left(self, world, reminders):
        """It keeps to the time of its invocation."""
        world.put(enter(new(), 1.0))
        reminders.sweep(seconds_left=0.2)

        assert world.commands == []
