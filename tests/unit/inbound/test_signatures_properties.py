"""No byte of what is signed can be changed, and whoever we let in the vendors' own code lets in.

One thing is left out of the first: a byte whose change leaves the fields of a form as they were, the case of a percent
escape say, or a plus sign that becomes the blank that it stands for.  It is the fields that those schemes sign.
"""

import re
import time
from base64 import b64decode, b64encode
from dataclasses import replace
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import hypothesis
import hypothesis.strategies as st
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from twilio.request_validator import RequestValidator

from tests import examples, signers
from tests.unit.fakes import SIGNING_KEY, VENDOR_KEY, WEBHOOK_SECRET
from tests.unit.inbound import signalwire_sdk
from tests.unit.inbound.deliveries import FORM, JSON, NOW, Delivery, is_let_in, url_of

SETTINGS = examples.settings(150)

NAMES = st.text(st.sampled_from("abXY"), min_size=1, max_size=3)  # ours forbid what no vendor sends
VALUES = st.text(st.characters(codec="utf-8"), max_size=8).filter(lambda text: not re.search("_|Sid|Status", text))
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=6)
QUERIES = st.lists(st.tuples(NAMES | VALUES, VALUES), max_size=3).map(urlencode)
BODIES = st.text(st.characters(codec="utf-8"), max_size=40).map(str.encode)
KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


def twilio_form(query, pairs, _body):
    """Sign a form as Twilio does."""
    url = url_of("twilio", query)
    return Delivery.of_form(url, pairs, signers.twilio(VENDOR_KEY, url, pairs))


def twilio_json(query, _pairs, body):
    """Sign JSON as Twilio does."""
    url = signers.digested(url_of("twilio", query), body)
    return Delivery.of_json(url, body, signers.twilio(VENDOR_KEY, url))


def signalwire_body(query, _pairs, body):
    """Sign a body as SWML does."""
    url = url_of("signalwire", query)
    return Delivery.of_json(url, body, signers.signalwire_body(SIGNING_KEY, url, body))


def signalwire_sha256(query, _pairs, body):
    """Sign a body as SWML does, with SHA-256."""
    url = url_of("signalwire", query)
    return Delivery.of_json(url, body, signers.signalwire_sha256(SIGNING_KEY, url, body))


def signalwire_form(query, pairs, _body):
    """Sign a form as cXML does."""
    url = url_of("signalwire", query)
    return Delivery.of_form(url, pairs, signers.signalwire_form(SIGNING_KEY, url, pairs))


def bird(query, _pairs, body):
    """Sign as Bird does."""
    url = url_of("bird", query)
    return Delivery.of_json(url, body, signers.bird(SIGNING_KEY, url, body, at=NOW))


def third_party(query, _pairs, body):
    """Sign as Standard Webhooks has it: the URL is not covered."""
    headers = signers.standard_webhooks(WEBHOOK_SECRET, "msg_1", body, at=NOW)
    return Delivery.of_json(url_of("bandwidth", query), body, headers)


#: Map a scheme: its account's vendor, how it signs, and which parts of a request it covers.
SCHEMES = {
    "twilio form": ("twilio", twilio_form, ("path", "query", "body", "x-twilio-signature")),
    "twilio json": ("twilio", twilio_json, ("path", "query", "body", "x-twilio-signature")),
    "signalwire body": ("signalwire", signalwire_body, ("path", "query", "body", "x-signalwire-signature")),
    "signalwire sha256": ("signalwire", signalwire_sha256, ("path", "query", "body", "x-signalwire-sha256-signature")),
    "signalwire form": ("signalwire", signalwire_form, ("path", "query", "body", "x-signalwire-signature")),
    "bird": ("bird", bird, ("path", "query", "body", "messagebird-signature", "messagebird-request-timestamp")),
    "standard webhooks": ("bandwidth", third_party, ("body", "webhook-id", "webhook-timestamp", "webhook-signature")),
}
EACH = pytest.mark.parametrize("scheme", SCHEMES)


def fields_of(body):
    """Return what a form says, or None if it is none."""
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body), errors="strict")
    except ValueError:
        return None


def flipped(content, draw):
    """Return *content* with one byte another."""
    at = draw(st.integers(0, len(content) - 1))
    return content[:at] + bytes([content[at] ^ draw(st.integers(1, 255))]) + content[at + 1 :]


