"""What a Bird flow's HTTP step and Bird's webhooks send, and how those are signed.

The integrator writes the body of a flow's step, in Bird's own words or in ours.

https://docs.bird.com/api/voice-api/voice-webhooks
https://docs.bird.com/api/notifications-api/api-reference/webhooks/verifying-a-webhook
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from ..account import Inbound
from ..model import Happening
from .request import FORM, InboundRequest
from .signatures import base64_hmac, is_recent, matches

# Map Bird's field: ours
FIELDS: Mapping[str, str] = {"callId": "call_id", "recordingId": "recording_id", "channelId": "channel_id"}
ACCOUNT_FIELDS = ("workspaceId",), "workspace_id"

# https://docs.bird.com/api/voice-api/voice-webhooks
EVENTS = ("voice.inbound", "voice.outbound")  # a tuple: what is looked for in it may be anything
CALL_OVER = frozenset({"completed", "no-answer", "busy", "failed"})


def is_signed(request: InboundRequest, body: bytes, _userinfo: str | None, inbound: Inbound) -> bool:
    """Whether Bird has signed *request* with one of the subscriptions' signing keys, lately."""
    timestamp = request.headers.get("messagebird-request-timestamp", "")
    if request.media_type == FORM or not is_recent(timestamp, request.received_at):
        return False  # what the body is read as is not signed: Bird's are JSON
    # the digest of the body as bytes, not in hexadecimal digits
    expected = [
        base64_hmac(key, f"{timestamp}\n{url}\n".encode() + sha256(body).digest(), "sha256")
        for key in inbound.signing_keys
        for url in request.urls
    ]
    return matches(request.headers.get("messagebird-signature", ""), expected)


def unwrapped(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the call that an event tells of, under the names of a flow's step.

    Bird's page shows no delivered event: the call is looked for in `payload` and at the top, as `callId` or `id`.
    """
    inner = given.get("payload")
    call = inner if isinstance(inner, dict) else given
    call_id = call.get("callId", call.get("id"))
    # Bird's recordings and commands have a callId and a status as well, and another id
    of_call = given.get("event") in EVENTS or ("event" not in given and call.get("id", call_id) == call_id)
    return {**call, "callId": call_id, "status": call.get("status") if of_call else None}


def happenings(word: Callable[[str], str]) -> list[Happening]:
    """Return what an event tells: Bird has webhooks of calls, and none of recordings."""
    return [Happening.CALL_OVER] if word("status") in CALL_OVER else []
