"""What Bandwidth shows of a call, which is all that it shows.

https://dev.bandwidth.com/apis/voice-apis/voice/#operation/getCallState
"""

import pytest

from call_recording import errors
from call_recording.model import Action, Call, CallState
from call_recording.vendors.base import BaseVendor
from tests.unit.vendors.fakes import Wire, account_of, answer, connect

CALL = "c-15ac29a2-1331029c-2cb0-4a07-b215-b22865662d85"
URL = f"https://voice.bandwidth.com/api/v2/accounts/9900000/calls/{CALL}"


def connected(wire: Wire) -> BaseVendor:
    """Make the vendor, talking to *wire*."""
    return connect(account_of("bandwidth", {"account_id": "9900000", "username": "u", "password": "placeholder"}), wire)


@pytest.mark.parametrize(
    ("state", "live"), [("queued", True), ("initiated", True), ("answered", True), ("disconnected", False)]
)
def test_a_call_s_state(state, live):
    """Each state that Bandwidth documents tells whether the call is live, and is asked for by the call's id."""
    wire = Wire(answer(200, {"callId": CALL, "state": state}))

    assert connected(wire).call_state(Call(call_id=CALL), timeout=2.0) == CallState(live=live)
    assert (wire.request.method, str(wire.request.url), wire.request.content) == ("GET", URL, b"")


@pytest.mark.parametrize(
    "body",
    [
        {"callId": CALL, "state": "paused"},
        {"callId": CALL, "state": None},
        {"callId": CALL},
        {"callId": "c-" + "0" * 36, "state": "disconnected"},
        {"callId": 7, "state": "disconnected"},
        {"state": "disconnected"},
        [],
    ],
    ids=str,
)
def test_a_call_s_state_that_cannot_be_read(body):
    """A state that is not known, or of another call, tells nothing: the call is not taken for over."""
    with pytest.raises(errors.OutcomeUnknownError):
        connected(Wire(answer(200, body))).call_state(Call(call_id=CALL), timeout=2.0)


def test_a_call_that_is_not_known():
    """A call that Bandwidth does not know is not found."""
    with pytest.raises(errors.RecordingNotFoundError):
        connected(Wire(answer(404, {"type": "error"}))).call_state(Call(call_id=CALL), timeout=2.0)


def test_a_stop_that_is_tried_again():
    """Without a redirect a stop would end the call: nothing is sent."""
    wire = Wire(answer(204))

    with pytest.raises(errors.VendorResponseError):
        connected(wire).update(Call(call_id=CALL), None, Action.STOP, timeout=2.0)
    assert wire.requests == []
