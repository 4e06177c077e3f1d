"""The simulators as a process of their own, a client for each of their origins, and a judge of what they answer."""

from __future__ import annotations

import base64
import http.client
import json
import re
import secrets
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.simulators.told_customer import ToldCustomer, open_for_business

ROOT = Path(__file__).resolve().parents[2]

#: A socket that never answers would hang the test; every answer here comes within milliseconds.
TIMEOUT_SECONDS = 20


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """Sends requests to one origin, with the same headers each time."""

    origin: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request on a connection of its own."""
        sent = dict(self.headers)
        if json_body is not None:
            body, sent["Content-Type"] = json.dumps(json_body).encode(), "application/json"
        if form is not None:
            body, sent["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection(urlsplit(self.origin).netloc, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body, sent | dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.read(), dict(response.getheaders()))
        finally:
            connection.close()

    def get(self, path: str, **sent: Any) -> Answer:
        """Read."""
        return self.send("GET", path, **sent)

    def post(self, path: str, json_body: Any = None, **sent: Any) -> Answer:
        """Post JSON, or what else is named."""
        return self.send("POST", path, json_body=json_body, **sent)

    def put(self, path: str, json_body: Any = None, **sent: Any) -> Answer:
        """Put JSON, or what else is named."""
        return self.send("PUT", path, json_body=json_body, **sent)

    def patch(self, path: str, json_body: Any = None, **sent: Any) -> Answer:
        """Patch JSON, or what else is named."""
        return self.send("PATCH", path, json_body=json_body, **sent)

    def as_stranger(self, **headers: str) -> Client:
        """The same, with these headers instead."""
        return Client(self.origin, {name.replace("_", "-"): value for name, value in headers.items()})


class Control(Client):
    """The control API, as the tests use it."""

    def start_call(self, vendor: str, **asked: Any) -> dict[str, Any]:
        """A call begins."""
        answer = self.post("/calls", {"vendor": vendor, **asked})
        assert answer.status == 201, answer.body
        return answer.json

    def show(self, call: Mapping[str, Any]) -> dict[str, Any]:
        """All that is known of a call."""
        return self.get(f"/calls/{call['call_id']}").json

    def say(self, call: Mapping[str, Any], text: str) -> Answer:
        """Something is said on a call."""
        return self.post(f"/calls/{call['call_id']}/say", {"text": text})

    def end(self, call: Mapping[str, Any]) -> Answer:
        """A call ends."""
        return self.post(f"/calls/{call['call_id']}/end")

    def arm(self, vendor: str, action: str, effect: Mapping[str, Any], **asked: Any) -> None:
        """Something will go wrong."""
        answer = self.post("/faults", {"vendor": vendor, "action": action, "effect": effect, **asked})
        assert answer.status == 201, answer.body

    def tape(self, call: Mapping[str, Any], number: int = 0) -> list[str]:
        """What is on a tape, in order: what was said, and in brackets what was done."""
        entries = self.show(call)["recordings"][number]["tape"]
        return [entry["text"] if "text" in entry else f"[{entry['event']}]" for entry in entries]

    def statuses(self, call: Mapping[str, Any]) -> list[str]:
        """Where the recordings of a call are, in the vendor's words."""
        return [recording["status"] for recording in self.show(call)["recordings"]]

    def wait_for(self, call: Mapping[str, Any], status: str) -> None:
        """Wait until the first recording of a call is there."""
        ends = time.monotonic() + TIMEOUT_SECONDS
        while self.statuses(call)[0] != status:
            assert time.monotonic() < ends, f"never {status}"
            time.sleep(0.005)

    def told(self, call: Mapping[str, Any], count: int, *, statuses: bool = False) -> list[Any]:
        """Wait until so many callbacks of a call were delivered; then their events, with their statuses if asked for."""
        ends = time.monotonic() + TIMEOUT_SECONDS
        while len(shown := self.show(call)["callbacks"]) < count:
            assert time.monotonic() < ends, shown
            time.sleep(0.005)
        assert len(shown) == count
        return [(each["event"], each["status"]) if statuses else each["event"] for each in shown]


