"""The function behind /flows, driven by the events that vendors' platforms cause."""

import json
import re
from base64 import b64decode
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from call_recording.inbound.flows import ACTIONS, FlowCallbacks
from tests.unit.fakes import (
    ACCOUNT_SID,
    BANDWIDTH_CALL,
    CALL_SID,
    CALLS,
    CARD,
    CHANNEL_ID,
    KEYS,
    FakeContext,
    basic,
    flow_event,
    secret_json,
)

ROOT = Path(__file__).parents[2]
EVENTS = {
    path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "events" / "flow_callback").glob("*.json"))
}
FORM = "application/x-www-form-urlencoded"

#: Map an event file: the HTTP status, and the verdict, the field or the URL that the answer names.
EXPECTED = {
    "bandwidth_left": (200, "acknowledged"),
    "bandwidth_redirect_entered": (200, "acknowledged"),
    "bandwidth_stop": (200, "acknowledged"),
    "bandwidth_stop_without_redirect": (422, "redirect_url"),
    "bird_flow_entered": (200, "confirmed"),
    "bird_ill_formed_call_id": (422, "call_id"),
    "bird_left": (200, "confirmed"),
    "bird_old_signature": (401, None),
    "bird_signed": (200, "confirmed"),
    "bird_stop": (200, "confirmed"),
    "signalwire_cxml_entered": (200, "confirmed"),
    "signalwire_left": (200, "confirmed"),
    "signalwire_signed_cxml": (200, "confirmed"),
    "signalwire_signed_json": (200, "confirmed"),
    "signalwire_signed_markup": (200, "https://ivr.example.com/pay"),
    "signalwire_swml_entered": (200, "confirmed"),
    "signalwire_swml_left": (200, "confirmed"),
    "signalwire_wrong_content_type": (415, "content-type"),
    "standard_webhooks_entered": (200, "acknowledged"),
    "standard_webhooks_left": (200, "acknowledged"),
    "twilio_another_account": (401, None),
    "twilio_ill_formed_step": (422, "step"),
    "twilio_left": (200, "confirmed"),
    "twilio_malformed_json": (400, "body"),
    "twilio_signed_form": (200, "confirmed"),
    "twilio_signed_json": (200, "confirmed"),
    "twilio_signed_left": (200, "confirmed"),
    "twilio_signed_markup": (200, "https://ivr.example.com/pay"),
    "twilio_stop": (200, "confirmed"),
    "twilio_studio_entered": (200, "confirmed"),
    "twilio_studio_form_entered": (200, "confirmed"),
    "twilio_twiml_entered": (200, "confirmed"),
    "twilio_twiml_left": (200, "confirmed"),
    "twilio_unauthenticated": (401, None),
    "twilio_unknown_account": (401, None),
    "twilio_wrong_signature": (401, None),
}


@pytest.fixture(name="app", scope="module")
def _app(load_app):
    return load_app("flow_callback")


@pytest.fixture(name="handle")
def _handle(app, parts, monkeypatch):
    """Hand an event to the handler, as Lambda does."""
    flows = FlowCallbacks(
        accounts=parts.accounts, recordings=parts.recordings, clock=parts.clock, observer=parts.observer
    )
    monkeypatch.setattr(app, "flows", flows)

    def handle(event, *, remaining_ms=10_000):
        return app.lambda_handler(event, FakeContext(remaining_ms=remaining_ms))

    return handle


