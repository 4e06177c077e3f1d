"""Executions of state machines on the local stack: what they were told, where they went, and how they ended."""

import json
from collections.abc import Iterator
from typing import Any

from tests.integration.calls import PATIENCE_SECONDS, Json, SimulatedCall, eventually

STEP = "card-entry"


class Execution:
    """One execution, started now."""

    def __init__(self, states: Any, machine: str, given: Any) -> None:
        self._states = states
        self.given = given
        self.arn: str = states.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"]

    def described(self) -> Json:
        """What Step Functions says of it."""
        described: Json = self._states.describe_execution(executionArn=self.arn)
        return described

    def history(self) -> list[Json]:
        """Everything that happened, in order."""
        history: list[Json] = self._states.get_execution_history(executionArn=self.arn, maxResults=1000)["events"]
        return history

    def told(self) -> Iterator[Json]:
        """Yield what there is to read of it, but for its input, where Step Functions repeats that very input by itself.

        That is the input of the execution, and of a state that nothing came before, and the output of one that adds nothing.
        On AWS there is more of the kind, which the emulator leaves out: a task's parameters, which are what it asks our
        function with, and the variables that a state assigns.
        """
        described = self.described()
        yield {name: described[name] for name in ("output", "error", "cause") if name in described}
        for event in self.history():
            repeats = event["type"] == "ExecutionStarted" or event["type"].endswith(("StateEntered", "StateExited"))
            for details in (each for each in event.values() if isinstance(each, dict)):
                yield {
                    name: value
                    for name, value in details.items()
                    if not (repeats and name in ("input", "output") and json.loads(value) == self.given)
                }

    def path(self) -> list[str]:
        """The states that it entered, in order."""
        entered = (event.get("stateEnteredEventDetails") for event in self.history())
        return [details["name"] for details in entered if details]

    def failures(self, state: str) -> list[str]:
        """The errors that the task of a state failed with, in order."""
        found, at = [], None
        for event in self.history():
            at = event.get("stateEnteredEventDetails", {}).get("name", at)
            if at == state and "taskFailedEventDetails" in event:
                found.append(event["taskFailedEventDetails"]["error"])
        return found

    def ended(self) -> Json:
        """Wait for the end, and give what Step Functions says of it."""
        assert eventually(lambda: self.described()["status"] != "RUNNING", PATIENCE_SECONDS), self.path()
        return self.described()

    def output(self) -> Json:
        """Wait for success, and give its output."""
        described = self.ended()
        assert described["status"] == "SUCCEEDED", described
        output: Json = json.loads(described["output"])
        return output

    def stop(self) -> None:
        """Stop it, as a human does in the console."""
        self._states.stop_execution(executionArn=self.arn)


def given(call: SimulatedCall, **fields: object) -> Json:
    """Give a call as the workflow wants it."""
    channel = {key: call.created[key] for key in ("channel_id",) if key in call.created}
    return {"account": call.account, "call_id": call.call_id, "step": STEP, **channel, **fields}


def token_of(ledger_table: Any, call: SimulatedCall) -> str | None:
    """The token of the workflow that waits for the end of the step, if one does."""
    pauses = ledger_table.read(call)["pauses"] if ledger_table.has(call) else {}
    token: str | None = pauses.get(STEP, {}).get("token")
    return token


def wait_until_awaited(ledger_table: Any, call: SimulatedCall) -> str:
    """Wait until a workflow waits for the end of the step, and give its token."""
    assert eventually(lambda: token_of(ledger_table, call), PATIENCE_SECONDS)
    token = token_of(ledger_table, call)
    assert token is not None
    return token
