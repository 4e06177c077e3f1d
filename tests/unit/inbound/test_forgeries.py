"""Requests that nobody has sent, made of signatures that a platform has given to somebody else, or for something else."""

import hashlib
import json
from base64 import b64decode, b64encode
from dataclasses import replace

import pytest

from call_recording.inbound.flows import FlowCallbacks
from tests import signers
from tests.unit.fakes import (
    ACCOUNT_SID,
    BEARER,
    CALL_SID,
    CALL_UUID,
    CALLS,
    DOMAIN,
    RECORDING_SID,
    SIGNING_KEY,
    VENDOR_KEY,
    WEBHOOK_SECRET,
    assemble,
    flow_event,
)
from tests.unit.inbound.deliveries import FORM, JSON, NOW, ORIGIN, Delivery, basic_header, is_let_in, url_of

OTHER_SID = "CA" + "9" * 32
QUERY = "next=https%3A%2F%2Fivr.example.com%2Fa&otherwise=https%3A%2F%2Fivr.example.com%2Fb"
#: What a platform sends beside: it comes with each call.
OWN = [("AccountSid", ACCOUNT_SID), ("CallSid", CALL_SID)]
#: What makes a URL one of evil.example, though all of it stands before the @ of ours.
ELSEWHERE = [
    "evil.example/?",
    "evil.example/hook?x=",
    "evil.example/",
    "evil.example/a:b/",
    "evil.example?",
    "evil.example#",
    "evil.example#a:b",
    "evil.example\\",
    "evil.example:443/",
    "a:b@evil.example/",
    "evil.example/\t",
    "évil.example/",
    "evil.example/[a]",
]


def said(pairs):
    """Return what is signed of a form's fields."""
    return "".join(name + value for name, value in sorted(pairs))


def in_hexadecimal(headers):
    """Return a signature in base64 as hexadecimal digits."""
    return {name: b64decode(value).hex() for name, value in headers.items()}


def in_base64(headers):
    """Return a signature in hexadecimal digits as base64."""
    return {name: b64encode(bytes.fromhex(value)).decode() for name, value in headers.items()}


class TestAnotherHost:
    """A URL that is typed in somewhere, of a host of whoever types it: the platform signs it, and that host gets it."""

    @pytest.mark.parametrize("userinfo", ELSEWHERE)
    @pytest.mark.parametrize("vendor", ["twilio", "signalwire"])
    def test_scenario_20_what_is_signed_for_another_host_is_refused(self, vendor, userinfo):
        """Whatever stands before the @, a URL of another host is none of ours, be it signed as a form or with a digest."""
        body = json.dumps({"call_id": CALLS[vendor]}).encode()
        key, sign = (VENDOR_KEY, signers.twilio) if vendor == "twilio" else (SIGNING_KEY, signers.signalwire_form)
        url = url_of(vendor)
        digested = signers.digested(url, body)
        elsewhere = {"authorization": basic_header(userinfo)}
        deliveries = [
            Delivery.of_form(url, OWN, sign(key, url.replace(DOMAIN, f"{userinfo}@{DOMAIN}"), OWN)),
            Delivery.of_json(digested, body, sign(key, digested.replace(DOMAIN, f"{userinfo}@{DOMAIN}"))),
        ]
        for delivery in deliveries:
            forged = replace(delivery, headers={**delivery.headers, **elsewhere})
            assert not is_let_in(forged.request(), vendor)

    @pytest.mark.parametrize("userinfo", ELSEWHERE)
    @pytest.mark.parametrize("sign", [signers.signalwire_body, signers.signalwire_sha256])
    def test_scenario_20_so_is_a_body(self, sign, userinfo):
        """The same holds where URL and body are signed."""
        url, body = url_of("signalwire"), json.dumps({"call_id": CALL_UUID}).encode()
        headers = sign(SIGNING_KEY, url.replace(DOMAIN, f"{userinfo}@{DOMAIN}"), body)
        forged = Delivery.of_json(url, body, {**headers, "authorization": basic_header(userinfo)})

        assert not is_let_in(forged.request(), "signalwire")

    @pytest.mark.parametrize("userinfo", ["flow:secret", "~a.b_c-1:!$&'()*+,;=%2F", "flow"])
    def test_scenario_21_what_a_url_can_have_still_counts(self, userinfo):
        """A user name and a password of the characters that a URL has there are signed as they are."""
        url = url_of("twilio")
        headers = signers.twilio(VENDOR_KEY, url.replace(DOMAIN, f"{userinfo}@{DOMAIN}"), OWN)
        delivery = Delivery.of_form(url, OWN, {**headers, "authorization": basic_header(userinfo)})

        assert is_let_in(delivery.request(), "twilio")


