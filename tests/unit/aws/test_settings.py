"""The environment of a function."""

import pytest

from call_recording.aws.settings import Environment
from call_recording.errors import ConfigurationError

NEEDED = {"LEDGER_TABLE": "ledgers", "TIMER_QUEUE_URL": "timers", "DEAD_LETTER_QUEUE_URL": "dead-letters"}


class TestEnvironment:
    """What template.yaml tells a function."""

    def test_nothing_else_needs_to_be_set(self):
        """With the table and the queues alone the documented defaults hold."""
        assert Environment.read(NEEDED) == Environment(
            ledger_table="ledgers",
            timer_queue_url="timers",
            dead_letter_queue_url="dead-letters",
            ledger_retention_days=400,
            secret_prefix="call-recording/",
            secret_ttl_seconds=60.0,
            event_bus_name="",
            public_urls=(),
            own_ca=False,
        )

    def test_what_is_set_is_read(self):
        """The prefix and the lifetime of secrets and the retention of ledgers are read from the environment."""
        read = Environment.read(
            NEEDED | {"SECRET_PREFIX": "other/", "SECRET_TTL_SECONDS": "0", "LEDGER_RETENTION_DAYS": "7"}
        )

        assert (read.secret_prefix, read.secret_ttl_seconds, read.ledger_retention_days) == ("other/", 0.0, 7)

    def test_only_who_announces_has_a_bus(self):
        """The bus is read where one is named; who does not announce is told none."""
        assert Environment.read(NEEDED | {"EVENT_BUS_NAME": "offtape"}).event_bus_name == "offtape"
        assert Environment.read(NEEDED).event_bus_name == ""

    @pytest.mark.parametrize("name", NEEDED)
    @pytest.mark.parametrize("without", [{}, {"x": ""}], ids=["absent", "empty"])
    def test_table_and_queues_are_needed(self, name, without):
        """Without its table or a queue a function stops at its start, and says what to set."""
        environ = NEEDED | {name: ""} if without else {other: NEEDED[other] for other in NEEDED if other != name}
        with pytest.raises(ConfigurationError, match=rf"^{name} is not set: name the .* in it, as template.yaml does$"):
            Environment.read(environ)

    @pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
    def test_a_company_s_own_certificates_are_noticed(self, name):
        """Whoever names certificate authorities of their own gets those."""
        assert Environment.read(NEEDED | {name: "/etc/ssl/own"}).own_ca is True
        assert Environment.read(NEEDED | {name: ""}).own_ca is False

    @pytest.mark.parametrize("value", ["", "-1", "1.5", "1e3", "NaN", "inf", " 5", "²", "five"])
    @pytest.mark.parametrize(("name", "unit"), [("SECRET_TTL_SECONDS", "seconds"), ("LEDGER_RETENTION_DAYS", "days")])
    def test_a_time_must_be_a_whole_number(self, name, unit, value):
        """A time that is not a whole number stops the function at its start, and is not quoted."""
        with pytest.raises(ConfigurationError) as caught:
            Environment.read(NEEDED | {name: value})

        assert caught.value.field == name
        assert str(caught.value) == f"{name} must be a whole number of {unit}"

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("", ()),
            ("https://calls.example.com", ("https://calls.example.com",)),
            ("https://calls.example.com:8443/v1,", ("https://calls.example.com:8443/v1",)),
            (
                "https://a.example.com,http://127.0.0.1:3000,http://localhost:3000",
                ("https://a.example.com", "http://127.0.0.1:3000", "http://localhost:3000"),
            ),
        ],
    )
    def test_scenario_21_public_urls_are_read(self, value, expected):
        """Under which URLs vendors reach the API behind a proxy is said in a list."""
        assert Environment.read(NEEDED | {"PUBLIC_URLS": value}).public_urls == expected

    @pytest.mark.parametrize(
        "value",
        [
            "calls.example.com",
            "http://calls.example.com",
            "https://calls.example.com/",
            "https://calls.example.com/v1/",
            "https://calls.example.com?a=b",
            "https://calls.example.com/#top",
            "https://user:placeholder@calls.example.com",
            "https://a.example.com, https://b.example.com",
            "https://a.example.com,ftp://b.example.com",
            "https://",
            " ",
        ],
    )
    def test_scenario_21_a_public_url_that_no_signature_could_match(self, value):
        """A public URL that is none stops the function at its start, and is not quoted."""
        with pytest.raises(ConfigurationError) as caught:
            Environment.read(NEEDED | {"PUBLIC_URLS": value})

        assert caught.value.field == "PUBLIC_URLS"
        assert "example" not in str(caught.value)

    def test_a_ledger_is_kept_for_a_day_at_least(self):
        """A retention of no time would let the table forget open pauses."""
        with pytest.raises(ConfigurationError, match="LEDGER_RETENTION_DAYS must be at least 1"):
            Environment.read(NEEDED | {"LEDGER_RETENTION_DAYS": "0"})

    def test_the_process_s_environment_is_the_default(self, monkeypatch):
        """Without a mapping the process's own environment is read."""
        for name, value in NEEDED.items():
            monkeypatch.setenv(name, value)

        assert Environment.read().ledger_table == "ledgers"
