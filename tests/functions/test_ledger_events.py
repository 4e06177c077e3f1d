"""The function that the table's stream invokes."""

import json
import re
from typing import Any

import pytest

from call_recording.aws.bus import EventBus
from call_recording.bootstrap import bootstrap_stream
from call_recording.errors import ConfigurationError
from call_recording.inbound.flows import FlowCallbacks
from call_recording.inbound.ledger_stream import LedgerStream
from tests.functions.conftest import ENVIRONMENT
from tests.unit.announced_words import misfits
from tests.unit.aws.fake_aws import FakeDynamo, FakeEvents, aws_error
from tests.unit.fake_stores import FakeWorkflows, MemoryLedgers
from tests.unit.fakes import CALL_SID, CARD, FakeContext, flow_event


@pytest.fixture(name="app", scope="module")
def _app(load_app):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENT_BUS_NAME", "offtape")
        return load_app("ledger_events")


@pytest.fixture(name="events")
def _events() -> FakeEvents:
    return FakeEvents()


@pytest.fixture(name="run")
def _run(app, parts, events, clock, monkeypatch):
    """Hand a batch to the handler, as Lambda does."""
    stream = LedgerStream(
        bus=EventBus(events, name="offtape"),
        workflows=FakeWorkflows(),
        ledgers=MemoryLedgers(),
        clock=clock,
        observer=parts.observer,
    )
    monkeypatch.setattr(app, "stream", stream)
    return lambda *records: app.lambda_handler({"Records": list(records)}, FakeContext())


class Recorded(FakeDynamo):
    """A table with a stream."""

    def __init__(self) -> None:
        super().__init__()
        self.stream: list[dict[str, Any]] = []

    def put_item(self, **request: Any) -> dict[str, Any]:
        """Put an item, and keep what the stream tells of it."""
        key = request["Item"]["call"]["S"]
        before = self.items.get(key)
        answer = super().put_item(**request)
        self.stream.append(record(len(self.stream), self.items[key], before))
        return answer


def record(number: int, after: dict[str, Any], before: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what Lambda is given of one change."""
    images = {"NewImage": after} | ({} if before is None else {"OldImage": before})
    return {
        "eventID": f"event-{number}",
        "eventName": "INSERT" if before is None else "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/offtape-ledger/stream/2026-09-21T00:00:00.000",
        "dynamodb": {
            "ApproximateCreationDateTime": 1790000000.0,
            "Keys": {"call": after.get("call", {"S": "demo-twilio/ca1"})},
            "SequenceNumber": str(100 + number),
            "SizeBytes": 1000,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            **images,
        },
    }


@pytest.fixture(name="dynamo")
def _dynamo() -> Recorded:
    return Recorded()


@pytest.fixture(name="story")
def _story(parts, dynamo, clock) -> list[dict[str, Any]]:
    """Let a flow enter a step and leave it; give what the stream tells of that."""
    flows = FlowCallbacks(accounts=parts.accounts, recordings=parts.recordings, clock=clock, observer=parts.observer)
    for word in ("entered", "left"):
        answer = flows.answer(flow_event({"call_id": CALL_SID}, word=word), seconds_left=10.0)
        assert answer["statusCode"] == 200
    return dynamo.stream


def heard(events: FakeEvents) -> list[str]:
    """Give the kinds of what was put on the bus."""
    return [each["DetailType"] for entries in events.requests for each in entries]


class TestBatches:
    """What the stream tells."""

    def test_a_step_of_a_flow(self, run, events, story, written):
        """A step that was entered and left is four events in order, with rising places, as their schemas say."""
        assert run(*story) == {"batchItemFailures": []}

        assert heard(events) == ["Pause Opened", "Recording Paused", "Pause Released", "Recording Resumed"]
        entries = [each for request in events.requests for each in request]
        details = [json.loads(each["Detail"]) for each in entries]
        sequences = [each["sequence"] for each in details]
        assert sequences == sorted(set(sequences))
        assert {(each["account"], each["call_id"], each["vendor"]) for each in details} == {
            ("demo-twilio", CALL_SID, "twilio")
        }
        envelope = {"version": "0", "id": "1", "source": "offtape", "account": "123456789012", "region": "eu-central-1"}
        for entry, detail in zip(entries, details, strict=True):
            time = entry["Time"].strftime("%Y-%m-%dT%H:%M:%SZ")
            event = envelope | {"detail-type": entry["DetailType"], "time": time, "resources": [], "detail": detail}
            assert misfits(event) == []
        counted = re.findall(r'"EventsAnnounced": ?\[([^]]*)\]', written())
        assert [sum(map(float, each.split(","))) for each in counted] == [4.0]

    def test_while_eventbridge_is_down_all_is_to_come_again(self, run, events, story, written):
        """What could not be announced is named: Lambda gives it again, and what is behind it, until it is taken."""
        events.failure = aws_error("ThrottlingException")
        first = story[0]["dynamodb"]["SequenceNumber"]

        assert run(*story) == {"batchItemFailures": [{"itemIdentifier": first}]}
        assert "cannot be told now, and comes again: EventBridge: ThrottlingException" in written()
        events.failure = None
        run(*story)
        assert heard(events) == ["Pause Opened", "Recording Paused", "Pause Released", "Recording Resumed"]

    def test_nothing_overtakes_what_failed(self, run, events, story):
        """What is behind a change that could not be announced is not announced before it."""
        last = json.loads(story[-1]["dynamodb"]["NewImage"]["document"]["S"])["events"]
        [place] = [number for number, each in enumerate(last) if each["what"] == "left"]
        events.not_taken = {place}
        [failed] = run(*story)["batchItemFailures"]
        numbers = [each["dynamodb"]["SequenceNumber"] for each in story]

        assert numbers.index(failed["itemIdentifier"]) > 0
        assert heard(events)[:2] == ["Pause Opened", "Recording Paused"]
        assert "Recording Resumed" not in heard(events)

    def test_one_that_cannot_be_read_is_left_out(self, run, events, story, written):
        """A change that nobody can read harms none of those behind it, and nothing of it is written down."""
        poison = record(0, {"call": {"S": "demo-twilio/ca1"}, "document": {"S": json.dumps({"schema": CARD})}})
        run(poison, record(1, {"call": {"S": CARD}}), *story)

        assert heard(events) == ["Pause Opened", "Recording Paused", "Pause Released", "Recording Resumed"]
        text = written()
        assert text.count("a ledger in the table's stream cannot be read") == 2
        assert CARD not in text

    def test_no_secret_is_told(self, run, events, story, written):
        """Neither the log nor an event has more of a ledger than what its schema says: no nonce of who held the lease."""
        holders = {
            document["lease"]["holder"]
            for each in story
            if (document := json.loads(each["dynamodb"]["NewImage"]["document"]["S"]))["lease"]
        }
        run(*story)

        assert holders
        assert not [each for each in holders if each in json.dumps(events.requests, default=str) + written()]


class TestStart:
    """What the function needs to start."""

    def test_the_app_is_put_together_by_its_environment(self, app):
        """As Lambda loads it the function has its stream, from the variables of template.yaml alone."""
        assert isinstance(app.stream, LedgerStream)

    def test_without_a_bus_it_says_what_to_do(self, monkeypatch):
        """A function that is not told its bus stops at its start, and says what to set."""
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("EVENT_BUS_NAME", raising=False)

        with pytest.raises(
            ConfigurationError, match=r"^EVENT_BUS_NAME is not set: name the bus EventBus in it, as template.yaml does$"
        ):
            bootstrap_stream()
