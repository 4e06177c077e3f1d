"""Who is calling: one valid proof is enough, and an account that has none configured lets nobody in.

Nothing of a request is read here but what a proof is made of, and nothing is looked up by its content.
"""

import binascii
import hmac
import secrets
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from ..account import BasicCredential, Inbound
from ..errors import InvalidTriggerError
from . import bird, signalwire, standard_webhooks, twilio
from .request import InboundRequest

#: Whether a vendor has signed a request of this body, with the account's key; the `user:password` that came along, if
#: any, may be a part of the URL that was signed.
Signature = Callable[[InboundRequest, bytes, str | None, Inbound], bool]

#: Map a vendor: its signature.  Bandwidth has none: it signs in with Basic.
SIGNATURES: Mapping[str, Signature] = {
    "bird": bird.is_signed,
    "signalwire": signalwire.is_signed,
    "twilio": twilio.is_signed,
}

#: The headers that carry a proof.
PROOF_HEADERS: Sequence[str] = (
    "authorization",
    "messagebird-signature",
    "webhook-signature",
    "x-signalwire-sha256-signature",
    "x-signalwire-signature",
    "x-twilio-signature",
)

#: Stands in for an account that does not exist, so that looking takes as long.
DECOY = Inbound(
    bearer_tokens=(secrets.token_urlsafe(),),
    basic=(BasicCredential(username=secrets.token_urlsafe(), password=secrets.token_urlsafe()),),
    webhook_secrets=(secrets.token_bytes(),),
    vendor="twilio",
    auth_token=secrets.token_urlsafe(),
)


class Proven(NamedTuple):
    """What a request has proven."""

    message_id: str | None = None  #: of a message whose signature covers its id


def prove(request: InboundRequest, inbound: Inbound) -> Proven | None:
    """Return what *request* proves with the keys of *inbound*, or None.  All proofs are tried: the time tells nothing."""
    userinfo = _userinfo(request)
    proofs = [_has_bearer_token(request, inbound), _has_credential(userinfo, inbound)]
    message_id = None
    try:
        body = request.body()
    except InvalidTriggerError:
        pass  # then no signature can be made sure of; whoever has a key is told what is wrong with the body
    else:
        message_id = standard_webhooks.message_id(request, body, inbound)
        signed = SIGNATURES.get(inbound.vendor or "")
        proofs += [message_id is not None, signed is not None and signed(request, body, userinfo, inbound)]
    return Proven(message_id) if any(proofs) else None


def presented(request: InboundRequest) -> str | None:
    """Say by which headers *request* wanted to prove itself, and what may stand in its way; None if by none."""
    carried = ", ".join(name for name in PROOF_HEADERS if name in request.headers)
    if not carried:
        return None
    named = twilio.names_in_query(request)
    return f"carried {carried}" + (f"; {named} in the query makes a vendor's signature void" if named else "")


def _has_bearer_token(request: InboundRequest, inbound: Inbound) -> bool:
    """`Authorization: Bearer <token>` (RFC 6750)."""
    return _is_one_of(_credentials_of(request, "bearer"), inbound.bearer_tokens)


def _has_credential(userinfo: str | None, inbound: Inbound) -> bool:
    return _is_one_of(userinfo, [f"{pair.username}:{pair.password}" for pair in inbound.basic])


def _userinfo(request: InboundRequest) -> str | None:
    """`Authorization: Basic <user:password>` (RFC 7617), which is also what user:password@ in a URL becomes."""
    try:
        return b64decode(_credentials_of(request, "basic") or "", validate=True).decode() or None
    except (binascii.Error, ValueError):
        return None


def _credentials_of(request: InboundRequest, scheme: str) -> str | None:
    given, _, credentials = request.headers.get("authorization", "").partition(" ")
    return credentials.strip() or None if given.lower() == scheme else None


def _is_one_of(given: str | None, expected: Sequence[str]) -> bool:
    # digests are of one length, and every one is compared: neither tells how near a guess was
    digest = sha256((given or "").encode(errors="surrogatepass")).digest()
    equal = [hmac.compare_digest(digest, sha256(each.encode()).digest()) for each in expected]
    return given is not None and any(equal)
