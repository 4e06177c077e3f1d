"""What Twilio's platform sends, and how it signs.

https://www.twilio.com/docs/voice/twiml#request-parameters
https://www.twilio.com/docs/studio/widget-library/http-request
https://www.twilio.com/docs/usage/webhooks/webhooks-security
https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys
"""

from collections.abc import Callable, Mapping
from html import escape

from ..account import Account, Inbound
from ..model import Action, Happening
from .names import OUR_FIELDS
from .request import FORM, InboundRequest, form_pairs
from .signatures import base64_hmac, cuts_nowhere_else, has_body_digest, matches, spellings

# Map Twilio's field: ours
FIELDS: Mapping[str, str] = {
    "CallSid": "call_id",
    # in twilio-oai, of a recording's call_sid: it is always that of the parent leg of a two-leg call
    "ParentCallSid": "parent_call_id",
    "RecordingSid": "recording_id",
}
ACCOUNT_FIELDS = ("AccountSid",), "account_sid"

# https://www.twilio.com/docs/voice/twiml/redirect
CONTENT_TYPE = "text/xml"

# Map Twilio's RecordingStatus: what happened.  There is no callback for paused and resumed.
# https://support.twilio.com/hc/en-us/articles/360014251313
RECORDING_STATUSES: Mapping[str, Happening] = {
    "in-progress": Happening.RECORDING_STARTED,
    "completed": Happening.RECORDING_ENDED,
    "absent": Happening.RECORDING_FAILED,
    "failed": Happening.RECORDING_FAILED,
}
# https://www.twilio.com/docs/voice/api/call-resource#call-status-values
CALL_OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})

#: The names that are acted on, which must stand nowhere else in a form that is signed.
ACTED_ON = frozenset({*FIELDS, *ACCOUNT_FIELDS[0], "CallStatus", "RecordingStatus", *OUR_FIELDS})
# Names of Twilio's in which others occur.  https://www.twilio.com/docs/voice/twiml/dial, .../refer, .../conference
_COMPOUNDS = frozenset(
    {
        "CallSidEndingConference",
        "CallSidToCoach",
        "DialCallSid",
        "DialCallStatus",
        "ParticipantCallSid",
        "ParticipantCallStatus",
        "ReferCallStatus",
    }
)

_SIGNATURE = "x-twilio-signature"
#: Names the SharedKey and the algorithm that were used; where it is missing, that is the auth token and SHA-1.
_SETTINGS = "x-twilio-webhooks-signature-settings"


def redirect(url: str, _done: Action | None, _account: Account) -> str:
    """Write TwiML that goes on at *url*."""
    return f'<Response><Redirect method="POST">{escape(url)}</Redirect></Response>'


def is_signed(request: InboundRequest, body: bytes, userinfo: str | None, inbound: Inbound) -> bool:
    """Whether Twilio has signed *request*, with the account's auth token or, if it allows that, with a SharedKey.

    A SharedKey signs with SHA-256 here, whatever the request says of the algorithm: it is the sender's word.
    """
    if _SETTINGS not in request.headers:
        keys = [inbound.auth_token] if inbound.auth_token else []
        if not inbound.allow_shared_keys:
            keys += inbound.signing_keys  # other auth tokens, while one is being changed
        digest = "sha1"
    else:
        keys, digest = [*inbound.signing_keys] if inbound.allow_shared_keys else [], "sha256"
    parameters = _signed_parameters(request, body)
    if parameters is None:
        return False
    expected = [
        base64_hmac(key, (url + parameters).encode(), digest) for key in keys for url in spellings(request, userinfo)
    ]
    return matches(request.headers.get(_SIGNATURE, ""), expected)


def _signed_parameters(request: InboundRequest, body: bytes) -> str | None:
    """Return what is signed behind the URL, or None if the body is not covered by the signature.

    https://github.com/twilio/twilio-python/blob/main/twilio/request_validator.py: a name that comes several times counts
    with each of its values once, sorted.
    """
    pairs = unambiguous_pairs(request, body)
    if pairs is None:
        return None
    return "".join(name + value for name, value in sorted(set(pairs)))


def unambiguous_pairs(
    request: InboundRequest, body: bytes, acted_on: frozenset[str] = ACTED_ON
) -> list[tuple[str, str]] | None:
    """Return the fields of a form, none for another body whose digest the URL has, or None if that can be read in two ways."""
    pairs: list[tuple[str, str]] = []
    if request.media_type == FORM:
        try:
            pairs = form_pairs(body)
        except ValueError:
            return None
    elif not has_body_digest(request, body):
        return None
    return pairs if cuts_nowhere_else(request.query, pairs, acted_on, _COMPOUNDS) else None


def names_in_query(request: InboundRequest) -> str:
    """Return which of the names that are acted on stand in the query, where they make a signature void."""
    return ", ".join(sorted(name for name in ACTED_ON if name in request.query))


def happenings(word: Callable[[str], str]) -> list[Happening]:
    """Return what a status callback, whose fields *word* reads, tells: of a recording, of the call, or of both."""
    told = [Happening.CALL_OVER] if word("CallStatus") in CALL_OVER else []
    status = word("RecordingStatus")
    return [*told, RECORDING_STATUSES[status]] if status in RECORDING_STATUSES else told
