"""Standard Webhooks, signed by the project's own code."""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from dataclasses import replace

import pytest

from tests import signers
from tests.unit.fakes import CALLS, CREDENTIALS, WEBHOOK_SECRET
from tests.unit.inbound.deliveries import NOW, ORIGIN, Delivery, is_let_in, keys_of, proven, url_of

BODY = json.dumps({"type": "call.ended", "timestamp": "2026-09-21T14:13:20Z", "data": {"call_id": "Zürich"}}).encode()
OTHER_SECRET = "whsec_" + b64encode(b"placeholder-webhook-secret-0002").decode()
ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
FLOW = "POST /flows/{account}/{step}/entered"


def signed(body=BODY, *, vendor="twilio", secret=WEBHOOK_SECRET, message_id=ID, at=NOW, url=None):
    """Return a message that a third party has signed."""
    headers = signers.standard_webhooks(secret, message_id, body, at=at)
    return Delivery.of_json(url or url_of(vendor), body, headers)


def signature_of(body=BODY, *, secret=WEBHOOK_SECRET):
    """Return one signature of a message."""
    return signed(body, secret=secret).headers["webhook-signature"]


class TestSignature:
    """Id, time and body."""

    @pytest.mark.parametrize("vendor", CREDENTIALS)
    def test_a_third_party_is_let_in_whatever_the_vendor(self, vendor):
        """A signed message is let in at every account that has its secret, and its id is known."""
        assert proven(signed(vendor=vendor).request(), vendor) == (ID,)

    @pytest.mark.parametrize("word", ["entered", "left", "stop"])
    def test_flows_may_be_signed_as_well(self, word):
        """The signature counts on /flows as on /webhooks."""
        url = f"{ORIGIN}/flows/demo-twilio/card-entry/{word}"
        body = json.dumps({"call_id": CALLS["twilio"]}).encode()
        delivery = replace(signed(body, url=url), route=FLOW.replace("entered", word))

        assert proven(delivery.request(), "twilio") == (ID,)

    @pytest.mark.parametrize("body", [BODY, b"", b"{}", b"[" + b"1," * 32_000 + b"1]", "☎\r\n".encode()])
    @pytest.mark.parametrize("encode", [True, False])
    def test_scenario_22_a_body_is_verified_as_it_was_sent(self, body, encode):
        """Every body that is signed is let in, whether API Gateway hands it over in base64 or not."""
        delivery = signed(body)

        assert is_let_in(delivery.request(event=delivery.event(encode=encode)), "twilio")

    @pytest.mark.parametrize("url", [url_of("twilio", "a=1"), "https://evil.example/webhooks/demo-twilio"])
    def test_the_url_is_not_signed(self, url):
        """The signature says nothing of the URL, so a proxy cannot break it."""
        assert is_let_in(signed(url=url).request(), "twilio")

    def test_scenario_20_another_body_is_refused(self):
        """A body that was not signed is refused, be it a blank's difference."""
        for body in (BODY + b" ", BODY[:-1], BODY.replace(b"{", b"{ ", 1), b""):
            assert not is_let_in(replace(signed(), body=body).request(), "twilio")

    @pytest.mark.parametrize(
        ("header", "value"),
        [
            ("webhook-id", ""),
            ("webhook-id", ID + " "),
            ("webhook-id", "msg_other"),
            ("webhook-id", "\ud800"),
            ("webhook-timestamp", ""),
            ("webhook-timestamp", "1790000001"),
            ("webhook-timestamp", "1790000000.0"),
            ("webhook-timestamp", "01790000000"),
            ("webhook-timestamp", "\uff11790000000"),
            ("webhook-signature", ""),
            ("webhook-signature", "v1,"),
            ("webhook-signature", "v1"),
            ("webhook-signature", ","),
            ("webhook-signature", "\ud800"),
            ("webhook-signature", signature_of().removeprefix("v1,")),
            ("webhook-signature", signature_of().replace("v1,", "v2,")),
            ("webhook-signature", signature_of().replace("v1,", "v1a,")),
            ("webhook-signature", signature_of().replace("v1,", "v1,v1,")),
            ("webhook-signature", signature_of().rstrip("=")),
        ],
    )
    def test_odd_headers_are_refused(self, header, value):
        """A header that is empty, odd or another message's is refused, and so is its lack."""
        delivery = signed()
        without = replace(delivery, headers={name: each for name, each in delivery.headers.items() if name != header})

        assert not is_let_in(delivery.with_header(header, value).request(), "twilio")
        assert not is_let_in(without.request(), "twilio")

    def test_an_id_with_a_full_stop_is_refused(self):
        """Full stops join what is signed: an id with one could take its end from the time, and is refused."""
        whole = signed(b"1790000000.{}", message_id="msg", at=NOW)
        secret = b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
        message = f"msg.{int(NOW)}.{int(NOW)}.{{}}".encode()
        assert (
            whole.headers["webhook-signature"]
            == "v1," + b64encode(hmac.new(secret, message, hashlib.sha256).digest()).decode()
        ), "the two are signed alike"
        shifted = replace(whole, body=b"{}").with_header("webhook-id", f"msg.{int(NOW)}")

        assert is_let_in(whole.request(), "twilio")
        assert not is_let_in(shifted.request(), "twilio")
        for message_id in ("a.b", ".", "msg.", ".msg"):
            assert not is_let_in(signed(message_id=message_id).request(), "twilio")

    @pytest.mark.parametrize("message_id", ["x" * 256, "0", "a-b/c:d~!@#$%^&*()+=[]{}|;'\"<>,?`_"])
    def test_other_ids_are_taken(self, message_id):
        """Everything else that can be printed may be an id, up to 256 characters."""
        assert proven(signed(message_id=message_id).request(), "twilio") == (message_id,)
        assert not is_let_in(signed(message_id=message_id + "x" * 256).request(), "twilio")


