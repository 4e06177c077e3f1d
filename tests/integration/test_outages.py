"""DynamoDB or SQS out of reach: a pause is sent all the same and never safe, a resume is not sent, and all is mended."""

import json
import time
from functools import partial
from typing import Any

import pytest

from call_recording.model import Call, Reminder
from call_recording.reminders import dump_reminder
from tests.integration.calls import PATIENCE_SECONDS, VENDORS, SimulatedCall, eventually

CARD = "4111 1111 1111 1111"
TABLE, QUEUE = "dynamodb:*", "sqs:*"
by_itself = partial(eventually, seconds=PATIENCE_SECONDS)


def told(answer: Any) -> tuple[int, str, bool]:
    """Give what a flow branches on."""
    result = answer.json()
    return answer.status_code, result.get("verdict", ""), result.get("safe_to_collect", False)


class TestTable:
    def test_scenario_29_without_the_table(self, stack, swift, denied, ledger_table):
        """Without the table a pause is sent and not safe, a resume is not sent; then a `left`, or the reminder, resumes."""
        forgotten, left, paused_before = (
            [SimulatedCall(stack, vendor, account=swift[vendor]) for vendor in VENDORS] for _ in range(3)
        )
        for call in paused_before:
            assert call.flow("entered").status_code == 200
        with denied("flow_callback", TABLE):
            for call in forgotten + left:
                assert told(call.flow("entered")) == (503, "unknown", False)
                assert call.is_silent()
            for call in paused_before:
                commands = call.commands()
                assert told(call.flow("left")) == (503, "unknown", False)
                assert call.commands() == commands
        assert not any(ledger_table.has(call) for call in forgotten + left)

        for call in left + paused_before:
            assert call.flow("left").status_code == 200
            assert call.runs()
        for call in forgotten:
            assert by_itself(call.runs)
            assert ledger_table.events(call, "found without record") != []
        assert all(call.runs() for call in forgotten + left + paused_before)

    def test_scenario_29_a_workflow_without_the_table(self, stack, swift, denied, aws):
        """A workflow is told the same: its pause is sent and UnavailableError raised, and its resume is not sent."""
        functions, call = aws("lambda"), SimulatedCall(stack, "twilio", account=swift["twilio"])

        def task(action: str) -> dict[str, Any]:
            given = {"action": action, "account": call.account, "call_id": call.call_id, "step": "card-entry"}
            answer = functions.invoke(FunctionName=stack["functions"]["workflow_task"], Payload=json.dumps(given))
            result: dict[str, Any] = json.loads(answer["Payload"].read())
            return result

        with denied("workflow_task", TABLE):
            paused = task("pause")
            commands = call.commands()
            resumed = task("resume")

        assert [paused["errorType"], resumed["errorType"]] == ["UnavailableError", "UnavailableError"]
        assert json.loads(paused["errorMessage"])["safe_to_collect"] is False
        assert call.is_silent()
        assert call.commands() == commands
        assert task("resume")["verdict"] == "confirmed"
        assert call.runs()

    @pytest.mark.parametrize("vendor", ["twilio", "bandwidth"])
    def test_scenario_29_a_deadline_without_the_table(self, stack, denied, deliver, ledger_table, unswept, vendor):
        """A reminder that finds no table is given back, and ends the pause when it comes again and finds one."""
        call = SimulatedCall(stack, vendor)
        with denied("pause_deadline", TABLE):
            call.flow("entered", max_pause_seconds=1)
            pause = ledger_table.read(call)["pauses"]["card-entry"]
            address = Call(call_id=call.call_id)
            reminder = Reminder(call.account, address, "card-entry", pause["pause_id"], pause["deadline"])
            given_back = deliver(dump_reminder(reminder, at=1.0))
            time.sleep(max(0.0, pause["deadline"] + 4 - time.time()))  # for the true one to be tried, and given back
            silent, still_open = call.is_silent(), list(ledger_table.read(call)["pauses"])

        assert given_back == [0]
        assert silent
        assert still_open == ["card-entry"]
        assert by_itself(lambda: ledger_table.is_settled(call))
        assert call.runs()
        assert ledger_table.events(call, "asking")[-1]["by"] == "timer"


class TestQueue:
    @pytest.mark.parametrize("vendor", VENDORS)
    def test_scenario_29_without_the_queue(self, stack, denied, ledger_table, sweep, vendor):
        """Without the queue a pause is sent and on record but not safe; the sweep ends it, a `left` does as ever."""
        left, forgotten = SimulatedCall(stack, vendor), SimulatedCall(stack, vendor)
        with denied("flow_callback", QUEUE):
            assert told(left.flow("entered")) == (503, "unknown", False)
            assert told(forgotten.flow("entered", max_pause_seconds=1)) == (503, "unknown", False)
            assert left.is_silent()
            assert list(ledger_table.read(left)["pauses"]) == ["card-entry"]
            assert left.flow("left").status_code == 200
        assert left.runs()
        assert ledger_table.is_settled(left)

        def is_swept() -> bool:
            sweep()
            return ledger_table.is_settled(forgotten)

        assert by_itself(is_swept)
        assert forgotten.runs()

    @pytest.mark.parametrize("vendor", VENDORS)
    def test_scenario_29_without_both(self, stack, denied, ledger_table, swift, vendor):
        """Without both a pause is sent all the same, and never safe; the next `left` that finds the table mends it."""
        call = SimulatedCall(stack, vendor, account=swift[vendor])
        with denied("flow_callback", TABLE, QUEUE):
            entered = told(call.flow("entered"))
            call.say(CARD)
        left = call.flow("left")

        assert entered == (503, "unknown", False)
        assert left.status_code == 200
        assert call.runs()
        assert CARD not in call.heard()[0]
