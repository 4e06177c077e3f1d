"""What vendors' platforms and third parties send, signed: `python -m tests.make_events` makes events/ of it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests import signers
from tests.unit.fakes import (
    ACCOUNT_SID,
    BANDWIDTH_ACCOUNT,
    BANDWIDTH_CALL,
    CALL_SID,
    CALL_UUID,
    CHANNEL_ID,
    DOMAIN,
    PROJECT_ID,
    RECORDING_SID,
    RECORDING_UUID,
    SIGNING_KEY,
    VENDOR_KEY,
    WEBHOOK_SECRET,
    WORKSPACE_ID,
    basic,
)

FORM = "application/x-www-form-urlencoded; charset=UTF-8"
JSON = "application/json"
CHILD_SID = "CA" + "0" * 31 + "2"
BANDWIDTH_RECORDING = "r-00000000-00000000-0000-4000-8000-000000000002"
NEXT = "next=https%3A%2F%2Fivr.example.com%2Fpay&otherwise=https%3A%2F%2Fivr.example.com%2Fagent"
WRONG_KEY = "placeholder-wrong-key-0009"

Fields = dict[str, Any]

TWILIO: Fields = {"AccountSid": ACCOUNT_SID, "ApiVersion": "2010-04-01", "CallSid": CALL_SID}
TWILIO_CALL: Fields = {
    **TWILIO,
    "CallStatus": "in-progress",
    "Called": "+15005550006",
    "CallerCity": "",
    "Direction": "inbound",
    "From": "+15005550001",
    "To": "+15005550006",
}
TWILIO_RECORDING: Fields = {
    **TWILIO,
    "RecordingSid": RECORDING_SID,
    "RecordingStatus": "in-progress",
    "RecordingChannels": "1",
    "RecordingSource": "StartCallRecordingAPI",
    "RecordingStartTime": "Mon, 21 Sep 2026 14:13:20 +0000",
    "RecordingTrack": "both",
    "ErrorCode": "0",
}
CXML: Fields = {"AccountSid": PROJECT_ID, "CallSid": CALL_UUID, "ApiVersion": "2010-04-01", "From": "+15005550001"}
CXML_RECORDING: Fields = {**CXML, "RecordingSid": RECORDING_UUID, "RecordingStatus": "in-progress"}
SWML_RECORD: Fields = {
    "event_type": "calling.call.record",
    "event_channel": "swml:all",
    "timestamp": 1_790_000_000.0,
    "project_id": PROJECT_ID,
    "params": {"call_id": CALL_UUID, "node_id": "node-1", "control_id": RECORDING_UUID, "state": "recording"},
}
BANDWIDTH: Fields = {
    "eventType": "disconnect",
    "eventTime": "2026-09-21T14:13:20.000Z",
    "accountId": BANDWIDTH_ACCOUNT,
    "applicationId": "00000000-0000-4000-8000-000000000004",
    "from": "+15005550001",
    "to": "+15005550006",
    "direction": "inbound",
    "callId": BANDWIDTH_CALL,
    "startTime": "2026-09-21T14:12:20.000Z",
    "answerTime": "2026-09-21T14:12:21.000Z",
}
BANDWIDTH_RECORDED: Fields = {
    **BANDWIDTH,
    "eventType": "recordingAvailable",
    "recordingId": BANDWIDTH_RECORDING,
    "channels": 1,
    "duration": "PT13.67S",
    "fileFormat": "wav",
    "status": "complete",
}
BIRD_STEP: Fields = {"workspaceId": WORKSPACE_ID, "channelId": CHANNEL_ID, "callId": CALL_UUID}
BIRD_CALL: Fields = {
    "service": "channels",
    "event": "voice.inbound",
    "payload": {"id": CALL_UUID, "channelId": CHANNEL_ID, "status": "completed", "direction": "incoming"},
}
THIRD_PARTY: Fields = {"type": "call.ended", "timestamp": "2026-09-21T14:13:20Z", "data": {"call_id": BANDWIDTH_CALL}}

AGENTS: Mapping[str, str] = {
    "twilio": "TwilioProxy/1.1",
    "signalwire": "SignalWire",
    "bandwidth": "BandwidthAPI/v2",
    "bird": "Bird",
}


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One request, as its sender makes it."""

    name: str  #: of the file
    vendor: str
    body: bytes
    content_type: str
    headers: Mapping[str, str]
    word: str | None = None  #: of a flow's route; None: it is a webhook
    query: str = ""

    @property
    def account(self) -> str:
        """The account, whose keys are those of tests/unit/fakes.py."""
        return f"demo-{self.vendor}"


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Makes requests to one kind of route at one account."""

    vendor: str
    at: int  #: when, seconds since the epoch
    word: str | None = None
    query: str = ""
    key: str = field(default=SIGNING_KEY, repr=False)

    @property
    def url(self) -> str:
        """The URL as it is asked and signed."""
        path = (
            f"webhooks/demo-{self.vendor}" if self.word is None else f"flows/demo-{self.vendor}/card-entry/{self.word}"
        )
        return f"https://{DOMAIN}/{path}{'?' if self.query else ''}{self.query}"

    def _sent(self, name: str, body: bytes, content_type: str, headers: Mapping[str, str], query: str = "") -> Sent:
        return Sent(
            name=f"{self.vendor}_{name}" if not name.startswith("standard_webhooks") else name,
            vendor=self.vendor,
            body=body,
            content_type=content_type,
            headers=headers,
            word=self.word,
            query=query or self.query,
        )

    def form(self, name: str, fields: Fields) -> Sent:
        """Send a form, signed as Twilio's or SignalWire's compatible platform does."""
        sign = signers.twilio if self.vendor == "twilio" else signers.signalwire_form
        return self._sent(name, urlencode(fields).encode(), FORM, sign(self.key, self.url, list(fields.items())))

    def digested(self, name: str, fields: Fields) -> Sent:
        """Send JSON whose digest is in the signed URL, as Twilio does."""
        body = _json(fields)
        url = signers.digested(self.url, body)
        return self._sent(name, body, JSON, signers.twilio(self.key, url), url.partition("?")[2])

    def signed_body(self, name: str, fields: Fields) -> Sent:
        """Send JSON, signed as SWML does, or as Bird does."""
        body = _json(fields)
        if self.vendor == "bird":
            return self._sent(name, body, JSON, signers.bird(self.key, self.url, body, at=self.at))
        both = signers.signalwire_body(self.key, self.url, body) | signers.signalwire_sha256(self.key, self.url, body)
        return self._sent(name, body, JSON, both)

    def with_basic(self, name: str, fields: Fields, *, authorization: str | None = None) -> Sent:
        """Send JSON with Basic authentication, as Bandwidth does."""
        return self._sent(name, _json(fields), JSON, {"authorization": authorization or basic()})

    def third_party(self, name: str, fields: Fields, *, secret: str = WEBHOOK_SECRET) -> Sent:
        """Send JSON, signed as Standard Webhooks has it."""
        body = _json(fields)
        headers = signers.standard_webhooks(secret, f"msg_{name.replace('_', '-')}", body, at=self.at)
        return self._sent(name, body, JSON, headers)


def _json(fields: Fields) -> bytes:
    return json.dumps(fields).encode()


def flows(at: int) -> Iterator[Sent]:
    """What goes to /flows."""
    twilio = Sender(vendor="twilio", at=at, word="entered", key=VENDOR_KEY)
    yield twilio.form("signed_form", TWILIO_CALL | {"Digits": "2", "msg": "Gather"})
    yield twilio.digested("signed_json", {"call_id": CALL_SID, "max_pause_seconds": 120})
    markup = Sender(vendor="twilio", at=at, word="entered", key=VENDOR_KEY, query=NEXT)
    yield markup.form("signed_markup", TWILIO_CALL)
    yield Sender(vendor="twilio", at=at, word="left", key=VENDOR_KEY).form("signed_left", TWILIO_CALL)
    yield Sender(vendor="twilio", at=at, word="left", key=WRONG_KEY).form("wrong_signature", TWILIO_CALL)
    signalwire = Sender(vendor="signalwire", at=at, word="entered")
    yield signalwire.form("signed_cxml", CXML | {"CallStatus": "in-progress"})
    yield signalwire.signed_body("signed_json", {"call_id": CALL_UUID})
    cxml = Sender(vendor="signalwire", at=at, word="entered", query=NEXT)
    yield cxml.form("signed_markup", CXML | {"CallStatus": "in-progress"})
    yield Sender(vendor="bird", at=at, word="entered").signed_body("signed", BIRD_STEP)
    yield Sender(vendor="bird", at=at - 301, word="left").signed_body("old_signature", BIRD_STEP)
    third = Sender(vendor="bandwidth", at=at, word="entered")
    yield third.third_party("standard_webhooks_entered", {"call_id": BANDWIDTH_CALL})
    left = Sender(vendor="bandwidth", at=at, word="left")
    yield left.third_party("standard_webhooks_left", {"call_id": BANDWIDTH_CALL})


def webhooks(at: int) -> Iterator[Sent]:
    """What goes to /webhooks."""
    twilio = Sender(vendor="twilio", at=at, key=VENDOR_KEY)
    ended = {"RecordingStatus": "completed", "RecordingDuration": "42"}
    yield twilio.form("recording_in_progress", TWILIO_RECORDING)
    yield twilio.form("recording_completed", TWILIO_RECORDING | ended)
    yield twilio.form("recording_absent", TWILIO_RECORDING | {"RecordingStatus": "absent"})
    yield twilio.form("call_completed", TWILIO_CALL | {"CallStatus": "completed", "CallDuration": "61"})
    child = {"CallSid": CHILD_SID, "ParentCallSid": CALL_SID, "Direction": "outbound-dial", "CallStatus": "completed"}
    yield twilio.form("child_leg_completed", TWILIO_CALL | child)
    yield twilio.form("call_ringing", TWILIO_CALL | {"CallStatus": "ringing"})
    yield twilio.form("unknown_event", TWILIO_RECORDING | {"RecordingStatus": "enhanced"})
    yield twilio.form("another_account", TWILIO_CALL | {"AccountSid": "AC" + "f" * 32, "CallStatus": "completed"})
    yield Sender(vendor="twilio", at=at, key=WRONG_KEY).form(
        "wrong_signature", TWILIO_CALL | {"CallStatus": "completed"}
    )
    signalwire = Sender(vendor="signalwire", at=at)
    yield signalwire.form("recording_in_progress", CXML_RECORDING)
    yield signalwire.form("recording_completed", CXML_RECORDING | ended)
    yield signalwire.signed_body("recording_completed_json", CXML_RECORDING | ended)
    yield signalwire.form("call_completed", CXML | {"CallStatus": "completed", "SequenceNumber": "3"})
    yield signalwire.signed_body("swml_record", SWML_RECORD)
    yield signalwire.signed_body("swml_record_finished", _with_state("finished"))
    yield signalwire.signed_body("unknown_event", _with_state("paused"))
    yield Sender(vendor="signalwire", at=at, key=VENDOR_KEY).form("wrong_signature", CXML | {"CallStatus": "completed"})
    bandwidth = Sender(vendor="bandwidth", at=at)
    yield bandwidth.with_basic("disconnect", BANDWIDTH | {"cause": "hangup", "endTime": "2026-09-21T14:13:20.000Z"})
    yield bandwidth.with_basic("recording_available", BANDWIDTH_RECORDED)
    yield bandwidth.with_basic("dtmf", BANDWIDTH | {"eventType": "dtmf", "digit": "4", "tag": "card entry"})
    yield bandwidth.with_basic("unknown_event", BANDWIDTH | {"eventType": "machineDetectionComplete"})
    yield bandwidth.with_basic("wrong_password", BANDWIDTH, authorization=basic(password=WRONG_KEY))
    bird = Sender(vendor="bird", at=at)
    yield bird.signed_body("call_completed", BIRD_CALL)
    yield bird.signed_body("call_ongoing", {**BIRD_CALL, "payload": {**BIRD_CALL["payload"], "status": "ongoing"}})
    yield bird.signed_body("unknown_event", {**BIRD_CALL, "event": "sms.inbound"})
    yield Sender(vendor="bird", at=at, key=WRONG_KEY).signed_body("wrong_signature", BIRD_CALL)
    yield Sender(vendor="bird", at=at - 301).signed_body("old_signature", BIRD_CALL)
    yield bandwidth.third_party("standard_webhooks_call_ended", THIRD_PARTY)
    started = {**THIRD_PARTY, "type": "recording.started"}
    yield bandwidth.third_party("standard_webhooks_recording_started", started)
    yield bandwidth.third_party("standard_webhooks_unknown_event", {**THIRD_PARTY, "type": "agent.joined"})
    wrong = "whsec_" + "d3Jvbmcg" * 4
    yield bandwidth.third_party("standard_webhooks_wrong_signature", THIRD_PARTY, secret=wrong)


def _with_state(state: str) -> Fields:
    return {**SWML_RECORD, "params": {**SWML_RECORD["params"], "state": state}}
