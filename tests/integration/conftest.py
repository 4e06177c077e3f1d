"""What the integration tests share: one local stack for the whole run, and leave to talk to it."""

import contextlib
import json
import secrets as random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local import stack as local_stack
from tests.integration.calls import VENDORS
from tests.integration.insides import LedgerTable, TimerQueue

#: Long enough to be a cache, short enough to wait for.
SECRET_TTL_SECONDS = 1
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests in this folder, and no others, reach 127.0.0.1."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.integration)
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1"]))


@pytest.fixture(name="state", scope="session")
def _state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Name the folder of the stack's state: its logs are there."""
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(name="stack", scope="session")
def _stack(state: Path) -> Iterator[dict[str, Any]]:
    """Run a local stack on free ports, whose functions may do what template.yaml grants them; give its stack.json."""
    with local_stack.running(state=state, secret_ttl=SECRET_TTL_SECONDS, env={"ENFORCE_IAM": "1"}) as described:
        yield described


@pytest.fixture(name="aws", scope="session")
def _aws(stack):
    """Make clients of the stack's AWS."""
    opened = []

    def client(service: Any):
        opened.append(
            boto3.client(
                service,
                endpoint_url=stack["aws_endpoint"],
                region_name=stack["region"],
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
            )
        )
        return opened[-1]

    yield client
    for each in opened:
        each.close()


@pytest.fixture(name="denied", scope="session")
def _denied(aws, stack):
    """Refuse a function actions of AWS as long as a block lasts: what an outage of DynamoDB or SQS looks like to it."""
    iam, functions = aws("iam"), aws("lambda")

    @contextlib.contextmanager
    def denied(function: str, *actions: str) -> Iterator[None]:
        configuration = functions.get_function_configuration(FunctionName=stack["functions"][function])
        named = {"RoleName": configuration["Role"].rpartition("/")[2], "PolicyName": "outage"}
        statement = {"Effect": "Deny", "Action": actions, "Resource": "*"}
        iam.put_role_policy(**named, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        try:
            yield
        finally:
            iam.delete_role_policy(**named)

    return denied


@pytest.fixture(name="account", scope="session")
def _account(aws):
    """Make an account of one's own out of a demo account's secret, and change it as one likes."""
    manager = aws("secretsmanager")

    def create(
        of: str, name: str | None = None, *, only_credentials: dict | None = None, **changes: object
    ) -> tuple[str, str, dict]:
        document = json.loads(manager.get_secret_value(SecretId=f"call-recording/demo-{of}")["SecretString"])
        for section, values in changes.items():
            document[section] = {**document[section], **values} if isinstance(values, dict) else values
        document["credentials"] = only_credentials or document["credentials"]
        name = name or f"test-{random.token_hex(6)}"
        manager.create_secret(Name=f"call-recording/{name}", SecretString=json.dumps(document))
        return name, document["inbound"]["bearer_tokens"][0], document

    return create


@pytest.fixture(name="hurried", scope="session")
def _hurried(account):
    """Give each vendor an account with a short budget: a vendor that only fails then fails sooner."""
    return {vendor: account(vendor, settings={"budget_ms": 900})[:2] for vendor in VENDORS}


@pytest.fixture(name="swift", scope="session")
def _swift(account):
    """Give each vendor an account whose vendor acts within two seconds or never: what is in doubt is so for less long."""
    return {vendor: account(vendor, settings={"in_flight_ms": 2_000})[:2] for vendor in VENDORS}


@pytest.fixture(name="ledger_table", scope="session")
def _ledger_table(aws, stack) -> LedgerTable:
    return LedgerTable(aws("dynamodb"), stack["ledger_table"])


@pytest.fixture(name="timers")
def _timers(aws, stack) -> Iterator[TimerQueue]:
    """Give the queue of the reminders, and leave none in it to other tests."""
    queue = TimerQueue(aws("sqs"), stack["timer_queue_url"])
    yield queue
    queue.lose()


@pytest.fixture(name="sweep", scope="session")
def _sweep(aws, stack):
    """Sweep now."""
    functions = aws("lambda")

    def sweep() -> None:
        answer = functions.invoke(FunctionName=stack["functions"]["pause_deadline"], Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()

    return sweep


@pytest.fixture(name="deliver", scope="session")
def _deliver(aws, stack):
    """Deliver messages as SQS does, in one batch, and wait; give the numbers of those that are given back."""
    functions = aws("lambda")

    def deliver(*bodies: str) -> list[int]:
        received = {"receiptHandle": "none", "attributes": {"ApproximateReceiveCount": "1"}, "eventSource": "aws:sqs"}
        records = [{"messageId": str(number), "body": body, **received} for number, body in enumerate(bodies)]
        answer = functions.invoke(
            FunctionName=stack["functions"]["pause_deadline"], Payload=json.dumps({"Records": records})
        )
        failures = json.loads(answer["Payload"].read())["batchItemFailures"]
        return [int(each["itemIdentifier"]) for each in failures]

    return deliver


@pytest.fixture(name="unswept")
def _unswept(aws) -> Iterator[None]:
    """Let no minute's sweep come: what heals then heals by its reminder."""
    events = aws("events")
    names = [rule["Name"] for rule in events.list_rules()["Rules"]]
    for name in names:
        events.disable_rule(Name=name)
    yield
    for name in names:
        events.enable_rule(Name=name)
