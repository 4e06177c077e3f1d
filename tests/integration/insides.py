"""What a test sees behind the API of the local stack: the table of the ledgers, the queue of the reminders."""

import json
from typing import Any

from tests.integration.calls import Json, SimulatedCall


class LedgerTable:
    """The table of the ledgers, as it is in the emulator."""

    def __init__(self, dynamo: Any, name: str) -> None:
        self._dynamo = dynamo
        self._name = name

    def read(self, call: SimulatedCall) -> Json:
        """The ledger of a call, and beside it the key of the sweep's index, None if it is not in there."""
        key = {"call": {"S": f"{call.account}/{call.call_id}"}}
        item = self._dynamo.get_item(TableName=self._name, Key=key, ConsistentRead=True)["Item"]
        document: Json = json.loads(item["document"]["S"])
        return document | {"due_at": item.get("due_at")}

    def has(self, call: SimulatedCall) -> bool:
        """Whether there is a ledger of the call."""
        key = {"call": {"S": f"{call.account}/{call.call_id}"}}
        return "Item" in self._dynamo.get_item(TableName=self._name, Key=key, ConsistentRead=True)

    def is_settled(self, call: SimulatedCall) -> bool:
        """Whether nothing is left to do for a call: nobody will look at it again."""
        ledger = self.read(call)
        return (ledger["due_at"], ledger["lease"], ledger["pauses"]) == (None, None, {})

    def events(self, call: SimulatedCall, what: str) -> list[Json]:
        """What happened on the call, of one kind."""
        return [event for event in self.read(call)["events"] if event["what"] == what]

    def age(self, call: SimulatedCall, field: str, *, seconds: float) -> None:
        """Put an instant of a ledger back, as if so much time had passed since."""
        key = {"call": {"S": f"{call.account}/{call.call_id}"}}
        item = self._dynamo.get_item(TableName=self._name, Key=key, ConsistentRead=True)["Item"]
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

    def set_visibility(self, seconds: int) -> None:
        """Set how long a message stays away that was given back."""
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"VisibilityTimeout": str(seconds)})

    def counted(self) -> tuple[int, int, int]:
        """Count the messages that wait, that are being worked on or were given back, and that are delayed."""
        found = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["All"])["Attributes"]
        waiting, away, delayed = (
            int(found[f"ApproximateNumberOfMessages{name}"]) for name in ("", "NotVisible", "Delayed")
        )
        return waiting, away, delayed
