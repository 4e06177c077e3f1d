"""Flows in BXML, played by the simulated Bandwidth."""

from __future__ import annotations

import pytest

from tests.simulators.customer import CARD, DIGITS, did, play, serving

pytestmark = pytest.mark.integration

XML = "application/xml"


@pytest.fixture(name="customer")
def _customer():
    with serving() as customer:
        customer.xml("/bye", "<Bxml><SpeakSentence>Thank you.</SpeakSentence><Hangup/></Bxml>")
        customer.xml("/agent", "<Response><Transfer/></Response>")
        yield customer


@pytest.fixture(name="call")
def _call(control):
    return control.start_call("bandwidth")


def redirect(url, **attributes):
    """A document that sends the call on."""
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<Response><Redirect redirectUrl="{url}"{written}/></Response>'


class TestWay:
    """How a call goes from document to document."""

    @pytest.mark.parametrize("paused", [False, True])
    def test_a_whole_call(self, control, customer, credentials, call, paused):
        """Events come as JSON; a document pauses and resumes by itself, and what is said meanwhile is on no tape."""
        pause, resume = ("<PauseRecording/>", "<ResumeRecording/>") if paused else ("", "")
        customer.xml(
            "/card",
            f'<Response>{pause}<Gather gatherUrl="/keyed" tag="t"><SpeakSentence>Card?</SpeakSentence></Gather></Response>',
        )
        customer.xml("/keyed", f'<Response>{resume}<Redirect redirectUrl="/bye"/></Response>')
        told = play(control, call, "bxml", url=customer.xml("/start", redirect("/card")), caller=[CARD])

        assert did(told) == [
            "fetched /start 200",
            "redirected /card",
            "fetched /card 200",
            "said Card?",
            "asked Gather True",
            "fetched /keyed 200",
            "redirected /bye",
            "fetched /bye 200",
            "said Thank you.",
            "hung up",
        ]
        assert (told["ended"], told["error"]) == (True, None)
        events = [asked.json for asked in customer.asked]
        assert [event["eventType"] for event in events] == ["initiate", "redirect", "gather", "redirect"]
        assert [event.get("digits") for event in events] == [None, None, DIGITS, None]
        assert [event.get("tag") for event in events] == [None, None, "t", "t"]
        assert {(event["callId"], event["accountId"]) for event in events} == {
            (call["call_id"], credentials["bandwidth"]["account_id"])
        }
        heard = ["[paused]", "[resumed]"] if paused else ["Card?", CARD]
        assert control.tape(call) == [*heard, "Thank you.", "[stopped]"]

    def test_otherwise_nobody_is_asked(self, control, customer, call):
        """A call that is sent elsewhere never comes to the Gather."""
        told = play(control, call, "bxml", url=customer.xml("/start", redirect("/agent")), caller=[CARD])

        assert did(told)[-1] == "handed on Transfer"
        assert (told["ended"], told["error"], control.tape(call)) == (False, None, [])

    def test_recording_starts_and_stops_by_verbs(self, control, call):
        """A second recording is not started beside the first; one that was stopped is over."""
        told = play(
            control,
            call,
            "bxml",
            document="<Bxml><StartRecording/><StopRecording/><StartRecording/><PlayAudio>a</PlayAudio></Bxml>",
        )

        assert did(told) == ["played PlayAudio", "hung up"]
        assert len(control.show(call)["recordings"]) == 2

    def test_a_document_that_runs_out_ends_the_call(self, control, customer, call):
        """Also one whose redirect or Gather says no URL."""
        told = play(control, call, "bxml", document="<Response><Gather/><Redirect/></Response>", caller=["1"])

        assert (did(told), told["ended"], told["error"]) == (["asked Gather True", "hung up"], True, None)

    def test_a_redirect_by_get_has_its_fields_in_the_query(self, control, customer, call):
        """As the vendor documents it."""
        document = redirect(f"{customer.origin}/bye", redirectMethod="GET")
        play(control, call, "bxml", document=document)
        (asked,) = customer.asked

        assert (asked.method, asked.body) == ("GET", b"")
        assert (asked.query["eventType"], asked.query["callId"]) == ("redirect", call["call_id"])


class TestGather:
    """How the caller is asked."""

    @pytest.mark.parametrize(
        ("attributes", "caller", "digits", "terminating"),
        [
            ("", ["12#3"], "12#3", ""),
            ('terminatingDigits="#*"', ["12#3"], "12", "#"),
            ('maxDigits="2"', ["123"], "12", ""),
            ("", [], "", ""),
            ("", ["one"], "", ""),
        ],
    )
    def test_the_event_comes_with_and_without_digits(
        self, control, customer, call, attributes, caller, digits, terminating
    ):
        """What ended the input is told apart."""
        document = f'<Response><Gather gatherUrl="{customer.origin}/bye" {attributes}/></Response>'
        play(control, call, "bxml", document=document, caller=caller)
        event = customer.asked[0].json

        assert (event["digits"], event["terminatingDigit"]) == (digits, terminating)


