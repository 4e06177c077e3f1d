"""The simulated Bandwidth, driven by hand and by the official SDK."""

from __future__ import annotations

import base64

import bandwidth
import pytest
from bandwidth.exceptions import (
    BadRequestException,
    ForbiddenException,
    NotFoundException,
    UnauthorizedException,
)
from bandwidth.models import CallStateEnum, RecordingStateEnum, UpdateCall, UpdateCallRecording

pytestmark = pytest.mark.integration

#: https://github.com/Bandwidth/python-sdk/blob/main/bandwidth.yml (ba8d1570): `callState`, `callRecordingMetadata`,
#: `voiceApiError`. Neither declares a field required. The form of the ids is that of their examples.
LONG_ID = r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
NONE = type(None)
CALL_STATE = {
    "applicationId": str,
    "accountId": r"\d+",
    "callId": f"c-{LONG_ID}",
    "parentCallId": f"c-{LONG_ID}",
    "to": r"\+\d+",
    "from": r"\+\d+",
    "direction": {"inbound", "outbound"},
    "state": {"queued", "initiated", "answered", "disconnected"},
    "startTime": TIME,
    "answerTime": TIME,
    "endTime": TIME,
    "disconnectCause": "hangup",
    "lastUpdate": TIME,
}
WHILE_IT_LASTS = frozenset({"parentCallId", "endTime", "disconnectCause"})
METADATA = {
    "applicationId": str,
    "accountId": r"\d+",
    "callId": f"c-{LONG_ID}",
    "parentCallId": f"c-{LONG_ID}",
    "recordingId": f"r-{LONG_ID}",
    "to": r"\+\d+",
    "from": r"\+\d+",
    "direction": {"inbound", "outbound"},
    "duration": r"PT\d+\.\d+S",
    "channels": int,
    "startTime": TIME,
    "endTime": TIME,
    "fileFormat": {"mp3", "wav"},
    "status": {"processing", "partial", "complete", "deleted", "error"},
    "mediaUrl": r"https://voice\.bandwidth\.com/api/v2/accounts/.+/media",
}
ERROR = {"type": {"validation", "error"}, "description": str, "id": (str, NONE)}

STOP = (
    b'<?xml version="1.0" encoding="UTF-8"?><Bxml><StopRecording/><Redirect redirectUrl="https://a.example/b"/></Bxml>'
)
XML = {"Content-Type": "application/xml"}


@pytest.fixture(name="voice")
def _voice(clients):
    return clients["bandwidth"]


@pytest.fixture(name="call")
def _call(control):
    return control.start_call("bandwidth")


@pytest.fixture(name="path")
def _path(credentials, call):
    return f"/api/v2/accounts/{credentials['bandwidth']['account_id']}/calls/{call['call_id']}"


@pytest.fixture(name="account_id")
def _account_id(credentials):
    return credentials["bandwidth"]["account_id"]


@pytest.fixture(name="configuration")
def _configuration(addresses):
    """Makes the SDK's configuration: it would go to Bandwidth's own hosts otherwise."""
    origin = addresses["vendors"]["bandwidth"]

    def configuration(**credentials):
        return bandwidth.Configuration(
            host=f"{origin}/api/v2",
            access_token_url=f"{origin}/api/v1/oauth2/token",
            ignore_operation_servers=True,
            **credentials,
        )

    return configuration


@pytest.fixture(name="sdk", params=["basic", "oauth2"])
def _sdk(request, configuration, credentials):
    """The official SDK, with each of the two kinds of credentials."""
    names = {"basic": ("username", "password"), "oauth2": ("client_id", "client_secret")}[request.param]
    with bandwidth.ApiClient(configuration(**{name: credentials["bandwidth"][name] for name in names})) as client:
        yield client


