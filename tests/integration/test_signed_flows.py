"""Flows that are let in by a signature alone, over the stack's public URL: what each platform signs, and what is forged."""

import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx
import pytest

from tests import signers
from tests.integration.calls import NO_ROOTS, PATIENCE_SECONDS, Json, SimulatedCall

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
TARGETS = {"next": "https://ivr.example.com/collect?a=1&b=2", "otherwise": "https://ivr.example.com/agent"}
#: What a caller has said, which no encoding may change before it is verified.
SAID = "naïve 4111 😀 +&="


class Signed(NamedTuple):
    """A request with a signature and no other key."""

    url: str
    content: bytes
    headers: dict[str, str]

    def send(self, **headers: str) -> httpx.Response:
        """Send it."""
        return httpx.post(
            self.url,
            content=self.content,
            headers={**self.headers, **headers},
            timeout=PATIENCE_SECONDS,
            verify=NO_ROOTS,
        )


def twilio_form(keys: Json, call: SimulatedCall, url: str, signed_url: str) -> Signed:
    """As Twilio posts by itself."""
    pairs = [("CallSid", call.call_id), ("AccountSid", keys["credentials"]["account_sid"]), ("SpeechResult", SAID)]
    headers = {"content-type": FORM, **signers.twilio(keys["credentials"]["auth_token"], signed_url, pairs)}
    return Signed(url, urlencode(pairs).encode(), headers)


def twilio_json(keys: Json, call: SimulatedCall, url: str, signed_url: str) -> Signed:
    """As Twilio Studio sends JSON: the digest of the body is in the URL."""
    body = json_of(call)
    signature = signers.twilio(keys["credentials"]["auth_token"], signers.digested(signed_url, body))
    return Signed(signers.digested(url, body), body, {"content-type": JSON, **signature})


def signalwire_form(keys: Json, call: SimulatedCall, url: str, signed_url: str) -> Signed:
    """As cXML posts by itself: scheme B."""
    pairs = [("CallSid", call.call_id), ("SpeechResult", SAID)]
    signature = signers.signalwire_form(keys["inbound"]["signing_keys"][0], signed_url, pairs)
    return Signed(url, urlencode(pairs).encode(), {"content-type": FORM, **signature})


def signalwire_body(keys: Json, call: SimulatedCall, url: str, signed_url: str) -> Signed:
    """As SWML sends JSON: scheme A."""
    body = json_of(call)
    signature = signers.signalwire_body(keys["inbound"]["signing_keys"][0], signed_url, body)
    return Signed(url, body, {"content-type": JSON, **signature})


def signalwire_sha256(keys: Json, call: SimulatedCall, url: str, signed_url: str) -> Signed:
    """The same, with the stronger hash alone."""
    body = json_of(call)
    signature = signers.signalwire_sha256(keys["inbound"]["signing_keys"][0], signed_url, body)
    return Signed(url, body, {"content-type": JSON, **signature})


def bird(keys: Json, call: SimulatedCall, url: str, signed_url: str, *, at: float | None = None) -> Signed:
    """As Bird signs what it sends."""
    body = json_of(call)
    signature = signers.bird(keys["inbound"]["signing_keys"][0], signed_url, body, at=at or time.time())
    return Signed(url, body, {"content-type": JSON, **signature})


def third_party(keys: Json, call: SimulatedCall, url: str, _: str = "", *, at: float | None = None) -> Signed:
    """As Standard Webhooks has it, which does not sign the URL."""
    body, name = json_of(call), f"msg_{time.time_ns()}"
    message = signers.standard_webhooks(keys["inbound"]["webhook_secrets"][0], name, body, at=at or time.time())
    return Signed(url, body, {"content-type": JSON, **message})


def json_of(call: SimulatedCall) -> bytes:
    """Write what a flow says, with what a caller has said."""
    channel = {key: call.created[key] for key in ("channel_id",) if key in call.created}
    return json.dumps({"call_id": call.call_id, "SpeechResult": SAID, **channel}, ensure_ascii=False).encode()


Sign = Callable[[Json, SimulatedCall, str, str], Signed]
#: Whose flow it is, and how it is signed.
OF_URLS: list[tuple[str, Sign]] = [
    ("twilio", twilio_form),
    ("twilio", twilio_json),
    ("signalwire", signalwire_form),
    ("signalwire", signalwire_body),
    ("signalwire", signalwire_sha256),
    ("bird", bird),
]
WAYS = [*OF_URLS, *((vendor, third_party) for vendor in ("twilio", "signalwire", "bandwidth", "bird"))]
each_way = pytest.mark.parametrize(("vendor", "sign"), WAYS, ids=[f"{vendor}-{sign.__name__}" for vendor, sign in WAYS])


@pytest.fixture(name="flow")
def _flow(stack, aws):
    """Sign what a flow of a vendor's demo account says."""

    def flow(
        sign: Sign,
        call: SimulatedCall,
        event: str,
        query: str = "",
        *,
        origin: str | None = None,
        to: str | None = None,
        **more: Any,
    ) -> Signed:
        text = aws("secretsmanager").get_secret_value(SecretId=f"call-recording/{call.account}")["SecretString"]
        path = f"/flows/{to or call.account}/card-entry/{event}{query}"
        return sign(json.loads(text), call, stack["api"] + path, (origin or stack["api"]) + path, **more)

    return flow


