"""What a secret may say, and how one that does not fit is refused."""

import json
from base64 import b64encode, urlsafe_b64encode

import pytest

from call_recording.account import AccountSecret, BasicCredential, Settings
from call_recording.errors import ConfigurationError
from tests.unit.fakes import (
    CREDENTIALS,
    KEYS,
    PASSWORD,
    TOKEN,
    USERNAME,
    VENDOR_KEY,
    WEBHOOK_SECRET,
    account_secret,
    document,
    secret_json,
)

#: A value that must not be seen in any message.
VALUE = "placeholder-wrong-value"

#: A second webhook secret, as it is shared and as it is; its base64 ends in padding.
SECOND_BYTES = b"\xfb\xef\xbe-placeholder-secret-00002"
SECOND = b64encode(SECOND_BYTES).decode()


class TestAccountSecret:
    """The secret as a whole."""

    def test_two_secrets_with_the_same_text_are_the_same(self):
        """A secret that was fetched again and has not changed equals the one before."""
        assert account_secret() == account_secret()
        assert hash(account_secret()) == hash(account_secret())
        assert account_secret() != account_secret(settings={})
        assert account_secret() != account_secret(name="other")
        assert account_secret() != secret_json()

    @pytest.mark.parametrize("text", ["", "not json", "{", '{"vendor": "twilio"', "[" * 30_000, '"text"', "[]", "null"])
    def test_what_is_not_a_json_object_is_refused(self, text):
        """A secret that is no JSON object is refused, and not quoted, when anything is read of it."""
        secret = AccountSecret("acme", text)

        for read in (lambda: secret.inbound, lambda: secret.account):
            with pytest.raises(ConfigurationError) as caught:
                read()
            assert caught.value.field == "secret"
            assert str(caught.value) in {"secret is not JSON", "secret must be a JSON object"}
            assert caught.value.__cause__ is None

    def test_it_shows_no_key(self):
        """Neither a secret nor what is read of it shows a key when it is printed."""
        secret = account_secret()
        shown = repr([secret, secret.inbound, secret.inbound.basic, secret.account, secret.account.settings])

        assert not [key for key in (*KEYS, "placeholder-webhook-secret") if key in shown]

    def test_what_is_wrong_elsewhere_lets_callers_in_all_the_same(self):
        """Who may come in is known although the rest of the secret does not fit."""
        secret = account_secret(vendor="twilio", credentials=[], settings=5)

        assert secret.inbound.bearer_tokens == (TOKEN,)
        with pytest.raises(ConfigurationError):
            _ = secret.account