class TestSeveral:
    """Secrets rotate: a message carries several signatures, an account has several secrets."""

    @pytest.mark.parametrize(
        "signatures",
        [
            [signature_of(secret=OTHER_SECRET), signature_of()],
            [signature_of(), signature_of(secret=OTHER_SECRET)],
            [
                "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
                signature_of(),
            ],
            ["", "v1", signature_of(), "v9,x"],
            ["v1,x"] * 15 + [signature_of()],
        ],
    )
    def test_one_of_several_signatures_is_enough(self, signatures):
        """A message counts if any of its signatures is made with the account's secret."""
        assert is_let_in(signed().with_header("webhook-signature", " ".join(signatures)).request(), "twilio")

    def test_none_of_several_signatures_is_none(self):
        """A message none of whose signatures is made with the account's secret is refused."""
        wrong = [signature_of(secret=OTHER_SECRET), signature_of(b"{}"), "v1,x"]

        assert not is_let_in(signed().with_header("webhook-signature", " ".join(wrong)).request(), "twilio")

    def test_signatures_are_bounded(self):
        """Beyond sixteen signatures nobody looks: each costs work."""
        many = ["v1,x"] * 16 + [signature_of()]

        assert not is_let_in(signed().with_header("webhook-signature", " ".join(many)).request(), "twilio")

    @pytest.mark.parametrize("order", [1, -1])
    def test_each_secret_of_the_account_counts(self, order):
        """Whichever of the account's secrets has signed, the message counts."""
        sections = keys_of("twilio", webhook_secrets=[WEBHOOK_SECRET, OTHER_SECRET][::order])

        assert is_let_in(signed().request(), "twilio", **sections)
        assert is_let_in(signed(secret=OTHER_SECRET).request(), "twilio", **sections)
        assert not is_let_in(signed(secret=OTHER_SECRET).request(), "twilio")

    @pytest.mark.parametrize("secret", [WEBHOOK_SECRET.removeprefix("whsec_"), WEBHOOK_SECRET.rstrip("=")])
    def test_a_secret_may_be_written_plainly(self, secret):
        """The secret's prefix and its padding may be left out."""
        assert is_let_in(signed().request(), "twilio", **keys_of("twilio", webhook_secrets=[secret]))

    def test_without_a_secret_nothing_is_let_in(self):
        """An account without a secret accepts no signature, of no key."""
        empty = "v1," + b64encode(hmac.new(b"", f"{ID}.{int(NOW)}.".encode() + BODY, hashlib.sha256).digest()).decode()
        sections = keys_of("twilio", webhook_secrets=[])
        for delivery in (signed(), signed().with_header("webhook-signature", empty)):
            assert not is_let_in(delivery.request(), "twilio", **sections)


class TestWindow:
    """A message is good for five minutes before and after its time."""

    @pytest.mark.parametrize("age", [0, 1, -1, 299, 300, -299, -300])
    def test_scenario_19_within_five_minutes_it_counts(self, age):
        """A message counts up to its 300th second, and as long before where clocks differ."""
        assert is_let_in(signed(at=NOW - age).request(), "twilio")

    @pytest.mark.parametrize("age", [301, 302, -301, -302, 3600, 86_400, NOW])
    def test_scenario_19_beyond_it_does_not(self, age):
        """An older or a later one is refused, however well it is signed."""
        assert not is_let_in(signed(at=NOW - age).request(), "twilio")

    def test_the_time_is_signed(self):
        """An old message does not become young by another time in its header."""
        old = signed(at=NOW - 3600)

        assert not is_let_in(old.with_header("webhook-timestamp", str(int(NOW))).request(), "twilio")
