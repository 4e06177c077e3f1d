"""SignalWire's signatures, made by SignalWire's own code."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests import signers
from tests.unit.fakes import CALL_UUID, DOMAIN, PROJECT_ID, SIGNING_KEY, VENDOR_KEY
from tests.unit.inbound import signalwire_sdk
from tests.unit.inbound.deliveries import (
    FORM,
    JSON,
    ORIGIN,
    Delivery,
    basic_header,
    is_let_in,
    keys_of,
    url_of,
)

URL = url_of("signalwire")
PAIRS = [("AccountSid", PROJECT_ID), ("CallSid", CALL_UUID), ("CallStatus", "completed"), ("Timestamp", "")]
BODY = json.dumps({"event_type": "calling.call.record", "params": {"call_id": CALL_UUID, "name": "Zürich"}}).encode()
HEADERS = ["x-signalwire-signature", "x-twilio-signature"]
REPEATED = [("m", "2"), ("m", "1"), ("m", "2"), ("l", "9")]


def by_body(body=BODY, *, url=URL, key=SIGNING_KEY, signed=None, header=HEADERS[0]):
    """Return JSON that is signed in scheme A."""
    return Delivery.of_json(url, body, signers.signalwire_body(key, signed or url, body, header=header))


def by_fields(pairs=PAIRS, *, url=URL, key=SIGNING_KEY, signed=None, header=HEADERS[0]):
    """Return a form that is signed in scheme B."""
    return Delivery.of_form(url, pairs, signers.signalwire_form(key, signed or url, pairs, header=header))


def by_sha256(body=BODY, *, url=URL, key=SIGNING_KEY, signed=None):
    """Return JSON that is signed in scheme A with SHA-256."""
    return Delivery.of_json(url, body, signers.signalwire_sha256(key, signed or url, body))


class TestSchemeA:
    """URL and body, as SWML and RELAY sign."""

    @pytest.mark.parametrize("header", HEADERS)
    @pytest.mark.parametrize("body", [BODY, b"", b"{}", b"[" + b"1," * 32_000 + b"1]", "☎ 𝄞\r\n".encode()])
    def test_what_signalwire_signs_is_let_in(self, header, body):
        """The signature of URL and body counts under both names of its header."""
        assert is_let_in(by_body(body, header=header).request(), "signalwire")

    def test_the_stronger_signature_counts(self):
        """The same with SHA-256 counts, alone or beside the other."""
        both = replace(by_sha256(), headers=by_sha256().headers | by_body().headers)

        assert is_let_in(by_sha256().request(), "signalwire")
        assert is_let_in(both.request(), "signalwire")
        assert is_let_in(both.with_header("x-signalwire-signature", "x").request(), "signalwire")

    @pytest.mark.parametrize("header", HEADERS)
    def test_each_header_has_its_digest(self, header):
        """A signature with SHA-256 does not count in a header of SHA-1, nor the reverse."""
        [stronger] = by_sha256().headers.values()
        [weaker] = by_body().headers.values()

        assert not is_let_in(replace(by_body(), headers={header: stronger}).request(), "signalwire")
        assert not is_let_in(
            replace(by_body(), headers={"x-signalwire-sha256-signature": weaker}).request(), "signalwire"
        )

    @pytest.mark.parametrize("name", ["AccountSid", "project_id"])
    def test_scenario_43_no_name_of_the_account_is_hidden(self, name):
        """A name by which SignalWire names its account must stand nowhere else: cut out of there, nobody would check it."""
        hidden = [*PAIRS, ("From", f"sip:{name}{CALL_UUID}@example.com")]

        assert is_let_in(by_fields([*PAIRS, ("From", "sip:caller@example.com")]).request(), "signalwire")
        assert not is_let_in(by_fields(hidden).request(), "signalwire")
        assert not is_let_in(by_body(url=url_of("signalwire", f"next=x{name}y")).request(), "signalwire")

    def test_scenario_20_a_form_is_not_signed_as_a_body(self):
        """The schemes share a key and a hash, so the content type says which one counts: forms are cXML's."""
        body = b"CallSid=1&CallStatus=completed"
        for make in (by_body, by_sha256):
            assert not is_let_in(replace(make(body), content_type=FORM).request(), "signalwire")
            assert is_let_in(make(body).request(), "signalwire")

    @pytest.mark.parametrize("query", ["x=CallSid=1", "call_id", 'a="', "a={"])
    def test_scenario_20_a_body_may_not_hide_in_the_query(self, query):
        """URL and body are signed with no mark between them: a query that could be a part of a body is refused."""
        for make in (by_body, by_sha256, by_fields):
            assert not is_let_in(make(url=url_of("signalwire", query)).request(), "signalwire")

    @pytest.mark.parametrize("encode", [True, False])
    def test_scenario_22_a_body_is_verified_as_it_was_sent(self, encode):
        """It makes no difference whether API Gateway hands the body over in base64."""
        for delivery in (by_body(), by_sha256(), by_fields()):
            assert is_let_in(delivery.request(event=delivery.event(encode=encode)), "signalwire")

    @pytest.mark.parametrize("make", [by_body, by_sha256])
    def test_scenario_20_another_body_is_refused(self, make):
        """A body that was not signed is refused, be it a blank's difference."""
        for body in (BODY + b" ", BODY[:-1], BODY.replace(b"{", b"{ ", 1), b""):
            assert not is_let_in(replace(make(), body=body).request(), "signalwire")

    def test_capitals_are_not_its_spelling(self):
        """Digits in capitals, or base64, are not how scheme A is written."""
        for delivery in (by_body(), by_sha256()):
            [(name, value)] = delivery.headers.items()
            assert not is_let_in(delivery.with_header(name, value.upper()).request(), "signalwire")


