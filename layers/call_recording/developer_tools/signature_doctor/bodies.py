"""The body: how it was encoded, and what it is taken for.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html: `isBase64Encoded`.
https://github.com/stripe/stripe-node/issues/356: a body that was parsed and written anew is another body.
https://github.com/lkaric/nestjs-twilio/issues/81: JSON signed as if it were a form, which "silently fails".
"""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from call_recording.errors import InvalidTriggerError
from call_recording.inbound.body import JSON
from call_recording.inbound.request import FORM

from .cases import Case, Variation
from .queries import reordered, respelt

_AS_IT_IS = "Whatever passes the request on has to pass the body on byte for byte, and not parse it and write it anew."


def variations() -> list[Variation]:
    """Return what may be wrong with the body."""
    return [
        _of_body(
            "base64-unmarked",
            "The signature is over what the body is the base64 of: isBase64Encoded should be true, and is not.",
            "Keep isBase64Encoded together with the body wherever the event is stored, copied or made by a test tool; a "
            "proxy that encodes bodies has to be told not to.",
            lambda case: [] if case.request.is_base64 else _decoded(case.request.raw_body),
        ),
        _of_body(
            "base64-marked",
            "The signature is over the body as it stands: isBase64Encoded should be false, and is true.",
            "Keep isBase64Encoded together with the body wherever the event is stored, copied or made by a test tool.",
            lambda case: [case.request.raw_body.encode()] if case.request.is_base64 else [],
        ),
        _of_body(
            "base64-twice",
            "The signature is over what the body is the base64 of, once more than isBase64Encoded says.",
            "Something on the way encodes the body in base64: have it pass the body on as it is.",
            lambda case: _decoded(_text(case)) if case.request.is_base64 else [],
        ),
        _of_body(
            "line-ends",
            "The signature is over the body with other line ends, or with or without one at its end.",
            "A text editor or a copy of the event changes line ends: store the body as API Gateway gives it. "
            + _AS_IT_IS,
            lambda case: _line_ends(_bytes(case)),
        ),
        _of_body(
            "charset",
            "The signature is over the body in another character set: what was read as Latin-1 was UTF-8, or the reverse.",
            _AS_IT_IS,
            lambda case: _charsets(_bytes(case)),
        ),
        _of_body(
            "json-reserialised",
            "The signature is over the same JSON written in another way: with other blanks, escapes or order.",
            _AS_IT_IS,
            lambda case: _rewritten(_parsed(case)),
        ),
        _of_body(
            "form-reencoded",
            "The signature is over the same form percent-encoded in another way.",
            _AS_IT_IS,
            lambda case: [each.encode() for each in respelt(_text(case))],
        ),
        _of_body(
            "form-reordered",
            "The signature is over the same form with its fields in another order.",
            _AS_IT_IS,
            lambda case: [each.encode() for each in reordered(_text(case))],
        ),
        _of_type(
            "content-type-form",
            "The signature is that of a form, and the event's Content-Type is missing or another one.",
            f"Let Content-Type: {FORM} reach API Gateway.",
            FORM,
        ),
        _of_type(
            "content-type-json",
            "The signature is that of a body which is no form, and the event's Content-Type says that it is one.",
            f"Let Content-Type: {JSON} reach API Gateway.",
            JSON,
        ),
        Variation(
            name="signed-as-form",
            group="type",
            why="The signature is that of a form which has the fields of this JSON.",
            advice="If the platform sent a form, something on the way made JSON of it: have it pass the body on as it is. If "
            "a test tool signs, let it sign JSON over the URL with bodySHA256 in it.",
            apply=_as_form,
        ),
    ]


