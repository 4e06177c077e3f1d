"""Clients of AWS.

botocore directly, which is boto3's core: `import boto3` adds 60 modules (7 % of each cold start, `make bench`) that clients do not use.
"""

from pathlib import Path
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.httpsession import URLLib3Session

#: In-region calls take milliseconds.  These bound what an outage can take from a pause's budget, in seconds;
#: nothing is retried below us, because whoever waits for a pause cannot wait for two of these.
CONNECT_SECONDS: Final = 0.5
READ_SECONDS: Final = 1.0


#: certifi's roots, each in a file that is named by its subject's hash.  build_layer.py makes it; in a checkout it is absent.
CA_FOLDER: Final = Path(__file__).parents[1] / "ca"


class HashedRootsSession(URLLib3Session):
    """botocore's, but OpenSSL reads the one root that it needs, from a folder.

    botocore has urllib3 parse certifi's whole bundle for each new connection: 16 ms, three times in a cold start, which
    is a fifth of it (`make bench`).  The roots are the same.  Whoever names another bundle (AWS_CA_BUNDLE)
    gets that one.
    """

    def _setup_ssl_cert(self, conn: Any, url: str, verify: bool | str) -> None:  # noqa: FBT001 -- as botocore calls it
        super()._setup_ssl_cert(conn, url, verify)  # type: ignore[misc]
        if verify is True and CA_FOLDER.is_dir():
            conn.ca_certs, conn.ca_cert_dir = None, str(CA_FOLDER)


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
    clients = [session.create_client(service, config=config) for service in services]
    for client in clients:
        # there is no option for it; a test tells when botocore does it another way
        client._endpoint.http_session.__class__ = HashedRootsSession  # type: ignore[attr-defined]  # noqa: SLF001
    return clients