class TestSchemeB:
    """URL and fields, as the compatibility API signs."""

    @pytest.mark.parametrize("header", HEADERS)
    @pytest.mark.parametrize(
        "pairs",
        [
            PAIRS,
            [],
            [("b", "2"), ("a", "1"), ("B", "3")],
            [("q", "ü ß % + & ="), ("u", " untrimmed "), ("e", "")],
            REPEATED,
            [("SpeechResult", "x" * 65_000)],
        ],
        ids=["a call", "empty", "order", "not ascii", "repeated", "64 KiB"],
    )
    def test_what_signalwire_signs_is_let_in(self, header, pairs):
        """The signature of URL and fields counts under both names of its header."""
        assert is_let_in(by_fields(pairs, header=header).request(), "signalwire")

    def test_repeated_fields_stay_in_their_order(self):
        """What comes several times counts as often and in the order of its sending, other than at Twilio."""
        delivery = by_fields(REPEATED)
        other = Delivery.of_form(URL, [REPEATED[1], REPEATED[0], *REPEATED[2:]], delivery.headers)
        as_twilio = Delivery.of_form(URL, REPEATED, signers.twilio(SIGNING_KEY, URL, REPEATED))

        assert is_let_in(delivery.request(), "signalwire")
        assert not is_let_in(other.request(), "signalwire")
        assert not is_let_in(as_twilio.request(), "signalwire")

    def test_the_order_of_names_does_not_matter(self):
        """Names are sorted before they are signed, so another order of them is the same message."""
        assert is_let_in(Delivery.of_form(URL, PAIRS[::-1], by_fields().headers).request(), "signalwire")

    def test_scenario_20_json_without_a_digest_is_refused(self):
        """A signature over the URL alone lets no body in: it says nothing of it."""
        headers = signers.signalwire_form(SIGNING_KEY, URL)
        for content_type in (JSON, "text/plain", None):
            delivery = Delivery(url=URL, body=BODY, content_type=content_type, headers=headers)
            assert not is_let_in(delivery.request(), "signalwire")
            assert not is_let_in(replace(delivery, body=b"").request(), "signalwire")
        assert not is_let_in(Delivery(url=URL, body=b"CallSid=1", headers=headers).request(), "signalwire")

    def test_json_with_its_digest_is_let_in(self):
        """A URL with the digest of the body, signed, lets that body in and no other."""
        url = signers.digested(URL, BODY)
        delivery = Delivery.of_json(url, BODY, signers.signalwire_form(SIGNING_KEY, url))

        assert is_let_in(delivery.request(), "signalwire")
        assert not is_let_in(replace(delivery, body=BODY + b" ").request(), "signalwire")
        assert not is_let_in(replace(delivery, body=b"").request(), "signalwire")
        unsigned = Delivery.of_json(url, BODY, signers.signalwire_form(SIGNING_KEY, URL))
        assert not is_let_in(unsigned.request(), "signalwire")

    def test_a_digest_of_another_body_is_refused(self):
        """Where the URL has a digest, a form has to be the one that it is of."""
        url = signers.digested(URL, b"a=1")
        headers = signers.signalwire_form(SIGNING_KEY, url, [("a", "2")])

        assert not is_let_in(Delivery.of_form(url, [("a", "2")], headers).request(), "signalwire")
        assert is_let_in(by_fields([("a", "1")], url=url).request(), "signalwire")

    @pytest.mark.parametrize("body", [b"CallSid", b"a=%ff", b"\xff=1"])
    def test_what_is_no_form_is_refused(self, body):
        """A body that cannot be read as a form is not covered by its fields."""
        headers = signers.signalwire_form(SIGNING_KEY, URL)

        assert not is_let_in(Delivery(url=URL, body=body, headers=headers).request(), "signalwire")


