"""Bird's signatures, made by a few lines of the tests' own, and by openssl."""

import hashlib
import hmac
import json
from base64 import b64encode
from dataclasses import replace

import pytest

from tests import signers
from tests.unit.fakes import CALL_UUID, DOMAIN, SIGNING_KEY, VENDOR_KEY, WORKSPACE_ID
from tests.unit.inbound.deliveries import NOW, ORIGIN, Delivery, basic_header, is_let_in, keys_of, url_of

URL = url_of("bird")
BODY = json.dumps({"event": "voice.inbound", "payload": {"id": CALL_UUID, "note": "Zürich"}}).encode()

PUBLIC = "https://api.example.com"
VECTOR_BODY = b'{"event":"voice.inbound"}'
#: Made by
#:     { printf '1790000000\nhttps://api.example.com/webhooks/demo-bird\n'
#:       printf '{"event":"voice.inbound"}' | openssl dgst -sha256 -binary
#:     } | openssl dgst -sha256 -hmac placeholder-signing-key-0001 -binary | openssl base64
VECTOR = "7jetmqBCjlexfYbkNCuRPJu/by602If7N1ZOK+mIKYE="
#: The same with `-hex` for the body's digest.
VECTOR_OF_HEX = "IGeAE8+ffGi0m/8aZEl1oaepK9zX9rylQg9Hf17ycvs="


def signed(body=BODY, *, url=URL, key=SIGNING_KEY, over=None, at=NOW):
    """Return an event that Bird has signed."""
    return Delivery.of_json(url, body, signers.bird(key, over or url, body, at=at))


def written_by_hand(message, *, body=BODY, url=URL, timestamp=str(int(NOW))):
    """Return an event whose signature covers this message."""
    signature = b64encode(hmac.new(SIGNING_KEY.encode(), message, hashlib.sha256).digest()).decode()
    headers = {"messagebird-signature": signature, "messagebird-request-timestamp": timestamp}
    return Delivery.of_json(url, body, headers)


class TestSignature:
    """Time, URL and the body's digest."""

    @pytest.mark.parametrize("body", [BODY, b"", b"{}", b"[" + b"1," * 32_000 + b"1]", "☎\r\n".encode()])
    def test_what_bird_signs_is_let_in(self, body):
        """Every body that is signed lately is let in."""
        assert is_let_in(signed(body).request(), "bird")

    @pytest.mark.parametrize("encode", [True, False])
    def test_scenario_22_a_body_is_verified_as_it_was_sent(self, encode):
        """It makes no difference whether API Gateway hands the body over in base64."""
        delivery = signed()

        assert is_let_in(delivery.request(event=delivery.event(encode=encode)), "bird")

    def test_bytes_that_are_no_text_are_verified(self):
        """The body is verified as bytes: it need not be text to be signed."""
        assert is_let_in(signed(b"\xff\x00\xfe").request(), "bird")

    def test_openssl_signs_the_same(self):
        """A signature made by openssl counts; one over the body's digest in hexadecimal digits does not."""
        vector = Delivery.of_json(
            url_of("bird", origin=PUBLIC),
            VECTOR_BODY,
            {"messagebird-signature": VECTOR, "messagebird-request-timestamp": "1790000000"},
        )

        assert is_let_in(vector.request(public_urls=[PUBLIC]), "bird")
        of_hex = vector.with_header("messagebird-signature", VECTOR_OF_HEX)
        assert not is_let_in(of_hex.request(public_urls=[PUBLIC]), "bird")

    @pytest.mark.parametrize("query", ["", "b=2&a=1"])
    def test_the_scheme_of_messagebird_is_refused(self, query):
        """The old platform signs the sorted query instead of the URL, under the same header names: refused."""
        url = url_of("bird", query)
        in_order = "&".join(sorted(query.split("&")))
        message = f"{int(NOW)}\n{in_order}\n".encode() + hashlib.sha256(BODY).digest()

        assert not is_let_in(written_by_hand(message, url=url).request(), "bird")
        assert is_let_in(signed(url=url).request(), "bird")

    def test_a_token_of_messagebird_is_refused(self):
        """A JWT, which the old platform sends as well, is no signature."""
        delivery = replace(signed(), headers={"messagebird-signature-jwt": "eyJhbGciOiJub25lIn0.e30."})

        assert not is_let_in(delivery.request(), "bird")

    def test_scenario_20_another_body_is_refused(self):
        """A body that was not signed is refused, be it a blank's difference."""
        for body in (BODY + b" ", BODY[:-1], BODY.replace(b"{", b"{ ", 1), b""):
            assert not is_let_in(replace(signed(), body=body).request(), "bird")

    @pytest.mark.parametrize("header", ["messagebird-signature", "messagebird-request-timestamp"])
    @pytest.mark.parametrize("value", ["", " ", "ü", "\ud800", "\uff11", "-1", "1e9", "1790000000.0", " 1790000000"])
    def test_odd_headers_are_refused(self, header, value):
        """A header that is empty or odd is refused, and so is its lack."""
        delivery = signed()
        without = replace(delivery, headers={name: each for name, each in delivery.headers.items() if name != header})

        assert not is_let_in(delivery.with_header(header, value).request(), "bird")
        assert not is_let_in(without.request(), "bird")

    def test_the_time_is_signed(self):
        """An old signature does not become young by another time in its header."""
        old = signed(at=NOW - 3600)

        assert not is_let_in(old.with_header("messagebird-request-timestamp", str(int(NOW))).request(), "bird")


