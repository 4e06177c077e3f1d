"""Flows that prove themselves by a signature: what was signed is what counts, and a message is good for once."""

import json

import pytest

from call_recording.inbound.flows import FlowCallbacks
from call_recording.inbound.signatures import TOLERANCE_SECONDS, base64_hmac
from call_recording.model import Notice
from tests.unit.fake_stores import MemoryLedgers
from tests.unit.fakes import CALL_SID, CARD, DOMAIN, VENDOR_KEY, assemble, flow_event

KEY = b"placeholder-webhook-secret-0001"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(name="ledgers")
def _ledgers() -> MemoryLedgers:
    return MemoryLedgers()


@pytest.fixture(name="flows")
def _flows(secrets_manager, platforms, clock, observer, ledgers) -> FlowCallbacks:
    parts = assemble(
        secrets_manager=secrets_manager, platforms=platforms, clock=clock, observer=observer, ledgers=ledgers
    )
    return FlowCallbacks(
        accounts=parts.accounts,
        recordings=parts.recordings,
        clock=clock,
        observer=observer,
        public_urls=("https://calls.example.com",),
    )


def message(body: dict, *, now: float, message_id: str = "msg_1", word: str = "entered", encode: bool = False) -> dict:
    """Return the event of a request that is signed as Standard Webhooks has it."""
    text = json.dumps(body, ensure_ascii=False)
    event = flow_event(text, word=word, authorization=None, encode=encode)
    event["requestContext"]["timeEpoch"] = now * 1000
    signature = base64_hmac(KEY, f"{message_id}.{now:.0f}.{text}".encode(), "sha256")
    event["headers"] |= {
        "webhook-id": message_id,
        "webhook-timestamp": f"{now:.0f}",
        "webhook-signature": f"v1,{signature}",
    }
    return event


def result(flows: FlowCallbacks, event: dict) -> tuple[int, dict]:
    """Answer an event."""
    answer = flows.answer(event, seconds_left=10.0)
    return answer["statusCode"], json.loads(answer["body"])


def test_a_signed_request_is_carried_out(flows, clock):
    """A third party's flow needs no other key than its secret."""
    status, body = result(flows, message({"call_id": CALL_SID}, now=clock.now()))

    assert (status, body["verdict"], body["safe_to_collect"]) == (200, "confirmed", True)


def test_scenario_19_a_replayed_pause_opens_nothing(flows, clock, ledgers):
    """A signed message that was seen before opens no pause again: its step was left since."""
    entered = message({"call_id": CALL_SID}, now=clock.now())
    left = message({"call_id": CALL_SID}, now=clock.now(), message_id="msg_2", word="left")
    assert [result(flows, event)[0] for event in (entered, left)] == [200, 200]
    status, body = result(flows, entered)

    assert (status, body["safe_to_collect"]) == (409, False)
    assert ledgers.of("demo-twilio", CALL_SID).pauses == {}


def test_scenario_19_a_replayed_resume_releases_nothing(flows, clock, ledgers, platforms):
    """A signed `left` of an earlier visit, replayed while the step is open again, leaves the tape paused."""
    left = message({"call_id": CALL_SID}, now=clock.now(), message_id="msg_2", word="left")
    result(flows, message({"call_id": CALL_SID}, now=clock.now()))
    result(flows, left)
    result(flows, message({"call_id": CALL_SID}, now=clock.now(), message_id="msg_3"))
    result(flows, left)

    assert list(ledgers.of("demo-twilio", CALL_SID).pauses) == ["card-entry"]
    assert platforms.words["twilio"] == "paused"


@pytest.mark.parametrize("word", ["entered", "left", "stop"])
def test_scenario_19_an_old_message_is_nobody_s(flows, clock, platforms, observer, word):
    """A signed message that is older than five minutes proves nothing, whatever it asks for, and that is an alarm."""
    event = message({"call_id": CALL_SID}, now=clock.now(), word=word)
    clock.seconds += TOLERANCE_SECONDS + 1

    assert (result(flows, event)[0], platforms.requests) == (401, [])
    assert [notice for notice, _, _ in observer.notices] == [Notice.PROOF_REFUSED]