def with_a_byte_flipped(delivery, part, draw):
    """Return API Gateway's event for *delivery* with one byte of *part* another, and its body."""
    event, body = delivery.event(), delivery.body
    if part == "body":
        body = flipped(body, draw)
        event["body"] = b64encode(body).decode()
    elif part in ("path", "query"):
        name = "rawPath" if part == "path" else "rawQueryString"
        event[name] = flipped(event[name].encode(), draw).decode("latin-1")
    else:
        event["headers"] = event["headers"] | {part: flipped(event["headers"][part].encode(), draw).decode("latin-1")}
    return event, body


@EACH
@SETTINGS
@hypothesis.given(query=QUERIES, pairs=FIELDS, body=BODIES, choices=st.data())
def test_scenario_20_no_byte_can_be_changed(scheme, query, pairs, body, choices):
    """A request is let in as it was signed, and refused with any one byte of what is signed flipped."""
    vendor, sign, parts = SCHEMES[scheme]
    delivery = sign(query, pairs, body)
    assert is_let_in(delivery.request(), vendor)
    event = delivery.event()
    present = [
        part for part in parts if (delivery.body if part == "body" else part != "query" or event["rawQueryString"])
    ]
    changed, sent = with_a_byte_flipped(delivery, choices.draw(st.sampled_from(present)), choices.draw)
    if delivery.content_type == FORM and sent != delivery.body:
        hypothesis.assume(fields_of(sent) != fields_of(delivery.body))

    assert not is_let_in(delivery.request(event=changed), vendor)


@EACH
def test_every_bit_counts(scheme):
    """Of one request of each scheme, every bit of every part that is signed is flipped: each is refused."""
    vendor, sign, parts = SCHEMES[scheme]
    delivery = sign(
        "next=https%3A%2F%2Fx", [("CallSid", "CA1"), ("b", "é +"), ("b", ""), ("a", "&")], b'{"a": "\xc3\xa9"}'
    )
    assert is_let_in(delivery.request(), vendor)
    let_in = []
    for part in parts:
        size = len(delivery.body if part == "body" else event_part(delivery, part))
        for at, bit in ((at, bit) for at in range(size) for bit in range(8)):
            answers = iter((at, 1 << bit))
            changed, sent = with_a_byte_flipped(delivery, part, lambda _, answers=answers: next(answers))
            if is_let_in(delivery.request(event=changed), vendor):
                let_in.append((part, sent))

    same = [sent for part, sent in let_in if part == "body" and delivery.content_type == FORM]
    assert len(same) == len(let_in)
    assert {str(fields_of(sent)) for sent in same} <= {str(fields_of(delivery.body))}
    assert all(re.fullmatch(rb"[A-Za-z0-9=&%+ ]*", sent) for sent in same)


def event_part(delivery, part):
    """Return a part of the event that is text."""
    event = delivery.event()
    return {"path": event["rawPath"], "query": event["rawQueryString"]}.get(part) or event["headers"][part]


MUTATIONS = ("nothing", "url", "body", "signature", "key", "content type", "drop a field", "repeat a field", "reverse")


@st.composite
def deliveries(draw, sign_form, sign_json, vendor):
    """Draw a request that is signed, and then mutated or not."""
    pairs, key = draw(FIELDS), draw(st.just("key") | KEYS)
    url = url_of(vendor, draw(QUERIES))
    if draw(st.booleans()):
        delivery = Delivery.of_form(url, pairs, sign_form(key, url, pairs))
    else:
        body = draw(BODIES)
        url = draw(st.sampled_from([url, signers.digested(url, body)]))
        delivery = Delivery.of_json(url, body, sign_json(key, url, body))
    match draw(st.sampled_from(MUTATIONS)):
        case "url":
            delivery = replace(delivery, url=delivery.url + draw(st.sampled_from(["&", "x", "&a=1", "&bodySHA256=0"])))
        case "body":
            delivery = replace(
                delivery, body=delivery.body + draw(st.sampled_from([b" ", b"&a=", b"&a=1", b"%41", b"="]))
            )
        case "signature":
            name, value = next(iter(delivery.headers.items()))
            delivery = delivery.with_header(name, draw(st.sampled_from([value.lower(), value[:-1], "", value + " "])))
        case "content type":
            delivery = replace(delivery, content_type=JSON if delivery.content_type == FORM else FORM)
        case "drop a field":
            delivery = replace(delivery, body=urlencode(pairs[1:]).encode())
        case "repeat a field":
            delivery = replace(delivery, body=urlencode([*pairs, *pairs[:1]]).encode())
        case "reverse":
            delivery = replace(delivery, body=urlencode(pairs[::-1]).encode())
        case "key":
            key += "x"
    return delivery, key