class TestTheOfficialSdk:
    """The `bandwidth-sdk` package does to the simulator what it does to Bandwidth."""

    def test_pauses_and_resumes(self, sdk, control, account_id, call):
        """Both are answered with an empty 200, and the tape has a gap."""
        api = bandwidth.RecordingsApi(sdk)
        control.say(call, "one")
        statuses = []
        for state, text in ((RecordingStateEnum.PAUSED, "two"), (RecordingStateEnum.RECORDING, "three")):
            answer = api.update_call_recording_state_with_http_info(
                account_id, call["call_id"], UpdateCallRecording(state=state)
            )
            statuses.append((answer.status_code, answer.raw_data))
            control.say(call, text)

        assert statuses == [(200, b"")] * 2
        assert control.tape(call) == ["one", "[paused]", "[resumed]", "three"]

    def test_stops_by_bxml_and_lists_what_was_recorded(self, sdk, control, account_id, call):
        """A recording is listed and read once it has been stopped, and the call goes on."""
        recordings, calls = bandwidth.RecordingsApi(sdk), bandwidth.CallsApi(sdk)

        assert recordings.list_call_recordings(account_id, call["call_id"]) == []
        calls.update_call_bxml(account_id, call["call_id"], STOP.decode())
        (listed,) = recordings.list_call_recordings(account_id, call["call_id"])
        read = recordings.get_call_recording(account_id, call["call_id"], listed.recording_id)
        assert (read.recording_id, read.status) == (call["recording_ids"][0], "complete")
        assert calls.get_call_state(account_id, call["call_id"]).state == "answered"
        assert control.tape(call) == ["[stopped]"]

    def test_redirects_and_hangs_up(self, sdk, control, account_id, call):
        """A call can be sent elsewhere and goes on, or be completed."""
        calls = bandwidth.CallsApi(sdk)
        calls.update_call(
            account_id, call["call_id"], UpdateCall(state=CallStateEnum.ACTIVE, redirect_url="https://a.example/")
        )

        assert calls.get_call_state(account_id, call["call_id"]).state == "answered"
        calls.update_call(account_id, call["call_id"], UpdateCall(state=CallStateEnum.COMPLETED))
        assert calls.get_call_state(account_id, call["call_id"]).state == "disconnected"
        assert control.show(call)["status"] == "completed"

    def test_raises_what_the_voice_api_refuses(self, sdk, control, account_id, call):
        """A call that is over is 404, another account 403, nonsense 400."""
        api, pause = bandwidth.RecordingsApi(sdk), UpdateCallRecording(state=RecordingStateEnum.PAUSED)

        with pytest.raises(ForbiddenException):
            api.update_call_recording_state("1234567", call["call_id"], pause)
        with pytest.raises(BadRequestException):
            bandwidth.CallsApi(sdk).update_call_bxml(account_id, call["call_id"], "<Bxml>")
        control.end(call)
        with pytest.raises(NotFoundException, match=f"Call \\[{call['call_id']}\\] not found"):
            api.update_call_recording_state(account_id, call["call_id"], pause)

    def test_raises_on_a_wrong_password(self, configuration, account_id, call):
        """A wrong password is 401."""
        with (
            bandwidth.ApiClient(configuration(username="api-user", password="wrong")) as client,
            pytest.raises(UnauthorizedException),
        ):
            bandwidth.CallsApi(client).get_call_state(account_id, call["call_id"])


