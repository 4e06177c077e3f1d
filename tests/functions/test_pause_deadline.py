"""The function that SQS and the minute's rule invoke."""

import json
from typing import Any

import pytest

from call_recording.aws.messages import MessageBatch
from call_recording.inbound.flows import FlowCallbacks
from call_recording.inbound.reminders import Reminders
from call_recording.model import Call, Happening, Reminder
from call_recording.reminders import dump_reminder
from tests.unit.fakes import CALL_SID, CARD, FakeContext, client_error, flow_event

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
    return load_app("pause_deadline")


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


class TestTogether:
    """The function with the real parts, on a table and a queue that are faked."""

    @pytest.fixture(autouse=True)
    def _parts(self, app, parts, monkeypatch):
        monkeypatch.setattr(
            app,
            "reminders",
            Reminders(recordings=parts.recordings, timers=parts.timers, clock=parts.clock, observer=parts.observer),
        )
        monkeypatch.setattr(app, "messages", MessageBatch(parts.timers))

    def enter(self, parts, call_id: str = CALL_SID) -> None:
        """Let a flow enter a step."""
        flows = FlowCallbacks(
            accounts=parts.accounts, recordings=parts.recordings, clock=parts.clock, observer=parts.observer
        )
        assert flows.answer(flow_event({"call_id": call_id}), seconds_left=10.0)["statusCode"] == 200

    def test_scenario_23_a_forgotten_pause(self, app, parts, platforms, sqs, clock):
        """The message that a pause left in the queue, delivered in time, ends it."""
        self.enter(parts)
        [(queue, body, delay)] = sqs.sent
        clock.sleep(delay + 0.1)
        answer = app.lambda_handler(batch(body), FakeContext(remaining_ms=20_000))

        assert (queue, delay) == ("https://sqs.example.com/timer", 301)
        assert (answer, platforms.words["twilio"]) == ({"batchItemFailures": []}, "in-progress")

    def test_scenario_33_a_poisoned_message(self, app, parts, platforms, sqs, clock, written):
        """A message that nobody can read, even with a card's number in it, is given back alone, and harms no other."""
        self.enter(parts)
        [(_, body, delay)] = sqs.sent
        clock.sleep(delay + 0.1)
        poison = json.dumps({"account": "demo-twilio", "call_id": CARD, "at": CARD})
        answer = app.lambda_handler(batch(poison, body, "{", ""), FakeContext(remaining_ms=20_000))

        given_back = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
        assert (given_back, platforms.words["twilio"]) == (["message-0", "message-2", "message-3"], "in-progress")
        assert CARD not in json.dumps(answer) + written()

    def test_scenario_27_a_lost_message(self, app, parts, platforms, clock, written):
        """A pause whose message was lost is ended by the minute's event, and counted."""
        self.enter(parts)
        clock.sleep(301.1)

        assert app.lambda_handler({"source": "aws.events"}, FakeContext(remaining_ms=20_000)) == {}
        assert platforms.words["twilio"] == "in-progress"
        assert '"PauseExpired":[1.0]' in written().replace(" ", "")

    def test_scenario_29_the_table_is_down(self, app, parts, dynamo, sqs, clock):
        """While the table does not answer every message is given back, and comes again soon."""
        self.enter(parts)
        [(_, body, delay)] = sqs.sent
        clock.sleep(delay + 0.1)
        dynamo.down = client_error("ThrottlingException")
        answer = app.lambda_handler(batch(body), FakeContext(remaining_ms=20_000))

        assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["message-0"]
        assert [each[:2] for each in sqs.postponed] == [("https://sqs.example.com/timer", "handle")]

    def test_scenario_33_an_event_that_the_queue_has_kept(self, app, parts, platforms, clock, written):
        """What a webhook could not write down is made up for by its message; one that is forged harms no other."""
        self.enter(parts)
        platforms.words["twilio"] = "in-progress"
        kept = Reminder("demo-twilio", Call(call_id=CALL_SID), happening=Happening.RECORDING_STARTED)
        body = dump_reminder(kept, at=clock.now())
        poison = json.dumps(json.loads(body) | {"event_id": CARD, "happening": CARD})
        answer = app.lambda_handler(batch(poison, body), FakeContext(remaining_ms=20_000))

        assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["message-0"]
        assert platforms.words["twilio"] == "paused"
        assert CARD not in json.dumps(answer) + written()

    def test_scenario_27_a_long_pause(self, app, parts, sqs, clock):
        """A message that the queue could not hold back long enough is sent on with what is left."""
        reminder = Reminder("demo-twilio", Call(call_id=CALL_SID), "card-entry", "P1", clock.now() + 7200)
        body = dump_reminder(reminder, at=clock.now() + 1500)
        answer = app.lambda_handler(batch(body), FakeContext(remaining_ms=20_000))

        assert answer == {"batchItemFailures": []}
        assert [(sent, delay) for _, sent, delay in sqs.sent] == [(body, 900)]


class TestSweep:
    """What comes each minute."""

    @pytest.mark.parametrize("event", [{}, {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}])
    def test_what_carries_no_messages_is_a_sweep(self, app, reminders, event):
        """The rule's event, and whoever invokes the function with an empty one, make it sweep."""
        answer = app.lambda_handler(event, FakeContext(remaining_ms=20_000))

        assert (answer, reminders.sweeps, reminders.delivered) == ({}, [20.0], [])
