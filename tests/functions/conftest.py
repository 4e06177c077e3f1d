"""The functions as Lambda loads them, with the outside faked."""

import importlib.util
import io
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from call_recording.aws import observability
from call_recording.aws.ledgers import DynamoLedgers
from call_recording.aws.timers import QueueTimers
from call_recording.inbound.flows import FlowCallbacks
from call_recording.inbound.webhooks import VendorWebhooks
from call_recording.ledger import CallLedger
from call_recording.model import Call
from tests.unit.aws.fake_aws import FakeDynamo, FakeSqs
from tests.unit.fakes import (
    CALLS,
    CHANNEL_ID,
    Assembled,
    FakeClock,
    FakeContext,
    FakePlatforms,
    FakeSecretsManager,
    assemble,
    demo_secrets,
    flow_event,
)

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "placeholder",
    "AWS_SECRET_ACCESS_KEY": "placeholder",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "POWERTOOLS_SERVICE_NAME": "offtape-test",
    "POWERTOOLS_METRICS_NAMESPACE": "Offtape",
    "SECRET_PREFIX": "call-recording/",
    "SECRET_TTL_SECONDS": "60",
    "LEDGER_TABLE": "offtape-ledger",
    "TIMER_QUEUE_URL": "https://sqs.example.com/timer",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.example.com/dead-letters",
}


@pytest.fixture(name="load_app", scope="session")
def _load_app() -> Iterator[Callable[[str], ModuleType]]:
    """Load a function's app.py as Lambda does: as a module of its own, in an environment like template.yaml's."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)

        def load(name: str) -> ModuleType:
            spec = importlib.util.spec_from_file_location(f"{name}_app", ROOT / "functions" / name / "app.py")
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module

        yield load


@pytest.fixture(name="clock")
def _clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(name="platforms")
def _platforms() -> FakePlatforms:
    return FakePlatforms()


@pytest.fixture(name="secrets_manager")
def _secrets_manager() -> FakeSecretsManager:
    return FakeSecretsManager(demo_secrets())


@pytest.fixture(name="dynamo")
def _dynamo() -> FakeDynamo:
    return FakeDynamo()


@pytest.fixture(name="sqs")
def _sqs() -> FakeSqs:
    return FakeSqs()


@pytest.fixture(name="parts")
def _parts(secrets_manager, platforms, dynamo, sqs, clock) -> Assembled:
    """What the functions are made of, with the real stores, logs and metrics, on clients of AWS that are faked."""
    return assemble(
        secrets_manager=secrets_manager,
        platforms=platforms,
        clock=clock,
        observer=observability.LogsAndMetrics(),
        ledgers=DynamoLedgers(dynamo, table=ENVIRONMENT["LEDGER_TABLE"], retention_days=400, clock=clock),
        timers=QueueTimers(
            sqs,
            timer_queue_url=ENVIRONMENT["TIMER_QUEUE_URL"],
            dead_letter_queue_url=ENVIRONMENT["DEAD_LETTER_QUEUE_URL"],
            clock=clock,
        ),
    )


@pytest.fixture(name="written", autouse=True)
def _written(monkeypatch, capsys) -> Iterator[Callable[[], str]]:
    """Return a function that reads all that was logged, by anybody and at any level, and the metrics."""
    stream = io.StringIO()
    everything = logging.StreamHandler(stream)
    root = logging.getLogger()
    level, own_level = root.level, observability.logger.log_level
    root.addHandler(everything)
    root.setLevel(logging.DEBUG)
    observability.logger.setLevel(logging.DEBUG)
    monkeypatch.setattr(observability.logger.registered_handler, "stream", stream)
    monkeypatch.setattr(observability.metrics.provider, "namespace", "Offtape")
    observability.metrics.provider.clear_metrics()
    printed = io.StringIO()

    def read() -> str:
        out, err = capsys.readouterr()
        printed.write(out + err)
        return stream.getvalue() + printed.getvalue()

    yield read
    root.removeHandler(everything)
    root.setLevel(level)
    observability.logger.setLevel(own_level)
    observability.metrics.provider.clear_metrics()


@pytest.fixture(name="webhook_app", scope="session")
def _webhook_app(load_app) -> ModuleType:
    return load_app("vendor_webhook")


@pytest.fixture(name="deliver")
def _deliver(webhook_app, parts, monkeypatch) -> Callable[..., dict[str, Any]]:
    """Return a function that hands an event to the handler of /webhooks, as Lambda does."""
    webhooks = VendorWebhooks(
        accounts=parts.accounts, recordings=parts.recordings, clock=parts.clock, observer=parts.observer
    )
    monkeypatch.setattr(webhook_app, "webhooks", webhooks)

    def deliver(event: dict[str, Any], *, remaining_ms: int = 10_000) -> dict[str, Any]:
        return webhook_app.lambda_handler(event, FakeContext(remaining_ms=remaining_ms))

    return deliver


@pytest.fixture(name="enter")
def _enter(parts, platforms) -> Callable[[str], None]:
    """Return a function that has the call of a vendor enter a step; what the vendor was asked for that is forgotten."""
    flows = FlowCallbacks(
        accounts=parts.accounts, recordings=parts.recordings, clock=parts.clock, observer=parts.observer
    )

    def enter(vendor: str) -> None:
        body = {"call_id": CALLS[vendor], "channel_id": CHANNEL_ID}
        assert flows.answer(flow_event(body, vendor=vendor), seconds_left=10.0)["statusCode"] == 200
        platforms.requests.clear()
        observability.metrics.provider.clear_metrics()  # as the end of an invocation does

    return enter


@pytest.fixture(name="ledger")
def _ledger(dynamo, clock) -> Callable[[str], CallLedger]:
    """Return a function that reads the ledger of a vendor's call, as it is in the table."""
    ledgers = DynamoLedgers(dynamo, table=ENVIRONMENT["LEDGER_TABLE"], retention_days=400, clock=clock)
    return lambda vendor: ledgers.load(f"demo-{vendor}", Call(call_id=CALLS[vendor]))