@SETTINGS
@hypothesis.given(made=deliveries(signers.twilio, lambda key, url, _: signers.twilio(key, url), "twilio"))
def test_whom_we_let_in_twilio_lets_in(made):
    """Twilio's validator accepts every request that we accept, and a form that it accepts is accepted."""
    delivery, key = made
    ours = is_let_in(delivery.request(), "twilio", credentials={"account_sid": "AC", "auth_token": key})
    is_form = delivery.content_type == FORM
    fields = fields_of(delivery.body)
    given = signers.Fields(fields or []) if is_form else delivery.body.decode()
    readable = is_form or "bodySHA256" in parse_qs(urlsplit(delivery.url).query)  # it raises for any other
    signature = delivery.headers["x-twilio-signature"]
    theirs = readable and RequestValidator(key).validate(delivery.url, given, signature)

    assert theirs or not ours
    if is_form and fields is not None and all(name for name, _ in fields) and "?" not in delivery.url:
        assert ours is theirs


@SETTINGS
@hypothesis.given(
    made=deliveries(signers.signalwire_form, signers.signalwire_body, "signalwire")
    | deliveries(signers.signalwire_form, lambda key, url, _: signers.signalwire_form(key, url), "signalwire")
    | deliveries(signers.signalwire_form, signers.signalwire_sha256, "signalwire")
)
def test_whom_we_let_in_signalwire_lets_in(made):
    """SignalWire's validators accept every request that we accept."""
    delivery, key = made
    ours = is_let_in(delivery.request(), "signalwire", inbound={"signing_keys": [key]})
    sdk, body = signalwire_sdk.validator(), delivery.body.decode()
    weaker = delivery.headers.get("x-signalwire-signature", "")
    stronger = delivery.headers.get("x-signalwire-sha256-signature", "")
    theirs = sdk.validate_webhook_signature(key, weaker, delivery.url, body)

    assert theirs or sdk.validate_webhook_signature_sha256(key, stronger, delivery.url, body) or not ours
    if re.fullmatch("[0-9a-f]{40}", weaker) and delivery.content_type != FORM:
        assert ours is theirs


@SETTINGS
@hypothesis.given(
    body=BODIES,
    message_id=st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=6),
    age=st.sampled_from([0, 250, -250, 400, -400]),
    mutation=st.sampled_from(["nothing", "body", "id", "signature", "more", "version"]),
)
def test_whom_we_let_in_standard_webhooks_lets_in(body, message_id, age, mutation):
    """The project's own verifier accepts every message that we accept."""
    now = time.time()  # by which it goes itself
    delivery = Delivery.of_json(
        url_of("twilio"), body, signers.standard_webhooks(WEBHOOK_SECRET, message_id, body, at=now - age)
    )
    signature = delivery.headers["webhook-signature"]
    match mutation:
        case "body":
            delivery = replace(delivery, body=body + b" ")
        case "id":
            delivery = delivery.with_header("webhook-id", message_id + "0")
        case "signature":
            changed = b64encode(b64decode(signature[3:])[::-1]).decode()
            delivery = delivery.with_header("webhook-signature", f"v1,{changed}")
        case "more":
            delivery = delivery.with_header("webhook-signature", f"v2,AAAA {signature}")
        case "version":
            delivery = delivery.with_header("webhook-signature", signature.replace("v1", "v2"))
    ours = is_let_in(delivery.request(now=now), "twilio")
    try:
        Webhook(WEBHOOK_SECRET).verify(delivery.body, dict(delivery.headers), json_parse=False)
        theirs = True
    except WebhookVerificationError:
        theirs = False

    assert theirs or not ours
    if re.fullmatch("[!-,/-~]+", message_id):
        assert ours is theirs
