"""Who may come in, and that the time tells nothing.  What each signature is made of is in test_signatures*.py."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from call_recording.account import BasicCredential, Inbound
from call_recording.inbound.authentication import DECOY, PROOF_HEADERS, SIGNATURES, Proven, presented, prove
from call_recording.inbound.request import MAX_BODY_BYTES, InboundRequest
from call_recording.inbound.signatures import base64_hmac
from tests.unit.fakes import CARD, DOMAIN, PASSWORD, TOKEN, USERNAME, VENDOR_KEY, basic, flow_event

SECOND = "placeholder-bearer-token-0002"
WEBHOOK_KEYS = (b"placeholder-webhook-secret-0001", b"placeholder-webhook-secret-0002")
INBOUND = Inbound(
    bearer_tokens=(TOKEN, SECOND),
    basic=(
        BasicCredential(username=USERNAME, password=PASSWORD),
        BasicCredential(username="other", password="pass:wörd with blanks"),
    ),
    webhook_secrets=WEBHOOK_KEYS,
    vendor="twilio",
    auth_token=VENDOR_KEY,
)
NOW = 1_790_000_000.0


def request(authorization: str | None = None, *, body: Any = None, **headers: str) -> InboundRequest:
    """Return a request with this Authorization header, and others whose names have underscores here."""
    event = flow_event(body, authorization=authorization)
    event["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
    return InboundRequest.of(event, now=NOW)


def message(
    body: bytes = b"{}",
    *,
    key: bytes = WEBHOOK_KEYS[0],
    message_id: str = "msg_1",
    authorization: str | None = None,
) -> InboundRequest:
    """Return a message that is signed as Standard Webhooks has it."""
    signature = base64_hmac(key, f"{message_id}.{NOW:.0f}.".encode() + body, "sha256")
    return request(
        authorization,
        body=body,
        webhook_id=message_id,
        webhook_timestamp=f"{NOW:.0f}",
        webhook_signature=f"v1,{signature}",
    )


def signed_by_twilio(key: str = VENDOR_KEY) -> InboundRequest:
    """Return a form, without fields, that Twilio has signed."""
    event = flow_event(b"", authorization=None, content_type="application/x-www-form-urlencoded")
    url = f"https://{DOMAIN}{event['rawPath']}"
    event["headers"]["x-twilio-signature"] = base64_hmac(key, url.encode(), "sha1")
    return InboundRequest.of(event, now=NOW)


class Watched(tuple):  # noqa: SLOT001 -- it counts
    """Several keys that know how many of them were looked at."""

    looked_at = 0

    def __iter__(self) -> Iterator:
        for each in super().__iter__():
            self.looked_at += 1
            yield each


class TestKeys:
    """Bearer and Basic."""

    @pytest.mark.parametrize(
        "authorization",
        [
            f"Bearer {TOKEN}",
            f"bearer {TOKEN}",
            f"BEARER   {TOKEN} ",
            f"Bearer {SECOND}",
            basic(),
            basic().replace("Basic", "basic"),
            basic("other", "pass:wörd with blanks"),
        ],
    )
    def test_one_valid_proof_is_enough(self, authorization):
        """Any one of the account's keys lets a caller in, the second as well as the first."""
        assert prove(request(authorization), INBOUND) == Proven(message_id=None)

    @pytest.mark.parametrize(
        "authorization",
        [
            None,
            "",
            " ",
            "Bearer",
            "Bearer ",
            "Bearer  ",
            TOKEN,
            f"Bearer {TOKEN[:-1]}",
            f"Bearer {TOKEN}x",
            f"Bearer {TOKEN.upper()}",
            f"Bearer {TOKEN} {SECOND}",
            f"Bearer {TOKEN},{SECOND}",
            f"Bearer\t{TOKEN}",
            f"Token {TOKEN}",
            f"Basic {TOKEN}",
            "Bearer ü",
            "Bearer \ud800",
            "Basic",
            "Basic ",
            "Basic !",
            "Basic ü",
            "Basic \ud800",
            "Basic " + b64encode(b"\xff\xfe").decode(),
            "Basic " + b64encode(b":").decode(),
            "Basic " + b64encode(USERNAME.encode()).decode(),
            f"Basic {USERNAME}:{PASSWORD}",
            basic(USERNAME, ""),
            basic("", PASSWORD),
            basic("", ""),
            basic(USERNAME, PASSWORD + "x"),
            basic("other", PASSWORD),
            basic().replace("Basic", "Bearer"),
            basic("Bearer", TOKEN),
        ],
    )
    def test_anything_else_is_none(self, authorization):
        """No key, a wrong one, another scheme or an unreadable header lets nobody in, and breaks nothing."""
        assert prove(request(authorization), INBOUND) is None

    @pytest.mark.parametrize("authorization", [None, "Bearer ", "Basic ", f"Bearer {TOKEN}", basic(), basic("", "")])
    def test_an_account_without_keys_lets_nobody_in(self, authorization):
        """Where no key is configured, nothing is accepted."""
        assert prove(request(authorization), Inbound()) is None
        assert prove(request(authorization), Inbound(vendor="twilio")) is None

    @pytest.mark.parametrize("authorization", [None, "Bearer ", basic("", ""), f"Bearer {TOKEN}", basic()])
    def test_the_decoy_lets_nobody_in(self, authorization):
        """What stands in for an unknown account has keys of each kind that nobody knows."""
        assert prove(request(authorization), DECOY) is None
        assert all(len(key) > 40 for key in (*DECOY.bearer_tokens, DECOY.auth_token or ""))
        assert [len(secret) for secret in DECOY.webhook_secrets] == [32]
        assert (DECOY.vendor, prove(message(), DECOY), prove(signed_by_twilio(), DECOY)) == ("twilio", None, None)


