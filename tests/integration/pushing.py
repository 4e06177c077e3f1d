"""Card numbers, codes and keys in every place of a request, and in every answer of a vendor, that can hold text."""

import json
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from tests import signers
from tests.integration.calls import Json, SimulatedCall
from tests.integration.leaks import CARD_FIELDS, CARDS, CODES, MARKERS, NESTED_FIELDS, WORD

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
CARD, CODE = CARDS[0], CODES[0]
#: One of each kind, where many places have to be tried with each.
SOME = (CARD, CARDS[3], CODE)
#: Every field that we read, ours and the vendors'.
READ_FIELDS = (
    *(
        "call_id",
        "recording_id",
        "channel_id",
        "pause_id",
        "event_id",
        "occurred_at",
        "max_pause_seconds",
        "redirect_url",
    ),
    *("CallSid", "ParentCallSid", "RecordingSid", "AccountSid", "callId", "recordingId", "channelId", "accountId"),
    *("workspaceId", "type", "data", "event", "eventType", "event_type", "payload", "params", "state", "status", "id"),
    *("CallStatus", "RecordingStatus"),
)
#: What a vendor's push about a call says beside its ids, and where its fields are.
PUSHES: Mapping[str, Sequence[Json]] = {
    "twilio": ({"RecordingStatus": "in-progress"}, {"RecordingStatus": "failed"}, {"CallStatus": "in-progress"}),
    "signalwire": ({"RecordingStatus": "in-progress"}, {"event_type": "calling.call.record", "state": "recording"}),
    "bandwidth": ({"eventType": "recordingAvailable"}, {"eventType": "dtmf"}, {"eventType": "gather"}),
    "bird": ({"event": "voice.inbound", "status": "ongoing"}, {"type": "recording.started"}),
}

#: Whoever may write into our queue may name any pause.
UNCHECKED_IN_MESSAGES = {"pause_id"}


class Push(NamedTuple):
    """A request, but for its key."""

    path: str
    headers: dict[str, str] = {}
    content: bytes = b"{}"

    def with_key(self, token: str) -> "Push":
        """The same from somebody who may."""
        return self._replace(headers={"authorization": f"Bearer {token}", **self.headers})


def ids_of(call: SimulatedCall) -> Json:
    """What names a call, by the names that are ours."""
    channel = {key: call.created[key] for key in ("channel_id",) if key in call.created}
    return {"call_id": call.call_id, **channel}


def fields() -> Iterator[Json]:
    """Yield fields to go with the ids of a call."""
    values = cycle(MARKERS)
    yield {name: next(values) for name in CARD_FIELDS}
    yield {name: [next(values), {next(values): next(values)}] for name in CARD_FIELDS}
    nested: Json = {}
    for path in NESTED_FIELDS:
        outer, _, inner = path.rpartition(".")
        nested.setdefault(outer.partition(".")[0], {})[inner] = next(values)
    yield nested | {"Digits": int(CARD), "nested": {name: {name: next(values)} for name in CARD_FIELDS}}
    yield {next(values): next(values) for _ in MARKERS}
    yield {"cardnumber": CARD, "cvv": "737", "SpeechResult": CODE}
    for number in CARD[:4]:
        yield {"digit": number, "digits": number, "Digits": number}
    shapes = cycle((CARD, [CARD], CODE, int(CARD), CARD, {CODE: CARD}, CODE))
    for name in READ_FIELDS:
        yield {name: next(shapes)}
        yield {name: next(shapes)}


def contents(ids: Json) -> Iterator[tuple[str, bytes]]:
    """Yield bodies, each with its content type."""
    for number, each in enumerate(fields()):
        yield JSON, json.dumps(ids | each).encode()
        if number % 4 == 0 or len(each) > 1:
            yield FORM, urlencode(ids | each).encode()
    text = " ".join(MARKERS)
    yield JSON, json.dumps(ids)[:-1].encode() + f', "event_id": "{CARD}", "event_id": "{CODE}"}}'.encode()
    yield JSON, f'{{"Digits": "{text}"'.encode()
    yield JSON, json.dumps(text).encode()
    yield JSON, text.encode() + b"\xff\xfe"
    yield JSON, json.dumps(ids | {"Digits": text * 1000}).encode()
    yield FORM, text.encode()
    yield FORM, urlencode({**ids, "event_id": CARD}).encode() + b"&event_id=" + CODE.encode()
    yield "text/plain", text.encode()
    yield "text/plain", json.dumps(ids | {"cardnumber": CARD, "cvv": "737"}).encode()
    yield f"application/{CODE}", text.encode()
    yield f"{JSON}; charset={CODE}", json.dumps(ids).encode()
    yield f"multipart/form-data; boundary={CODE}", text.encode()


def flow_bodies(call: SimulatedCall) -> Iterator[Push]:
    """Yield what a flow can say in its body."""
    events = cycle(("entered", "entered", "left", "entered", "left", "stop"))
    for content_type, content in contents(ids_of(call)):
        headers = {"content-type": content_type}
        yield Push(f"/flows/{call.account}/card-entry/{next(events)}", headers, content).with_key(call.token)


