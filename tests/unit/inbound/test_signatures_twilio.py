"""Twilio's signatures, made by Twilio's own code."""

import json
from dataclasses import replace
from urllib.parse import quote

import pytest

from tests import signers
from tests.unit.fakes import ACCOUNT_SID, CALL_SID, DOMAIN, SIGNING_KEY, VENDOR_KEY
from tests.unit.inbound.deliveries import (
    FORM,
    JSON,
    ORIGIN,
    Delivery,
    basic_header,
    credentials_of,
    is_let_in,
    keys_of,
    url_of,
)

URL = url_of("twilio")
PAIRS = [("AccountSid", ACCOUNT_SID), ("CallSid", CALL_SID), ("CallStatus", "completed"), ("CallerCity", "")]
BODY = json.dumps({"CallSid": CALL_SID, "city": "Zürich"}).encode()
SHARED = {"settings": {"allow_shared_keys": True}, **keys_of("twilio", signing_keys=[SIGNING_KEY])}


def form(url=URL, pairs=PAIRS, *, key=VENDOR_KEY, signed=None):
    """Return a form that Twilio has signed, under another URL if one is given."""
    return Delivery.of_form(url, pairs, signers.twilio(key, signed or url, pairs))


def document(body=BODY, *, url=URL, key=VENDOR_KEY):
    """Return JSON that Twilio has signed."""
    url = signers.digested(url, body)
    return Delivery.of_json(url, body, signers.twilio(key, url))


