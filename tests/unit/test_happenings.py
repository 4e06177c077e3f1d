"""What a vendor tells by itself: it goes into the ledger of its call, and what it asks for is done at once."""

from dataclasses import replace

import pytest

from call_recording import errors
from call_recording.model import Call, Happening, Notice, RecordingStatus
from tests.unit.fake_vendor import Fault, lost
from tests.unit.fake_world import World

RUNNING, PAUSED = RecordingStatus.IN_PROGRESS, RecordingStatus.PAUSED
OVER, STARTED, ENDED, FAILED = (
    Happening.CALL_OVER,
    Happening.RECORDING_STARTED,
    Happening.RECORDING_ENDED,
    Happening.RECORDING_FAILED,
)
HASH = "0123456789abcdef" * 4


@pytest.fixture(name="world")
def _world() -> World:
    return World()


class TestStarted:
    """A recording starts."""

    def test_scenario_11_in_a_card_step(self, world):
        """A second tape that starts while a pause is open is paused at once, and that is proven."""
        world.enter()
        world.start(event_id="E1")

        assert (world.vendor.statuses, world.ledger.matches) == ({"RE1": PAUSED, "RE2": PAUSED}, True)
        assert world.events[-3:] == ["recording-started", "asking", "answered"]
        assert (world.ledger.lease, world.notices) == (None, [])

    def test_scenario_08_after_a_pause_that_found_none(self, world):
        """A tape that starts late is paused by the pause that waits for it."""
        world.vendor.statuses.clear()
        entered = world.enter()
        world.start("RE1")

        assert (entered.verdict, world.statuses) == ("not-recording", {"paused"})
        assert world.ledger.matches is True

    def test_scenario_08_before_its_pause(self, world):
        """A start that is told before anybody enters a step is of no call that we know; the pause finds the tape itself."""
        world.start("RE1")
        assert (world.ledgers.items, world.vendor.asked) == ({}, [])

        assert world.enter().safe_to_collect is True

    def test_scenario_11_after_the_step_was_left(self, world):
        """A tape that starts when no pause is open runs, and the vendor is not asked."""
        world.enter()
        world.leave()
        world.start(event_id="E1")

        assert (world.vendor.statuses["RE2"], world.vendor.asked) == (RUNNING, [])
        assert (world.events[-1], world.ledger.due_at) == ("recording-started", None)

    def test_scenario_44_a_tape_that_somebody_else_has_paused(self, world):
        """A tape that somebody else has paused is not resumed because its vendor tells of it."""
        world.enter()
        world.leave()
        world.vendor.statuses["RE1"] = PAUSED
        for number, happening in enumerate((STARTED, ENDED, FAILED)):
            world.happen(happening, recording_id="RE1", event_id=f"E{number}")

        assert (world.vendor.statuses["RE1"], world.commands) == (PAUSED, [])

    def test_scenario_11_the_recording_was_stopped_for_good(self, world):
        """Where the caller wants no recording at all, one that starts again is stopped again."""
        world.stop()
        world.start()

        assert world.commands == ["stop"]
        assert world.vendor.statuses["RE2"] is RecordingStatus.STOPPED

    def test_a_vendor_that_fails_is_asked_again(self, world):
        """Where the new tape cannot be paused at once, the call stays due, and a reminder is under way."""
        world.enter()
        world.timers.reminders.clear()
        world.vendor.fail("any", *[Fault(error=lost(), applied=False) for _ in range(20)])
        world.start()
        [(at, reminder)] = world.timers.reminders

        assert (world.ledger.matches, reminder.call, reminder.happening) == (False, Call(call_id="CA"), None)
        assert (at, world.ledger.due_at) == (pytest.approx(world.ledger.looks_again_at), at)
        world.vendor.faults.clear()
        world.settle()
        assert Notice.GIVEN_UP not in world.notices

    def test_what_it_tells_of_the_ledger_s_channel_stays(self, world):
        """An event that names no channel leaves the one that a flow has named."""
        world.enter(channel_id="channel-1")
        world.start()

        assert world.ledger.call.channel_id == "channel-1"


