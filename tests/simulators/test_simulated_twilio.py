"""The simulated Twilio, driven by hand and by the official SDK."""

from __future__ import annotations

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client as TwilioClient

pytestmark = pytest.mark.integration

#: https://github.com/twilio/twilio-oai/blob/main/spec/json/twilio_api_v2010.json (d50069b4):
#: `ListCallRecordingResponse`, `api.v2010.account.call.call_recording`, `api.v2010.account.recording`, `api.v2010.account.call`.
RFC_2822 = r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000"
NONE = type(None)
CALL_RECORDING = {
    "account_sid": r"AC[0-9a-fA-F]{32}",
    "api_version": "2010-04-01",
    "call_sid": r"CA[0-9a-fA-F]{32}",
    "conference_sid": NONE,
    "date_created": RFC_2822,
    "date_updated": RFC_2822,
    "start_time": RFC_2822,
    "duration": (str, NONE),
    "sid": r"RE[0-9a-fA-F]{32}",
    "price": (str, NONE),
    "uri": r"/2010-04-01/Accounts/AC\w{32}/Calls/CA\w{32}/Recordings/RE\w{32}\.json",
    "encryption_details": NONE,
    "price_unit": (str, NONE),
    "status": {"in-progress", "paused", "stopped", "processing", "completed", "absent"},
    "channels": int,
    "source": {
        "DialVerb",
        "Conference",
        "OutboundAPI",
        "Trunking",
        "RecordVerb",
        "StartCallRecordingAPI",
        "StartConferenceRecordingAPI",
    },
    "error_code": (int, NONE),
    "track": {"inbound", "outbound", "both"},
}
ACCOUNT_RECORDING = CALL_RECORDING | {
    "uri": r"/2010-04-01/Accounts/AC\w{32}/Recordings/RE\w{32}\.json",
    "subresource_uris": dict,
    "media_url": r"https://api\.twilio\.com/.+",
}
del ACCOUNT_RECORDING["track"]
CALL = {
    "sid": r"CA[0-9a-fA-F]{32}",
    "date_created": RFC_2822,
    "date_updated": RFC_2822,
    "parent_call_sid": (str, NONE),
    "account_sid": r"AC[0-9a-fA-F]{32}",
    "to": str,
    "to_formatted": str,
    "from": str,
    "from_formatted": str,
    "phone_number_sid": (str, NONE),
    "status": {"queued", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"},
    "start_time": RFC_2822,
    "end_time": (str, NONE),
    "duration": (str, NONE),
    "price": (str, NONE),
    "price_unit": (str, NONE),
    "direction": {"inbound", "outbound-api", "outbound-dial"},
    "answered_by": (str, NONE),
    "api_version": "2010-04-01",
    "forwarded_from": (str, NONE),
    "group_sid": (str, NONE),
    "caller_name": (str, NONE),
    "queue_time": (str, NONE),
    "trunk_sid": (str, NONE),
    "uri": r"/2010-04-01/Accounts/AC\w{32}/Calls/CA\w{32}\.json",
    "subresource_uris": dict,
}
PAGE = {
    "end": int,
    "first_page_uri": str,
    "next_page_uri": (str, NONE),
    "page": int,
    "page_size": int,
    "previous_page_uri": (str, NONE),
    "start": int,
    "uri": str,
    "recordings": list,
}
#: https://www.twilio.com/docs/usage/twilios-response#response-formats-exceptions
ERROR = {"code": int, "message": str, "more_info": r"https://www\.twilio\.com/docs/errors/\d+", "status": int}


@pytest.fixture(name="twilio")
def _twilio(clients):
    return clients["twilio"]


@pytest.fixture(name="account")
def _account(credentials):
    return f"/2010-04-01/Accounts/{credentials['twilio']['account_sid']}"


@pytest.fixture(name="call")
def _call(control):
    return control.start_call("twilio")


@pytest.fixture(name="sdk")
def _sdk(addresses, credentials):
    """The official SDK, which has no setting for another origin than Twilio's."""
    client = TwilioClient(credentials["twilio"]["account_sid"], credentials["twilio"]["auth_token"])
    client.api.base_url = addresses["vendors"]["twilio"]
    yield client
    client.http_client.session.close()


class TestTheOfficialSdk:
    """The `twilio` package does to the simulator what it does to Twilio."""

    def test_pauses_resumes_and_stops_the_current_recording(self, sdk, control, call):
        """`Twilio.CURRENT` names the one active recording, and the answer its new status."""
        control.say(call, "one")
        statuses = []
        for status, text in (("paused", "two"), ("in-progress", "three"), ("stopped", "four")):
            updated = sdk.calls(call["call_id"]).recordings("Twilio.CURRENT").update(status=status)
            statuses.append((updated.sid, updated.status))
            control.say(call, text)

        assert statuses == [(call["recording_ids"][0], status) for status in ("paused", "in-progress", "stopped")]
        assert control.tape(call) == ["one", "[paused]", "[resumed]", "three", "[stopped]"]

    def test_works_with_an_api_key(self, addresses, credentials, control, call):
        """An API key and its secret do what the account's token does."""
        keys = credentials["twilio"]
        client = TwilioClient(keys["api_key"], keys["api_secret"], keys["account_sid"])
        client.api.base_url = addresses["vendors"]["twilio"]
        paused = client.calls(call["call_id"]).recordings("Twilio.CURRENT").update("paused", pause_behavior="skip")
        client.http_client.session.close()

        assert paused.status == "paused"

    def test_lists_every_recording_of_a_call_over_several_pages(self, sdk, control):
        """A list has those that have ended, goes on over pages, and begins with the latest."""
        call = control.start_call("twilio", recordings=3)
        sdk.calls(call["call_id"]).recordings(call["recording_ids"][0]).update(status="stopped")
        listed = sdk.calls(call["call_id"]).recordings.list(page_size=2)

        assert [recording.sid for recording in listed] == call["recording_ids"][::-1]
        assert [recording.status for recording in listed] == ["in-progress", "in-progress", "stopped"]

    def test_fetches_recordings_and_calls(self, sdk, call):
        """A recording can be read under its call and under the account, and a call by itself."""
        (sid,) = call["recording_ids"]

        assert sdk.calls(call["call_id"]).recordings(sid).fetch().status == "in-progress"
        assert sdk.recordings(sid).fetch().call_sid == call["call_id"]
        assert sdk.calls(call["call_id"]).fetch().status == "in-progress"

    @pytest.mark.parametrize(
        ("recordings", "over", "status", "code"),
        [(2, False, 400, 16108), (0, False, 404, 20404), (1, True, 400, 21220)],
        ids=["several active", "none active", "call over"],
    )
    def test_raises_twilios_codes(self, sdk, control, recordings, over, status, code):
        """What cannot be done is raised with the code that Twilio documents."""
        call = control.start_call("twilio", recordings=recordings)
        if over:
            control.end(call)

        with pytest.raises(TwilioRestException) as raised:
            sdk.calls(call["call_id"]).recordings("Twilio.CURRENT").update(status="paused")
        assert (raised.value.status, raised.value.code) == (status, code)

    def test_raises_on_a_wrong_token(self, addresses, credentials, call):
        """A wrong token is 401 with code 20003."""
        client = TwilioClient(credentials["twilio"]["account_sid"], "wrong")
        client.api.base_url = addresses["vendors"]["twilio"]
        with pytest.raises(TwilioRestException) as raised:
            client.calls(call["call_id"]).fetch()
        client.http_client.session.close()

        assert (raised.value.status, raised.value.code) == (401, 20003)


class TestAnswers:
    """What Twilio answers is what its OpenAPI document says."""

    def test_recordings_calls_and_pages_fit_the_specification(self, twilio, control, account, unfit):
        """Every field is there, has the type, and has a value that is declared, while the call goes on and after it."""
        parent = control.start_call("twilio")
        call = control.start_call("twilio", parent_call_id=parent["call_id"])
        for _ in range(2):
            (sid,) = parent["recording_ids"]
            page = twilio.get(f"{account}/Calls/{parent['call_id']}/Recordings.json").json

            assert unfit(page, PAGE) == []
            assert unfit(page["recordings"][0], CALL_RECORDING) == []
            assert unfit(twilio.get(f"{account}/Recordings/{sid}.json").json, ACCOUNT_RECORDING) == []
            assert unfit(twilio.get(f"{account}/Calls/{call['call_id']}.json").json, CALL) == []
            control.end(parent)

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            ({}, 400),
            ({"Status": "ongoing"}, 400),
            ({"Status": "completed"}, 400),
            ({"Status": "paused", "PauseBehavior": "hum"}, 400),
        ],
    )
    def test_refuses_wrong_fields(self, twilio, control, account, call, unfit, fields, status):
        """A missing or unknown status or pause behaviour is refused and changes nothing."""
        answer = twilio.post(f"{account}/Calls/{call['call_id']}/Recordings/Twilio.CURRENT.json", form=fields)

        assert answer.status == status
        assert unfit(answer.json, ERROR) == []
        assert control.statuses(call) == ["in-progress"]

    def test_wants_a_form(self, twilio, control, account, call):
        """JSON has no `Status` for Twilio."""
        path = f"{account}/Calls/{call['call_id']}/Recordings/Twilio.CURRENT.json"

        assert twilio.post(path, {"Status": "paused"}).status == 400
        assert control.statuses(call) == ["in-progress"]

    def test_pausing_twice_is_no_error(self, twilio, control, account, call):
        """A paused recording is still the current one, and pausing it again answers that it is paused."""
        path = f"{account}/Calls/{call['call_id']}/Recordings/Twilio.CURRENT.json"
        answers = [twilio.post(path, form={"Status": "paused"}) for _ in range(2)]

        assert [(answer.status, answer.json["status"]) for answer in answers] == [(200, "paused")] * 2
        assert control.tape(call) == ["[paused]"]

    @pytest.mark.parametrize("status", ["paused", "in-progress", "stopped"])
    def test_refuses_to_change_what_has_been_stopped(self, twilio, control, account, call, status):
        """A stopped recording cannot be changed though its call goes on: code 21220."""
        path = f"{account}/Calls/{call['call_id']}/Recordings/{call['recording_ids'][0]}.json"
        twilio.post(path, form={"Status": "stopped"})
        answer = twilio.post(path, form={"Status": status})

        assert (answer.status, answer.json["code"]) == (400, 21220)
        assert control.tape(call) == ["[stopped]"]

    def test_a_recording_belongs_to_the_parent_leg(self, twilio, control, account, call):
        """Under a child leg there is no current recording; the child names its parent."""
        child = control.start_call("twilio", parent_call_id=call["call_id"])
        path = f"{account}/Calls/{child['call_id']}"

        assert twilio.post(f"{path}/Recordings/Twilio.CURRENT.json", form={"Status": "paused"}).json["code"] == 20404
        assert twilio.get(f"{path}/Recordings.json").json["recordings"] == []
        assert twilio.get(f"{path}.json").json["parent_call_sid"] == call["call_id"]

    @pytest.mark.parametrize(
        "path",
        [
            "/Calls/CA00000000000000000000000000000000/Recordings.json",
            "/Calls/CA00000000000000000000000000000000/Recordings/Twilio.CURRENT.json",
            "/Calls/CA00000000000000000000000000000000.json",
            "/Recordings/RE00000000000000000000000000000000.json",
            "/Recordings/Twilio.CURRENT.json",
            "/Nothing.json",
        ],
    )
    def test_what_is_not_there_is_404(self, twilio, account, unfit, path):
        """An unknown call, recording or resource is 404 with code 20404; `Twilio.CURRENT` cannot be read."""
        answer = twilio.get(f"{account}{path}")

        assert (answer.status, answer.json["code"]) == (404, 20404)
        assert unfit(answer.json, ERROR) == []

    def test_another_account_is_not_found(self, twilio, call):
        """Our keys open our account only."""
        path = f"/2010-04-01/Accounts/AC{'0' * 32}/Calls/{call['call_id']}.json"

        assert twilio.get(path).json["code"] == 20404

    def test_one_method_of_two_is_405(self, twilio, account, call):
        """A path that exists refuses a method that it does not have."""
        assert twilio.put(f"{account}/Calls/{call['call_id']}.json", {}).status == 405
