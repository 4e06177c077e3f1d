"""The three /flows routes, from API Gateway's event to the answer."""

import json

import httpx
import pytest
from botocore.exceptions import EndpointConnectionError

from call_recording.inbound.callbacks import REFUSAL_SECONDS
from call_recording.inbound.flows import FlowCallbacks
from call_recording.inbound.request import MAX_BODY_BYTES
from tests.unit.fakes import (
    ACCOUNT_SID,
    BANDWIDTH_CALL,
    CALL_SID,
    CALLS,
    CARD,
    CREDENTIALS,
    KEYS,
    PASSWORD,
    TOKEN,
    VENDOR_KEY,
    assemble,
    basic,
    document,
    flow_event,
    secret_json,
)

FORM = "application/x-www-form-urlencoded"
VALUE = "placeholder-wrong-value"


@pytest.fixture(name="flows")
def _flows(secrets_manager, platforms, clock, observer) -> FlowCallbacks:
    parts = assemble(secrets_manager=secrets_manager, platforms=platforms, clock=clock, observer=observer)
    return FlowCallbacks(
        accounts=parts.accounts, recordings=parts.recordings, clock=parts.clock, observer=parts.observer
    )


@pytest.fixture(name="answer")
def _answer(flows):
    """Answer an event, or one made of what is given."""

    def answer(body=None, *, seconds_left=10.0, event=None, **given):
        return flows.answer(event or flow_event(body, **given), seconds_left=seconds_left)

    return answer


class TestActions:
    """What each route does."""

    @pytest.mark.parametrize("vendor", CALLS)
    @pytest.mark.parametrize(
        ("word", "action", "status"),
        [("entered", "pause", "paused"), ("left", "resume", "in-progress"), ("stop", "stop", "stopped")],
    )
    def test_a_route_is_an_action(self, answer, platforms, vendor, word, action, status):
        """Entering a step pauses, leaving it resumes, and stop stops, at each vendor."""
        body = {"call_id": CALLS[vendor]}
        if vendor == "bird":
            body["channel_id"] = "00000000-0000-4000-8000-000000000003"
        if vendor == "bandwidth":
            body["redirect_url"] = "https://ivr.example.com/next"
        answered = answer(body, vendor=vendor, word=word)
        result = json.loads(answered["body"])

        assert answered["statusCode"] == 200
        assert (result["action"], result["status"]) == (action, status)
        assert result["safe_to_collect"] is (word == "entered")
        assert result["verdict"] == ("acknowledged" if vendor == "bandwidth" else "confirmed")
        assert platforms.requests

    @pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", basic()])
    def test_each_proof_lets_a_flow_in(self, answer, authorization):
        """A bearer token and a user name with its password are worth the same."""
        assert answer(authorization=authorization)["statusCode"] == 200

    def test_the_observer_is_told_once(self, answer, observer):
        """What came of a trigger is told once, and nothing else is."""
        answer()

        [(outcome, error)] = observer.outcomes
        assert (outcome.verdict, error, observer.refusals, observer.misfits) == ("confirmed", None, [], [])

    def test_a_redirect_that_is_not_allowed_stops_nothing(self, answer, platforms):
        """Bandwidth's stop with a redirect that the account does not allow is refused by name and not quoted."""
        body = {"callId": BANDWIDTH_CALL, "redirect_url": "https://evil.example/next"}
        answered = answer(body, vendor="bandwidth", word="stop")

        assert answered["statusCode"] == 422
        assert json.loads(answered["body"])["field"] == "redirect_url"
        assert "evil" not in answered["body"]
        assert platforms.requests == []


