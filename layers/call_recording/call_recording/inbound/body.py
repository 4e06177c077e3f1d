"""A body, read: a JSON object or a form.  What looks like the card itself is refused at the door."""

import json
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

from ..errors import CardDataError, InvalidTriggerError, UnreadableBodyError, UnsupportedMediaTypeError
from .request import FORM, InboundRequest, form_pairs

JSON: Final = "application/json"

# What a payment connector calls the card's number and its code, capitals and signs aside.
# https://developer.signalwire.com/compatibility-api/xml/voice/pay/, of paymentConnectorUrl
_NUMBERS = frozenset({"cardnumber", "creditcardnumber", "number", "pan", "paymentcardnumber"})
_CODES = frozenset({"cardcode", "csc", "cvc", "cvc2", "cvv", "cvv2", "paymentcardcode", "securitycode"})
# Masked ones, as a payment's callback has them, are none.
_NUMBER = re.compile(r"([0-9][ -]?){12,19}")
_CODE = re.compile(r"[0-9]{3,4}")


class Twice:
    """Stands for a field that was given twice with different values."""


def parse_body(request: InboundRequest) -> dict[str, Any]:
    """Read the body of *request*.

    Raises UnsupportedMediaTypeError, BodyTooLargeError, UnreadableBodyError, and CardDataError if it has a card's number and code.
    """
    _, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = re.search(r'charset="?([^";\s]+)', parameters, re.IGNORECASE)
    if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaTypeError("content-type", "must have the charset UTF-8")
    if request.media_type not in (JSON, FORM):
        raise UnsupportedMediaTypeError("content-type", f"must be {JSON} or {FORM}")
    body = request.body()
    return _parse_json(body) if request.media_type == JSON else _parse_form(body)


def has_card(request: InboundRequest) -> bool:
    """Whether the body of *request*, which is refused, has a card's number and its code.

    Where its content type is none that is read, it may be JSON or a form all the same, in any charset that has ASCII in it.
    """
    try:
        parse_body(request)
    except CardDataError:
        return True
    except UnsupportedMediaTypeError:
        return _has_card_in_disguise(request)
    except InvalidTriggerError:
        pass
    return False


def _has_card_in_disguise(request: InboundRequest) -> bool:
    try:
        ascii_only = request.body().decode("ascii", "ignore").replace("\0", "").encode()  # of UTF-16 too
        for parse in (_parse_json, _parse_form):
            with suppress(UnreadableBodyError):
                parse(ascii_only)
    except CardDataError:
        return True
    except InvalidTriggerError:
        pass
    return False


def _parse_json(body: bytes) -> dict[str, Any]:
    found: list[tuple[str, Any]] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found.extend(pairs)
        return _collect(pairs)

    try:
        parsed = json.loads(body.decode(), object_pairs_hook=collect)
    except (ValueError, RecursionError):
        raise UnreadableBodyError("body", "is not JSON") from None
    _refuse_card(found)
    if not isinstance(parsed, dict):
        raise UnreadableBodyError("body", "must be a JSON object")
    return parsed


def _parse_form(body: bytes) -> dict[str, Any]:
    try:
        pairs = form_pairs(body)
    except ValueError:
        raise UnreadableBodyError("body", "is not a form") from None
    _refuse_card(pairs)
    return _collect(pairs)


def _collect(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dictionary of *pairs*; a field that comes twice with different values matters only if it is one of ours."""
    collected: dict[str, Any] = {}
    for name, value in pairs:
        collected[name] = Twice() if name in collected and collected[name] != value else value
    return collected


def _refuse_card(pairs: Sequence[tuple[str, Any]]) -> None:
    """Raise CardDataError if there is a card's number and its code anywhere among *pairs*, those of all objects."""
    if _has_one(pairs, _NUMBERS, _NUMBER) and _has_one(pairs, _CODES, _CODE):
        raise CardDataError("body", "has a card's number and its code: never point a payment connector at Offtape")


def _has_one(pairs: Sequence[tuple[str, Any]], names: frozenset[str], pattern: re.Pattern[str]) -> bool:
    values = [
        str(value).strip()
        for name, value in pairs
        if isinstance(value, str | int) and not names.isdisjoint(_spelt(name))
    ]
    return any(map(pattern.fullmatch, values))


def _spelt(name: str) -> set[str]:
    """Return *name* without its capitals and signs, and its last part alone: `card[number]`, `payment.card_number`."""
    *_, last = re.split(r"[\[.]", name.lower())
    return {re.sub(r"[^a-z0-9]", "", each) for each in (name.lower(), last)}
