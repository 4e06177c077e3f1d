"""The simulated Bird, driven by hand: there is no official Python SDK for these endpoints."""

from __future__ import annotations

import uuid

import pytest

from local.simulators.bird import SETTLES_AFTER_MS, Bird
from local.simulators.exchange import Received
from local.simulators.world import World

pytestmark = pytest.mark.integration

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
#: https://docs.bird.com/api/voice-api/voice-calls-api/update-a-call-recording : `CallRecording`, closed; from
#: `channelId` on optional.
CALL_RECORDING = {
    "id": UUID,
    "callId": UUID,
    "status": {"accepted", "ongoing", "paused", "completed", "available", "absent", "failed"},
    "origin": {"call-command-record", "call-command-record-call", "create-call", "bridge-call"},
    "createdAt": TIME,
    "updatedAt": TIME,
    "channelId": UUID,
    "duration": int,
    "stereo": bool,
    "endCause": str,
    "startedAt": TIME,
    "endedAt": TIME,
}
OPTIONAL = frozenset({"channelId", "duration", "stereo", "endCause", "startedAt", "endedAt"})
#: https://docs.bird.com/api/voice-api/voice-calls-api/get-a-call : `Call`, closed.
CALL = {
    "id": UUID,
    "channelId": UUID,
    "from": str,
    "to": str,
    "parentId": UUID,
    "direction": {"incoming", "outgoing"},
    "status": {"starting", "ringing", "ongoing", "completed", "no-answer", "busy", "failed", "accepted"},
    "type": "pstn",
    "duration": int,
    "createdAt": TIME,
    "updatedAt": TIME,
    "answeredAt": TIME,
    "endedAt": TIME,
}
#: Same page as `CallRecording`: `RequestError`.
ERROR = {"code": str, "message": str}


@pytest.fixture(name="bird")
def _bird(clients):
    return clients["bird"]


@pytest.fixture(name="call")
def _call(control):
    return control.start_call("bird")


@pytest.fixture(name="path")
def _path(credentials, call):
    return f"/workspaces/{credentials['bird']['workspace_id']}/channels/{call['channel_id']}/calls/{call['call_id']}"


@pytest.fixture(name="recording")
def _recording(path, call):
    return f"{path}/recordings/{call['recording_ids'][0]}"


class TestUpdate:
    """PATCH .../recordings/{recordingId}"""

    def test_is_accepted_at_once_and_happens_later(self, bird, control, call, recording, unfit):
        """The 202 says `accepted`; each change is there to be read a little later."""
        for wanted in ("paused", "ongoing", "completed"):
            answer = bird.patch(recording, {"status": wanted})

            assert (answer.status, answer.json["status"]) == (202, "accepted")
            assert unfit(answer.json, CALL_RECORDING, optional=OPTIONAL) == []
            control.wait_for(call, wanted)
            assert bird.get(recording).json["status"] == wanted
        assert control.tape(call) == ["[paused]", "[resumed]", "[stopped]"]

    def test_is_left_for_later(self, credentials):
        """Without any fault, too, Bird says yes first and acts a good while after."""
        world = World()
        bird = Bird(world, credentials["bird"])
        call = world.start_call(vendor="bird", call_id="c", options=bird.call_options({}))
        world.start_recording(call, "r")
        workspace, channel = credentials["bird"]["workspace_id"], credentials["bird"]["channel_id"]
        received = Received(
            method="PATCH",
            path=f"/workspaces/{workspace}/channels/{channel}/calls/c/recordings/r",
            headers={"Content-Type": "application/json"},
            body=b'{"status": "paused"}',
        )

        assert bird.ask(received).carry_out().settles_after_ms == SETTLES_AFTER_MS > 0

    def test_has_not_happened_when_it_is_accepted(self, bird, control, call, recording):
        """What is said right after the 202 is still on the tape."""
        control.arm("bird", "pause", {"apply_after_ms": 60_000}, call_id=call["call_id"])
        bird.patch(recording, {"status": "paused"})
        control.say(call, "still heard")

        assert bird.get(recording).json["status"] == "ongoing"
        assert control.tape(call) == ["still heard"]

    def test_may_ask_for_nothing(self, bird, control, call, recording):
        """`status` is optional: an empty object is accepted and changes nothing."""
        assert bird.patch(recording, {}).status == 202
        assert control.statuses(call) == ["ongoing"]

    @pytest.mark.parametrize(
        ("sent", "status"),
        [
            ({"json_body": {"status": "paused", "reason": "card"}}, 422),
            ({"json_body": {"state": "paused"}}, 422),
            ({"json_body": {"status": "in-progress"}}, 422),
            ({"json_body": {"status": 1}}, 422),
            ({"json_body": ["paused"]}, 422),
            ({"body": b"{", "headers": {"Content-Type": "application/json"}}, 400),
            ({"form": {"status": "paused"}}, 400),
        ],
    )
    def test_refuses_everything_else(self, bird, control, call, recording, unfit, sent, status):
        """Additional properties, unknown words and other bodies are refused and change nothing."""
        answer = bird.patch(recording, **sent)

        assert answer.status == status
        assert unfit(answer.json, ERROR) == []
        assert control.statuses(call) == ["ongoing"]

    @pytest.mark.parametrize("wanted", ["paused", "ongoing", "completed"])
    def test_refuses_to_change_what_has_ended(self, bird, control, call, recording, unfit, wanted):
        """After the call nothing can be changed: 422."""
        control.end(call)
        answer = bird.patch(recording, {"status": wanted})

        assert answer.status == 422
        assert unfit(answer.json, ERROR) == []


