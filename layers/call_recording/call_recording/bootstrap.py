"""The only wiring.  It is a function's first import, for what its first two lines do."""

import gc

gc.disable()  # init allocates much and frees next to nothing: collections in it cost 5 to 8 % of a cold start (make bench)

# ruff: noqa: E402 -- see above
import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .aws.aside import ThreadAside
from .aws.clients import create_clients
from .aws.ledgers import DynamoLedgers
from .aws.observability import LogsAndMetrics
from .aws.secrets import SecretsManagerAccounts
from .aws.settings import Environment
from .aws.timers import QueueTimers
from .clock import SystemClock
from .errors import ConfigurationError
from .ports import AccountSecrets, Clock, Observer
from .service import RecordingService
from .vendors import ConnectedVendors
from .vendors._exchange import create_client

if TYPE_CHECKING:
    from .aws.workflows import StepFunctions
    from .inbound.ledger_stream import LedgerStream


@dataclass(frozen=True, kw_only=True)
class Offtape:
    """What the functions are made of."""

    accounts: AccountSecrets
    recordings: RecordingService
    timers: QueueTimers
    clock: Clock
    observer: Observer
    public_urls: Sequence[str]


def bootstrap(environment: Environment | None = None) -> Offtape:
    """Make everything that a trigger needs, at init: nothing is left for the first caller to wait for."""
    environment = environment or Environment.read()
    clock = SystemClock()
    observer = LogsAndMetrics()
    secrets_manager, dynamodb, sqs = create_clients("secretsmanager", "dynamodb", "sqs")
    accounts = SecretsManagerAccounts(
        secrets_manager, prefix=environment.secret_prefix, ttl_seconds=environment.secret_ttl_seconds, clock=clock
    )
    vendors = ConnectedVendors(create_client(own_ca=environment.own_ca))
    timers = QueueTimers(
        sqs,
        timer_queue_url=environment.timer_queue_url,
        dead_letter_queue_url=environment.dead_letter_queue_url,
        clock=clock,
    )
    recordings = RecordingService(
        accounts=accounts,
        vendors=vendors,
        ledgers=DynamoLedgers(
            dynamodb, table=environment.ledger_table, retention_days=environment.ledger_retention_days, clock=clock
        ),
        timers=timers,
        aside=ThreadAside(),
        clock=clock,
        observer=observer,
        jitter=random.random,
        nonce=lambda: secrets.token_hex(12),
    )
    gc.freeze()  # what init made is never scanned again; from here collections run as usual
    gc.enable()
    return Offtape(
        accounts=accounts,
        recordings=recordings,
        timers=timers,
        clock=clock,
        observer=observer,
        public_urls=environment.public_urls,
    )


def bootstrap_stream(environment: Environment | None = None) -> "LedgerStream":
    """Make what announces, and tells workflows: it needs no vendor and no secret."""
    # only one function pays for these imports: none of them is on a pause's way
    from .aws.bus import EventBus  # noqa: PLC0415
    from .aws.workflows import StepFunctions  # noqa: PLC0415
    from .inbound.ledger_stream import LedgerStream  # noqa: PLC0415

    environment = environment or Environment.read()
    if not environment.event_bus_name:
        raise ConfigurationError("EVENT_BUS_NAME", "is not set: name the bus EventBus in it, as template.yaml does")
    clock = SystemClock()
    events, states, dynamodb = create_clients("events", "stepfunctions", "dynamodb")
    return LedgerStream(
        bus=EventBus(events, name=environment.event_bus_name),
        workflows=StepFunctions(states),
        ledgers=DynamoLedgers(
            dynamodb, table=environment.ledger_table, retention_days=environment.ledger_retention_days, clock=clock
        ),
        clock=clock,
        observer=LogsAndMetrics(),
    )


def bootstrap_workflows() -> "StepFunctions":
    """Make what tells workflows; only the functions that do so pay for it."""
    from .aws.workflows import StepFunctions  # noqa: PLC0415

    (states,) = create_clients("stepfunctions")
    return StepFunctions(states)
