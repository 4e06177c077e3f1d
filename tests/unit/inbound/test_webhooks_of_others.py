"""Webhooks that a vendor has signed, and that are of no call: they are acknowledged, and change nothing."""

import json

import pytest

from call_recording.inbound.flows import FlowCallbacks
from call_recording.inbound.webhooks import VendorWebhooks
from tests import signers
from tests.unit.fake_stores import MemoryLedgers
from tests.unit.fakes import (
    ACCOUNT_SID,
    BEARER,
    CALL_UUID,
    CHANNEL_ID,
    RECORDING_SID,
    RECORDING_UUID,
    SIGNING_KEY,
    VENDOR_KEY,
    assemble,
    flow_event,
)
from tests.unit.inbound.deliveries import Delivery, url_of

CONFERENCE = [
    ("AccountSid", ACCOUNT_SID),
    ("ConferenceSid", "CF" + "0" * 32),
    ("RecordingSid", RECORDING_SID),
    ("RecordingStatus", "completed"),
]
#: What Bird's API answers of recordings and commands, and a flow's HTTP step may pass on.
#: https://docs.bird.com/api/voice-api/voice-calls-api/get-a-call-recording
OBJECTS = [
    {"id": RECORDING_UUID, "callId": CALL_UUID, "channelId": CHANNEL_ID, "status": "completed", "duration": 3},
    {"id": RECORDING_UUID, "callId": CALL_UUID, "status": "failed", "command": "record"},
    {"payload": {"id": RECORDING_UUID, "callId": CALL_UUID, "status": "completed"}},
    {"event": None, "id": CALL_UUID, "status": "completed"},
    {"event": "recording.completed", "payload": {"id": CALL_UUID, "status": "completed"}},
    {"event": "voice.inbound", "payload": {"id": None, "status": "completed"}},
    {"event": "voice.inbound", "payload": {"status": "completed"}},
]


@pytest.fixture(name="ledgers")
def _ledgers() -> MemoryLedgers:
    return MemoryLedgers()


@pytest.fixture(name="push")
def _push(secrets_manager, platforms, clock, observer, ledgers):
    """Push a delivery while a pause is open on the call of each vendor."""
    parts = assemble(
        secrets_manager=secrets_manager, platforms=platforms, clock=clock, observer=observer, ledgers=ledgers
    )
    given = {"accounts": parts.accounts, "recordings": parts.recordings, "clock": clock, "observer": observer}
    for vendor in ("twilio", "bird"):
        body = {"call_id": CALL_UUID, "channel_id": CHANNEL_ID} if vendor == "bird" else None
        FlowCallbacks(**given).answer(flow_event(body, vendor=vendor, authorization=BEARER), seconds_left=10.0)
    platforms.requests.clear()

    return lambda delivery: VendorWebhooks(**given).answer(delivery.event(), seconds_left=10.0)["statusCode"]


def by_bird(given: dict, at: float) -> Delivery:
    """Sign an event as Bird does."""
    url, body = url_of("bird"), json.dumps(given).encode()
    return Delivery.of_json(url, body, signers.bird(SIGNING_KEY, url, body, at=at))


def test_a_recording_of_a_conference(push, platforms, ledgers, observer):
    """A callback of Twilio's about a conference names no call: it is acknowledged, so that nobody counts it as an error."""
    before = ledgers.items.copy()
    delivery = Delivery.of_form(url_of("twilio"), CONFERENCE, signers.twilio(VENDOR_KEY, url_of("twilio"), CONFERENCE))

    assert push(delivery) == 204
    assert (ledgers.items, platforms.requests, observer.refusals) == (before, [], [])


@pytest.mark.parametrize("given", OBJECTS)
def test_scenario_20_what_bird_says_of_something_else(push, platforms, ledgers, observer, clock, given):
    """A recording or a command that is completed is no call that is over: its pause stays open, and nobody is asked."""
    before = ledgers.items.copy()

    assert push(by_bird(given, clock.now())) == 204
    assert (ledgers.items, platforms.requests, observer.refusals) == (before, [], [])
    assert platforms.words["bird"] == "paused"


@pytest.mark.parametrize(
    "given",
    [
        {"id": CALL_UUID, "status": "completed"},
        {"id": CALL_UUID, "callId": CALL_UUID, "status": "completed"},
        {"callId": CALL_UUID, "status": "completed"},
        {"event": "voice.outbound", "payload": {"id": CALL_UUID, "status": "completed"}},
    ],
)
def test_what_bird_says_of_a_call(push, platforms, ledgers, clock, given):
    """A call that is over is one, with or without the name of the event: the vendor is asked about it."""
    push(by_bird(given, clock.now()))

    assert platforms.requests != []
    assert "told over" in [event.what for event in ledgers.of("demo-bird", CALL_UUID).events]
