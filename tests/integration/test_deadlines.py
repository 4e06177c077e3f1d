"""A pause that nobody ends, and a resume that does not work: what comes back to a call by itself."""

import time
from datetime import datetime
from functools import partial
from itertools import pairwise

import pytest

from call_recording.model import Call, Reminder
from call_recording.reminders import dump_reminder
from tests.integration.calls import PATIENCE_SECONDS, VENDORS, SimulatedCall, eventually

CARD = "4111 1111 1111 1111"
#: Who can stop a recording without being told where its call goes on.
STOPPING = [vendor for vendor in VENDORS if vendor != "bandwidth"]
#: Long enough to say a card number, short enough to wait for; seconds.
BRIEFLY = 2
by_itself = partial(eventually, seconds=PATIENCE_SECONDS)


@pytest.fixture(name="impatient", scope="module")
def _impatient(account):
    """Give each vendor an account that gives up soon on a vendor that fails, which acts within two seconds or never."""
    return {vendor: account(vendor, settings={"in_flight_ms": 2_000, "budget_ms": 1_500})[:2] for vendor in VENDORS}


def entered_for(seconds: int, *calls: SimulatedCall) -> None:
    """Let the flow of each call enter its step for so long, again if the machine is too busy, and the caller say the card."""
    for call in calls:
        assert by_itself(lambda call=call: call.flow("entered", max_pause_seconds=seconds).status_code == 200)
        call.say(CARD)


def body(call: SimulatedCall, pause_id: str, *, at: float = 1.0) -> str:
    """Write the reminder of a pause, as Offtape does."""
    address = Call(call_id=call.call_id, channel_id=call.created.get("channel_id"))
    return dump_reminder(Reminder(call.account, address, "card-entry", pause_id, at), at=at)


def assert_tried_less_and_less_often(ledger_table, call: SimulatedCall, *, failures: int) -> None:
    """Check that so many resumes failed, each next one after twice the wait of the one before."""
    answered = [event for event in ledger_table.events(call, "answered") if event["action"] == "resume"]
    times = [datetime.fromisoformat(event["at"]).timestamp() for event in answered]
    waits = [later - earlier for earlier, later in pairwise(times[: failures + 1])]
    assert [event.get("error") for event in answered[:failures]] == ["OutcomeUnknownError"] * failures
    assert all(wait >= 2.0**number for number, wait in enumerate(waits, 1)), waits


def assert_left_alone(ledger_table, deliver, call: SimulatedCall) -> None:
    """Check that nothing is left to do for a call that is over: its pause's reminder, late, asks nothing of the vendor."""
    asked = len(call.shown()["requests"])
    assert deliver(body(call, ledger_table.events(call, "entered")[0]["pause_id"])) == []
    assert ledger_table.is_settled(call)
    assert len(call.shown()["requests"]) == asked
    assert call.flow("entered").json()["safe_to_collect"] is False


class TestForgotten:
    def test_scenario_23_a_forgotten_pause_ends_by_its_reminder(self, stack, unswept, ledger_table):
        """A step that nobody leaves is over at its deadline, at every vendor and without any sweep: the tape runs again."""
        calls = [SimulatedCall(stack, vendor) for vendor in VENDORS]
        entered_for(BRIEFLY, *calls)

        for call in calls:
            assert by_itself(lambda call=call: ledger_table.is_settled(call))
            assert call.runs()
            assert CARD not in call.heard()[0]
            assert len(ledger_table.events(call, "expired")) == 1
            assert ledger_table.events(call, "asking")[-1]["by"] == "timer"

    def test_scenario_26_entering_again_moves_the_deadline(self, stack, unswept, ledger_table, deliver):
        """A step that is entered again before its deadline goes on: the first visit's reminder ends nothing."""
        call = SimulatedCall(stack, "twilio")
        entered_for(BRIEFLY, call)
        first = ledger_table.read(call)["pauses"]["card-entry"]
        entered_for(300, call)
        time.sleep(max(0.0, first["deadline"] + 2 - time.time()))  # for the first reminder to come
        given_back = deliver(body(call, first["pause_id"]))  # and once more
        moved = ledger_table.read(call)["pauses"]["card-entry"]

        assert given_back == []
        assert moved["deadline"] > first["deadline"]
        assert call.is_silent()
        assert call.flow("left").status_code == 200
        assert call.runs()
        assert CARD not in call.heard()[0]

    @pytest.mark.parametrize("vendor", VENDORS)
    def test_scenario_26_kept(self, stack, account, ledger_table, vendor):
        """An account that keeps its pauses keeps them past the deadline: only `left` resumes."""
        call = SimulatedCall(stack, vendor, account=account(vendor, settings={"on_deadline": "keep"})[:2])
        entered_for(BRIEFLY, call)

        assert by_itself(lambda: ledger_table.events(call, "expired") != [])
        assert call.is_silent()
        assert call.flow("left").status_code == 200
        assert call.runs()
        assert ledger_table.is_settled(call)
        assert CARD not in call.heard()[0]

    @pytest.mark.parametrize("vendor", STOPPING)
    def test_scenario_26_stopped(self, stack, account, ledger_table, vendor):
        """An account that stops at the deadline has its recording stopped for good: nothing resumes it, no step opens."""
        call = SimulatedCall(stack, vendor, account=account(vendor, settings={"on_deadline": "stop"})[:2])
        entered_for(BRIEFLY, call)

        assert by_itself(lambda: ledger_table.is_settled(call))
        left, again = call.flow("left"), call.flow("entered")
        assert (left.status_code, again.status_code) == (409, 409)
        assert again.json()["safe_to_collect"] is False
        assert call.is_silent()
        assert call.shown()["status"] == "in-progress"


