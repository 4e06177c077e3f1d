"""What the simulated platforms tell a customer by themselves, as that customer sees it."""

from __future__ import annotations

import base64
import re
import time
import uuid

import pytest
from twilio.request_validator import RequestValidator

from tests.simulators.conftest import basic
from tests.simulators.told_customer import QUIET_SECONDS, TIMEOUT_SECONDS

pytestmark = pytest.mark.integration

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


class TestTwilio:
    """Forms of recordings and calls, and nothing of pauses."""

    @pytest.fixture(name="pause")
    def _pause(self, clients, credentials):
        account = credentials["twilio"]["account_sid"]

        def pause(call, status):
            path = f"/2010-04-01/Accounts/{account}/Calls/{call['call_id']}/Recordings/Twilio.CURRENT.json"
            assert clients["twilio"].post(path, form={"Status": status}).status == 200

        return pause

    def test_tells_of_a_call_s_recording_and_of_its_end(self, control, customer, pause, credentials):
        """A recording begins and is completed, the call is completed; in between a pause goes unsaid."""
        call = control.start_call("twilio", callbacks={"url": f"{customer.url}/told?key=1"})
        control.told(call, 1)
        control.say(call, "hello")
        pause(call, "paused")
        pause(call, "in-progress")
        control.end(call)

        assert sorted(control.told(call, 3)) == ["call completed", "recording completed", "recording in-progress"]
        validator = RequestValidator(credentials["twilio"]["auth_token"])
        for each in customer.received:
            assert validator.validate(each.url, each.fields, each.headers["X-Twilio-Signature"])

        begun = customer.received[0].fields
        account, recording = credentials["twilio"]["account_sid"], call["recording_ids"][0]
        assert begun.pop("RecordingStartTime").endswith(" +0000")
        assert begun == {
            "AccountSid": account,
            "CallSid": call["call_id"],
            "RecordingSid": recording,
            "RecordingStatus": "in-progress",
            "RecordingChannels": "2",
            "RecordingSource": "StartCallRecordingAPI",
            "RecordingTrack": "both",
            "ErrorCode": "0",
        }
        by_kind = {each.fields.get("RecordingStatus", "call"): each.fields for each in customer.received}
        assert by_kind["completed"]["RecordingUrl"] == (
            f"https://api.twilio.com/2010-04-01/Accounts/{account}/Recordings/{recording}"
        )
        assert by_kind["completed"]["RecordingDuration"] == "0"
        assert (by_kind["call"]["CallSid"], by_kind["call"]["CallStatus"]) == (call["call_id"], "completed")

    def test_tells_of_a_stopped_recording_while_the_call_goes_on(self, control, customer, pause):
        """A recording ends by itself, once, and one that never heard anything is absent."""
        call = control.start_call("twilio", callbacks={"url": customer.url})
        pause(call, "stopped")
        assert sorted(control.told(call, 2)) == ["recording absent", "recording in-progress"]
        control.end(call)

        assert sorted(control.told(call, 3)) == ["call completed", "recording absent", "recording in-progress"]
        (absent,) = [each.fields for each in customer.received if each.fields.get("RecordingStatus") == "absent"]
        assert {"RecordingUrl", "RecordingDuration"}.isdisjoint(absent)

    def test_a_recording_that_begins_later_is_told_of_too(self, control, customer):
        """Whatever recording of the call begins from then on."""
        call = control.start_call("twilio", recordings=0, callbacks={"url": customer.url})
        started = control.post(f"/calls/{call['call_id']}/recordings").json["recording_id"]

        assert control.told(call, 1) == ["recording in-progress"]
        assert customer.received[0].fields["RecordingSid"] == started

    def test_a_child_leg_names_its_parent(self, control, customer):
        """The end of a leg that the platform dialled is told of with both ids; its recordings are its parent's."""
        parent = control.start_call("twilio")
        child = control.start_call("twilio", parent_call_id=parent["call_id"], callbacks={"url": customer.url})
        control.end(parent)

        assert control.told(child, 1) == ["call completed"]
        assert control.show(parent)["callbacks"] == []
        fields = customer.received[0].fields
        assert (fields["CallSid"], fields["ParentCallSid"]) == (child["call_id"], parent["call_id"])


