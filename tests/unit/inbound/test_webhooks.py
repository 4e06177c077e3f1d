"""The /webhooks route, from API Gateway's event to the answer."""

import json

import pytest

from call_recording.inbound.flows import FlowCallbacks
from call_recording.inbound.signatures import base64_hmac
from call_recording.inbound.webhooks import VendorWebhooks
from call_recording.model import Call, Happening, Notice
from tests.unit.fake_stores import MemoryLedgers, MemoryTimers, unavailable
from tests.unit.fakes import (
    ACCOUNT_SID,
    BANDWIDTH_CALL,
    CALL_SID,
    CALL_UUID,
    CARD,
    CHANNEL_ID,
    KEYS,
    RECORDING_SID,
    assemble,
    flow_event,
    secret_json,
    webhook_event,
)

FORM = "application/x-www-form-urlencoded"
STARTED = {
    "AccountSid": ACCOUNT_SID,
    "CallSid": CALL_SID,
    "RecordingSid": RECORDING_SID,
    "RecordingStatus": "in-progress",
}
OVER = {"AccountSid": ACCOUNT_SID, "CallSid": CALL_SID, "CallStatus": "completed"}
ACKNOWLEDGED = {"statusCode": 204, "headers": {"cache-control": "no-store"}}


@pytest.fixture(name="ledgers")
def _ledgers() -> MemoryLedgers:
    return MemoryLedgers()


@pytest.fixture(name="timers")
def _timers() -> MemoryTimers:
    return MemoryTimers()


@pytest.fixture(name="callbacks")
def _callbacks(secrets_manager, platforms, clock, observer, ledgers, timers):
    """Flows and webhooks, made of the same parts."""
    parts = assemble(
        secrets_manager=secrets_manager,
        platforms=platforms,
        clock=clock,
        observer=observer,
        ledgers=ledgers,
        timers=timers,
    )
    given = {"accounts": parts.accounts, "recordings": parts.recordings, "clock": clock, "observer": observer}
    return FlowCallbacks(**given), VendorWebhooks(**given)


@pytest.fixture(name="enter")
def _enter(callbacks):
    """Enter a step of the call."""
    return lambda **given: callbacks[0].answer(flow_event(**given), seconds_left=10.0)


@pytest.fixture(name="push")
def _push(callbacks, platforms):
    """Push a payload; the platforms' books begin anew."""

    def push(body=None, *, event=None, **given):
        platforms.requests.clear()
        return callbacks[1].answer(event or webhook_event(body, **given), seconds_left=10.0)

    return push


def commands(platforms) -> list[str]:
    """What the platforms were asked to do."""
    return [request.content.decode() for request in platforms.requests if request.method != "GET"]


