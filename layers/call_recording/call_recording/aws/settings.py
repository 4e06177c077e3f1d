"""The environment of a function, read once into a typed value; nothing else looks at it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What template.yaml tells a function."""

    secret_prefix: str = "call-recording/"  # noqa: S105 -- where secrets are, not one
    secret_ttl_seconds: float = 60.0
    own_ca: bool = False  #: the company brings its own certificate authorities (SSL_CERT_FILE or SSL_CERT_DIR)

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "Environment":
        """Read the process's environment.  Raises ConfigurationError if a value does not fit."""
        ttl = environ.get("SECRET_TTL_SECONDS", "60")
        if not (ttl.isascii() and ttl.isdigit()):
            raise ConfigurationError("SECRET_TTL_SECONDS", "must be a whole number of seconds")
        return cls(
            secret_prefix=environ.get("SECRET_PREFIX", "call-recording/"),
            secret_ttl_seconds=float(ttl),
            own_ca=bool(environ.get("SSL_CERT_FILE") or environ.get("SSL_CERT_DIR")),
        )
