"""The customer's side of the flows that the platforms play, for tests: a server that keeps all it was asked."""

from __future__ import annotations

import base64
import contextlib
import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CARD = "4111 1111 1111 1111"
DIGITS = "4111111111111111"

#: The status, the content type and the body of an answer.
Reply = tuple[int, str, str]


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    #: With its query.
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path alone."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query's fields."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def form(self) -> dict[str, str]:
        """The form's fields."""
        return {name: values[0] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    @property
    def basic(self) -> str | None:
        """The user and the password of Basic authentication."""
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        return base64.b64decode(encoded).decode() if scheme == "Basic" else None


@dataclass
class Customer:
    """What is served, and what was asked."""

    origin: str
    replies: dict[str, Reply | Callable[[Asked], Reply]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def xml(self, path: str, body: str, *, status: int = 200) -> str:
        """Serve a document, and give its URL."""
        self.replies[path] = (status, "text/xml", body)
        return self.origin + path

    def url(self, path: str, reply: Reply | Callable[[Asked], Reply]) -> str:
        """Serve something, and give its URL."""
        self.replies[path] = reply
        return self.origin + path

    def answer(self, asked: Asked) -> Reply:
        """Keep a request and find its answer."""
        self.asked.append(asked)
        reply = self.replies.get(asked.path, (404, "text/plain", "nothing here"))
        return reply(asked) if callable(reply) else reply


@contextlib.contextmanager
def serving() -> Iterator[Customer]:
    """A customer's server, in threads of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, content_type, text = customer.answer(Asked(self.command, self.path, headers, body))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815 -- http.server looks for these names

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *asked: Any) -> None:
            """A platform that did not wait for its answer is part of the test; everything else is printed."""
            if not isinstance(sys.exception(), ConnectionError):
                super().handle_error(*asked)

    server = Server(("127.0.0.1", 0), Handler)
    customer = Customer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield customer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def play(control: Any, call: Mapping[str, Any], language: str, **asked: Any) -> Any:
    """Let the platform play a flow on a call, and give what it tells."""
    answer = control.post(f"/calls/{call['call_id']}/play", {"language": language, **asked})
    assert answer.status == 200, answer.body
    # Wherever the flow went, what the caller keyed stays between the caller and the customer.
    assert DIGITS.encode() not in answer.body
    assert CARD.encode() not in answer.body
    return answer.json


def did(told: Mapping[str, Any]) -> list[str]:
    """A transcript in short: what was done, and what it was done to."""
    return [" ".join(str(value) for value in entry.values()) for entry in told["transcript"]]
