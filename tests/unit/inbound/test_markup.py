"""Flows that fetch markup: a document that sends the call on, to card entry only if that is safe."""

import json
from urllib.parse import quote

import httpx
import pytest
from defusedxml.ElementTree import fromstring

from call_recording.inbound.flows import FlowCallbacks
from tests.unit.fakes import BANDWIDTH_CALL, CALLS, CARD, assemble, flow_event, secret_json

NEXT = "https://ivr.example.com/collect?step=1&lang=en"
OTHERWISE = "https://ivr.example.com/agent"
SPEAKING = ("bandwidth", "signalwire", "twilio")
CONTENT_TYPES = {"bandwidth": "application/xml", "signalwire": "text/xml", "twilio": "text/xml"}
#: What Bandwidth's document does beside sending the call on: a resume outside the lease could break a later pause.
VERBS = {"entered": ["PauseRecording"], "left": [], "stop": ["StopRecording"]}
#: None of these lies below https://ivr.example.com/.
FOREIGN = [
    "https://evil.example.com/",
    "http://ivr.example.com/",
    "https://ivr.example.com@evil.example/",
    "/agent",
    "",
]


def query(**targets: str) -> str:
    """Write the targets as a flow does."""
    return "&".join(f"{name}={quote(url, safe='')}" for name, url in targets.items())


@pytest.fixture(name="ask")
def _ask(clock, platforms, secrets_manager, observer):
    """Send one flow's request with a query, and return the answer."""
    parts = assemble(clock=clock, platforms=platforms, secrets_manager=secrets_manager, observer=observer)
    flows = FlowCallbacks(
        accounts=parts.accounts, recordings=parts.recordings, clock=parts.clock, observer=parts.observer
    )

    def ask(query: str, **given):
        return flows.answer(flow_event(**given, rawQueryString=query), seconds_left=10.0)

    return ask


def target(answer) -> str:
    """Where the document sends the call."""
    [redirect] = [verb for verb in fromstring(answer["body"]) if verb.tag == "Redirect"]
    return redirect.text or redirect.attrib["redirectUrl"]


def verbs(answer) -> list[str]:
    """The document's verbs, in order."""
    return [verb.tag for verb in fromstring(answer["body"])]


class TestTargets:
    @pytest.mark.parametrize("vendor", SPEAKING)
    @pytest.mark.parametrize("word", ["entered", "left", "stop"])
    def test_it_worked(self, ask, vendor, word):
        """What was asked for holds: the call goes on to `next`, in the vendor's language."""
        answer = ask(query(next=NEXT, otherwise=OTHERWISE), vendor=vendor, word=word)

        assert (answer["statusCode"], answer["headers"]["content-type"]) == (200, CONTENT_TYPES[vendor])
        assert target(answer) == NEXT
        assert verbs(answer) == ([*VERBS[word], "Redirect"] if vendor == "bandwidth" else ["Redirect"])

    @pytest.mark.parametrize(
        ("vendor", "word"),
        [
            (vendor, word)
            for vendor in SPEAKING
            for word in ("entered", "stop")
            if (vendor, word) != ("bandwidth", "stop")
        ],
    )
    @pytest.mark.parametrize("failure", [httpx.Response(500), httpx.Response(404), httpx.Response(200, text="<html>")])
    def test_it_did_not(self, ask, platforms, vendor, word, failure):
        """Whatever goes wrong at the vendor, the call goes to `otherwise`, still with a 200."""
        platforms.answer = failure
        answer = ask(query(next=NEXT, otherwise=OTHERWISE), vendor=vendor, word=word)

        assert (answer["statusCode"], target(answer), verbs(answer)) == (200, OTHERWISE, ["Redirect"])

    @pytest.mark.parametrize("vendor", SPEAKING)
    @pytest.mark.parametrize("targets", [{"next": NEXT}, {"next": NEXT, "otherwise": OTHERWISE}])
    def test_left_always_goes_on(self, ask, platforms, vendor, targets):
        """Whoever leaves a step goes on as planned, even if the resume failed."""
        platforms.answer = httpx.Response(500)
        answer = ask(query(**targets), vendor=vendor, word="left")

        assert (answer["statusCode"], target(answer), verbs(answer)) == (200, NEXT, ["Redirect"])

    @pytest.mark.parametrize("word", ["entered", "left", "stop"])
    @pytest.mark.parametrize("foreign", FOREIGN)
    def test_a_next_that_is_not_allowed(self, ask, platforms, observer, word, foreign):
        """A `next` that the account does not allow sends the call to `otherwise`, and nothing to the vendor."""
        answer = ask(query(next=foreign, otherwise=OTHERWISE), word=word)

        assert (answer["statusCode"], target(answer)) == (200, OTHERWISE)
        assert platforms.requests == []
        assert [refusal["field"] for refusal in observer.refusals] == ["next"]

    @pytest.mark.parametrize("word", ["entered", "stop"])
    @pytest.mark.parametrize("foreign", [*FOREIGN, None])
    def test_an_otherwise_that_is_not_allowed(self, ask, platforms, word, foreign):
        """Without a good `otherwise` there is nowhere safe to go: 422."""
        targets = {"next": NEXT} | ({} if foreign is None else {"otherwise": foreign})
        answer = ask(query(**targets), word=word)

        assert (answer["statusCode"], json.loads(answer["body"])["field"]) == (422, "otherwise")
        assert platforms.requests == []

    @pytest.mark.parametrize("foreign", FOREIGN)
    @pytest.mark.parametrize("name", ["next", "otherwise"])
    def test_left_with_a_target_that_is_not_allowed(self, ask, platforms, name, foreign):
        """A step is left only to what the account allows."""
        answer = ask(query(**{"next": NEXT, name: foreign} if name == "otherwise" else {"next": foreign}), word="left")

        assert answer["statusCode"] == 422
        assert platforms.requests == []

    def test_only_otherwise(self, ask, platforms):
        """A flow that names no `next` goes to `otherwise`, and nothing is sent."""
        assert target(ask(query(otherwise=OTHERWISE))) == OTHERWISE
        assert platforms.requests == []

    @pytest.mark.parametrize("repeated", ["next", "otherwise"])
    def test_a_repeated_parameter(self, ask, repeated):
        """A parameter that comes twice is ambiguous, and refused."""
        answer = ask(query(next=NEXT, otherwise=OTHERWISE) + "&" + query(**{repeated: NEXT}))

        assert (answer["statusCode"], json.loads(answer["body"])["field"]) == (422, repeated)

    @pytest.mark.parametrize("ill", ["next=%ff", "&".join(f"a{n}=1" for n in range(101))])
    def test_an_ill_query(self, ask, ill):
        """A query that cannot be read is refused."""
        assert ask(ill)["statusCode"] == 422

    @pytest.mark.parametrize(
        "others", ["utm=1", "utm=1&utm=2", "bodySHA256=0&bodySHA256=0", f"{CARD}=1&{CARD}=2", "Next=x&NEXT=y"]
    )
    def test_other_parameters(self, ask, others):
        """Other parameters are no request for markup, however often they come: a vendor adds its own."""
        assert json.loads(ask(others)["body"])["safe_to_collect"] is True
        assert target(ask(f"{others}&{query(next=NEXT, otherwise=OTHERWISE)}")) == NEXT

    @pytest.mark.parametrize("name", [CARD, "cvv", "%0a", "next%20"])
    def test_scenario_35_a_parameter_s_name_is_nobody_s_word(self, ask, observer, name):
        """Whatever a query names its parameters, no name of it is repeated: not in an answer, and to no operator."""
        answer = ask(f"{name}=1&{name}=2&next={NEXT}&next={NEXT}")

        assert json.loads(answer["body"])["field"] == "next"
        assert name not in answer["body"] + repr(observer)

    @pytest.mark.parametrize("name", ["next", "otherwise"])
    def test_bird_has_none(self, ask, platforms, name):
        """Bird has no call markup."""
        answer = ask(query(**{name: OTHERWISE}), vendor="bird")

        assert (answer["statusCode"], json.loads(answer["body"])["field"]) == (422, name)
        assert platforms.requests == []


