"""Twilio and Secrets Manager on 127.0.0.1: the local stack's simulators and ministack, without its functions and API."""

import contextlib
import json
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.relay import Relay
from benchmarks.tls import Authority
from local import deployment, emulator, startup
from local.accounts import Account, demo_accounts

#: What the report says about it.
DESCRIPTION: Final = "ministack (Secrets Manager) and local.simulators (Twilio) on 127.0.0.1"
READS_A_SECRET: Final = b"secretsmanager.GetSecretValue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where they are."""

    aws_url: str
    vendor_url: str
    control: str
    account: Account = field(repr=False)
    #: The way to AWS, on which the reads of secrets are counted.
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
        aws = Relay(port, phrase=READS_A_SECRET, tls=tls)
        vendor_url = simulators["vendors"]["twilio"]
        if tls:
            vendor = Relay(urlsplit(vendor_url).port or 0, phrase=b"", tls=tls)
            vendor_url = await cleanup.enter_async_context(vendor.listening())
        deployment.store_secrets(emulator.endpoint(port), [twilio], {"twilio": vendor_url})
        yield Surroundings(
            aws_url=await cleanup.enter_async_context(aws.listening()),
            vendor_url=vendor_url,
            control=simulators["control"],
            account=twilio,
            aws=aws,
            authority=authority,
        )
