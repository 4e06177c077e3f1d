"""DynamoDB, SQS and EventBridge in memory, with botocore's requests, answers and errors; only what Offtape asks of them."""

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)

URL = "https://dynamodb.example"
Item = dict[str, dict[str, str]]


def aws_error(code: str, *, status: int = 400, item: Item | None = None) -> ClientError:
    """Return what botocore raises when AWS answers with an error."""
    answer: Any = {
        "Error": {"Code": code, "Message": "as AWS words it"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    if item is not None:
        answer["Item"] = item
    return ClientError(answer, "Operation")


#: Certainly not carried out, and worth another try.
NOT_CARRIED_OUT = [
    aws_error("ProvisionedThroughputExceededException"),
    aws_error("ThrottlingException"),
    aws_error("RequestLimitExceeded"),
    EndpointConnectionError(endpoint_url=URL),
    ConnectTimeoutError(endpoint_url=URL),
    ProxyConnectionError(proxy_url=URL),
]
#: Certainly not carried out, and not the next time either.
REFUSED = [
    aws_error("AccessDeniedException"),
    aws_error("ResourceNotFoundException"),
    aws_error("ValidationException"),
    aws_error("UnrecognizedClientException"),
    aws_error("ExpiredTokenException", status=403),
]
#: Nobody knows.
UNCLEAR = [
    aws_error("InternalServerError", status=500),
    aws_error("ServiceUnavailable", status=503),
    ReadTimeoutError(endpoint_url=URL),
    ConnectionClosedError(endpoint_url=URL),
    SSLError(endpoint_url=URL, error=OSError()),
]


class FakeDynamo:
    """One table with the index `due`.  A read that is not consistent shows each item as it was before its last write."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.before: dict[str, Item] = {}
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.failures: list[Exception] = []  #: raised by the next requests, one each
        self.down: Exception | None = None  #: raised by each request
        self.acts_all_the_same = False  #: whether a write that fails is carried out: only its answer is lost
        self.page = 1000  #: the most items that the index gives at once, whatever is asked for
        self.spend: Callable[[], None] = lambda: None  #: what each request takes

    def get_item(self, **request: Any) -> dict[str, Any]:
        self._begin("get", request)
        key = request["Key"]["call"]["S"]
        seen = self.items if request.get("ConsistentRead") is True else self.before
        return {"Item": seen[key]} if key in seen else {}

    def put_item(self, **request: Any) -> dict[str, Any]:
        if not self.acts_all_the_same:
            self._begin("put", request)
        item: Item = request["Item"]
        stored = self.items.get(item["call"]["S"])
        if not self._holds(request, stored):
            wanted = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            raise aws_error("ConditionalCheckFailedException", item=stored if wanted else None)
        if stored is not None:
            self.before[item["call"]["S"]] = stored
        self.items[item["call"]["S"]] = item
        if self.acts_all_the_same:
            self._begin("put", request)
        return {}

    def query(self, **request: Any) -> dict[str, Any]:
        self._begin("query", request)
        assert request["IndexName"] == "due"
        assert request["KeyConditionExpression"] == "due_shard = :shard AND due_at <= :now"
        values = request["ExpressionAttributeValues"]
        names = ("call", "due_shard", "due_at")
        found = sorted(
            (
                {name: item[name] for name in names}
                for item in self.items.values()
                if item.get("due_shard") == values[":shard"]
                and float(item["due_at"]["N"]) <= float(values[":now"]["N"])
            ),
            key=lambda item: (float(item["due_at"]["N"]), item["call"]["S"]),
            reverse=not request.get("ScanIndexForward", True),
        )
        first = found.index(request["ExclusiveStartKey"]) + 1 if "ExclusiveStartKey" in request else 0
        last = first + min(request["Limit"], self.page)
        answer: dict[str, Any] = {"Items": found[first:last]}
        if last < len(found):
            answer["LastEvaluatedKey"] = found[last - 1]
        return answer

    def _begin(self, name: str, request: dict[str, Any]) -> None:
        self.requests.append((name, request))
        self.spend()
        if self.failures:
            raise self.failures.pop(0)
        if self.down is not None:
            raise self.down

    def _holds(self, request: dict[str, Any], stored: Item | None) -> bool:
        match request.get("ConditionExpression"):
            case None:
                return True
            case "attribute_not_exists(#call)":
                assert request["ExpressionAttributeNames"] == {"#call": "call"}
                return stored is None
            case "#version = :loaded":
                assert request["ExpressionAttributeNames"] == {"#version": "version"}
                return stored is not None and stored["version"] == request["ExpressionAttributeValues"][":loaded"]
        raise AssertionError("an expression that this fake does not know")


class FakeSqs:
    """Queues that keep what was sent, with its delay."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, int]] = []
        self.postponed: list[tuple[str, str, int]] = []
        self.failure: Exception | None = None

    def send_message(self, **request: Any) -> dict[str, Any]:
        if self.failure is not None:
            raise self.failure
        delay = request["DelaySeconds"]
        assert type(delay) is int
        if not 0 <= delay <= 900:
            raise aws_error("InvalidParameterValue")
        self.sent.append((request["QueueUrl"], request["MessageBody"], delay))
        return {"MessageId": "1"}

    def change_message_visibility(self, **request: Any) -> dict[str, Any]:
        if self.failure is not None:
            raise self.failure
        seconds = request["VisibilityTimeout"]
        assert type(seconds) is int
        if not 0 <= seconds <= 43_200:
            raise aws_error("InvalidParameterValue")
        self.postponed.append((request["QueueUrl"], request["ReceiptHandle"], seconds))
        return {}


class FakeEvents:
    """A bus that keeps what was put, request by request."""

    def __init__(self) -> None:
        self.requests: list[list[dict[str, Any]]] = []
        self.failure: Exception | None = None  #: raised by each request
        self.not_taken: set[int] = set()  #: places of the events that EventBridge does not take

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 -- as AWS names it
        if self.failure is not None:
            raise self.failure
        if not 1 <= len(Entries) <= 10:
            raise aws_error("ValidationException")
        self.requests.append(Entries)
        failed = [json.loads(each["Detail"])["sequence"] in self.not_taken for each in Entries]
        answers = [{"ErrorCode": "ThrottlingException"} if each else {"EventId": "1"} for each in failed]
        return {"FailedEntryCount": sum(failed), "Entries": answers}