class TestTime:
    """The whole answer comes inside the budget."""

    def test_time_that_is_spent_counts(self, answer, platforms):
        """A trigger that reached API Gateway longer ago than the budget is answered 504, and no vendor is asked."""
        event = flow_event()
        event["requestContext"]["timeEpoch"] -= 3_480
        answered = answer(event=event)

        assert answered["statusCode"] == 504
        assert platforms.requests == []

    def test_an_old_event_is_a_replay(self, answer):
        """An event from a file has the whole budget."""
        event = flow_event()
        event["requestContext"]["timeEpoch"] -= 86_400_000

        assert answer(event=event)["statusCode"] == 200

    def test_the_invocation_s_own_end_counts(self, answer, platforms):
        """With no time left in the invocation no vendor is asked."""
        assert answer(seconds_left=0.05)["statusCode"] == 504
        assert platforms.requests == []

    def test_the_answer_says_how_long_it_took(self, answer):
        """The elapsed time counts from API Gateway's."""
        event = flow_event()
        event["requestContext"]["timeEpoch"] -= 250

        assert json.loads(answer(event=event)["body"])["elapsed_ms"] == 250

    def test_a_vendor_that_only_fails_is_not_asked_for_ever(self, answer, platforms, clock):
        """A vendor that answers 500 to everything costs no more than the budget."""
        platforms.answer = httpx.Response(500)
        answered = answer()

        assert answered["statusCode"] == 504
        assert json.loads(answered["body"])["safe_to_collect"] is False
        assert clock.seconds <= 3.5


#: Whoever these come from has proven nothing.
STRANGERS = {
    "unknown account": {"account": "nobody"},
    "unknown account without a key": {"account": "nobody", "authorization": None},
    "malformed account": {"account": "Not an Account"},
    "account that climbs": {"account": "../demo-twilio"},
    "account with a line break": {"account": "demo-twilio\n"},
    "empty account": {"account": ""},
    "very long account": {"account": "a" * 10_240},
    "no parameters": {"pathParameters": None},
    "no key": {"authorization": None},
    "empty key": {"authorization": "Bearer "},
    "wrong token": {"authorization": "Bearer placeholder-bearer-token-0002"},
    "wrong password": {"authorization": basic(password=VALUE)},
    "wrong scheme": {"authorization": f"Token {TOKEN}"},
    "another account's call": {"body": {"CallSid": CALL_SID, "AccountSid": "AC" + "0" * 31 + "2"}},
    "two accounts": {"body": f"AccountSid={ACCOUNT_SID}&AccountSid=b&CallSid={CALL_SID}", "content_type": FORM},
    "wrong key and malformed body": {"authorization": None, "body": "{"},
    "wrong key and huge body": {"authorization": None, "body": "a" * (MAX_BODY_BYTES + 1)},
    "wrong key and wrong type": {"authorization": None, "content_type": "text/plain"},
    "wrong key and wrong step": {"authorization": None, "step": "../"},
}


