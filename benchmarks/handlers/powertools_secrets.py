"""flow_callback, with powertools' SecretsProvider in the place of its own cache."""

from typing import Any

from call_recording import bootstrap  # isort: skip -- first, as in flow_callback

from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from call_recording.account import AccountSecret
from call_recording.ports import Clock


class PowertoolsAccounts:
    """The accounts' secrets, without last good values and remembered unknown names."""

    def __init__(self, client: Any, *, prefix: str, ttl_seconds: float, clock: Clock) -> None:
        self._provider = SecretsProvider(boto3_client=client)
        self._prefix = prefix
        self._ttl_seconds = int(ttl_seconds)
        self._clock = clock

    def get(self, name: str, *, refresh: bool = False) -> AccountSecret | None:
        """Return the secret of an account."""
        try:
            text = self._provider.get(self._prefix + name, max_age=self._ttl_seconds, force_fetch=refresh)
        except GetParameterError:
            return None
        return AccountSecret(name, str(text))


vars(bootstrap)["SecretsManagerAccounts"] = PowertoolsAccounts

from app import lambda_handler  # type: ignore[import-not-found]  # noqa: E402 -- must find it changed

__all__ = ["lambda_handler"]
