"""What AWS's errors tell: whether something was carried out, was certainly not, or nobody knows."""

from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
)

#: What botocore raises for an answer that is no success, and where there is no readable answer.
AWS_ERRORS: Final = (ClientError, BotoCoreError)

#: Refused before anything was done, and to be tried again:
#: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
_THROTTLED: Final = frozenset({"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"})
#: No connection was made, so nothing was sent.
_NOT_SENT: Final = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)


def reason(exc: Exception) -> str:
    """Say what failed, without what was asked for or answered."""
    if isinstance(exc, ClientError):
        return str(exc.response["Error"]["Code"])
    return type(exc).__name__


def not_carried_out(exc: Exception) -> bool:
    """Whether AWS certainly did nothing, and may well do it the next time."""
    return isinstance(exc, _NOT_SENT) or reason(exc) in _THROTTLED


def refused(exc: Exception) -> bool:
    """Whether AWS certainly did nothing, and will not the next time either: access denied, say."""
    return isinstance(exc, ClientError) and not not_carried_out(exc) and _http_status(exc) < 500


def may_be_read_again(exc: Exception) -> bool:
    """Whether a read is worth another try: it does no harm, whatever came of the first."""
    return not refused(exc)


def _http_status(exc: ClientError) -> int:
    return int(exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
