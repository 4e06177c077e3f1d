"""
SWML's method `request`: what is sent, and the variables that are set by what comes back.

https://developer.signalwire.com/swml/methods/request
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from local.simulators import outgoing
from local.simulators.outgoing import Outgoing, Sent
from local.simulators.players.play import Json, UnplayableError
from local.simulators.players.requests import with_body

#: What a request may set, besides names with `X-`.
HEADERS: Final = frozenset({"accept", "authorization", "content-type", "range"})
METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE"})
#: How much of an answer is kept.
MAX_BODY: Final = 64 * 1024
#: The variables begin with it.
PREFIX: Final = "request_"


def request_of(given: Mapping[str, Json], url: str) -> Outgoing:
    """The request. [unverified] Whether it is signed; here it is not, and only `Authorization` lets it in."""
    method = str(given.get("method", "")).upper()
    if method not in METHODS:
        raise UnplayableError("the method of a request must be GET, POST, PUT or DELETE")
    body = given.get("body", "")
    text = body if isinstance(body, str) else json.dumps(body)
    # "The most likely type", by its first character. [unverified] What anything else but JSON is likely to be.
    content_type = outgoing.JSON if text.lstrip()[:1] in {"{", "["} else outgoing.FORM
    headers = {}
    for name, value in given.get("headers", {}).items():
        known = name.lower()
        if known not in HEADERS and not known.startswith("x-"):
            raise UnplayableError(f"a request of SWML cannot set the header {name}")
        if known == "content-type":
            content_type = str(value)
        else:
            headers[name.title()] = str(value)
    # [unverified] Which comes first, the header `Authorization` or a user in the URL: here the user.
    asked = outgoing.post(url, body=text.encode(), content_type=content_type, headers=headers)
    return with_body(asked, method=method, body=asked.body, content_type=content_type if text else None)


def outcome_of(sent: Sent, url: str, *, save: bool) -> dict[str, Any]:
    """
    The variables that a request sets, all anew.

    [unverified] That any answer at all is a success, whatever its status, and that a request without one leaves
    nothing of the last one behind: a flow that rests on `request_result` alone is caught here.
    """
    result = "success" if sent.status else "failed"
    known: dict[str, Any] = {"request_url": url, "request_result": result, "return_value": result}
    if sent.status:
        body = sent.body[:MAX_BODY].decode("utf-8", "replace")
        known |= {"request_response_code": sent.status, "request_response_body": body}
        if save:
            known["request_response"] = _parsed(body)
    return known


def _parsed(body: str) -> Json:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
