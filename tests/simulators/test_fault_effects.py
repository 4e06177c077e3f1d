"""What each effect of a fault does to a request, seen from the client's side of a real socket."""

from __future__ import annotations

import base64
import http.client
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.integration

PAUSE = {"Status": "paused"}
RESUME = {"Status": "in-progress"}
#: Longer than any test: what is to happen after it has not happened when the test looks.
LATER_MS = 300_000


@pytest.fixture(name="twilio")
def _twilio(clients):
    return clients["twilio"]


@pytest.fixture(name="call")
def _call(control):
    return control.start_call("twilio")


@pytest.fixture(name="path")
def _path(credentials, call):
    account = credentials["twilio"]["account_sid"]
    return f"/2010-04-01/Accounts/{account}/Calls/{call['call_id']}/Recordings/Twilio.CURRENT.json"


class TestAnswer:
    """Effects on what is answered."""

    def test_status_alone_keeps_the_true_body(self, twilio, control, call, path):
        """An error status changes neither that the vendor acted nor what its body says."""
        control.arm("twilio", "pause", {"status": 503})
        answer = twilio.post(path, form=PAUSE)

        assert (answer.status, answer.json["status"]) == (503, "paused")
        assert control.statuses(call) == ["paused"]

    def test_apply_false_answers_what_is_true(self, twilio, control, call, path):
        """A vendor that does not act answers with the status that the recording has."""
        control.arm("twilio", "pause", {"apply": False})
        answer = twilio.post(path, form=PAUSE)

        assert (answer.status, answer.json["status"]) == (200, "in-progress")
        assert control.tape(call) == []

    @pytest.mark.parametrize(
        ("body", "sent"),
        [("<html>no</html>", b"<html>no</html>"), ('{"status": "pau', b'{"status": "pau'), ("", b""),
         ({"status": "humming"}, b'{"status": "humming"}'), (None, b"null"), ([], b"[]")],
    )  # fmt: skip
    def test_body_is_sent_as_it_is_or_as_json(self, twilio, control, call, path, body, sent):
        """A string is the body itself, every other value is sent as JSON; the vendor acts all the same."""
        control.arm("twilio", "pause", {"body": body})
        answer = twilio.post(path, form=PAUSE)

        assert (answer.status, answer.body) == (200, sent)
        assert control.statuses(call) == ["paused"]

    def test_headers_replace_and_add(self, twilio, control, path):
        """Headers of the effect win over the vendor's own."""
        headers = {"Retry-After": 7, "content-type": "text/html"}
        control.arm("twilio", "pause", {"status": 429, "headers": headers})
        answer = twilio.post(path, form=PAUSE)

        assert answer.status == 429
        assert {name.lower(): value for name, value in answer.headers.items()}.items() >= {
            ("retry-after", "7"),
            ("content-type", "text/html"),
        }

    def test_a_redirect_can_be_made_of_them(self, twilio, control, path):
        """A status of 302 with a Location is a redirect."""
        control.arm("twilio", "pause", {"status": 302, "headers": {"Location": "https://a.example/"}})
        answer = twilio.post(path, form=PAUSE)

        assert (answer.status, answer.headers["Location"]) == (302, "https://a.example/")

    def test_a_content_length_may_lie(self, twilio, control, path):
        """A length of the effect's own is sent, and the connection ends with the true body."""
        control.arm("twilio", "pause", {"headers": {"Content-Length": "100000"}})

        with pytest.raises(http.client.IncompleteRead):
            twilio.post(path, form=PAUSE)

    def test_an_empty_body_can_get_one(self, clients, control, credentials):
        """Bandwidth's empty 200 becomes JSON if the effect says so."""
        call = control.start_call("bandwidth")
        account = credentials["bandwidth"]["account_id"]
        control.arm("bandwidth", "pause", {"body": {"state": "recording"}})
        path = f"/api/v2/accounts/{account}/calls/{call['call_id']}/recording"
        answer = clients["bandwidth"].put(path, {"state": "paused"})

        assert (answer.headers["Content-Type"], answer.json) == ("application/json", {"state": "recording"})


