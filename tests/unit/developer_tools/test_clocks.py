"""When a request was signed, and when it came."""

from base64 import b64decode

import pytest

from tests.unit.developer_tools.signed import NOW, SECRET, bird, changed, document, found, hmac_base64, standard

SECRETS = {bird: document("bird"), standard: document("bandwidth", webhook_secrets=[SECRET])}


@pytest.mark.parametrize("make", SECRETS)
def test_a_replay_is_verified_at_its_own_time(make):
    """As of the event's own time an old event is as good as it was."""
    assert found(make(), SECRETS[make]).admitted_by


@pytest.mark.parametrize("make", SECRETS)
@pytest.mark.parametrize(
    ("later", "word"), [(301, "301 s before now"), (-301, "301 s after now"), (10**8, "before now")]
)
def test_a_replay_is_refused_now(make, later, word):
    """As of now it is refused for its time alone, and the way out is told."""
    diagnosis = found(make(), SECRETS[make], now=float(NOW + later), real_clock=True)

    assert diagnosis.names == ("clock",)
    assert word in diagnosis.why[0]
    assert "without --now" in diagnosis.to_do[0]


@pytest.mark.parametrize("make", [lambda: bird(timestamp=str(NOW - 400)), lambda: standard(timestamp=NOW - 400)])
def test_the_senders_clock_is_wrong(make):
    """A time far from the event's own is the sender's doing."""
    secret = document("bird", webhook_secrets=[SECRET])
    diagnosis = found(make(), secret)

    assert diagnosis.names == ("clock",)
    assert "400 s before the event arrived" in diagnosis.why[0]
    assert "the sender's clock" in diagnosis.to_do[0]
    assert diagnosis.key in {"inbound.signing_keys[0]", "inbound.webhook_secrets[0]"}


@pytest.mark.parametrize("timestamp", [f"{NOW}123", f"{NOW}.25"])
def test_a_time_in_another_unit(timestamp):
    """Milliseconds and fractions, signed as they were sent, are told."""
    diagnosis = found(bird(timestamp=timestamp), document("bird"))

    assert diagnosis.names == ("timestamp-unit",)
    assert diagnosis.key == "inbound.signing_keys[0]"


def test_milliseconds_of_a_standard_webhook():
    """The same holds of Standard Webhooks."""
    given = standard()
    text = f"msg_01.{NOW}000.".encode() + b64decode(given["body"])
    key = b64decode(SECRET.removeprefix("whsec_"))
    headers = {"webhook-timestamp": f"{NOW}000", "webhook-signature": "v1," + hmac_base64(key, text, "sha256")}

    assert found(changed(given, headers=headers), SECRETS[standard]).names == ("timestamp-unit",)


def test_a_right_time_is_no_reason():
    """A time that is in order is not blamed for another fault."""
    assert found(bird(key="another-key-than-the-accounts-own"), document("bird")).names == ("wrong-key",)
