"""Bird.

https://docs.bird.com/api/voice-api/voice-calls-api/update-a-call-recording (OpenAPI in the page)
https://docs.bird.com/api/voice-api/voice-calls-api/list-call-recordings-of-a-call
"""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from call_recording import errors
from call_recording.model import Action, Call, Proof, Recording, RecordingStatus
from tests.unit.vendors.contract import ReadingVendorContract, assert_sent
from tests.unit.vendors.fakes import Wire, account_of, answer, connect, trigger_of

WORKSPACE = "aa8d2a44-1f0c-4f0e-8a58-5d0fb1f00001"
CHANNEL = "bb8d2a44-1f0c-4f0e-8a58-5d0fb1f00002"
CALL = "cc8d2a44-1f0c-4f0e-8a58-5d0fb1f00003"
RECORDING = "dd8d2a44-1f0c-4f0e-8a58-5d0fb1f00004"
OTHER = "ee8d2a44-1f0c-4f0e-8a58-5d0fb1f00005"
KEY = "bird-access-key-0123456789"
URL = f"https://api.bird.com/workspaces/{WORKSPACE}/channels/{CHANNEL}/calls/{CALL}"


class TestBird(ReadingVendorContract):
    answers_are_final = False
    vendor = "bird"
    ways_in = ({"workspace_id": WORKSPACE, "access_key": KEY},)
    ill_credentials = (
        ("workspace_id", "123"),
        ("workspace_id", "../" + WORKSPACE),
        ("workspace_id", WORKSPACE + "\n"),
        ("channel_id", "123"),
        ("channel_id", CHANNEL + "/.."),
    )
    secrets = (KEY,)
    origin = "https://api.bird.com"
    call = Call(call_id=CALL, channel_id=CHANNEL)
    recording_id = named_recording_id = RECORDING
    other_recording_id = other_call_id = OTHER
    update_proof = Proof.NONE
    update_status = 202
    refusal = {"code": "InvalidPayload", "message": "The request did not pass validation"}
    refusal_code = "InvalidPayload"
    words = {Action.PAUSE: "paused", Action.RESUME: "ongoing", Action.STOP: "completed"}
    words_as_asked = {
        Action.PAUSE: ["paused"],
        Action.RESUME: ["ongoing"],
        Action.STOP: ["completed", "available"],
    }
    # CallRecordingStatus
    statuses = {
        "accepted": RecordingStatus.UNKNOWN,
        "ongoing": RecordingStatus.IN_PROGRESS,
        "paused": RecordingStatus.PAUSED,
        "completed": RecordingStatus.STOPPED,
        "available": RecordingStatus.COMPLETED,
        "absent": RecordingStatus.FAILED,
        "failed": RecordingStatus.FAILED,
    }
    # https://docs.bird.com/api/voice-api/voice-webhooks
    call_statuses = {
        "accepted": True,
        "starting": True,
        "ringing": True,
        "ongoing": True,
        "completed": False,
        "no-answer": False,
        "busy": False,
        "failed": False,
    }

    def about(self, recording_id: object, call_id: object) -> dict[str, object]:
        """Return the description of another recording, paused."""
        return {**self.recording("paused"), "id": recording_id, "callId": call_id}

    def recording(self, status: object, **changes: object) -> dict[str, object]:
        """Return a CallRecording."""
        return {
            "id": RECORDING,
            "callId": CALL,
            "channelId": CHANNEL,
            "status": status,
            "origin": "call-command-record",
            "createdAt": "2026-11-21T10:00:00.000Z",
            "updatedAt": "2026-11-21T10:00:01.000Z",
            **changes,
        }

    def page(self, *recordings: object) -> dict[str, object]:
        """Return a list of CallRecordings."""
        return {"results": list(recordings)}

    def next_page(self) -> Mapping[str, object]:
        """Return what a list that is not whole has in it."""
        return {"nextPageToken": "WyIyMDI2LTExLTIxIl0"}

    def described_call(self, status: object) -> dict[str, object]:
        """Return the part of a call that matters."""
        return {"id": CALL, "channelId": CHANNEL, "status": status}

    @pytest.mark.parametrize(
        ("asked", "body"),
        [
            (Action.PAUSE, '{"status":"paused"}'),
            (Action.RESUME, '{"status":"ongoing"}'),
            (Action.STOP, '{"status":"completed"}'),
        ],
    )
    @pytest.mark.parametrize("behavior", ["silence", "skip"])
    def test_the_update_that_is_sent(self, asked, body, behavior):
        """An update names the status and nothing else: Bird refuses fields that it does not know."""
        wire = Wire(answer(202, self.recording("accepted")))
        self.connect(wire, pause_behavior=behavior).update(self.call, RECORDING, asked, timeout=2.0)

        assert_sent(
            wire.request,
            "PATCH",
            f"{URL}/recordings/{RECORDING}",
            authorization=f"AccessKey {KEY}",
            body=body,
            content_type="application/json",
        )

    @pytest.mark.parametrize(
        ("reading", "path"),
        [("read", f"/recordings/{RECORDING}"), ("recordings", "/recordings?limit=1000"), ("call_state", "")],
    )
    def test_the_reads_that_are_sent(self, reading, path):
        """A recording, the list and the call are read where Bird documents them."""
        wire = Wire(self.documented(reading))
        self.ask(self.connect(wire), reading)

        assert_sent(wire.request, "GET", URL + path, authorization=f"AccessKey {KEY}")

    @pytest.mark.parametrize("word", ["accepted", "paused", "ongoing", "completed"])
    def test_a_202_is_no_proof(self, word):
        """Bird's 202 comes before Bird acts: even one that names `paused` proves nothing."""
        recording = self.ask(self.connect(Wire(answer(202, self.recording(word)))), "pause")

        assert recording == Recording(recording_id=RECORDING, call_id=CALL, vendor_status=word)
        assert recording.proof is Proof.NONE
        assert recording.status is RecordingStatus.UNKNOWN

    def test_an_answer_without_the_call(self):
        """The example in Bird's page leaves out `callId`: what is asked for by its URL is then of the call in it."""
        body = self.recording("paused")
        del body["callId"]

        assert self.read(body).call_id == CALL
        assert self.listed(self.page(body))[0].call_id == CALL
        assert self.ask(self.connect(Wire(answer(202, body))), "pause").call_id == CALL

    @pytest.mark.parametrize("token", [None, ""])
    def test_the_last_page(self, token):
        """A list that names no next page is whole."""
        assert len(self.listed({**self.page(self.recording("paused")), "nextPageToken": token})) == 1

    def test_there_is_no_current_recording(self):
        """Bird documents no word for the call's one recording."""
        assert self.connect(Wire(answer())).current_recording is None

    def test_the_channel_of_the_account(self):
        """Where a trigger names no channel, the account's is meant."""
        wire = Wire(self.documented("pause"))
        vendor = connect(account_of("bird", {**self.ways_in[0], "channel_id": CHANNEL}), wire)
        call = Call(call_id=CALL)
        vendor.check(trigger_of(call))
        vendor.update(call, RECORDING, Action.PAUSE, timeout=2.0)

        assert str(wire.request.url) == f"{URL}/recordings/{RECORDING}"

    def test_a_channel_that_nobody_names_any_more(self):
        """A call looked at again, of an account that no longer names its channel, is asked nothing, and breaks nothing."""
        wire = Wire(answer(200))
        with pytest.raises(errors.VendorResponseError):
            self.connect(wire).call_state(replace(self.call, channel_id=None), timeout=2.0)

        assert wire.requests == []

    def test_the_channel_of_the_trigger(self):
        """The trigger's channel goes before the account's."""
        wire = Wire(self.documented("pause"))
        vendor = connect(account_of("bird", {**self.ways_in[0], "channel_id": OTHER}), wire)
        vendor.check(trigger_of(self.call))
        self.ask(vendor, "pause")

        assert f"/channels/{CHANNEL}/" in str(wire.request.url)

    def test_no_channel(self):
        """A call whose channel nobody names is refused, and nothing is sent."""
        wire = Wire(answer())
        with pytest.raises(errors.InvalidTriggerError) as caught:
            self.connect(wire).check(trigger_of(Call(call_id=CALL)))

        assert caught.value.field == "channel_id"
        assert wire.requests == []

    @pytest.mark.parametrize("ill", ["..", "../" + CHANNEL, CHANNEL + "\n", CHANNEL + " ", "\x00", "0" * 10_000])
    def test_an_ill_channel(self, ill):
        """A channel that is none is refused by the name of its field, and nothing is sent."""
        wire = Wire(answer())
        with pytest.raises(errors.InvalidTriggerError) as caught:
            self.connect(wire).check(trigger_of(replace(self.call, channel_id=ill)))

        assert caught.value.field == "channel_id"
        assert ill not in str(caught.value)
        assert wire.requests == []

    def test_the_channel_is_quoted(self):
        """A channel never becomes more than one segment of a path."""
        url = self.connect(Wire(answer())).call_request(replace(self.call, channel_id="a/../b")).url

        assert url.raw_path.decode() == f"/workspaces/{WORKSPACE}/channels/a%2F..%2Fb/calls/{CALL}"

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (400, errors.VendorResponseError),
            (404, errors.RecordingNotFoundError),
            (422, errors.VendorResponseError),
            (429, errors.RateLimitedError),
        ],
    )
    def test_a_documented_error(self, operation, status, kind):
        """Bird's codes are words; they are kept, and the HTTP status says what is meant."""
        error = self.refused(operation, answer(status, {"code": "ResourceNotFound", "message": "..."}))

        assert type(error) is kind
        assert error.vendor_code == "ResourceNotFound"
