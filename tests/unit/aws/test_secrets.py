"""The accounts' secrets, and how long they are remembered."""

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError

from call_recording.account import AccountSecret
from call_recording.aws.secrets import MAX_REMEMBERED, RETRY_SECONDS, SecretsManagerAccounts
from call_recording.errors import UnavailableError
from tests.unit.fakes import FakeClock, FakeSecretsManager, client_error, secret_json

TTL = 60.0
ACME = "call-recording/acme"
OUTAGES = [
    EndpointConnectionError(endpoint_url="https://secretsmanager.example"),
    ConnectTimeoutError(endpoint_url="https://secretsmanager.example"),
    client_error("AccessDeniedException"),
    client_error("DecryptionFailure"),
    client_error("InternalServiceError"),
    client_error("ThrottlingException"),
]


@pytest.fixture(name="clock")
def _clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(name="manager")
def _manager() -> FakeSecretsManager:
    return FakeSecretsManager({ACME: secret_json()})


@pytest.fixture(name="accounts")
def _accounts(manager, clock) -> SecretsManagerAccounts:
    return SecretsManagerAccounts(manager, prefix="call-recording/", ttl_seconds=TTL, clock=clock)


class TestReading:
    """What is asked of Secrets Manager."""

    def test_a_secret_is_found_by_its_account(self, accounts, manager):
        """The secret of an account is `call-recording/<account>`."""
        assert accounts.get("acme") == AccountSecret("acme", secret_json())
        assert manager.asked == [ACME]

    @pytest.mark.parametrize(
        "name", ["", "Acme", "1acme", "-acme", "a" * 64, "acme\n", "a b", "../acme", "a/b", "acme*", "ü", "a\x00"]
    )
    def test_a_malformed_name_is_not_asked_for(self, accounts, manager, name):
        """A name that no account can have is unknown, and Secrets Manager does not hear of it."""
        assert accounts.get(name) is None
        assert manager.asked == []

    def test_a_binary_secret_is_no_account_s(self, accounts, manager):
        """A secret without text is there, and fits nothing."""
        manager.get_secret_value = lambda **_: {"SecretBinary": b"x"}

        assert accounts.get("acme") == AccountSecret("acme", "")


class TestRemembering:
    """A secret is asked for once in its lifetime."""

    def test_it_is_asked_for_once_per_lifetime(self, accounts, manager, clock):
        """Within the lifetime Secrets Manager is not asked again; then it is, once."""
        for _ in range(10):
            accounts.get("acme")
        clock.seconds += TTL - 0.001
        accounts.get("acme")
        assert len(manager.asked) == 1

        clock.seconds += 0.001
        for _ in range(10):
            accounts.get("acme")

        assert len(manager.asked) == 2

    def test_a_changed_secret_is_honoured_after_the_lifetime(self, accounts, manager, clock):
        """A rotated key is honoured when the lifetime is over, and not before."""
        first = accounts.get("acme")
        manager.secrets[ACME] = secret_json(inbound={})

        assert accounts.get("acme") is first
        clock.seconds += TTL
        assert accounts.get("acme") == AccountSecret("acme", secret_json(inbound={}))

    def test_an_unchanged_secret_stays_as_it_was_parsed(self, accounts, clock):
        """A secret that has not changed is the same object, with what was parsed of it."""
        first = accounts.get("acme")
        clock.seconds += TTL

        assert accounts.get("acme") is first

    def test_a_refresh_asks_at_once(self, accounts, manager, clock):
        """A refresh asks whatever is remembered, and what it brings has a whole lifetime."""
        accounts.get("acme")
        clock.seconds += TTL - 1
        manager.secrets[ACME] = secret_json(inbound={})

        assert accounts.get("acme", refresh=True) == AccountSecret("acme", secret_json(inbound={}))
        clock.seconds += TTL - 1
        accounts.get("acme")
        assert len(manager.asked) == 2

    def test_without_a_lifetime_it_is_asked_for_each_time(self, manager, clock):
        """With a lifetime of 0 nothing is remembered but for an outage."""
        accounts = SecretsManagerAccounts(manager, prefix="call-recording/", ttl_seconds=0, clock=clock)
        accounts.get("acme")
        accounts.get("acme")

        assert len(manager.asked) == 2

    @pytest.mark.parametrize("code", ["ResourceNotFoundException", "InvalidRequestException"])
    def test_a_deleted_secret_is_no_account_any_more(self, accounts, manager, clock, code):
        """An account whose secret is deleted, or marked for it, is unknown when the lifetime is over."""
        accounts.get("acme")
        manager.failure = client_error(code)
        assert accounts.get("acme") is not None

        clock.seconds += TTL
        assert accounts.get("acme") is None
        assert accounts.get("acme") is None
        assert len(manager.asked) == 2

    def test_a_new_account_is_found_after_the_lifetime(self, accounts, manager, clock):
        """A name that was unknown is asked for again when the lifetime is over."""
        assert accounts.get("new") is None
        manager.secrets["call-recording/new"] = secret_json()
        assert accounts.get("new") is None

        clock.seconds += TTL
        assert accounts.get("new") is not None