class TestSignatures:
    """A signature is worth as much as a key."""

    def test_each_vendor_that_signs_is_known(self):
        """Twilio, SignalWire and Bird sign what they send; Bandwidth signs in."""
        assert SIGNATURES.keys() == {"bird", "signalwire", "twilio"}

    def test_a_vendor_s_signature_is_a_proof(self):
        """Whatever the account's vendor has signed comes in, without any other key."""
        assert prove(signed_by_twilio(), INBOUND) == Proven()
        assert prove(signed_by_twilio(key="placeholder-vendor-key-0002"), INBOUND) is None

    @pytest.mark.parametrize("vendor", ["bandwidth", "bird", "signalwire", "unknown", None])
    def test_scenario_20_another_vendor_s_signature_is_none(self, vendor):
        """Only the signature of the account's own vendor counts, and at Twilio alone what it signs in with."""
        inbound = Inbound(vendor=vendor, auth_token=VENDOR_KEY)

        assert prove(signed_by_twilio(), inbound) is None

    @pytest.mark.parametrize("key", WEBHOOK_KEYS)
    @pytest.mark.parametrize("vendor", ["bandwidth", "bird", "signalwire", "twilio", None])
    def test_a_third_party_s_message_is_known_by_its_id(self, vendor, key):
        """A message that is signed as Standard Webhooks has it comes in at every vendor's account, and its id with it."""
        inbound = Inbound(webhook_secrets=WEBHOOK_KEYS, vendor=vendor)

        assert prove(message(key=key, message_id="msg_7"), inbound) == Proven(message_id="msg_7")

    def test_an_id_that_no_signature_covers_is_none(self):
        """Whoever comes with a bearer token may write any id into a header: it stands for nothing."""
        unsigned = request(f"Bearer {TOKEN}", webhook_id="msg_1", webhook_timestamp=f"{NOW:.0f}")

        assert prove(unsigned, INBOUND) == Proven(message_id=None)

    def test_a_body_that_cannot_be_read_is_signed_by_nobody(self):
        """A body that is too large is not even compared; whoever has a key is told what is wrong with it."""
        large = b"a" * (MAX_BODY_BYTES + 1)

        assert prove(message(large), INBOUND) is None
        assert prove(request(f"Bearer {TOKEN}", body=large), INBOUND) == Proven()


class TestTiming:
    """Every comparison is made, whatever the first one says."""

    @pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", f"Bearer {SECOND}", "Bearer wrong", basic(), None])
    def test_every_key_is_compared(self, authorization):
        """All of the account's keys are compared, with whatever was given."""
        tokens = Watched((TOKEN, SECOND, "placeholder-bearer-token-0003"))
        pairs = Watched(INBOUND.basic)
        secrets = Watched(WEBHOOK_KEYS)
        signed = message(authorization=authorization)
        prove(signed, Inbound(bearer_tokens=tokens, basic=pairs, webhook_secrets=secrets))

        assert (tokens.looked_at, pairs.looked_at, secrets.looked_at) == (3, 2, 2)


class TestPresented:
    """What operators are told of a proof that does not hold."""

    @pytest.mark.parametrize("name", PROOF_HEADERS)
    def test_a_proof_is_named_by_its_header(self, name):
        """Each header that can carry a proof is named, and what is in it is not."""
        assert presented(request(**{name.replace("-", "_"): "placeholder"})) == f"carried {name}"

    def test_several_are_all_named(self):
        """Whoever comes with more than one is told of with all."""
        asked = request(f"Bearer {TOKEN}", x_twilio_signature="placeholder", webhook_signature="placeholder")

        assert presented(asked) == "carried authorization, webhook-signature, x-twilio-signature"

    def test_no_proof_is_no_header(self):
        """A scanner that carries nothing has wanted nothing."""
        assert presented(request(None, x_forwarded_for="203.0.113.1")) is None

    def test_scenario_21_a_name_in_the_query_is_told(self):
        """A name that makes a right signature void is what somebody on call would never guess; values are not told."""
        asked = replace(request(x_twilio_signature="placeholder"), query=f"next=https://x/?CallSid={CARD}&event_id=1")

        assert presented(asked) == (
            "carried x-twilio-signature; CallSid, event_id in the query makes a vendor's signature void"
        )

    def test_every_scheme_s_header_is_among_them(self):
        """The headers of all the schemes that are accepted are looked at."""
        assert sorted(PROOF_HEADERS) == [
            "authorization",
            "messagebird-signature",
            "webhook-signature",
            "x-signalwire-sha256-signature",
            "x-signalwire-signature",
            "x-twilio-signature",
        ]