class TestAddresses:
    """SignalWire may name the usual port or leave it out."""

    @pytest.mark.parametrize("make", [by_body, by_fields, by_sha256])
    @pytest.mark.parametrize("part", ["", "flow:secret@"])
    @pytest.mark.parametrize("port", ["", ":443"])
    def test_scenario_21_port_and_userinfo_may_be_signed(self, make, part, port):
        """A signature counts with and without the usual port, and with the user:password@ that was sent."""
        delivery = make(signed=URL.replace(DOMAIN, f"{part}{DOMAIN}{port}"))

        assert is_let_in(delivery.with_header("authorization", basic_header("flow:secret")).request(), "signalwire")
        assert is_let_in(delivery.request(), "signalwire") is not bool(part)

    @pytest.mark.parametrize("make", [by_body, by_fields, by_sha256])
    def test_another_url_is_refused(self, make):
        """A signature over another account's URL, another host or port does not count."""
        for signed in (URL + "2", URL + "?", URL.replace(DOMAIN, "evil.example"), URL.replace(DOMAIN, f"{DOMAIN}:80")):
            assert not is_let_in(make(signed=signed).request(), "signalwire")

    def test_scenario_21_a_public_url_may_have_a_port(self):
        """Where the public URL has a port of its own, it is signed as it is."""
        public = "https://voice.example.com:8443/ivr"
        for make in (by_body, by_fields, by_sha256):
            delivery = make(signed=URL.replace(ORIGIN, public))
            assert is_let_in(delivery.request(public_urls=[public]), "signalwire")
            assert not is_let_in(delivery.request(), "signalwire")


class TestKeys:
    """Whose signature counts."""

    @pytest.mark.parametrize("make", [by_body, by_fields, by_sha256])
    def test_a_signing_key_rotates(self, make):
        """Each of the signing keys counts, and nothing else does: the API token is none."""
        sections = keys_of("signalwire", signing_keys=["PSK_other", SIGNING_KEY])
        for key in ("PSK_other", SIGNING_KEY):
            assert is_let_in(make(key=key).request(), "signalwire", **sections)
        for key in (VENDOR_KEY, "PSK_another", ""):
            assert not is_let_in(make(key=key).request(), "signalwire", **sections)

    @pytest.mark.parametrize("make", [by_body, by_fields, by_sha256])
    @pytest.mark.parametrize("key", ["", VENDOR_KEY, "None"])
    def test_without_a_key_nothing_is_let_in(self, make, key):
        """An account without a signing key accepts no signature, of no key."""
        assert not is_let_in(make(key=key).request(), "signalwire", **keys_of("signalwire", signing_keys=[]))

    def test_shared_keys_are_twilio_s(self):
        """Twilio's header of settings chooses nothing at SignalWire."""
        settings = {"settings": {"allow_shared_keys": True}}
        delivery = by_fields().with_header("x-twilio-webhooks-signature-settings", "algorithm=HMAC_SHA256")

        assert is_let_in(delivery.request(), "signalwire", **settings)
        shared = Delivery.of_form(URL, PAIRS, signers.twilio_shared_key(SIGNING_KEY, URL, PAIRS))
        assert not is_let_in(shared.request(), "signalwire", **settings)

    def test_empty_signatures_are_none(self):
        """A header that is empty or odd is refused."""
        for name in (*HEADERS, "x-signalwire-sha256-signature"):
            for value in ("", " ", "ü", "\ud800", "0" * 40):
                assert not is_let_in(replace(by_body(), headers={name: value}).request(), "signalwire")


class TestTheValidator:
    """SignalWire's own code."""

    def test_it_accepts_what_it_signs_here(self):
        """What the tests sign is what SignalWire's validator accepts."""
        sdk = signalwire_sdk.validator()
        for delivery in (by_body(), by_fields(), by_fields(REPEATED)):
            signature = delivery.headers[HEADERS[0]]
            assert sdk.validate_webhook_signature(SIGNING_KEY, signature, URL, delivery.body.decode())
        assert sdk.validate_webhook_signature_sha256(
            SIGNING_KEY, by_sha256().headers["x-signalwire-sha256-signature"], URL, BODY.decode()
        )

    def test_where_it_is_missing_that_is_said(self, monkeypatch):
        """Where SignalWire's package is not installed, the error says what installs it."""
        monkeypatch.setattr(signalwire_sdk, "ENVIRONMENT", Path("/nowhere"))
        signalwire_sdk.validator.cache_clear()

        with pytest.raises(RuntimeError, match="make unit"):
            signalwire_sdk.validator()
