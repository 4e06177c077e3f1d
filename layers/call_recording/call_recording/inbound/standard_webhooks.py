"""Third parties that sign as Standard Webhooks has it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

The signature covers the message's id, its time and its body, and not the URL: it is the id, kept in the call's ledger,
that makes a message good for once.
"""

import re
from typing import Final

from ..account import Inbound
from .request import FORM, InboundRequest
from .signatures import base64_hmac, is_recent, matches

#: While a secret is changed a message carries two signatures; one with more than this is nobody's.
MAX_SIGNATURES: Final = 16

# The parts of what is signed are joined by full stops, so an id has none.
_MESSAGE_ID = re.compile(r"[!-,\-/-~]{1,256}")


def message_id(request: InboundRequest, body: bytes, inbound: Inbound) -> str | None:
    """Return the id of the message that *request* is, if one of the account's secrets has signed it."""
    given = request.headers.get("webhook-id", "")
    timestamp = request.headers.get("webhook-timestamp", "")
    signatures = request.headers.get("webhook-signature", "").split(" ")[:MAX_SIGNATURES]
    if request.media_type == FORM:  # what it is read as is not signed: the standard's messages are JSON
        return None
    if not (_MESSAGE_ID.fullmatch(given) and is_recent(timestamp, request.received_at)):
        return None
    message = f"{given}.{timestamp}.".encode() + body
    expected = [f"v1,{base64_hmac(secret, message, 'sha256')}" for secret in inbound.webhook_secrets]
    signed = [matches(each, expected) for each in signatures]
    return given if any(signed) else None