class TestWindow:
    """A signature with a time in it is good for five minutes before and after."""

    @pytest.mark.parametrize("age", [0, 1, -1, 299, 300, -299, -300])
    def test_scenario_19_within_five_minutes_it_counts(self, age):
        """A delivery counts up to its 300th second, and as long before where clocks differ."""
        assert is_let_in(signed(at=NOW - age).request(), "bird")

    @pytest.mark.parametrize("age", [301, 302, -301, -302, 3600, 86_400, NOW])
    def test_scenario_19_beyond_it_does_not(self, age):
        """An older or a later one is refused, however well it is signed."""
        assert not is_let_in(signed(at=NOW - age).request(), "bird")

    def test_scenario_19_it_ends_within_a_second(self):
        """The window is measured from when API Gateway took the request, to the millisecond."""
        delivery = signed(at=NOW - 300)
        context = delivery.event()["requestContext"]
        late = delivery.event(requestContext=context | {"timeEpoch": int(NOW * 1000) + 1})

        assert is_let_in(delivery.request(), "bird")
        assert not is_let_in(delivery.request(event=late, now=NOW + 1), "bird")

    def test_a_clock_that_stands_still_opens_nothing(self):
        """An event whose own time is long ago, or ahead, is measured by our clock."""
        delivery = signed(at=NOW)

        assert not is_let_in(delivery.request(now=NOW + 3600), "bird")
        assert not is_let_in(delivery.request(now=NOW - 3600), "bird")


class TestAddresses:
    """The URL is signed as it was configured."""

    def test_another_url_is_refused(self):
        """A signature over another account's URL, host, port or query does not count."""
        for over in (URL + "2", URL + "?", URL.replace(DOMAIN, "evil.example"), URL.replace(DOMAIN, f"{DOMAIN}:443")):
            assert not is_let_in(signed(over=over).request(), "bird")

    def test_userinfo_is_not_signed(self):
        """Bird's URLs are configured without user:password@."""
        delivery = signed(over=URL.replace(DOMAIN, f"flow:secret@{DOMAIN}"))

        assert not is_let_in(delivery.with_header("authorization", basic_header("flow:secret")).request(), "bird")

    def test_scenario_21_a_public_url_may_have_a_port(self):
        """Where the public URL has a port of its own, it is signed as it is, and only so."""
        public = "https://voice.example.com:8443/ivr"
        delivery = signed(over=URL.replace(ORIGIN, public))

        assert is_let_in(delivery.request(public_urls=[public]), "bird")
        assert not is_let_in(delivery.request(public_urls=["https://voice.example.com/ivr"]), "bird")
        assert not is_let_in(delivery.request(), "bird")


class TestKeys:
    """Whose signature counts."""

    def test_a_signing_key_rotates(self):
        """Each of the signing keys counts, and nothing else does: the access key is none."""
        sections = keys_of("bird", signing_keys=["other", SIGNING_KEY])
        for key in ("other", SIGNING_KEY):
            assert is_let_in(signed(key=key).request(), "bird", **sections)
        for key in (VENDOR_KEY, "another", "", WORKSPACE_ID):
            assert not is_let_in(signed(key=key).request(), "bird", **sections)

    @pytest.mark.parametrize("key", ["", VENDOR_KEY, "None"])
    def test_without_a_key_nothing_is_let_in(self, key):
        """An account without a signing key accepts no signature, of no key."""
        assert not is_let_in(signed(key=key).request(), "bird", **keys_of("bird", signing_keys=[]))
