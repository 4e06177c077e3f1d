"""The simulated SignalWire, driven by hand and by the official SDK."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

#: https://github.com/signalwire/docs/blob/main/fern/apis/compatibility/openapi.yaml (668371b2): `Recording` (which
#: `CallRecordingResponse` and `RecordingResponse` repeat), `RecordingListResponse`, `CallResponse`,
#: `CompatibilityErrorResponse`. All of them are closed: no other fields.
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
NONE = type(None)
RECORDING = {
    "sid": UUID,
    "account_sid": UUID,
    "api_version": "2010-04-01",
    "call_sid": UUID,
    "conference_sid": NONE,
    "channel": {"1", "2"},
    "channels": {"1", "2"},
    "date_created": str,
    "date_updated": str,
    "start_time": (str, NONE),
    "end_time": (str, NONE),
    "duration": int,
    "price": (str, NONE),
    "price_unit": str,
    "source": {
        "DialVerb",
        "Conference",
        "OutBoundApi",
        "Trunking",
        "RecordVerb",
        "StartCallRecordingApi",
        "StartConferenceRecording",
    },
    "status": {"queued", "in-progress", "paused", "resumed", "completed", "absent", "stopped"},
    "error_code": (str, NONE),
    "uri": rf"/api/laml/2010-04-01/Accounts/{UUID}/Recordings/{UUID}\.json",
    "subresource_uris": dict,
    "encryption_details": NONE,
    "trim": str,
}
PAGE = {
    "uri": str,
    "first_page_uri": str,
    "next_page_uri": (str, NONE),
    "previous_page_uri": (str, NONE),
    "page": int,
    "page_size": int,
    "recordings": list,
}
CALL = {
    "sid": UUID,
    "account_sid": UUID,
    "date_created": str,
    "date_updated": str,
    "parent_call_sid": (str, NONE),
    "to": str,
    "formatted_to": str,
    "to_formatted": str,
    "from": str,
    "formatted_from": str,
    "from_formatted": str,
    "phone_number_sid": (str, NONE),
    "status": {"queued", "ringing", "in-progress", "canceled", "completed", "busy", "failed", "no-answer"},
    "start_time": (str, NONE),
    "end_time": (str, NONE),
    "duration": int,
    "price": (float, NONE),
    "price_unit": str,
    "direction": {"inbound", "outbound"},
    "answered_by": (str, NONE),
    "api_version": "2010-04-01",
    "forwarded_from": (str, NONE),
    "caller_name": (str, NONE),
    "uri": str,
    "subresource_uris": dict,
    "annotation": (str, NONE),
    "group_sid": (str, NONE),
    "audio_in_mos": (float, NONE),
    "sip_result_code": (str, NONE),
    "audio_rtt_avg": (int, NONE),
    "audio_rtt_min": (int, NONE),
    "audio_rtt_max": (int, NONE),
    "audio_out_jitter_min": (int, NONE),
    "audio_out_jitter_max": (int, NONE),
    "audio_out_jitter_avg": (int, NONE),
    "audio_out_lost": (int, NONE),
}
ERROR = {"code": int, "message": str, "more_info": r"https://signalwire\.com/.+", "status": int}

#: The interpreter of the environment that has signalwire 2.1.1 and the old twilio in it.
SDK_PYTHON = "SIGNALWIRE_SDK_PYTHON"
SESSION = Path(__file__).with_name("signalwire_sdk_session.py")


@pytest.fixture(name="signalwire")
def _signalwire(clients):
    return clients["signalwire"]


@pytest.fixture(name="account", params=["/api/laml", ""], ids=["with /api/laml", "without"])
def _account(request, credentials):
    return f"{request.param}/2010-04-01/Accounts/{credentials['signalwire']['project_id']}"


@pytest.fixture(name="suffix", params=[".json", ""], ids=["with .json", "without"])
def _suffix(request):
    return request.param


@pytest.fixture(name="call")
def _call(control):
    return control.start_call("signalwire")


def test_the_official_sdk_drives_it(addresses, credentials, control):
    """The `signalwire` package pauses, resumes, stops, lists and reads, and is refused with SignalWire's codes."""
    python = os.environ.get(SDK_PYTHON)
    if not python:
        pytest.fail(f"{SDK_PYTHON} is not set: run `make test`, which makes the environment of the SignalWire SDK")
    call = control.start_call("signalwire", recordings=2)
    ended = control.start_call("signalwire")
    control.end(ended)
    first, second = call["recording_ids"]
    asked = {
        **credentials["signalwire"],
        "origin": addresses["vendors"]["signalwire"],
        "call_id": call["call_id"],
        "recording_id": first,
        "ended_call_id": ended["call_id"],
        "ended_recording_id": ended["recording_ids"][0],
    }
    session = subprocess.run(
        [python, str(SESSION)], input=json.dumps(asked), capture_output=True, text=True, timeout=60, check=False
    )

    assert session.returncode == 0, session.stderr
    assert json.loads(session.stdout) == {
        "updated": ["paused", "in-progress", "stopped"],
        "listed": [second, first],
        "fetched": "stopped",
        "wrong token": [401, 20003],
        "current": [404, 20404],
        "ended": [400, 21220],
    }
    assert control.tape(call) == ["[paused]", "[resumed]", "[stopped]"]


