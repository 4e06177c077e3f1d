"""How the simulated platforms prove that a request is theirs, judged by others' code."""

from __future__ import annotations

import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from local.simulators import signatures
from local.simulators.outgoing import Outgoing
from local.simulators.server import VENDORS
from local.simulators.world import World
from tests.simulators.conftest import basic

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
URL = "http://127.0.0.1:8080/told?account=demo"
NOON = datetime(2030, 1, 1, tzinfo=UTC)
FIELDS = {"CallSid": "CA1", "Digits": "", "Name": "Zoë & sons", "Tag": ["b", "a", "b"], "None": None, "Yes": True}


@pytest.fixture(name="world")
def _world():
    return World(clock=lambda: NOON)


@pytest.fixture(name="vendors")
def _vendors(world, credentials):
    """Each vendor by itself, without a socket."""
    return {name: vendor(world, credentials[name]) for name, vendor in VENDORS.items()}


@pytest.fixture(name="signalwire_sdk", scope="module")
def _signalwire_sdk():
    """SignalWire's own validator: one module of its SDK, which needs nothing but the standard library."""
    environment = ROOT / ".venvs" / "sdk-signalwire-webhooks"
    (path,) = environment.glob("lib/python*/site-packages/signalwire/core/security/webhook_validator.py")
    spec = importlib.util.spec_from_file_location("signalwire_webhook_validator", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def form_of(request: Outgoing) -> list[tuple[str, str]]:
    """The fields of a form, as any server reads them."""
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    return parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True)


class TestTwilio:
    """Twilio's requests, judged by Twilio's SDK."""

    @pytest.fixture(name="validator")
    def _validator(self, credentials):
        return RequestValidator(credentials["twilio"]["auth_token"])

    def test_a_form_is_signed(self, vendors, validator):
        """A form's signature holds, and no longer does when a field or the URL is another."""
        request = vendors["twilio"].callback(URL, FIELDS)
        sent, signature = MultiDict(form_of(request)), request.headers["X-Twilio-Signature"]

        assert form_of(request) == [
            *[("CallSid", "CA1"), ("Digits", ""), ("Name", "Zoë & sons")],
            *[("Tag", "b"), ("Tag", "a"), ("Tag", "b"), ("Yes", "true")],
        ]
        assert validator.validate(URL, sent, signature)
        assert not validator.validate(URL, MultiDict([*form_of(request), ("Digits", "1")]), signature)
        assert not validator.validate(f"{URL}x", sent, signature)

    @pytest.mark.parametrize("url", [URL, "http://127.0.0.1:8080/told"])
    def test_json_is_signed_by_its_digest_in_the_url(self, vendors, validator, url):
        """What is no form is signed by way of `bodySHA256` in the query, which is asked like the rest of the URL."""
        request = vendors["twilio"].json_callback(url, {"action": "pause"})
        signature = request.headers["X-Twilio-Signature"]

        assert request.url.startswith(f"{url}{'&' if '?' in url else '?'}bodySHA256=")
        assert validator.validate(request.url, request.body.decode(), signature)
        assert not validator.validate(request.url, '{"action": "resume"}', signature)

    def test_a_user_in_the_url_is_signed_and_not_asked(self, vendors, validator):
        """The URL is signed as it was configured; what is asked has the user in a header."""
        configured = "http://demo:s%40cret@127.0.0.1:8080/told"
        request = vendors["twilio"].callback(configured, {"CallSid": "CA1"})

        assert request.headers["X-Twilio-Signature"] == validator.compute_signature(configured, {"CallSid": "CA1"})
        assert (request.url, request.headers["Authorization"]) == (
            "http://127.0.0.1:8080/told",
            basic("demo", "s@cret"),
        )

    def test_settings_of_the_connection_are_neither_asked_nor_signed(self, vendors, validator):
        """What follows `#` stays with the platform."""
        request = vendors["twilio"].callback("http://127.0.0.1:8080/told#rc=2", {"CallSid": "CA1"})

        assert request.url == "http://127.0.0.1:8080/told"
        assert validator.validate(request.url, {"CallSid": "CA1"}, request.headers["X-Twilio-Signature"])

    def test_a_new_auth_token_signs_from_then_on(self, vendors, credentials, validator):
        """Rotating the credentials rotates what signs."""
        vendors["twilio"].rotate(credentials["twilio"] | {"auth_token": "another"})
        signature = vendors["twilio"].callback(URL, {}).headers["X-Twilio-Signature"]

        assert RequestValidator("another").validate(URL, {}, signature)
        assert not validator.validate(URL, {}, signature)


