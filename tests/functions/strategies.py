"""What may be sent to /flows and /webhooks, as API Gateway hands it over, for Hypothesis to draw."""

import json
from base64 import b64encode
from typing import Any
from urllib.parse import quote, urlencode

import hypothesis.strategies as st

from call_recording.inbound.fields import ACCOUNT_FIELDS
from call_recording.inbound.flows import ACTIONS
from tests import signers
from tests.unit.fakes import BEARER, CALLS, CARD, CHANNEL_ID, CREDENTIALS, DOMAIN, SIGNING_KEY, TOKEN

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
LIKELY = st.sampled_from(["application/json", "application/x-www-form-urlencoded"])
PARTS = st.text(max_size=10) | st.sampled_from([MARKER, "Card-" + MARKER, "..", "%00", "\ud800", "x" * 300])
QUERIES = st.sampled_from(["", "next=", f"next={MARKER}&otherwise=x", "bodySHA256=0", "a=%ff", "&" * 200]) | st.text(
    max_size=20
).map(lambda text: quote(encodable(text)) + f"&Digits={MARKER}")
MARKUP = "otherwise=https%3A%2F%2Fivr.example.com%2Fagent&next=https%3A%2F%2Fivr.example.com%2Fpay"
PROOFS = st.sampled_from(
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
    PROOFS, TEXTS | st.sampled_from(["1790000000", "v1,AAAA", "v1,", "\ud800", "9" * 400, "ü"]), max_size=4
)
STRANGE = st.sampled_from(
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
) | st.text(max_size=12)
#: Stands for a signature, where the vendor has one that any bytes can be signed with.
SIGNED = "signed"
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
def bodies(draw: st.DrawFn, vendor: str) -> tuple[bytes, str]:
    """Draw a body and its content type: noise, or one that would be taken but for some fields."""
    if not draw(st.integers(0, 3)):
        return draw(BODIES), draw(LIKELY)
    fields = draw(fitting(vendor)) | draw(st.dictionaries(NAMES | TEXTS, SCALARS | VALUES, max_size=2))
    if draw(st.booleans()):
        return json.dumps(fields).encode(), "application/json"
    form = urlencode([(encodable(name), encodable(str(value))) for name, value in fields.items()])
    return form.encode(), "application/x-www-form-urlencoded"


@st.composite
def events(
    draw: st.DrawFn, authorizations: st.SearchStrategy[str | None], accounts: st.SearchStrategy[str | None]
) -> dict[str, Any]:
    """Draw what API Gateway may hand over, a route of ours at least."""
    vendor, route = draw(VENDORS), draw(ROUTES)
    body, fitting_type = draw(bodies(vendor))
    parameters = {"account": draw(accounts) or f"demo-{vendor}", "step": draw(st.just("card-entry") | PARTS)}
    if "webhooks" in route:
        del parameters["step"]
    path = route.removeprefix("POST ").format(**parameters)
    headers = draw(HEADERS) | {"host": DOMAIN}
    authorization = draw(authorizations)
    if authorization == SIGNED and vendor == "bird" and path.isascii():
        headers |= signers.bird(SIGNING_KEY, f"https://{DOMAIN}{path}", body, at=1_790_000_000)
    elif authorization is not None:
        headers["authorization"] = BEARER if authorization == SIGNED else authorization
    if (content_type := fitting_type if draw(st.integers(0, 5)) else draw(st.none() | TYPES)) is not None:
        headers["content-type"] = content_type
    encode = draw(st.booleans())
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "" if authorization == SIGNED else draw(st.just("") | st.just(MARKUP) | QUERIES),
        "headers": headers,
        "requestContext": {"domainName": DOMAIN, "requestId": "r", "stage": "$default", "timeEpoch": 1_790_000_000_000},
        "pathParameters": parameters,
        "body": b64encode(body).decode() if encode else body.decode("utf-8", "surrogateescape"),
        "isBase64Encoded": encode,
    }
