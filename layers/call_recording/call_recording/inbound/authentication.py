"""Who is calling: one valid proof is enough, and an account that has none configured lets nobody in."""

import binascii
import hmac
import secrets
from base64 import b64decode
from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

from ..account import BasicCredential, Inbound
from .request import InboundRequest


class Verifier(Protocol):
    """One kind of proof.  Signatures will be others; each sees the raw request."""

    def verify(self, request: InboundRequest, inbound: Inbound) -> bool:
        """Whether *request* carries this proof, made with one of the keys of *inbound*."""


class BearerVerifier:
    """`Authorization: Bearer <token>` (RFC 6750)."""

    def verify(self, request: InboundRequest, inbound: Inbound) -> bool:
        """Whether the token is one of the account's."""
        token = _credentials_of(request, "bearer")
        return _any_equal(token, inbound.bearer_tokens)


class BasicVerifier:
    """`Authorization: Basic <user:password>` (RFC 7617), which is also what user:password@ in a URL becomes."""

    def verify(self, request: InboundRequest, inbound: Inbound) -> bool:
        """Whether user name and password are a pair of the account's."""
        try:
            given = b64decode(_credentials_of(request, "basic") or "", validate=True).decode()
        except (binascii.Error, ValueError):
            given = ""
        return _any_equal(given or None, [f"{pair.username}:{pair.password}" for pair in inbound.basic])


VERIFIERS: Sequence[Verifier] = (BearerVerifier(), BasicVerifier())

#: Stands in for an account that does not exist, so that the comparison takes as long.
DECOY = Inbound(
    bearer_tokens=(secrets.token_urlsafe(),),
    basic=(BasicCredential(username=secrets.token_urlsafe(), password=secrets.token_urlsafe()),),
)


def is_authentic(request: InboundRequest, inbound: Inbound, verifiers: Sequence[Verifier] = VERIFIERS) -> bool:
    """Whether one of the proofs holds.  All are tried, so that the time tells nothing."""
    return any([verifier.verify(request, inbound) for verifier in verifiers])  # noqa: C419 -- no short cut


def _credentials_of(request: InboundRequest, scheme: str) -> str | None:
    given, _, credentials = request.headers.get("authorization", "").partition(" ")
    return credentials.strip() or None if given.lower() == scheme else None


def _any_equal(given: str | None, expected: Sequence[str]) -> bool:
    # digests are of one length, and every one is compared: neither tells how near a guess was
    digest = sha256((given or "").encode(errors="surrogatepass")).digest()
    equal = [hmac.compare_digest(digest, sha256(each.encode()).digest()) for each in expected]
    return given is not None and any(equal)
