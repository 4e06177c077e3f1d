"""What /webhooks turns away, and that nothing comes of it."""

import json
from base64 import b64decode, b64encode
from urllib.parse import parse_qsl

import pytest

from call_recording.inbound.flows import FlowCallbacks
from tests import signers
from tests.make_events import texts
from tests.unit.fakes import (
    CALL_SID,
    CALL_UUID,
    CALLS,
    CARD,
    CHANNEL_ID,
    DOMAIN,
    KEYS,
    RECORDING_SID,
    SIGNING_KEY,
    VENDOR_KEY,
    WEBHOOK_SECRET,
    basic,
    flow_event,
    secret_json,
    webhook_event,
)
from tests.unit.inbound.deliveries import NOW, Delivery

FORM = "application/x-www-form-urlencoded"
OVER = {"CallSid": CALL_SID, "CallStatus": "completed"}
WRONG = "placeholder-wrong-key-0009"
EVENTS = {
    name.removeprefix("vendor_webhook/").removesuffix(".json"): json.loads(text)
    for name, text in texts().items()
    if name.startswith("vendor_webhook/")
}

#: Events of /webhooks that prove nothing, for whatever reason.
STRANGERS = {
    "nothing": webhook_event(OVER, authorization=None),
    "an unknown account": webhook_event(OVER, account="no-such-account"),
    "a malformed account": webhook_event(OVER, account="No Such Account"),
    "no account": webhook_event(OVER, pathParameters=None),
    "a wrong token": webhook_event(OVER, authorization=f"Bearer {WRONG}"),
    "a wrong password": webhook_event(OVER, authorization=basic(password=WRONG)),
    "another vendor's account": EVENTS["twilio_another_account"],
    "a wrong key": EVENTS["twilio_wrong_signature"],
    "a wrong key at SignalWire": EVENTS["signalwire_wrong_signature"],
    "a wrong key at Bird": EVENTS["bird_wrong_signature"],
    "an old signature": EVENTS["bird_old_signature"],
    "a third party's wrong key": EVENTS["standard_webhooks_wrong_signature"],
    "another body": EVENTS["twilio_call_completed"] | {"body": b64encode(b"CallSid=x").decode()},
    "another account's path": EVENTS["twilio_call_completed"] | {"rawPath": "/webhooks/demo-twilio2"},
    "another domain": EVENTS["twilio_call_completed"]
    | {"requestContext": EVENTS["twilio_call_completed"]["requestContext"] | {"domainName": "evil.example"}},
    "unreadable base64": EVENTS["twilio_call_completed"] | {"body": "%"},
    "too large": webhook_event("x" * 70_000, authorization=None),
}

#: What is well proven, and cannot be taken: the status, and the field that is named.
POISON = {
    "no JSON": (webhook_event("{"), 400, "body"),
    "no object": (webhook_event("[]"), 400, "body"),
    "a number": (webhook_event("1e999"), 400, "body"),
    "deep": (webhook_event("[" * 30_000), 400, "body"),
    "a long number": (webhook_event('{"CallSid": ' + "1" * 5_000 + "}"), 400, "body"),
    "no form": (webhook_event("CallSid", content_type=FORM), 400, "body"),
    "bytes": (webhook_event(b"\xff\xfe"), 400, "body"),
    "no base64": (webhook_event("%", isBase64Encoded=True), 400, "body"),
    "half a character": (webhook_event("") | {"body": "\ud800"}, 400, "body"),
    "nothing": (webhook_event(""), 400, "body"),
    "no content type": (webhook_event(OVER, content_type=None), 415, "content-type"),
    "another content type": (webhook_event(OVER, content_type="text/xml"), 415, "content-type"),
    "another charset": (webhook_event(OVER, content_type="application/json; charset=utf-16"), 415, "content-type"),
    "too large": (webhook_event("x" * 70_000), 413, "body"),
    "a third party's without a call": (webhook_event({"type": "call.ended", "data": {}}), 422, "call_id"),
    "an odd call": (webhook_event(OVER | {"CallSid": ["x"]}), 422, "call_id"),
    "another vendor's call": (webhook_event(OVER | {"CallSid": CALL_UUID}), 422, "call_id"),
    "two calls": (
        webhook_event(f"CallSid={CALL_SID}&CallSid=x&CallStatus=completed", content_type=FORM),
        422,
        "call_id",
    ),
    "two names": (webhook_event(OVER | {"call_id": "x"}), 422, "call_id"),
    "an odd recording": (webhook_event(OVER | {"RecordingSid": "RE"}), 422, "recording_id"),
    "an id that climbs": (webhook_event(OVER | {"RecordingSid": "../.."}), 422, "recording_id"),
    "no account's name": (webhook_event(OVER | {"AccountSid": 5}), 401, None),
    "another account's name": (webhook_event(OVER | {"AccountSid": "AC" + "f" * 32}), 401, None),
    "a card": (webhook_event(OVER | {"cardnumber": CARD, "cvv": "123"}), 422, "body"),
}