class TestTime:
    """Effects on when things happen."""

    def test_delay_delays_both(self, twilio, control, call, path):
        """During `delay_ms` the vendor has neither acted nor answered, and acts though nobody waits any more."""
        control.arm("twilio", "pause", {"delay_ms": 600})
        address = urlsplit(twilio.origin)
        connection = http.client.HTTPConnection(address.netloc)
        headers = {**twilio.headers, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, b"Status=paused", headers)
        while not (before := control.show(call))["requests"]:
            pass
        connection.close()
        control.wait_for(call, "paused")

        assert before["recordings"][0]["status"] == "in-progress"
        assert before["requests"][0]["status"] is None

    def test_apply_after_delays_the_action_only(self, twilio, control, call, path):
        """The answer comes at once and tells what is true then; the vendor acts when nobody looks."""
        control.arm("twilio", "pause", {"apply_after_ms": 50})
        answer = twilio.post(path, form=PAUSE)

        assert answer.json["status"] == "in-progress"
        control.wait_for(call, "paused")

    def test_what_was_to_happen_after_the_end_does_not(self, twilio, control, call, path):
        """An action that comes after the call is over changes nothing and breaks nothing."""
        later = control.start_call("twilio")
        control.arm("twilio", "pause", {"apply_after_ms": 200}, times=2)
        twilio.post(path, form=PAUSE)
        twilio.post(path.replace(call["call_id"], later["call_id"]), form=PAUSE)
        control.end(call)
        # When the second has happened, the first has had its moment.
        control.wait_for(later, "paused")

        assert control.tape(call) == ["[stopped]"]
        assert control.statuses(call) == ["completed"]

    def test_drip_sends_the_whole_answer_byte_by_byte(self, twilio, control, call, path):
        """With `drip_ms` an answer is complete in the end, status line, headers and body."""
        control.arm("twilio", "pause", {"drip_ms": 0, "status": 503, "body": "no"})
        answer = twilio.post(path, form=PAUSE)

        assert (answer.status, answer.body, answer.headers["Content-Length"]) == (503, b"no", "2")
        assert control.show(call)["requests"][0]["status"] == 503

    def test_drip_has_the_first_byte_of_the_status_line_alone(self, twilio, control, path):
        """Even an answer without a body drips: what comes first is one byte."""
        control.arm("twilio", "any", {"drip_ms": LATER_MS})
        address = urlsplit(twilio.origin)
        with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
            authorization = twilio.headers["Authorization"]
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: {authorization}\r\n\r\n".encode())

            assert connection.recv(1000) == b"H"

    def test_drip_survives_a_client_that_goes_away(self, twilio, control, call, path):
        """A client that hangs up while an answer drips leaves a simulator that answers the next one."""
        control.arm("twilio", "any", {"drip_ms": 5})
        address = urlsplit(twilio.origin)
        with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
            authorization = twilio.headers["Authorization"]
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: {authorization}\r\n\r\n".encode())
            connection.recv(1)

        assert twilio.post(path, form=PAUSE).status == 200
        assert control.statuses(call) == ["paused"]


class TestDrop:
    """Effects on the connection."""

    @pytest.mark.parametrize(
        ("effect", "status"),
        [
            ({"drop": "before"}, "in-progress"),
            ({"drop": "after"}, "paused"),
            ({"drop": "after", "apply": False}, "in-progress"),
            ({"drop": "before", "apply": True}, "paused"),
        ],
    )
    def test_ends_it_without_an_answer(self, twilio, control, call, path, effect, status):
        """Nothing is answered; whether the vendor acted is the effect's choice; the request is on record."""
        control.arm("twilio", "pause", effect)

        with pytest.raises(http.client.RemoteDisconnected):
            twilio.post(path, form=PAUSE)
        assert control.statuses(call) == [status]
        assert [request["status"] for request in control.show(call)["requests"]] == [None]

    def test_may_act_later_all_the_same(self, twilio, control, call, path):
        """A vendor whose connection broke may act long after."""
        control.arm("twilio", "pause", {"drop": "after", "apply_after_ms": 30})

        with pytest.raises(http.client.RemoteDisconnected):
            twilio.post(path, form=PAUSE)
        control.wait_for(call, "paused")