class TestEvents:
    """The event files."""

    def test_each_file_is_expected(self):
        """Every event file has a test that knows what becomes of it."""
        assert set(EVENTS) == set(EXPECTED)

    def test_each_vendor_enters_and_leaves(self):
        """There are events of each vendor, for entering a step and for leaving it."""
        for vendor in CALLS:
            routes = {event["routeKey"] for name, event in EVENTS.items() if name.startswith(vendor + "_")}
            assert {"POST /flows/{account}/{step}/entered", "POST /flows/{account}/{step}/left"} <= routes

    @pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
    def test_each_file_is_a_complete_event(self, event):
        """An event has all that API Gateway's payload format 2.0 has, and its parts agree."""
        context = event["requestContext"]
        body = b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()

        assert event["version"] == "2.0"
        assert event["routeKey"] == context["routeKey"]
        assert event["routeKey"] in ACTIONS
        assert event["rawPath"] == context["http"]["path"]
        assert set(event["pathParameters"]) == {"account", "step"}
        assert all(name == name.lower() for name in event["headers"])
        assert event["headers"]["content-length"] == str(len(body))
        assert event["isBase64Encoded"] is event["headers"]["content-type"].startswith(FORM)
        assert {"accountId", "apiId", "domainName", "requestId", "stage", "time", "timeEpoch"} <= set(context)

    @pytest.mark.parametrize(("name", "expected"), EXPECTED.items())
    def test_each_event_is_answered(self, handle, platforms, name, expected):
        """Each event gets the status that it should, and a refused one reaches no vendor."""
        status, told = expected
        answer = handle(EVENTS[name])

        assert answer["statusCode"] == status
        assert bool(platforms.requests) is (status == 200)
        if EVENTS[name]["rawQueryString"].startswith("next="):
            assert f">{told}</Redirect>" in answer["body"]
            return
        body = json.loads(answer["body"])
        assert body.get("field", body.get("verdict")) == told
        assert body.get("safe_to_collect", False) is (status == 200 and EVENTS[name]["routeKey"].endswith("/entered"))

    @pytest.mark.parametrize("name", EVENTS)
    def test_no_event_leaves_a_card_or_a_key_behind(self, handle, written, name):
        """Whatever an event carries, no card digit and no key is in an answer, a log line or a metric."""
        answer, log = handle(EVENTS[name]), written()
        seen = json.dumps(answer) + log

        assert '"message":"trigger ' in log
        assert not [secret for secret in (CARD, *KEYS, basic()) if secret in seen]

    @pytest.mark.parametrize("name", [name for name, (status, _) in EXPECTED.items() if status == 401])
    def test_every_stranger_gets_the_same(self, handle, clock, name):
        """All 401s are the same, byte for byte, and as slow."""
        answer = handle(EVENTS[name])

        assert answer == handle(flow_event(account="no-such-account", authorization=None))
        assert clock.slept == [pytest.approx(0.25)] * 2


CARD_AT = {
    "Digits": flow_event({"CallSid": CALL_SID, "Digits": CARD}, content_type=FORM, encode=True),
    "SpeechResult": flow_event({"CallSid": CALL_SID, "SpeechResult": CARD, "UnstableSpeechResult": CARD}),
    "tag": flow_event({"callId": BANDWIDTH_CALL, "tag": CARD, "digits": CARD, "digit": "4"}, vendor="bandwidth"),
    "Pay": flow_event({"CallSid": CALL_SID, "cardnumber": CARD, "cvv": CARD, "nested": {"a": [CARD]}}),
    "query": flow_event(rawQueryString=f"Digits={CARD}", queryStringParameters={"Digits": CARD}),
    "call_id": flow_event({"CallSid": CARD}),
    "recording_id": flow_event({"CallSid": CALL_SID, "RecordingSid": CARD}),
    "channel_id": flow_event({"callId": CALLS["bird"], "channelId": CARD}, vendor="bird"),
    "pause_id": flow_event({"CallSid": CALL_SID, "pause_id": CARD}),
    "event_id": flow_event({"CallSid": CALL_SID, "event_id": CARD}),
    "occurred_at": flow_event({"CallSid": CALL_SID, "occurred_at": CARD}),
    "max_pause_seconds": flow_event({"CallSid": CALL_SID, "max_pause_seconds": int(CARD)}),
    "redirect_url": flow_event(
        {"callId": BANDWIDTH_CALL, "redirect_url": f"https://evil.example/{CARD}"}, vendor="bandwidth", word="stop"
    ),
    "AccountSid": flow_event({"CallSid": CALL_SID, "AccountSid": CARD}),
    "step": flow_event(step=CARD),
    "account": flow_event(account=CARD),
    "account that fits": flow_event(account="a" + CARD),
    "authorization": flow_event(authorization=f"Bearer {CARD}"),
    "content type": flow_event(content_type=f"text/{CARD}"),
    "field name": flow_event({"CallSid": CALL_SID, CARD: "x"}),
    "unreadable body": flow_event('{"Digits": "' + CARD),
    "unreadable form": flow_event(f"Digits={CARD}&x", content_type=FORM),
    "list": flow_event(f'["{CARD}"]'),
    "a header": flow_event() | {"headers": {**flow_event()["headers"], "x-digits": CARD}},
}