class TestInbound:
    """What callers may prove themselves with."""

    def test_every_list_takes_several_values(self):
        """Each kind of key may have several values, so that it can be rotated with no gap."""
        inbound = account_secret(
            inbound={
                "bearer_tokens": [TOKEN, "placeholder-bearer-token-0002"],
                "basic": [{"username": USERNAME, "password": PASSWORD}, {"username": "b", "password": "p:q r"}],
                "signing_keys": ["k", "l"],
                "webhook_secrets": [WEBHOOK_SECRET, f"whsec_{SECOND}"],
            }
        ).inbound

        assert inbound.bearer_tokens == (TOKEN, "placeholder-bearer-token-0002")
        assert inbound.basic[1] == BasicCredential(username="b", password="p:q r")
        assert inbound.signing_keys == ("k", "l")
        assert inbound.webhook_secrets == (b"placeholder-webhook-secret-0001", SECOND_BYTES)

    def test_none_is_needed(self):
        """A secret without an inbound section is one that lets nobody in."""
        inbound = AccountSecret("acme", "{}").inbound

        assert (inbound.bearer_tokens, inbound.basic, inbound.signing_keys, inbound.webhook_secrets) == ((), (), (), ())

    @pytest.mark.parametrize(
        ("inbound", "field"),
        [
            ([], "inbound"),
            (None, "inbound"),
            (VALUE, "inbound"),
            ({"bearer_token": [VALUE]}, "inbound"),
            ({"bearer_tokens": VALUE}, "inbound.bearer_tokens"),
            ({"bearer_tokens": None}, "inbound.bearer_tokens"),
            ({"bearer_tokens": {VALUE: 1}}, "inbound.bearer_tokens"),
            ({"bearer_tokens": [""]}, "inbound.bearer_tokens[0]"),
            ({"bearer_tokens": [TOKEN, "a" * 15]}, "inbound.bearer_tokens[1]"),
            ({"bearer_tokens": [TOKEN + "\n"]}, "inbound.bearer_tokens[0]"),
            ({"bearer_tokens": [VALUE + " x"]}, "inbound.bearer_tokens[0]"),
            ({"bearer_tokens": [VALUE + "ü"]}, "inbound.bearer_tokens[0]"),
            ({"bearer_tokens": [12345678901234567890]}, "inbound.bearer_tokens[0]"),
            ({"bearer_tokens": [None]}, "inbound.bearer_tokens[0]"),
            ({"signing_keys": [""]}, "inbound.signing_keys[0]"),
            ({"signing_keys": VALUE}, "inbound.signing_keys"),
            ({"webhook_secrets": [""]}, "inbound.webhook_secrets[0]"),
            ({"webhook_secrets": {}}, "inbound.webhook_secrets"),
            ({"webhook_secrets": [WEBHOOK_SECRET, VALUE]}, "inbound.webhook_secrets[1]"),
            ({"webhook_secrets": ["whsec_"]}, "inbound.webhook_secrets[0]"),
            ({"webhook_secrets": [f"{WEBHOOK_SECRET}!"]}, "inbound.webhook_secrets[0]"),
            ({"webhook_secrets": [f"{SECOND}A"]}, "inbound.webhook_secrets[0]"),
            ({"webhook_secrets": [f"WHSEC_{SECOND}"]}, "inbound.webhook_secrets[0]"),
            ({"webhook_secrets": [urlsafe_b64encode(SECOND_BYTES).decode()]}, "inbound.webhook_secrets[0]"),
            ({"webhook_secrets": [b64encode(bytes(23)).decode()]}, "inbound.webhook_secrets[0]"),
            # of the other sections, which are read leniently
            ({"vendor": "twilio"}, "inbound"),
            ({"auth_token": VALUE}, "inbound"),
            ({"allow_shared_keys": True}, "inbound"),
            ({"basic": {"username": VALUE, "password": VALUE}}, "inbound.basic"),
            ({"basic": [VALUE]}, "inbound.basic[0].username"),
            ({"basic": [{}]}, "inbound.basic[0].username"),
            ({"basic": [{"password": VALUE}]}, "inbound.basic[0].username"),
            ({"basic": [{"username": "", "password": VALUE}]}, "inbound.basic[0].username"),
            ({"basic": [{"username": "a:b", "password": VALUE}]}, "inbound.basic[0].username"),
            ({"basic": [{"username": 5, "password": VALUE}]}, "inbound.basic[0].username"),
            ({"basic": [{"username": VALUE}]}, "inbound.basic[0].password"),
            ({"basic": [{"username": VALUE, "password": ""}]}, "inbound.basic[0].password"),
            ({"basic": [{"username": VALUE, "password": None}]}, "inbound.basic[0].password"),
        ],
    )
    def test_a_wrong_field_is_named_and_its_value_is_not(self, inbound, field):
        """An inbound section that does not fit is refused with the field's name and without its value."""
        with pytest.raises(ConfigurationError) as caught:
            _ = account_secret(inbound=inbound).inbound

        assert caught.value.field == field
        assert VALUE not in str(caught.value)

    @pytest.mark.parametrize("text", [f"whsec_{SECOND}", SECOND, SECOND.rstrip("="), f"whsec_{SECOND.rstrip('=')}"])
    def test_a_webhook_secret_is_read_however_it_is_written(self, text):
        """A webhook secret is the bytes behind the base64, with or without prefix and padding, as senders differ."""
        assert SECOND.endswith("=")
        assert account_secret(inbound={"webhook_secrets": [text]}).inbound.webhook_secrets == (SECOND_BYTES,)

    def test_a_misspelt_section_is_told_to_whoever_reads_the_log(self):
        """Where nobody can come in because `inbound` is misspelt, that is said; else a misspelt section waits for who may come in."""
        misspelt = {"inbond" if name == "inbound" else name: value for name, value in document().items()}
        with pytest.raises(ConfigurationError, match="check the spelling") as caught:
            _ = AccountSecret("acme", json.dumps(misspelt)).inbound

        assert caught.value.field == "secret"
        assert AccountSecret("acme", json.dumps(document() | {"setings": {}})).inbound.vendor == "twilio"

    def test_a_webhook_secret_of_twenty_four_bytes_is_long_enough(self):
        """The shortest webhook secret is as long as Standard Webhooks asks for."""
        secrets = [b64encode(bytes(24)).decode()]

        assert account_secret(inbound={"webhook_secrets": secrets}).inbound.webhook_secrets == (bytes(24),)

    def test_what_a_vendor_signs_with_comes_from_the_other_sections(self):
        """Whose signature counts, Twilio's auth token and the wish for SharedKeys are read where they are kept."""
        inbound = account_secret(settings={"allow_shared_keys": True}).inbound

        assert (inbound.vendor, inbound.auth_token, inbound.allow_shared_keys) == ("twilio", VENDOR_KEY, True)
        assert account_secret().inbound.allow_shared_keys is False
        assert account_secret("bird").inbound.auth_token is None

    @pytest.mark.parametrize(
        ("changed", "expected"),
        [
            ({"vendor": 5}, (None, VENDOR_KEY, False)),
            ({"vendor": None}, (None, VENDOR_KEY, False)),
            ({"credentials": [VALUE]}, ("twilio", None, False)),
            ({"credentials": None}, ("twilio", None, False)),
            ({"credentials": {"auth_token": 5}}, ("twilio", None, False)),
            ({"credentials": {"auth_token": ""}}, ("twilio", None, False)),
            ({"credentials": {"auth_token": VALUE + "\n"}}, ("twilio", None, False)),
            ({"settings": [VALUE]}, ("twilio", VENDOR_KEY, False)),
            ({"settings": {"allow_shared_keys": 1}}, ("twilio", VENDOR_KEY, False)),
            ({"settings": {"allow_shared_keys": "true"}}, ("twilio", VENDOR_KEY, False)),
        ],
    )
    def test_what_is_wrong_elsewhere_signs_nothing(self, changed, expected):
        """A section that does not fit gives no key to sign with, and no leave; it is named to those who may come in."""
        inbound = AccountSecret("acme", json.dumps(document() | changed)).inbound

        assert (inbound.vendor, inbound.auth_token, inbound.allow_shared_keys) == expected

    def test_a_token_of_sixteen_characters_is_long_enough(self):
        """The shortest bearer token has sixteen characters."""
        assert account_secret(inbound={"bearer_tokens": ["a" * 16]}).inbound.bearer_tokens == ("a" * 16,)

    def test_a_password_that_is_no_text_that_can_be_sent_is_refused(self):
        """Half of a surrogate pair, which JSON can hold and nothing can send, is refused and takes nobody down."""
        with pytest.raises(ConfigurationError) as caught:
            _ = account_secret(inbound={"basic": [{"username": USERNAME, "password": "\ud800"}]}).inbound

        assert caught.value.field == "inbound.basic[0].password"