class TestWhichRequest:
    """Which requests a fault is for, over HTTP."""

    def test_actions_are_told_apart(self, twilio, control, call, path):
        """A fault of one action leaves the others, and is used up by its own."""
        for action in ("resume", "list", "read"):
            control.arm("twilio", action, {"status": 500})
        recordings = path.replace("/Twilio.CURRENT", "")
        one = recordings.replace(".json", f"/{call['recording_ids'][0]}.json")
        requests = [("POST", path, PAUSE), ("POST", path, RESUME), ("GET", recordings, None), ("GET", one, None)] * 2
        statuses = [twilio.send(method, where, form=form).status for method, where, form in requests]

        assert statuses == [200, 500, 500, 500, 200, 200, 200, 200]

    def test_reading_the_call_is_reading(self, twilio, control, call, path):
        """`read` is for the call as it is for a recording."""
        control.arm("twilio", "read", {"status": 500})

        assert twilio.get(path.replace("/Recordings/Twilio.CURRENT", "")).status == 500

    @pytest.mark.parametrize(
        ("vendor", "action"),
        [("bandwidth", "pause"), ("bandwidth", "resume"), ("bandwidth", "stop"), ("bandwidth", "list"),
         ("bandwidth", "read"), ("bird", "pause"), ("bird", "resume"), ("bird", "stop"), ("bird", "list"),
         ("bird", "read"), ("signalwire", "pause"), ("signalwire", "resume"), ("signalwire", "stop"),
         ("signalwire", "list"), ("signalwire", "read")],
    )  # fmt: skip
    def test_every_vendor_has_every_action(self, clients, control, credentials, vendor, action):
        """Each action is recognised in each vendor's own words."""
        call = control.start_call(vendor)
        keys, (recording,) = credentials[vendor], call["recording_ids"]
        account = f"/api/laml/2010-04-01/Accounts/{credentials['signalwire']['project_id']}"
        voice = f"/api/v2/accounts/{credentials['bandwidth']['account_id']}/calls/{call['call_id']}"
        bird = f"/workspaces/{keys.get('workspace_id')}/channels/{keys.get('channel_id')}/calls/{call['call_id']}"
        laml = f"{account}/Calls/{call['call_id']}/Recordings/{recording}"
        stop = b"<Bxml><StopRecording/><Redirect redirectUrl='/'/></Bxml>"
        requests: dict[tuple[str, str], tuple[str, str, dict[str, Any]]] = {
            ("bandwidth", "pause"): ("PUT", f"{voice}/recording", {"json_body": {"state": "paused"}}),
            ("bandwidth", "resume"): ("PUT", f"{voice}/recording", {"json_body": {"state": "recording"}}),
            ("bandwidth", "stop"): (
                "PUT",
                f"{voice}/bxml",
                {"body": stop, "headers": {"Content-Type": "application/xml"}},
            ),
            ("bandwidth", "list"): ("GET", f"{voice}/recordings", {}),
            ("bandwidth", "read"): ("GET", voice, {}),
            ("bird", "pause"): ("PATCH", f"{bird}/recordings/{recording}", {"json_body": {"status": "paused"}}),
            ("bird", "resume"): ("PATCH", f"{bird}/recordings/{recording}", {"json_body": {"status": "ongoing"}}),
            ("bird", "stop"): ("PATCH", f"{bird}/recordings/{recording}", {"json_body": {"status": "completed"}}),
            ("bird", "list"): ("GET", f"{bird}/recordings", {}),
            ("bird", "read"): ("GET", f"{bird}/recordings/{recording}", {}),
            ("signalwire", "pause"): ("POST", laml, {"form": {"Status": "paused"}}),
            ("signalwire", "resume"): ("POST", laml, {"form": {"Status": "in-progress"}}),
            ("signalwire", "stop"): ("POST", laml, {"form": {"Status": "stopped"}}),
            ("signalwire", "list"): ("GET", f"{account}/Recordings?CallSid={call['call_id']}", {}),
            ("signalwire", "read"): ("GET", f"{account}/Recordings/{recording}", {}),
        }
        control.arm(vendor, action, {"status": 418}, call_id=call["call_id"])
        method, path, sent = requests[vendor, action]

        assert clients[vendor].send(method, path, **sent).status == 418
        assert [each["status"] for each in control.show(call)["requests"]] == [418]

    def test_bandwidths_token_endpoint_has_an_action_of_its_own(self, clients, control, credentials):
        """`token` is for the token endpoint, which a fault of one call is not for and a stranger does not use up."""
        call, keys = control.start_call("bandwidth"), credentials["bandwidth"]
        control.arm("bandwidth", "any", {"status": 500}, call_id=call["call_id"])
        control.arm("bandwidth", "token", {"status": 503})
        encoded = base64.b64encode(f"{keys['client_id']}:{keys['client_secret']}".encode()).decode()
        stranger = clients["bandwidth"]
        client = stranger.as_stranger(Authorization=f"Basic {encoded}")
        form = {"grant_type": "client_credentials"}
        statuses = [each.post("/api/v1/oauth2/token", form=form).status for each in (stranger, client, client)]

        assert statuses == [401, 503, 200]
        assert [fault["used"] for fault in control.get("/faults").json["faults"]] == [0, 1]

    def test_a_fault_may_say_401_to_one_who_is_known(self, twilio, control, path):
        """A refusal can be played without wrong keys, and only as often as it says."""
        control.arm("twilio", "any", {"status": 401, "apply": False}, times=2)

        assert [twilio.post(path, form=PAUSE).status for _ in range(3)] == [401, 401, 200]
