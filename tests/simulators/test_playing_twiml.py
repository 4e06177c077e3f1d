"""Flows in TwiML and cXML, played by the simulated Twilio and SignalWire."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from twilio.request_validator import RequestValidator

from tests.simulators.customer import CARD, DIGITS, did, play, serving

pytestmark = pytest.mark.integration

VENDORS = {"twiml": "twilio", "cxml": "signalwire"}
COLLECT = '<Response><Gather action="/paid"><Say>Your card number, please.</Say></Gather></Response>'
AGENT = "<Response><Say>An agent will help you.</Say><Dial>+15005550100</Dial></Response>"
GOODBYE = "<Response><Say>Thank you.</Say><Hangup/></Response>"


@pytest.fixture(name="customer")
def _customer():
    with serving() as customer:
        customer.xml("/collect", COLLECT)
        customer.xml("/agent", AGENT)
        customer.xml("/paid", GOODBYE)
        yield customer


@pytest.fixture(name="language", params=list(VENDORS))
def _language(request):
    return request.param


@pytest.fixture(name="call")
def _call(control, language):
    return control.start_call(VENDORS[language])


def redirect(url, **attributes):
    """A document that sends the call on."""
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<Response><Redirect{written}>{url.replace('&', '&amp;')}</Redirect><Say>Never said.</Say></Response>"


class TestWay:
    """How a call goes from document to document."""

    def test_a_whole_call(self, control, customer, language, call):
        """The platform fetches, follows, asks the caller, and sends what was keyed to the action."""
        start = customer.xml("/start", redirect(f"{customer.origin}/collect"))
        told = play(control, call, language, url=start, caller=[CARD])

        assert told["transcript"] == [
            {"did": "fetched", "path": "/start", "status": 200},
            {"did": "redirected", "to_path": "/collect"},
            {"did": "fetched", "path": "/collect", "status": 200},
            {"did": "said", "text": "Your card number, please."},
            {"did": "asked", "verb": "Gather", "answered": True},
            {"did": "fetched", "path": "/paid", "status": 200},
            {"did": "said", "text": "Thank you."},
            {"did": "hung up"},
        ]
        assert (told["ended"], told["error"]) == (True, None)
        assert [asked.form["CallSid"] for asked in customer.asked] == [call["call_id"]] * 3
        assert [asked.form.get("Digits") for asked in customer.asked] == [None, None, DIGITS]

    @pytest.mark.parametrize("paused", [False, True])
    def test_digits_are_on_the_tape_if_it_runs(self, control, customer, clients, credentials, language, call, paused):
        """A customer may pause the recording while the platform waits for the document: then no tape has the digits."""
        keys = credentials[VENDORS[language]]
        account = keys.get("account_sid") or keys["project_id"]
        prefix = "" if language == "twiml" else "/api/laml"
        recording = f"/Calls/{call['call_id']}/Recordings/{call['recording_ids'][0]}.json"

        def entered(_):
            if paused:
                path = f"{prefix}/2010-04-01/Accounts/{account}{recording}"
                assert clients[VENDORS[language]].post(path, form={"Status": "paused"}).status == 200
            return 200, "text/xml", redirect("/collect")

        told = play(control, call, language, url=customer.url("/entered", entered), caller=[CARD])

        heard = ["Your card number, please.", CARD, "Thank you."]
        assert told["error"] is None
        assert control.tape(call) == (["[paused]", "[stopped]"] if paused else [*heard, "[stopped]"])

    def test_otherwise_nobody_is_asked(self, control, customer, language, call):
        """A call that is sent elsewhere never comes to the Gather: the caller is with an agent, and has keyed nothing."""
        start = customer.xml("/start", redirect("/agent"))
        told = play(control, call, language, url=start, caller=[CARD])

        assert did(told)[-2:] == ["said An agent will help you.", "handed on Dial"]
        assert not any(entry["did"] == "asked" for entry in told["transcript"])
        assert (told["ended"], told["error"], control.tape(call)) == (False, None, ["An agent will help you."])

    def test_a_document_may_be_given_at_once(self, control, customer, language, call):
        """Then the platform fetches only what that document names, by an absolute URL."""
        document = redirect(f"{customer.origin}/paid")
        told = play(control, call, language, document=document)

        assert did(told) == ["redirected /paid", "fetched /paid 200", "said Thank you.", "hung up"]

    def test_the_call_ends_with_its_document(self, control, language, call):
        """After the last verb the platform hangs up."""
        told = play(control, call, language, document="<Response><Play>a.mp3</Play><Pause/></Response>")

        assert did(told) == ["played Play", "played Pause", "hung up"]
        assert told["ended"]

    def test_a_document_starts_the_recording(self, control, language):
        """It goes on at once, and from then on the tape hears what is said; nothing else is started."""
        call = control.start_call(VENDORS[language], recordings=0)
        start = (
            "<Say>Hello.</Say><Start><Recording channels='mono'/></Start><Say>Recorded.</Say><Start><Stream/></Start>"
        )
        told = play(control, call, language, document=f"<Response>{start}</Response>")

        assert (did(told), told["error"]) == (["said Hello.", "said Recorded."], "the verb Start is not played here")
        assert control.tape(call) == ["Recorded."]

    def test_a_redirect_by_get_has_its_fields_in_the_query(self, control, customer, language, call):
        """The transcript shows no query."""
        start = customer.xml("/start", redirect("/paid?next=https%3A%2F%2Fivr", method="GET"))
        told = play(control, call, language, url=start)
        asked = customer.asked[-1]

        assert (asked.method, asked.body, "content-type" in asked.headers) == ("GET", b"", False)
        assert asked.target.startswith("/paid?next=https%3A%2F%2Fivr&CallSid=")
        assert asked.query["CallSid"] == call["call_id"]
        assert "next" not in str(told)

    def test_a_user_in_the_url_is_sent_by_basic(self, control, customer, language, call):
        """And is in no transcript."""
        origin = customer.origin.replace("//", "//demo:pass%20word@")
        told = play(control, call, language, document=redirect(f"{origin}/paid"))

        assert customer.asked[0].basic == "demo:pass word"
        assert "word" not in str(told)


class TestGather:
    """How the caller is asked."""

    @pytest.mark.parametrize(
        ("attributes", "said", "fields"),
        [
            ("", "12#34", {"Digits": "12"}),
            ('numDigits="3"', "12-34", {"Digits": "123"}),
            ('finishOnKey="" numDigits="3"', "1#2", {"Digits": "1#2"}),
            ('input="dtmf speech"', "one two", {"SpeechResult": "one two", "Confidence": "0.9"}),
            ('input="dtmf speech"', "1 2", {"Digits": "12"}),
            ('input="speech"', "1 2", {"SpeechResult": "1 2", "Confidence": "0.9"}),
            ('actionOnEmptyResult="true"', "", {"Digits": ""}),
        ],
    )
    def test_sends_what_the_caller_gave(self, control, customer, language, call, attributes, said, fields):
        """Keys as digits, words as speech, as far as the document asks for them."""
        document = f'<Response><Gather action="{customer.origin}/paid" {attributes}/></Response>'
        told = play(control, call, language, document=document, caller=[said])
        sent = customer.asked[0].form

        assert {name: sent[name] for name in sent if name in {"Digits", "SpeechResult", "Confidence"}} == fields
        assert told["transcript"][0] == {"did": "asked", "verb": "Gather", "answered": bool(said)}

    @pytest.mark.parametrize("caller", [[], [""], ["I have no card"]])
    def test_goes_on_without_input(self, control, customer, language, call, caller):
        """A caller who keys nothing gets the verb after the Gather; words are no keys, and are on the tape all the same."""
        told = play(control, call, language, url=f"{customer.origin}/collect", caller=caller)

        assert did(told)[-2:] == ["asked Gather False", "hung up"]
        assert control.tape(call) == ["Your card number, please.", *filter(None, caller), "[stopped]"]

    def test_without_an_action_the_same_document_is_asked(self, control, customer, language, call):
        """As the vendors have it."""
        url = customer.url(
            "/same",
            lambda asked: (200, "text/xml", GOODBYE if "Digits" in asked.form else "<Response><Gather/></Response>"),
        )
        told = play(control, call, language, url=url, caller=["1"])

        assert did(told) == [
            "fetched /same 200",
            "asked Gather True",
            "fetched /same 200",
            "said Thank you.",
            "hung up",
        ]

    def test_callers_answers_are_used_one_after_the_other(self, control, customer, language, call):
        """Each question gets the next one."""
        document = f"<Response><Gather action='/nowhere'/><Gather action='{customer.origin}/paid'/></Response>"
        told = play(control, call, language, document=document, caller=["", "42"])

        assert did(told)[:2] == ["asked Gather False", "asked Gather True"]
        assert customer.asked[0].form["Digits"] == "42"


class TestFailure:
    """What a platform does when a document cannot be had."""

    @pytest.mark.parametrize(
        ("reply", "error", "code"),
        [
            ((401, "application/problem+json", "{}"), "/broken answered 401", "11200"),
            ((500, "text/xml", GOODBYE), "/broken answered 500", "11200"),
            ((200, "application/json", GOODBYE), "what /broken answered is not labelled as XML", "12300"),
            ((200, "text/xml", "<Response>"), "the document is not XML", "12100"),
            (
                (200, "text/xml", '<!DOCTYPE a [<!ENTITY b "c">]><Response>&b;</Response>'),
                "the document is not XML",
                "12100",
            ),
            ((200, "text/xml", "<Bxml/>"), "the document's root is not Response", "12100"),
        ],
    )
    def test_ends_the_call_or_asks_the_fallback(self, control, customer, language, reply, error, code):
        """Without a fallback the call ends; a fallback is told why, and its document is played."""
        start = customer.xml("/start", redirect("/broken?next=x"))
        customer.url("/broken", reply)
        call, other = control.start_call(VENDORS[language]), control.start_call(VENDORS[language])
        told = play(control, call, language, url=start)
        saved = play(control, other, language, url=start, fallback_url=f"{customer.origin}/agent")

        assert (told["ended"], told["error"]) == (True, error)
        assert (saved["ended"], saved["error"], did(saved)[-1]) == (False, None, "handed on Dial")
        fallback = customer.asked[-1].form
        assert (fallback["ErrorCode"], fallback["ErrorUrl"]) == (code, f"{customer.origin}/broken?next=x")

    def test_ends_the_call_if_the_fallback_fails_too(self, control, customer, language, call):
        """The fallback is asked once."""
        told = play(control, call, language, url=f"{customer.origin}/a", fallback_url=f"{customer.origin}/b")

        assert [asked.path for asked in customer.asked] == ["/a", "/b"]
        assert (told["ended"], told["error"]) == (True, "/a answered 404; and the fallback: /b answered 404")

    def test_no_answer_is_a_failure(self, control, language, call):
        """A server that is not there ends the call."""
        told = play(control, call, language, url="http://127.0.0.1:1/start")

        assert did(told) == ["fetched /start 0"]
        assert (told["ended"], told["error"]) == (True, "/start did not answer")

    def test_a_redirect_loop_is_bounded(self, control, customer, language, call):
        """After thirty requests the player gives up, and says so."""
        told = play(control, call, language, url=customer.xml("/loop", redirect("/loop")))

        assert (told["ended"], told["error"]) == (False, "more than 30 requests")
        assert len(customer.asked) == 30

    def test_an_endless_document_is_bounded(self, control, language, call):
        """So is one with too many verbs."""
        told = play(control, call, language, document=f"<Response>{'<Pause/>' * 51}</Response>")

        assert told["error"] == "more than 50 verbs, the last of them Pause"

    @pytest.mark.parametrize(
        ("document", "error"),
        [
            ("<Response><Pay/></Response>", "the verb Pay is not played here"),
            ("<Response><Gather><Gather/></Gather></Response>", "the verb Gather is not played here"),
            ('<Response><Gather numDigits="x"/></Response>', "numDigits of Gather must be a whole number"),
            (
                "<Response><Redirect>https://ivr.example.com/</Redirect></Response>",
                "a URL of the flow must be a URL of",
            ),
            ("<Response><Redirect>/relative</Redirect></Response>", "neither absolute nor relative"),
            ('<Response><Redirect method="PUT">http://127.0.0.1/</Redirect></Response>', "must be GET or POST"),
        ],
    )
    def test_refuses_what_it_does_not_play(self, control, language, call, document, error):
        """By name, and without ending the call: the platform itself might go on."""
        told = play(control, call, language, document=document, caller=["1"])

        assert error in told["error"]
        assert not told["ended"]


class TestSignature:
    """By what a customer knows the platform."""

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_twilio_signs_every_request(self, control, customer, credentials, method):
        """Its official SDK says so: of a form with the fields, of a GET with the URL alone."""
        url = f"{customer.origin}/paid?next=a%20b"
        play(control, control.start_call("twilio"), "twiml", document=redirect(url, method=method))
        (asked,) = customer.asked
        fields = asked.form if method == "POST" else {}
        validator = RequestValidator(credentials["twilio"]["auth_token"])

        assert validator.validate(customer.origin + asked.target, fields, asked.headers["x-twilio-signature"])

    def test_signalwire_signs_every_request(self, control, customer, credentials):
        """Twilio's scheme, with the project's Signing Key."""
        url = f"{customer.origin}/paid"
        play(control, control.start_call("signalwire"), "cxml", document=redirect(url))
        (asked,) = customer.asked
        message = url + "".join(name + value for name, value in sorted(asked.form.items()))
        key = credentials["signalwire"]["signing_key"].encode()
        digest = hmac.new(key, message.encode(), hashlib.sha1).digest()

        assert asked.headers["x-signalwire-signature"] == base64.b64encode(digest).decode()