@each_way
def test_a_signature_is_enough(stack, flow, vendor, sign):
    """A flow that signs and has no other key pauses the tape, and resumes it."""
    call = SimulatedCall(stack, vendor)

    entered = flow(sign, call, "entered").send()
    silent = call.is_silent()
    left = flow(sign, call, "left").send()

    assert (entered.status_code, entered.json()["safe_to_collect"], silent) == (200, True, True)
    assert (left.status_code, call.runs()) == (200, True)


@pytest.mark.parametrize(
    ("vendor", "sign"),
    [*OF_URLS[:-1], ("bandwidth", third_party)],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_signature_covers_the_targets(stack, flow, vendor, sign):
    """A flow that fetches markup signs where it is to be sent on to, and is sent there."""
    call, query = SimulatedCall(stack, vendor), f"?{urlencode(TARGETS)}"

    entered = flow(sign, call, "entered", query).send()
    silent = call.is_silent()
    left = flow(sign, call, "left", query).send()

    assert "https://ivr.example.com/collect?a=1&amp;b=2" in entered.text
    assert silent
    assert "https://ivr.example.com/collect?a=1&amp;b=2" in left.text
    assert call.runs()


@each_way
def test_scenario_20_a_flipped_byte(stack, flow, vendor, sign):
    """A request is refused that differs by one byte of its body, its signature or what of its URL is signed."""
    call = SimulatedCall(stack, vendor)
    assert flow(sign, call, "entered").send().status_code == 200
    commands, good = call.commands(), flow(sign, call, "left", "?from=1")
    *_, last = [name for name in good.headers if "signature" in name]
    signature = good.headers[last]
    forged = [
        good._replace(content=good.content.replace(b"4111", b"4112")),
        good._replace(headers={**good.headers, last: signature[:9] + flipped(signature[9]) + signature[10:]}),
        good._replace(headers={name: value for name, value in good.headers.items() if name != last}),
    ]
    if sign is not third_party:
        forged += [
            good._replace(url=good.url.replace("from=1", "from=2")),
            good._replace(url=good.url.replace("card", "cart")),
        ]
    answers = [each.send() for each in forged]

    assert [answer.status_code for answer in answers] == [401] * len(answers)
    assert len({answer.content for answer in answers}) == 1
    assert (call.commands(), call.is_silent()) == (commands, True)
    assert good.send().status_code == 200
    assert call.runs()


def flipped(character: str) -> str:
    """Give another character that the same encodings have."""
    return "a" if character != "a" else "b"


@pytest.mark.parametrize(
    ("vendor", "sign"), OF_URLS, ids=lambda value: value if isinstance(value, str) else value.__name__
)
@pytest.mark.parametrize(
    "origin", ["https://offtape.example.com", "http://127.0.0.1:1", "https://demo.execute-api.example"]
)
def test_scenario_21_signed_for_another_origin(stack, flow, vendor, sign, origin):
    """A signature over a URL that is none of ours is refused, whatever Host the request names."""
    call = SimulatedCall(stack, vendor)
    signed = flow(sign, call, "entered", origin=origin)

    answers = [signed.send(), signed.send(**{"x-forwarded-host": origin.partition("://")[2]})]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert call.shown()["requests"] == []


@pytest.mark.parametrize(("vendor", "sign"), [("bird", bird), ("twilio", third_party)])
@pytest.mark.parametrize("seconds", [-400, 400])
def test_scenario_19_an_old_signature(stack, flow, vendor, sign, seconds):
    """A signature with a time is good for five minutes, before and after."""
    call = SimulatedCall(stack, vendor)

    assert flow(sign, call, "entered", at=time.time() + seconds).send().status_code == 401
    assert call.shown()["requests"] == []


def test_scenario_19_a_message_is_good_once(stack, flow):
    """A replayed message whose pause was left opens none."""
    call = SimulatedCall(stack, "twilio")
    entered = flow(third_party, call, "entered")
    assert entered.send().status_code == 200
    assert flow(third_party, call, "left").send().status_code == 200

    replayed = entered.send()

    assert (replayed.status_code, replayed.json()["safe_to_collect"]) == (409, False)
    assert call.statuses() == ["in-progress"]


@pytest.mark.parametrize(
    ("vendor", "sign"), OF_URLS, ids=lambda value: value if isinstance(value, str) else value.__name__
)
def test_scenario_43_the_key_of_another_account(stack, flow, account, vendor, sign):
    """What one account's key has signed opens no other account."""
    keys = {"signing_keys": ["another-signing-key"], "webhook_secrets": []}
    other, _, _ = account(
        vendor, inbound=keys, credentials={"auth_token": "another-token"} if vendor == "twilio" else {}
    )
    call = SimulatedCall(stack, vendor)

    assert flow(sign, call, "entered", to=other).send().status_code == 401
    assert call.shown()["requests"] == []
