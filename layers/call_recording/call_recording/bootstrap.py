"""The only wiring.  It is a function's first import, for what its first two lines do."""

import gc

gc.disable()  # init allocates much and frees next to nothing: collections in it cost 5 to 8 % of a cold start (make bench)

# ruff: noqa: E402 -- see above
import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from .aws.aside import ThreadAside
from .aws.clients import create_clients
from .aws.ledgers import DynamoLedgers
from .aws.observability import LogsAndMetrics
from .aws.secrets import SecretsManagerAccounts
from .aws.settings import Environment
from .aws.timers import QueueTimers
from .clock import SystemClock
from .ports import AccountSecrets, Clock, Observer, Timers
from .service import RecordingService
from .vendors import ConnectedVendors
from .vendors._exchange import create_client


@dataclass(frozen=True, kw_only=True)
class Offtape:
    """What the functions are made of."""

    accounts: AccountSecrets
    recordings: RecordingService
    timers: Timers
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
