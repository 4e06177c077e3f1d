"""
The company's own IVR web server: it serves the documents that a test puts there, on a port of its own.

It stands for whatever a company has behind its calls, and is no part of any vendor.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from local.simulators.asked import WrongRequestError, json_object, refuse_unknown, text_of
from local.simulators.exchange import Answer, Received

_DOCUMENT_FIELDS: Final = frozenset({"path", "content_type", "body", "basic"})
_BASIC_FIELDS: Final = frozenset({"username", "password"})

#: What it answers where it has nothing, and to one who is not let in.
_NOT_FOUND: Final = Answer(status=404)
_UNAUTHORIZED: Final = Answer(status=401, headers={"WWW-Authenticate": 'Basic realm="ivr"'})
_METHOD_NOT_ALLOWED: Final = Answer(status=405, headers={"Allow": "GET, POST"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What is served under one path."""

    content_type: str
    body: str = field(repr=False)
    #: The user and the password that it takes to be served it; None: anybody is.
    basic: tuple[str, str] | None = field(default=None, repr=False)


class Ivr:
    """The documents, and who asked for them."""

    def __init__(self) -> None:
        self._documents: Final[dict[str, Document]] = {}
        self._requests: Final[list[dict[str, Any]]] = []

    def application(self) -> web.Application:
        """What the platforms reach."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._serve)
        return application

    def control_routes(self) -> Sequence[web.AbstractRouteDef]:
        """Its part of the control API."""
        return (web.put("/ivr/documents", self._put_document), web.get("/ivr/requests", self._show_requests))

    async def _serve(self, request: web.Request) -> web.Response:
        # Read and thrown away: it carries what the caller keyed.
        await request.read()
        answer = self._answer(Received(method=request.method, path=request.path, headers=request.headers))
        # The path alone: a query may carry what the caller keyed, too.
        self._requests.append({"method": request.method, "path": request.path, "status": answer.status})
        return web.Response(status=answer.status, body=answer.body or None, headers=dict(answer.headers))

    def _answer(self, received: Received) -> Answer:
        document = self._documents.get(received.path)
        if document is None:
            return _NOT_FOUND
        if received.method not in {"GET", "POST"}:
            return _METHOD_NOT_ALLOWED
        if document.basic is not None and not _same(received.basic(), document.basic):
            return _UNAUTHORIZED
        return Answer(body=document.body.encode(), headers={"Content-Type": document.content_type})

    async def _put_document(self, request: web.Request) -> web.Response:
        asked = await json_object(request)
        refuse_unknown(asked, _DOCUMENT_FIELDS)
        path, content_type = text_of(asked, "path"), text_of(asked, "content_type")
        if not path.startswith("/") or not path.isascii() or not path.isprintable() or not {"?", "#"}.isdisjoint(path):
            raise WrongRequestError("'path' must begin with a slash and have neither query nor fragment")
        if not content_type.isascii() or not content_type.isprintable():
            raise WrongRequestError("'content_type' must be one line of ASCII")
        self._documents[path] = Document(
            content_type=content_type, body=text_of(asked, "body"), basic=_basic_of(asked.get("basic"))
        )
        return web.Response(status=204)

    async def _show_requests(self, _: web.Request) -> web.Response:
        return web.json_response({"requests": self._requests})


def _basic_of(asked: Any) -> tuple[str, str] | None:
    if asked is None:
        return None
    if not isinstance(asked, dict):
        raise WrongRequestError("'basic' must be an object")
    refuse_unknown(asked, _BASIC_FIELDS)
    return text_of(asked, "username"), text_of(asked, "password")


def _same(given: tuple[str, str] | None, wanted: tuple[str, str]) -> bool:
    return given is not None and all(
        hmac.compare_digest(one.encode(), other.encode()) for one, other in zip(given, wanted, strict=True)
    )