class TestList:
    """GET .../recordings"""

    def test_has_the_active_ones_only(self, bird, control, call, path, recording, unfit):
        """Paused recordings are active, stopped ones are not."""
        second = control.post(f"/calls/{call['call_id']}/recordings").json["recording_id"]
        bird.patch(f"{path}/recordings/{second}", {"status": "paused"})
        control.arm("bird", "stop", {"apply_after_ms": 0})
        bird.patch(recording, {"status": "completed"})
        control.wait_for(call, "completed")
        answer = bird.get(f"{path}/recordings")

        assert answer.status == 200
        assert [each["id"] for each in answer.json["results"]] == [second]
        assert unfit(answer.json["results"][0], CALL_RECORDING, optional=OPTIONAL) == []
        assert set(answer.json) == {"results"}

    def test_goes_on_over_pages(self, bird, control, credentials):
        """Ten at a time unless `limit` says otherwise, and `nextPageToken` leads on."""
        call = control.start_call("bird", recordings=12)
        workspace = credentials["bird"]["workspace_id"]
        path = f"/workspaces/{workspace}/channels/{call['channel_id']}/calls/{call['call_id']}/recordings"
        first = bird.get(path).json
        rest = bird.get(f"{path}?pageToken={first['nextPageToken']}&limit=5").json

        assert [each["id"] for each in first["results"] + rest["results"]] == call["recording_ids"]
        assert "nextPageToken" not in rest

    @pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=many", "pageToken=what", "pageToken=-1"])
    def test_refuses_a_wrong_page(self, bird, path, unfit, query):
        """`limit` goes from 1 to 1000, and a page token is one that was given."""
        answer = bird.get(f"{path}/recordings?{query}")

        assert answer.status == 422
        assert unfit(answer.json, ERROR) == []

    def test_of_a_call_that_is_over_is_404(self, bird, control, call, path):
        """Only active calls have active recordings."""
        control.end(call)

        assert bird.get(f"{path}/recordings").status == 404


class TestCall:
    """GET the call."""

    def test_fits_the_documentation(self, bird, control, credentials, call, path, unfit):
        """It says whether it goes on, and a child leg names its parent."""
        child = control.start_call("bird", parent_call_id=call["call_id"])
        ongoing = bird.get(path.replace(call["call_id"], child["call_id"])).json
        control.end(call)
        over = bird.get(path).json

        assert unfit(ongoing, CALL, optional=frozenset({"duration", "endedAt"})) == []
        assert unfit(over, CALL, optional=frozenset({"parentId"})) == []
        assert (ongoing["status"], ongoing["parentId"], over["status"]) == ("ongoing", call["call_id"], "completed")


class TestStrangers:
    """Who may not ask."""

    def test_need_the_access_key_under_its_own_scheme(self, bird, credentials, path, unfit):
        """No key, a wrong one, or the right one as `Bearer`: 401."""
        key = credentials["bird"]["access_key"]
        for authorization in ("", "AccessKey wrong", f"Bearer {key}"):
            answer = bird.as_stranger(Authorization=authorization).get(path)

            assert answer.status == 401
            assert unfit(answer.json, ERROR) == []

    def test_find_nothing_elsewhere(self, bird, call, path, credentials, unfit):
        """Another workspace is refused; another channel, call, recording or path is not found."""
        workspace, other = credentials["bird"]["workspace_id"], str(uuid.uuid4())
        answers = [
            bird.get(path.replace(workspace, other)),
            bird.get(path.replace(call["channel_id"], other)),
            bird.get(path.replace(call["call_id"], other)),
            bird.get(f"{path}/recordings/{other}"),
            bird.get(f"{path}/nothing"),
            bird.put(path, {}),
        ]

        assert [answer.status for answer in answers] == [403, 404, 404, 404, 404, 405]
        assert [unfit(answer.json, ERROR) for answer in answers] == [[]] * 6