class TestTriggers:
    @pytest.mark.parametrize("body", ["{", "{}", {"call_id": "../x"}])
    def test_an_ill_trigger(self, ask, platforms, body):
        """A trigger that does not fit sends the call to `otherwise`: nothing was paused."""
        answer = ask(query(next=NEXT, otherwise=OTHERWISE), body=body)

        assert (answer["statusCode"], target(answer)) == (200, OTHERWISE)
        assert platforms.requests == []

    def test_a_stranger(self, ask, platforms):
        """Whoever has proven nothing gets no document."""
        assert ask(query(next=NEXT, otherwise=OTHERWISE), authorization=None)["statusCode"] == 401
        assert platforms.requests == []

    def test_another_account(self, ask, platforms):
        """A payload of another account is refused as ever."""
        body = {"CallSid": CALLS["twilio"], "AccountSid": "AC" + "0" * 32}

        assert ask(query(next=NEXT, otherwise=OTHERWISE), body=body)["statusCode"] == 401
        assert platforms.requests == []

    def test_bandwidth_stops_by_its_document(self, ask, platforms):
        """A stop at Bandwidth replaces no BXML while Bandwidth waits for ours: the document does it, and nothing is sent."""
        answer = ask(
            query(next=NEXT, otherwise=OTHERWISE), vendor="bandwidth", word="stop", body={"callId": BANDWIDTH_CALL}
        )

        assert verbs(answer) == ["StopRecording", "Redirect"]
        assert platforms.requests == []

    def test_bandwidth_stop_still_has_to_fit(self, ask):
        """A stop of no call is none."""
        answer = ask(query(next=NEXT, otherwise=OTHERWISE), vendor="bandwidth", word="stop", body={})

        assert (target(answer), verbs(answer)) == (OTHERWISE, ["Redirect"])

    def test_a_secret_that_does_not_fit(self, ask, secrets_manager):
        """A secret that does not fit is the owner's to mend, not the caller's to be sent on by."""
        secrets_manager.secrets["call-recording/demo-twilio"] = secret_json(settings={"budget_ms": 1})

        assert ask(query(next=NEXT, otherwise=OTHERWISE))["statusCode"] == 500

    @pytest.mark.parametrize("vendor", SPEAKING)
    def test_a_url_is_escaped(self, ask, vendor):
        """A target cannot break out of the document."""
        sly = 'https://ivr.example.com/"><Hangup/><a'
        answer = ask(query(next=sly, otherwise=OTHERWISE), vendor=vendor)

        assert target(answer) == sly
        assert "Hangup" not in verbs(answer)
