"""What is told when no signature can be made to hold."""

import pytest

from tests.unit.developer_tools.signed import (
    BIRD_KEY,
    SECRET,
    URL,
    bird,
    changed,
    document,
    event,
    found,
    signalwire_json,
    standard,
    twilio_form,
    with_body,
)

OTHER = "another-placeholder-key-00000002"
HEXADECIMAL = "00000000000000000000000000000000"


@pytest.mark.parametrize(
    ("given", "vendor"),
    [
        (twilio_form(query="CallSid=CA02"), "twilio"),
        (changed(signalwire_json(f"{URL}?CallSid=CA02"), rawQueryString="CallSid=CA02"), "signalwire"),
    ],
)
def test_a_right_signature_is_refused(given, vendor):
    """A signature that is right, over what could be cut into other fields, is told."""
    assert found(given, document(vendor)).names == ("refused-though-right",)


@pytest.mark.parametrize("vendor", ["twilio", "signalwire", "bird"])
def test_there_is_no_signature(vendor):
    """A request without a signature is told, with the headers that are looked for."""
    diagnosis = found(event("a=b"), document(vendor))

    assert diagnosis.names == ("no-signature",)
    assert "-Signature" in diagnosis.why[0]
    assert "Authorization" not in diagnosis.to_do[0]


def test_there_is_only_an_authorization():
    """A request whose Authorization is wrong or blanked is told."""
    diagnosis = found(event("a=b", authorization="Basic ***"), document())

    assert diagnosis.names == ("no-signature",)
    assert "Authorization is not one of those" in diagnosis.to_do[0]


def test_bandwidth_never_signs():
    """At Bandwidth there is no signature to look for."""
    diagnosis = found(event("{}"), document("bandwidth"))

    assert diagnosis.names == ("bandwidth-basic",)
    assert "inbound.basic" in diagnosis.to_do[0]


def test_the_old_platforms_newer_header():
    """MessageBird-Signature-JWT is told from no signature."""
    assert found(event("{}", messagebird_signature_jwt="e30.e30.marker"), document("bird")).names == (
        "messagebird-jwt",
    )


@pytest.mark.parametrize(
    ("given", "vendor"),
    [(signalwire_json(key=OTHER), "twilio"), (bird(key=OTHER), "signalwire"), (twilio_form(token=OTHER), "bandwidth")],
)
def test_the_header_is_another_vendors(given, vendor):
    """A signature of a vendor that is not the account's is told, though its key is not known."""
    diagnosis = found(given, document(vendor))

    assert diagnosis.names == ("vendor-header",)
    assert "-Signature" in diagnosis.why[0]


@pytest.mark.parametrize("value", ["", "***", "REDACTED", "AAAA"])
def test_the_signature_is_blanked(value):
    """What has not the form of a signature is told from one that does not hold."""
    assert found(changed(twilio_form(), headers={"x-twilio-signature": value})).names == ("signature-unreadable",)


@pytest.mark.parametrize("value", ["", "v1a,placeholder", "v1,"])
def test_the_signature_of_a_message_is_blanked(value):
    """The same holds of Standard Webhooks, whose asymmetric signatures are not verified."""
    given = changed(standard(), headers={"webhook-signature": value})

    assert found(given, document(webhook_secrets=[SECRET])).names == ("signature-unreadable",)


@pytest.mark.parametrize(
    ("given", "secret", "key"),
    [
        (twilio_form(token=OTHER), {"vendor": "twilio"}, "credentials.auth_token"),
        (signalwire_json(key=OTHER), document("signalwire", signing_keys=[]), "inbound.signing_keys"),
        (bird(key=OTHER), document("bird", signing_keys=[]), "inbound.signing_keys"),
        (standard(), document(), "inbound.webhook_secrets"),
        (
            changed(twilio_form(token=OTHER), headers={"x-twilio-webhooks-signature-settings": "key=marker"}),
            document(),
            "inbound.signing_keys",
        ),
    ],
)
def test_the_account_has_no_key(given, secret, key):
    """An account without a key for the signature is told which one."""
    diagnosis = found(given, secret)

    assert diagnosis.names == ("no-key",)
    assert f": {key} is missing" in diagnosis.why[0]


@pytest.mark.parametrize("body", [b"x" * 70_000])
def test_the_body_is_too_long(body):
    """A body that is never read is told."""
    assert found(with_body(twilio_form(), body)).names == ("body-unreadable",)


def test_the_body_is_not_what_it_is_marked_as():
    """A cut base64 text is told."""
    given = twilio_form()

    assert found({**given, "body": given["body"][:-5]}).names == ("body-unreadable",)


@pytest.mark.parametrize("value", [None, "***", "yesterday"])
def test_there_is_no_time(value):
    """A time that is missing or blanked is told by its header."""
    diagnosis = found(changed(bird(), headers={"messagebird-request-timestamp": value}), document("bird"))
    assert diagnosis.names == ("timestamp-missing",)
    assert "Messagebird-Request-Timestamp" in diagnosis.why[0]

    diagnosis = found(changed(standard(), headers={"webhook-timestamp": value}), document(webhook_secrets=[SECRET]))
    assert diagnosis.names == ("timestamp-missing",)
    assert "Webhook-Timestamp" in diagnosis.why[0]


def test_there_is_no_message_id():
    """A message without its id is told."""
    given = changed(standard(), headers={"webhook-id": None})

    assert found(given, document(webhook_secrets=[SECRET])).names == ("webhook-id-missing",)


def test_an_api_secret_stands_for_the_auth_token():
    """What has not the form of an auth token is likely the secret of an API key."""
    secret = document()
    secret["credentials"]["auth_token"] = "PlaceholderSecretOfAnApiKey00001"

    assert found(twilio_form(), secret).names == ("not-an-auth-token",)


def test_an_old_auth_token_is_one():
    """An account without an auth token of its own has those in the list, unless they are SharedKeys."""
    secret = document(signing_keys=[HEXADECIMAL])
    del secret["credentials"]["auth_token"]
    assert found(twilio_form(), secret).names == ("wrong-key",)

    secret["settings"]["allow_shared_keys"] = True
    assert found(twilio_form(), secret).names == ("not-an-auth-token",)


def test_an_api_token_stands_for_the_signing_key():
    """What does not begin as a signing key does is likely SignalWire's API token, or is it."""
    diagnosis = found(signalwire_json(), document("signalwire", signing_keys=[OTHER]))
    assert diagnosis.names == ("not-a-signing-key",)
    assert "API token" not in diagnosis.why[0]

    diagnosis = found(signalwire_json(), document("signalwire", signing_keys=["PT_placeholder_api_token"]))
    assert diagnosis.names == ("not-a-signing-key",)
    assert "one is the API token" in diagnosis.why[0]


@pytest.mark.parametrize(
    ("given", "secret"),
    [
        (twilio_form(token=HEXADECIMAL), document()),
        (signalwire_json(key=OTHER), document("signalwire")),
        (bird(key=OTHER), document("bird", signing_keys=["x", BIRD_KEY])),
        (standard(b"placeholder-of-another-sender-01"), document("bandwidth", webhook_secrets=[SECRET])),
        (with_body(twilio_form(), "CallSid=CA02"), document()),
    ],
)
def test_nothing_helps(given, secret):
    """A wrong key, or a body that is another, is told as what it can only be told as."""
    diagnosis = found(given, secret)

    assert diagnosis.names == ("wrong-key",)
    assert diagnosis.why[0].startswith("Wrong key, or the event was changed after it was signed")
