"""The accounts' secrets, from AWS Secrets Manager.

A cache of our own instead of powertools' parameters: those cost each cold start 6 to 9 % (`make bench` has the run), have
no last good value for an outage, and remember no unknown names.
"""

from collections import OrderedDict
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError

from ..account import NAME, AccountSecret
from ..errors import UnavailableError
from ..ports import Clock
from .failures import AWS_ERRORS, reason

#: How many accounts are remembered, those that do not exist included: guessing names must not fill the memory.
MAX_REMEMBERED: Final = 1024
#: After Secrets Manager failed, the last good value is used this long before it is asked again, seconds.
RETRY_SECONDS: Final = 5.0

# A secret that is marked for deletion is refused with InvalidRequestException: its owner took the account away.
_GONE = frozenset({"ResourceNotFoundException", "InvalidRequestException"})


class SecretsManagerClient(Protocol):
    """The one operation that is used of botocore's client."""

    def get_secret_value(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803 -- as AWS names it
        """Return the current version of a secret."""


class SecretsManagerAccounts:
    """Reads each account's secret at most once in *ttl_seconds*, and keeps the last good one through an outage."""

    def __init__(self, client: SecretsManagerClient, *, prefix: str, ttl_seconds: float, clock: Clock) -> None:
        self._client = client
        self._prefix = prefix
        self._ttl_seconds = ttl_seconds
        self._clock = clock
        self._remembered: OrderedDict[str, tuple[AccountSecret | None, float]] = OrderedDict()

    def get(self, name: str, *, refresh: bool = False) -> AccountSecret | None:
        """Return the secret of the account *name*, or None if there is none.  Raises UnavailableError."""
        if not NAME.fullmatch(name):
            return None
        last, ask_again_at = self._remembered.get(name, (None, 0.0))
        if name in self._remembered and self._clock.monotonic() < ask_again_at and not refresh:
            return last
        try:
            secret = self._fetch(name)
        except AWS_ERRORS as exc:
            if name not in self._remembered:
                raise UnavailableError(f"Secrets Manager: {reason(exc)}") from exc
            return self._remember(name, last, RETRY_SECONDS)
        if secret == last:
            secret = last  # as parsed before, and with it the vendor's token
        return self._remember(name, secret, self._ttl_seconds)

    def _fetch(self, name: str) -> AccountSecret | None:
        try:
            answer = self._client.get_secret_value(SecretId=self._prefix + name)
        except ClientError as exc:
            if exc.response["Error"]["Code"] in _GONE:
                return None
            raise
        return AccountSecret(name, answer.get("SecretString", ""))

    def _remember(self, name: str, secret: AccountSecret | None, seconds: float) -> AccountSecret | None:
        self._remembered[name] = secret, self._clock.monotonic() + seconds
        self._remembered.move_to_end(name)
        while len(self._remembered) > MAX_REMEMBERED:
            self._forget_one()
        return secret

    def _forget_one(self) -> None:
        """Forget the unknown name that was asked for longest ago; an account only if all are accounts."""
        unknown = next((name for name, (secret, _) in self._remembered.items() if secret is None), None)
        self._remembered.pop(unknown if unknown is not None else next(iter(self._remembered)))