class TestUpdate:
    """Pausing, resuming, stopping."""

    def test_works_under_each_form_of_the_path(self, signalwire, control, account, suffix, call):
        """With and without `/api/laml`, with and without `.json`, the answer names the new status."""
        (sid,) = call["recording_ids"]
        path = f"{account}/Calls/{call['call_id']}/Recordings/{sid}{suffix}"
        answers = [signalwire.post(path, form={"Status": status}) for status in ("paused", "in-progress", "stopped")]

        assert [(answer.status, answer.json["status"]) for answer in answers] == [
            (200, "paused"),
            (200, "in-progress"),
            (200, "stopped"),
        ]
        assert control.tape(call) == ["[paused]", "[resumed]", "[stopped]"]

    def test_may_say_resumed(self, signalwire, control, account):
        """A call that was created so says `resumed` where others say `in-progress`, after a resume only."""
        call = control.start_call("signalwire", resumed_word="resumed")
        (sid,) = call["recording_ids"]
        path = f"{account}/Calls/{call['call_id']}/Recordings/{sid}"

        assert control.statuses(call) == ["in-progress"]
        signalwire.post(path, form={"Status": "paused"})
        assert signalwire.post(path, form={"Status": "in-progress"}).json["status"] == "resumed"

    def test_knows_no_current_recording(self, signalwire, account, call):
        """`Twilio.CURRENT` is Twilio's alone."""
        path = f"{account}/Calls/{call['call_id']}/Recordings/Twilio.CURRENT.json"
        answer = signalwire.post(path, form={"Status": "paused"})

        assert (answer.status, answer.json["code"]) == (404, 20404)

    def test_finds_a_recording_only_under_its_own_call(self, signalwire, control, account, call):
        """Under another call, a child leg included, a recording is not found and not changed."""
        (sid,) = call["recording_ids"]
        child = control.start_call("signalwire", parent_call_id=call["call_id"])
        for other in (child, control.start_call("signalwire")):
            answer = signalwire.post(f"{account}/Calls/{other['call_id']}/Recordings/{sid}", form={"Status": "paused"})

            assert (answer.status, answer.json["code"]) == (404, 20404)
        assert control.statuses(call) == ["in-progress"]

    def test_refuses_a_call_that_is_over(self, signalwire, control, account, call, unfit):
        """Nothing can be changed after the call: code 21220."""
        control.end(call)
        path = f"{account}/Calls/{call['call_id']}/Recordings/{call['recording_ids'][0]}"
        answer = signalwire.post(path, form={"Status": "paused"})

        assert (answer.status, answer.json["code"]) == (400, 21220)
        assert unfit(answer.json, ERROR) == []

    @pytest.mark.parametrize("fields", [{}, {"Status": "ongoing"}, {"Status": "paused", "PauseBehavior": "hum"}])
    def test_refuses_wrong_fields(self, signalwire, control, account, call, unfit, fields):
        """A missing or unknown status or pause behaviour is refused and changes nothing."""
        path = f"{account}/Calls/{call['call_id']}/Recordings/{call['recording_ids'][0]}"
        answer = signalwire.post(path, form=fields)

        assert answer.status == 422
        assert unfit(answer.json, ERROR) == []
        assert control.statuses(call) == ["in-progress"]


class TestAnswers:
    """What SignalWire answers is what its OpenAPI document says."""

    def test_recordings_calls_and_pages_fit_the_specification(self, signalwire, control, account, suffix, unfit):
        """Every field is there and no other, has the type, and a value that is declared, during the call and after."""
        parent = control.start_call("signalwire")
        call = control.start_call("signalwire", parent_call_id=parent["call_id"])
        for _ in range(2):
            page = signalwire.get(f"{account}/Recordings{suffix}?CallSid={parent['call_id']}&PageSize=5").json
            read = signalwire.get(f"{account}/Recordings/{parent['recording_ids'][0]}{suffix}").json

            assert unfit(page, PAGE) == []
            assert unfit(page["recordings"][0], RECORDING) == []
            assert page["recordings"] == [read]
            assert unfit(signalwire.get(f"{account}/Calls/{call['call_id']}{suffix}").json, CALL) == []
            control.end(parent)

    def test_lists_one_calls_recordings_over_several_pages(self, signalwire, control, account):
        """`CallSid` narrows the list, and `next_page_uri` leads on to the end of it."""
        call = control.start_call("signalwire", recordings=3)
        control.start_call("signalwire")
        found, path = [], f"{account}/Recordings?CallSid={call['call_id']}&PageSize=2"
        while path:
            page = signalwire.get(path).json
            found += [recording["sid"] for recording in page["recordings"]]
            path = page["next_page_uri"]

        assert found == call["recording_ids"][::-1]

    def test_has_no_list_under_a_call(self, signalwire, account, call):
        """The Compatibility API documents no GET of a call's recordings under the call."""
        assert signalwire.get(f"{account}/Calls/{call['call_id']}/Recordings.json").status == 404

    def test_refuses_strangers(self, signalwire, account, call, unfit):
        """Without our token: 401; with it, another project's path is not found."""
        path = f"{account}/Calls/{call['call_id']}"
        refused = signalwire.as_stranger(Authorization="Basic bm9ib2R5Om5vdGhpbmc=").get(path)
        elsewhere = signalwire.get(f"/api/laml/2010-04-01/Accounts/{uuid.uuid4()}/Calls/{call['call_id']}")

        assert (refused.status, refused.json["code"]) == (401, 20003)
        assert unfit(refused.json, ERROR) == []
        assert (elsewhere.status, elsewhere.json["code"]) == (404, 20404)
