"""The only wiring.  It is a function's first import, for what its first two lines do."""

import gc

gc.disable()  # init allocates much and frees next to nothing: collections in it cost 5 to 8 % of a cold start (make bench)

# ruff: noqa: E402 -- see above
from dataclasses import dataclass

from .aws.clients import create_clients
from .aws.observability import LogsAndMetrics
from .aws.secrets import SecretsManagerAccounts
from .aws.settings import Environment
from .clock import SystemClock
from .ports import AccountSecrets, Clock, Observer
from .service import RecordingService
from .vendors import ConnectedVendors
from .vendors._exchange import create_client


@dataclass(frozen=True, kw_only=True)
class Offtape:
    """What the functions are made of."""

    accounts: AccountSecrets
    recordings: RecordingService
    clock: Clock
    observer: Observer


def bootstrap(environment: Environment | None = None) -> Offtape:
    """Make everything that a trigger needs, at init: nothing is left for the first caller to wait for."""
    environment = environment or Environment.read()
    clock = SystemClock()
    observer = LogsAndMetrics()
    [secrets_manager] = create_clients("secretsmanager")
    accounts = SecretsManagerAccounts(
        secrets_manager, prefix=environment.secret_prefix, ttl_seconds=environment.secret_ttl_seconds, clock=clock
    )
    vendors = ConnectedVendors(create_client(own_ca=environment.own_ca))
    recordings = RecordingService(accounts=accounts, vendors=vendors, clock=clock, observer=observer)
    gc.freeze()  # what init made is never scanned again; from here collections run as usual
    gc.enable()
    return Offtape(accounts=accounts, recordings=recordings, clock=clock, observer=observer)