class TestBasic:
    """By what a customer knows the platform."""

    def test_a_verb_says_who_is_let_in(self, control, customer, call):
        """Each request carries the user and the password of its own verb, and none where there is none."""
        customer.xml("/gather", '<Response><Gather gatherUrl="/bye" username="g" password="h"/></Response>')
        document = redirect(f"{customer.origin}/start", username="u", password="p:w")
        customer.xml("/start", redirect("/gather"))
        told = play(control, call, "bxml", document=document, caller=["1"])

        assert [(asked.path, asked.basic) for asked in customer.asked] == [
            ("/start", "u:p:w"),
            ("/gather", None),
            ("/bye", "g:h"),
        ]
        assert "p:w" not in str(told)

    @pytest.mark.parametrize(("password", "error"), [("right", None), ("wrong", "callback-error: /card answered 401")])
    def test_the_ivr_lets_in_who_has_it(self, control, addresses, call, password, error):
        """A document with Basic is played with its password, and ends the call without."""
        document = {"path": "/card", "content_type": XML, "body": "<Bxml><Hangup/></Bxml>"}
        control.put("/ivr/documents", document | {"basic": {"username": "ivr", "password": "right"}})
        start = redirect(f"{addresses['ivr']}/card", username="ivr", password=password)
        told = play(control, call, "bxml", document=start)

        assert (told["ended"], told["error"]) == (True, error)


class TestFailure:
    """What the platform does when a document cannot be had."""

    @pytest.mark.parametrize(
        ("reply", "error"),
        [
            ((401, XML, "<Bxml/>"), "callback-error: /broken answered 401"),
            ((200, "application/json", "<Bxml/>"), "callback-error: what /broken answered is not labelled as XML"),
            ((200, XML, "<Document/>"), "callback-error: what /broken answered is not BXML"),
            ((204, XML, ""), "callback-error: what /broken answered is not BXML"),
        ],
    )
    def test_ends_the_call_or_asks_the_fallback(self, control, customer, call, reply, error):
        """A verb may say where else its event is delivered, with a user of its own."""
        customer.url("/broken", reply)
        other = control.start_call("bandwidth")
        fallback = {"redirectFallbackUrl": "/agent", "fallbackUsername": "f", "fallbackPassword": "b"}
        start = customer.xml("/start", redirect("/broken"))
        told = play(control, call, "bxml", url=start)
        customer.xml("/start", redirect("/broken", username="u", password="p", **fallback))
        saved = play(control, other, "bxml", url=start)

        assert (told["ended"], told["error"], did(saved)[-1]) == (True, error, "handed on Transfer")
        assert [asked.basic for asked in customer.asked[-2:]] == ["u:p", "f:b"]
        assert [asked.json["eventType"] for asked in customer.asked[-2:]] == ["redirect", "redirect"]

    def test_the_first_document_has_a_fallback_too(self, control, customer, call):
        """It is asked once; then the call ends."""
        told = play(control, call, "bxml", url=f"{customer.origin}/a", fallback_url=f"{customer.origin}/b")

        assert (told["ended"], told["error"]) == (
            True,
            "callback-error: /a answered 404; and the fallback: /b answered 404",
        )

    def test_no_answer_and_no_bxml_end_the_call(self, control, customer, call):
        """The one from a server that is not there, the other as the first document."""
        other = control.start_call("bandwidth")
        told = play(control, call, "bxml", url="http://127.0.0.1:1/start")
        refused = play(control, other, "bxml", document="no BXML")

        assert (told["ended"], told["error"]) == (True, "callback-error: /start did not answer")
        assert (refused["ended"], refused["error"]) == (True, "callback-error: The body is not BXML")

    def test_a_redirect_loop_is_bounded(self, control, customer, call):
        """After thirty requests the player gives up, and says so."""
        told = play(control, call, "bxml", url=customer.xml("/loop", redirect("/loop")))

        assert (told["ended"], told["error"], len(customer.asked)) == (False, "more than 30 requests", 30)

    @pytest.mark.parametrize("verb", ["Record", "StartGather", "Gather><Hangup/></Gather"])
    def test_refuses_what_it_does_not_play(self, control, call, verb):
        """By name."""
        told = play(control, call, "bxml", document=f"<Bxml><{verb}{'/' if '<' not in verb else ''}></Bxml>")

        assert "is not played here" in told["error"]
        assert not told["ended"]
