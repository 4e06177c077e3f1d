"""Which vendors there are, what each must have, and how long one stays connected."""

import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

import call_recording
from call_recording import errors
from call_recording.account import Account
from call_recording.inbound import events, fields
from call_recording.vendors import VENDORS, ConnectedVendors
from call_recording.vendors._exchange import create_client
from call_recording.vendors.base import BaseVendor
from tests.unit.vendors.fakes import Wire, account_of, answer

# pytest collects a class by the name that it has in this module: none of these is to run twice
from tests.unit.vendors.test_bandwidth import TestBandwidth as Bandwidth
from tests.unit.vendors.test_bird import TestBird as Bird
from tests.unit.vendors.test_signalwire import TestSignalWire as SignalWire
from tests.unit.vendors.test_twilio import TestTwilio as Twilio

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = Path(call_recording.__file__).parent

CREDENTIALS: Mapping[str, Mapping[str, str]] = {
    each.vendor: each.ways_in[0] for each in (Bandwidth, Bird, SignalWire, Twilio)
}


@pytest.fixture(name="vendors")
def _vendors() -> ConnectedVendors:
    return ConnectedVendors(create_client(httpx.MockTransport(Wire(answer()))))


class TestTheList:
    def test_it_is_sorted(self):
        """The vendors stand in alphabetical order."""
        assert list(VENDORS) == sorted(VENDORS)

    def test_it_is_whole(self):
        """Each vendor's file is in the list, and nothing else is."""
        files = {path.stem for path in (PACKAGE / "vendors").glob("*.py")}

        assert {name for name in files if not name.startswith("_")} - {"base"} == set(VENDORS)

    @pytest.mark.parametrize("name", VENDORS)
    def test_a_name(self, name):
        """A vendor is called the same in a secret, in its class and in its file."""
        assert VENDORS[name].name == name
        assert VENDORS[name].__module__ == f"call_recording.vendors.{name}"
        assert issubclass(VENDORS[name], BaseVendor)

    @pytest.mark.parametrize("name", VENDORS)
    def test_what_a_vendor_needs(self, name):
        """Each vendor has what its page for contributors asks for: a file inwards, pages of docs, the contract, a simulator."""
        needed = [
            PACKAGE / "inbound" / f"{name}.py",
            ROOT / "docs" / "vendors" / f"{name}.md",
            Path(__file__).with_name(f"test_{name}.py"),
            ROOT / "local" / "simulators" / f"{name}.py",
            ROOT / "local" / "simulators" / "webhooks" / f"{name}.py",
        ]
        folders = [ROOT / "events" / "flow_callback", ROOT / "events" / "vendor_webhook", ROOT / "docs" / "how-to"]

        assert [path for path in needed if not path.is_file()] == []
        assert [folder for folder in folders if not list(folder.glob(f"{name}[_-]*"))] == []
        assert name in CREDENTIALS

    def test_what_they_send_is_read(self):
        """How a vendor calls its fields and its account, and what its webhooks tell, is in the tables of inbound/."""
        for table in (fields.FIELDS, fields.ACCOUNT_FIELDS, events.HAPPENINGS):
            assert set(table) == set(VENDORS)

    @pytest.mark.parametrize("name", VENDORS)
    def test_the_readme_s_table(self, name):
        """Each vendor has its row in the README, and the row promises no better proof than the code gives."""
        [row] = re.findall(
            rf"^\| \[\w+\]\(docs/vendors/{name}\.md\) .*$", (ROOT / "README.md").read_text(), re.MULTILINE
        )

        assert ("observed" in row) is VENDORS[name].reads
        assert ("acknowledged" in row) is not VENDORS[name].reads

    @pytest.mark.parametrize("name", VENDORS)
    def test_what_is_not_known_is_written_down(self, name):
        """Each vendor's page says what is to be checked on a live account."""
        page = (ROOT / "docs" / "vendors" / f"{name}.md").read_text()

        assert page.partition("## To be checked on a live account")[2].count("\n* ") > 2

    @pytest.mark.parametrize("name", VENDORS)
    def test_facts_have_sources(self, name):
        """Each vendor's file opens with the address of the pages that it was read from."""
        assert re.search(r"^https://\S+$", sys.modules[VENDORS[name].__module__].__doc__ or "", re.MULTILINE)


class TestConnecting:
    @pytest.mark.parametrize("name", VENDORS)
    def test_a_vendor(self, vendors, name):
        """The vendor that an account names is made with the account."""
        account = account_of(name, CREDENTIALS[name])
        vendor = vendors(account)

        assert type(vendor) is VENDORS[name]
        assert vendor.account == account
        assert vendor.name == name

    @pytest.mark.parametrize("name", VENDORS)
    def test_the_same_account(self, vendors, name):
        """While an account stays the same its vendor is kept, and with it a token."""
        vendor = vendors(account_of(name, CREDENTIALS[name]))

        assert vendors(account_of(name, dict(CREDENTIALS[name]))) is vendor

    @pytest.mark.parametrize(
        "change",
        [
            {"credentials": {**CREDENTIALS["twilio"], "auth_token": "another-token"}},
            {"settings": account_of("twilio", {}, pause_behavior="skip").settings},
            {"settings": account_of("twilio", {}, api_url="https://127.0.0.1/").settings},
            {"vendor": "bird", "credentials": CREDENTIALS["bird"]},
        ],
        ids=["a key", "a setting", "an origin", "the vendor"],
    )
    def test_a_changed_account(self, vendors, change):
        """Once anything in the secret has changed, the account's vendor is made anew and the old one forgotten."""
        account = account_of("twilio", CREDENTIALS["twilio"])
        old = vendors(account)
        new = vendors(replace(account, **change))

        assert new is not old
        assert vendors(replace(account, **change)) is new
        assert vendors(account) is not old

    def test_two_accounts(self, vendors):
        """Accounts do not share a vendor, even with the same credentials."""
        one = account_of("twilio", CREDENTIALS["twilio"])
        other = replace(one, name="other")

        assert vendors(one) is not vendors(other)
        assert vendors(one) is vendors(one)

    @pytest.mark.parametrize("name", ["", "Twilio", "twilio ", "telnyx", "base", "__class__"])
    def test_an_unknown_vendor(self, vendors, name):
        """A vendor that is not in the list is refused with the names of those that are, and not with its own."""
        with pytest.raises(errors.ConfigurationError, match=r"^vendor must be one of bandwidth, bird, ") as caught:
            vendors(Account(name="acme", vendor=name, credentials={}, settings=account_of("bird", {}).settings))

        assert caught.value.field == "vendor"

    def test_an_account_that_no_longer_fits(self, vendors):
        """A secret that has become wrong is refused each time, and mended is good again."""
        good = account_of("twilio", CREDENTIALS["twilio"])
        vendors(good)
        for _ in range(2):
            with pytest.raises(errors.ConfigurationError, match=r"^credentials\."):
                vendors(replace(good, credentials={}))

        assert vendors(good).account == good