class TestStrangers:
    """One answer for everybody who has proven nothing."""

    @pytest.mark.parametrize("given", STRANGERS.values(), ids=STRANGERS)
    def test_all_get_the_same_answer(self, answer, platforms, given):
        """An unknown account, a wrong key and another account's payload get the same 401, byte for byte."""
        answered = answer(**given)

        assert answered == {
            "statusCode": 401,
            "headers": {
                "content-type": "application/problem+json",
                "cache-control": "no-store",
                "www-authenticate": 'Basic realm="offtape"',
            },
            "body": '{"type": "about:blank", "title": "Unauthorized", "status": 401}',
            "isBase64Encoded": False,
        }
        assert platforms.requests == []

    @pytest.mark.parametrize("given", STRANGERS.values(), ids=STRANGERS)
    @pytest.mark.parametrize("seconds", [0.0, 0.03, 0.25])
    def test_all_wait_as_long(self, flows, clock, secrets_manager, given, seconds):
        """A 401 comes no sooner than after the same time, however long Secrets Manager took to say what it knows."""
        slow = secrets_manager.get_secret_value

        def get_secret_value(**named):
            clock.seconds += seconds
            return slow(**named)

        secrets_manager.get_secret_value = get_secret_value
        flows.answer(flow_event(**given), seconds_left=10.0)

        assert clock.seconds == pytest.approx(max(REFUSAL_SECONDS, clock.seconds - sum(clock.slept)))
        assert len(clock.slept) == 1

    @pytest.mark.parametrize("given", STRANGERS.values(), ids=STRANGERS)
    def test_the_log_names_nothing_that_a_stranger_sent(self, answer, observer, given):
        """A refusal is told to the operator without the account's name, which may be anything, unless a key proved it."""
        answer(**given)

        if "AccountSid" in str(given):
            [refusal] = observer.refusals
            assert refusal == {"reason": "AccountSid is not this account's", "account": "demo-twilio", "field": None}
            return
        assert observer.refusals == [{"reason": "not authenticated", "account": None, "field": None}]
        assert (observer.outcomes, observer.misfits) == ([], [])

    def test_whoever_may_come_in_does_not_wait(self, answer, clock):
        """An authenticated trigger is not held up."""
        answer()

        assert clock.slept == []

    def test_a_wrong_key_is_no_reason_to_ask_again(self, answer, secrets_manager):
        """An inbound 401 never refreshes the secret."""
        for _ in range(20):
            answer(authorization="Bearer wrong")

        assert secrets_manager.asked == ["call-recording/demo-twilio"]

    def test_unknown_names_are_remembered(self, answer, secrets_manager):
        """An unknown account asks Secrets Manager once, a malformed one never."""
        for _ in range(20):
            answer(account="nobody")
            answer(account="No/Body")

        assert secrets_manager.asked == ["call-recording/nobody"]


#: What is refused after authentication: what was sent, the status and the field.
REFUSED = {
    "malformed JSON": ({"body": '{"call_id": '}, 400, "body"),
    "empty body": ({"body": ""}, 400, "body"),
    "JSON list": ({"body": '[{"call_id": "x"}]'}, 400, "body"),
    "JSON nested 30,000 deep": ({"body": '{"a":' + "[" * 30_000 + "]" * 30_000 + "}"}, 400, "body"),
    "lists nested 30,000 deep": ({"body": "[" * 30_000 + "]" * 30_000}, 400, "body"),
    "invalid UTF-8": ({"body": b'{"call_id": "\xff"}'}, 400, "body"),
    "malformed form": ({"body": "CallSid", "content_type": FORM}, 400, "body"),
    "invalid UTF-8 in a form": ({"body": b"CallSid=%ff", "content_type": FORM}, 400, "body"),
    "base64 that does not decode": ({"isBase64Encoded": True}, 400, "body"),
    "too large": ({"body": "a" * (MAX_BODY_BYTES + 1)}, 413, "body"),
    "too large, base64": ({"body": b"a" * (MAX_BODY_BYTES + 1)}, 413, "body"),
    "far too large": ({"body": "a" * 1_000_000}, 413, "body"),
    "no content type": ({"content_type": None}, 415, "content-type"),
    "wrong content type": ({"content_type": "text/plain"}, 415, "content-type"),
    "wrong charset": ({"content_type": "application/json; charset=utf-16"}, 415, "content-type"),
    "no call": ({"body": {"Digits": CARD}}, 422, "call_id"),
    "a field twice": ({"body": f"CallSid={CALL_SID}&CallSid=x", "content_type": FORM}, 422, "call_id"),
    "two ids": ({"body": {"call_id": CALL_SID, "CallSid": "CA" + "f" * 32}}, 422, "call_id"),
    **{
        f"call_id {value[:12]!r}": ({"body": {"call_id": value}}, 422, "call_id")
        for value in (
            "../",
            "../../Accounts",
            "a b",
            "CA\n",
            "\x00",
            CARD,
            "CA" + "g" * 32,
            "c" * 10_240,
            "Twilio.CURRENT",
        )
    },
    **{
        f"recording_id {value[:12]!r}": ({"body": {"call_id": CALL_SID, "recording_id": value}}, 422, "recording_id")
        for value in ("../", "a b", "RE\n", CARD, "r" * 10_240, "Twilio.CURRENT")
    },
    **{
        f"max_pause_seconds {value[:12]}": (
            {"body": f'{{"call_id": "{CALL_SID}", "max_pause_seconds": {value}}}'},
            422,
            "max_pause_seconds",
        )
        for value in (
            "NaN",
            "Infinity",
            "-Infinity",
            "-1",
            "0",
            "7201",
            "true",
            '"12abc"',
            "1" + "0" * 400,
            "1.5",
            "[1]",
        )
    },
    **{
        f"step {value[:12]!r}": ({"step": value}, 422, "step")
        for value in ("Card", "../", "a b", CARD, "", "s" * 64, "step\n")
    },
}