class TestSignalWire:
    """Forms for cXML, events for SWML."""

    def test_a_cxml_call_tells_what_twilio_s_would(self, control, customer, credentials):
        """Forms, with SignalWire's ids."""
        call = control.start_call("signalwire", callbacks={"url": customer.url})
        control.say(call, "hello")
        control.end(call)

        assert sorted(control.told(call, 3)) == ["call completed", "recording completed", "recording in-progress"]
        for each in customer.received:
            assert each.headers["Content-Type"] == "application/x-www-form-urlencoded"
            assert each.fields["AccountSid"] == credentials["signalwire"]["project_id"]
            assert each.headers["X-SignalWire-Signature"]

    def test_an_swml_call_tells_everything_that_happens_to_its_recording(self, control, customer, clients, credentials):
        """SignalWire alone tells of a pause, and of what follows it."""
        call = control.start_call("signalwire", script="swml", callbacks={"url": customer.url})
        project, recording = credentials["signalwire"]["project_id"], call["recording_ids"][0]
        path = f"/api/laml/2010-04-01/Accounts/{project}/Calls/{call['call_id']}/Recordings/{recording}.json"
        events = control.told(call, 1)
        for count, status in enumerate(("paused", "in-progress", "stopped"), start=2):
            clients["signalwire"].post(path, form={"Status": status})
            events = control.told(call, count)
        control.end(call)
        time.sleep(QUIET_SECONDS)

        assert control.told(call, 4) == events
        assert events == [f"calling.call.record {state}" for state in ("recording", "paused", "recording", "finished")]
        params = [each.fields.pop("params") for each in customer.received]
        assert [each["state"] for each in params] == ["recording", "paused", "recording", "finished"]
        assert {each["call_id"] for each in params} == {call["call_id"]}
        (control_id,) = {each["control_id"] for each in params}
        assert str(uuid.UUID(control_id)) == control_id != recording
        for each in customer.received:
            assert each.fields["event_type"] == "calling.call.record"
            assert re.fullmatch(r"[0-9a-f]{40}", each.headers["X-SignalWire-Signature"])
            assert re.fullmatch(r"[0-9a-f]{64}", each.headers["X-SignalWire-Sha256-Signature"])

    def test_a_script_is_one_of_two(self, control):
        """What is neither cXML nor SWML is refused."""
        answer = control.post("/calls", {"vendor": "signalwire", "script": "perl"})

        assert (answer.status, answer.json) == (
            400,
            {"error": "unknown or wrong field: 'script' must be one of cxml, swml"},
        )


class TestBandwidth:
    """JSON with Basic authentication, and nothing until a recording ends."""

    @pytest.mark.parametrize("where", ["fields", "url"])
    def test_tells_of_a_recording_that_is_available_and_of_a_disconnect(
        self, control, customer, clients, credentials, where
    ):
        """Neither the start nor a pause is told of; the user is given beside the URL or in it."""
        named = {"url": f"{customer.url}/told", "username": "demo", "password": "s:cret"}
        in_url = {"url": f"{customer.url}/told".replace("//", "//demo:s%3Acret@")}
        call = control.start_call("bandwidth", callbacks=named if where == "fields" else in_url)
        account = credentials["bandwidth"]["account_id"]
        path = f"/api/v2/accounts/{account}/calls/{call['call_id']}/recording"
        for state in ("paused", "recording"):
            assert clients["bandwidth"].put(path, {"state": state}).status == 200
        time.sleep(QUIET_SECONDS)
        assert customer.received == []
        control.end(call)

        assert sorted(control.told(call, 2)) == ["disconnect", "recordingAvailable"]
        assert {each.headers["Authorization"] for each in customer.received} == {basic("demo", "s:cret")}
        by_event = {each.fields["eventType"]: each.fields for each in customer.received}
        assert {each["callId"] for each in by_event.values()} == {call["call_id"]}
        assert {each["accountId"] for each in by_event.values()} == {account}
        available = by_event["recordingAvailable"]
        assert (available["recordingId"], available["status"]) == (call["recording_ids"][0], "complete")
        assert re.fullmatch(r"PT\d+\.\d\dS", available["duration"])
        assert by_event["disconnect"]["cause"] == "hangup"
        assert re.fullmatch(TIME, by_event["disconnect"]["endTime"])


class TestBird:
    """Events of calls."""

    def test_tells_of_a_call_and_not_of_its_recordings(self, control, customer, clients, credentials):
        """A call is ongoing and then completed; what happens to its recording is told nobody."""
        call = control.start_call("bird", callbacks={"url": customer.url})
        keys = credentials["bird"]
        path = f"/workspaces/{keys['workspace_id']}/channels/{keys['channel_id']}/calls/{call['call_id']}/recordings"
        clients["bird"].patch(f"{path}/{call['recording_ids'][0]}", {"status": "paused"})
        control.wait_for(call, "paused")
        assert control.told(call, 1) == ["voice.inbound ongoing"]
        control.end(call)

        assert control.told(call, 2) == ["voice.inbound ongoing", "voice.inbound completed"]
        for each, status in zip(customer.received, ("ongoing", "completed"), strict=True):
            assert (each.fields["service"], each.fields["event"]) == ("channels", "voice.inbound")
            payload = each.fields["payload"]
            assert (payload["id"], payload["status"]) == (call["call_id"], status)
            assert payload["channelId"] == keys["channel_id"]
            assert abs(int(each.headers["messagebird-request-timestamp"]) - time.time()) < TIMEOUT_SECONDS
            assert len(base64.b64decode(each.headers["messagebird-signature"])) == 32
