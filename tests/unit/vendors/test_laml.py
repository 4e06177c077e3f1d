"""The dialect that Twilio and SignalWire share."""

import httpx
import pytest

from call_recording.model import Call
from call_recording.vendors._exchange import create_client
from call_recording.vendors._laml import LamlVendor
from call_recording.vendors.signalwire import SignalWire
from call_recording.vendors.twilio import Twilio
from tests.unit.vendors.fakes import Wire, account_of, answer


@pytest.mark.parametrize("vendor", [SignalWire, Twilio])
def test_who_speaks_it(vendor):
    """Twilio and SignalWire speak one dialect, and differ in facts only."""
    assert issubclass(vendor, LamlVendor)
    assert vendor.update_request is LamlVendor.update_request
    assert vendor.parse_recording is LamlVendor.parse_recording


def test_the_account_must_be_named():
    """A vendor of this dialect has to say what its account is called in paths."""

    class Unfinished(LamlVendor):
        origin = "https://api.example.com"
        version_path = "/2010-04-01"
        credential_sets = (("token",),)

    vendor = Unfinished(
        account_of("unfinished", {"token": "token"}), create_client(httpx.MockTransport(Wire(answer())))
    )
    with pytest.raises(NotImplementedError):
        vendor.call_request(Call(call_id="1"))