class TestRefusals:
    """What does not fit is refused before any vendor is asked."""

    @pytest.mark.parametrize(("given", "status", "field"), REFUSED.values(), ids=REFUSED)
    def test_the_field_is_named_and_nothing_is_sent(self, answer, platforms, observer, given, status, field):
        """A trigger that does not fit is a problem that names the field, and no vendor hears of it."""
        answered = answer(**given)
        problem = json.loads(answered["body"])

        assert answered["statusCode"] == problem["status"] == status
        assert answered["headers"]["content-type"] == "application/problem+json"
        assert (problem["field"], problem["safe_to_collect"]) == (field, False)
        assert platforms.requests == []
        [refusal] = observer.refusals
        assert (refusal["account"], refusal["field"]) == ("demo-twilio", field)

    @pytest.mark.parametrize(("given", "status", "field"), REFUSED.values(), ids=REFUSED)
    def test_the_value_is_not_repeated(self, answer, observer, given, status, field):
        """Neither the answer nor what the operator is told repeats what was refused."""
        told = answer(**given)["body"] + repr(observer)
        sent = [given.get("step", ""), given.get("content_type") or ""]
        if isinstance(given.get("body"), dict):
            sent += [value for value in given["body"].values() if value != CALL_SID]

        assert not [value for value in [*sent, CARD, "12abc", "0" * 100] if len(value) > 3 and value in told]

    @pytest.mark.parametrize("vendor", CALLS)
    def test_another_vendor_s_id_is_none_of_this_one_s(self, answer, platforms, vendor):
        """An id that the vendor could not have given is refused."""
        others = set(CALLS.values()) - {CALLS[vendor]}
        for call_id in others:
            answered = answer({"call_id": call_id, "channel_id": CALLS["bird"]}, vendor=vendor)

            assert (answered["statusCode"], json.loads(answered["body"])["field"]) == (422, "call_id")
        assert platforms.requests == []

    def test_bird_needs_a_channel(self, answer, platforms):
        """A Bird trigger without a channel is refused by name where the account's credentials have none."""
        answered = answer(vendor="bird")

        assert (answered["statusCode"], json.loads(answered["body"])["field"]) == (422, "channel_id")
        assert platforms.requests == []


#: What can be wrong with a secret apart from its inbound section: the secret and the field.
MISFITS = {
    "no vendor": ({"vendor": None}, "vendor"),
    "vendor is a number": ({"vendor": 5}, "vendor"),
    "unknown vendor": ({"vendor": VALUE}, "vendor"),
    "vendor in capitals": ({"vendor": "Twilio"}, "vendor"),
    "credentials are text": ({"credentials": VALUE}, "credentials"),
    "no credentials": ({"credentials": {}}, "credentials.account_sid"),
    "a key is a number": ({"credentials": {"account_sid": ACCOUNT_SID, "auth_token": 5}}, "credentials.auth_token"),
    "a key has a newline": (
        {"credentials": {"account_sid": ACCOUNT_SID, "auth_token": VALUE + "\n"}},
        "credentials.auth_token",
    ),
    "account_sid is none": ({"credentials": {"account_sid": VALUE, "auth_token": "x"}}, "credentials.account_sid"),
    "settings are a list": ({"settings": [VALUE]}, "settings"),
    "a setting is misspelt": ({"settings": {VALUE: 5}}, "settings"),
    "a setting is out of bounds": ({"settings": {"budget_ms": 100}}, "settings.budget_ms"),
    "api_url is not encrypted": ({"settings": {"api_url": "http://api.example.com"}}, "settings.api_url"),
}


