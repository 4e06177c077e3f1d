"""Scripts in SWML, played by the simulated SignalWire."""

from __future__ import annotations

import json
import threading

import pytest

from tests.simulators.customer import CARD, DIGITS, did, play, serving

pytestmark = pytest.mark.integration

#: Much as docs/how-to/signalwire-swml.md has it.
SCRIPT = """
version: 1.0.0
sections:
  main:
    - answer
    - request:
        url: %(origin)s/entered
        method: POST
        timeout: 8
        connect_timeout: 2
        save_variables: true
        headers: {Authorization: "Bearer token", Content-Type: application/json}
        body: {call_id: "${call.call_id}"}
    - cond:
        - when: request_result == 'success' && request_response_code == 200
          then: [{execute: {dest: collect_card}}]
        - else: [{execute: {dest: agent}}]
    - play: {urls: ["say:Thank you, ${call.from}.", "ring:1.0:us"]}
    - hangup
  collect_card:
    - prompt: {play: "say:Card?", max_digits: 19, terminators: "#"}
    - request:
        url: %(origin)s/left
        method: PUT
        headers: {X-Keyed: "${prompt_result}"}
        body: "keyed=${prompt_value}&verdict=${request_response.verdict}"
  agent:
    - connect: {to: "+15005550100"}
"""


@pytest.fixture(name="customer")
def _customer():
    with serving() as customer:
        customer.url("/entered", (200, "application/json", '{"verdict": "confirmed"}'))
        customer.url("/left", (200, "application/json", "{}"))
        yield customer


@pytest.fixture(name="call")
def _call(control):
    return control.start_call("signalwire")


def main(*instructions):
    """A script of one section."""
    return {"sections": {"main": list(instructions)}}


class TestScript:
    """How a call goes through a script."""

    def test_a_whole_call(self, control, customer, call):
        """The request succeeds, the caller is asked, and what was keyed goes where the script says."""
        told = play(control, call, "swml", document=SCRIPT % {"origin": customer.origin}, caller=[f"{CARD}#"])
        entered, left = customer.asked

        assert did(told) == [
            "fetched /entered 200",
            "branched cond then",
            "said Card?",
            "asked prompt True",
            "fetched /left 200",
            "said Thank you, +15005550100.",
            "played play",
            "hung up",
        ]
        assert (told["ended"], told["error"]) == (True, None)
        assert (entered.method, entered.json) == ("POST", {"call_id": call["call_id"]})
        assert (entered.headers["authorization"], entered.headers["content-type"]) == (
            "Bearer token",
            "application/json",
        )
        assert not any("signature" in name for name in entered.headers)
        assert (left.method, left.headers["x-keyed"]) == ("PUT", "match_digits")
        assert left.form == {"keyed": DIGITS, "verdict": "confirmed"}
        assert control.tape(call) == ["Card?", f"{CARD}#", "Thank you, +15005550100.", "[stopped]"]

    @pytest.mark.parametrize("status", [0, 302, 401, 409, 503])
    def test_otherwise_nobody_is_asked(self, control, customer, call, status):
        """Whatever else comes back, or nothing: the caller gets an agent."""
        customer.url("/entered", (status, "application/json", '{"verdict": "confirmed"}'))
        origin = customer.origin if status else "http://127.0.0.1:1"
        told = play(control, call, "swml", document=SCRIPT % {"origin": origin}, caller=[CARD])

        assert did(told) == [f"fetched /entered {status}", "branched cond else", "handed on connect"]
        assert (told["ended"], told["error"], control.tape(call)) == (False, None, [])

    def test_a_result_alone_proves_nothing(self, control, customer, call):
        """A script that looks only at `request_result` goes on after a refusal."""
        customer.url("/entered", (502, "application/json", "{}"))
        switch = {"variable": "request_result", "case": {"success": ["hangup"]}, "default": [{"connect": {}}]}
        request = {"url": f"{customer.origin}/entered", "method": "POST"}
        told = play(control, call, "swml", document=main({"request": request}, {"switch": switch}))

        assert did(told)[1:] == ["branched switch case", "hung up"]

    def test_a_script_may_be_fetched(self, control, customer, credentials, call):
        """The platform posts the call as JSON, and reads YAML or JSON."""
        url = customer.url("/script", (200, "application/json", json.dumps(main({"play": {"url": "say: Hello"}}))))
        told = play(control, call, "swml", url=url)

        assert did(told) == ["fetched /script 200", "said Hello", "hung up"]
        assert customer.asked[0].json["call"]["call_id"] == call["call_id"]
        assert customer.asked[0].json["call"]["project_id"] == credentials["signalwire"]["project_id"]
        assert "x-signalwire-signature" in customer.asked[0].headers

    @pytest.mark.parametrize(
        ("reply", "error"),
        [
            ((401, "text/plain", ""), "/script answered 401"),
            ((200, "text/plain", "{"), "the document is neither YAML nor JSON"),
            ((200, "text/plain", "a text"), "the document has no sections"),
            ((200, "text/plain", "sections: {main: 1}"), "the document has no sections"),
        ],
    )
    def test_a_script_that_cannot_be_had_ends_the_call(self, control, customer, call, reply, error):
        """There is no fallback."""
        told = play(control, call, "swml", url=customer.url("/script", reply))

        assert (told["ended"], told["error"]) == (True, error)

    def test_no_answer_ends_the_call(self, control, call):
        """A server that is not there has no script."""
        told = play(control, call, "swml", url="http://127.0.0.1:1/script")

        assert (told["ended"], told["error"]) == (True, "/script did not answer")