#: Map what is forged: the fields as they were signed, and as they are sent.  Both join to the same text.
RECUT = {
    "event and pause in From": (
        [*OWN, ("From", "+1555"), ("event_id", "e1"), ("occurred_at", "2026-09-21T13:31:00Z"), ("pause_id", "p1")],
        [*OWN, ("From", "+1555event_ide1occurred_at2026-09-21T13:31:00Zpause_idp1")],
    ),
    "the recording in From": (
        [*OWN, ("From", "+1555"), ("RecordingSid", RECORDING_SID)],
        [*OWN, ("From", f"+1555RecordingSid{RECORDING_SID}")],
    ),
    "the status in From": (
        [*OWN, ("CallStatus", "in-progress"), ("From", "+1555")],
        [*OWN[:1], ("CallSid", f"{CALL_SID}CallStatusin-progressFrom+1555")],
    ),
    "the parent as the call": (
        [("AccountSid", ACCOUNT_SID), ("CallSid", CALL_SID), ("Direction", "x"), ("ParentCallSid", OTHER_SID)],
        [("AccountSid", f"{ACCOUNT_SID}CallSid{CALL_SID}DirectionxParent"), ("CallSid", OTHER_SID)],
    ),
    "a name that holds the account": (
        [*OWN, ("From", "+1555")],
        [(f"AccountSid{ACCOUNT_SID}", ""), ("CallSid", CALL_SID), ("From", "+1555")],
    ),
}
#: A caller's own address, as the platform passes it on, in front of and behind which all else is hidden.
ADDRESS = [("AccountSid", ACCOUNT_SID), ("CallSid", OTHER_SID), ("From", f"sip:CallSid{CALL_SID}z@sip"), ("To", "+1")]
HIDDEN = said(ADDRESS).partition(f"CallSid{CALL_SID}z")
BY_CALLER = {
    "an empty name": [("", HIDDEN[0]), ("CallSid", CALL_SID), (f"z{HIDDEN[2]}", "")],
    "a long name": [(HIDDEN[0], ""), ("CallSid", CALL_SID), (f"z{HIDDEN[2]}", "")],
    "a name and a value": [("A", HIDDEN[0][1:]), ("CallSid", CALL_SID), (f"z{HIDDEN[2]}", "")],
}


