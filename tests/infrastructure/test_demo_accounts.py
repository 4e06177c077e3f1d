"""The demo accounts of the local stack: their keys, and where each of them goes."""

from __future__ import annotations

import json

import pytest

from call_recording.account import AccountSecret
from local.accounts import demo_accounts
from local.simulators.server import VENDORS
from local.simulators.world import World
from local.startup import simulators_order

ACCOUNTS = {account.vendor: account for account in demo_accounts()}


@pytest.mark.parametrize("vendor", VENDORS)
class TestKeys:
    def test_the_simulated_vendor_takes_its_credentials(self, vendor):
        """What the simulators are told fits, and the vendors that sign with a key of their own get it."""
        credentials = simulators_order(list(ACCOUNTS.values()))["credentials"][vendor]
        VENDORS[vendor](World(), credentials)

        assert ("signing_key" in credentials) is (vendor in {"signalwire", "bird"})

    def test_a_signing_key_is_for_what_comes_in(self, vendor):
        """The secret has the vendor's key beside the other keys of callers, and not among the credentials."""
        account = ACCOUNTS[vendor]
        secret = account.secret("http://127.0.0.1:1")
        keys = [account.signing_key] if vendor in {"signalwire", "bird"} else []

        assert secret["inbound"]["signing_keys"] == keys
        assert "signing_key" not in secret["credentials"]

    def test_callers_are_told_what_the_secret_lets_in(self, vendor):
        """Every key that stack.json has of an account is one of its secret, whichever time that is made."""
        account = ACCOUNTS[vendor]
        inbound = account.secret("http://127.0.0.1:1")["inbound"]

        assert account.for_callers == {
            "vendor": vendor,
            "bearer_token": inbound["bearer_tokens"][0],
            "basic": inbound["basic"][0],
            "signing_key": inbound["signing_keys"][0] if inbound["signing_keys"] else None,
            "webhook_secret": inbound["webhook_secrets"][0],
        }

    def test_the_service_reads_its_secret(self, vendor):
        """The secret of a demo account is one that the layer accepts."""
        account = ACCOUNTS[vendor]
        read = AccountSecret(account.name, json.dumps(account.secret("http://127.0.0.1:1")))

        assert read.account.vendor == vendor
        assert len(read.inbound.webhook_secrets) == 1

    def test_no_key_is_shown(self, vendor):
        """An account's repr has none of its keys."""
        account = ACCOUNTS[vendor]
        shown = repr(account)

        assert account.password not in shown
        assert account.webhook_secret not in shown
        assert not [key for key in account.credentials.values() if key in shown]
