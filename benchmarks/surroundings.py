"""Twilio and AWS on 127.0.0.1: the local stack's simulators and ministack, without its functions and API."""

import contextlib
import json
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import boto3

from benchmarks.relay import Relay
from benchmarks.tls import Authority
from local import deployment, emulator, startup, template
from local.accounts import Account, demo_accounts
from local.environments import ROOT

#: What the report says about it.
DESCRIPTION: Final = "ministack (AWS) and local.simulators (Twilio) on 127.0.0.1"
#: How requests to AWS are told apart: by the header X-Amz-Target.
READS_A_SECRET: Final = b"secretsmanager.GetSecretValue"
ASKS_DYNAMODB: Final = b"DynamoDB_20120810."
SENDS_A_MESSAGE: Final = b"AmazonSQS.SendMessage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where they are."""

    aws_url: str
    vendor_url: str
    control: str
    account: Account = field(repr=False)
    #: The variables that name the ledgers' table and the queues.
    stores: dict[str, str]
    #: The way to AWS, on which requests are counted.
    aws: Relay
    authority: Authority | None

    def start_call(self) -> str:
        """Let a call begin that is recorded, and return its id."""
        request = urllib.request.Request(
            f"{self.control}/calls",
            data=json.dumps({"vendor": "twilio", "recordings": 1}).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(json.load(answer)["call_id"])

    def recording_status(self, call_id: str) -> str:
        """Return the true state of a call's recording."""
        with urllib.request.urlopen(f"{self.control}/calls/{call_id}", timeout=10) as answer:
            [recording] = json.load(answer)["recordings"]
        return str(recording["status"])


@contextlib.asynccontextmanager
async def running(folder: Path, authority: Authority | None) -> AsyncIterator[Surroundings]:
    """Start both, behind TLS if there is an authority, and store the account's secret."""
    scratch, logs = startup.fresh(folder / "scratch"), startup.fresh(folder / "logs")
    accounts = demo_accounts()
    [twilio] = [account for account in accounts if account.vendor == "twilio"]
    port = startup.free_port()
    tls = authority.context() if authority else None
    async with contextlib.AsyncExitStack() as cleanup:
        children = [startup.start_emulator(port, scratch, logs), startup.start_simulators(logs)]
        for child in children:
            cleanup.callback(child.stop)
        children[1].tell(json.dumps(startup.simulators_order(accounts)))
        startup.wait_for_emulator(children[0], port)
        simulators: dict[str, Any] = json.loads(children[1].hear())
        aws = Relay(port, phrases=(READS_A_SECRET, ASKS_DYNAMODB, SENDS_A_MESSAGE), tls=tls)
        vendor_url = simulators["vendors"]["twilio"]
        if tls:
            vendor = Relay(urlsplit(vendor_url).port or 0, tls=tls)
            vendor_url = await cleanup.enter_async_context(vendor.listening())
        deployment.store_secrets(emulator.endpoint(port), [twilio], {"twilio": vendor_url})
        yield Surroundings(
            aws_url=await cleanup.enter_async_context(aws.listening()),
            vendor_url=vendor_url,
            control=simulators["control"],
            account=twilio,
            stores=make_stores(emulator.endpoint(port)),
            aws=aws,
            authority=authority,
        )


def make_stores(endpoint: str) -> dict[str, str]:
    """Make the ledgers' table, of the template's shape, and the queues, which nobody empties."""
    table = template.read(ROOT / "template.yaml")["Resources"]["LedgerTable"]["Properties"]
    shape = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    client = boto3.client("dynamodb", **deployment.connection(endpoint))
    client.create_table(TableName="ledgers", **{part: table[part] for part in shape})
    sqs = boto3.client("sqs", **deployment.connection(endpoint))
    return {
        "LEDGER_TABLE": "ledgers",
        "LEDGER_RETENTION_DAYS": "400",
        "TIMER_QUEUE_URL": sqs.create_queue(QueueName="timers")["QueueUrl"],
        "DEAD_LETTER_QUEUE_URL": sqs.create_queue(QueueName="dead-letters")["QueueUrl"],
    }