def webhook_bodies(call: SimulatedCall) -> Iterator[Push]:
    """Yield what a vendor can push, and a third party."""
    path = f"/webhooks/{call.account}"
    told = [*PUSHES[call.vendor], {"type": "recording.started"}, {"type": "recording.failed"}]
    ids = ids_of(call) | {"CallSid": call.call_id, "callId": call.call_id}
    for number, each in enumerate(fields()):
        push = told[number % len(told)]
        inner = ids | push | each
        outer = (None, "payload", "data")[number % 3]
        body = inner if outer is None else push | {outer: inner, "params": inner}
        yield Push(path, {"content-type": JSON}, json.dumps(body).encode()).with_key(call.token)
    for content_type, content in list(contents(ids))[-13:]:
        yield Push(path, {"content-type": content_type}, content).with_key(call.token)


def queries(call: SimulatedCall) -> Iterator[tuple[Push, Sequence[str]]]:
    """Yield what can stand in a query, each with what of it is said back by design: where the call is sent on to."""
    allowed = "https://ivr.example.com/collect"
    for value in SOME:
        said_back = f"{allowed}?pan={quote(value)}"
        given = [
            ([("next", said_back), ("otherwise", allowed)], [said_back]),
            ([("next", f"https://evil.example.com/{quote(value)}"), ("otherwise", said_back)], [said_back]),
            ([("next", value), ("otherwise", allowed)], []),
            ([("next", allowed), ("otherwise", value)], []),
            ([("next", value)], []),
            ([("next", said_back), ("next", value), ("otherwise", allowed)], []),
            ([(value, value), (value, "1"), ("bodySHA256", value), ("pause_id", value)], []),
            ([(f"{value}{number}", value) for number in range(101)], []),
        ]
        for pairs, back in given:
            for event in ("entered", "left"):
                yield asked(call, f"/flows/{call.account}/card-entry/{event}?{urlencode(pairs)}"), back
        yield asked(call, f"/flows/{call.account}/card-entry/entered?next=%ff{quote(value)}"), []
        yield asked(call, f"/webhooks/{call.account}?{urlencode([(value, value)])}"), []


def asked(call: SimulatedCall, path: str, **headers: str) -> Push:
    """Somebody who may asks for *path*, with nothing but the ids of a call."""
    content = json.dumps(ids_of(call)).encode()
    return Push(path, {"content-type": JSON, **headers}, content).with_key(call.token)


def paths(call: SimulatedCall) -> Iterator[Push]:
    """Yield what can stand in a path."""
    for value in SOME:
        name = quote(value)
        for path in (
            f"/flows/{name}/card-entry/entered",
            f"/flows/{call.account}/{name}/entered",
            f"/flows/{call.account}/{name}/left",
            f"/flows/{call.account}/card-entry/{name}",
            f"/webhooks/{name}",
            f"/{name}",
        ):
            yield asked(call, path)


def headers(call: SimulatedCall, foreign_token: str) -> Iterator[Push]:
    """Yield what can stand in headers: with what is a key, with what is none, and with none."""
    for value in SOME:
        word = quote(value, safe="")
        proofs: list[dict[str, str]] = [
            {"authorization": f"Bearer {value}"},
            {"authorization": f"Basic {b64encode(f'{value}:{value}'.encode()).decode()}"},
            {"authorization": f"AccessKey {value}"},
            {"authorization": value},
            {"authorization": f"Bearer {foreign_token}"},
            {"webhook-id": word, "webhook-timestamp": value, "webhook-signature": f"v1,{value}"},
            {"x-twilio-signature": value, "x-twilio-webhooks-signature-settings": value},
            {"x-signalwire-signature": value, "x-signalwire-sha256-signature": value},
            {"messagebird-signature": value, "messagebird-request-timestamp": value},
        ]
        others = {"user-agent": value, "cookie": f"pan={value}", "x-card": value, "referer": f"https://x/{word}"}
        others |= {"x-request-id": value, "idempotency-key": value, "accept": value, f"x-{CODE}": "1"}
        for path in (f"/flows/{call.account}/card-entry/entered", f"/webhooks/{call.account}"):
            yield asked(call, path, **others)
            for proof in proofs:
                yield asked(call, path, **proof)
            for proof in proofs[:1] if value == CARD else ():
                yield asked(call, path, **proof, **others)
                yield Push(path, {"content-type": JSON, **others}, json.dumps(ids_of(call)).encode())


