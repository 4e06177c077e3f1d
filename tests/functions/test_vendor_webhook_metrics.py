"""What is counted and logged of what is pushed."""

import json
from pathlib import Path

import pytest

from tests.unit.fakes import CALL_SID, webhook_event

EVENTS = {
    path.stem: json.loads(path.read_text())
    for path in sorted((Path(__file__).parents[2] / "events" / "vendor_webhook").glob("*.json"))
}


class TestMetrics:
    """What is counted."""

    @pytest.mark.parametrize(
        ("event", "name"),
        [
            (EVENTS["twilio_call_completed"], "WebhookTaken"),
            (EVENTS["bandwidth_dtmf"], "WebhookIgnored"),
            (EVENTS["twilio_wrong_signature"], "TriggerRefused"),
            (
                webhook_event({"CallSid": CALL_SID, "CallStatus": "completed", "RecordingStatus": "absent"}),
                "WebhookTaken",
            ),
        ],
        ids=["taken", "ignored", "refused", "two at once"],
    )
    def test_each_delivery_is_counted_once(self, deliver, written, event, name):
        """Each delivery is in exactly one count, however much it tells."""
        deliver(event)
        sent = [json.loads(line) for line in written().splitlines() if line.startswith('{"_aws"')]

        assert [each[name] for each in sent if name in each] == [[1.0]]

    def test_what_is_taken_is_logged_by_its_ids(self, deliver, written):
        """A line for each thing that was told says of which call it was told."""
        deliver(webhook_event({"CallSid": CALL_SID, "CallStatus": "completed", "RecordingStatus": "completed"}))
        lines = [json.loads(line) for line in written().splitlines() if line.startswith('{"level"')]
        taken = [line for line in lines if line["message"] == "webhook taken"]

        assert sorted(line["happening"] for line in taken) == ["call-over", "recording-ended"]
        assert {line["call_id"] for line in taken} == {CALL_SID}