class TestReminders:
    def test_scenario_27_a_lost_reminder(self, stack, ledger_table, timers, sweep):
        """Pauses whose reminders are lost, every one of them, are ended by the sweep."""
        calls = [SimulatedCall(stack, vendor) for vendor in VENDORS]
        entered_for(2 * BRIEFLY, *calls)  # none of them is due before it is lost
        timers.lose()

        def is_swept(call: SimulatedCall) -> bool:
            sweep()
            return ledger_table.is_settled(call)

        for call in calls:
            assert by_itself(partial(is_swept, call))
            assert call.runs()
            assert CARD not in call.heard()[0]
            assert {event["by"] for event in ledger_table.events(call, "asking")} == {"flow", "sweep"}

    def test_scenario_27_reminders_that_mean_nothing(self, stack, swift, ledger_table, timers, deliver):
        """Doubled, late and invented reminders change nothing for any call, whether its pause is open or was left."""
        call = SimulatedCall(stack, "twilio", account=swift["twilio"])
        other = SimulatedCall(stack, "twilio", account=swift["twilio"])
        entered_for(300, call, other)
        pause_id = ledger_table.read(call)["pauses"]["card-entry"]["pause_id"]
        timers.send(body(call, "never-opened"))
        assert by_itself(lambda: ledger_table.events(call, "found without record") != [])
        meaningless = [body(call, each) for each in (pause_id, pause_id, "never-opened", "neither")]
        given_back = deliver(*meaningless)
        silent = call.is_silent()
        left = call.flow("left")

        assert given_back == []
        assert silent
        assert left.status_code == 200
        assert deliver(*meaningless) == []
        assert call.runs()
        assert other.is_silent()
        assert CARD not in call.heard()[0] + other.heard()[0]

    def test_scenario_33_only_what_failed_comes_again(self, stack, ledger_table, unswept, timers, deliver):
        """Of a batch of messages those that cannot be read are given back, and the others have done their work."""
        call = SimulatedCall(stack, "signalwire")
        entered_for(BRIEFLY, call)
        timers.lose()
        pause = ledger_table.read(call)["pauses"]["card-entry"]
        time.sleep(max(0.0, pause["deadline"] + 1.1 - time.time()))
        given_back = deliver("\x00", body(call, pause["pause_id"]), '{"account": 4111}')

        assert given_back == [0, 2]
        assert call.runs()
        assert ledger_table.is_settled(call)


class TestVendor:
    def test_scenario_24_a_resume_that_fails_at_the_deadline(self, stack, impatient, ledger_table):
        """A vendor that fails to resume at the deadline is asked again, less and less often, until it does."""
        calls = [SimulatedCall(stack, vendor, account=impatient[vendor]) for vendor in ("twilio", "bandwidth")]
        for call in calls:
            call.fault("resume", times=2, status=500, apply=False)
        entered_for(BRIEFLY, *calls)

        for call in calls:
            assert by_itself(lambda call=call: ledger_table.is_settled(call))
            assert call.runs()
            assert CARD not in call.heard()[0]
            assert_tried_less_and_less_often(ledger_table, call, failures=2)

    def test_scenario_24_a_resume_that_fails_after_left(self, stack, impatient, ledger_table):
        """A resume that fails after `left` is reported as done to nobody, and tried again by itself until it is."""
        calls = [SimulatedCall(stack, vendor, account=impatient[vendor]) for vendor in ("signalwire", "bird")]
        entered_for(300, *calls)
        for call in calls:
            call.fault("resume", times=2, status=500, apply=False)
            answers = [call.flow("left"), call.flow("left")]
            assert [answer.status_code for answer in answers] == [504, 504]
            assert not ledger_table.is_settled(call)

        for call in calls:
            assert by_itself(lambda call=call: ledger_table.is_settled(call))
            assert call.runs()
            assert CARD not in call.heard()[0]
            assert ledger_table.read(call)["failures"] == 0

    @pytest.mark.parametrize("vendor", VENDORS)
    def test_scenario_25_the_call_ends_while_it_is_paused(self, stack, ledger_table, deliver, vendor):
        """A caller who hangs up in the step leaves nothing to do: the ledger says so, and the vendor is not asked again."""
        call = SimulatedCall(stack, vendor)
        entered_for(BRIEFLY, call)
        call.end()
        assert by_itself(lambda: ledger_table.read(call)["over"])
        assert_left_alone(ledger_table, deliver, call)

    def test_scenario_25_a_call_that_the_vendor_forgets(self, stack, impatient, ledger_table, deliver):
        """A call that its vendor has not known for ten minutes is over."""
        call = SimulatedCall(stack, "twilio", account=impatient["twilio"])
        entered_for(BRIEFLY, call)
        call.fault("any", times=1000, status=404, apply=False)
        assert by_itself(lambda: ledger_table.read(call)["missing_since"] is not None)
        before = ledger_table.read(call)["over"]
        ledger_table.put_back(call, "missing_since", seconds=600.0)
        assert by_itself(lambda: ledger_table.read(call)["over"])

        assert before is False
        assert_left_alone(ledger_table, deliver, call)
