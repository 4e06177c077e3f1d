"""Twilio.

https://github.com/twilio/twilio-oai/blob/main/spec/json/twilio_api_v2010.json (d50069b4)
The requests are those that the official SDK (twilio 9.13.0) sends.
"""

import json
from collections.abc import Mapping

import pytest

from call_recording import errors
from call_recording.model import Action, Call, Proof, RecordingStatus
from tests.unit.vendors.contract import ReadingVendorContract, assert_sent, basic
from tests.unit.vendors.fakes import Wire, account_of, answer, connect

ACCOUNT = "AC" + "0aB1" * 8
CALL = "CA" + "c1D2" * 8
RECORDING = "RE" + "e3F4" * 8
OTHER_RECORDING = "RE" + "5" * 32
TOKEN = "twilio-auth-token-0123456789"
URL = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}"
FORM = "application/x-www-form-urlencoded"


class TestTwilio(ReadingVendorContract):
    vendor = "twilio"
    ways_in = (
        {"account_sid": ACCOUNT, "auth_token": TOKEN},
        {"account_sid": ACCOUNT, "api_key": "SK" + "7" * 32, "api_secret": "twilio-api-secret"},
    )
    ill_credentials = (
        ("account_sid", "AC123"),
        ("account_sid", "../../Accounts/" + ACCOUNT),
        ("account_sid", ACCOUNT + "\n"),
        ("account_sid", "SK" + "7" * 32),
    )
    secrets = (TOKEN,)
    origin = "https://api.twilio.com"
    call = Call(call_id=CALL)
    recording_id = named_recording_id = RECORDING
    other_recording_id = OTHER_RECORDING
    other_call_id = "CA" + "9" * 32
    update_proof = Proof.OBSERVED
    refusal = {"code": 21215, "message": "Account not authorized", "more_info": "https://...", "status": 400}
    refusal_code = "21215"
    words = {Action.PAUSE: "paused", Action.RESUME: "in-progress", Action.STOP: "stopped"}
    words_as_asked = {
        Action.PAUSE: ["paused"],
        Action.RESUME: ["in-progress"],
        Action.STOP: ["stopped", "processing", "completed"],
    }
    # call_recording_enum_status
    statuses = {
        "in-progress": RecordingStatus.IN_PROGRESS,
        "paused": RecordingStatus.PAUSED,
        "stopped": RecordingStatus.STOPPED,
        "processing": RecordingStatus.STOPPED,
        "completed": RecordingStatus.COMPLETED,
        "absent": RecordingStatus.FAILED,
    }
    # call_enum_status, and `initiated` of the status callbacks
    call_statuses = {
        "queued": True,
        "initiated": True,
        "ringing": True,
        "in-progress": True,
        "completed": False,
        "busy": False,
        "failed": False,
        "no-answer": False,
        "canceled": False,
    }

    def about(self, recording_id: object, call_id: object) -> dict[str, object]:
        """Return the description of another recording, paused."""
        return {**self.recording("paused"), "sid": recording_id, "call_sid": call_id}

    def recording(self, status: object, **changes: object) -> dict[str, object]:
        """Return api.v2010.account.call.call_recording."""
        return {
            "account_sid": ACCOUNT,
            "api_version": "2010-04-01",
            "call_sid": CALL,
            "conference_sid": None,
            "channels": 1,
            "date_created": "Fri, 14 Oct 2026 21:56:34 +0000",
            "date_updated": "Fri, 14 Oct 2026 21:56:34 +0000",
            "start_time": "Fri, 14 Oct 2026 21:56:34 +0000",
            "price": None,
            "price_unit": "USD",
            "duration": None,
            "sid": RECORDING,
            "source": "StartCallRecordingAPI",
            "status": status,
            "error_code": None,
            "encryption_details": None,
            "track": "both",
            "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{CALL}/Recordings/{RECORDING}.json",
            **changes,
        }

    def page(self, *recordings: object) -> dict[str, object]:
        """Return ListCallRecordingResponse."""
        uri = f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{CALL}/Recordings.json?PageSize=1000&Page=0"
        return {
            "recordings": list(recordings),
            "first_page_uri": uri,
            "next_page_uri": None,
            "previous_page_uri": None,
            "page": 0,
            "page_size": 1000,
            "start": 0,
            "end": max(0, len(recordings) - 1),
            "uri": uri,
        }

    def next_page(self) -> Mapping[str, object]:
        """Return what a list that is not whole has in it."""
        return {"next_page_uri": f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{CALL}/Recordings.json?PageSize=1000&Page=1"}

    def described_call(self, status: object) -> dict[str, object]:
        """Return the part of api.v2010.account.call that matters."""
        return {"sid": CALL, "account_sid": ACCOUNT, "parent_call_sid": None, "status": status}

    @pytest.mark.parametrize(
        ("asked", "behavior", "form"),
        [
            (Action.PAUSE, "silence", "Status=paused&PauseBehavior=silence"),
            (Action.PAUSE, "skip", "Status=paused&PauseBehavior=skip"),
            (Action.RESUME, "silence", "Status=in-progress"),
            (Action.RESUME, "skip", "Status=in-progress"),
            (Action.STOP, "silence", "Status=stopped"),
            (Action.STOP, "skip", "Status=stopped"),
        ],
    )
    @pytest.mark.parametrize("named", [RECORDING, "Twilio.CURRENT"])
    def test_the_update_that_is_sent(self, asked, behavior, form, named):
        """An update is the form post that Twilio documents; how to pause is always said, and only when pausing."""
        wire = Wire(answer(200, self.recording(self.words[asked])))
        self.connect(wire, pause_behavior=behavior).update(self.call, named, asked, timeout=2.0)

        assert_sent(
            wire.request,
            "POST",
            f"{URL}/Calls/{CALL}/Recordings/{named}.json",
            authorization=basic(ACCOUNT, TOKEN),
            body=form,
            content_type=FORM,
        )

    @pytest.mark.parametrize(
        ("reading", "path"),
        [
            ("read", f"/Calls/{CALL}/Recordings/{RECORDING}.json"),
            ("recordings", f"/Calls/{CALL}/Recordings.json?PageSize=1000"),
            ("call_state", f"/Calls/{CALL}.json"),
        ],
    )
    def test_the_reads_that_are_sent(self, reading, path):
        """A recording, the list and the call are read where Twilio documents them."""
        wire = Wire(self.documented(reading))
        self.ask(self.connect(wire), reading)

        assert_sent(wire.request, "GET", URL + path, authorization=basic(ACCOUNT, TOKEN))

    def test_an_api_key(self):
        """An API key signs in for the account that the path names, and goes before the auth token."""
        wire = Wire(self.documented("pause"))
        vendor = connect(account_of("twilio", {**self.ways_in[0], **self.ways_in[1]}), wire)
        self.ask(vendor, "pause")

        assert wire.request.headers["authorization"] == basic("SK" + "7" * 32, "twilio-api-secret")
        assert str(wire.request.url).startswith(URL)

    @pytest.mark.parametrize("recording_id", [RECORDING, OTHER_RECORDING])
    def test_the_current_recording(self, recording_id):
        """Asked for the call's current recording, Twilio says which one that is."""
        body = self.recording("paused", sid=recording_id)
        vendor = self.connect(Wire(answer(200, body)))
        recording = vendor.update(self.call, "Twilio.CURRENT", Action.PAUSE, timeout=2.0)

        assert vendor.current_recording == "Twilio.CURRENT"
        assert recording.recording_id == recording_id
        assert recording.is_as_asked(Action.PAUSE)

    def test_the_current_recording_of_another_call(self):
        """The current recording of another call is not believed to be ours."""
        vendor = self.connect(Wire(answer(200, self.recording("paused", call_sid=self.other_call_id))))
        with pytest.raises(errors.OutcomeUnknownError):
            vendor.update(self.call, "Twilio.CURRENT", Action.PAUSE, timeout=2.0)

    @pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 429])
    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            (16108, errors.ConflictError),
            (16114, errors.RecordingBusyError),
            (20003, errors.AuthenticationError),
            (20404, errors.RecordingNotFoundError),
            (20429, errors.RateLimitedError),
            (21220, errors.ConflictError),
        ],
    )
    def test_an_error_code(self, operation, code, kind, status):
        """A code of Twilio's says more than the HTTP status of a refusal."""
        error = self.refused(operation, answer(status, {"code": code, "message": "...", "status": status}))

        assert type(error) is kind
        assert (error.http_status, error.vendor_code) == (status, str(code))

    def test_a_busy_recording_is_a_408(self):
        """Twilio may answer 408 with its own code for "being modified": that is a request to try again."""
        assert type(self.refused("pause", answer(408, {"code": 16114}))) is errors.RecordingBusyError

    def test_an_answer_in_two_minds(self):
        """An answer that names two statuses proves neither, however complete it is."""
        whole = json.dumps(self.recording("paused")).encode()
        doubled = b'{"status": "in-progress", ' + whole[1:]

        assert self.ask(self.connect(Wire(answer(200, whole))), "pause").status is RecordingStatus.PAUSED
        assert type(self.refused("pause", answer(200, doubled))) is errors.OutcomeUnknownError
        assert type(self.refused("pause", answer(200, whole.decode().encode("utf-16")))) is errors.OutcomeUnknownError

    @pytest.mark.parametrize("status", [302, 500, 503])
    @pytest.mark.parametrize("code", [20003, 20404, 20429, 21220])
    def test_an_error_code_of_no_refusal(self, operation, code, status):
        """Only a 4xx is a definite no, whatever code comes with it."""
        assert type(self.refused(operation, answer(status, {"code": code}))) is errors.OutcomeUnknownError

    @pytest.mark.parametrize("parent", ["..", "a/b", CALL + "\n", 7, ["a"], {"a": 1}, True], ids=repr)
    def test_an_ill_parent(self, parent):
        """A parent whose id is not of the vendor's pattern makes the answer unreadable."""
        body = {**self.described_call("in-progress"), "parent_call_sid": parent}

        assert type(self.refused("call_state", answer(200, body))) is errors.OutcomeUnknownError

    @pytest.mark.parametrize("parent", [None, "", "CA" + "8" * 32])
    def test_the_parent_of_a_call(self, parent):
        """The leg that a call was made from is told: its recordings are those of both."""
        vendor = self.connect(Wire(answer(200, {**self.described_call("in-progress"), "parent_call_sid": parent})))

        assert vendor.call_state(self.call, timeout=2.0).parent_call_id == (parent or None)

    def test_a_list_may_name_the_parent(self):
        """A recording is addressed on the leg that Twilio names, which is the parent's."""
        listed = self.listed(self.page(self.recording("paused", call_sid=self.other_call_id)))

        assert [each.call_id for each in listed] == [self.other_call_id]