def signed(call: SimulatedCall, account: Json) -> Iterator[Push]:
    """Yield what comes with no key but a signature: Twilio's own form, and messages of a third party."""
    for path in (f"/flows/{call.account}/card-entry/entered", f"/webhooks/{call.account}"):
        url = f"{call.stack['api']}{path}"
        pairs = [("CallSid", call.call_id), *((name, CARD) for name in CARD_FIELDS)]
        form = {"content-type": FORM, **signers.twilio(account["credentials"]["auth_token"], url, pairs)}
        yield Push(path, form, urlencode(pairs).encode())
        for value in (CARD, CODE):
            body = json.dumps(
                {"type": "recording.started", "data": ids_of(call), "Digits": value, **ids_of(call)}
            ).encode()
            message = signers.standard_webhooks(account["inbound"]["webhook_secrets"][0], value, body, at=time.time())
            yield Push(path, {"content-type": JSON, **message}, body)


def keys_astray(call: SimulatedCall, keys: Iterable[str]) -> Iterator[Push]:
    """Yield an account's own keys in places that are none for keys."""
    for key in keys:
        path = f"/flows/{call.account}/card-entry/entered?{urlencode([(key, key), ('token', key)])}"
        push = asked(call, path, cookie=f"key={quote(key)}", **{"x-api-key": key, "user-agent": key})
        yield push._replace(content=json.dumps(ids_of(call) | {"event_id": key, key: key, "token": key}).encode())
        yield asked(call, f"/webhooks/{call.account}?{urlencode([('token', key)])}", authorization=f"Token {key}")


def vendor_answers(value: str) -> Iterator[Json]:
    """Yield what a vendor can answer: refusals and broken answers with *value* wherever text can be."""
    word = quote(value, safe="")
    recording = {"sid": value, "call_sid": value, "id": value, "callId": value, "status": value, "recordingId": value}
    body = recording | {
        **dict.fromkeys(("message", "code", "type", "description", "detail", "error", "state", "access_token"), value),
        **dict.fromkeys(("more_info", "next_page_uri", "nextPageToken", "parent_call_sid", value), value),
        "recordings": [recording],
        "results": [recording],
        "expires_in": value,
        "errors": [{"code": value, "description": value}],
    }
    response_headers = {"retry-after": word, "location": f"http://127.0.0.1/{word}", "x-error": word}
    response_headers |= {"set-cookie": f"pan={word}", "www-authenticate": f"Basic realm={word}", "x-request-id": word}
    for status in (200, 202, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503):
        yield {"status": status, "body": body, "headers": response_headers, "apply": False}
    yield {"status": 200, "body": f"<html>{value}</html>", "apply": False}
    yield {"status": 400, "body": f'{{"code": "{value}', "headers": {"content-type": word}, "apply": False}
    yield {"headers": {"content-encoding": word}, "apply": False}


def lying_answer(call: SimulatedCall) -> Json:
    """Give an answer that is about the right recording of the right call, and has a word for its status."""
    (recording,) = call.created["recording_ids"]
    told = {"sid": recording, "id": recording, "call_sid": call.call_id, "callId": call.call_id, "status": WORD}
    return {"status": 200, "body": {**told, "recordings": [told], "results": [told]}, "apply": False}


def tasks(call: SimulatedCall) -> Iterator[Any]:
    """Yield input for workflow_task, most of it wrong."""
    task = {"account": call.account, "step": "card-entry", "action": "pause", **ids_of(call)}
    yield from (task | each for each in fields())
    for value in SOME:
        yield from ({**task, name: value} for name in ("account", "step", "action"))
        yield from (value, [value], {value: value}, {"account": {value: value}}, {**task, "account": [value]})
    yield int(CARD)


def inputs(call: SimulatedCall) -> Iterator[Any]:
    """Yield input for card_capture: what the workflow itself refuses, and what only the function that it asks refuses."""
    given = {"account": call.account, "step": "card-entry", **ids_of(call)}
    for value in (CARD, CODE):
        for name in (*given, "recording_id", "max_pause_seconds"):
            yield from (given | {name: each} for each in (value, [value], {value: value}))
        yield from (given | {"Digits": value}, given | {value: value}, given | {"nested": {name: value}})
        yield from (value, [value], {value: value}, {"account": value}, {"call_id": value, "step": value})
    yield from (given | {"max_pause_seconds": int(CARD)}, given | {"step": int(CARD)}, int(CARD))


def messages(call: SimulatedCall) -> Iterator[str]:
    """Yield bodies of messages for pause_deadline: what nobody of us has written, and what is ours with more in it."""
    reminder = {
        "account": call.account,
        **ids_of(call),
        "step": "card-entry",
        "pause_id": "p1",
        "deadline": 1.0,
        "at": 1.0,
    }
    yield from MARKERS
    yield json.dumps(list(MARKERS))
    for value in (CARD, CODE):
        names = {*reminder, "happening", "recording_id", "event_id"} - UNCHECKED_IN_MESSAGES
        yield from (json.dumps(reminder | {name: value}) for name in sorted(names))
        yield json.dumps(reminder | {"Digits": value, value: {value: value}})
        yield json.dumps(reminder | {"Digits": value, "at": time.time() + 3600})
        yield json.dumps(reminder)[:-1] + f', "{value}'
