"""What can be told without a signature that holds: what is missing, or of the wrong kind.

https://www.twilio.com/docs/usage/webhooks/webhooks-security: Twilio signs with the auth token, never with an API key.
https://www.twilio.com/docs/api/errors/57012: with the primary one, and over every field with its blanks.
https://github.com/signalwire/signalwire-python/blob/main/signalwire/core/security/webhook_validator.py: signing keys.
https://dev.bandwidth.com/docs/voice/webhooks/: Bandwidth presents a user name and password, and signs nothing.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from call_recording.account import Inbound
from call_recording.errors import ConfigurationError, InvalidTriggerError
from call_recording.inbound.authentication import PROOF_HEADERS
from call_recording.inbound.request import FORM, InboundRequest, form_pairs
from call_recording.inbound.signatures import base64_hmac, hex_hmac, matches, spellings

from .keys import BELONGS, SHARED_KEY_HEADER, values

#: Map a vendor: the headers that it signs by.
SIGNED_BY: Mapping[str, tuple[str, ...]] = {
    "bird": ("messagebird-signature",),
    "signalwire": ("x-signalwire-signature", "x-twilio-signature", "x-signalwire-sha256-signature"),
    "twilio": ("x-twilio-signature",),
}
STANDARD: Final = "webhook-signature"
#: Every header that carries a signature.
SIGNATURE_HEADERS: Final = tuple(name for name in PROOF_HEADERS if name != "authorization")

_AUTH_TOKEN = re.compile(r"[0-9a-f]{32}")
_SIGNATURE = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}|[A-Za-z0-9+/]{27}=|[A-Za-z0-9+/]{43}=")
_SECONDS = re.compile(r"[0-9]{1,12}")


class Symptom(NamedTuple):
    """What is wrong, by a short name, and what to do."""

    name: str
    why: str
    advice: str


def before(request: InboundRequest, inbound: Inbound) -> Symptom | None:
    """Return why there is nothing to look for, if so."""
    if any(name in request.headers for name in SIGNATURE_HEADERS):
        return None
    if "messagebird-signature-jwt" in request.headers:
        return Symptom(
            "messagebird-jwt",
            "The request is signed by the old MessageBird platform, in MessageBird-Signature-JWT, which is not accepted.",
            "Make the subscription at Bird (service channels, with a signingKey), not at MessageBird.",
        )
    if inbound.vendor == "bandwidth":
        return Symptom(
            "bandwidth-basic",
            "Bandwidth never signs: it presents a user name and password (Authorization: Basic).",
            "Put them into inbound.basic, and into the application or the verb at Bandwidth; if Authorization is blanked in "
            "this copy of the event, put it back.",
        )
    return Symptom(
        "no-signature",
        "The event has none of the headers by which a request is signed: "
        + ", ".join(map(str.title, (*SIGNED_BY.get(inbound.vendor or "", ()), STANDARD)))
        + ".",
        "If the platform signs, something on the way drops the header. If it does not (a step of a flow may not), let it "
        "prove itself by inbound.basic or inbound.bearer_tokens"
        + ("; the event's Authorization is not one of those." if "authorization" in request.headers else "."),
    )


def unfit(problem: ConfigurationError) -> Symptom:
    """Return that the secret keeps everybody out."""
    return Symptom(
        "secret-unfit",
        f"The secret does not fit, so that nobody gets in: {problem}.",
        "Mend that field: docs/accounts.md says what it takes.",
    )


def after(request: InboundRequest, inbound: Inbound, document: Mapping[str, Any]) -> Symptom:
    """Return what is likely wrong when nothing that was tried has made a signature hold."""
    checks = (
        _refused_though_right(request, inbound),
        _other_header(request, inbound),
        _unreadable_signature(request),
        _no_key(request, inbound),
        _body(request),
        _time_and_id(request),
        _kind_of_key(request, inbound, document),
    )
    for check in checks:
        for symptom in check:
            return symptom
    return Symptom(
        "wrong-key",
        "Wrong key, or the event was changed after it was signed: no host, scheme, port, path, query, body, content type, "
        "time or reading of a key that was tried makes the signature hold.",
        "Compare the key with the vendor's console: another project, subaccount or subscription has another, and Twilio's "
        "secondary auth token does not sign before it is promoted. If the key is right, get the event anew, unchanged: no "
        "field may be left out, trimmed or masked. If the platform reaches you by a URL that the event does not name, add "
        "it: --public-urls.",
    )


def _refused_though_right(request: InboundRequest, inbound: Inbound) -> Iterator[Symptom]:
    """Yield that the vendor has signed this very request, which the layer does not take all the same."""
    try:
        body = request.body()
        pairs = form_pairs(body) if request.media_type == FORM else []
    except (InvalidTriggerError, ValueError):
        return
    fields = "".join(name + value for name, value in sorted(set(pairs))).encode()
    urls = [url.encode() for url in spellings(request, None)]
    keys = [*inbound.signing_keys, *([inbound.auth_token] if inbound.auth_token else [])]
    expected = [base64_hmac(key, url + fields, digest) for key in keys for url in urls for digest in ("sha1", "sha256")]
    expected += [hex_hmac(key, url + body, digest) for key in keys for url in urls for digest in ("sha1", "sha256")]
    headers = SIGNED_BY.get(inbound.vendor or "", ())
    if inbound.vendor != "bird" and any(matches(request.headers.get(name, ""), expected) for name in headers):
        yield Symptom(
            "refused-though-right",
            "The signature is right, and is refused all the same: it joins URL, names and values without a mark, and a name "
            "that Offtape acts on (CallSid, say) stands in the query, in a value or in another name too, so that what was "
            "signed could be cut into other fields.",
            "Keep those names out of the URL's query and out of what the flow or the caller writes into fields; or let the "
            "request prove itself by inbound.basic or inbound.bearer_tokens.",
        )


def _present(request: InboundRequest) -> list[str]:
    return [name for name in SIGNATURE_HEADERS if name in request.headers]


def _other_header(request: InboundRequest, inbound: Inbound) -> Iterator[Symptom]:
    read = {*SIGNED_BY.get(inbound.vendor or "", ()), STANDARD}
    if not read & {*_present(request)}:
        yield Symptom(
            "vendor-header",
            f"The event is signed in {', '.join(map(str.title, _present(request)))}, which is not a header of the account's "
            "vendor, and the secret has no key that it is signed with.",
            "Give that platform the URL of an account of its own vendor; see `vendor` in the secret.",
        )


def _unreadable_signature(request: InboundRequest) -> Iterator[Symptom]:
    given = [request.headers[name] for name in _present(request) if name != STANDARD]
    given += [each.removeprefix("v1,") for each in request.headers.get(STANDARD, "").split(" ")]
    if not any(map(_SIGNATURE.fullmatch, given)):
        yield Symptom(
            "signature-unreadable",
            f"What {', '.join(map(str.title, _present(request)))} has is no signature of a kind that Offtape verifies.",
            "If the header is blanked or cut in this copy of the event, put it back: a signature is no key.",
        )


def _no_key(request: InboundRequest, inbound: Inbound) -> Iterator[Symptom]:
    needs = []
    if STANDARD in request.headers and not inbound.webhook_secrets:
        needs.append("inbound.webhook_secrets")
    if any(name in request.headers for name in SIGNED_BY.get(inbound.vendor or "", ())):
        key = "inbound.signing_keys" if SHARED_KEY_HEADER in request.headers else BELONGS[inbound.vendor or ""]
        if not (inbound.signing_keys or (key != "inbound.signing_keys" and inbound.auth_token)):
            needs.append(key)
    if needs:
        yield Symptom(
            "no-key",
            f"The account has no key for the signature: {', '.join(needs)} is missing.",
            "Put the key there that the vendor's console shows for signatures.",
        )


def _body(request: InboundRequest) -> Iterator[Symptom]:
    try:
        request.body()
    except InvalidTriggerError as problem:
        yield Symptom(
            "body-unreadable",
            f"No signature is verified over this body: {problem}.",
            "Store body and isBase64Encoded as API Gateway gives them.",
        )


def _time_and_id(request: InboundRequest) -> Iterator[Symptom]:
    for signature, name in (
        (STANDARD, "webhook-timestamp"),
        ("messagebird-signature", "messagebird-request-timestamp"),
    ):
        if signature in request.headers and not _SECONDS.fullmatch(request.headers.get(name, "")):
            yield Symptom(
                "timestamp-missing",
                f"The event has no {name.title()} in whole seconds, which is a part of what is signed.",
                "Let the header reach API Gateway, and put it back if it is blanked in this copy of the event.",
            )
    if STANDARD in request.headers and not request.headers.get("webhook-id"):
        yield Symptom(
            "webhook-id-missing",
            "The event has no Webhook-Id, which is a part of what is signed.",
            "Let the header reach API Gateway, and put it back if it is blanked in this copy of the event.",
        )


def _kind_of_key(request: InboundRequest, inbound: Inbound, document: Mapping[str, Any]) -> Iterator[Symptom]:
    by_auth_token = "x-twilio-signature" in request.headers and SHARED_KEY_HEADER not in request.headers
    tokens = [inbound.auth_token or "", *(() if inbound.allow_shared_keys else inbound.signing_keys)]
    if inbound.vendor == "twilio" and by_auth_token and not any(map(_AUTH_TOKEN.fullmatch, tokens)):
        yield Symptom(
            "not-an-auth-token",
            "credentials.auth_token is not 32 digits of 0-9 and a-f, as Twilio's auth tokens are: it is missing, or may be the "
            "secret of an API key, with which Twilio does not sign. Or the event was changed after it was signed.",
            "Put the account's auth token into credentials.auth_token; an API key goes beside it, into api_key and api_secret.",
        )
    by_signing_key = any(name in request.headers for name in SIGNED_BY["signalwire"])
    is_signing_key = [key.startswith("PSK") for key in inbound.signing_keys]
    if inbound.vendor == "signalwire" and by_signing_key and not any(is_signing_key):
        token = dict(values(document)).get("credentials.api_token")
        yield Symptom(
            "not-a-signing-key",
            "No key in inbound.signing_keys begins with PSK, as SignalWire's signing keys do"
            + (
                "; one is the API token, with which SignalWire does not sign." if token in inbound.signing_keys else "."
            ),
            "Put the project's signing key (SignalWire's dashboard, API) into inbound.signing_keys.",
        )
