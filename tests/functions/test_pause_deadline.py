"""The function that SQS and the minute's rule invoke."""

import json
from typing import Any

import pytest

from tests.unit.fakes import CARD, FakeContext

ENVIRONMENT = {"LEDGER_TABLE": "ledgers", "TIMER_QUEUE_URL": "timers", "DEAD_LETTER_QUEUE_URL": "dead-letters"}

#: Nothing here counts anything: what is counted is the layer's.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


class FakeReminders:
    """Keeps what it was given, and gives back what it is told to."""

    def __init__(self) -> None:
        self.delivered: list[tuple[str, float]] = []
        self.sweeps: list[float] = []
        self.refused: set[str] = set()

    def deliver(self, body: str, *, seconds_left: float) -> None:
        """Take a message."""
        self.delivered.append((body, seconds_left))
        if body in self.refused:
            raise ValueError(f"the reminder does not fit: {body}")

    def sweep(self, *, seconds_left: float) -> None:
        """Take note."""
        self.sweeps.append(seconds_left)


@pytest.fixture(name="app", scope="module")
def _app(load_app):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        yield load_app("pause_deadline")


@pytest.fixture(name="reminders")
def _reminders(app, monkeypatch) -> FakeReminders:
    reminders = FakeReminders()
    monkeypatch.setattr(app, "reminders", reminders)
    return reminders


def batch(*bodies: str) -> dict[str, Any]:
    """Return SQS's event for messages with these bodies."""
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": "handle",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:timers",
                "awsRegion": "eu-central-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


class TestMessages:
    """A batch from the queue."""

    def test_each_message_is_delivered(self, app, reminders):
        """Every message is acted on in its order, and none comes again."""
        answer = app.lambda_handler(batch("a", "b"), FakeContext(remaining_ms=20_000))

        assert reminders.delivered == [("a", 20.0), ("b", 20.0)]
        assert answer == {"batchItemFailures": []}

    def test_only_what_failed_comes_again(self, app, reminders):
        """A message that could not be acted on is given back by itself, and those behind it are not held up."""
        reminders.refused = {"b"}
        answer = app.lambda_handler(batch("a", "b", "c"), FakeContext())

        assert [body for body, _ in reminders.delivered] == ["a", "b", "c"]
        assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}

    def test_a_batch_that_failed_as_a_whole_is_no_error(self, app, reminders):
        """If every message failed each is given back, and the function has not failed."""
        reminders.refused = {"a", "b"}
        answer = app.lambda_handler(batch("a", "b"), FakeContext())

        assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["message-0", "message-1"]

    def test_one_batch_says_nothing_of_the_next(self, app, reminders):
        """What failed in one batch is not given back in another."""
        reminders.refused = {"a"}
        app.lambda_handler(batch("a"), FakeContext())
        reminders.refused = set()

        assert app.lambda_handler(batch("a"), FakeContext()) == {"batchItemFailures": []}

    def test_no_message_is_written_down(self, app, reminders, written):
        """Neither a message nor what went wrong with it is logged here, at any level."""
        reminders.refused = {CARD}
        answer = app.lambda_handler(batch(CARD), FakeContext())

        assert CARD not in written() + json.dumps(answer)


class TestSweep:
    """What comes each minute."""

    @pytest.mark.parametrize("event", [{}, {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}])
    def test_what_carries_no_messages_is_a_sweep(self, app, reminders, event):
        """The rule's event, and whoever invokes the function with an empty one, make it sweep."""
        answer = app.lambda_handler(event, FakeContext(remaining_ms=20_000))

        assert (answer, reminders.sweeps, reminders.delivered) == ({}, [20.0], [])