class TestMisfits:
    """A secret that does not fit."""

    @pytest.mark.parametrize(("changed", "field"), MISFITS.values(), ids=MISFITS)
    def test_the_field_is_named_after_authentication(
        self, answer, secrets_manager, platforms, observer, changed, field
    ):
        """A secret that does not fit is a 500 that names the field and not its value, and a line for the operator."""
        secrets_manager.secrets["call-recording/demo-twilio"] = json.dumps(document() | changed)
        answered = answer()
        problem = json.loads(answered["body"])

        assert (answered["statusCode"], problem["error"], problem["field"]) == (500, "ConfigurationError", field)
        assert problem["safe_to_collect"] is False
        assert VALUE not in answered["body"] + repr(observer)
        assert [(misfit["account"], misfit["field"]) for misfit in observer.misfits] == [("demo-twilio", field)]
        assert platforms.requests == []

    @pytest.mark.parametrize(
        ("vendor", "name"), [(vendor, name) for vendor, fields in CREDENTIALS.items() for name in fields]
    )
    def test_each_missing_credential_is_named(self, answer, secrets_manager, observer, platforms, vendor, name):
        """A credential that is missing is named, whichever vendor's it is."""
        credentials = {key: value for key, value in CREDENTIALS[vendor].items() if key != name}
        secrets_manager.secrets[f"call-recording/demo-{vendor}"] = secret_json(vendor, credentials=credentials)
        body = {"call_id": CALLS[vendor], "channel_id": CALLS["bird"]}
        answered = answer(body, vendor=vendor)

        assert answered["statusCode"] == 500
        assert json.loads(answered["body"])["field"] == f"credentials.{name}"
        assert not [key for key in KEYS if key in answered["body"] + repr(observer)]
        assert platforms.requests == []

    def test_it_is_named_to_a_vendor_s_own_payload_too(self, answer, secrets_manager):
        """A missing account id is a misconfiguration, also where the payload names the account."""
        secrets_manager.secrets["call-recording/demo-twilio"] = secret_json(credentials={"auth_token": VENDOR_KEY})
        answered = answer({"CallSid": CALL_SID, "AccountSid": ACCOUNT_SID})

        assert answered["statusCode"] == 500
        assert json.loads(answered["body"])["field"] == "credentials.account_sid"

    @pytest.mark.parametrize(("changed", "field"), MISFITS.values(), ids=MISFITS)
    def test_a_stranger_learns_nothing_of_it(self, answer, secrets_manager, observer, changed, field):
        """What is wrong with a secret, only a caller learns who has proven to be one of its own."""
        secrets_manager.secrets["call-recording/demo-twilio"] = json.dumps(document() | changed)
        answered = answer(authorization="Bearer wrong")

        assert answered["statusCode"] == 401
        assert observer.misfits == []

    @pytest.mark.parametrize(
        "secret",
        [
            "",
            "{",
            "[]",
            secret_json(inbound=VALUE),
            secret_json(inbound={"bearer_tokens": [TOKEN], "basic": [{"username": VALUE}]}),
            secret_json(inbound={"bearer_tokens": [TOKEN, "short"]}),
            secret_json(inbound={"bearer_tokens": [TOKEN], "basics": []}),
            secret_json(inbound={"basic": [{"username": "flow", "password": PASSWORD + "\ud800"}]}),
        ],
    )
    @pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", basic(), None])
    def test_an_unreadable_inbound_lets_nobody_in(self, answer, secrets_manager, observer, secret, authorization):
        """Where the inbound section does not parse, everybody gets the one 401, and the operator a line that says why."""
        secrets_manager.secrets["call-recording/demo-twilio"] = secret
        answered = answer(authorization=authorization)

        assert answered["statusCode"] == 401
        assert answered["body"] == '{"type": "about:blank", "title": "Unauthorized", "status": 401}'
        [misfit] = observer.misfits
        assert misfit["account"] == "demo-twilio"
        assert misfit["field"].startswith(("inbound", "secret"))
        assert VALUE not in repr(observer)

    def test_a_secret_without_inbound_lets_nobody_in(self, answer, secrets_manager):
        """Where no proof is configured, none is accepted."""
        secrets_manager.secrets["call-recording/demo-twilio"] = secret_json(inbound={})

        assert answer()["statusCode"] == 401
        assert answer(authorization=None)["statusCode"] == 401


