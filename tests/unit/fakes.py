"""What stands in for the outside in unit tests: time, secrets, whoever is told, and the vendors' platforms."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlencode

import httpx
from botocore.exceptions import ClientError

from call_recording.account import AccountSecret
from call_recording.aws.secrets import SecretsManagerAccounts
from call_recording.errors import VendorError
from call_recording.model import Notice, RecordingEvent
from call_recording.outcome import Outcome
from call_recording.ports import AccountSecrets, Clock, Ledgers, Observer, Timers, Vendors
from call_recording.service import RecordingService
from call_recording.vendors import ConnectedVendors
from call_recording.vendors._exchange import create_client
from tests.unit.fake_stores import MemoryLedgers, MemoryTimers, at_once

#: A test card's number: whatever carries it, it must come out nowhere.
CARD = "4111111111111111"

TOKEN = "placeholder-bearer-token-0001"
USERNAME = "flow"
PASSWORD = "placeholder-password-0001"
VENDOR_KEY = "placeholder-vendor-key-0001"
#: What SignalWire and Bird sign with; Twilio signs with its auth token, VENDOR_KEY.
SIGNING_KEY = "placeholder-signing-key-0001"
#: What a third party signs with (Standard Webhooks).
WEBHOOK_SECRET = "whsec_" + b64encode(b"placeholder-webhook-secret-0001").decode()

#: Everything that a secret holds and that nobody may see.
KEYS = (TOKEN, PASSWORD, VENDOR_KEY, SIGNING_KEY, WEBHOOK_SECRET)

#: The vendors whose signature has a key of its own.
SIGNED_BY_KEY = ("bird", "signalwire")

#: The API's own domain, by API Gateway's word.
DOMAIN = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"

ACCOUNT_SID = "AC" + "0" * 31 + "1"
CALL_SID = "CA" + "0" * 31 + "1"
RECORDING_SID = "RE" + "0" * 31 + "1"
PROJECT_ID = "00000000-0000-4000-8000-000000000001"
CALL_UUID = "00000000-0000-4000-8000-0000000000ca"
RECORDING_UUID = "00000000-0000-4000-8000-0000000000fe"
WORKSPACE_ID = "00000000-0000-4000-8000-000000000002"
CHANNEL_ID = "00000000-0000-4000-8000-000000000003"
BANDWIDTH_ACCOUNT = "9900000"
BANDWIDTH_CALL = "c-00000000-00000000-0000-4000-8000-000000000001"

CREDENTIALS: Mapping[str, Mapping[str, str]] = {
    "twilio": {"account_sid": ACCOUNT_SID, "auth_token": VENDOR_KEY},
    "signalwire": {"space": "example.signalwire.com", "project_id": PROJECT_ID, "api_token": VENDOR_KEY},
    "bandwidth": {"account_id": BANDWIDTH_ACCOUNT, "username": "api-user", "password": VENDOR_KEY},
    "bird": {"workspace_id": WORKSPACE_ID, "access_key": VENDOR_KEY},
}
CALLS: Mapping[str, str] = {
    "twilio": CALL_SID,
    "signalwire": CALL_UUID,
    "bandwidth": BANDWIDTH_CALL,
    "bird": CALL_UUID,
}


class FakeClock:
    """Time that passes only when somebody sleeps, or a test lets it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return 1_790_000_000.0 + self.seconds

    def monotonic(self) -> float:
        return 1_000.0 + self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


class FakeAccounts:
    """The accounts' secrets in memory; what is an exception is raised."""

    def __init__(self, *secrets: AccountSecret, failure: Exception | None = None) -> None:
        self.secrets = {secret.name: secret for secret in secrets}
        self.failure = failure
        self.asked: list[tuple[str, bool]] = []

    def get(self, name: str, *, refresh: bool = False) -> AccountSecret | None:
        self.asked.append((name, refresh))
        if self.failure is not None:
            raise self.failure
        return self.secrets.get(name)


@dataclass
class RecordingObserver:
    """Keeps what it was told."""

    outcomes: list[tuple[Outcome, VendorError | None]] = field(default_factory=list)
    refusals: list[dict[str, str | None]] = field(default_factory=list)
    misfits: list[dict[str, str]] = field(default_factory=list)
    sweeps: list[int] = field(default_factory=list)  #: how many calls each found due
    notices: list[tuple[Notice, str | None, str | None]] = field(default_factory=list)  #: what, of which call and step
    reasons: list[str | None] = field(default_factory=list)  #: why, of each notice
    announcements: list[int] = field(default_factory=list)  #: how many events each change brought about
    taken: list[list[RecordingEvent]] = field(default_factory=list)  #: what each webhook told

    def handled(self, outcome: Outcome, error: VendorError | None) -> None:
        self.outcomes.append((outcome, error))

    def webhook_taken(self, events: Sequence[RecordingEvent], *, account: str, vendor: str) -> None:
        self.taken.append(list(events))

    def refused(self, reason: str, *, account: str | None = None, field: str | None = None) -> None:
        self.refusals.append({"reason": reason, "account": account, "field": field})

    def noticed(
        self,
        notice: Notice,
        *,
        account: str,
        call_id: str | None = None,
        step: str | None = None,
        reason: str | None = None,
    ) -> None:
        self.notices.append((notice, call_id, step))
        self.reasons.append(reason)

    def swept(self, due: int) -> None:
        self.sweeps.append(due)

    def announced(self, count: int) -> None:
        self.announcements.append(count)

    def misconfigured(self, account: str, field: str, problem: str) -> None:
        self.misfits.append({"account": account, "field": field, "problem": problem})


