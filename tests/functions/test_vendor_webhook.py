"""The function behind /webhooks, driven by what vendors' platforms push."""

import json
from base64 import b64decode
from pathlib import Path

import pytest

from tests.event_files import FORM
from tests.functions.conftest import ENVIRONMENT
from tests.unit.aws.fake_aws import aws_error
from tests.unit.fakes import (
    CALL_SID,
    CALLS,
    CARD,
    KEYS,
    RECORDING_SID,
    basic,
    webhook_event,
)

ROOT = Path(__file__).parents[2]
EVENTS = {
    path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "events" / "vendor_webhook").glob("*.json"))
}
ASKED = ["asking", "answered"]
STARTED, ENDED, FAILED = (["recording-" + word, *ASKED] for word in ("started", "ended", "failed"))
OVER = ["told over", "asking", "answered", "call over"]

#: Map an event file: the HTTP status, what the ledger of a call that is paused then says, and what the vendor was asked.
EXPECTED = {
    "bandwidth_disconnect": (204, OVER, ["PUT", "GET"]),
    "bandwidth_dtmf": (204, [], []),
    "bandwidth_recording_available": (204, ENDED, ["PUT"]),
    "bandwidth_unknown_event": (204, [], []),
    "bandwidth_wrong_password": (401, [], []),
    "bird_call_completed": (204, OVER, ["GET", "GET"]),
    "bird_call_ongoing": (204, [], []),
    "bird_old_signature": (401, [], []),
    "bird_unknown_event": (204, [], []),
    "bird_wrong_signature": (401, [], []),
    "signalwire_call_completed": (204, OVER, ["GET", "GET"]),
    "signalwire_recording_completed": (204, ENDED, ["GET"]),
    "signalwire_recording_completed_json": (204, ENDED, ["GET"]),
    "signalwire_recording_in_progress": (204, STARTED, ["GET"]),
    "signalwire_swml_record": (204, STARTED, ["GET"]),
    "signalwire_swml_record_finished": (204, ENDED, ["GET"]),
    "signalwire_unknown_event": (204, [], []),
    "signalwire_wrong_signature": (401, [], []),
    "standard_webhooks_call_ended": (204, OVER, ["PUT", "GET"]),
    "standard_webhooks_recording_started": (204, STARTED, ["PUT"]),
    "standard_webhooks_unknown_event": (204, [], []),
    "standard_webhooks_wrong_signature": (401, [], []),
    "twilio_another_account": (401, [], []),
    "twilio_call_completed": (204, OVER, ["POST", "GET", "GET"]),
    "twilio_call_ringing": (204, [], []),
    "twilio_child_leg_completed": (204, [], []),
    "twilio_recording_absent": (204, FAILED, ["POST"]),
    "twilio_recording_completed": (204, ENDED, ["POST"]),
    "twilio_recording_in_progress": (204, STARTED, ["POST"]),
    "twilio_unknown_event": (204, [], []),
    "twilio_wrong_signature": (401, [], []),
}

TAKEN = [name for name, (status, told, _) in EXPECTED.items() if told]


def vendor_of(name):
    """Return the vendor of the account that an event is for."""
    return EVENTS[name]["pathParameters"]["account"].removeprefix("demo-")