class TestOutage:
    """Secrets Manager is down."""

    def test_an_account_that_is_not_known_yet_is_a_503(self, answer, secrets_manager, platforms, observer):
        """Without the secret nothing can be checked or asked: 503, not safe to collect, and a line for the operator."""
        secrets_manager.failure = EndpointConnectionError(endpoint_url="https://secretsmanager.example")
        answered = answer()
        problem = json.loads(answered["body"])

        assert (answered["statusCode"], problem["error"], problem["safe_to_collect"]) == (
            503,
            "UnavailableError",
            False,
        )
        assert "example" not in answered["body"]
        assert platforms.requests == []
        assert observer.refusals == [
            {"reason": "Secrets Manager: EndpointConnectionError", "account": None, "field": None}
        ]

    def test_a_known_account_goes_on(self, answer, secrets_manager, clock):
        """An account whose secret was read before goes on through an outage."""
        answer()
        clock.seconds += 3_600
        secrets_manager.failure = EndpointConnectionError(endpoint_url="https://secretsmanager.example")

        assert answer(event=flow_event() | {"requestContext": {}})["statusCode"] == 200


class TestRefresh:
    """A vendor refuses the account's credentials."""

    def test_a_rotated_key_is_read_once(self, answer, secrets_manager, platforms):
        """After a vendor's 401 the secret is read afresh, once, and the trigger carried out with the new key."""
        answer(word="left")
        platforms.refused_authorization = basic(ACCOUNT_SID, VENDOR_KEY)
        credentials = {"account_sid": ACCOUNT_SID, "auth_token": "placeholder-vendor-key-0002"}
        secrets_manager.secrets["call-recording/demo-twilio"] = secret_json(credentials=credentials)

        assert answer()["statusCode"] == 200
        assert secrets_manager.asked == ["call-recording/demo-twilio"] * 2
        assert len(platforms.requests) == 3

    def test_a_key_that_stays_wrong_is_a_502(self, answer, secrets_manager, platforms):
        """Where the secret has no better key either, the vendor's refusal is what the flow is told."""
        platforms.refused_authorization = basic(ACCOUNT_SID, VENDOR_KEY)
        answered = answer()

        assert answered["statusCode"] == 502
        assert json.loads(answered["body"])["error"] == "AuthenticationError"
        assert secrets_manager.asked == ["call-recording/demo-twilio"] * 2

    @pytest.mark.parametrize("secret", [None, "{", secret_json(settings=5)])
    def test_a_secret_that_is_gone_or_broken_meanwhile_changes_nothing(
        self, answer, secrets_manager, platforms, secret
    ):
        """Where the secret cannot be had afresh, the vendor's refusal is what the flow is told."""
        answer()
        platforms.refused_authorization = basic(ACCOUNT_SID, VENDOR_KEY)
        secrets_manager.secrets.pop("call-recording/demo-twilio")
        if secret is not None:
            secrets_manager.secrets["call-recording/demo-twilio"] = secret

        assert answer()["statusCode"] == 502
