"""What may be sent to /flows and /webhooks, as API Gateway hands it over, for Hypothesis to draw."""

import json
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

import hypothesis.strategies as st

from call_recording.inbound.fields import ACCOUNT_FIELDS
from call_recording.inbound.flows import ACTIONS
from tests import signers
from tests.unit.fakes import (
    BEARER,
    CALLS,
    CARD,
    CHANNEL_ID,
    CREDENTIALS,
    DOMAIN,
    SIGNING_KEY,
    TOKEN,
    VENDOR_KEY,
    WEBHOOK_SECRET,
    basic,
)

#: In every request, somewhere: it must come out nowhere.
MARKER = CARD


def words(text: str) -> st.SearchStrategy[str]:
    """Draw one of the words."""
    return st.sampled_from(text.split())


VENDORS = st.sampled_from(sorted(CREDENTIALS))
NAMES = words("""CallSid ParentCallSid RecordingSid AccountSid callId recordingId channelId workspaceId accountId call_id recording_id
    channel_id pause_id event_id occurred_at max_pause_seconds redirect_url CallStatus RecordingStatus status state event
    event_type eventType type data payload params id Digits SpeechResult digit tag cardnumber cvv""")
WORDS = words("""completed in-progress absent recording finished error disconnect recordingAvailable dtmf voice.inbound call.ended
    recording.started calling.call.record paused busy""")
TEXTS = st.text(max_size=20) | st.just(MARKER) | st.text(max_size=8).map(lambda text: text + MARKER)
NUMBERS = (
    st.integers()
    | st.integers(min_value=10**15, max_value=10**17)
    | st.floats()
    | st.sampled_from([int(MARKER), -0.0, 1e308, 2**64, -1])
)
CALL_IDS = st.sampled_from([*CALLS.values(), CALLS["twilio"].upper(), CALLS["bird"].upper(), CHANNEL_ID])
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS | WORDS | CALL_IDS | st.sampled_from(["\ud800", "\x00", "é" * 9])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | TEXTS, inner, max_size=4),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES | TEXTS, VALUES, max_size=6)
#: Names may come twice, as JSON allows and forms do.
PAIRS = st.lists(st.tuples(NAMES | TEXTS, SCALARS), max_size=6)


def encodable(text: str) -> str:
    """Return *text* as it can be sent: a half of a character only as an escape."""
    return text.encode("utf-8", "backslashreplace").decode()


def object_of(pairs: list[tuple[str, Any]]) -> str:
    """Write JSON in which names may come twice."""
    return "{" + ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in pairs) + "}"


BODIES = st.one_of(
    st.binary(max_size=60),
    st.binary(max_size=20).map(lambda noise: noise + MARKER.encode()),
    VALUES.map(json.dumps).map(str.encode),
    OBJECTS.map(json.dumps).map(str.encode),
    OBJECTS.map(lambda given: json.dumps(given).encode()[:-1]),
    PAIRS.map(object_of).map(str.encode),
    PAIRS.map(lambda pairs: urlencode([(encodable(name), encodable(str(value))) for name, value in pairs]).encode()),
    st.sampled_from(
        [
            b"",
            b"[" * 3_000,
            b'{"a":' * 2_000,
            b"1" * 5_000,
            b"NaN",
            b"\xef\xbb\xbf{}",
            b"&" * 1_500,
            b"%",
            b"\x00" * 70_000,
        ]
    ),
)
TYPES = words("""application/json application/x-www-form-urlencoded text/xml multipart/form-data;boundary=x application/json;charset=utf-16
    APPLICATION/JSON;charset="UTF-8" ; / charset= application/x-www-form-urlencoded;charset=latin-1""") | TEXTS.map(
    encodable
)
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
LIKELY = st.sampled_from([JSON, FORM])
PARTS = st.text(max_size=10) | st.sampled_from([MARKER, "Card-" + MARKER, "..", "%00", "\ud800", "x" * 300])
QUERIES = st.sampled_from(["", "next=", f"next={MARKER}&otherwise=x", "bodySHA256=0", "a=%ff", "&" * 200]) | st.text(
    max_size=20
).map(lambda text: quote(encodable(text)) + f"&Digits={MARKER}")
OTHERWISE = "https://ivr.example.com/agent"
MARKUP = f"otherwise={quote(OTHERWISE, safe='')}&next=https%3A%2F%2Fivr.example.com%2Fpay"
PROOF_HEADERS = st.sampled_from(
    [
        "x-twilio-signature",
        "x-signalwire-signature",
        "x-signalwire-sha256-signature",
        "messagebird-signature",
        "messagebird-request-timestamp",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "x-twilio-webhooks-signature-settings",
        "x-forwarded-host",
        "x-digits",
    ]
)
HEADERS = st.dictionaries(
    PROOF_HEADERS, TEXTS | st.sampled_from(["1790000000", "v1,AAAA", "v1,", "\ud800", "9" * 400, "ü"]), max_size=4
)
#: When everything is sent, seconds since the epoch.
AT = 1_790_000_000


#: Gives the URL that is asked, and the headers; of the URL and the body. UnicodeDecodeError: such a body cannot be signed.
Signer = Callable[[str, bytes], tuple[str, signers.Headers]]


class Proof(NamedTuple):
    """How a request proves whose it is, or does not."""

    name: str
    sign: Signer
    vendor: str | None = None  #: whose accounts take it; None: all
    content_type: str | None = None  #: what it goes with; None: with anything


def header(name: str, authorization: str | None) -> Proof:
    """Return what proves by a header alone."""
    headers = {} if authorization is None else {"authorization": authorization}
    return Proof(name, lambda url, _: (url, headers))


