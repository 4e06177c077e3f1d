"""What SignalWire's platform sends, and how it signs.

https://developer.signalwire.com/compatibility-api/xml/voice/
https://signalwire.com/docs/swml/reference/methods/record-call
https://github.com/signalwire/signalwire-python/blob/main/signalwire/core/security/webhook_validator.py
"""

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from operator import itemgetter
from typing import Any

from ..account import Inbound
from ..model import Happening
from . import twilio
from .request import FORM, InboundRequest
from .signatures import base64_hmac, cuts_nowhere_else, has_body_digest, hex_hmac, matches, spellings

# Map SignalWire's field: ours
FIELDS: Mapping[str, str] = {"CallSid": "call_id", "RecordingSid": "recording_id"}
# of cXML, and of what SWML pushes
ACCOUNT_FIELDS = ("AccountSid", "project_id"), "project_id"

# https://developer.signalwire.com/compatibility-api/xml/voice/redirect/: the same words as TwiML's
CONTENT_TYPE, redirect = twilio.CONTENT_TYPE, twilio.redirect

# Map the state of an SWML recording: what happened.  A pause is Offtape's own doing, or to be seen by reading only.
RECORDING_STATES: Mapping[str, Happening] = {
    "recording": Happening.RECORDING_STARTED,
    "finished": Happening.RECORDING_ENDED,
    "no_input": Happening.RECORDING_FAILED,
    "error": Happening.RECORDING_FAILED,
}

_ACTED_ON = twilio.ACTED_ON | set(ACCOUNT_FIELDS[0])

_SIGNATURES = ("x-signalwire-signature", "x-twilio-signature")
_SHA256_SIGNATURE = "x-signalwire-sha256-signature"


def is_signed(request: InboundRequest, body: bytes, userinfo: str | None, inbound: Inbound) -> bool:
    """Whether SignalWire has signed *request* with one of the project's signing keys.

    Forms in the scheme of cXML, other bodies in that of SWML or, if the URL has the body's digest, in the other one: the two
    are the same keyed hash, so the content type must not choose what it is read as.
    """
    urls = [url.encode() for url in spellings(request, userinfo)]
    signed, stronger = [], []
    if request.media_type != FORM and cuts_nowhere_else(request.query, (), _ACTED_ON, frozenset()):
        signed = [hex_hmac(key, url + body, "sha1") for key in inbound.signing_keys for url in urls]
        stronger = [hex_hmac(key, url + body, "sha256") for key in inbound.signing_keys for url in urls]
    parameters = _signed_parameters(request, body)
    if parameters is not None:
        signed += [base64_hmac(key, url + parameters, "sha1") for key in inbound.signing_keys for url in urls]
    proofs = [matches(request.headers.get(name, ""), signed) for name in _SIGNATURES]
    proofs.append(matches(request.headers.get(_SHA256_SIGNATURE, ""), stronger))
    return any(proofs)


def _signed_parameters(request: InboundRequest, body: bytes) -> bytes | None:
    """Return what the scheme of cXML signs behind the URL, or None if that leaves the body open."""
    if request.query_values("bodySHA256") and not has_body_digest(request, body):
        return None
    pairs = twilio.unambiguous_pairs(request, body, _ACTED_ON)
    if pairs is None:
        return None
    # names that come several times stay in the order in which they were sent
    return "".join(name + value for name, value in sorted(pairs, key=itemgetter(0))).encode()


def unwrapped(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields of a callback: cXML's lie open, those of SWML's `record_call` in `params`."""
    inner = given.get("params")
    if given.get("event_type") != "calling.call.record" or not isinstance(inner, dict):
        return given
    told = [inner.get("control_id"), inner.get("state"), given.get("timestamp")]
    if None in told:
        return inner
    # a delivery that comes again says the same of all three; the flow has made up the first: nobody knows what is in it
    return {**inner, "event_id": sha256(json.dumps(told, default=str).encode()).hexdigest()}


def happenings(word: Callable[[str], str]) -> list[Happening]:
    """Return what a callback tells.  The compatibility API's words are Twilio's."""
    if (state := word("state")) in RECORDING_STATES:
        return [RECORDING_STATES[state]]
    return twilio.happenings(word)