class TestEvents:
    """What an event brings about."""

    @pytest.mark.parametrize("content_type", [FORM, "application/json"])
    def test_scenario_11_a_recording_starts_in_a_card_step(self, enter, push, platforms, ledgers, content_type):
        """A tape that starts while a pause is open is paused at once, by the event that tells of it."""
        enter()
        platforms.words["twilio"] = "in-progress"

        assert push(STARTED, content_type=content_type) == ACKNOWLEDGED
        assert (platforms.words["twilio"], len(commands(platforms))) == ("paused", 1)
        ledger = ledgers.of("demo-twilio", CALL_SID)
        assert (ledger.matches, ledger.desired, ledger.changes) == (True, "pause", 1)

    def test_scenario_25_the_call_is_over(self, enter, push, platforms, ledgers):
        """The end of the call, which its vendor shows when it is looked at, closes its pauses."""
        enter()
        platforms.live = False

        assert push(OVER, content_type=FORM) == ACKNOWLEDGED
        ledger = ledgers.of("demo-twilio", CALL_SID)
        assert (ledger.over, ledger.pauses, ledger.due_at) == (True, {}, None)

    def test_scenario_20_the_call_goes_on(self, enter, push, platforms, ledgers):
        """The end of a call that its vendor shows live ends nothing: the tape stays paused, which is proven anew."""
        enter()

        assert push(OVER) == ACKNOWLEDGED
        ledger = ledgers.of("demo-twilio", CALL_SID)
        assert (ledger.over, list(ledger.pauses), ledger.matches) == (False, ["card-entry"], True)
        assert platforms.words["twilio"] == "paused"

    def test_both_things_that_a_callback_tells_are_written(self, enter, push, platforms, ledgers):
        """A delivery that tells of the recording and of the call is two events of the ledger: that of the call first."""
        enter()
        platforms.live = False
        push(OVER | STARTED | {"RecordingStatus": "completed"})

        told = [each.what for each in ledgers.of("demo-twilio", CALL_SID).events if each.details.get("by") == "webhook"]
        assert [what for what in told if what != "asking"] == ["told over", "recording-ended"]

    def test_scenario_14_a_delivery_that_comes_again(self, enter, push, platforms, ledgers):
        """A delivery that comes a second time is acknowledged like the first, and changes nothing."""
        enter()
        push(STARTED)
        before = ledgers.items.copy()
        platforms.words["twilio"] = "in-progress"

        assert push(STARTED) == ACKNOWLEDGED
        assert (ledgers.items, platforms.requests) == (before, [])

    @pytest.mark.parametrize("body", [STARTED, OVER, {"type": "recording.started", "data": {"call_id": CALL_SID}}])
    def test_scenario_43_a_call_that_nobody_has_asked_anything_of(self, push, platforms, ledgers, body):
        """Of most calls a vendor tells, nobody has paused anything: nothing is written, and no vendor is asked."""
        assert push(body) == ACKNOWLEDGED
        assert (ledgers.items, platforms.requests) == ({}, [])

    @pytest.mark.parametrize("body", [{}, {"CallStatus": "ringing"}, {"type": "ping", "data": {}}, {"Digits": CARD}])
    def test_what_tells_nothing_is_acknowledged(self, push, platforms, ledgers, observer, body):
        """A payload that tells nothing that matters is acknowledged, so that nobody sends it again, and forgotten."""
        assert push(body) == ACKNOWLEDGED
        assert (ledgers.asked, platforms.requests, observer.refusals) == ([], [], [])

    def test_bandwidth_tells_of_a_call_s_end(self, enter, push, ledgers):
        """Bandwidth's events name no URL to go on at, and need none: nothing is stopped by them."""
        enter(vendor="bandwidth")
        enter(vendor="bandwidth", word="left")

        assert push({"eventType": "disconnect", "callId": BANDWIDTH_CALL}, vendor="bandwidth") == ACKNOWLEDGED
        assert ledgers.of("demo-bandwidth", BANDWIDTH_CALL).over is True

    def test_a_third_party_s_message_needs_no_other_key(self, enter, push, platforms, clock):
        """A message that is signed as Standard Webhooks has it is proof enough, and known by its id when it comes again."""
        enter()
        platforms.words["twilio"] = "in-progress"
        body = json.dumps({"type": "recording.started", "data": {"call_id": CALL_SID}})
        event = webhook_event(body, authorization=None)
        key = b"placeholder-webhook-secret-0001"
        signature = base64_hmac(key, f"msg_1.{clock.now():.0f}.{body}".encode(), "sha256")
        event["headers"] |= {
            "webhook-id": "msg_1",
            "webhook-timestamp": f"{clock.now():.0f}",
            "webhook-signature": f"v1,{signature}",
        }

        assert (push(event=event), len(commands(platforms))) == (ACKNOWLEDGED, 1)
        platforms.words["twilio"] = "in-progress"
        assert (push(event=event), commands(platforms)) == (ACKNOWLEDGED, [])


class TestTold:
    """What operators are told of deliveries."""

    def test_each_event_is_told_once_it_is_taken(self, push, observer):
        """Every event of a delivery is told, whether or not anybody has asked anything of its call."""
        push(OVER | STARTED | {"RecordingStatus": "completed"})

        assert [[event.happening for event in each] for each in observer.taken] == [
            [Happening.CALL_OVER, Happening.RECORDING_ENDED]
        ]

    def test_a_delivery_that_tells_nothing_is_told_too(self, push, observer):
        """A delivery of nothing that matters counts as one that was ignored."""
        push({"CallStatus": "ringing"})

        assert observer.taken == [[]]

    def test_what_is_not_taken_is_not_told(self, push, observer, ledgers, timers):
        """A delivery that is refused, or has to come again, was not taken."""
        push({"type": "call.ended", "data": {}})
        push(OVER, authorization=None)
        ledgers.failure = timers.failure = unavailable()
        push(OVER)

        assert observer.taken == []


class TestOutages:
    """What we need is down."""

    def test_scenario_29_without_the_table_the_queue_keeps_it(self, enter, push, ledgers, timers, observer):
        """An event that the ledger cannot be told is acknowledged once the queue has it, and operators are told."""
        enter()
        timers.reminders.clear()
        ledgers.failure = unavailable()

        assert push(STARTED) == ACKNOWLEDGED
        [(_, reminder)] = timers.reminders
        assert (reminder.happening, reminder.call) == (Happening.RECORDING_STARTED, Call(call_id=CALL_SID))
        assert observer.notices == [(Notice.LEDGER_UNAVAILABLE, CALL_SID, None)]

    def test_scenario_29_without_both_it_has_to_come_again(self, push, ledgers, timers):
        """With table and queue down nobody has the event: 503, so that whoever pushes it repeats it."""
        ledgers.failure = timers.failure = unavailable()

        answered = push(STARTED)
        assert (answered["statusCode"], json.loads(answered["body"])["error"]) == (503, "UnavailableError")


