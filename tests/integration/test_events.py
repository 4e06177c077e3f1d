"""What happened to calls, as a rule of the company's hears of it: a rule on the bus, and a queue behind it."""

import json
from typing import Any

import pytest

from tests.integration.calls import PATIENCE_SECONDS, VENDORS, Json, SimulatedCall, eventually
from tests.unit.announced_words import misfits

CARD = "4111 1111 1111 1111"
STEP = ["Pause Opened", "Recording Paused", "Pause Released", "Recording Resumed"]


class Listener:
    """The queue behind a rule: it keeps what it has heard of each call."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url
        self._heard: list[Json] = []

    def events(self, call: SimulatedCall) -> list[Json]:
        """Take what has come by now; give all events of a call in the order of their places, each once."""
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._heard.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        mine = [each for each in self._heard if each["detail"]["call_id"] == call.call_id]
        return [each for _, each in sorted({each["detail"]["sequence"]: each for each in mine}.items())]

    def kinds(self, call: SimulatedCall) -> list[str]:
        """Give the kinds of all events of a call, in their order."""
        return [each["detail-type"] for each in self.events(call)]

    def hears(self, call: SimulatedCall, kinds: list[str]) -> bool:
        """Whether these are all events of a call, soon."""
        return eventually(lambda: self.kinds(call) == kinds, seconds=PATIENCE_SECONDS)


@pytest.fixture(name="listener", scope="module")
def _listener(aws, stack) -> Listener:
    events, sqs = aws("events"), aws("sqs")
    url = sqs.create_queue(QueueName="listener")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rule = {"EventBusName": stack["event_bus"], "Name": "everything"}
    events.put_rule(**rule, EventPattern=json.dumps({"source": ["offtape"]}))
    events.put_targets(Rule=rule["Name"], EventBusName=rule["EventBusName"], Targets=[{"Id": "queue", "Arn": arn}])
    return Listener(sqs, url)


class TestSteps:
    @pytest.mark.parametrize("vendor", VENDORS)
    def test_a_step_is_announced(self, stack, listener, vendor):
        """A step that is entered and left is four events in order, which fit their schemas and tell nothing of the card."""
        call = SimulatedCall(stack, vendor)
        entered = call.flow("entered").json()
        call.say(CARD)
        call.flow("left", pause_id=entered["pause"]["id"])

        assert listener.hears(call, STEP)
        events = listener.events(call)
        assert [misfit for each in events for misfit in misfits(each)] == []
        assert events[0]["detail"]["pause_id"] == entered["pause"]["id"]
        assert {each["detail"]["account"] for each in events} == {call.account}
        assert [each["detail"]["open_pauses"] for each in events] == [1, 1, 0, 0]
        text = json.dumps(events)
        assert not [word for word in (CARD, CARD.replace(" ", ""), call.token, "holder") if word in text]

    def test_steps_that_overlap(self, stack, listener):
        """The inner of two steps closes its pause, and nothing runs until the outer one is left."""
        call = SimulatedCall(stack, "twilio")
        for event, step in (("entered", "outer"), ("entered", "inner"), ("left", "inner"), ("left", "outer")):
            assert call.flow(event, step=step).status_code == 200

        opened = ["Pause Opened", "Recording Paused"]
        assert listener.hears(call, [*opened, *opened, "Pause Released", "Pause Released", "Recording Resumed"])

    def test_a_workflow_that_waits(self, stack, aws, listener, ledger_table, state):
        """That a workflow waits for a step's end is nobody's business: its token is in no event and in no log."""
        call = SimulatedCall(stack, "twilio")
        token = f"placeholder-task-token-{call.call_id}"
        task = {"account": call.account, "call_id": call.call_id, "step": "card-entry"}
        call.flow("entered")
        answer = aws("lambda").invoke(
            FunctionName=stack["functions"]["workflow_task"],
            Payload=json.dumps(task | {"action": "wait", "task_token": token}),
        )
        assert json.loads(answer["Payload"].read()) == {"waits": True}
        call.flow("left")

        assert listener.hears(call, STEP)
        assert eventually(lambda: ledger_table.events(call, "nobody waited"), seconds=PATIENCE_SECONDS)
        written = [path.read_text() for path in (state / "logs").iterdir()]
        assert not [text for text in (*written, json.dumps(listener.events(call))) if token in text]

    def test_a_pause_that_nobody_ends(self, stack, account, listener):
        """A step that is not left by its deadline is announced as expired, and the tape as running."""
        call = SimulatedCall(stack, "twilio", account=account("twilio")[:2])
        call.flow("entered", max_pause_seconds=1)

        assert listener.hears(call, ["Pause Opened", "Recording Paused", "Pause Expired", "Recording Resumed"])
        assert listener.events(call)[2]["detail"]["on_deadline"] == "resume"

    def test_a_stop(self, stack, listener):
        """A recording that is stopped for good is announced as asked for, and as done."""
        call = SimulatedCall(stack, "twilio")
        call.flow("stop")

        assert listener.hears(call, ["Stop Requested", "Recording Stopped"])

    def test_the_vendor_fails(self, stack, hurried, listener):
        """A pause that the vendor refuses is announced as failed, with its status, and as done when it was done."""
        call = SimulatedCall(stack, "twilio", account=hurried["twilio"])
        call.fault("any", times=99, status=500, apply=False)
        assert call.flow("entered").status_code >= 500
        assert eventually(lambda: "Pause Failed" in listener.kinds(call), seconds=PATIENCE_SECONDS)
        call.control("DELETE", "/faults")
        call.flow("entered")

        assert eventually(lambda: listener.kinds(call)[-1] == "Recording Paused", seconds=PATIENCE_SECONDS)
        assert "Recording Paused" not in listener.kinds(call)[:-1]


class TestCalls:
    def test_a_call_that_ends_during_a_pause(self, stack, listener):
        """The end of a call is announced when its vendor shows it."""
        call = SimulatedCall(stack, "twilio")
        call.flow("entered")
        call.end()
        call.flow("left")

        assert eventually(lambda: "Call Ended" in listener.kinds(call), seconds=PATIENCE_SECONDS)
        assert listener.events(call)[-1]["detail"]["open_pauses"] == 0
        assert "Recording Resumed" not in listener.kinds(call)


class TestOutages:
    def test_nothing_is_lost_while_eventbridge_is_down(self, stack, denied, listener, ledger_table, state):
        """What happens while nothing can be announced is announced afterwards, all of it, and no flow waits for it."""
        log = state / "logs" / "ledger_events.log"

        def refusals() -> int:
            return log.read_text().count("AccessDenied") if log.exists() else 0

        before = refusals()
        with denied("ledger_events", "events:PutEvents"):
            calls = [SimulatedCall(stack, vendor) for vendor in VENDORS]
            for call in calls:
                assert call.flow("entered").status_code == 200
                assert call.flow("left").status_code == 200
            assert eventually(lambda: refusals() > before, seconds=PATIENCE_SECONDS)
            assert [listener.kinds(call) for call in calls] == [[]] * len(calls)

        assert all(listener.hears(call, STEP) for call in calls)
