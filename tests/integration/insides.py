"""What is behind the API of the local stack: the table of the ledgers, the queue of the reminders, the processes."""

import contextlib
import json
import os
import signal
from pathlib import Path
from typing import Any

from tests.integration.calls import Json, SimulatedCall

PROC = Path("/proc")


class LedgerTable:
    """The table of the ledgers, as it is in the emulator."""

    def __init__(self, dynamo: Any, name: str) -> None:
        self._dynamo = dynamo
        self._name = name

    def _item(self, call: SimulatedCall) -> Any:
        key = {"call": {"S": f"{call.account}/{call.call_id}".lower()}}
        return self._dynamo.get_item(TableName=self._name, Key=key, ConsistentRead=True).get("Item")

    def read(self, call: SimulatedCall) -> Json:
        """The ledger of a call, and beside it the key of the sweep's index, None if it is not in there."""
        item = self._item(call)
        document: Json = json.loads(item["document"]["S"])
        return document | {"due_at": item.get("due_at")}

    def has(self, call: SimulatedCall) -> bool:
        """Whether there is a ledger of the call."""
        return self._item(call) is not None

    def is_settled(self, call: SimulatedCall) -> bool:
        """Whether nothing is left to do for a call: nobody will look at it again."""
        ledger = self.read(call)
        return (ledger["due_at"], ledger["lease"], ledger["pauses"]) == (None, None, {})

    def events(self, call: SimulatedCall, what: str) -> list[Json]:
        """What happened on the call, of one kind."""
        return [event for event in self.read(call)["events"] if event["what"] == what]

    def put_back(self, call: SimulatedCall, field: str, *, seconds: float) -> None:
        """Put an instant of a ledger back, as if so much more time had passed since."""
        item = self._item(call)
        document = json.loads(item["document"]["S"])
        document[field] -= seconds
        loaded = item["version"]
        self._dynamo.put_item(
            TableName=self._name,
            Item=item | {"document": {"S": json.dumps(document)}, "version": {"N": str(int(loaded["N"]) + 1)}},
            ConditionExpression="#version = :loaded",
            ExpressionAttributeNames={"#version": "version"},
            ExpressionAttributeValues={":loaded": loaded},
        )


class TimerQueue:
    """The queue of the reminders, which pause_deadline empties."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def lose(self) -> None:
        """Lose every reminder that there is."""
        self._sqs.purge_queue(QueueUrl=self._url)

    def send(self, body: str) -> None:
        """Put a message into it."""
        self._sqs.send_message(QueueUrl=self._url, MessageBody=body)


def processes(stack: Json, function: str) -> set[int]:
    """List the processes of a function of this stack: who runs awslambdaric for it and asks our emulator."""
    ours = {
        f"AWS_ENDPOINT_URL={stack['aws_endpoint']}".encode(),
        f"AWS_LAMBDA_FUNCTION_NAME={stack['functions'][function]}".encode(),
    }
    found = set()
    for path in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_runtime = b"awslambdaric" in (path / "cmdline").read_bytes()
            if is_runtime and ours <= set((path / "environ").read_bytes().split(b"\0")):
                found.add(int(path.name))
    return found


def kill(stack: Json, function: str) -> int:
    """Kill the processes of a function of this stack; give how many."""
    found = processes(stack, function)
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return len(found)