class TestCutElsewhere:
    """URL, names and values are signed with nothing between them: the same text may be cut into other fields."""

    @pytest.mark.parametrize(("signed", "sent"), RECUT.values(), ids=RECUT)
    @pytest.mark.parametrize("vendor", ["twilio", "signalwire"])
    def test_scenario_19_a_form_says_what_it_said(self, vendor, signed, sent):
        """A request that was captured proves what it said, and nothing else that can be read into it."""
        assert said(signed) == said(sent)
        key, sign = (VENDOR_KEY, signers.twilio) if vendor == "twilio" else (SIGNING_KEY, signers.signalwire_form)
        url = url_of(vendor)
        headers = sign(key, url, signed)

        assert is_let_in(Delivery.of_form(url, signed, headers).request(), vendor)
        assert not is_let_in(Delivery.of_form(url, sent, headers).request(), vendor)

    @pytest.mark.parametrize("sent", BY_CALLER.values(), ids=BY_CALLER)
    def test_scenario_20_what_a_caller_chose_names_no_call(self, sent):
        """A call's id that somebody put into his own address becomes no field, whatever the rest is hidden in."""
        assert said(sent) == said(ADDRESS)
        headers = signers.twilio(VENDOR_KEY, url_of("twilio"), ADDRESS)

        assert not is_let_in(Delivery.of_form(url_of("twilio"), sent, headers).request(), "twilio")

    @pytest.mark.parametrize("vendor", ["twilio", "signalwire"])
    def test_scenario_20_fields_do_not_go_into_the_query(self, vendor):
        """A form whose fields are moved into the query becomes no JSON of somebody's choice, though a value has its digest."""
        body = json.dumps({"call_id": CALLS[vendor]}).encode()
        digest = hashlib.sha256(body).hexdigest()
        pairs = [*OWN, ("From", f"sip:x&bodySHA256={digest}&y@sip"), ("To", "+1555")]
        url = url_of(vendor, QUERY)
        key, sign = (VENDOR_KEY, signers.twilio) if vendor == "twilio" else (SIGNING_KEY, signers.signalwire_form)
        headers = sign(key, url, pairs)

        assert is_let_in(Delivery.of_form(url, pairs, headers).request(), vendor)
        assert not is_let_in(Delivery.of_json(url + said(pairs), body, headers).request(), vendor)

    @pytest.mark.parametrize("sign", [signers.signalwire_body, signers.signalwire_sha256])
    def test_scenario_19_no_part_of_a_body_goes_into_the_query(self, sign):
        """Wherever a body is cut, its front does not become a part of the URL, and drops nothing that it said."""
        body = json.dumps({"pause_id": "p1", "event_id": "e1", "more": {"call_id": CALL_UUID}}).encode()
        form = f"pause_id=p1&event_id=e1&CallSid={CALL_UUID}&From=x".encode()
        url = url_of("signalwire", QUERY)
        for each, content_type in ((body, JSON), (body, FORM), (form, FORM)):
            headers = sign(SIGNING_KEY, url, each)
            for at in range(1, len(each)):
                forged = Delivery.of_json(url + each[:at].decode(), each[at:], headers)
                assert not is_let_in(replace(forged, content_type=content_type).request(), "signalwire")
        assert is_let_in(Delivery.of_json(url, body, sign(SIGNING_KEY, url, body)).request(), "signalwire")

    def test_scenario_20_no_field_goes_into_a_body_s_signature(self):
        """The signature of a form, written in hexadecimal digits, is none of a URL with the fields and a body behind them."""
        body = json.dumps({"call_id": CALL_UUID}).encode()
        url, pairs = url_of("signalwire", QUERY), [("AccountSid", "a"), ("To", body.decode())]
        headers = in_hexadecimal(signers.signalwire_form(SIGNING_KEY, url, pairs))
        before = said(pairs).removesuffix(body.decode())

        for forged in (
            Delivery.of_json(url + before, body, headers),
            Delivery.of_json(url, before.encode() + body, headers),
        ):
            assert not is_let_in(replace(forged, content_type=FORM).request(), "signalwire")
        assert not is_let_in(Delivery.of_json(url + before, body, headers).request(), "signalwire")

    @pytest.mark.parametrize(
        "pairs", [[("", "BODY")], [("{", "REST")], [("BODY", "")], [("CallSid", CALL_UUID), ("zBODY", "")]]
    )
    def test_scenario_20_no_body_goes_into_a_form_s_signature(self, pairs):
        """The signature of a body, written in base64, is none of a form that joins to that body."""
        body = b'{"event":"whatever"}'
        words = {"BODY": body.decode(), "REST": body.decode()[1:]}
        for word, text in words.items():
            pairs = [(name.replace(word, text), value.replace(word, text)) for name, value in pairs]
        url = url_of("signalwire")
        # what was typed in as URL had the first fields already
        typed = url + said(pairs).removesuffix(body.decode())
        headers = in_base64(signers.signalwire_body(SIGNING_KEY, typed, body))
        assert typed + body.decode() == url + said(pairs)

        assert not is_let_in(Delivery.of_form(url, pairs, headers).request(), "signalwire")