def last() -> list[Variation]:
    """Return what is left when everything else has been tried: the URL is right, and the body is not what was signed."""
    return [
        Variation(
            name="bodySHA256-missing",
            group="body",
            why="The signature is over {url} alone, and there is no bodySHA256 in it: the body may be anybody's.",
            advice="Have the sender send a form, or put bodySHA256 into the URL as Twilio does; or let it prove itself by "
            "inbound.basic or inbound.bearer_tokens.",
            apply=lambda case: [] if case.request.query_values("bodySHA256") else _url_alone(case),
        ),
        Variation(
            name="bodySHA256-other-body",
            group="body",
            why="The signature is over {url}, and the bodySHA256 in it is that of another body.",
            advice="The body was changed after it was signed, is another request's or was taken out of this copy. "
            + _AS_IT_IS,
            apply=lambda case: _url_alone(case) if case.request.query_values("bodySHA256") else [],
        ),
    ]


def _of_body(name: str, why: str, advice: str, bodies: Callable[[Case], Iterable[bytes]]) -> Variation:
    def apply(case: Case) -> Iterator[Case]:
        for body in bodies(case):
            yield replace(case, request=replace(case.request, raw_body=b64encode(body).decode(), is_base64=True))

    return Variation(name=name, group="body", why=why, advice=advice, apply=apply)


def _of_type(name: str, why: str, advice: str, media_type: str) -> Variation:
    def apply(case: Case) -> Iterator[Case]:
        if case.request.raw_body and case.request.media_type != media_type:
            yield _with_headers(case, {"content-type": media_type})

    return Variation(name=name, group="type", why=why, advice=advice, apply=apply)


def _with_headers(case: Case, headers: dict[str, str]) -> Case:
    return replace(case, request=replace(case.request, headers={**case.request.headers, **headers}))


def _as_form(case: Case) -> Iterator[Case]:
    parsed = _parsed(case)
    if isinstance(parsed, dict) and parsed:
        pairs = [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in parsed.items()]
        body = b64encode(urlencode(pairs, errors="replace").encode()).decode()
        form = _with_headers(case, {"content-type": FORM})
        yield replace(form, request=replace(form.request, raw_body=body, is_base64=True))


def _url_alone(case: Case) -> Iterator[Case]:
    """Yield *case* as an empty form at Twilio, whose signature is over the URL and nothing else."""
    headers = case.request.headers
    signature = headers.get("x-signalwire-signature", headers.get("x-twilio-signature", ""))
    empty = _with_headers(case, {"content-type": FORM, "x-twilio-signature": signature})
    if case.inbound.vendor in {"signalwire", "twilio"}:
        yield replace(
            empty,
            request=replace(empty.request, raw_body=""),
            # the other scheme would do without the URL
            inbound=replace(case.inbound, vendor="twilio", webhook_secrets=()),
        )


def _bytes(case: Case) -> bytes:
    try:
        return case.request.body()
    except InvalidTriggerError:
        return b""


def _text(case: Case) -> str:
    return _bytes(case).decode(errors="replace")


def _parsed(case: Case) -> Any:
    try:
        return json.loads(_bytes(case))
    except (ValueError, RecursionError):
        return None


def _decoded(text: str) -> Iterator[bytes]:
    """Yield what *text*, which may be wrapped in lines, is the base64 of."""
    try:
        decoded = b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return
    if decoded:
        yield decoded


def _line_ends(body: bytes) -> Iterator[bytes]:
    unix = body.replace(b"\r\n", b"\n")
    yield unix
    yield unix.replace(b"\n", b"\r\n")
    stripped = body.rstrip(b"\r\n")
    for end in (b"", b"\n", b"\r\n"):
        yield stripped + end


def _charsets(body: bytes) -> Iterator[bytes]:
    if body.isascii():
        return
    yield body.decode("latin-1").encode()
    for charset in ("latin-1", "cp1252"):
        try:
            yield body.decode().encode(charset)
        except UnicodeError:
            continue


def _rewritten(parsed: Any) -> Iterator[bytes]:
    if not isinstance(parsed, dict | list):
        return
    for sort_keys in (False, True):
        for ensure_ascii in (False, True):
            for layout in ({"separators": (",", ":")}, {}, {"indent": 2}, {"indent": 4}):
                written = json.dumps(parsed, sort_keys=sort_keys, ensure_ascii=ensure_ascii, **layout)
                yield written.encode(errors="replace")
