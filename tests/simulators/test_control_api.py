"""The control API over HTTP."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.integration

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
LONG_ID = rf"[0-9a-f]{{8}}-{UUID}"
IDS = {
    "twilio": (r"CA[0-9a-f]{32}", r"RE[0-9a-f]{32}"),
    "signalwire": (UUID, UUID),
    "bandwidth": (f"c-{LONG_ID}", f"r-{LONG_ID}"),
    "bird": (UUID, UUID),
}
FAULT = {"vendor": "twilio", "action": "pause", "effect": {}}


@pytest.fixture(name="call")
def _call(control):
    return control.start_call("twilio")


class TestCalls:
    """Calls, their recordings and what is said."""

    @pytest.mark.parametrize("vendor", IDS)
    @pytest.mark.parametrize("recordings", [0, 1, 3])
    def test_a_call_has_as_many_recordings_as_asked_for(self, control, credentials, vendor, recordings):
        """Ids have the vendor's own form and none is given twice; Bird's call says its channel, and no other does."""
        call = control.start_call(vendor, recordings=recordings)
        call_id, recording_id = IDS[vendor]
        channel = {"channel_id": credentials["bird"]["channel_id"]} if vendor == "bird" else {}

        assert re.fullmatch(call_id, call["call_id"])
        assert all(re.fullmatch(recording_id, each) for each in call["recording_ids"])
        assert len(set(call["recording_ids"])) == recordings
        assert call == {"call_id": call["call_id"], "recording_ids": call["recording_ids"]} | channel

    @pytest.mark.parametrize(
        ("vendor", "during", "after"),
        [
            ("twilio", "in-progress", "completed"),
            ("signalwire", "in-progress", "completed"),
            ("bandwidth", "recording", "complete"),
            ("bird", "ongoing", "completed"),
        ],
    )
    def test_what_is_said_is_on_the_tape(self, control, vendor, during, after):
        """The whole life of a call without a pause, with the status in the vendor's own words."""
        call = control.start_call(vendor)
        control.say(call, "hello")
        assert control.statuses(call) == [during]
        assert control.end(call).json == {"status": "completed"}
        shown = control.show(call)

        assert shown["status"] == "completed"
        (recording,) = shown["recordings"]
        said, stopped = recording.pop("tape")
        assert recording == {"recording_id": call["recording_ids"][0], "status": after}
        assert all(re.fullmatch(TIME, entry.pop("at")) for entry in (said, stopped))
        assert (said, stopped) == ({"text": "hello"}, {"event": "stopped"})

    def test_another_recording_starts_later(self, control, call):
        """It hears what is said from then on."""
        control.say(call, "one")
        started = control.post(f"/calls/{call['call_id']}/recordings").json["recording_id"]
        heard_by = control.say(call, "two").json["heard_by"]

        assert heard_by == [*call["recording_ids"], started]
        assert (control.tape(call, 0), control.tape(call, 1)) == (["one", "two"], ["two"])

    def test_a_child_legs_recordings_are_its_parents(self, control, call):
        """A child leg has no recordings unless asked for, and those are on its parent."""
        child = control.start_call("twilio", parent_call_id=call["call_id"])
        other = control.start_call("twilio", parent_call_id=call["call_id"], recordings=1)
        control.say(child, "hello")

        assert (child["recording_ids"], control.show(other)["recordings"]) == ([], [])
        assert [each["recording_id"] for each in control.show(call)["recordings"]] == [
            *call["recording_ids"],
            *other["recording_ids"],
        ]
        assert control.tape(call) == ["hello"]

    def test_a_call_may_be_over_from_the_start(self, control):
        """`status` completed makes a call that has ended, its recordings with it."""
        call = control.start_call("bird", status="completed")

        assert control.show(call)["status"] == "completed"
        assert control.statuses(call) == ["completed"]

    def test_nothing_happens_on_a_call_that_is_over(self, control, call):
        """Speaking and recording come too late; ending it again does not."""
        control.end(call)

        assert control.say(call, "hello").status == 409
        assert control.post(f"/calls/{call['call_id']}/recordings").status == 409
        assert control.end(call).status == 200

    def test_requests_are_kept_in_order_with_those_that_were_refused(self, control, clients, credentials, call):
        """Every request about the call is there, without its query; those of other calls are not."""
        account = f"/2010-04-01/Accounts/{credentials['twilio']['account_sid']}"
        under_call = f"{account}/Calls/{call['call_id']}/Recordings.json"
        by_itself = f"{account}/Recordings/{call['recording_ids'][0]}.json"
        twilio = clients["twilio"]
        twilio.get(f"{under_call}?PageSize=1")
        twilio.as_stranger().get(by_itself)
        twilio.get(f"{account}/Calls/CA{'0' * 32}.json")
        twilio.put(under_call, {})
        requests = control.show(call)["requests"]

        assert all(re.fullmatch(TIME, request.pop("at")) for request in requests)
        assert requests == [
            {"method": "GET", "path": under_call, "status": 200},
            {"method": "GET", "path": by_itself, "status": 401},
            {"method": "PUT", "path": under_call, "status": 405},
        ]

    def test_a_list_is_about_the_call_that_it_names(self, control, clients, credentials):
        """SignalWire's list names its call in the query."""
        call = control.start_call("signalwire")
        path = f"/api/laml/2010-04-01/Accounts/{credentials['signalwire']['project_id']}/Recordings"
        clients["signalwire"].get(f"{path}?CallSid={call['call_id']}")

        assert [request["path"] for request in control.show(call)["requests"]] == [path]