class TestToken:
    """The OAuth2 token endpoint."""

    TOKEN = "/api/v1/oauth2/token"

    @pytest.fixture(name="client")
    def _client(self, voice, credentials):
        """One who has the OAuth2 client's credentials."""
        keys = credentials["bandwidth"]
        encoded = base64.b64encode(f"{keys['client_id']}:{keys['client_secret']}".encode()).decode()
        return voice.as_stranger(Authorization=f"Basic {encoded}")

    def test_gives_a_token_that_opens_the_voice_api(self, client, voice, path):
        """Client credentials are exchanged for a bearer token."""
        issued = client.post(self.TOKEN, form={"grant_type": "client_credentials"}).json

        assert (issued["token_type"], issued["expires_in"]) == ("Bearer", 3600)
        assert voice.as_stranger(Authorization=f"Bearer {issued['access_token']}").get(path).status == 200

    def test_a_token_ends(self, client, voice, control, path):
        """The control API says how long a token lives, and one that has ended is refused."""
        control.put("/bandwidth/token-ttl", {"seconds": 0})
        issued = client.post(self.TOKEN, form={"grant_type": "client_credentials"}).json
        control.put("/bandwidth/token-ttl", {"seconds": 3600})

        assert issued["expires_in"] == 0
        assert voice.as_stranger(Authorization=f"Bearer {issued['access_token']}").get(path).status == 401

    def test_a_rotation_ends_the_tokens_of_the_old_keys(self, client, voice, control, credentials, path):
        """When the keys change, tokens that were given for the old ones are refused."""
        issued = client.post(self.TOKEN, form={"grant_type": "client_credentials"}).json
        control.put("/credentials/bandwidth", credentials["bandwidth"])

        assert voice.as_stranger(Authorization=f"Bearer {issued['access_token']}").get(path).status == 401

    @pytest.mark.parametrize(
        ("form", "status"), [({}, 400), ({"grant_type": "password"}, 400), ({"grant_type": "client_credentials"}, 200)]
    )
    def test_wants_the_one_grant(self, client, form, status):
        """Only `client_credentials` is granted."""
        assert client.post(self.TOKEN, form=form).status == status

    def test_refuses_the_api_user(self, voice):
        """The API user's password is not the OAuth2 client's secret."""
        answer = voice.post(self.TOKEN, form={"grant_type": "client_credentials"})

        assert (answer.status, answer.json) == (401, {"error": "invalid_client"})


class TestRecording:
    """PUT .../recording"""

    def test_without_anything_to_pause_it_is_still_200(self, voice, control, credentials):
        """Bandwidth's 200 may be a no-op."""
        call = control.start_call("bandwidth", recordings=0)
        account = credentials["bandwidth"]["account_id"]
        answer = voice.put(f"/api/v2/accounts/{account}/calls/{call['call_id']}/recording", {"state": "paused"})

        assert (answer.status, answer.body) == (200, b"")
        assert control.show(call)["recordings"] == []

    @pytest.mark.parametrize(
        ("sent", "status"),
        [
            ({"json_body": {"state": "stopped"}}, 400),
            ({"json_body": {"state": ["paused"]}}, 400),
            ({"json_body": {}}, 400),
            ({"json_body": ["paused"]}, 400),
            ({"body": b"{", "headers": {"Content-Type": "application/json"}}, 400),
            ({"body": b"[" * 100_000, "headers": {"Content-Type": "application/json"}}, 400),
            ({"form": {"state": "paused"}}, 415),
            ({"body": b'{"state":"paused"}'}, 415),
        ],
    )
    def test_refuses_what_is_not_its_json(self, voice, control, call, path, unfit, sent, status):
        """Another content type is 415, another body 400, and neither changes anything."""
        answer = voice.put(f"{path}/recording", **sent)

        assert answer.status == status
        assert unfit(answer.json, ERROR) == []
        assert control.statuses(call) == ["recording"]