def client_error(code: str) -> ClientError:
    """Return what botocore raises when AWS refuses."""
    return ClientError({"Error": {"Code": code, "Message": "as AWS words it"}}, "GetSecretValue")


class FakeSecretsManager:
    """Secrets Manager in memory, with botocore's errors; it keeps which secrets were asked for."""

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self.secrets = dict(secrets or {})
        self.failure: Exception | None = None
        self.asked: list[str] = []

    def get_secret_value(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803 -- as AWS names it
        self.asked.append(SecretId)
        if self.failure is not None:
            raise self.failure
        if SecretId not in self.secrets:
            raise client_error("ResourceNotFoundException")
        return {"Name": SecretId, "SecretString": self.secrets[SecretId]}


def document(vendor: str = "twilio", **changed: Any) -> dict[str, Any]:
    """Return what an account's secret says, with other sections where named."""
    sections: dict[str, Any] = {
        "vendor": vendor,
        "credentials": dict(CREDENTIALS[vendor]),
        "inbound": {
            "bearer_tokens": [TOKEN],
            "basic": [{"username": USERNAME, "password": PASSWORD}],
            "signing_keys": [SIGNING_KEY] if vendor in SIGNED_BY_KEY else [],
            "webhook_secrets": [WEBHOOK_SECRET],
        },
        "settings": {"allowed_redirects": ["https://ivr.example.com/"]},
    }
    return sections | changed


def secret_json(vendor: str = "twilio", **changed: Any) -> str:
    """Return the JSON of an account's secret."""
    return json.dumps(document(vendor, **changed))


def account_secret(vendor: str = "twilio", name: str | None = None, **changed: Any) -> AccountSecret:
    """Return the secret of the account `demo-<vendor>`."""
    return AccountSecret(name or f"demo-{vendor}", secret_json(vendor, **changed))


def demo_secrets() -> dict[str, str]:
    """Return one secret for each vendor, as Secrets Manager names them."""
    return {f"call-recording/demo-{vendor}": secret_json(vendor) for vendor in CREDENTIALS}


class FakePlatforms:
    """All four vendors behind one `httpx.MockTransport`: each has one call with one recording."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.words = {"twilio": "in-progress", "signalwire": "in-progress", "bird": "ongoing"}
        self.answer: httpx.Response | None = None  #: given instead, where a test sets one
        self.live = True  #: whether the calls go on
        self.recorded = True  #: whether SignalWire's call has its recording
        self.refused_authorization: str | None = None  #: answered with 401

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.answer is not None:
            return self.answer
        if request.headers["authorization"] == self.refused_authorization:
            return httpx.Response(401, json={"code": 20003})
        return self._over(request) if not self.live else self._shown(request)

    def _shown(self, request: httpx.Request) -> httpx.Response:
        match request.url.host:
            case "api.twilio.com":
                return self._laml("twilio", request, {"sid": RECORDING_SID, "call_sid": CALL_SID})
            case "example.signalwire.com":
                return self._laml("signalwire", request, {"sid": RECORDING_UUID, "call_sid": CALL_UUID})
            case "api.bird.com":
                return self._bird(request)
            case "voice.bandwidth.com":
                return httpx.Response(204 if request.url.path.endswith("/bxml") else 200)
        raise AssertionError(f"nobody should ask {request.url.host}")

    def _over(self, request: httpx.Request) -> httpx.Response:
        """Say that the call has ended, and has no recording that could change."""
        found = re.search(r"/[Cc]alls/([^/.]+)(\.json)?$", request.url.path)
        if request.method == "GET" and found:
            words = {"status": "completed", "state": "disconnected"}
            return httpx.Response(200, json={**dict.fromkeys(("sid", "id", "callId"), found[1]), **words})
        if request.method == "GET":
            return httpx.Response(200, json={"recordings": [], "results": []})
        return httpx.Response(404, json={"code": 20404})

    def _laml(self, vendor: str, request: httpx.Request, ids: Mapping[str, str]) -> httpx.Response:
        if request.method == "POST":
            self.words[vendor] = parse_qs(request.content.decode())["Status"][0]
        if "/Recordings" not in request.url.path:
            return httpx.Response(200, json={"sid": ids["call_sid"], "status": "in-progress"})
        recording = {**ids, "status": self.words[vendor]}
        if request.method == "GET" and request.url.path.endswith("/Recordings.json"):
            return httpx.Response(200, json={"recordings": [recording] if self.recorded else []})
        return httpx.Response(200, json=recording)

    def _bird(self, request: httpx.Request) -> httpx.Response:
        recording = {"id": RECORDING_UUID, "callId": CALL_UUID, "status": self.words["bird"]}
        if request.method == "PATCH":
            self.words["bird"] = json.loads(request.content)["status"]
            return httpx.Response(202, json={**recording, "status": "accepted"})
        is_list = request.url.path.endswith("/recordings")
        return httpx.Response(200, json={"results": [recording]} if is_list else recording)


@dataclass(kw_only=True)
class Assembled:
    """What the functions are made of, with the outside faked; `bootstrap.Offtape` has the same fields."""

    accounts: AccountSecrets
    recordings: RecordingService
    timers: Timers
    clock: Clock
    observer: Observer


def service(
    *,
    accounts: AccountSecrets,
    vendors: Vendors,
    clock: Clock,
    observer: Observer,
    ledgers: Ledgers | None = None,
    timers: Timers | None = None,
) -> RecordingService:
    """Return a service whose table and queue are in memory, unless others are given."""
    numbers = count(1)
    return RecordingService(
        accounts=accounts,
        vendors=vendors,
        ledgers=MemoryLedgers() if ledgers is None else ledgers,
        timers=MemoryTimers() if timers is None else timers,
        aside=at_once,
        clock=clock,
        observer=observer,
        jitter=lambda: 0.5,
        nonce=lambda: f"nonce-{next(numbers)}",
    )


def assemble(
    *,
    secrets_manager: FakeSecretsManager,
    platforms: FakePlatforms,
    clock: Clock,
    observer: Observer,
    ledgers: Ledgers | None = None,
    timers: Timers | None = None,
) -> Assembled:
    """Wire the real parts as `bootstrap` does, with the outside faked."""
    accounts = SecretsManagerAccounts(secrets_manager, prefix="call-recording/", ttl_seconds=60.0, clock=clock)
    vendors = ConnectedVendors(create_client(httpx.MockTransport(platforms)))
    timers = MemoryTimers() if timers is None else timers
    recordings = service(
        accounts=accounts, vendors=vendors, clock=clock, observer=observer, ledgers=ledgers, timers=timers
    )
    return Assembled(accounts=accounts, recordings=recordings, timers=timers, clock=clock, observer=observer)


def basic(username: str = USERNAME, password: str = PASSWORD) -> str:
    """Return the value of an Authorization header."""
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


#: What a caller sends who may come in.
BEARER = f"Bearer {TOKEN}"


def flow_event(
    body: Any = None,
    *,
    vendor: str = "twilio",
    account: str | None = None,
    step: str = "card-entry",
    word: str = "entered",
    authorization: str | None = BEARER,
    content_type: str | None = "application/json",
    encode: bool = False,
    **changed: Any,
) -> dict[str, Any]:
    """Return API Gateway's event for one request; a mapping becomes JSON, or a form where the content type says so."""
    account = f"demo-{vendor}" if account is None else account
    if body is None:
        body = {"call_id": CALLS[vendor]}
    if isinstance(body, Mapping):
        is_form = content_type == "application/x-www-form-urlencoded"
        body = urlencode(body) if is_form else json.dumps(body)
    raw = body if isinstance(body, bytes) else body.encode()
    headers = {"authorization": authorization, "content-type": content_type, "host": "api.example.com"}
    return {
        "version": "2.0",
        "routeKey": f"POST /flows/{{account}}/{{step}}/{word}",
        "rawPath": f"/flows/{account}/{step}/{word}",
        "rawQueryString": "",
        "headers": {name: value for name, value in headers.items() if value is not None},
        "requestContext": {
            "stage": "$default",
            "domainName": DOMAIN,
            "requestId": "test-request-1",
            "timeEpoch": 1_790_000_000_000,
        },
        "pathParameters": {"account": account, "step": step},
        "body": b64encode(raw).decode() if encode or isinstance(body, bytes) else body,
        "isBase64Encoded": encode or isinstance(body, bytes),
    } | changed


def webhook_event(
    body: Any = None, *, vendor: str = "twilio", account: str | None = None, **more: Any
) -> dict[str, Any]:
    """Return API Gateway's event for one delivery of a webhook."""
    account = f"demo-{vendor}" if account is None else account
    changed = {
        "routeKey": "POST /webhooks/{account}",
        "rawPath": f"/webhooks/{account}",
        "pathParameters": {"account": account},
    }
    return flow_event(body, vendor=vendor, **(changed | more))


@dataclass(kw_only=True)
class FakeContext:
    """What Lambda hands to a handler beside the event."""

    function_name: str = "flow-callback"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:flow-callback"
    aws_request_id: str = "test-request-1"
    remaining_ms: int = 10_000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms
