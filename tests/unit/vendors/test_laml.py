"""The dialect that Twilio and SignalWire share."""

import pytest

from call_recording.vendors._laml import LamlVendor
from call_recording.vendors.signalwire import SignalWire
from call_recording.vendors.twilio import Twilio


@pytest.mark.parametrize("vendor", [SignalWire, Twilio])
def test_who_speaks_it(vendor):
    """Twilio and SignalWire speak one dialect, and differ in facts only."""
    assert issubclass(vendor, LamlVendor)
    assert vendor.update_request is LamlVendor.update_request
    assert vendor.parse_recording is LamlVendor.parse_recording