#: What some of the events say.
FIELDS = {
    "twilio_call_completed": dict(parse_qsl(b64decode(EVENTS["twilio_call_completed"]["body"]).decode())),
    **{
        name: json.loads(EVENTS[name]["body"])
        for name in ("signalwire_swml_record", "bandwidth_disconnect", "bird_call_completed")
    },
}


class TestStrangers:
    """Whoever has proven nothing."""

    @pytest.mark.parametrize("event", STRANGERS.values(), ids=STRANGERS)
    def test_scenario_20_all_get_the_same(self, deliver, clock, event):
        """All 401s are the same, byte for byte, and as slow, whatever it is that was not proven."""
        answer = deliver(event)

        assert answer["statusCode"] == 401
        assert clock.slept == [pytest.approx(0.25)]
        assert json.loads(answer["body"]) == {"type": "about:blank", "title": "Unauthorized", "status": 401}
        assert answer == deliver(webhook_event(account="no-such-account", authorization=None))

    @pytest.mark.parametrize("event", STRANGERS.values(), ids=STRANGERS)
    def test_scenario_20_nothing_comes_of_it(self, deliver, enter, dynamo, sqs, platforms, ledger, event):
        """A stranger neither changes what is kept nor has anybody asked anything."""
        for vendor in ("twilio", "signalwire", "bird", "bandwidth"):
            enter(vendor)
        kept, sent = dict(dynamo.items), list(sqs.sent)
        deliver(event)

        assert (dynamo.items, sqs.sent, platforms.requests) == (kept, sent, [])

    def test_flows_answer_strangers_the_same(self, deliver, parts):
        """A stranger's answer is the same on /flows and on /webhooks."""
        flows = FlowCallbacks(
            accounts=parts.accounts, recordings=parts.recordings, clock=parts.clock, observer=parts.observer
        )

        assert deliver(STRANGERS["a wrong token"]) == flows.answer(flow_event(authorization=None), seconds_left=10.0)

    @pytest.mark.parametrize("event", STRANGERS.values(), ids=STRANGERS)
    def test_what_a_stranger_carries_is_not_logged(self, deliver, written, event):
        """Nothing of what a stranger has sent is in a log line: no key, no signature, no id, no path."""
        deliver(event)
        seen = written()
        proofs = [value for name, value in event["headers"].items() if "signature" in name]

        assert not [
            word for word in (*KEYS, *proofs, WRONG, basic(), CALL_SID, "No Such", "no-such", "evil") if word in seen
        ]

    @pytest.mark.parametrize(
        ("event", "header"),
        [
            (EVENTS["twilio_wrong_signature"], "x-twilio-signature"),
            (EVENTS["signalwire_wrong_signature"], "x-signalwire-signature"),
            (STRANGERS["a wrong key at Bird"], "messagebird-signature"),
            (STRANGERS["a third party's wrong key"], "webhook-signature"),
            (STRANGERS["a wrong token"], "authorization"),
        ],
    )
    def test_scenario_21_operators_are_told_what_was_carried(self, deliver, written, event, header):
        """A proof that does not hold is a notice and a metric, naming the header that carried it."""
        deliver(event)
        seen = written()

        assert f"carried {header}" in seen
        assert '"ProofRefused":[1.0]' in seen

    def test_a_name_that_nobody_has_is_no_notice(self, deliver, written):
        """Of an account that does not exist no notice is made: whoever tries names raises no alarm."""
        deliver(STRANGERS["an unknown account"])

        assert "ProofRefused" not in written()


