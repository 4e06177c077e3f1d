"""The API's address on this machine: passes requests on to the emulator, and repairs what it answers unlike AWS."""

import contextlib
import json
import secrets
import socket
import time
from collections.abc import AsyncIterator
from typing import Final

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

#: What one connection is about and not the request: not passed on.
HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"})
#: API Gateway's quota for a payload.
MOST_BODY_BYTES: Final = 10 * 1024 * 1024
#: API Gateway's quota for an integration.
MOST_SECONDS: Final = 30
#: API Gateway's answers have no body of the function's.
JSON: Final = "application/json"


class Front:
    """An HTTP API's public side."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream

    @contextlib.asynccontextmanager
    async def serving(self, listener: socket.socket) -> AsyncIterator[None]:
        """Serve on a socket that is bound already."""
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
            timeout=aiohttp.ClientTimeout(total=MOST_SECONDS),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as self._session:
            # Whoever is refused for a large body may stop sending: do not wait long for the rest.
            runner = web.ServerRunner(web.Server(self.answer, lingering_time=1.0))
            await runner.setup()
            await web.SockSite(runner, listener).start()
            try:
                yield
            finally:
                await runner.cleanup()

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Pass one request on."""
        body = await read_body(request)
        if body is None:
            return api_gateway_answer(413, "Request Entity Too Large")
        url = URL(self._upstream + request.raw_path, encoded=True)
        try:
            async with self._session.request(
                request.method, url, headers=passed_on(request), data=body or None, allow_redirects=False
            ) as response:
                return repaired(response, await response.read())
        except (aiohttp.ClientError, TimeoutError):
            return api_gateway_answer(503, "Service Unavailable")


async def read_body(request: web.BaseRequest) -> bytes | None:
    """Read the whole body, as API Gateway does before it calls anything; None if it is too large."""
    if (request.content_length or 0) > MOST_BODY_BYTES:
        return None
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            return None
    return bytes(body)


def passed_on(request: web.BaseRequest) -> CIMultiDict[str]:
    """Give the headers that the function sees: a repeated one joined by commas, and those that API Gateway adds."""
    headers: CIMultiDict[str] = CIMultiDict()
    for name in request.headers:
        if name.lower() not in HOP_BY_HOP:
            headers[name] = ",".join(request.headers.getall(name))
    peer = request.remote or "127.0.0.1"
    headers["x-forwarded-for"] = ", ".join(filter(None, [request.headers.get("x-forwarded-for"), peer]))
    headers["x-forwarded-proto"] = "http"
    headers["x-forwarded-port"] = request.host.rpartition(":")[2] if ":" in request.host else "80"
    headers.setdefault("x-amzn-trace-id", f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}")
    return headers


def repaired(response: aiohttp.ClientResponse, body: bytes) -> web.Response:
    """Give API Gateway's answer where the emulator shows the function's insides instead."""
    if response.status == 502 and is_function_error(response, body):
        return api_gateway_answer(500, "Internal Server Error")
    if response.status == 429 and b'"Reason"' in body:
        return api_gateway_answer(503, "Service Unavailable")
    unwanted = HOP_BY_HOP | {"content-length", "server"}
    headers = CIMultiDict((name, value) for name, value in response.headers.items() if name.lower() not in unwanted)
    return web.Response(status=response.status, headers=headers, body=body)


def is_function_error(response: aiohttp.ClientResponse, body: bytes) -> bool:
    """Whether a 502 is the emulator's for a function that raised, ended or timed out, and not a function's own."""
    if response.content_type != JSON:
        return False
    try:
        error = json.loads(body)
    except ValueError:
        return False
    return isinstance(error, dict) and {"errorType", "errorMessage"} <= error.keys()


def api_gateway_answer(status: int, message: str) -> web.Response:
    """Answer as API Gateway does by itself."""
    return web.Response(status=status, body=f'{{"message":"{message}"}}'.encode(), content_type=JSON)
