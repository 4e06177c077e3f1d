"""What vendors push and third parties tell, read into events of a call."""

from hashlib import sha256
from typing import Any

import pytest

from call_recording.errors import InvalidTriggerError, UnknownAccountError
from call_recording.inbound.body import Twice
from call_recording.inbound.events import TYPES, parse_events
from call_recording.model import Call, Happening, RecordingEvent
from call_recording.vendors import VENDORS
from tests.unit.fakes import (
    ACCOUNT_SID,
    BANDWIDTH_ACCOUNT,
    BANDWIDTH_CALL,
    CALL_SID,
    CALL_UUID,
    CALLS,
    CARD,
    CHANNEL_ID,
    PROJECT_ID,
    RECORDING_SID,
    RECORDING_UUID,
    WORKSPACE_ID,
    account_secret,
)

OVER, STARTED, ENDED, FAILED = (
    Happening.CALL_OVER,
    Happening.RECORDING_STARTED,
    Happening.RECORDING_ENDED,
    Happening.RECORDING_FAILED,
)
TWILIO = {"AccountSid": ACCOUNT_SID, "CallSid": CALL_SID, "RecordingSid": RECORDING_SID}
SIGNALWIRE = {"AccountSid": PROJECT_ID, "CallSid": CALL_UUID, "RecordingSid": RECORDING_UUID}
BANDWIDTH = {"accountId": BANDWIDTH_ACCOUNT, "callId": BANDWIDTH_CALL, "recordingId": "r-1"}
BIRD: dict[str, Any] = {"workspaceId": WORKSPACE_ID, "channelId": CHANNEL_ID, "callId": CALL_UUID}


def swml(state: str, **more: str) -> dict[str, Any]:
    """What SWML's record_call sends."""
    params = {"call_id": CALL_UUID, "recording_id": RECORDING_UUID, "state": state}
    return {"event_type": "calling.call.record", "project_id": PROJECT_ID, "params": params | more}


def parse(given, vendor="twilio", message_id=None) -> list[RecordingEvent]:
    """Read a payload as one of the demo account."""
    return parse_events(given, account=account_secret(vendor).account, message_id=message_id)


def happenings(given, vendor="twilio") -> list[Happening]:
    """What a payload tells."""
    return [event.happening for event in parse(given, vendor)]


def digest(text: str) -> str:
    """What is kept of an id."""
    return sha256(text.encode()).hexdigest()


#: What each vendor's callbacks tell; the words are those of the vendors' pages.
TOLD = [
    ("twilio", TWILIO | {"RecordingStatus": "in-progress"}, [STARTED]),
    ("twilio", TWILIO | {"RecordingStatus": "completed"}, [ENDED]),
    ("twilio", TWILIO | {"RecordingStatus": "absent"}, [FAILED]),
    ("twilio", TWILIO | {"RecordingStatus": "failed"}, [FAILED]),
    ("twilio", TWILIO | {"RecordingStatus": "paused"}, []),
    ("twilio", TWILIO | {"RecordingStatus": "In-Progress"}, []),
    *[
        ("twilio", TWILIO | {"CallStatus": each}, [OVER])
        for each in ("completed", "busy", "failed", "no-answer", "canceled")
    ],
    *[("twilio", TWILIO | {"CallStatus": each}, []) for each in ("queued", "initiated", "ringing", "in-progress", "")],
    ("twilio", TWILIO | {"RecordingStatus": "completed", "CallStatus": "completed"}, [OVER, ENDED]),
    ("twilio", TWILIO | {"RecordingStatus": "in-progress", "CallStatus": "in-progress"}, [STARTED]),
    ("twilio", TWILIO, []),
    ("signalwire", SIGNALWIRE | {"RecordingStatus": "in-progress"}, [STARTED]),
    ("signalwire", SIGNALWIRE | {"RecordingStatus": "completed", "CallStatus": "completed"}, [OVER, ENDED]),
    ("signalwire", swml("recording"), [STARTED]),
    ("signalwire", swml("finished"), [ENDED]),
    ("signalwire", swml("no_input"), [FAILED]),
    ("signalwire", swml("error"), [FAILED]),
    ("signalwire", swml("paused"), []),
    ("signalwire", swml("recording") | {"event_type": "calling.call.play"}, []),
    ("signalwire", swml("recording") | {"params": "recording"}, []),
    ("bandwidth", BANDWIDTH | {"eventType": "disconnect"}, [OVER]),
    ("bandwidth", BANDWIDTH | {"eventType": "recordingAvailable", "status": "complete"}, [ENDED]),
    ("bandwidth", BANDWIDTH | {"eventType": "recordComplete"}, [ENDED]),
    ("bandwidth", BANDWIDTH | {"eventType": "recordingAvailable", "status": "error"}, [FAILED]),
    ("bandwidth", BANDWIDTH | {"eventType": "gather", "status": "error"}, []),
    ("bandwidth", BANDWIDTH | {"eventType": ["disconnect"]}, []),
    *[("bird", BIRD | {"status": each}, [OVER]) for each in ("completed", "no-answer", "busy", "failed")],
    *[("bird", BIRD | {"status": each}, []) for each in ("ongoing", "ringing", "recording.completed", None)],
    ("bird", {"event": "voice.inbound", "payload": BIRD | {"status": "completed"}}, [OVER]),
    ("bird", {"event": "voice.outbound", "payload": BIRD | {"status": "busy"}}, [OVER]),
    ("twilio", {"CallStatus": "busy"}, []),
    ("twilio", {"CallStatus": "busy", "CallSid": ""}, []),
    ("bird", BIRD | {"id": RECORDING_UUID, "status": "completed"}, []),
    ("bird", {"event": "sms.inbound", "payload": BIRD | {"status": "failed"}}, []),
    ("bird", {"event": ["voice.inbound"], "payload": BIRD | {"status": "failed"}}, []),
]


