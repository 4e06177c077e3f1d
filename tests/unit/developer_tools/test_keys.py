"""The key that the account has, and the one that has signed."""

import json
from base64 import b64encode
from hashlib import sha256
from urllib.parse import urlencode

import pytest

from developer_tools.signature_doctor import keys
from tests.unit.developer_tools.signed import (
    AUTH_TOKEN,
    BIRD_KEY,
    DOMAIN,
    FIELDS,
    JSON,
    NOW,
    PATH,
    PUBLIC,
    SECRET,
    SECRET_BYTES,
    SHARED_KEY,
    SIGNING_KEY,
    bird,
    changed,
    document,
    event,
    found,
    hmac_base64,
    signalwire_json,
    standard,
    twilio_form,
    twilio_json,
    with_body,
)

SETTINGS = {"x-twilio-webhooks-signature-settings": "key=webhooks_sharedkey_marker,algorithm=HMAC_SHA256"}
OTHER = "another-placeholder-key-00000002"


def with_credentials(secret, **credentials):
    """*secret* with other credentials."""
    return {**secret, "credentials": {**secret["credentials"], **credentials}}


def twilio_raw(key):
    """A form that Twilio has signed with a key that is not text."""
    given = twilio_form()
    text = f"https://{DOMAIN}{PATH}" + "".join(name + value for name, value in sorted(FIELDS.items()))
    return changed(given, headers={"x-twilio-signature": hmac_base64(key, text.encode(), "sha1")})


class TestWhichKey:
    @pytest.mark.parametrize(
        ("given", "secret", "key"),
        [
            (twilio_form(), document(), "credentials.auth_token"),
            (twilio_form(token=OTHER), document(signing_keys=["x", OTHER]), "inbound.signing_keys[1]"),
            (signalwire_json(), document("signalwire", signing_keys=["PSK_x", SIGNING_KEY]), "inbound.signing_keys[1]"),
            (bird(), document("bird"), "inbound.signing_keys[0]"),
            (
                standard(),
                document("bandwidth", webhook_secrets=[SECRET[:-4] + "AAA=", SECRET]),
                "inbound.webhook_secrets[1]",
            ),
        ],
    )
    def test_it_is_named(self, given, secret, key):
        """Which entry of which list has signed is told of what verifies."""
        assert found(given, secret).admitted_by == key

    def test_it_is_named_in_a_diagnosis(self):
        """It is told of what does not verify for another reason as well."""
        given = changed(twilio_form(PUBLIC + PATH, token=OTHER), headers={"host": "voice.example.com"})

        assert found(given, document(signing_keys=["x", OTHER])).key == "inbound.signing_keys[1]"

    def test_a_bearer_token_is_named(self):
        """What lets a request in that is not signed is told as well."""
        token = "placeholder-bearer-token-0001"
        diagnosis = found(event(authorization=f"Bearer {token}"), document(bearer_tokens=[token]))

        assert (diagnosis.admitted_by, diagnosis.names) == ("inbound.bearer_tokens[0]", ())


class TestBlanks:
    @pytest.mark.parametrize("around", ["{} ", "{}\n", "\t{}\r\n", '"{}"', "'{}'", "“{}”", "`{}`"])
    @pytest.mark.parametrize(
        ("name", "given", "secret", "value"),
        [
            ("credentials.auth_token", twilio_form(), document(), AUTH_TOKEN),
            ("inbound.signing_keys[0]", signalwire_json(), document("signalwire"), SIGNING_KEY),
            ("inbound.webhook_secrets[0]", standard(), document(webhook_secrets=[SECRET]), SECRET),
        ],
    )
    def test_around_a_key(self, around, name, given, secret, value):
        """Blanks, line breaks and quotes around a key are told, with its name."""
        unclean = json.loads(json.dumps(secret).replace(value, json.dumps(around.format(value))[1:-1]))
        diagnosis = found(given, unclean)

        assert diagnosis.names == ("key-blanks",)
        assert name in diagnosis.why[0]

    def test_a_secret_that_does_not_fit_for_another_reason(self):
        """What cleaning does not mend is told by its field."""
        diagnosis = found(twilio_form(), document(signing_keys=[" ", "PSK x"], bearer_tokens=["short"]))

        assert diagnosis.names == ("secret-unfit",)
        assert "inbound.bearer_tokens[0]" in diagnosis.why[0]