class TestMethods:
    """What the methods do."""

    @pytest.mark.parametrize(
        ("prompt", "caller", "heard"),
        [
            ({}, ["12#"], "match_digits 12#"),
            ({"terminators": "#"}, ["12#"], "match_digits 12"),
            ({"max_digits": 1}, ["12"], "match_digits 1"),
            ({}, ["one"], "no_input "),
            ({"speech_language": "en-GB"}, ["one two"], "match_speech one two"),
            ({"speech_language": "en-GB"}, ["1"], "match_speech 1"),
            ({"speech_language": "en-GB", "max_digits": 2}, ["1"], "match_digits 1"),
            ({}, [], "no_input "),
        ],
    )
    def test_prompt_asks_for_keys_or_words(self, control, call, prompt, caller, heard):
        """Words count if the script asks for them."""
        document = main({"prompt": {"play": "ring:us", **prompt}}, {"play": "say:%{prompt_result} ${prompt_value}"})
        told = play(control, call, "swml", document=document, caller=caller)

        assert f"said {heard}".strip() in [line.strip() for line in did(told)]

    def test_sections_are_executed_with_parameters(self, control, call):
        """They return where they were called from, at their end or before it; a transfer does not."""
        document = main(
            {"execute": {"dest": "hello", "params": {"name": "Ada"}}},
            {"play": "say:Back."},
            {"transfer": {"dest": "hello"}},
            {"play": "say:Never."},
        )
        document["sections"]["hello"] = [{"play": "say:Hello ${params.name}."}, "return", {"play": "say:Never."}]
        told = play(control, call, "swml", document=document)

        assert did(told) == ["said Hello Ada.", "said Back.", "said Hello .", "hung up"]

    def test_goes_to_a_label(self, control, call):
        """As long as its condition holds, from within a branch too."""
        loop = {"cond": [{"when": "tries != 'two'", "then": [{"set": {"tries": "two"}}, {"goto": {"label": "again"}}]}]}
        never = {"goto": {"label": "again", "when": "tries == 'three'"}}
        told = play(
            control,
            call,
            "swml",
            document=main({"set": {"tries": "one"}}, {"label": "again"}, {"play": "say:${tries}"}, loop, never),
        )

        assert [line for line in did(told) if line.startswith("said")] == ["said one", "said two"]

    def test_records_in_the_background(self, control):
        """The script knows the recording by the control id that it gave, or by one that it is given."""
        call = control.start_call("signalwire", recordings=0)
        again = ({"record_call": {"control_id": "mine"}}, {"play": "say:${record_control_id}"}, "record_call")
        told = play(control, call, "swml", document=main(*again, {"play": "say:${record_control_id}"}))

        assert did(told)[0] == "said mine"
        assert len(did(told)[1]) == len("said ") + 36
        assert len(control.tape(call, 0)) == len(control.tape(call, 1)) + 1

    @pytest.mark.parametrize(("seconds", "code"), [(8, 200), (0.05, None)])
    def test_a_request_has_the_timeout_that_it_says(self, control, customer, call, seconds, code):
        """What does not answer in time has failed, and leaves no code."""
        never = []

        def slow(_):
            if seconds < 1:
                threading.Event().wait(0.5)
            never.append(1)
            return 200, "application/json", "{}"

        request = {"url": customer.url("/slow", slow), "method": "GET", "timeout": seconds}
        told = play(
            control, call, "swml", document=main({"request": request}, {"play": "say:${request_response_code}."})
        )

        assert did(told)[0] == f"fetched /slow {code or 0}"
        assert did(told)[1] == f"said {code or ''}."

    @pytest.mark.parametrize(
        ("instruction", "error"),
        [
            ({"pay": {}}, "the method pay is not played here"),
            ({"request": {"url": "http://127.0.0.1/", "method": "PATCH"}}, "must be GET, POST, PUT or DELETE"),
            (
                {"request": {"url": "http://127.0.0.1/", "method": "GET", "headers": {"Cookie": "a"}}},
                "the header Cookie",
            ),
            ({"request": {"url": "https://example.com/", "method": "GET"}}, "a URL of the flow must be"),
            ({"execute": {"dest": "nowhere"}}, "no section of a name"),
            ({"goto": {"label": "nowhere"}}, "a label that is nowhere"),
            ({"cond": [{"when": "a +", "then": []}]}, "a part that is not played here"),
            ({"play": "say:${a + 1}"}, "no plain path"),
            ({"prompt": {"max_digits": "x"}}, "max_digits of prompt must be a whole number"),
            ({"play": "a", "hangup": {}}, "not one method"),
            (1, "not one method"),
        ],
    )
    def test_refuses_what_it_does_not_play(self, control, call, instruction, error):
        """By name, and without ending the call."""
        told = play(control, call, "swml", document=main(instruction), caller=["1"])

        assert error in told["error"]
        assert not told["ended"]

    def test_a_circle_is_bounded(self, control, call):
        """A script that goes back for ever is given up."""
        told = play(control, call, "swml", document=main({"label": "a"}, {"goto": {"label": "a"}}))

        assert told["error"].startswith("more than 50 verbs")
