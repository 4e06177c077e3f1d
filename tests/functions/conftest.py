"""The functions as Lambda loads them, with the outside faked."""

import importlib.util
import io
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from call_recording.aws import observability
from call_recording.aws.ledgers import DynamoLedgers
from call_recording.aws.timers import QueueTimers
from tests.unit.aws.fake_aws import FakeDynamo, FakeSqs
from tests.unit.fakes import Assembled, FakeClock, FakePlatforms, FakeSecretsManager, assemble, demo_secrets

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