def basic(user: str, password: str) -> str:
    """The value of an Authorization header."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def fresh_credentials() -> dict[str, dict[str, str]]:
    """Keys as each vendor's look, random."""
    return {
        "twilio": {
            "account_sid": f"AC{secrets.token_hex(16)}",
            "auth_token": secrets.token_hex(16),
            "api_key": f"SK{secrets.token_hex(16)}",
            "api_secret": secrets.token_hex(16),
        },
        "signalwire": {
            "project_id": str(uuid.uuid4()),
            "api_token": f"PT{secrets.token_hex(24)}",
            "signing_key": f"PSK{secrets.token_hex(24)}",
        },
        "bandwidth": {
            "account_id": "9900000",
            "username": "api-user",
            "password": secrets.token_hex(16),
            "client_id": str(uuid.uuid4()),
            "client_secret": secrets.token_hex(16),
        },
        "bird": {
            "workspace_id": str(uuid.uuid4()),
            "access_key": secrets.token_hex(20),
            "channel_id": str(uuid.uuid4()),
            "signing_key": secrets.token_hex(20),
        },
    }


def start(configuration: Any) -> subprocess.Popen[str]:
    """The simulators, in a process of their own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "local.simulators"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(configuration if isinstance(configuration, str) else json.dumps(configuration))
    process.stdin.flush()
    return process


@pytest.fixture(name="start_simulators")
def _start_simulators() -> Iterator[Callable[[Any], subprocess.Popen[str]]]:
    """Start a process; it is ended after the test whatever happened."""
    started: list[subprocess.Popen[str]] = []

    def start_one(configuration: Any) -> subprocess.Popen[str]:
        started.append(start(configuration))
        return started[-1]

    yield start_one
    for process in started:
        with process:
            process.kill()


@pytest.fixture(name="credentials", scope="module")
def _credentials() -> dict[str, dict[str, str]]:
    """The keys of this module's simulators."""
    return fresh_credentials()


@pytest.fixture(name="addresses", scope="module")
def _addresses(credentials: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Where this module's simulators are."""
    process = start({"credentials": credentials})
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()
    yield json.loads(line)
    process.terminate()
    _, errors = process.communicate(timeout=TIMEOUT_SECONDS)

    assert (process.returncode, errors) == (0, "")


@pytest.fixture(name="control")
def _control(addresses: Mapping[str, Any]) -> Iterator[Control]:
    """The control API; whatever a test armed is gone after it."""
    control = Control(addresses["control"])
    yield control
    control.send("DELETE", "/faults")


@pytest.fixture(name="customer")
def _customer() -> Iterator[ToldCustomer]:
    """One whom the platforms tell."""
    with open_for_business() as customer:
        yield customer


@pytest.fixture(name="clients")
def _clients(addresses: Mapping[str, Any], credentials: Mapping[str, Any]) -> dict[str, Client]:
    """For each vendor a client that may ask everything."""
    authorizations = {
        "twilio": basic(credentials["twilio"]["account_sid"], credentials["twilio"]["auth_token"]),
        "signalwire": basic(credentials["signalwire"]["project_id"], credentials["signalwire"]["api_token"]),
        "bandwidth": basic(credentials["bandwidth"]["username"], credentials["bandwidth"]["password"]),
        "bird": f"AccessKey {credentials['bird']['access_key']}",
    }
    return {
        name: Client(origin, {"Authorization": authorizations[name]}) for name, origin in addresses["vendors"].items()
    }


Facts = Mapping[str, Any]


@pytest.fixture(name="unfit")
def _unfit() -> Callable[..., list[str]]:
    """
    What of an object does not fit the facts of a specification: unknown names, missing names, wrong values.

    A fact is a type, a tuple of types, a set of allowed values, or the pattern of a string.
    """

    def fits(value: Any, fact: Any) -> bool:
        if isinstance(fact, str):
            return isinstance(value, str) and re.fullmatch(fact, value) is not None
        if isinstance(fact, set | frozenset):
            return value in fact
        return isinstance(value, fact) and not (isinstance(value, bool) and fact is int)

    def unfit(value: Mapping[str, Any], facts: Facts, *, optional: frozenset[str] = frozenset()) -> list[str]:
        wrong = [f"{name}: {value[name]!r}" for name in facts if name in value and not fits(value[name], facts[name])]
        missing = [f"{name} is missing" for name in facts if name not in value and name not in optional]
        return wrong + missing + [f"{name} is unknown" for name in value if name not in facts]

    return unfit