@pytest.mark.parametrize("word", ["entered", "left", "stop"])
@pytest.mark.parametrize("tampered", [{"call_id": CALL_SID[:-1] + "2"}, {"call_id": CALL_SID, "pause_id": "p"}])
def test_scenario_20_a_forgery_does_nothing(flows, clock, platforms, observer, word, tampered):
    """A request whose body is not what was signed is refused alike for a pause, a resume and a stop, and is an alarm."""
    event = message({"call_id": CALL_SID}, now=clock.now(), word=word) | {"body": json.dumps(tampered)}

    assert (result(flows, event)[0], platforms.requests) == (401, [])
    assert [notice for notice, _, _ in observer.notices] == [Notice.PROOF_REFUSED]


def test_scenario_22_an_encoded_body(flows, clock):
    """What is verified are the bytes that were sent, though API Gateway hands them on in base64."""
    event = message({"call_id": CALL_SID, "note": "ü"}, now=clock.now(), encode=True)

    assert event["isBase64Encoded"] is True
    assert result(flows, event)[0] == 200


@pytest.mark.parametrize("origin", [f"https://{DOMAIN}", "https://calls.example.com"])
def test_scenario_21_a_vendor_s_signature(flows, origin):
    """What Twilio has signed for our own URL, or for the public one, needs no other key."""
    event = flow_event({"CallSid": CALL_SID}, authorization=None, content_type=FORM)
    signed = f"{origin}{event['rawPath']}CallSid{CALL_SID}".encode()
    event["headers"]["x-twilio-signature"] = base64_hmac(VENDOR_KEY, signed, "sha1")

    assert result(flows, event)[0] == 200


def test_scenario_35_a_card_behind_a_flow(flows, platforms, observer):
    """A payment connector that is pointed at a flow's URL is refused, and its card is nowhere."""
    status, body = result(flows, flow_event({"call_id": CALL_SID, "cardnumber": CARD, "cvv": "123"}))

    assert (status, body["error"], platforms.requests) == (422, "CardDataError", [])
    assert observer.notices == [(Notice.CARD_DATA_REFUSED, None, None)]
    assert CARD not in json.dumps(body) + repr(observer)


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/json; charset=iso-8859-1"])
def test_scenario_35_a_card_of_another_content_type(flows, platforms, observer, content_type):
    """A card that says that it is something else is refused for that, and noticed without its values."""
    given = {"call_id": CALL_SID, "cardnumber": CARD, "cvv": "123"}
    status, body = result(flows, flow_event(given, content_type=content_type))

    assert (status, body["error"], platforms.requests) == (415, "UnsupportedMediaTypeError", [])
    assert observer.notices == [(Notice.CARD_DATA_REFUSED, None, None)]
    assert observer.reasons == [body["detail"]]
    assert CARD not in json.dumps(body) + repr(observer)


def test_what_is_no_card_is_refused_without_an_alarm(flows, observer):
    """Any other body of another content type is refused, and nobody has to get up for it."""
    assert result(flows, flow_event({"call_id": CALL_SID, "cardnumber": CARD}, content_type="text/plain"))[0] == 415
    assert observer.notices == []


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_scenario_35_a_card_in_a_flow_that_fetches_markup(flows, observer, content_type):
    """Such a flow is sent on to `otherwise`, and the card is noticed all the same."""
    targets = "next=https://ivr.example.com/a&otherwise=https://ivr.example.com/b"
    given = {"call_id": CALL_SID, "cardnumber": CARD, "cvv": "123"}
    event = flow_event(given, rawQueryString=targets, content_type=content_type)
    answer = flows.answer(event, seconds_left=10.0)

    assert "https://ivr.example.com/b" in answer["body"]
    assert [notice for notice, _, _ in observer.notices] == [Notice.CARD_DATA_REFUSED]
    assert CARD not in answer["body"] + repr(observer)