class TestFaults:
    """Arming and looking."""

    def test_are_shown_as_they_were_written_with_their_use(self, control, clients, credentials, call):
        """What is armed can be read back, with how often it was used, and is gone when it is deleted."""
        effect = {"status": 503, "headers": {"Retry-After": 1}}
        control.arm("twilio", "any", effect, times=3, call_id=call["call_id"])
        account = credentials["twilio"]["account_sid"]
        clients["twilio"].get(f"/2010-04-01/Accounts/{account}/Calls/{call['call_id']}.json")
        shown = control.get("/faults").json

        assert shown == {
            "faults": [
                {"vendor": "twilio", "call_id": call["call_id"], "action": "any", "times": 3, "used": 1,
                 "effect": effect}
            ]
        }  # fmt: skip
        assert control.send("DELETE", "/faults").json == control.get("/faults").json == {"faults": []}

    @pytest.mark.parametrize(
        ("changed", "named"),
        [
            ({"vendor": "nobody"}, "vendor"),
            ({"vendor": ["twilio"]}, "vendor"),
            ({"action": "hum"}, "action"),
            ({"action": None}, "action"),
            ({"times": 0}, "times"),
            ({"times": True}, "times"),
            ({"times": 1.5}, "times"),
            ({"call_id": 7}, "call_id"),
            ({"when": "now"}, "when"),
            ({"effect": None}, "effect"),
            ({"effect": {"zip": 1}}, "zip"),
            ({"effect": {"status": 99}}, "status"),
            ({"effect": {"status": "503"}}, "status"),
            ({"effect": {"delay_ms": -1}}, "delay_ms"),
            ({"effect": {"apply_after_ms": 1e9}}, "apply_after_ms"),
            ({"effect": {"apply_after_ms": 1, "apply": False}}, "apply_after_ms"),
            ({"effect": {"apply_after_ms": 1, "drop": "before"}}, "apply_after_ms"),
            ({"effect": {"drip_ms": None}}, "drip_ms"),
            ({"effect": {"drop": "during"}}, "drop"),
            ({"effect": {"drop": None}}, "drop"),
            ({"effect": {"drop": []}}, "drop"),
            ({"effect": {"apply": 0}}, "apply"),
            ({"effect": {"headers": []}}, "headers"),
            ({"effect": {"headers": {"A": "b\r\nC: d"}}}, "headers"),
            ({"effect": {"headers": {"A b": "c"}}}, "headers"),
            ({"effect": {"headers": {"A": True}}}, "headers"),
            ({"effect": {"headers": {"A": "\u00e9"}}}, "headers"),
        ],
    )
    def test_that_cannot_be_are_refused_with_the_field_that_is_wrong(self, control, changed, named):
        """A fault that nobody could mean is 400, says which field it is, and is not armed."""
        answer = control.post("/faults", FAULT | changed)

        assert answer.status == 400
        assert f"'{named}'" in answer.json["error"]
        assert control.get("/faults").json == {"faults": []}

    @pytest.mark.parametrize("vendor", ["twilio", "bird"])
    def test_of_an_unknown_call_are_404(self, control, vendor):
        """A call that is not there, or another vendor's, has no faults."""
        other = control.start_call("signalwire")["call_id"]

        assert control.post("/faults", FAULT | {"vendor": vendor, "call_id": other}).status == 404


