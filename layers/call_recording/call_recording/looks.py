"""What a vendor shows of a call: whether it is live, and which of its recordings are."""

from collections.abc import Sequence
from typing import NamedTuple

from . import errors
from .conversation import Conversation
from .model import Call, CallState, Recording


class Shown(NamedTuple):
    """The live recordings of a call, and the leg that it was made from: their recordings count too, but have its ledger."""

    recordings: Sequence[Recording]
    parent: str | None = None


def live_recordings(conversation: Conversation, call: Call, *, once: bool = False) -> Shown:
    """Return the live recordings of *call*; none at all means: the vendor shows this call live, and nothing recorded on it.

    *once*: leave the time to others if asking fails.  Raises VendorError; CallOverError and CallNotFoundError if there is no such live call.
    """
    ask = conversation.glance if once else conversation.read
    try:
        every = ask(lambda vendor, timeout: vendor.recordings(call, timeout=timeout))
        refusal = None
    except errors.RecordingNotFoundError as exc:
        every, refusal = (), exc  # some vendors have no list for a call that is over: ask about the call itself
    listed = [each for each in every if each.live]
    own = [each for each in listed if each.call_id.lower() == call.call_id.lower()]
    if own and len(own) == len(listed):
        return Shown(own)
    state = call_state(conversation, call, once=once)
    if refusal is not None:
        raise refusal
    parent = state.parent_call_id
    if any(each.call_id.lower() != (parent or "").lower() for each in listed if each not in own):
        raise errors.OutcomeUnknownError("the list is of another call", vendor=conversation.vendor.name)
    return Shown(own, parent)


def call_state(conversation: Conversation, call: Call, *, once: bool = False) -> CallState:
    """Return the state of *call*, which is live; *once*: leave the time to others if asking fails.

    Raises VendorError; CallOverError and CallNotFoundError if there is no such live call.
    """
    vendor = conversation.vendor.name
    ask = conversation.glance if once else conversation.read
    try:
        state = ask(lambda vendor, timeout: vendor.call_state(call, timeout=timeout))
    except errors.RecordingNotFoundError as exc:
        raise errors.CallNotFoundError("no such call", vendor=vendor, http_status=exc.http_status) from exc
    if not state.live:
        raise errors.CallOverError("the call is over", vendor=vendor)
    return state
