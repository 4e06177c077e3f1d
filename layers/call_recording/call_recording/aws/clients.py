"""Clients of AWS.

botocore directly, which is boto3's core: `import boto3` adds 60 modules (7 % of each cold start, `make bench`) that clients do not use.
"""

from typing import Any, Final

import botocore.session
from botocore.config import Config

#: In-region calls take milliseconds.  These bound what an outage can take from a pause's budget, in seconds;
#: nothing is retried below us, because whoever waits for a pause cannot wait for two of these.
CONNECT_SECONDS: Final = 0.5
READ_SECONDS: Final = 1.0


def create_clients(*services: str) -> list[Any]:
    """Return a client for each of *services*, all from one session."""
    session = botocore.session.get_session()
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
        tcp_keepalive=True,
        max_pool_connections=4,
    )
    return [session.create_client(service, config=config) for service in services]
