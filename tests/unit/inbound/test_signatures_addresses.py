"""Under which URLs a signature counts, and whose signature counts where."""

import json
from dataclasses import replace

import pytest

from tests import signers
from tests.unit.fakes import (
    CALLS,
    CREDENTIALS,
    DOMAIN,
    PASSWORD,
    SIGNING_KEY,
    TOKEN,
    USERNAME,
    VENDOR_KEY,
    WEBHOOK_SECRET,
)
from tests.unit.inbound.deliveries import (
    NOW,
    ORIGIN,
    Delivery,
    credentials_of,
    is_let_in,
    keys_of,
    url_of,
)

PAIRS = [("CallSid", CALLS["twilio"]), ("CallStatus", "completed"), ("m", "2"), ("m", "1")]
BODY = json.dumps({"call_id": CALLS["bird"]}).encode()
PUBLIC = "https://calls.example.com/ivr/v1"


def twilio_form(url, key):
    """Sign as Twilio does."""
    return Delivery.of_form(url, PAIRS, signers.twilio(key, url, PAIRS))


def twilio_json(url, key):
    """Sign as Twilio does where it sends no form."""
    url = signers.digested(url, BODY)
    return Delivery.of_json(url, BODY, signers.twilio(key, url))


def twilio_shared_key(url, key):
    """Sign as Twilio does with a SharedKey."""
    return Delivery.of_form(url, PAIRS, signers.twilio_shared_key(key, url, PAIRS))


def signalwire_body(url, key):
    """Sign as SWML does."""
    return Delivery.of_json(url, BODY, signers.signalwire_body(key, url, BODY))


def signalwire_sha256(url, key):
    """Sign as SWML does, with SHA-256."""
    return Delivery.of_json(url, BODY, signers.signalwire_sha256(key, url, BODY))


def signalwire_form(url, key):
    """Sign as cXML does."""
    return Delivery.of_form(url, PAIRS, signers.signalwire_form(key, url, PAIRS))


def bird(url, key):
    """Sign as Bird does."""
    return Delivery.of_json(url, BODY, signers.bird(key, url, BODY, at=NOW))


#: Map a way to sign: the account where it counts, and the key of the fakes that signs.
SCHEMES = {
    "twilio form": ("twilio", twilio_form, VENDOR_KEY),
    "twilio json": ("twilio", twilio_json, VENDOR_KEY),
    "signalwire body": ("signalwire", signalwire_body, SIGNING_KEY),
    "signalwire sha256": ("signalwire", signalwire_sha256, SIGNING_KEY),
    "signalwire form": ("signalwire", signalwire_form, SIGNING_KEY),
    "bird": ("bird", bird, SIGNING_KEY),
}
EACH = pytest.mark.parametrize(("vendor", "sign", "key"), SCHEMES.values(), ids=SCHEMES)

#: A key that every vendor would sign with, wherever the account keeps it.
COMMON = "placeholder-common-key-0007"


