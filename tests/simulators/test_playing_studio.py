"""Flows of Studio, played by the simulated Twilio."""

from __future__ import annotations

import copy
import json

import pytest
from twilio.request_validator import RequestValidator

from tests.simulators.customer import CARD, DIGITS, did, play, serving

pytestmark = pytest.mark.integration

JSON = "application/json;charset=utf-8"
SAFE = json.dumps({"safe_to_collect": True, "verdict": "confirmed"})


def widget(name, kind, properties, **transitions):
    """A widget as an export has it."""
    return {
        "name": name,
        "type": kind,
        "properties": properties,
        "transitions": [{"event": event, "next": following} for event, following in transitions.items()],
    }


@pytest.fixture(name="customer")
def _customer():
    with serving() as customer:
        customer.url("/entered", (200, "application/json", SAFE))
        customer.url("/left", (200, "application/json", "{}"))
        yield customer


@pytest.fixture(name="call")
def _call(control):
    return control.start_call("twilio")


@pytest.fixture(name="flow")
def _flow(customer):
    body = '{"call_id": "{{trigger.call.CallSid}}", "AccountSid": "{{ flow.data.account_sid }}"}'
    origin = customer.origin.replace("//", "//demo:secret@")
    form = [
        {"key": "CallSid", "value": "{{trigger.call.CallSid}}"},
        {"key": "keyed", "value": "{{widgets.card.Digits}}"},
    ]
    return {
        "description": "card entry",
        "initial_state": "Trigger",
        "states": [
            widget("Trigger", "trigger", {}, incomingMessage="nowhere", incomingCall="pause"),
            widget(
                "pause",
                "make-http-request",
                {"method": "POST", "url": f"{origin}/entered", "content_type": JSON, "body": body},
                success="ask",
                failed="agent",
            ),
            {
                "name": "ask",
                "type": "split-based-on",
                "properties": {"input": "{{widgets.pause.parsed.verdict}}"},
                "transitions": [
                    {"event": "noMatch", "next": "agent"},
                    {
                        "event": "match",
                        "next": "card",
                        "conditions": [
                            {
                                "arguments": ["{{widgets.pause.parsed.verdict}}"],
                                "type": "equal_to",
                                "value": "confirmed",
                            }
                        ],
                    },
                ],
            },
            widget("card", "gather-input-on-call", {"say": "Card?"}, keypress="leave", speech="agent", timeout="agent"),
            widget(
                "leave",
                "make-http-request",
                {
                    "method": "POST",
                    "url": f"{customer.origin}/left",
                    "content_type": "application/x-www-form-urlencoded;charset=utf-8",
                    "parameters": form,
                },
                success="bye",
                failed="bye",
            ),
            widget("bye", "say-play", {"say": "Thank you, {{contact.channel.address}}."}, audioComplete=None),
            widget("agent", "connect-call-to", {}, callCompleted=None),
        ],
    }


