"""Flows that stand for Bird's, played by the simulated Bird."""

from __future__ import annotations

import pytest

from tests.simulators.customer import CARD, did, play, serving

pytestmark = pytest.mark.integration


@pytest.fixture(name="customer")
def _customer():
    with serving() as customer:
        customer.url("/entered", (200, "application/json", "{}"))
        yield customer


@pytest.fixture(name="call")
def _call(control):
    return control.start_call("bird")


@pytest.fixture(name="flow")
def _flow(customer):
    return {
        "steps": [
            {
                "name": "pause",
                "type": "http-request",
                "method": "POST",
                "url": f"{customer.origin}/entered",
                "headers": {"Authorization": "Bearer token", "Content-Type": "application/json"},
                "body": {
                    "workspaceId": "{{call.workspaceId}}",
                    "channelId": "{{call.channelId}}",
                    "callId": "{{call.id}}",
                },
                "on_success": "card",
                "on_failure": "agent",
            },
            {"name": "card", "type": "gather", "say": "Card?", "on_input": "bye", "on_no_input": "agent"},
            {"name": "bye", "type": "say", "text": "Thank you.", "next": "end"},
            {"name": "end", "type": "hangup"},
            {"name": "agent", "type": "transfer"},
        ]
    }


class TestFlow:
    """How a call goes from step to step."""

    def test_a_whole_call(self, control, customer, credentials, call, flow):
        """The request succeeds and the caller is asked."""
        told = play(control, call, "bird", document=flow, caller=[CARD])
        (asked,) = customer.asked
        keys = credentials["bird"]

        assert did(told) == [
            "fetched /entered 200",
            "branched pause on_success",
            "said Card?",
            "asked gather True",
            "branched card on_input",
            "said Thank you.",
            "branched bye next",
            "hung up",
        ]
        assert (told["ended"], told["error"]) == (True, None)
        assert asked.json == {
            "workspaceId": keys["workspace_id"],
            "channelId": keys["channel_id"],
            "callId": call["call_id"],
        }
        assert (asked.headers["authorization"], asked.headers["content-type"]) == ("Bearer token", "application/json")
        assert not any("signature" in name for name in asked.headers)
        assert control.tape(call) == ["Card?", CARD, "Thank you.", "[stopped]"]

    @pytest.mark.parametrize("status", [0, 302, 401, 409, 503])
    def test_otherwise_nobody_is_asked(self, control, customer, call, flow, status):
        """Every answer but a success, and none at all, leads to the agent."""
        customer.url("/entered", (status, "application/json", "{}"))
        if not status:
            flow["steps"][0]["url"] = "http://127.0.0.1:1/entered"
        told = play(control, call, "bird", document=flow, caller=[CARD])

        assert did(told) == [f"fetched /entered {status}", "branched pause on_failure", "handed on transfer"]
        assert (told["ended"], told["error"], control.tape(call)) == (False, None, [])

    def test_what_was_given_is_known_to_later_steps(self, control, customer, call, flow):
        """As are the answers' statuses; a request may be a GET, and a step that names none after it is the last."""
        url = f"{customer.origin}/entered?given={{{{steps.card.input}}}}"
        ask = {"name": "card", "type": "gather", "speech": True, "on_input": "get"}
        get = {"name": "get", "type": "http-request", "method": "GET", "url": url, "on_success": "say"}
        told = play(
            control,
            call,
            "bird",
            document={"steps": [ask, get, {"name": "say", "type": "say", "text": "{{steps.get.status}}"}]},
            caller=["yes"],
        )

        assert did(told)[-3:] == ["said 200", "branched say next", "hung up"]
        assert (customer.asked[0].method, customer.asked[0].query) == ("GET", {"given": "yes"})

    def test_nothing_given_has_a_way_of_its_own(self, control, call, flow):
        """A silent caller gets an agent."""
        told = play(control, call, "bird", document=flow)

        assert did(told)[-2:] == ["branched card on_no_input", "handed on transfer"]

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"type": "run-code"}, "the step pause is of a type that is not played here"),
            ({"on_success": "nobody"}, "no step of a name"),
            ({"on_success": "pause"}, "more than 30 requests"),
            ({"url": "/entered"}, "neither absolute"),
        ],
    )
    def test_refuses_what_it_does_not_play(self, control, call, flow, change, error):
        """By name, and without ending the call."""
        flow["steps"][0] |= change
        told = play(control, call, "bird", document=flow)

        assert error in told["error"]
        assert not told["ended"]

    @pytest.mark.parametrize("document", ["{}", {}, {"steps": []}, {"steps": [1]}])
    def test_refuses_what_is_no_flow(self, control, call, document):
        """A flow has steps."""
        assert play(control, call, "bird", document=document)["error"]
