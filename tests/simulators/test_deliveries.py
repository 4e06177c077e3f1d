"""How often the simulated platforms try to tell a customer, and what the control API keeps of it."""

from __future__ import annotations

import json
import re
import time

import pytest

from tests.simulators.conftest import Control
from tests.simulators.told_customer import QUIET_SECONDS, TIMEOUT_SECONDS, eventually

pytestmark = pytest.mark.integration

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


class TestDelivery:
    """How often, and what is kept of it."""

    def test_a_call_without_callbacks_tells_nobody(self, control):
        """Nothing is pushed unless asked for."""
        call = control.start_call("bird")
        control.end(call)

        assert control.show(call)["callbacks"] == []

    @pytest.mark.parametrize(("vendor", "event", "attempts"), [
        ("signalwire", "recording in-progress", 3), ("bird", "voice.inbound ongoing", 4)
    ])  # fmt: skip
    def test_a_failure_is_tried_again_with_the_same_request(self, control, customer, vendor, event, attempts):
        """Two vendors try again until a 2xx comes or they have tried often enough."""
        customer.statuses = [500] * (attempts + 5)
        call = control.start_call(vendor, callbacks={"url": customer.url})
        tried = control.told(call, attempts, statuses=True)
        time.sleep(QUIET_SECONDS)

        assert control.told(call, attempts, statuses=True) == tried == [(event, 500)] * attempts
        assert len({(each.url, each.body) for each in customer.received}) == 1

    def test_a_success_ends_the_trying(self, control, customer):
        """After a 2xx nothing is sent again."""
        customer.statuses = [503, 204]
        call = control.start_call("bird", callbacks={"url": customer.url})
        control.told(call, 2)
        time.sleep(QUIET_SECONDS)

        assert control.told(call, 2, statuses=True) == [("voice.inbound ongoing", 503), ("voice.inbound ongoing", 204)]

    @pytest.mark.parametrize("vendor", ["twilio", "bandwidth"])
    def test_an_answer_of_whatever_status_ends_the_trying_of_two(self, control, customer, vendor):
        """Twilio and Bandwidth take a refusal for an answer."""
        customer.statuses = [500] * 9
        call = control.start_call(vendor, recordings=0, callbacks={"url": customer.url})
        control.end(call)
        control.told(call, 1)
        time.sleep(QUIET_SECONDS)

        assert len(control.told(call, 1)) == 1

    def test_nobody_there_is_shown_as_no_answer(self, control, customer):
        """A customer who cannot be reached is tried again, and has status 0."""
        gone = customer.url.rsplit(":", 1)[0] + ":1"
        call = control.start_call("twilio", recordings=0, callbacks={"url": gone})
        control.end(call)

        assert control.told(call, 2, statuses=True) == [("call completed", 0), ("call completed", 0)]

    def test_a_customer_who_is_slow_holds_nothing_up(self, control, customer):
        """Calls go on while a callback is under way."""
        customer.seconds = 0.5
        call = control.start_call("twilio", callbacks={"url": customer.url})
        control.say(call, "hello")

        assert (control.tape(call), control.show(call)["callbacks"]) == (["hello"], [])
        assert control.told(call, 1) == ["recording in-progress"]

    def test_is_shown_without_query_body_and_headers(self, control, customer):
        """A delivered callback is its time, its path, its event and its status."""
        call = control.start_call("twilio", callbacks={"url": f"{customer.url}/told?key=secret"})
        control.told(call, 1)
        (shown,) = control.show(call)["callbacks"]

        assert re.fullmatch(TIME, shown.pop("at"))
        assert shown == {"url_path": "/told", "event": "recording in-progress", "status": 200}

    def test_is_sent_once_more_byte_for_byte(self, control, customer):
        """A repetition is the same request with the same signature, and is shown like the first."""
        call = control.start_call("bird", callbacks={"url": f"{customer.url}/told"})
        control.told(call, 1)
        customer.statuses = [409]
        answer = control.post(f"/calls/{call['call_id']}/callbacks/repeat", {"index": 0})

        assert answer.status == 200
        assert answer.json == control.show(call)["callbacks"][1]
        assert control.told(call, 2, statuses=True) == [("voice.inbound ongoing", 200), ("voice.inbound ongoing", 409)]
        first, second = customer.received
        assert first == second

    def test_what_was_not_delivered_cannot_be_repeated(self, control, customer):
        """An index beyond the last is not found, and one that is none is wrong."""
        call = control.start_call("bandwidth", callbacks={"url": customer.url})
        path = f"/calls/{call['call_id']}/callbacks/repeat"

        assert [control.post(path, {"index": index}).status for index in (0, -1, "0")] == [404, 400, 400]
        assert control.post(path, {}).status == 400

    @pytest.mark.parametrize(
        ("callbacks", "error"),
        [
            ("http://127.0.0.1/", "'callbacks' must be an object"),
            ({}, "'url' must be a string"),
            (
                {"url": "https://example.com/"},
                "'callbacks': 'url' must be a URL of http://127.0.0.1 or http://localhost",
            ),
            ({"url": "http://127.0.0.1/", "username": "demo"}, "'password' must be a string"),
            ({"url": "http://127.0.0.1/", "token": "x"}, "unknown field 'token'; known: password, url, username"),
        ],
    )
    def test_where_to_is_checked_when_the_call_begins(self, control, callbacks, error):
        """A URL elsewhere, or a user without a password, is refused before there is a call."""
        answer = control.post("/calls", {"vendor": "twilio", "callbacks": callbacks})

        assert (answer.status, answer.json) == (400, {"error": error})

    def test_what_is_under_way_does_not_keep_the_simulators_from_ending(self, customer, start_simulators, credentials):
        """They end at once and in silence, whoever has not answered yet."""
        customer.seconds = 300  # longer than TIMEOUT_SECONDS: whoever waited for it would fail
        process = start_simulators({"credentials": credentials})
        control = Control(json.loads(process.stdout.readline())["control"])
        control.start_call("twilio", callbacks={"url": customer.url})
        eventually(lambda: customer.received)
        process.terminate()
        output, errors = process.communicate(timeout=TIMEOUT_SECONDS)

        assert (output, errors, process.returncode) == ("", "", 0)