class TestForms:
    """Requests of the platform itself."""

    @pytest.mark.parametrize(
        "pairs",
        [
            PAIRS,
            [],
            [("CallSid", ""), ("Digits", ""), ("x", "")],
            [("b", "2"), ("a", "1"), ("B", "3"), ("aa", "0")],
            [("m", "2"), ("m", "1"), ("m", "2"), ("l", "9")],
            [("q", "ü ß % + & = é ☎ 𝄞"), ("q", " untrimmed ")],
            [("line", "a\r\nb"), ("zero", "\x00")],
            [("SpeechResult", "x" * 65_000)],
        ],
        ids=["a call", "empty", "empty parts", "order", "repeated", "not ascii", "controls", "64 KiB"],
    )
    def test_what_twilio_signs_is_let_in(self, pairs):
        """Every form that Twilio may send is let in by its signature."""
        assert is_let_in(form(pairs=pairs).request(), "twilio")

    @pytest.mark.parametrize(
        "pairs",
        [
            [("", "x")],
            [("ü", "x")],
            [("x y", "1")],
            [("From", "1CallSid")],
            [("Caller", "CallStatuscompleted")],
            [("XCallSid", "CA")],
            [("Body", "x" + CALL_SID), ("note", "recording_id")],
        ],
    )
    def test_scenario_20_what_can_be_cut_in_two_ways_is_refused(self, pairs):
        """Names and values are signed with no mark between them: a name that matters may stand nowhere but as a name."""
        assert not is_let_in(form(pairs=[*PAIRS, *pairs]).request(), "twilio")

    @pytest.mark.parametrize(
        "name", ["DialCallSid", "ParentCallSid", "CallSidEndingConference", "CallSidToCoach", "ReferCallStatus"]
    )
    def test_twilio_s_own_compounds_are_let_in(self, name):
        """Names of Twilio's own in which others occur are no reason to refuse."""
        assert is_let_in(form(pairs=[*PAIRS, (name, "x")]).request(), "twilio")

    @pytest.mark.parametrize("query", ["CallSid=1", "x=call_id", 'a=%22&b="', "a={}", "RecordingStatus"])
    def test_scenario_20_a_field_may_not_hide_in_the_query(self, query):
        """A query in which a name stands that matters, or what no URL has, could be a cut-off part of a body."""
        assert not is_let_in(form(url_of("twilio", query)).request(), "twilio")
        assert not is_let_in(document(url=url_of("twilio", query)).request(), "twilio")

    @pytest.mark.parametrize("encode", [True, False])
    def test_scenario_22_a_body_is_verified_as_it_was_sent(self, encode):
        """It makes no difference whether API Gateway hands the body over in base64."""
        delivery = form()

        assert is_let_in(delivery.request(event=delivery.event(encode=encode)), "twilio")

    @pytest.mark.parametrize("content_type", [f"{FORM}; charset=UTF-8", FORM.upper(), f"{FORM} ;charset=utf-8"])
    def test_a_content_type_may_have_parameters(self, content_type):
        """A form is a form, however its content type is written."""
        assert is_let_in(replace(form(), content_type=content_type).request(), "twilio")

    def test_the_query_is_signed(self):
        """A query is signed as it was sent, in its order and its encoding."""
        url = url_of("twilio", "next=https%3a%2F%2Fivr.example.com%2f&otherwise=%7E&a=b+c&a")
        delivery = form(url)

        assert is_let_in(delivery.request(), "twilio")
        for other in (url.replace("%3a", "%3A"), url.replace("%7E", "~"), url.replace("+", "%20"), url + "&"):
            assert not is_let_in(replace(delivery, url=other).request(), "twilio")

    @pytest.mark.parametrize(
        "pairs",
        [
            [*PAIRS, ("Extra", "")],
            PAIRS[:-1],
            [*PAIRS[:-1], ("CallerCity", " ")],
            [("callSid", value) if name == "CallSid" else (name, value) for name, value in PAIRS],
            [*PAIRS, ("CallSid", "CA" + "f" * 32)],
        ],
        ids=["one more", "one less", "a blank", "a capital", "a second call"],
    )
    def test_scenario_20_other_fields_are_refused(self, pairs):
        """A field more, less or otherwise makes the signature worthless."""
        assert not is_let_in(form().request(event=Delivery.of_form(URL, pairs, form().headers).event()), "twilio")

    @pytest.mark.parametrize("signature", ["", " ", "x", "ü", "\ud800", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="])
    def test_another_signature_is_refused(self, signature):
        """A signature that is empty, odd or wrong is refused."""
        assert not is_let_in(form().with_header("x-twilio-signature", signature).request(), "twilio")

    def test_no_signature_is_refused(self):
        """Nothing signed is nothing proven."""
        assert not is_let_in(replace(form(), headers={}).request(), "twilio")

    @pytest.mark.parametrize("body", [b"CallSid", b"a=%ff", b"a=1&&b=2", b"\xff=1", b"&".join([b"a=1"] * 1001)])
    def test_what_is_no_form_is_refused(self, body):
        """A body that cannot be read as a form is covered by no signature, even one over the URL alone."""
        assert not is_let_in(Delivery(url=URL, body=body, headers=signers.twilio(VENDOR_KEY, URL)).request(), "twilio")

    def test_bytes_that_are_no_text_have_no_stand_in(self):
        """A byte that is no character is not read as the sign that stands for one."""
        headers = form(pairs=[("Digits", "\ufffd")]).headers
        for body in (b"Digits=%ff", b"Digits=\xff"):
            assert not is_let_in(Delivery(url=URL, body=body, headers=headers).request(), "twilio")

    def test_too_large_a_body_is_refused(self):
        """A body beyond 64 KiB is not even verified."""
        assert not is_let_in(form(pairs=[("a", "x" * 65_536)]).request(), "twilio")


class TestJson:
    """Requests of Studio, and of whatever else sends no form: the digest of the body is in the query."""

    @pytest.mark.parametrize("body", [BODY, b"{}", b"", b"\xef\xbb\xbf{}", b"[" + b"1," * 32_000 + b"1]"])
    def test_what_twilio_signs_is_let_in(self, body):
        """A URL with the body's digest, signed, lets the body in."""
        assert is_let_in(document(body).request(), "twilio")
        assert is_let_in(document(body, url=f"{URL}?next=https%3A%2F%2Fx").request(), "twilio")

    @pytest.mark.parametrize("content_type", [JSON, f"{JSON}; charset=utf-8", "text/plain", None])
    def test_whatever_is_no_form_needs_a_digest(self, content_type):
        """Without the digest in the URL a signature says nothing of the body."""
        signed = replace(document(), content_type=content_type)
        open_body = Delivery(url=URL, body=BODY, content_type=content_type, headers=signers.twilio(VENDOR_KEY, URL))

        assert is_let_in(signed.request(), "twilio")
        assert not is_let_in(open_body.request(), "twilio")

    def test_scenario_20_another_body_is_refused(self):
        """A body that is not the digest's is refused, be it a byte or a blank."""
        for body in (BODY + b" ", BODY[:-1], BODY.replace(b"1", b"2"), b""):
            assert not is_let_in(replace(document(), body=body).request(), "twilio")

    def test_a_digest_that_is_not_signed_is_refused(self):
        """A digest that somebody has added to the URL himself does not help."""
        url = signers.digested(URL, BODY)

        assert not is_let_in(Delivery.of_json(url, BODY, signers.twilio(VENDOR_KEY, URL)).request(), "twilio")

    @pytest.mark.parametrize("order", [1, -1])
    def test_two_digests_are_none(self, order):
        """Where the URL names two digests, nobody knows which one counts."""
        queries = [signers.digested("", body)[1:] for body in (BODY, b"{}")][::order]
        url = f"{URL}?{'&'.join(queries)}"
        headers = signers.twilio(VENDOR_KEY, url)

        assert not is_let_in(Delivery.of_json(url, BODY, headers).request(), "twilio")

    def test_a_form_s_signature_does_not_cover_json(self):
        """What was signed as a form is not let in as JSON, nor the reverse with a body."""
        assert not is_let_in(replace(form(), content_type=JSON).request(), "twilio")
        assert not is_let_in(replace(document(), content_type=FORM).request(), "twilio")


class TestAddresses:
    """Twilio is not of one mind about ports, and nobody knows whether it signs user:password@."""

    @pytest.mark.parametrize("signed", [URL, URL.replace(DOMAIN, f"{DOMAIN}:443")])
    def test_scenario_21_the_usual_port_may_be_named(self, signed):
        """A signature counts with and without the port."""
        assert is_let_in(form(signed=signed).request(), "twilio")

    @pytest.mark.parametrize("port", ["80", "8443"])
    def test_another_port_may_not(self, port):
        """A port that is not the API's makes another URL."""
        assert not is_let_in(form(signed=URL.replace(DOMAIN, f"{DOMAIN}:{port}")).request(), "twilio")

    @pytest.mark.parametrize("signed", ["https://voice.example.com", "https://voice.example.com:8443"])
    def test_scenario_21_a_public_url_may_have_a_port(self, signed):
        """Where the public URL has a port of its own, a signature counts with it and without."""
        public = ["https://voice.example.com:8443"]

        assert is_let_in(form(signed=URL.replace(ORIGIN, signed)).request(public_urls=public), "twilio")
        assert not is_let_in(form(signed=URL.replace(ORIGIN, signed)).request(), "twilio")

    @pytest.mark.parametrize("port", ["", ":443"])
    @pytest.mark.parametrize("userinfo", ["flow:secret", "flow:s:c", "us%r:p@ss/w?rd#", "flöw:ünd leer"])
    def test_scenario_21_userinfo_may_be_signed(self, userinfo, port):
        """A signature counts with the user:password@ of the URL, quoted or as it is if a URL can have that, and without."""
        name, _, password = userinfo.partition(":")
        quoted = f"{quote(name, safe='')}:{quote(password, safe='')}"
        delivery = form()
        for part in (f"{userinfo}@", f"{quoted}@", ""):
            signed = URL.replace(DOMAIN, f"{part}{DOMAIN}{port}")
            headers = {**form(signed=signed).headers, "authorization": basic_header(userinfo)}

            legal = part != f"{userinfo}@" or not set(userinfo) & set("@/?# ü")
            assert is_let_in(replace(delivery, headers=headers).request(), "twilio") is legal

    def test_userinfo_alone_proves_nothing(self):
        """Credentials that the account does not have are worth nothing without a signature over them."""
        signed = form(signed=URL.replace(DOMAIN, f"flow:secret@{DOMAIN}"))

        assert not is_let_in(signed.request(), "twilio")
        assert not is_let_in(signed.with_header("authorization", basic_header("flow:other")).request(), "twilio")


class TestKeys:
    """Whose signature counts."""

    def test_without_a_key_nothing_is_let_in(self):
        """An account that signs in with an API key and has no auth token accepts no signature, of no key."""
        credentials = {"account_sid": ACCOUNT_SID, "api_key": "SK1", "api_secret": VENDOR_KEY}
        for key in ("", VENDOR_KEY, "None"):
            assert not is_let_in(form(key=key).request(), "twilio", credentials=credentials)
            assert not is_let_in(document(key=key).request(), "twilio", credentials=credentials)

    @pytest.mark.parametrize("make", [form, document])
    def test_an_auth_token_rotates(self, make):
        """While an auth token is being changed, the other one is in signing_keys and counts as well."""
        sections = keys_of("twilio", signing_keys=["placeholder-other-token-0003", SIGNING_KEY])
        for key in (VENDOR_KEY, SIGNING_KEY, "placeholder-other-token-0003"):
            assert is_let_in(make(key=key).request(), "twilio", **sections)
        assert is_let_in(
            make(key=SIGNING_KEY).request(),
            "twilio",
            credentials=credentials_of("twilio", auth_token=SIGNING_KEY),
        )
        assert not is_let_in(make(key=SIGNING_KEY).request(), "twilio")

    def shared(self, digest="HMAC_SHA256", key=SIGNING_KEY):
        """Return a form that was signed with a SharedKey."""
        return Delivery.of_form(URL, PAIRS, signers.twilio_shared_key(key, URL, PAIRS, digest=digest))

    def test_shared_keys_are_refused_unless_allowed(self):
        """SharedKeys are not for PCI workflows: they count only where the account says so."""
        assert is_let_in(self.shared().request(), "twilio", **SHARED)
        assert not is_let_in(self.shared().request(), "twilio")
        assert not is_let_in(self.shared().request(), "twilio", **keys_of("twilio", signing_keys=[SIGNING_KEY]))
        assert not is_let_in(self.shared().request(), "twilio", **(SHARED | keys_of("twilio")))

    def test_a_shared_key_signs_with_sha_256(self):
        """A SharedKey's signature with SHA-1 is refused, whatever the header says of the algorithm."""
        delivery = self.shared("HMAC_SHA1")

        assert not is_let_in(delivery.request(), "twilio", **SHARED)
        for word in ("HMAC_SHA256", "HMAC_SHA1", "none", ""):
            changed = delivery.with_header("x-twilio-webhooks-signature-settings", f"key=k,algorithm={word}")
            assert not is_let_in(changed.request(), "twilio", **SHARED)

    @pytest.mark.parametrize("word", ["key=k,algorithm=HMAC_SHA1", "algorithm=HMAC_MD5", "", "ü"])
    def test_the_header_s_word_never_chooses(self, word):
        """What the header says of algorithm and key changes nothing."""
        changed = self.shared().with_header("x-twilio-webhooks-signature-settings", word)

        assert is_let_in(changed.request(), "twilio", **SHARED)

    def test_keys_are_not_mixed(self):
        """The auth token does not sign as a SharedKey, nor a SharedKey as an auth token."""
        as_token = Delivery.of_form(URL, PAIRS, signers.twilio(SIGNING_KEY, URL, PAIRS))

        assert is_let_in(form().request(), "twilio", **SHARED)
        assert not is_let_in(as_token.request(), "twilio", **SHARED)
        assert not is_let_in(self.shared(key=VENDOR_KEY).request(), "twilio", **SHARED)
        assert not is_let_in(self.shared("HMAC_SHA1", VENDOR_KEY).request(), "twilio", **SHARED)
        assert not is_let_in(self.shared("HMAC_SHA1", VENDOR_KEY).request(), "twilio")