class TestSecrecy:
    """Card digits and keys."""

    @pytest.mark.parametrize("event", CARD_AT.values(), ids=CARD_AT)
    def test_a_card_s_number_comes_out_nowhere(self, handle, platforms, written, event):
        """Wherever in a request a card's number is, it is in no answer, log line, metric or request to a vendor."""
        answer = handle(event)
        seen = json.dumps(answer) + written()

        assert answer["statusCode"] in {200, 400, 401, 415, 422}
        assert CARD not in seen
        assert not [key for key in KEYS if key in seen]
        assert CARD.encode() not in b"".join(
            bytes(str(each.url), "ascii") + each.content for each in platforms.requests
        )

    @pytest.mark.parametrize("vendor", CALLS)
    @pytest.mark.parametrize(
        "answered",
        [
            httpx.Response(401, json={"code": 20003, "message": CARD}),
            httpx.Response(400, json={"code": CARD * 5, "type": f"{CARD} x", "message": CARD}),
            httpx.Response(500, text=CARD),
            httpx.Response(302, headers={"location": f"https://evil.example/{CARD}"}),
            httpx.Response(200, text=f"<html>{CARD}"),
            httpx.Response(200, json={"sid": CARD, "status": CARD, "recordings": [{"sid": CARD}], "results": [CARD]}),
        ],
        ids=["401", "400", "500", "302", "html", "json"],
    )
    def test_what_a_vendor_says_is_not_passed_on(self, handle, platforms, written, vendor, answered):
        """A vendor's own words, its keys and what it quotes are in no answer and no log line, and never safe."""
        platforms.answer = answered
        answer = handle(flow_event({"call_id": CALLS[vendor], "channel_id": CHANNEL_ID}, vendor=vendor))
        seen = json.dumps(answer) + written()

        assert answer["statusCode"] >= 404
        assert json.loads(answer["body"])["safe_to_collect"] is False
        assert not [secret for secret in (CARD, *KEYS) if secret in seen]

    @pytest.mark.parametrize(
        "changed",
        [
            {"vendor": KEYS[2]},
            {"credentials": {"account_sid": KEYS[2], "auth_token": KEYS[2]}},
            {"credentials": {"account_sid": ACCOUNT_SID, "auth_token": KEYS[2] + "\n"}},
            {"settings": {"api_url": f"https://user:{KEYS[2]}@api.example.com"}},
            {"settings": {KEYS[2]: 1}},
            {"inbound": {"bearer_tokens": [KEYS[0], "short"]}},
            {"inbound": {KEYS[1]: []}},
        ],
    )
    def test_a_broken_secret_is_not_quoted(self, handle, secrets_manager, written, changed):
        """A secret that does not fit is named to callers and operators by its field only."""
        broken = json.loads(secret_json()) | changed
        secrets_manager.secrets["call-recording/demo-twilio"] = json.dumps(broken)
        answer = handle(flow_event())
        seen = json.dumps(answer) + written()

        assert answer["statusCode"] in {401, 500}
        assert "mend the field" in seen
        assert not [key for key in KEYS if key in seen]


class TestMetrics:
    """What is counted."""

    @pytest.mark.parametrize(
        ("event", "name"),
        [
            (flow_event(), "PauseConfirmed"),
            (flow_event(word="left"), "ResumeConfirmed"),
            (flow_event(authorization=None), "TriggerRefused"),
            (flow_event({}), "TriggerRefused"),
        ],
    )
    def test_each_trigger_is_counted_once(self, handle, written, event, name):
        """Each trigger is in exactly one count, by its verdict or as refused."""
        handle(event)
        [sent] = [json.loads(line) for line in written().splitlines() if line.startswith('{"_aws"')]

        assert sent[name] == [1.0]
        assert sent["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Offtape"


class TestWiring:
    """The function as it is deployed."""

    def test_a_malformed_account_needs_nothing(self, app):
        """As wired for production, a stranger with a malformed account is answered without asking AWS."""
        answer = app.lambda_handler(flow_event(account="Not An Account"), FakeContext())

        assert answer["statusCode"] == 401

    def test_the_invocation_s_time_is_kept(self, handle, platforms):
        """With no time left in the invocation the flow is told so, and no vendor is asked."""
        assert handle(flow_event(), remaining_ms=20)["statusCode"] == 504
        assert platforms.requests == []

    def test_every_route_of_the_template_is_served(self):
        """The routes of template.yaml are those that the function knows."""
        template = (ROOT / "template.yaml").read_text()
        paths = re.findall(r'Method: POST, Path: "(/flows/[^"]+)"', template)

        assert {f"POST {path}" for path in paths} == set(ACTIONS)


@pytest.mark.parametrize("name", ["twilio_studio_entered", "twilio_twiml_entered", "twilio_signed_form"])
def test_scenario_19_a_replayed_event_is_carried_out_afresh(handle, platforms, name):
    """The same event, sent again, asks the vendor again: an answer is never made from memory."""
    handle(EVENTS[name])
    asked = len(platforms.requests)
    handle(EVENTS[name])

    assert len(platforms.requests) == 2 * asked
    assert urlencode({"Status": "paused", "PauseBehavior": "silence"}).encode() == platforms.requests[0].content