class TestFlow:
    """How a call goes from widget to widget."""

    def test_a_whole_call(self, control, customer, call, flow, credentials):
        """The request succeeds, the split matches, the caller is asked; the flow's end ends the call."""
        told = play(control, call, "studio", document=flow, caller=[CARD])
        pause, leave = customer.asked

        assert did(told) == [
            "fetched /entered 200",
            "branched pause success",
            "branched ask match",
            "said Card?",
            "asked card True",
            "branched card keypress",
            "fetched /left 200",
            "branched leave success",
            "said Thank you, +15005550100.",
            "branched bye audioComplete",
            "hung up",
        ]
        assert (told["ended"], told["error"]) == (True, None)
        assert pause.json == {"call_id": call["call_id"], "AccountSid": credentials["twilio"]["account_sid"]}
        assert (pause.headers["content-type"], pause.basic) == (JSON, "demo:secret")
        assert leave.form == {"CallSid": call["call_id"], "keyed": DIGITS}
        assert control.tape(call) == ["Card?", CARD, "Thank you, +15005550100.", "[stopped]"]

    @pytest.mark.parametrize(
        "reply",
        [
            (409, "application/problem+json", SAFE),
            (504, "application/json", SAFE),
            (200, "application/json", "x" * 64_001),
            (200, "application/json", "{}"),
            (200, "application/json", "[]"),
            (200, "application/json", "no JSON"),
            (200, "text/plain", SAFE),
        ],
    )
    def test_otherwise_nobody_is_asked(self, control, customer, call, flow, reply):
        """No success is `failed`; only an object that is labelled as JSON is parsed: the caller gets an agent."""
        customer.url("/entered", reply)
        told = play(control, call, "studio", document=flow, caller=[CARD])

        assert did(told)[-1] == "handed on connect-call-to"
        assert not any(entry["did"] == "asked" for entry in told["transcript"])
        assert (told["ended"], told["error"], control.tape(call)) == (False, None, [])

    def test_no_answer_fails(self, control, call, flow):
        """A server that is not there leads to `failed`."""
        flow["states"][1]["properties"]["url"] = "http://127.0.0.1:1/entered"
        told = play(control, call, "studio", document=flow)

        assert did(told) == ["fetched /entered 0", "branched pause failed", "handed on connect-call-to"]

    @pytest.mark.parametrize(
        ("caller", "event"), [([], "timeout"), (["I have none"], "speech"), (["12"], "keypress"), (["#"], "keypress")]
    )
    def test_asks_for_keys_or_words(self, control, call, caller, event):
        """Each has an event of its own."""
        gather = widget("card", "gather-input-on-call", {"number_of_digits": 1, "play": "http://127.0.0.1/a.mp3"})
        flow = {"states": [widget("Trigger", "trigger", {}, incomingCall="card"), gather]}
        told = play(control, call, "studio", document=flow, caller=caller)

        assert did(told)[0] == "played play"
        assert did(told)[-2:] == [f"branched card {event}", "hung up"]

    @pytest.mark.parametrize(
        ("kind", "value", "matches"),
        [
            ("equal_to", "CONFIRMED", True),
            ("not_equal_to", "confirmed", False),
            ("contains", "firm", True),
            ("matches_any_of", "held, confirmed", True),
            ("is_blank", "", False),
            ("is_not_blank", "", True),
        ],
    )
    def test_splits_compare(self, control, call, flow, kind, value, matches):
        """Letter case does not count."""
        flow["states"][2]["transitions"][1]["conditions"][0] |= {"type": kind, "value": value}
        told = play(control, call, "studio", document=flow)

        assert f"branched ask {'match' if matches else 'noMatch'}" in did(told)

    def test_variables_are_known_to_later_widgets(self, control, call):
        """What a widget sets another one says."""
        states = [
            widget("Trigger", "trigger", {}, incomingCall="set"),
            widget("set", "set-variables", {"variables": [{"key": "name", "value": "Ada"}]}, next="say"),
            widget("say", "say-play", {"say": "Hello {{flow.variables.name}}{{widgets.none.parsed.a}}."}),
        ]
        told = play(control, call, "studio", document={"states": states})

        assert "said Hello Ada." in did(told)

    def test_a_widget_starts_the_recording(self, control):
        """From then on the tape hears what is said; to switch it off is not played."""
        call = control.start_call("twilio", recordings=0)
        states = [
            widget("Trigger", "trigger", {}, incomingCall="greet"),
            widget("greet", "say-play", {"say": "Hello."}, audioComplete="record"),
            widget("record", "record-call", {"record_call": True}, success="say", failed="greet"),
            widget("say", "say-play", {"say": "Recorded."}, audioComplete="off"),
            widget("off", "record-call", {"record_call": False}),
        ]
        told = play(control, call, "studio", document={"states": states})

        assert did(told)[-3:] == ["branched record success", "said Recorded.", "branched say audioComplete"]
        assert told["error"] == "the widget off is of a type that is not played here"
        assert control.tape(call) == ["Recorded."]

    def test_a_circle_is_bounded(self, control, call, flow):
        """A flow that leads back to its request for ever is given up."""
        flow["states"][2]["transitions"][0]["next"] = flow["states"][2]["transitions"][1]["next"] = "pause"
        told = play(control, call, "studio", document=flow)

        assert told["error"].startswith("more than")
        assert not told["ended"]

    @pytest.mark.parametrize(
        ("number", "change", "error"),
        [
            (1, {"properties": {"method": "POST", "url": "", "add_twilio_auth": True}}, "account's credentials"),
            (1, {"properties": {"method": "POST", "url": "/relative"}}, "neither absolute"),
            (1, {"properties": {"url": "http://127.0.0.1/{{a | upcase}}"}}, "no plain path"),
            (1, {"type": "run-function"}, "the widget pause is of a type that is not played here"),
            (0, {"transitions": [{"event": "incomingCall", "next": "nobody"}]}, "no widget of a name"),
        ],
    )
    def test_refuses_what_it_does_not_play(self, control, customer, call, flow, number, change, error):
        """The account's own credentials above all are sent to nobody."""
        flow = copy.deepcopy(flow)
        flow["states"][number] |= change
        told = play(control, call, "studio", document=flow)

        assert error in told["error"]
        assert customer.asked == []

    @pytest.mark.parametrize("document", ["{}", {}, {"states": {}}, {"states": [1]}])
    def test_refuses_what_is_no_flow(self, control, call, document):
        """A definition has states."""
        assert play(control, call, "studio", document=document)["error"]


class TestSignature:
    """By what a customer knows the platform."""

    def test_every_request_is_signed(self, control, customer, credentials, call, flow):
        """Twilio's SDK says so: JSON by its digest in the query, a form by its fields, a GET by its URL."""
        get = {"method": "GET", "url": f"{customer.origin}/get?a=b", "parameters": [{"key": "c", "value": "d"}]}
        flow["states"][5] = widget("bye", "make-http-request", get)
        play(control, call, "studio", document=flow, caller=[CARD])
        validator = RequestValidator(credentials["twilio"]["auth_token"])
        pause, leave, get = customer.asked
        configured = customer.origin.replace("//", "//demo:secret@")

        assert "bodySHA256" in pause.query
        assert get.target == "/get?a=b&c=d"
        assert validator.compute_signature(configured + pause.target, {}) == pause.headers["x-twilio-signature"]
        assert validator.validate(customer.origin + leave.target, leave.form, leave.headers["x-twilio-signature"])
        assert validator.validate(customer.origin + get.target, {}, get.headers["x-twilio-signature"])