class TestOver:
    """The call is over."""

    def test_scenario_25_all_pauses_close(self, world):
        """The end of the call, which its vendor shows as well, closes each pause; nothing is due any more."""
        world.enter("card-entry")
        world.enter("security-code")
        world.vendor.hang_up()
        world.happen(OVER)

        assert (world.ledger.pauses, world.ledger.over, world.ledger.presumed, world.ledger.due_at) == (
            {},
            True,
            False,
            None,
        )
        assert world.events[-1] == "call over"
        assert world.enter().safe_to_collect is False

    def test_scenario_25_told_twice(self, world):
        """That a call is over may be told as often as one likes."""
        world.enter()
        world.vendor.hang_up()
        world.happen(OVER, event_id="E1")
        before = world.ledger
        world.happen(OVER, event_id="E1")
        world.happen(OVER, event_id="E2")

        assert (world.ledger, world.vendor.asked) == (before, [])

    def test_scenario_25_the_recording_s_end_comes_after(self, world):
        """What is told of recordings after the call's end is noted, and asks for nothing."""
        world.enter()
        world.vendor.hang_up()
        world.happen(OVER)
        world.happen(ENDED, recording_id="RE1")

        assert (world.ledger.over, world.ledger.due_at, world.vendor.asked) == (True, None, [])
        assert world.events[-1] == "recording-ended"

    def test_scenario_20_nobody_s_word_closes_a_pause(self, world):
        """A call that its vendor shows live is not over, whoever says so: the tape stays paused, which is proven anew."""
        world.enter()
        before = world.ledger
        world.happen(OVER, event_id=HASH)

        assert (world.ledger.pauses, world.ledger.over, world.statuses) == (before.pauses, False, {"paused"})
        assert (world.ledger.matches, "told over" in world.events) == (True, True)
        world.happen(OVER, event_id=HASH)
        assert world.vendor.asked == []

    def test_scenario_25_the_vendor_does_not_answer(self, world):
        """Without an answer nobody knows whether the call is over: it is looked at again, as after any failure."""
        world.enter()
        world.vendor.hang_up()
        world.vendor.fail("any", *[Fault(error=lost()) for _ in range(99)])
        world.happen(OVER)
        assert (world.ledger.over, world.ledger.matches) == (False, False)
        world.vendor.faults.clear()
        world.clock.sleep(60)
        world.sweep()

        assert (world.ledger.over, world.ledger.pauses) == (True, {})

    def test_scenario_25_the_vendor_knows_no_such_call(self, world):
        """A call that its vendor does not know any more is over when it has not known it for long, as without a word."""
        world.enter()
        world.vendor.hang_up()
        gone = world.vendor.refusal(errors.CallNotFoundError, 404)
        world.vendor.fail("call", Fault(error=gone))
        world.happen(OVER)

        assert (world.ledger.over, world.ledger.missing_since) == (False, world.clock.now())

    def test_scenario_25_of_a_call_at_rest_the_vendor_is_not_asked(self, world):
        """Where no pause is open, and the tape runs, the word is enough, and costs nothing; it is undone by the next one."""
        world.enter()
        world.leave()
        world.happen(OVER, event_id="E1")

        assert (world.ledger.over, world.ledger.presumed, world.vendor.asked) == (True, True, [])
        assert world.enter().safe_to_collect is True

    def test_scenario_43_a_call_that_was_presumed_over(self, world):
        """A call that its vendor did not know for long, and of which it tells again, is found again."""
        world.enter()
        world.put(replace(world.ledger, over=True, presumed=True, pauses={}))
        world.happen(ENDED, event_id="E1")
        assert (world.ledger.over, world.vendor.asked) == (True, [])
        world.start(event_id="E2")

        assert (world.ledger.over, world.statuses) == (False, {"in-progress"})


class TestOrder:
    """Events come in any order, and more than once."""

    def test_scenario_14_the_same_event_twice(self, world):
        """An event that comes a second time asks for nothing."""
        world.enter()
        world.start(event_id="E1")
        before = world.ledger
        world.happen(STARTED, recording_id="RE2", event_id="E1")

        assert (world.ledger, world.vendor.asked, world.ledgers.asked) == (before, [], ["load", "load"])

    def test_scenario_14_an_event_without_id_twice(self, world):
        """Where nothing makes two deliveries the same, each is looked into: that does no harm."""
        world.enter()
        world.start()
        world.happen(STARTED, recording_id="RE2")

        assert (world.ledger.changes, world.statuses, world.ledger.matches) == (2, {"paused"}, True)

    def test_scenario_16_ended_before_started(self, world):
        """The end of a tape that overtakes its start leaves the call as it is: paused, and proven."""
        world.enter()
        world.happen(ENDED, recording_id="RE2", event_id="E2")
        world.happen(STARTED, recording_id="RE2", event_id="E1")

        assert (world.statuses, world.ledger.matches, world.ledger.pauses.keys()) == ({"paused"}, True, {"card-entry"})

    @pytest.mark.parametrize("happening", [ENDED, FAILED])
    def test_the_only_tape_ends_in_a_card_step(self, world, happening):
        """A tape that ends, or fails, while it is paused leaves the pause open for the next one."""
        world.enter()
        world.vendor.statuses["RE1"] = RecordingStatus.COMPLETED
        world.happen(happening, recording_id="RE1")
        assert world.ledger.known.shows_none_live
        world.start("RE2")

        assert world.vendor.statuses["RE2"] is PAUSED

    @pytest.mark.parametrize("happening", Happening)
    def test_scenario_43_a_call_that_nobody_knows(self, world, happening):
        """Of a call that nobody has asked anything of nothing is written, and its vendor is not asked."""
        world.happen(happening)

        assert (world.ledgers.items, world.ledgers.asked, world.vendor.asked) == ({}, ["load"], [])
        assert (world.timers.reminders, world.notices) == ([], [])

    @pytest.mark.parametrize("happening", Happening)
    def test_scenario_43_what_is_no_id_of_this_vendor(self, world, happening):
        """An id that the vendor could not have given is refused before anything is looked up."""
        with pytest.raises(errors.InvalidTriggerError):
            world.happen(happening, call_id="unfit")

        assert (world.ledgers.asked, world.vendor.asked) == ([], [])