def in_url(sign: Callable[[str], signers.Headers]) -> Signer:
    """Return what signs a URL with the body's digest in it."""

    def signer(url: str, body: bytes) -> tuple[str, signers.Headers]:
        digested = signers.digested(url, body)
        return digested, sign(digested)

    return signer


def fields_of(body: bytes) -> signers.Pairs:
    """Return the fields of a form, as a platform has them that sends it."""
    return parse_qsl(body.decode(), keep_blank_values=True)


KEY = SIGNING_KEY
#: Everything that lets somebody in; what is signed is never signed by the code that verifies it.
PROOFS = (
    header("bearer", BEARER),
    header("basic", basic()),
    Proof("bird", lambda url, body: (url, signers.bird(KEY, url, body, at=AT)), "bird"),
    Proof("twilio", lambda url, body: (url, signers.twilio(VENDOR_KEY, url, fields_of(body))), "twilio", FORM),
    Proof("twilio, a digest", in_url(lambda url: signers.twilio(VENDOR_KEY, url)), "twilio", JSON),
    Proof("cXML", lambda url, body: (url, signers.signalwire_form(KEY, url, fields_of(body))), "signalwire", FORM),
    Proof("cXML, a digest", in_url(lambda url: signers.signalwire_form(KEY, url)), "signalwire", JSON),
    Proof("SWML", lambda url, body: (url, signers.signalwire_body(KEY, url, body)), "signalwire", JSON),
    Proof("SWML, SHA-256", lambda url, body: (url, signers.signalwire_sha256(KEY, url, body)), "signalwire", JSON),
    Proof("third party", lambda url, body: (url, signers.standard_webhooks(WEBHOOK_SECRET, "msg_1", body, at=AT))),
)
#: What lets nobody in.
STRANGE = (
    st.sampled_from(
        [
            None,
            "",
            "Bearer",
            f"Bearer {MARKER}",
            f"Bearer {TOKEN}x",
            "Basic !",
            "Basic " + b64encode(b"\xff").decode(),
            "\ud800",
        ]
    )
    | st.text(max_size=12)
).map(lambda authorization: header("none", authorization))
ROUTES = st.sampled_from([*ACTIONS, "POST /webhooks/{account}"])


def fitting(vendor: str) -> st.SearchStrategy[dict[str, Any]]:
    """Draw what is well-formed: what a flow says, or an event."""
    call_id, ((account, *_), credential) = CALLS[vendor], ACCOUNT_FIELDS[vendor]
    call = {"call_id": call_id, "channel_id": CHANNEL_ID} if vendor == "bird" else {"call_id": call_id}
    events = {
        "twilio": {"CallSid": call_id, "RecordingStatus": "in-progress", "CallStatus": "completed"},
        "signalwire": {"event_type": "calling.call.record", "params": {"call_id": call_id, "state": "recording"}},
        "bandwidth": {"callId": call_id, "eventType": "disconnect"},
        "bird": {"event": "voice.inbound", "payload": {"id": call_id, "channelId": CHANNEL_ID, "status": "completed"}},
    }
    third_party = {"type": "recording.started", "data": call}
    return st.sampled_from([call, call | {account: CREDENTIALS[vendor][credential]}, events[vendor], third_party])


@st.composite
def bodies(draw: st.DrawFn, vendor: str, content_types: st.SearchStrategy[str]) -> tuple[bytes, str]:
    """Draw a body and its content type: noise, or one that would be taken but for some fields."""
    if not draw(st.integers(0, 3)):
        return draw(BODIES), draw(content_types)
    fields = draw(fitting(vendor)) | draw(st.dictionaries(NAMES | TEXTS, SCALARS | VALUES, max_size=2))
    if (content_type := draw(content_types)) == JSON:
        return json.dumps(fields).encode(), content_type
    form = urlencode([(encodable(name), encodable(str(value))) for name, value in fields.items()])
    return form.encode(), content_type


@st.composite
def events(
    draw: st.DrawFn, proofs: st.SearchStrategy[Proof], accounts: st.SearchStrategy[str | None]
) -> dict[str, Any]:
    """Draw what API Gateway may hand over, a route of ours at least; the request's id is the name of its proof."""
    proof, route = draw(proofs), draw(ROUTES)
    vendor = proof.vendor or draw(VENDORS)
    body, fitting_type = draw(bodies(vendor, st.just(proof.content_type) if proof.content_type else LIKELY))
    parameters = {"account": draw(accounts) or f"demo-{vendor}", "step": draw(st.just("card-entry") | PARTS)}
    if "webhooks" in route:
        del parameters["step"]
    path = route.removeprefix("POST ").format(**parameters)
    headers = draw(HEADERS) | {"host": DOMAIN}
    if (content_type := fitting_type if draw(st.integers(0, 5)) else draw(st.none() | TYPES)) is not None:
        headers["content-type"] = content_type
    query = draw(st.just("") | st.just(MARKUP) | QUERIES)
    url = f"https://{DOMAIN}{path}{'?' if query else ''}{query}"
    with suppress(UnicodeError):  # who cannot sign a request sends it all the same
        url, proven = proof.sign(url, body)
        headers |= proven
    encode = draw(st.booleans())
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": url.partition("?")[2],
        "headers": headers,
        "requestContext": {"domainName": DOMAIN, "requestId": proof.name, "stage": "$default", "timeEpoch": AT * 1000},
        "pathParameters": parameters,
        "body": b64encode(body).decode() if encode else body.decode("utf-8", "surrogateescape"),
        "isBase64Encoded": encode,
    }