@EACH
class TestUrls:
    """The API's own URL, and those of the company."""

    def test_the_api_s_own_url_counts(self, vendor, sign, key):
        """Signed over the domain that API Gateway names, a request is let in, with public URLs and without."""
        delivery = sign(url_of(vendor), key)

        assert is_let_in(delivery.request(), vendor)
        assert is_let_in(delivery.request(public_urls=[PUBLIC]), vendor)

    @pytest.mark.parametrize("before", ["", "/prod", "/ivr", "/ivr/v1", "/a/b/c"])
    def test_scenario_21_a_public_url_has_its_own_prefix(self, vendor, sign, key, before):
        """What API Gateway puts before the route, a stage or a mapping key, is not the public URL's."""
        delivery = sign(url_of(vendor, origin=PUBLIC), key)
        event = delivery.event(before=before, rawPath=f"{before}/webhooks/demo-{vendor}")
        urls = ["https://other.example.com", PUBLIC]

        assert is_let_in(delivery.request(event=event, public_urls=urls), vendor)
        assert not is_let_in(delivery.request(event=event, public_urls=urls[:1]), vendor)
        assert not is_let_in(delivery.request(event=event), vendor)

    @pytest.mark.parametrize("before", ["/prod", "/key"])
    def test_scenario_21_a_stage_is_part_of_the_api_s_own_url(self, vendor, sign, key, before):
        """Under the API's own domain the stage, or the mapping key, is signed."""
        with_stage = sign(url_of(vendor, origin=ORIGIN + before), key)
        without = sign(url_of(vendor), key)
        path = f"{before}/webhooks/demo-{vendor}"

        assert is_let_in(with_stage.request(event=with_stage.event(rawPath=path)), vendor)
        assert not is_let_in(without.request(event=without.event(rawPath=path)), vendor)

    def test_flows_have_public_urls_as_well(self, vendor, sign, key):
        """A flow's URL, whose route is longer, has the prefix of its public URL, too."""
        path = f"/flows/demo-{vendor}/card-entry/left"
        delivery = replace(sign(PUBLIC + path, key), route="POST /flows/{account}/{step}/left")
        event = delivery.event(rawPath="/prod" + path)

        assert is_let_in(delivery.request(event=event, public_urls=[PUBLIC]), vendor)
        elsewhere = replace(delivery, route="POST /webhooks/{account}").event(rawPath="/prod" + path)
        assert not is_let_in(delivery.request(event=elsewhere, public_urls=[PUBLIC]), vendor)

    def test_scenario_20_another_step_is_another_url(self, vendor, sign, key):
        """What was signed for one step, or one word, does not count for another."""
        signed = sign(f"{ORIGIN}/flows/demo-{vendor}/card-entry/entered", key)
        for path in (f"/flows/demo-{vendor}/card-entry/left", f"/flows/demo-{vendor}/other/entered"):
            event = replace(signed, route=f"POST /flows/{{account}}/{{step}}/{path.rpartition('/')[2]}").event()
            assert not is_let_in(signed.request(event=event | {"rawPath": path}), vendor)

    @pytest.mark.parametrize(
        "header", ["host", "x-forwarded-host", "forwarded", "x-original-host", ":authority", "x-forwarded-server"]
    )
    @pytest.mark.parametrize("value", ["evil.example", "host=evil.example;proto=https"])
    def test_the_sender_s_word_never_decides(self, vendor, sign, key, header, value):
        """Host and X-Forwarded-Host are whatever the sender likes: they let nothing in, and keep nothing out."""
        forged = sign(url_of(vendor, origin="https://evil.example"), key)
        headers = {header: value, "x-forwarded-proto": "https", "x-forwarded-port": "443", "x-forwarded-prefix": "/x"}

        assert not is_let_in(replace(forged, headers={**headers, **forged.headers}).request(), vendor)
        right = sign(url_of(vendor), key)
        assert is_let_in(replace(right, headers={**headers, **right.headers}).request(public_urls=[PUBLIC]), vendor)

    @pytest.mark.parametrize(
        "domain", [None, "", 5, "evil.example/x?", "a@b", "a b", "x\n", "a" * 254, "[::1]", "ü.de"]
    )
    def test_an_odd_domain_is_none(self, vendor, sign, key, domain):
        """What is no domain name is not asked about, and the public URLs still count."""
        delivery = sign(url_of(vendor, origin=f"https://{domain}"), key)
        event = sign(url_of(vendor), key).event()
        event["headers"] |= delivery.headers
        event["requestContext"] = event["requestContext"] | {"domainName": domain}

        assert not is_let_in(delivery.request(event=event), vendor)
        public = sign(url_of(vendor, origin=PUBLIC), key)
        event = public.event(rawPath=f"/webhooks/demo-{vendor}")
        event["requestContext"] = event["requestContext"] | {"domainName": domain}
        assert is_let_in(public.request(event=event, public_urls=[PUBLIC]), vendor)

    def test_a_url_that_is_not_ascii_is_nobody_s(self, vendor, sign, key):
        """URLs are ASCII: another one is refused, and breaks nothing."""
        for url in (url_of(vendor, "a=ü"), url_of(vendor) + "ü", url_of(vendor, "\U0001d11e")):
            assert not is_let_in(sign(url, key).request(), vendor)

    def test_plain_http_is_not_https(self, vendor, sign, key):
        """The API is served over TLS alone: a URL with another scheme is not the one that was asked."""
        delivery = sign(url_of(vendor, origin=f"http://{DOMAIN}"), key)

        assert not is_let_in(delivery.request(), vendor)


class TestVendors:
    """An account's vendor says whose signature counts."""

    @pytest.mark.parametrize("account", CREDENTIALS)
    @EACH
    def test_scenario_43_another_vendor_s_signature_never_counts(self, vendor, sign, key, account):
        """Signed with the right key but as another vendor signs, a request is refused.

        JSON whose digest is in the URL the two compatible vendors sign alike.
        """
        counts = {vendor, "signalwire"} if sign is twilio_json else {vendor}
        inbound = keys_of(account, signing_keys=[COMMON], webhook_secrets=[])
        credentials = {"auth_token": COMMON} if account == "twilio" else {}
        sections = {**inbound, "credentials": credentials_of(account, **credentials)}

        assert is_let_in(sign(url_of(account), COMMON).request(), account, **sections) is (account in counts)

    @pytest.mark.parametrize("account", CREDENTIALS)
    def test_a_shared_key_s_signature_is_twilio_s(self, account):
        """A SharedKey's signature counts at no other vendor, whatever the account allows."""
        sections = {
            **keys_of(account, signing_keys=[COMMON], webhook_secrets=[]),
            "settings": {"allow_shared_keys": True},
        }
        delivery = twilio_shared_key(url_of(account), COMMON)

        assert is_let_in(delivery.request(), account, **sections) is (account == "twilio")

    @EACH
    def test_an_unknown_vendor_has_no_signature(self, vendor, sign, key):
        """Of an account whose vendor is none of ours no signature counts, and nothing breaks."""
        for name in ("acme", "", None, 5, ["twilio"], "Twilio", "signalwire "):
            assert not is_let_in(sign(url_of(vendor), key).request(), vendor, vendor=name)

    @EACH
    def test_no_key_at_all_lets_nobody_in(self, vendor, sign, key):
        """An account without any key accepts nothing, signed with nothing or with what is in no list."""
        credentials = {name: each for name, each in CREDENTIALS[vendor].items() if name != "auth_token"}
        for signing_key in ("", key, VENDOR_KEY):
            delivery = sign(url_of(vendor), signing_key)
            assert not is_let_in(delivery.request(), vendor, inbound={}, credentials=credentials)

    @EACH
    def test_the_other_keys_of_an_account_sign_nothing(self, vendor, sign, key):
        """Tokens, passwords and secrets of third parties are no signing keys."""
        inbound = {"bearer_tokens": [TOKEN], "basic": [{"username": USERNAME, "password": PASSWORD}]}
        sections = keys_of(vendor, signing_keys=[], **inbound)
        credentials = {**CREDENTIALS[vendor], "auth_token": "placeholder"}
        for other in (TOKEN, PASSWORD, f"{USERNAME}:{PASSWORD}", WEBHOOK_SECRET):
            delivery = sign(url_of(vendor), other)
            assert not is_let_in(delivery.request(), vendor, **sections, credentials=credentials)
