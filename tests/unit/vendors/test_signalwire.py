"""SignalWire, compatibility API.

https://github.com/signalwire/docs/blob/main/fern/apis/compatibility/openapi.yaml (668371b2)
"""

from collections.abc import Mapping

import pytest

from call_recording import errors
from call_recording.model import Action, Call, Proof, RecordingStatus
from tests.unit.vendors.contract import ReadingVendorContract, assert_sent, basic
from tests.unit.vendors.fakes import Wire, account_of, answer, connect

PROJECT = "aa3d1c1e-0b1f-4f83-9d0a-3f1b6f5e7c01"
CALL = "bb3d1c1e-0b1f-4f83-9d0a-3f1b6f5e7c02"
RECORDING = "cc3d1c1e-0b1f-4f83-9d0a-3f1b6f5e7c03"
OTHER_CALL = "dd3d1c1e-0b1f-4f83-9d0a-3f1b6f5e7c04"
OTHER_RECORDING = "ee3d1c1e-0b1f-4f83-9d0a-3f1b6f5e7c05"
TOKEN = "PT-signalwire-api-token"
URL = f"https://example.signalwire.com/api/laml/2010-04-01/Accounts/{PROJECT}"
FORM = "application/x-www-form-urlencoded"


class TestSignalWire(ReadingVendorContract):
    vendor = "signalwire"
    ways_in = ({"space": "example.signalwire.com", "project_id": PROJECT, "api_token": TOKEN},)
    ill_credentials = (
        ("space", "example"),
        ("space", "example.com"),
        ("space", "evil.example.com/.signalwire.com"),
        ("space", "evil.example.com#.signalwire.com"),
        ("space", "user@evil.signalwire.com"),
        ("space", "example.signalwire.com:8080"),
        ("space", "example.signalwire.com\n"),
        ("space", ".signalwire.com"),
        ("space", "Example.signalwire.com"),
        ("project_id", "123"),
        ("project_id", "../" + PROJECT),
        ("project_id", PROJECT + "\n"),
    )
    secrets = (TOKEN,)
    origin = "https://example.signalwire.com"
    call = Call(call_id=CALL)
    recording_id = named_recording_id = RECORDING
    other_recording_id = OTHER_RECORDING
    other_call_id = OTHER_CALL
    update_proof = Proof.OBSERVED
    refusal = {"code": 21201, "message": "No 'To' number", "more_info": "https://...", "status": 422}
    refusal_code = "21201"
    words = {Action.PAUSE: "paused", Action.RESUME: "in-progress", Action.STOP: "stopped"}
    words_as_asked = {
        Action.PAUSE: ["paused"],
        Action.RESUME: ["in-progress", "resumed"],
        Action.STOP: ["stopped", "completed"],
    }
    # RecordingStatus
    statuses = {
        "queued": RecordingStatus.UNKNOWN,
        "in-progress": RecordingStatus.IN_PROGRESS,
        "paused": RecordingStatus.PAUSED,
        "resumed": RecordingStatus.IN_PROGRESS,
        "completed": RecordingStatus.COMPLETED,
        "absent": RecordingStatus.FAILED,
        "stopped": RecordingStatus.STOPPED,
    }
    # CallStatus, and `initiated` of the status callbacks
    call_statuses = {
        "queued": True,
        "initiated": True,
        "ringing": True,
        "in-progress": True,
        "canceled": False,
        "completed": False,
        "busy": False,
        "failed": False,
        "no-answer": False,
    }

    def about(self, recording_id: object, call_id: object) -> dict[str, object]:
        """Return the description of another recording, paused."""
        return {**self.recording("paused"), "sid": recording_id, "call_sid": call_id}

    def ignored_in_a_list(self, body: Mapping[str, object]) -> bool:
        """Whether the account's list may have this in it, for another call."""
        call_id = body["call_sid"]
        return call_id != CALL and (not call_id or isinstance(call_id, str))

    def recording(self, status: object, **changes: object) -> dict[str, object]:
        """Return a Recording."""
        return {
            "account_sid": PROJECT,
            "api_version": "2010-04-01",
            "call_sid": CALL,
            "conference_sid": None,
            "channels": "1",
            "date_created": "Wed, 19 Sep 2026 21:00:00 +0000",
            "date_updated": "Wed, 19 Sep 2026 21:00:00 +0000",
            "start_time": "Wed, 19 Sep 2026 21:00:00 +0000",
            "end_time": None,
            "price": None,
            "price_unit": "USD",
            "duration": 0,
            "sid": RECORDING,
            "source": "StartCallRecordingAPI",
            "status": status,
            "error_code": None,
            "uri": f"/api/laml/2010-04-01/Accounts/{PROJECT}/Recordings/{RECORDING}.json",
            **changes,
        }

    def page(self, *recordings: object) -> dict[str, object]:
        """Return a list of Recordings."""
        uri = f"/api/laml/2010-04-01/Accounts/{PROJECT}/Recordings.json?CallSid={CALL}&PageSize=1000&Page=0"
        return {
            "recordings": list(recordings),
            "first_page_uri": uri,
            "next_page_uri": None,
            "previous_page_uri": None,
            "page": 0,
            "page_size": 1000,
            "uri": uri,
        }

    def next_page(self) -> Mapping[str, object]:
        """Return what a list that is not whole has in it."""
        return {"next_page_uri": f"/api/laml/2010-04-01/Accounts/{PROJECT}/Recordings.json?Page=1&PageToken=PA1"}

    def described_call(self, status: object) -> dict[str, object]:
        """Return the part of a Call that matters."""
        return {"sid": CALL, "account_sid": PROJECT, "parent_call_sid": None, "status": status}

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
    def test_the_update_that_is_sent(self, asked, behavior, form):
        """An update is the form post that SignalWire documents; how to pause is always said, and only when pausing."""
        wire = Wire(answer(200, self.recording(self.words[asked])))
        self.connect(wire, pause_behavior=behavior).update(self.call, RECORDING, asked, timeout=2.0)

        assert_sent(
            wire.request,
            "POST",
            f"{URL}/Calls/{CALL}/Recordings/{RECORDING}.json",
            authorization=basic(PROJECT, TOKEN),
            body=form,
            content_type=FORM,
        )

    @pytest.mark.parametrize(
        ("reading", "path"),
        [
            ("read", f"/Recordings/{RECORDING}.json"),
            ("recordings", f"/Recordings.json?CallSid={CALL}&PageSize=1000"),
            ("call_state", f"/Calls/{CALL}.json"),
        ],
    )
    def test_the_reads_that_are_sent(self, reading, path):
        """Recordings are read and listed on the account: on the call SignalWire documents no such thing."""
        wire = Wire(self.documented(reading))
        self.ask(self.connect(wire), reading)

        assert_sent(wire.request, "GET", URL + path, authorization=basic(PROJECT, TOKEN))

    def test_there_is_no_current_recording(self):
        """SignalWire documents no word for the call's one recording."""
        assert self.connect(Wire(answer())).current_recording is None

    @pytest.mark.parametrize("space", ["example.signalwire.com", "a.signalwire.com", "my-space.eu.signalwire.com"])
    def test_a_space(self, space):
        """The space is the host that is asked."""
        wire = Wire(self.documented("pause"))
        self.ask(connect(account_of("signalwire", {**self.ways_in[0], "space": space}), wire), "pause")

        assert wire.request.url.host == space

    @pytest.mark.parametrize(
        "foreign",
        [
            {"call_sid": OTHER_CALL},
            {"call_sid": OTHER_CALL, "sid": None, "status": None},
        ],
    )
    def test_recordings_of_other_calls(self, foreign):
        """The account's list may show other calls' recordings: none of them is ever paused for ours."""
        own = self.recording("in-progress")
        listed = self.listed(self.page({**own, **foreign}, own))

        assert [each.recording_id for each in listed] == [RECORDING]
        assert list(self.listed(self.page({**own, **foreign}))) == []

    @pytest.mark.parametrize("call_sid", [None, "", 7, "CA1"])
    def test_a_list_that_says_nobody_s(self, call_sid):
        """A recording of nobody's may be ours as well."""
        nobodys = {**self.recording("in-progress"), "call_sid": call_sid}

        assert type(self.refused("recordings", answer(200, self.page(nobodys)))) is errors.OutcomeUnknownError

    def test_a_list_that_does_not_say_whose(self):
        """A recording that does not say whose it is may be ours, so the list is not believed."""
        nobodys = {name: value for name, value in self.recording("paused").items() if name != "call_sid"}

        assert type(self.refused("recordings", answer(200, self.page(nobodys)))) is errors.OutcomeUnknownError

    @pytest.mark.parametrize("status", [400, 401, 404, 422, 429])
    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            (20003, errors.AuthenticationError),
            (20404, errors.RecordingNotFoundError),
            (20429, errors.RateLimitedError),
            (21220, errors.ConflictError),
        ],
    )
    def test_an_error_code(self, operation, code, kind, status):
        """A code of SignalWire's says more than the HTTP status of a refusal."""
        error = self.refused(operation, answer(status, {"code": code, "message": "...", "status": status}))

        assert type(error) is kind
        assert (error.http_status, error.vendor_code) == (status, str(code))

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

    @pytest.mark.parametrize("parent", [None, "", OTHER_CALL])
    def test_the_parent_of_a_call(self, parent):
        """The leg that a call was made from is told: its recordings are those of both."""
        vendor = self.connect(Wire(answer(200, {**self.described_call("in-progress"), "parent_call_sid": parent})))

        assert vendor.call_state(self.call, timeout=2.0).parent_call_id == (parent or None)