class TestRefusals:
    """What is never acknowledged."""

    @pytest.mark.parametrize(
        ("given", "status", "field"),
        [
            ({"body": "{"}, 400, "body"),
            ({"body": "CallSid", "content_type": FORM}, 400, "body"),
            ({"body": "<a/>", "content_type": "application/xml"}, 415, "content-type"),
            ({"body": "a" * 70_000}, 413, "body"),
            ({"body": {"type": "call.ended", "data": {}}}, 422, "call_id"),
            ({"body": {"CallStatus": "completed", "CallSid": CARD}}, 422, "call_id"),
            ({"body": {"CallStatus": "completed", "CallSid": BANDWIDTH_CALL}}, 422, "call_id"),
            ({"body": STARTED | {"RecordingSid": CARD}}, 422, "recording_id"),
            ({"body": {"type": "call.ended", "data": {"call_id": "../x"}}}, 422, "call_id"),
            (
                {"body": {"callId": CALL_UUID, "status": "busy", "channelId": CARD}, "vendor": "bird"},
                422,
                "channel_id",
            ),
        ],
    )
    def test_what_does_not_fit_is_refused_by_name(self, push, platforms, ledgers, observer, given, status, field):
        """A payload that nobody can read, or with ids of no call of this vendor, is refused by name; nothing is written."""
        answered = push(**given)

        assert (answered["statusCode"], json.loads(answered["body"])["field"]) == (status, field)
        assert (ledgers.items, platforms.requests) == ({}, [])
        assert [refusal["field"] for refusal in observer.refusals] == [field]
        assert not [word for word in (CARD, *KEYS) if word in answered["body"] + repr(observer)]

    def test_scenario_35_card_data_is_refused(self, enter, push, ledgers, observer):
        """A payment connector that is pointed at the webhook is refused and noticed, whatever else its payload tells."""
        enter()
        before = ledgers.items.copy()
        answered = push(OVER | {"cardnumber": CARD, "cvv": "123"})

        assert (answered["statusCode"], json.loads(answered["body"])["error"]) == (422, "CardDataError")
        assert [notice for notice, _, _ in observer.notices] == [Notice.CARD_DATA_REFUSED]
        assert ledgers.items == before
        assert CARD not in answered["body"] + repr(observer)

    def test_scenario_35_card_data_of_another_content_type(self, enter, push, ledgers, observer):
        """It is refused for its content type, and noticed too."""
        enter()
        before = ledgers.items.copy()
        answered = push(OVER | {"cardnumber": CARD, "cvv": "123"}, content_type="text/plain")

        assert answered["statusCode"] == 415
        assert [notice for notice, _, _ in observer.notices] == [Notice.CARD_DATA_REFUSED]
        assert ledgers.items == before
        assert CARD not in answered["body"] + repr(observer)

    @pytest.mark.parametrize("body", [OVER | {"AccountSid": "AC" + "f" * 32}, {"AccountSid": "AC" + "f" * 32}])
    def test_scenario_43_another_account_s_event(self, enter, push, ledgers, body):
        """A payload of another account of the vendor is a stranger's, though a key of ours came with it."""
        enter()
        before = ledgers.items.copy()

        assert push(body)["statusCode"] == 401
        assert ledgers.items == before

    @pytest.mark.parametrize("authorization", [None, "Bearer placeholder-wrong-token"])
    def test_scenario_20_a_stranger_ends_no_call(self, enter, push, ledgers, platforms, authorization):
        """Whoever has proven nothing changes nothing, whatever it tells."""
        enter()
        before = ledgers.items.copy()

        assert push(OVER, authorization=authorization)["statusCode"] == 401
        assert (ledgers.items, platforms.requests) == (before, [])

    def test_a_secret_that_does_not_fit(self, push, secrets_manager):
        """A secret that does not fit is a 500: a vendor comes again, and by then it may be mended."""
        secrets_manager.secrets["call-recording/demo-twilio"] = secret_json(settings={"budget_ms": 1})

        assert push(OVER)["statusCode"] == 500

    def test_bird_s_channel_may_stand_in_the_payload(self, push):
        """A Bird event that names its channel is of a call that can be found."""
        assert push({"callId": CALL_UUID, "status": "busy", "channelId": CHANNEL_ID}, vendor="bird") == ACKNOWLEDGED
