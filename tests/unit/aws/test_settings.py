"""The environment of a function."""

import pytest

from call_recording.aws.settings import Environment
from call_recording.errors import ConfigurationError


class TestEnvironment:
    """What template.yaml tells a function."""

    def test_nothing_needs_to_be_set(self):
        """Without any variable the documented defaults hold."""
        assert Environment.read({}) == Environment(
            secret_prefix="call-recording/", secret_ttl_seconds=60.0, own_ca=False
        )

    def test_what_is_set_is_read(self):
        """The prefix and the lifetime of secrets are read from the environment."""
        read = Environment.read({"SECRET_PREFIX": "other/", "SECRET_TTL_SECONDS": "0"})

        assert (read.secret_prefix, read.secret_ttl_seconds) == ("other/", 0.0)

    @pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
    def test_a_company_s_own_certificates_are_noticed(self, name):
        """Whoever names certificate authorities of their own gets those."""
        assert Environment.read({name: "/etc/ssl/own"}).own_ca is True
        assert Environment.read({name: ""}).own_ca is False

    @pytest.mark.parametrize("value", ["", "-1", "1.5", "1e3", "NaN", "inf", " 5", "²", "five"])
    def test_a_lifetime_must_be_whole_seconds(self, value):
        """A lifetime that is not a whole number stops the function at its start, and is not quoted."""
        with pytest.raises(ConfigurationError) as caught:
            Environment.read({"SECRET_TTL_SECONDS": value})

        assert caught.value.field == "SECRET_TTL_SECONDS"
        assert str(caught.value) == "SECRET_TTL_SECONDS must be a whole number of seconds"

    def test_the_process_s_environment_is_the_default(self):
        """Without a mapping the process's own environment is read."""
        assert isinstance(Environment.read(), Environment)
