"""The local API's front: what it makes of the emulator's answers, against an emulator of a few lines."""

import asyncio
import io
import json
import socket
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from local.front import Front

pytestmark = [pytest.mark.integration, pytest.mark.allow_hosts(["127.0.0.1"])]

Answer = Callable[[web.BaseRequest, bytes], web.Response]
Got = tuple[int, dict[str, str], bytes]


def ask(answer: Answer, method: str = "POST", path: str = "/flows/a/b/entered", **options: Any) -> Got:
    """Send a request through the front to something that answers."""

    async def emulate(request: web.BaseRequest) -> web.Response:
        return answer(request, await request.read())

    async def run() -> Got:
        upstream, listener = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
        runner = web.ServerRunner(web.Server(emulate))
        await runner.setup()
        await web.SockSite(runner, upstream).start()
        front = Front(f"http://127.0.0.1:{upstream.getsockname()[1]}/stage")
        url = URL(f"http://127.0.0.1:{listener.getsockname()[1]}{path}", encoded=True)
        try:
            async with front.serving(listener), aiohttp.request(method, url, **options) as response:
                return response.status, dict(response.headers), await response.read()
        finally:
            await runner.cleanup()

    return asyncio.run(run())


def fixed(status: int, body: str, content_type: str = "application/json") -> Answer:
    """Always answer the same."""
    return lambda _request, _body: web.Response(status=status, text=body, content_type=content_type)


def echo(request: web.BaseRequest, body: bytes) -> web.Response:
    """Answer with what was received."""
    received = {"path": request.raw_path, "headers": [*request.headers.items()], "body": body.decode()}
    return web.json_response(received)


class TestRequests:
    def test_the_path_is_not_decoded(self):
        """What is escaped stays escaped: whoever decodes it is the emulator, as in AWS."""
        _, _, body = ask(echo, path="/flows/a%2Fb/c%20d/entered?next=https%3A%2F%2Fa&next=b")

        assert json.loads(body)["path"] == "/stage/flows/a%2Fb/c%20d/entered?next=https%3A%2F%2Fa&next=b"

    def test_repeated_headers_are_joined(self):
        """A function sees one value per header, the values separated by commas."""
        _, _, body = ask(echo, headers=[("X-Key", "1"), ("X-Key", "2")])

        assert [value for name, value in json.loads(body)["headers"] if name.lower() == "x-key"] == ["1,2"]

    def test_bodies_arrive_whole(self):
        """Chunked or not, the function sees one body."""

        async def chunks():
            yield b"one,"
            yield b"two"

        _, _, body = ask(echo, data=chunks())

        assert json.loads(body)["body"] == "one,two"

    @pytest.mark.parametrize("announced", [True, False])
    def test_a_body_over_10_mb_is_refused(self, announced):
        """API Gateway's quota, whether the length is announced or not."""

        async def chunks():
            for _ in range(11):
                yield b"x" * 1024 * 1024

        too_much = io.BytesIO(b"x" * (10 * 1024 * 1024 + 1))
        status, _, body = ask(echo, data=too_much if announced else chunks())

        assert (status, json.loads(body)) == (413, {"message": "Request Entity Too Large"})


class TestAnswers:
    def test_a_failed_function_shows_nothing_of_itself(self):
        """An exception's text and stack trace stay inside, as in AWS."""
        insides = {"errorType": "ValueError", "errorMessage": "insides", "stackTrace": []}
        status, _, body = ask(fixed(502, json.dumps(insides)))

        assert (status, body) == (500, b'{"message":"Internal Server Error"}')

    @pytest.mark.parametrize("content_type", ["application/problem+json", "application/json"])
    def test_a_functions_own_502_passes(self, content_type):
        """A function may answer 502 itself."""
        status, _, body = ask(fixed(502, '{"verdict":"failed"}', content_type))

        assert (status, body) == (502, b'{"verdict":"failed"}')

    def test_a_throttled_function_is_unavailable(self):
        """API Gateway does not pass Lambda's 429 on."""
        status, _, body = ask(fixed(429, '{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded"}'))

        assert (status, body) == (503, b'{"message":"Service Unavailable"}')

    def test_everything_else_passes(self):
        """Status, headers and body are the function's."""

        def answer(_request: web.BaseRequest, _body: bytes) -> web.Response:
            return web.Response(status=418, body=b"\x00\xff", headers={"X-One": "1", "Content-Type": "image/png"})

        status, headers, body = ask(answer)

        assert (status, headers["X-One"], headers["Content-Type"], body) == (418, "1", "image/png", b"\x00\xff")