class TestEvents:
    """The event files."""

    def test_each_file_is_expected(self):
        """Every event file has a test that knows what becomes of it."""
        assert set(EVENTS) == set(EXPECTED)

    @pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
    def test_each_file_is_a_complete_event(self, event):
        """An event has all that API Gateway's payload format 2.0 has, and its parts agree."""
        context = event["requestContext"]
        body = b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()

        assert event["version"] == "2.0"
        assert event["routeKey"] == context["routeKey"] == "POST /webhooks/{account}"
        assert event["rawPath"] == context["http"]["path"]
        assert event["headers"]["content-length"] == str(len(body))
        assert event["isBase64Encoded"] is (event["headers"]["content-type"] == FORM)
        assert {"accountId", "apiId", "domainName", "requestId", "stage", "time", "timeEpoch"} <= set(context)

    @pytest.mark.parametrize(("name", "expected"), EXPECTED.items())
    def test_each_event_has_its_effect(self, deliver, enter, ledger, platforms, name, expected):
        """Each event gets its status, is written into the ledger of a call that is paused, and is acted on at once."""
        status, told, asked = expected
        vendor = vendor_of(name)
        enter(vendor)
        platforms.live = told != OVER
        before = ledger(vendor)
        answer = deliver(EVENTS[name])
        after = ledger(vendor)

        assert answer["statusCode"] == status
        assert [event.what for event in after.events[len(before.events) :]] == told
        assert [request.method for request in platforms.requests] == asked
        assert after.over is (told == OVER)
        assert bool(after.pauses) is (told != OVER)
        assert answer.get("body", "") == "" or status == 401

    @pytest.mark.parametrize("name", EXPECTED)
    def test_a_call_that_nobody_asked_about_is_no_business_of_ours(self, deliver, dynamo, platforms, sqs, name):
        """Of a call that was never in a step nothing is written, asked or sent, whatever is told of it."""
        answer = deliver(EVENTS[name])

        assert answer["statusCode"] == EXPECTED[name][0]
        assert (dynamo.items, platforms.requests, sqs.sent) == ({}, [], [])

    @pytest.mark.parametrize("name", TAKEN)
    def test_scenario_19_a_repeated_delivery_changes_nothing(self, deliver, enter, ledger, platforms, name):
        """Delivered again, as vendors do, an event is acknowledged, and has no second effect."""
        enter(vendor_of(name))
        platforms.live = EXPECTED[name][1] != OVER
        deliver(EVENTS[name])
        once, asked = ledger(vendor_of(name)), len(platforms.requests)
        answer = deliver(EVENTS[name])

        assert answer["statusCode"] == 204
        assert ledger(vendor_of(name)) == once
        assert len(platforms.requests) == asked

    @pytest.mark.parametrize("name", EVENTS)
    def test_scenario_35_no_event_leaves_a_key_behind(self, deliver, enter, written, dynamo, sqs, name):
        """No key is in an answer, a log line, a metric, the table or the queue; nor is the digit that was pressed."""
        enter(vendor_of(name))
        answer = deliver(EVENTS[name])
        seen = json.dumps(answer) + written() + json.dumps(dynamo.items) + json.dumps(sqs.sent)
        proof = {name: value for name, value in EVENTS[name]["headers"].items() if "signature" in name}

        assert not [secret for secret in (CARD, *KEYS, basic(), *proof.values()) if secret in seen]
        assert not [word for word in ('"digit"', "card entry", "+1500", "webhook-id") if word in seen]