class TestReadAsAForm:
    """What a body is read as stands in a header that nobody signs."""

    VICTIM = b'{"call_id": "OTHER", "crm": "https://crm.example/?x=1&call_id=VICTIM&tab=2"}'

    @pytest.mark.parametrize("content_type", [FORM, FORM.upper(), f"{FORM}; charset=utf-8"])
    @pytest.mark.parametrize("vendor", ["twilio", "signalwire", "bandwidth", "bird"])
    def test_scenario_20_a_third_party_s_message_is_json(self, vendor, content_type):
        """A message of Standard Webhooks, which are JSON, is not read as the fields of a form that stand in it."""
        headers = signers.standard_webhooks(WEBHOOK_SECRET, "msg_1", self.VICTIM, at=NOW)
        delivery = Delivery.of_json(url_of(vendor), self.VICTIM, headers)

        assert is_let_in(delivery.request(), vendor)
        assert not is_let_in(replace(delivery, content_type=content_type).request(), vendor)

    @pytest.mark.parametrize("content_type", [FORM, FORM.upper(), f"{FORM}; charset=utf-8"])
    def test_scenario_20_so_is_bird_s(self, content_type):
        """Bird's events are JSON as well, and count as nothing else."""
        url = url_of("bird")
        delivery = Delivery.of_json(url, self.VICTIM, signers.bird(SIGNING_KEY, url, self.VICTIM, at=NOW))

        assert is_let_in(delivery.request(), "bird")
        assert not is_let_in(replace(delivery, content_type=content_type).request(), "bird")

    @pytest.mark.parametrize("content_type", [FORM, FORM.upper(), f"{FORM}; charset=utf-8"])
    @pytest.mark.parametrize("sign", [signers.signalwire_body, signers.signalwire_sha256])
    def test_scenario_20_so_is_swml_s(self, sign, content_type):
        """What SignalWire signs as a body is not read as a form."""
        url = url_of("signalwire")
        delivery = Delivery.of_json(url, self.VICTIM, sign(SIGNING_KEY, url, self.VICTIM))

        assert is_let_in(delivery.request(), "signalwire")
        assert not is_let_in(replace(delivery, content_type=content_type).request(), "signalwire")


def test_scenario_20_a_forged_left_resumes_nothing(secrets_manager, platforms, clock, observer):
    """A `left` made of what was signed for another host, or of another visit, is a 401, and the tape stays paused."""
    parts = assemble(secrets_manager=secrets_manager, platforms=platforms, clock=clock, observer=observer)
    flows = FlowCallbacks(accounts=parts.accounts, recordings=parts.recordings, clock=clock, observer=observer)
    flows.answer(flow_event(authorization=BEARER), seconds_left=10.0)
    url = f"{ORIGIN}/flows/demo-twilio/card-entry/left"
    elsewhere = signers.twilio(VENDOR_KEY, url.replace(DOMAIN, f"evil.example/?@{DOMAIN}"), OWN)
    signed, sent = RECUT["event and pause in From"]
    forged = [
        Delivery.of_form(url, OWN, {**elsewhere, "authorization": basic_header("evil.example/?")}),
        Delivery.of_form(url, sent, signers.twilio(VENDOR_KEY, url, signed)),
        Delivery.of_form(url, BY_CALLER["an empty name"], signers.twilio(VENDOR_KEY, url, ADDRESS)),
    ]
    platforms.requests.clear()
    for delivery in forged:
        event = replace(delivery, route="POST /flows/{account}/{step}/left").event()
        assert flows.answer(event, seconds_left=10.0)["statusCode"] == 401
    assert (platforms.words["twilio"], platforms.requests) == ("paused", [])

    genuine = Delivery.of_form(url, OWN, signers.twilio(VENDOR_KEY, url, OWN))
    event = replace(genuine, route="POST /flows/{account}/{step}/left").event()
    assert flows.answer(event, seconds_left=10.0)["statusCode"] == 200
    assert platforms.words["twilio"] == "in-progress"