class TestVendors:
    """What vendors push by themselves."""

    @pytest.mark.parametrize(("vendor", "given", "expected"), TOLD)
    def test_each_word_is_what_the_vendor_means_by_it(self, vendor, given, expected):
        """A payload tells what the vendor's page says, and what tells nothing that matters is no event."""
        assert happenings(given, vendor) == expected

    @pytest.mark.parametrize(
        ("vendor", "given", "call", "recording_id"),
        [
            ("twilio", TWILIO | {"RecordingStatus": "completed"}, Call(call_id=CALL_SID), RECORDING_SID),
            ("signalwire", SIGNALWIRE | {"RecordingStatus": "completed"}, Call(call_id=CALL_UUID), RECORDING_UUID),
            ("signalwire", swml("finished"), Call(call_id=CALL_UUID), RECORDING_UUID),
            ("bandwidth", BANDWIDTH | {"eventType": "recordComplete"}, Call(call_id=BANDWIDTH_CALL), "r-1"),
            ("bird", BIRD | {"status": "completed"}, Call(call_id=CALL_UUID, channel_id=CHANNEL_ID), None),
            (
                "bird",
                {"event": "voice.inbound", "payload": {"id": CALL_UUID, "status": "completed"}},
                Call(call_id=CALL_UUID),
                None,
            ),
            (
                "bird",
                {"event": "voice.outbound", "payload": {"id": "other", "callId": CALL_UUID, "status": "failed"}},
                Call(call_id=CALL_UUID),
                None,
            ),
        ],
    )
    def test_ids_are_found_where_each_vendor_puts_them(self, vendor, given, call, recording_id):
        """The call and the recording are those that the vendor names."""
        [event] = parse(given, vendor)

        assert (event.account, event.call, event.recording_id) == (f"demo-{vendor}", call, recording_id)

    def test_a_parent_leg_is_not_what_an_event_is_about(self):
        """An event of Twilio is of the leg that it names itself: the end of a child is not that of its parent."""
        [event] = parse(TWILIO | {"ParentCallSid": "CA" + "f" * 32, "CallStatus": "completed"})

        assert event.call.call_id == CALL_SID

    @pytest.mark.parametrize("vendor", VENDORS)
    @pytest.mark.parametrize("given", [{}, {"a": 1}, {"type": "call.ended"}, {"type": "call.ended", "data": None}])
    def test_what_tells_nothing_is_no_event(self, vendor, given):
        """A payload of any vendor that tells nothing of a call is none, and nothing is asked of it."""
        assert parse(given, vendor) == []

    def test_a_word_that_is_given_twice_tells_nothing(self):
        """A status that is given twice, differently, is no status."""
        assert parse(TWILIO | {"CallStatus": Twice(), "RecordingStatus": Twice()}) == []

    def test_nothing_else_of_a_payload_is_kept(self):
        """Whatever else a payload has, card digits and URLs among them, is nowhere in the event."""
        more = {
            "RecordingUrl": "https://x",
            "Digits": CARD,
            "redirect_url": "https://y",
            "pause_id": "p",
            "From": "+44",
        }
        given = TWILIO | {"RecordingStatus": "completed"}

        assert parse(given | more) == parse(given)


class TestThirdParties:
    """Messages in the words of Standard Webhooks."""

    @pytest.mark.parametrize("vendor", VENDORS)
    @pytest.mark.parametrize(("kind", "happening"), TYPES.items())
    def test_each_type_is_a_happening(self, vendor, kind, happening):
        """A third party tells of calls at any vendor, with the fields of a flow's body."""
        data = {"call_id": CALLS[vendor], "recording_id": "r", "event_id": "e"}
        [event] = parse({"type": kind, "data": data}, vendor, message_id="msg_1")

        assert event == RecordingEvent(
            account=f"demo-{vendor}",
            happening=happening,
            call=Call(call_id=CALLS[vendor]),
            recording_id="r",
            event_id=digest("e"),
        )

    def test_there_is_one_type_for_each_happening(self):
        """Everything that a vendor may tell, a third party may tell."""
        assert sorted(TYPES.values()) == sorted(Happening)

    def test_the_message_s_id_stands_for_the_event_s(self):
        """A message without an id of its event is known by its own, which its signature covers."""
        [event] = parse({"type": "call.ended", "data": {"call_id": CALL_SID}}, message_id="msg_1")

        assert event.event_id == digest("msg_1")

    @pytest.mark.parametrize("kind", ["call.paused", "recording.resumed", "", 5, ["call.ended"], None])
    def test_another_type_is_read_as_the_vendor_s(self, kind):
        """A message of another type is what its vendor sends, and mostly nothing."""
        assert parse({"type": kind, "data": {"call_id": CALL_SID}}) == []
        assert happenings({"type": kind, "CallSid": CALL_SID, "CallStatus": "busy"}) == [OVER]

    def test_bird_s_channel_comes_with_it(self):
        """A third party names the channel of a Bird call, as a flow does."""
        [event] = parse({"type": "call.ended", "data": {"call_id": CALL_UUID, "channel_id": CHANNEL_ID}}, "bird")

        assert event.call == Call(call_id=CALL_UUID, channel_id=CHANNEL_ID)