class TestWebhookSecret:
    @pytest.mark.parametrize("prefix", ["", "whsec_"])
    def test_its_text_is_the_key(self, prefix):
        """A sender that signs with the text of its secret is told, with the prefix or without."""
        text = SECRET.removeprefix("whsec_")
        given = standard((prefix + text).encode())

        assert found(given, document(webhook_secrets=["whsec_" + text])).names == ("webhook-secret-as-text",)

    def test_its_text_is_no_base64(self):
        """A secret that is none is found by what it signs, though the account does not fit."""
        text = "no base64: 0123456789-0123456789".replace(" ", "_")

        assert found(standard(text.encode()), document(webhook_secrets=[text])).names == ("webhook-secret-as-text",)

    def test_it_is_hexadecimal(self):
        """A secret whose digits are hexadecimal is told."""
        secret = document(webhook_secrets=[SECRET_BYTES.hex()])

        assert found(standard(SECRET_BYTES), secret).names == ("webhook-secret-as-hex",)

    def test_it_is_among_the_signing_keys(self):
        """A secret in the wrong list is told."""
        diagnosis = found(standard(), document(signing_keys=[SECRET]))

        assert diagnosis.names == ("key-misplaced",)
        assert diagnosis.to_do == ("Put that value into inbound.webhook_secrets.",)


class TestReadings:
    @pytest.mark.parametrize(
        ("make", "vendor"), [(bird, "bird"), (signalwire_json, "signalwire"), (twilio_raw, "twilio")]
    )
    @pytest.mark.parametrize("raw", [b"placeholder key: text", bytes(range(200, 232))])
    @pytest.mark.parametrize(
        ("kind", "encode"), [("base64", lambda raw: b64encode(raw).decode()), ("hex", bytes.hex)], ids=["base64", "hex"]
    )
    def test_a_key_is_stored_encoded(self, make, vendor, raw, kind, encode):
        """A vendor that signs with what the key is an encoding of is told."""
        secret = document(vendor, signing_keys=[encode(raw)])

        assert found(make(key=raw), secret).names == (f"key-decoded-{kind}",)

    def test_a_key_is_stored_decoded(self):
        """A vendor that signs with the encoding of the key is told."""
        given = bird(key=b64encode(BIRD_KEY.encode()).decode())

        assert found(given, document("bird")).names == ("key-encoded",)


class TestMisplaced:
    @pytest.mark.parametrize("name", ["api_secret", "signing_key"])
    def test_an_auth_token_elsewhere(self, name):
        """An auth token that stands where another key belongs is told."""
        secret = with_credentials(document(), auth_token=OTHER, **{name: AUTH_TOKEN})
        diagnosis = found(twilio_form(), secret)

        assert diagnosis.names == ("key-misplaced",)
        assert f"credentials.{name}" in diagnosis.why[0]
        assert diagnosis.to_do == ("Put that value into credentials.auth_token.",)

    def test_a_signing_key_for_the_token(self):
        """A signing key that stands where SignalWire's API token belongs is told."""
        secret = with_credentials(document("signalwire", signing_keys=["PT_token"]), api_token=SIGNING_KEY)
        diagnosis = found(signalwire_json(), secret)

        assert diagnosis.names == ("key-misplaced",)
        assert diagnosis.to_do == ("Put that value into inbound.signing_keys.",)

    def test_an_old_auth_token_beside_shared_keys(self):
        """Among SharedKeys an auth token does not count."""
        secret = {**document(signing_keys=[OTHER]), "settings": {"allow_shared_keys": True}}
        diagnosis = found(twilio_form(token=OTHER), secret)

        assert diagnosis.names == ("key-misplaced",)
        assert "inbound.signing_keys[0]" in diagnosis.why[0]

    def test_a_shared_key_elsewhere(self):
        """A SharedKey belongs into the list."""
        secret = {**with_credentials(document(), shared_key=SHARED_KEY), "settings": {"allow_shared_keys": True}}
        diagnosis = found(changed(twilio_form(token=SHARED_KEY, algorithm="HMAC_SHA256"), headers=SETTINGS), secret)

        assert diagnosis.to_do == ("Put that value into inbound.signing_keys.",)