class TestAccount:
    """The vendor, its credentials and the settings."""

    @pytest.mark.parametrize("vendor", CREDENTIALS)
    def test_an_account_is_read(self, vendor):
        """The secret of each vendor is read as it was written."""
        account = account_secret(vendor).account

        assert (account.name, account.vendor) == (f"demo-{vendor}", vendor)
        assert account.credentials == CREDENTIALS[vendor]
        assert account.settings == Settings(allowed_redirects=("https://ivr.example.com/",))

    def test_settings_have_defaults(self):
        """An account without settings has those that the documentation states."""
        account = AccountSecret("acme", json.dumps({"vendor": "twilio"})).account

        assert account.settings == Settings(
            pause_behavior="silence",
            max_pause_seconds=300,
            on_deadline="resume",
            accept_acknowledged=True,
            accept_not_recording=False,
            in_flight_ms=15_000,
            read_lag_ms=0,
            budget_ms=3_500,
            allowed_redirects=(),
            allow_shared_keys=False,
            api_url=None,
        )

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"vendor": None}, "vendor"),
            ({"vendor": 5}, "vendor"),
            ({"vendor": [VALUE]}, "vendor"),
            ({"credentials": VALUE}, "credentials"),
            ({"credentials": [VALUE]}, "credentials"),
            ({"credentials": None}, "credentials"),
            ({"credentials": {"auth_token": ""}}, "credentials.auth_token"),
            ({"credentials": {VALUE: "a key pasted as a name"}}, "credentials"),
            ({"credentials": {"auth_token": VALUE + "\n"}}, "credentials.auth_token"),
            ({"credentials": {"auth_token": VALUE + " x"}}, "credentials.auth_token"),
            ({"credentials": {"auth_token": VALUE + "ü"}}, "credentials.auth_token"),
            ({"credentials": {"auth_token": 123}}, "credentials.auth_token"),
            ({"credentials": {"auth_token": None}}, "credentials.auth_token"),
            ({"settings": VALUE}, "settings"),
            ({"settings": [VALUE]}, "settings"),
            ({"settings": {VALUE: 1}}, "settings"),
            ({"setings": {"accept_acknowledged": False}}, "secret"),
            ({VALUE: "a key pasted as a name"}, "secret"),
        ],
    )
    def test_a_wrong_field_is_named_and_its_value_is_not(self, changed, field):
        """A secret that does not fit is refused with the field's name and without its value."""
        with pytest.raises(ConfigurationError) as caught:
            _ = AccountSecret("acme", json.dumps(document() | changed)).account

        assert caught.value.field == field
        assert VALUE not in str(caught.value)

    def test_a_vendor_must_be_named(self):
        """A secret that does not say whose it is, is refused."""
        with pytest.raises(ConfigurationError) as caught:
            _ = AccountSecret("acme", "{}").account

        assert caught.value.field == "vendor"