class TestOutage:
    """Secrets Manager does not answer, or refuses us."""

    @pytest.mark.parametrize("failure", OUTAGES, ids=repr)
    def test_the_last_good_secret_goes_on(self, accounts, manager, clock, failure):
        """Through an outage the last good secret is used, and Secrets Manager asked every few seconds."""
        first = accounts.get("acme")
        manager.failure = failure
        clock.seconds += 3_600

        assert accounts.get("acme") is first
        clock.seconds += RETRY_SECONDS - 0.001
        assert accounts.get("acme") is first
        assert len(manager.asked) == 2

        clock.seconds += 0.001
        assert accounts.get("acme") is first
        assert len(manager.asked) == 3

    def test_it_ends_with_the_outage(self, accounts, manager, clock):
        """When Secrets Manager answers again, what it says counts, for a whole lifetime."""
        accounts.get("acme")
        clock.seconds += TTL
        manager.failure = OUTAGES[0]
        accounts.get("acme")
        manager.failure = None
        manager.secrets[ACME] = secret_json(inbound={})
        clock.seconds += RETRY_SECONDS

        assert accounts.get("acme") == AccountSecret("acme", secret_json(inbound={}))
        clock.seconds += TTL - 1
        accounts.get("acme")
        assert len(manager.asked) == 3

    @pytest.mark.parametrize("failure", OUTAGES, ids=repr)
    def test_what_was_never_read_is_unavailable(self, accounts, manager, failure):
        """Without a last good secret the account is unavailable, which says what failed and neither name nor address."""
        manager.failure = failure
        with pytest.raises(UnavailableError) as caught:
            accounts.get("acme")

        assert str(caught.value).startswith("Secrets Manager: ")
        assert "acme" not in str(caught.value)
        assert "example" not in str(caught.value)
        assert caught.value.__cause__ is failure

    def test_an_unknown_name_stays_unknown(self, accounts, manager, clock):
        """Through an outage a name that was unknown is still unknown, and not told from a wrong key."""
        assert accounts.get("nobody") is None
        manager.failure = OUTAGES[0]
        clock.seconds += TTL + 1

        assert accounts.get("nobody") is None

    def test_a_failed_refresh_leaves_the_last_good_secret(self, accounts, manager):
        """A refresh during an outage brings the last good secret."""
        first = accounts.get("acme")
        manager.failure = OUTAGES[0]

        assert accounts.get("acme", refresh=True) is first


class TestBounds:
    """Guessing names fills no memory."""

    def test_unknown_names_are_bounded(self, accounts):
        """Thousands of unknown names leave a bounded memory."""
        for number in range(5_000):
            assert accounts.get(f"name-{number}") is None

        assert len(accounts._remembered) == MAX_REMEMBERED

    def test_an_unknown_name_is_asked_for_once_per_lifetime(self, accounts, manager, clock):
        """An unknown name asks Secrets Manager at most once in a lifetime."""
        for _ in range(100):
            accounts.get("nobody")
        clock.seconds += TTL
        accounts.get("nobody")

        assert len(manager.asked) == 2

    def test_guesses_do_not_push_out_accounts(self, accounts, manager):
        """An account is remembered however many unknown names are asked for."""
        accounts.get("acme")
        for number in range(3_000):
            accounts.get(f"name-{number}")
        accounts.get("acme")

        assert manager.asked.count(ACME) == 1

    def test_of_too_many_accounts_the_oldest_goes(self, accounts, manager):
        """Where all that is remembered are accounts, the one that was read longest ago is forgotten."""
        names = [f"name-{number}" for number in range(MAX_REMEMBERED + 1)]
        manager.secrets = {f"call-recording/{name}": secret_json() for name in names}
        for name in names:
            accounts.get(name)
        accounts.get(names[1])
        accounts.get(names[0])

        assert manager.asked.count(f"call-recording/{names[1]}") == 1
        assert manager.asked.count(f"call-recording/{names[0]}") == 2
