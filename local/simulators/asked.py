"""What a request to the control API carries, checked: the field that is wrong is named, a value never repeated."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from local.simulators.faults import ABSENT, Action, Drop, Effect
from local.simulators.outgoing import ForeignUrlError, check_is_own
from local.simulators.pushes import Subscription

#: The longest delay of a fault: beyond every timeout that matters, and still something that ends.
MAX_MILLISECONDS: Final = 600_000

_EFFECT_FIELDS: Final = frozenset(
    {"status", "body", "headers", "delay_ms", "apply_after_ms", "drop", "drip_ms", "apply"}
)
_CALLBACKS_FIELDS: Final = frozenset({"url", "username", "password"})
#: https://www.rfc-editor.org/rfc/rfc9110#name-field-names
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class WrongRequestError(Exception):
    """A request that the control API cannot make sense of; `status` says in which way."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status: Final = status


async def json_object(request: web.Request, *, default: dict[str, Any] | None = None) -> dict[str, Any]:
    """The body: a JSON object. `default` stands for no body at all."""
    body = await request.read()
    if not body and default is not None:
        return default
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise WrongRequestError("the body is not JSON") from exc
    if not isinstance(value, dict):
        raise WrongRequestError("the body must be a JSON object")
    return value


def refuse_unknown(asked: Mapping[str, Any], known: frozenset[str]) -> None:
    """Refuse a field that nobody would read."""
    if unknown := sorted(set(asked) - known):
        raise WrongRequestError(f"unknown field {unknown[0]!r}; known: {', '.join(sorted(known)) or 'none'}")


def text_of(asked: Mapping[str, Any], name: str, *, default: str | None = None) -> str:
    """A field that is a string."""
    value = asked.get(name, default)
    if not isinstance(value, str):
        raise WrongRequestError(f"{name!r} must be a string")
    return value


def integer_of(asked: Mapping[str, Any], name: str, *, default: int | None, least: int, most: int) -> int:
    """A field that is an integer within limits."""
    value = asked.get(name, default)
    # In Python true is an integer; here it is a mistake.
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise WrongRequestError(f"{name!r} must be an integer from {least} to {most}")
    return value


def action_of(asked: Mapping[str, Any]) -> Action:
    """Which requests a fault is for."""
    name = text_of(asked, "action")
    if name not in set(Action):
        raise WrongRequestError(f"'action' must be one of {', '.join(Action)}")
    return Action(name)


def effect_of(asked: Any) -> Effect:
    """The effect of a fault, with everything that cannot be refused."""
    if not isinstance(asked, dict):
        raise WrongRequestError("'effect' must be an object")
    refuse_unknown(asked, _EFFECT_FIELDS)

    def milliseconds(name: str) -> int | None:
        return None if name not in asked else integer_of(asked, name, default=None, least=0, most=MAX_MILLISECONDS)

    drop = asked.get("drop")
    if "drop" in asked and drop not in ("before", "after"):
        raise WrongRequestError("'drop' must be before or after")
    apply = asked.get("apply", drop != "before")
    if not isinstance(apply, bool):
        raise WrongRequestError("'apply' must be true or false")
    apply_after_ms = milliseconds("apply_after_ms")
    if apply_after_ms is not None and not apply:
        raise WrongRequestError("'apply_after_ms' needs 'apply': true (which 'drop': before must say)")
    return Effect(
        status=None if "status" not in asked else integer_of(asked, "status", default=None, least=200, most=599),
        body=asked.get("body", ABSENT),
        headers=_headers(asked.get("headers", {})),
        delay_ms=milliseconds("delay_ms") or 0,
        apply_after_ms=apply_after_ms,
        drop=None if drop is None else Drop(drop),
        drip_ms=milliseconds("drip_ms"),
        apply=apply,
    )


def subscription_of(asked: Any) -> Subscription | None:
    """Where a call's pushes go; None if nowhere."""
    if asked is None:
        return None
    if not isinstance(asked, dict):
        raise WrongRequestError("'callbacks' must be an object")
    refuse_unknown(asked, _CALLBACKS_FIELDS)
    url, basic = text_of(asked, "url"), None
    try:
        check_is_own(url)
    except ForeignUrlError as exc:
        raise WrongRequestError(f"'callbacks': 'url' {exc}") from exc
    if not _CALLBACKS_FIELDS.isdisjoint(set(asked) - {"url"}):
        basic = text_of(asked, "username"), text_of(asked, "password")
    return Subscription(url=url, basic=basic)


def _headers(asked: Any) -> dict[str, str]:
    if not isinstance(asked, dict):
        raise WrongRequestError("'headers' must be an object")
    headers = {}
    for name, value in asked.items():
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        # A line break would end the header, anything but ASCII cannot be sent as it is.
        if not isinstance(text, str) or not text.isascii() or not text.isprintable():
            raise WrongRequestError(f"'headers': the value of {name!r} must be one line of ASCII")
        if not _HEADER_NAME.fullmatch(name):
            raise WrongRequestError(f"'headers': {name!r} is no header name")
        headers[name] = text
    return headers
