"""What SignalWire's platform sends, and how it signs.

https://developer.signalwire.com/compatibility-api/xml/voice/
https://signalwire.com/docs/swml/reference/methods/record-call
https://github.com/signalwire/signalwire-python/blob/main/signalwire/core/security/webhook_validator.py
"""

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

from ..account import Inbound
from ..model import Happening
from . import twilio
from .request import FORM, InboundRequest, form_pairs
from .signatures import base64_hmac, has_body_digest, hex_hmac, matches, spellings

# Map SignalWire's field: ours
FIELDS: Mapping[str, str] = {"CallSid": "call_id", "RecordingSid": "recording_id"}
ACCOUNT_FIELD = "AccountSid", "project_id"

# https://developer.signalwire.com/compatibility-api/xml/voice/redirect/: the same words as TwiML's
CONTENT_TYPE, redirect = twilio.CONTENT_TYPE, twilio.redirect

# Map the state of an SWML recording: what happened.  A pause is Offtape's own doing, or to be seen by reading only.
RECORDING_STATES: Mapping[str, Happening] = {
    "recording": Happening.RECORDING_STARTED,
    "finished": Happening.RECORDING_ENDED,
    "no_input": Happening.RECORDING_FAILED,
    "error": Happening.RECORDING_FAILED,
}

_SIGNATURES = ("x-signalwire-signature", "x-twilio-signature")
_SHA256_SIGNATURE = "x-signalwire-sha256-signature"


def is_signed(request: InboundRequest, body: bytes, userinfo: str | None, inbound: Inbound) -> bool:
    """Whether SignalWire has signed *request* with one of the project's signing keys, in one of its two schemes."""
    urls = [url.encode() for url in spellings(request, userinfo)]
    parameters = _signed_parameters(request, body)
    expected = [hex_hmac(key, url + body, "sha1") for key in inbound.signing_keys for url in urls]
    if parameters is not None:
        expected += [base64_hmac(key, url + parameters, "sha1") for key in inbound.signing_keys for url in urls]
    stronger = [hex_hmac(key, url + body, "sha256") for key in inbound.signing_keys for url in urls]
    signed = [matches(request.headers.get(name, ""), expected) for name in _SIGNATURES]
    signed.append(matches(request.headers.get(_SHA256_SIGNATURE, ""), stronger))
    return any(signed)


def _signed_parameters(request: InboundRequest, body: bytes) -> bytes | None:
    """Return what the scheme of cXML signs behind the URL, or None if that leaves the body open."""
    digested = has_body_digest(request, body)
    if request.query_values("bodySHA256") and not digested:
        return None
    if request.media_type != FORM:
        return b"" if digested or not body else None
    try:
        pairs = form_pairs(body)
    except ValueError:
        return None
    # names that come several times stay in the order in which they were sent
    return "".join(name + value for name, value in sorted(pairs, key=itemgetter(0))).encode()


def unwrapped(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields of a callback: cXML's lie open, those of SWML's `record_call` in `params`."""
    inner = given.get("params")
    return inner if given.get("event_type") == "calling.call.record" and isinstance(inner, dict) else given


def happenings(word: Callable[[str], str]) -> list[Happening]:
    """Return what a callback tells.  The compatibility API's words are Twilio's."""
    if (state := word("state")) in RECORDING_STATES:
        return [RECORDING_STATES[state]]
    return twilio.happenings(word)