class TestMeaning:
    """What the events are for."""

    @pytest.mark.parametrize(
        "name", ["twilio_recording_in_progress", "signalwire_recording_in_progress", "signalwire_swml_record"]
    )
    def test_scenario_8_a_tape_that_starts_is_paused(self, deliver, enter, ledger, platforms, name):
        """A recording that starts while a pause is open is paused at once, and shown to be."""
        vendor = vendor_of(name)
        enter(vendor)
        platforms.words[vendor] = "in-progress"
        deliver(EVENTS[name])

        assert platforms.words[vendor] == "paused"
        assert ledger(vendor).known.proven

    @pytest.mark.parametrize("later", [{"timestamp": 1_790_000_009.5}, {"timestamp": None}])
    def test_a_tape_that_somebody_else_has_resumed_is_paused_again(self, deliver, enter, platforms, later):
        """SWML tells of each start of a tape, a resume too, under one id: another one is not a repeated delivery."""
        enter("signalwire")
        event = EVENTS["signalwire_swml_record"]
        for fields in ({}, later, later if later["timestamp"] is None else {"timestamp": 1_790_000_010.5}):
            platforms.words["signalwire"] = "in-progress"
            deliver(webhook_event(json.loads(event["body"]) | fields, vendor="signalwire"))

            assert platforms.words["signalwire"] == "paused"

    @pytest.mark.parametrize("name", [name for name, (_, told, _) in EXPECTED.items() if told == OVER])
    def test_scenario_25_a_call_that_is_over_has_no_pause(self, deliver, enter, ledger, sqs, platforms, name):
        """As the vendor shows that the call is over, its pauses close, and nothing is due any more."""
        vendor = vendor_of(name)
        enter(vendor)
        platforms.live = False
        deliver(EVENTS[name])

        assert ledger(vendor).events[-1].details["paused"] == 1
        assert ledger(vendor).due_at is None

    @pytest.mark.parametrize("name", [name for name, (_, told, _) in EXPECTED.items() if told == OVER])
    def test_scenario_19_a_call_that_goes_on_is_not_over(self, deliver, enter, ledger, name):
        """Whoever says that a call is over which the vendor does not show to be closes no pause."""
        vendor = vendor_of(name)
        enter(vendor)
        deliver(EVENTS[name])

        assert (list(ledger(vendor).pauses), ledger(vendor).over) == (["card-entry"], False)
        assert ledger(vendor).matches

    def test_bird_need_not_name_the_channel(self, deliver, enter, ledger, platforms):
        """An event of Bird's without the channel is taken all the same: the ledger knows it."""
        enter("bird")
        platforms.live = False
        answer = deliver(
            webhook_event({"event": "voice.inbound", "id": CALLS["bird"], "status": "busy"}, vendor="bird")
        )

        assert answer["statusCode"] == 204
        assert ledger("bird").over

    def test_scenario_11_a_child_leg_s_end_is_not_the_call_s(self, deliver, enter, ledger):
        """The end of a leg that the call has dialled leaves the pause of the call open."""
        enter("twilio")
        deliver(EVENTS["twilio_child_leg_completed"])

        assert list(ledger("twilio").pauses) == ["card-entry"]

    def test_scenario_7_a_tape_that_is_named_by_nobody_is_looked_for(self, deliver, enter, platforms, ledger):
        """An event without a recording's id has the call looked at all the same."""
        enter("twilio")
        platforms.words["twilio"] = "in-progress"
        body = {"CallSid": CALL_SID, "RecordingStatus": "in-progress"}
        answer = deliver(webhook_event(body, content_type="application/x-www-form-urlencoded"))

        assert answer["statusCode"] == 204
        assert platforms.words["twilio"] == "paused"


class TestOutages:
    """The table and the queue."""

    @pytest.mark.parametrize("name", TAKEN)
    def test_scenario_33_without_the_ledger_the_queue_keeps_ids_only(self, deliver, enter, dynamo, sqs, written, name):
        """With the table down an event is acknowledged, and a message keeps what happened to which call, and no more."""
        enter(vendor_of(name))
        sqs.sent.clear()
        dynamo.down = aws_error("InternalServerError", status=500)
        answer = deliver(EVENTS[name])
        [(queue_url, body, delay)] = sqs.sent
        kept = json.loads(body)

        assert answer["statusCode"] == 204
        assert (queue_url, delay) == (ENVIRONMENT["TIMER_QUEUE_URL"], 0)
        assert kept["call_id"] == CALLS[vendor_of(name)]
        allowed = {"account", "call_id", "channel_id", "happening", "recording_id", "event_id", "at", "version"}
        assert set(kept) <= allowed
        assert "ledger-unavailable" in written()

    @pytest.mark.parametrize("name", TAKEN)
    def test_with_both_down_the_vendor_is_asked_to_come_again(self, deliver, enter, dynamo, sqs, platforms, name):
        """With the queue down as well the answer is 503, which vendors repeat; nothing is lost unsaid."""
        enter(vendor_of(name))
        dynamo.down = sqs.failure = aws_error("InternalServerError", status=500)
        answer = deliver(EVENTS[name])

        assert answer["statusCode"] == 503
        assert platforms.requests == []

    def test_what_tells_nothing_needs_nothing(self, deliver, dynamo, sqs):
        """An event that tells nothing is acknowledged with everything down."""
        dynamo.down = sqs.failure = aws_error("InternalServerError", status=500)
        for name, (status, told, _) in EXPECTED.items():
            if status == 204 and not told and name != "twilio_child_leg_completed":
                assert deliver(EVENTS[name])["statusCode"] == 204

    def test_an_unreadable_recording_is_still_bounded(self, deliver, enter, clock):
        """With no time left in the invocation the event is written down, and its work is left to the sweep."""
        enter("twilio")
        started = clock.seconds
        answer = deliver(EVENTS["twilio_recording_in_progress"], remaining_ms=20)

        assert answer["statusCode"] in {204, 503}
        assert clock.seconds - started < 1.0
        assert RECORDING_SID not in json.dumps(answer)