class TestPoison:
    """What can never be taken."""

    @pytest.mark.parametrize(("event", "status", "field"), POISON.values(), ids=POISON)
    def test_scenario_33_it_is_refused_for_good(self, deliver, enter, dynamo, sqs, platforms, event, status, field):
        """A body that can never be taken is answered with 4xx, so that nobody repeats it, and nothing comes of it."""
        enter("twilio")
        kept, sent = dict(dynamo.items), list(sqs.sent)
        answer = deliver(event)

        assert answer["statusCode"] == status
        assert json.loads(answer["body"]).get("field") == field
        assert (dynamo.items, sqs.sent, platforms.requests) == (kept, sent, [])

    @pytest.mark.parametrize(("event", "status", "field"), POISON.values(), ids=POISON)
    def test_scenario_35_it_is_not_quoted(self, deliver, written, event, status, field):
        """What was sent is quoted neither in the answer nor in a log line."""
        seen = json.dumps(deliver(event)) + written()

        assert not [word for word in (CARD, '"123"', *KEYS, "../..", CALL_SID, RECORDING_SID) if word in seen]

    @pytest.mark.parametrize("fields", [{}, {"CallSid": ""}, {"ConferenceSid": "CF1"}])
    def test_what_is_of_no_call_is_acknowledged(self, deliver, dynamo, fields):
        """What a vendor tells of no call, of a conference say, is acknowledged, and nothing comes of it."""
        assert deliver(webhook_event({"CallStatus": "completed", **fields}))["statusCode"] == 204
        assert dynamo.requests == []

    @pytest.mark.parametrize("odd", [[], {}, [[]], 5, True, None, 1e400, "\ud800", ""])
    @pytest.mark.parametrize(
        "name", ["twilio_call_completed", "signalwire_swml_record", "bandwidth_disconnect", "bird_call_completed"]
    )
    def test_a_field_of_another_type_breaks_nothing(self, deliver, enter, name, odd):
        """Whatever stands where a word, an id or an object should, the answer is none of ours going wrong."""
        vendor = name.partition("_")[0]
        enter(vendor)
        sound = FIELDS[name]
        for field in (*sound, "status", "event", "type", "data", "payload", "params", "id"):
            for given in (sound | {field: odd}, sound | {"params": {field: odd}, "payload": {field: odd}}):
                assert deliver(webhook_event(given, vendor=vendor))["statusCode"] in {204, 400, 401, 422}

    def test_scenario_35_a_card_is_alarmed(self, deliver, written):
        """A payment connector that was pointed here is a notice of its own, without what it sent."""
        deliver(POISON["a card"][0])

        assert '"CardDataRefused":[1.0]' in written()

    def test_a_secret_that_does_not_fit_is_told_to_its_owner(self, deliver, secrets_manager, written):
        """Whoever is let in learns which field of the secret does not fit; nobody learns its value."""
        secrets_manager.secrets["call-recording/demo-twilio"] = secret_json(settings={"budget_ms": WRONG})
        answer = deliver(webhook_event(OVER))

        assert (answer["statusCode"], json.loads(answer["body"])["field"]) == (500, "settings.budget_ms")
        assert WRONG not in json.dumps(answer) + written()


class TestPublicUrls:
    """The URLs of the company, as the functions are given them."""

    @pytest.mark.parametrize("vendor", ["twilio", "signalwire", "bird"])
    def test_scenario_21_they_are_what_was_signed(self, webhook_app, parts, enter, ledger, platforms, vendor):
        """A vendor that reaches the API under a company's URL is let in, and what it tells is taken."""
        public = "https://voice.example.com/ivr"
        webhooks = type(webhook_app.webhooks)(
            accounts=parts.accounts,
            recordings=parts.recordings,
            clock=parts.clock,
            observer=parts.observer,
            public_urls=[public],
        )
        body = json.dumps({"type": "call.ended", "data": {"call_id": CALLS[vendor], "channel_id": CHANNEL_ID}}).encode()
        url = f"{public}/webhooks/demo-{vendor}"
        if vendor == "twilio":
            url = signers.digested(url, body)
        headers = {
            "twilio": lambda: signers.twilio(VENDOR_KEY, url),
            "signalwire": lambda: signers.signalwire_sha256(SIGNING_KEY, url, body),
            "bird": lambda: signers.bird(SIGNING_KEY, url, body, at=NOW),
        }[vendor]()
        enter(vendor)
        platforms.live = False
        event = Delivery.of_json(url, body, headers).event(rawPath=f"/webhooks/demo-{vendor}")

        assert DOMAIN not in event["headers"]["host"]
        assert webhooks.answer(event, seconds_left=10.0)["statusCode"] == 204
        assert ledger(vendor).over

    def test_a_third_party_s_message_counts_on_flows_as_well(self, parts, ledger):
        """A signed message enters a step once: its id is what makes a repeated one known."""
        body = json.dumps({"call_id": CALL_SID}).encode()
        headers = signers.standard_webhooks(WEBHOOK_SECRET, "msg_1", body, at=NOW)
        event = flow_event(body, authorization=None)
        event["headers"] |= headers
        flows = FlowCallbacks(
            accounts=parts.accounts, recordings=parts.recordings, clock=parts.clock, observer=parts.observer
        )
        answers = [flows.answer(event, seconds_left=10.0)["statusCode"] for _ in range(2)]

        assert answers == [200, 200]
        assert [each.what for each in ledger("twilio").events].count("entered") == 1