class TestVendor:
    @pytest.mark.parametrize(
        ("given", "vendor", "signer"),
        [
            (signalwire_json(key=AUTH_TOKEN), "twilio", "signalwire"),
            (bird(key=SIGNING_KEY), "signalwire", "bird"),
            (twilio_json(token=BIRD_KEY), "bird", "twilio"),
            (bird(key="placeholder-api-password"), "bandwidth", "bird"),
        ],
    )
    def test_another_vendor_has_signed(self, given, vendor, signer):
        """A key that is right at another vendor tells that the account's vendor is wrong."""
        diagnosis = found(given, document(vendor))

        assert diagnosis.names[0] in {"vendor", "key-misplaced"}
        assert f'Set "vendor" to "{signer}"' in diagnosis.to_do[0]

    def test_none_that_offtape_knows(self):
        """A vendor without signatures is told from a wrong key."""
        assert found(twilio_form(), {**document(), "vendor": "unheard-of"}).names == ("vendor",)


class TestSharedKeys:
    SIGNED = changed(twilio_form(token=SHARED_KEY, algorithm="HMAC_SHA256"), headers=SETTINGS)

    def test_they_are_verified(self):
        """A SharedKey is as good as an auth token where it is allowed."""
        secret = {**document(signing_keys=[SHARED_KEY]), "settings": {"allow_shared_keys": True}}

        assert found(self.SIGNED, secret).admitted_by == "inbound.signing_keys[0]"

    def test_they_are_not_allowed(self):
        """Where it is not, that is told."""
        assert found(self.SIGNED, document(signing_keys=[SHARED_KEY])).names == ("shared-key-not-allowed",)

    def test_the_header_is_lost(self):
        """Without the header that says so, that is told."""
        secret = {**document(signing_keys=[SHARED_KEY]), "settings": {"allow_shared_keys": True}}
        given = twilio_form(token=SHARED_KEY, algorithm="HMAC_SHA256")

        assert found(given, secret).names == ("shared-key-header-lost",)

    def test_the_algorithm_is_too_weak(self):
        """SHA-1 is not enough for a SharedKey."""
        secret = {**document(signing_keys=[SHARED_KEY]), "settings": {"allow_shared_keys": True}}
        given = changed(twilio_form(token=SHARED_KEY), headers=SETTINGS)

        assert found(given, secret).names == ("shared-key-sha1",)


def test_the_old_messagebird_platform_has_signed():
    """The scheme of MessageBird, over the sorted query and the body, is told from a wrong key."""
    text = json.dumps(FIELDS)
    message = f"{NOW}\n{urlencode([('a', '1'), ('b', '2')])}\n".encode() + sha256(text.encode()).digest()
    signature = hmac_base64(BIRD_KEY, message, "sha256")
    headers = {"messagebird_signature": signature, "messagebird_request_timestamp": str(NOW)}
    diagnosis = found(event(text, JSON, "b=2&a=1", **headers), document("bird"))

    assert diagnosis.names == ("messagebird-legacy",)
    assert diagnosis.key == "inbound.signing_keys[0]"


def test_host_and_key_may_both_be_wrong():
    """Another host and a key with a line break are both told, and no key is called right."""
    given = changed(twilio_form(PUBLIC + PATH), headers={"host": "voice.example.com"})
    diagnosis = found(given, with_credentials(document(), auth_token=AUTH_TOKEN + "\n"))

    assert diagnosis.names == ("origin", "key-blanks")
    assert diagnosis.key is None


def test_what_is_no_key_is_left_alone():
    """Lists that are none, names that are none and values that are no text are not tried."""
    odd = {"credentials": {"Odd name": "x", "number": 1, "empty": ""}, "inbound": {"signing_keys": "text", "basic": []}}

    assert keys.values(odd) == []
    assert keys.values({"credentials": [], "inbound": None}) == []
    assert len(keys.values({"inbound": {"signing_keys": ["x"] * 99}})) == keys.MAX_VALUES


def test_an_empty_body_and_key():
    """An account whose credentials are no object is looked at all the same."""
    assert found(with_body(twilio_form(), ""), {"vendor": "twilio", "credentials": []}).names == ("no-key",)