class TestCredentials:
    """Keys are rotated."""

    def test_new_keys_open_and_old_ones_do_not(self, control, clients, credentials, call):
        """From the moment of the rotation on, the old token is refused and the new one is not."""
        keys = credentials["twilio"]
        path = f"/2010-04-01/Accounts/{keys['account_sid']}/Calls/{call['call_id']}.json"
        rotated = control.put("/credentials/twilio", keys | {"auth_token": "another"})

        assert (rotated.status, rotated.body) == (204, b"")
        assert clients["twilio"].get(path).status == 401
        control.put("/credentials/twilio", keys)
        assert clients["twilio"].get(path).status == 200

    @pytest.mark.parametrize(
        ("changed", "named"),
        [({"auth_token": ""}, "auth_token"), ({"auth_token": 7}, "auth_token"), ({"more": "s3cret"}, "more")],
    )
    def test_wrong_ones_are_refused_without_their_values(self, control, clients, credentials, call, changed, named):
        """A field that is missing, wrong or unknown is named, no value is repeated, and the old keys stay."""
        keys = credentials["twilio"]
        answer = control.put("/credentials/twilio", keys | changed)

        assert answer.status == 400
        assert named in answer.json["error"]
        assert not any(value in answer.body.decode() for value in (*keys.values(), "s3cret"))
        path = f"/2010-04-01/Accounts/{keys['account_sid']}/Calls/{call['call_id']}.json"
        assert clients["twilio"].get(path).status == 200


class TestBadRequests:
    """Nothing breaks it."""

    @pytest.mark.parametrize(
        ("asked", "named"),
        [
            ({}, "vendor"),
            ({"vendor": "nobody"}, "vendor"),
            ({"vendor": "twilio", "recordings": -1}, "recordings"),
            ({"vendor": "twilio", "recordings": "1"}, "recordings"),
            ({"vendor": "twilio", "recordings": 10**12}, "recordings"),
            ({"vendor": "twilio", "status": "ringing"}, "status"),
            ({"vendor": "twilio", "resumed_word": "resumed"}, "resumed_word"),
            ({"vendor": "signalwire", "resumed_word": "again"}, "resumed_word"),
            ({"vendor": "signalwire", "colour": "red"}, "colour"),
            ({"vendor": "bird", "channel_id": "c"}, "channel_id"),
        ],
    )
    def test_calls_that_cannot_be_are_refused_with_the_field_that_is_wrong(self, control, asked, named):
        """A call that nobody could mean is 400 and says which field it is."""
        answer = control.post("/calls", asked)

        assert answer.status == 400
        assert f"'{named}'" in answer.json["error"]

    def test_a_parent_must_be_there_and_no_child_itself(self, control, call):
        """An unknown parent, and another vendor's, are 404; a child leg has no children."""
        child = control.start_call("twilio", parent_call_id=call["call_id"])

        for vendor, parent, status in (
            ("twilio", "CA0", 404),
            ("bird", call["call_id"], 404),
            ("twilio", child["call_id"], 400),
        ):
            assert control.post("/calls", {"vendor": vendor, "parent_call_id": parent}).status == status

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
    @pytest.mark.parametrize("path", ["/calls", "/faults"])
    def test_a_body_that_is_no_object_is_400(self, control, path, body):
        """Broken JSON, other JSON, bytes that are no text, and JSON without end are refused in JSON."""
        answer = control.post(path, body=body)

        assert answer.status == 400
        assert set(answer.json) == {"error"}

    @pytest.mark.parametrize(
        ("method", "path", "body", "status"),
        [
            ("GET", "/nothing", None, 404),
            ("GET", "/calls", None, 405),
            ("GET", "/calls/unknown", None, 404),
            ("POST", "/calls/unknown/say", {"text": "hello"}, 404),
            ("POST", "/calls/unknown/end", None, 404),
            ("POST", "/calls/unknown/recordings", None, 404),
            ("PUT", "/credentials/nobody", {}, 400),
            ("PUT", "/bandwidth/token-ttl", {}, 400),
            ("PUT", "/bandwidth/token-ttl", {"seconds": -1}, 400),
        ],
    )
    def test_what_is_not_there_is_refused_in_json(self, control, method, path, body, status):
        """Unknown paths, calls and vendors, and wrong values, have an error that can be read."""
        answer = control.send(method, path, json_body=body)

        assert answer.status == status
        assert set(answer.json) == {"error"}

    @pytest.mark.parametrize("body", [{}, {"text": 7}, {"text": "hello", "to": "all"}])
    def test_only_text_can_be_said(self, control, call, body):
        """`say` takes a text and nothing else."""
        assert control.post(f"/calls/{call['call_id']}/say", body).status == 400
        assert control.tape(call) == []