LOOPBACK = "http://127.0.0.1:8080"


class TestSettings:
    """Each setting, with what fits and what does not."""

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("pause_behavior", "skip"),
            ("max_pause_seconds", 1),
            ("max_pause_seconds", 7200),
            ("on_deadline", "keep"),
            ("on_deadline", "stop"),
            ("accept_acknowledged", False),
            ("accept_not_recording", True),
            ("in_flight_ms", 2_000),
            ("in_flight_ms", 300_000),
            ("read_lag_ms", 60_000),
            ("budget_ms", 500),
            ("budget_ms", 9_000),
            ("allow_shared_keys", True),
            ("api_url", None),
            ("api_url", "https://api.dublin.ie1.twilio.com"),
            ("api_url", "https://api.dublin.ie1.twilio.com:8443/"),
            ("api_url", LOOPBACK),
            ("api_url", "http://localhost:1/"),
            ("api_url", "http://[::1]:1/"),
        ],
    )
    def test_what_fits_is_taken(self, name, value):
        """A setting within its bounds is taken as it is."""
        assert getattr(account_secret(settings={name: value}).account.settings, name) == value

    @pytest.mark.parametrize(
        "url", ["https://ivr.example.com/", "https://h:8443/a/b/", LOOPBACK + "/ivr/", "https://h"]
    )
    def test_a_folder_may_be_allowed(self, url):
        """An https origin with a path that ends in a slash may be allowed, on loopback an http one."""
        assert account_secret(settings={"allowed_redirects": [url]}).account.settings.allowed_redirects == (url,)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("pause_behavior", "Silence"),
            ("pause_behavior", None),
            ("pause_behavior", ["skip"]),
            ("on_deadline", "pause"),
            ("on_deadline", {"a": 1}),
            *[
                (name, value)
                for name, low, high in [
                    ("max_pause_seconds", 1, 7200),
                    ("in_flight_ms", 2_000, 300_000),
                    ("read_lag_ms", 0, 60_000),
                    ("budget_ms", 500, 9_000),
                ]
                for value in [
                    low - 1,
                    high + 1,
                    -1,
                    True,
                    2500.0,
                    "2500",
                    None,
                    10**400,
                    float("nan"),
                    float("inf"),
                    [],
                ]
            ],
            ("accept_acknowledged", 1),
            ("accept_not_recording", "yes"),
            ("allow_shared_keys", None),
            ("allowed_redirects", "https://ivr.example.com/"),
            ("allowed_redirects", None),
            ("allowed_redirects", [None]),
            ("allowed_redirects", ["https://ivr.example.com/", "https://ivr.example.com/cards"]),
            ("allowed_redirects", ["http://ivr.example.com/"]),
            ("allowed_redirects", ["ftp://ivr.example.com/"]),
            ("allowed_redirects", ["https://user:pass@ivr.example.com/"]),
            ("allowed_redirects", ["https://ivr.example.com/?a/"]),
            ("allowed_redirects", ["https://ivr.example.com/#/"]),
            ("allowed_redirects", ["https://ivr.example.com/a\\b/"]),
            ("allowed_redirects", ["/"]),
            ("api_url", ""),
            ("api_url", 5),
            ("api_url", "http://api.example.com"),
            ("api_url", "ftp://api.example.com"),
            ("api_url", "api.example.com"),
            ("api_url", "https://api.example.com/v1"),
            ("api_url", "https://api.example.com/?a"),
            ("api_url", "https://api.example.com/#a"),
            ("api_url", "https://user:pass@api.example.com"),
            ("api_url", "https://api.example.com:99999"),
            ("api_url", "https://api.example.com\n"),
        ],
    )
    def test_what_does_not_fit_is_refused_by_name(self, name, value):
        """A setting out of its bounds is refused with its name and without its value."""
        with pytest.raises(ConfigurationError) as caught:
            _ = account_secret(settings={name: value}).account

        assert caught.value.field == f"settings.{name}"
        if isinstance(value, str) and value:
            assert value not in str(caught.value)
