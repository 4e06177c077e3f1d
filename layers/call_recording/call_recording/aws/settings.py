"""The environment of a function, read once into a typed value; nothing else looks at it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .. import redirects
from ..errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What template.yaml tells a function."""

    ledger_table: str
    timer_queue_url: str
    dead_letter_queue_url: str
    ledger_retention_days: int = 400
    secret_prefix: str = "call-recording/"  # noqa: S105 -- where secrets are, not one
    secret_ttl_seconds: float = 60.0
    event_bus_name: str = ""  #: only where events are announced
    public_urls: tuple[str, ...] = ()  #: under which vendors reach the API, beside its own
    own_ca: bool = False  #: the company brings its own certificate authorities (SSL_CERT_FILE or SSL_CERT_DIR)

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "Environment":
        """Read the process's environment.  Raises ConfigurationError if a value is missing or does not fit."""
        retention = _whole_number(environ, "LEDGER_RETENTION_DAYS", "400", "days")
        if retention == 0:
            raise ConfigurationError("LEDGER_RETENTION_DAYS", "must be at least 1")
        return cls(
            ledger_table=_needed(environ, "LEDGER_TABLE", "the DynamoDB table LedgerTable"),
            timer_queue_url=_needed(environ, "TIMER_QUEUE_URL", "the URL of the SQS queue TimerQueue"),
            dead_letter_queue_url=_needed(environ, "DEAD_LETTER_QUEUE_URL", "the URL of the SQS queue DeadLetterQueue"),
            ledger_retention_days=retention,
            secret_prefix=environ.get("SECRET_PREFIX", "call-recording/"),
            secret_ttl_seconds=float(_whole_number(environ, "SECRET_TTL_SECONDS", "60", "seconds")),
            event_bus_name=environ.get("EVENT_BUS_NAME", ""),
            public_urls=_public_urls(environ),
            own_ca=bool(environ.get("SSL_CERT_FILE") or environ.get("SSL_CERT_DIR")),
        )


def _public_urls(environ: Mapping[str, str]) -> tuple[str, ...]:
    urls = tuple(filter(None, environ.get("PUBLIC_URLS", "").split(",")))
    for url in urls:
        target = redirects.parse(url)
        if target is None or not target.encrypted_or_local or not target.bare or url.endswith("/"):
            raise ConfigurationError(
                "PUBLIC_URLS", "must be https URLs (http on loopback), separated by commas, without a slash at the end"
            )
    return urls


def _needed(environ: Mapping[str, str], name: str, what: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise ConfigurationError(name, f"is not set: name {what} in it, as template.yaml does")
    return value


def _whole_number(environ: Mapping[str, str], name: str, default: str, unit: str) -> int:
    value = environ.get(name, default)
    if not (value.isascii() and value.isdigit()):
        raise ConfigurationError(name, f"must be a whole number of {unit}")
    return int(value)