class TestScenario19:
    """What makes two deliveries the same event."""

    def test_scenario_19_a_recording_starts_once(self):
        """Deliveries without an id are known by what they tell of which recording: that happens once."""
        [first] = parse(TWILIO | {"RecordingStatus": "in-progress"})
        [again] = parse(TWILIO | {"RecordingStatus": "in-progress", "Timestamp": "later"})
        [ended] = parse(TWILIO | {"RecordingStatus": "completed"})
        [other] = parse(TWILIO | {"RecordingStatus": "in-progress", "RecordingSid": "RE" + "f" * 32})

        assert first.event_id == again.event_id == digest(f"recording-started {RECORDING_SID}")
        assert len({first.event_id, ended.event_id, other.event_id}) == 3

    def test_scenario_19_a_call_s_end_is_looked_into_each_time(self):
        """The end of a call is believed of its vendor alone: without an id each delivery counts, for it does no harm."""
        [event] = parse(TWILIO | {"CallStatus": "busy"})

        assert event.event_id is None

    def test_scenario_19_some_cannot_be_told_apart(self):
        """A recording that is not named may be any: each delivery counts."""
        [event] = parse({"CallSid": CALL_SID, "RecordingStatus": "in-progress"})

        assert event.event_id is None

    def test_scenario_19_two_events_of_one_message_are_two(self):
        """What one delivery tells of the recording and of the call does not pass for the same."""
        given = TWILIO | {"RecordingStatus": "completed", "CallStatus": "completed"}

        assert [event.event_id for event in parse(given | {"event_id": "e"})] == [digest("e"), digest("e 1")]
        assert [event.event_id for event in parse(given, message_id="m")] == [digest("m"), digest("m 1")]
        assert len({event.event_id for event in parse(given)}) == 2


class TestRefusals:
    """What does not fit."""

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"CallStatus": "busy", "CallSid": ["x"]}, "call_id"),
            ({"CallStatus": "busy", "CallSid": "a b"}, "call_id"),
            ({"CallStatus": "busy", "CallSid": Twice()}, "call_id"),
            ({"CallStatus": "busy", "CallSid": "c", "call_id": "d"}, "call_id"),
            ({"CallStatus": "busy", "CallSid": "c", "RecordingSid": 5}, "recording_id"),
            ({"CallStatus": "busy", "CallSid": "c", "event_id": "ü"}, "event_id"),
            ({"type": "call.ended", "data": {}}, "call_id"),
            ({"type": "call.ended", "data": {"call_id": CARD + " "}}, "call_id"),
        ],
    )
    def test_the_field_is_named_and_not_its_value(self, given, field):
        """An event of no call, or with ids that are none, is refused by the field's name."""
        with pytest.raises(InvalidTriggerError) as caught:
            parse(given)

        assert caught.value.field == field
        assert CARD not in str(caught.value)

    @pytest.mark.parametrize(
        ("vendor", "given"),
        [
            ("twilio", TWILIO | {"AccountSid": "AC" + "f" * 32, "CallStatus": "busy"}),
            ("twilio", TWILIO | {"AccountSid": "AC" + "f" * 32}),
            ("twilio", TWILIO | {"AccountSid": Twice(), "CallStatus": "busy"}),
            ("twilio", {"type": "call.ended", "data": TWILIO | {"AccountSid": "AC" + "f" * 32}}),
            ("twilio", {"type": "call.ended", "AccountSid": "AC" + "f" * 32, "data": {"call_id": CALL_SID}}),
            ("signalwire", swml("recording", AccountSid="other")),
            ("signalwire", swml("recording", project_id="other")),
            ("signalwire", swml("recording") | {"project_id": ACCOUNT_SID}),
            ("bandwidth", BANDWIDTH | {"accountId": "9900001", "eventType": "disconnect"}),
            ("bird", {"event": "voice.inbound", "payload": BIRD | {"workspaceId": "other", "status": "busy"}}),
            ("bird", {"workspaceId": "other", "payload": {"id": CALL_UUID, "status": "busy"}}),
        ],
    )
    def test_scenario_43_another_account_s_payload(self, vendor, given):
        """A payload of another account of the vendor is a stranger's, wherever in it that is said."""
        with pytest.raises(UnknownAccountError):
            parse(given, vendor)
