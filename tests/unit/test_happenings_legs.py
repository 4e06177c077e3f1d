"""What a vendor tells by itself of a two-leg call: each leg has its own ledger."""

from dataclasses import replace

import pytest

from call_recording.model import Action, Call, Happening, RecordingStatus, Reminder
from call_recording.upkeep import AGAIN
from tests.unit.fake_stores import unavailable
from tests.unit.fake_world import World

PAUSED = RecordingStatus.PAUSED
STARTED, ENDED = Happening.RECORDING_STARTED, Happening.RECORDING_ENDED
PARENT = "CA-parent"
HASH = "0123456789abcdef" * 4


@pytest.fixture(name="world")
def _world() -> World:
    world = World()
    world.vendor.leg = PARENT
    return world


class TestScenario13:
    """A two-leg call: its recordings belong to the leg that it was made from."""

    def parent(self, world: World):
        """The ledger of that leg."""
        return world.ledgers.of("acme", PARENT)

    def test_scenario_13_a_recording_starts_on_the_other_leg(self, world):
        """A tape that starts on the leg that has the recordings is paused there, by the pause of the call."""
        world.enter()
        world.start(call_id=PARENT, event_id="E1")

        assert (world.statuses, self.parent(world).matches) == ({"paused"}, True)
        assert world.ledger.changes == 0

    def test_scenario_13_the_vendor_names_the_call_itself(self, world):
        """An event of the call finds the other leg, and that one is told what is desired."""
        world.vendor.leg = "CA"
        world.vendor.statuses.clear()
        world.enter()
        world.vendor.leg = PARENT
        world.start(event_id="E1")

        assert world.ledger.parent == PARENT
        assert (self.parent(world).pauses.keys(), world.statuses) == ({"card-entry"}, {"paused"})

    def test_scenario_13_the_call_was_left(self, world):
        """A leg of which nothing is desired any more has nothing to tell the other one."""
        world.enter()
        world.leave()
        there = self.parent(world).version
        world.start(event_id="E1")

        assert (self.parent(world).version, world.commands) == (there, [])

    def test_scenario_44_the_other_leg_is_somebody_else_s(self, world):
        """A leg on which nobody has asked anything of us is left alone by a call of which nothing is desired any more."""
        world.vendor.leg = "CA"
        world.enter()
        world.leave()
        world.put(replace(world.ledger, parent=PARENT))
        world.vendor.statuses["RE2"], world.vendor.legs = PAUSED, {"RE2": PARENT}
        world.happen(ENDED, recording_id="RE1", event_id="E1")

        assert (world.vendor.statuses["RE2"], world.vendor.asked) == (PAUSED, [])
        assert [call_id for _, call_id in world.ledgers.items] == ["ca"]

    def test_scenario_13_the_other_leg_s_ledger_does_not_answer(self, world):
        """If the other leg cannot be told, the event is kept, and a reminder of this leg comes as well."""
        world.vendor.leg = "CA"
        world.vendor.statuses.clear()
        world.enter()
        world.timers.reminders.clear()
        world.vendor.leg = PARENT
        original = world.ledgers.save

        def save(ledger):
            if ledger.call.call_id == PARENT:
                raise unavailable()
            return original(ledger)

        world.ledgers.save = save
        world.start(event_id=HASH)
        kept = [each for _, each in world.timers.reminders if each.happening is STARTED]
        later = [at for at, each in world.timers.reminders if each == Reminder("acme", Call(call_id="CA"))]

        assert (len(kept), world.clock.now() + AGAIN in later) == (1, True)
        world.ledgers.save = original
        world.wake(kept[0])
        assert (world.statuses, self.parent(world).desired) == ({"paused"}, Action.PAUSE)
