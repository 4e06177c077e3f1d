"""A vendor's end of the wire, and time that passes only when told to."""

import json
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import httpx
import pytest

from call_recording.account import Account, Settings
from call_recording.model import Action, Call, Trigger
from call_recording.vendors import VENDORS
from call_recording.vendors._exchange import create_client
from call_recording.vendors.base import BaseVendor

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Clock:
    """Stands in for the module `time`."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        """Seconds on a clock that is never set."""
        return self.now

    def time(self) -> float:
        """Seconds since the epoch."""
        return self.now

    def tell(self, monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
        """Be the time that *modules* see."""
        for module in modules:
            monkeypatch.setattr(module, "time", self)


class Wire:
    """Keeps every request that is sent, and gives the answers in turn, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request, as `httpx.MockTransport` wants it."""
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)

    @property
    def request(self) -> httpx.Request:
        """The one request that was sent."""
        [request] = self.requests
        return request


def answer(status: int = 200, body: object = b"", **headers: str) -> httpx.Response:
    """Make an answer: bytes as they are, anything else as JSON; `retry_after` is the header Retry-After."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, content=content, headers=named)


def account_of(vendor: str, credentials: Mapping[str, str], **settings: Any) -> Account:
    """Make an account."""
    return Account(name="acme", vendor=vendor, credentials=credentials, settings=Settings(**settings))


def connect(account: Account, wire: Wire) -> BaseVendor:
    """Make the vendor of *account*, talking to *wire*."""
    return VENDORS[account.vendor](account, create_client(httpx.MockTransport(wire)))


def trigger_of(call: Call, recording_id: str | None = None, action: Action = Action.PAUSE) -> Trigger:
    """Make a trigger for *call*."""
    return Trigger(account="acme", action=action, step="card-entry", call=call, recording_id=recording_id)