class TestSignalWire:
    """SignalWire's requests, judged by SignalWire's SDK and its own test vectors."""

    def test_a_form_is_signed(self, vendors, credentials, signalwire_sdk):
        """A form of cXML has scheme B, with repeated names as they were sent, and no SHA-256."""
        request = vendors["signalwire"].callback(URL, FIELDS)
        key, signature = credentials["signalwire"]["signing_key"], request.headers["X-SignalWire-Signature"]

        assert ("Tag", "b") in form_of(request)
        assert signalwire_sdk.validate_webhook_signature(key, signature, URL, request.body.decode())
        assert not signalwire_sdk.validate_webhook_signature(key, signature, URL, "CallSid=another")
        assert "X-SignalWire-Sha256-Signature" not in request.headers

    def test_json_is_signed_twice(self, vendors, credentials, signalwire_sdk):
        """SWML's JSON has scheme A by SHA-1 and by SHA-256."""
        request = vendors["signalwire"].json_callback(URL, {"event_type": "calling.call.record"})
        key, body, headers = credentials["signalwire"]["signing_key"], request.body.decode(), request.headers
        sha1, sha256 = headers["X-SignalWire-Signature"], headers["X-SignalWire-Sha256-Signature"]

        assert signalwire_sdk.validate_webhook_signature(key, sha1, URL, body)
        assert signalwire_sdk.validate_webhook_signature_sha256(key, sha256, URL, body)
        assert not signalwire_sdk.validate_webhook_signature(key, sha1, URL, f"{body} ")
        assert not signalwire_sdk.validate_webhook_signature_sha256(key, sha256, URL, f"{body} ")

    def test_the_documented_vectors(self):
        """Both schemes give what the SDK's documentation (signalwire-sdk 3.7.5, security.md) says."""
        body = b'{"event":"call.state","params":{"call_id":"abc-123","state":"answered"}}'
        url, key = "https://example.ngrok.io/webhook", "PSKtest1234567890abcdef"
        form = {"To": "+18005551212", "From": "+14158675309", "Digits": "1234", "CallSid": "CA1234567890ABCDE"}
        pairs = [*form.items(), ("Caller", "+14158675309")]
        of_form = signatures.signalwire_form("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", pairs)

        assert signatures.signalwire_body(key, url, body)["X-SignalWire-Signature"] == (
            "c3c08c1fefaf9ee198a100d5906765a6f394bf0f"
        )
        assert of_form == {"X-SignalWire-Signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}
        # The same form is Twilio's own example.
        assert signatures.twilio_form("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", pairs) == (
            "RSOYDt4T1cUTdK1PDd93/VVr8B8="
        )

    def test_a_user_in_the_url_is_not_signed(self, vendors, credentials, signalwire_sdk):
        """The URL that is signed is the one that is asked."""
        request = vendors["signalwire"].callback("http://demo:secret@127.0.0.1:8080/told", {"CallSid": "1"})
        key, signature = credentials["signalwire"]["signing_key"], request.headers["X-SignalWire-Signature"]

        assert signalwire_sdk.validate_webhook_signature(key, signature, "http://127.0.0.1:8080/told", "CallSid=1")
        assert request.headers["Authorization"] == basic("demo", "secret")


class TestBird:
    """Bird's requests."""

    def test_the_signature_is_the_one_that_openssl_makes(self):
        """A known answer covers the time, the URL with its query, and the digest of the body in raw bytes."""
        # { printf '1893456000\nhttp://127.0.0.1:8080/bird?a=1\n'
        #   printf '{"service": "channels"}' | openssl dgst -sha256 -binary
        # } | openssl dgst -sha256 -hmac a-key-of-bird -binary | base64
        url = "http://127.0.0.1:8080/bird?a=1"
        headers = signatures.bird("a-key-of-bird", url, b'{"service": "channels"}', timestamp=1893456000)

        assert headers == {
            "messagebird-signature": "Y1Gf/qzQYU4UhuGgPcp+I2UL1coVLl4F162I/XWR7bg=",
            "messagebird-request-timestamp": "1893456000",
        }

    def test_a_request_is_signed_with_the_subscription_s_key_at_its_time(self, world, credentials):
        """The request carries that signature, of the moment at which it is made."""
        bird = VENDORS["bird"](world, credentials["bird"] | {"signing_key": "a-key-of-bird"})
        request = bird.callback("http://127.0.0.1:8080/bird?a=1", {"service": "channels"})

        assert request.body == b'{"service": "channels"}'
        assert request.headers == {
            "Content-Type": "application/json",
            "messagebird-signature": "Y1Gf/qzQYU4UhuGgPcp+I2UL1coVLl4F162I/XWR7bg=",
            "messagebird-request-timestamp": str(int(NOON.timestamp())),
        }


class TestBandwidth:
    """Bandwidth's requests."""

    def test_has_basic_authentication_and_no_signature(self, vendors):
        """The user that was given by itself comes before the one in the URL."""
        request = vendors["bandwidth"].callback("http://in:url@127.0.0.1:8080/b?x=1", {"eventType": "redirect"})
        other = vendors["bandwidth"].callback("http://in:url@127.0.0.1:8080/b", {}, basic=("by", "itself"))

        assert json.loads(request.body) == {"eventType": "redirect"}
        assert request.url == "http://127.0.0.1:8080/b?x=1"
        assert request.headers == {"Content-Type": "application/json", "Authorization": basic("in", "url")}
        assert other.headers["Authorization"] == basic("by", "itself")
