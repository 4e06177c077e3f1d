"""What is measured: each arrangement is a handler, its packages, and what it is compared with."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.packages import Built
from benchmarks.runtime_api import Function
from benchmarks.surroundings import Surroundings
from local import emulator


class Table(enum.Enum):
    """Where an arrangement is shown, and what its ratios are to."""

    COLD = "peer"
    CHOICES = "deployed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """One way to pause a recording."""

    name: str
    label: str
    handler: str
    #: The layer's variant; None for the peer's packages.
    layer: str | None = "deployed"
    peer_has_bytecode: bool = True
    table: Table = Table.CHOICES
    #: Whether only TLS makes a difference to it.
    needs_tls: bool = False
    #: Whether it is measured warm too.
    warm: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether it is flow_callback, wrapped or not."""
        return self.handler not in {"peer", "bare_httpx", "empty"}


DEPLOYED: Final = "deployed"
PEER: Final = "peer"
BARE: Final = "bare-httpx"
CONTROL: Final = "control"

ARRANGEMENTS: Final = (
    Arrangement(name=DEPLOYED, label="flow_callback, as deployed", handler="app", table=Table.COLD, warm=True),
    Arrangement(name=PEER, label="peer: Twilio SDK + boto3", handler="peer", layer=None, table=Table.COLD, warm=True),
    Arrangement(
        name="no-bytecode",
        label="flow_callback, no bytecode in the layer",
        handler="app",
        layer="no-bytecode",
        table=Table.COLD,
    ),
    Arrangement(
        name="peer-no-bytecode",
        label="peer, no bytecode in its package",
        handler="peer",
        layer=None,
        peer_has_bytecode=False,
        table=Table.COLD,
    ),
    Arrangement(name=BARE, label="bare httpx: one POST, no secret", handler="bare_httpx", table=Table.COLD, warm=True),
    Arrangement(name="empty", label="empty handler: the floor", handler="empty", table=Table.COLD, warm=True),
    Arrangement(name=CONTROL, label="control: the same once more", handler="as_deployed"),
    Arrangement(name="no-cuts", label="whole dependencies, no CA folder", handler="app", layer="no-cuts"),
    Arrangement(name="no-gc-freeze", label="garbage collector left alone", handler="no_gc_freeze"),
    Arrangement(name="import-boto3", label="`import boto3`, not botocore", handler="import_boto3"),
    Arrangement(name="powertools-secrets", label="powertools' SecretsProvider", handler="powertools_secrets"),
    Arrangement(name="whole-ca-bundle", label="certifi's bundle, not the CA folder", handler="whole_ca_bundle"),
    Arrangement(
        name="whole-aws-bundle",
        label="certifi's bundle for AWS, not the CA folder",
        handler="whole_aws_bundle",
        needs_tls=True,
    ),
)


def function(arrangement: Arrangement, built: Built, surroundings: Surroundings) -> Function:
    """Deploy an arrangement."""
    packages: tuple[Path, ...]
    if arrangement.layer is None:
        packages = (built.peer if arrangement.peer_has_bytecode else built.peer_no_bytecode, built.runtime)
    else:
        packages = (built.layers[arrangement.layer],)
    return Function(
        python=built.python,
        task=built.tasks / ("flow_callback" if arrangement.is_ours else "others"),
        packages=packages,
        handler=f"{arrangement.handler}.lambda_handler",
        variables=variables(surroundings),
    )


def variables(surroundings: Surroundings) -> Mapping[str, str]:
    """Give every function the same environment: of Lambda, of template.yaml, and what the bare call needs."""
    credentials = surroundings.account.credentials
    return {
        **emulator.CREDENTIALS,
        "AWS_REGION": emulator.REGION,
        "AWS_DEFAULT_REGION": emulator.REGION,
        "AWS_ENDPOINT_URL": surroundings.aws_url,
        "POWERTOOLS_METRICS_NAMESPACE": "Offtape",
        "POWERTOOLS_SERVICE_NAME": "flow_callback",
        "SECRET_PREFIX": "call-recording/",
        "SECRET_TTL_SECONDS": "60",
        "PUBLIC_URLS": "",
        **surroundings.stores,
        "VENDOR_URL": surroundings.vendor_url,
        "ACCOUNT_SID": credentials["account_sid"],
        "AUTH_TOKEN": credentials["auth_token"],
    }
