"""Batches of messages, and what is told of those that fail."""

import io
import json

import pytest
from aws_lambda_powertools.utilities.batch import process_partial_response

from call_recording.aws import observability
from call_recording.aws.messages import MessageBatch
from call_recording.errors import InvalidTriggerError, UnavailableError
from tests.unit.fakes import CARD


@pytest.fixture(name="lines")
def _lines(monkeypatch):
    """Return a function that reads what the one logger has written, line by line."""
    stream = io.StringIO()
    monkeypatch.setattr(observability.logger.registered_handler, "stream", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture(name="counted")
def _counted(monkeypatch, capsys):
    """Return a function that sends the metrics and reads them."""
    monkeypatch.setattr(observability.metrics.provider, "namespace", "Offtape")
    observability.metrics.provider.clear_metrics()

    def read():
        observability.metrics.flush_metrics()
        return json.loads(capsys.readouterr().out)

    yield read
    observability.metrics.provider.clear_metrics()


class FakeQueue:
    """Keeps what was postponed, and by how much."""

    def __init__(self) -> None:
        self.postponed: list[tuple[str, int]] = []

    def postpone(self, receipt_handle: str, *, seconds: int) -> None:
        """Take note."""
        self.postponed.append((receipt_handle, seconds))


@pytest.fixture(name="queue")
def _queue() -> FakeQueue:
    return FakeQueue()


def taken(queue: FakeQueue, *failures: Exception | None, received: int = 1, jitter: float = 1.0):
    """Take a batch whose messages fail as given, *received* so often by now, and return the answer."""
    records = [
        {
            "messageId": f"message-{number}",
            "receiptHandle": f"handle-{number}",
            "body": str(number),
            "attributes": {"ApproximateReceiveCount": str(received)},
            "eventSource": "aws:sqs",
        }
        for number in range(len(failures))
    ]

    def deliver(record) -> None:
        if (failure := failures[int(record.body)]) is not None:
            raise failure

    return process_partial_response(
        event={"Records": records}, record_handler=deliver, processor=MessageBatch(queue, lambda: jitter)
    )


def test_only_what_failed_is_given_back(lines, counted, queue):
    """A message that failed comes again, alone, and is counted."""
    answer = taken(queue, None, UnavailableError("DynamoDB: ThrottlingException"), None)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    assert counted()["MessageGivenBack"] == [1.0]


def test_what_is_to_be_expected_is_a_warning(lines, counted, queue):
    """A message that cannot be acted on just now is a warning with its reason."""
    taken(queue, UnavailableError("DynamoDB: ThrottlingException"))

    [line] = lines()
    assert (line["level"], line["message"], line["message_id"]) == ("WARNING", "message given back", "message-0")
    assert (line["error"], line["reason"]) == ("UnavailableError", "DynamoDB: ThrottlingException")


def test_what_nobody_expected_is_an_error_without_its_text(lines, counted, queue):
    """A failure of ours is an error with its class and its place, and with nothing that may be in its text."""
    taken(queue, KeyError(CARD))

    [line] = lines()
    assert (line["level"], line["error"]) == ("ERROR", "KeyError")
    assert "reason" not in line
    assert "test_messages.py:" in line["place"]
    assert CARD not in json.dumps(line)


def test_a_batch_that_failed_as_a_whole_is_no_error(lines, counted, queue):
    """If every message failed each is given back, and nothing is raised."""
    answer = taken(queue, ValueError("x"), ValueError("x"))

    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["message-0", "message-1"]
    assert counted()["MessageGivenBack"] == [1.0, 1.0]


@pytest.mark.parametrize(("received", "seconds"), [(1, 2), (2, 4), (5, 32), (6, 64), (7, 120), (246, 120)])
def test_what_may_soon_be_over_comes_again_soon(lines, counted, queue, received, seconds):
    """A message that could not be acted on just now is tried again at once at first, then less and less often."""
    taken(queue, None, UnavailableError("DynamoDB: ThrottlingException"), received=received)

    assert queue.postponed == [("handle-1", seconds)]


def test_they_do_not_all_come_again_at_once(lines, counted, queue):
    """Messages that were given back together come again apart."""
    for jitter in (0.0, 0.5, 0.99):
        taken(queue, UnavailableError("DynamoDB: ThrottlingException"), received=9, jitter=jitter)

    assert [seconds for _, seconds in queue.postponed] == [60, 90, 120]


@pytest.mark.parametrize("failure", [ValueError("x"), KeyError("x"), InvalidTriggerError("call_id", "is not an id")])
def test_what_does_not_pass_by_itself_is_not_hurried(lines, counted, queue, failure):
    """A message that nobody can read, or that our code fails on, comes again after the queue's own time."""
    taken(queue, failure)

    assert queue.postponed == []