class TestBxml:
    """PUT .../bxml"""

    @pytest.mark.parametrize(
        ("document", "tape", "status"),
        [
            (STOP, ["[stopped]"], "in-progress"),
            (b"<Response><PauseRecording/><Gather gatherUrl='/g'/></Response>", ["[paused]"], "in-progress"),
            (b"<Response><PauseRecording/><ResumeRecording/><Bridge>c-1</Bridge></Response>", ["[paused]", "[resumed]"],
             "in-progress"),
            (b"<Bxml><StopRecording/></Bxml>", ["[stopped]"], "completed"),
            (b"<Bxml><StopRecording/><Redirect/></Bxml>", ["[stopped]"], "completed"),
            (b"<Bxml><PauseRecording/><Hangup/><Redirect redirectUrl='/r'/></Bxml>", ["[paused]", "[stopped]"],
             "completed"),
            (b"<Bxml><Redirect redirectUrl='/r'/><StopRecording/></Bxml>", [], "in-progress"),
        ],
    )  # fmt: skip
    def test_is_carried_out_in_order_and_ends_a_call_that_it_does_not_hand_on(
        self, voice, control, call, path, document, tape, status
    ):
        """The verbs before the one that hands the call on are done; without such a verb the call ends."""
        answer = voice.put(f"{path}/bxml", body=document, headers=XML)

        assert (answer.status, answer.body) == (204, b"")
        assert control.tape(call) == tape
        assert control.show(call)["status"] == status

    def test_may_start_another_recording(self, voice, control, call, path):
        """`StartRecording` begins one where none is going on."""
        document = b"<Bxml><StopRecording/><StartRecording/><Redirect redirectUrl='/r'/></Bxml>"
        voice.put(f"{path}/bxml", body=document, headers=XML)

        assert control.statuses(call) == ["complete", "recording"]

    @pytest.mark.parametrize(
        ("document", "headers", "status"),
        [
            (STOP, {"Content-Type": "application/json"}, 415),
            (b"<Bxml>", XML, 400),
            (b"<Other><StopRecording/></Other>", XML, 400),
            (b'<!DOCTYPE b [<!ENTITY a "b">]><Bxml>&a;<StopRecording/></Bxml>', XML, 400),
            (b'<?xml version="1.0" encoding="nonsense"?><Bxml/>', XML, 400),
        ],
    )
    def test_refuses_what_is_not_bxml(self, voice, control, call, path, unfit, document, headers, status):
        """Another content type, another root, broken XML and entities are refused and change nothing."""
        answer = voice.put(f"{path}/bxml", body=document, headers=headers)

        assert answer.status == status
        assert unfit(answer.json, ERROR) == []
        assert control.statuses(call) == ["recording"]


class TestAnswers:
    """What Bandwidth answers is what its OpenAPI document says."""

    def test_calls_and_recordings_fit_the_specification(self, voice, control, call, path, unfit):
        """Every field has the type and a value that is declared, during the call and after it."""
        assert unfit(voice.get(path).json, CALL_STATE, optional=WHILE_IT_LASTS) == []
        control.end(call)
        (listed,) = voice.get(f"{path}/recordings").json
        assert unfit(voice.get(path).json, CALL_STATE, optional=frozenset({"parentCallId"})) == []
        assert unfit(listed, METADATA, optional=frozenset({"parentCallId"})) == []

    def test_never_shows_a_recording_that_goes_on(self, voice, path, call):
        """One that is paused or in progress is neither listed nor found."""
        assert voice.get(f"{path}/recordings").json == []
        assert voice.get(f"{path}/recordings/{call['recording_ids'][0]}").status == 404

    def test_what_is_not_there_is_refused(self, voice, path, account_id, unfit):
        """Unknown paths are 404, unknown methods 405."""
        for answer, status in (
            (voice.get("/api/v2/nothing"), 404),
            (voice.get(f"/api/v2/accounts/{account_id}/calls/c-0"), 404),
            (voice.patch(path, {}), 405),
        ):
            assert answer.status == status
            assert unfit(answer.json, ERROR) == []

    @pytest.mark.parametrize(
        "body", [{"state": "active"}, {"state": "completed", "redirectUrl": "https://a.example/"}, {"state": "gone"}]
    )
    def test_refuses_updates_of_a_call_that_contradict_themselves(self, voice, control, call, path, body):
        """`active` needs somewhere to go, `completed` must not have it."""
        assert voice.post(path, body).status == 400
        assert control.show(call)["status"] == "in-progress"
