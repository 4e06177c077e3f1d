"""Step Functions, whose tasks wait for a token to come back."""

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError

from ..awaiting import Completion, Ended
from ..errors import UnavailableError
from ..ledger_parts import as_text
from .failures import AWS_ERRORS, reason

#: Map an end that a workflow has to branch on: the error that its task fails with.
ERRORS: Mapping[Ended, str] = {
    Ended.EXPIRED: "PauseExpiredError",
    Ended.CALL_OVER: "CallOverError",
    Ended.SUPERSEDED: "ConflictError",
}
#: Worth another try.  Any other refusal stays one (the token is gone, or its workflow's key is out of reach), and must not
#: keep what happened to other calls from being told; that workflow's own timeout ends its wait.
#: https://docs.aws.amazon.com/step-functions/latest/apireference/CommonErrors.html
_LATER: Final = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "KmsThrottlingException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
    }
)


class StatesClient(Protocol):
    """The two operations that are used of botocore's client."""

    def send_task_success(self, **request: Any) -> dict[str, Any]:
        """Complete a task."""

    def send_task_failure(self, **request: Any) -> dict[str, Any]:
        """Fail a task."""


class StepFunctions:
    """Tells workflows that what they wait for has ended.  A token is never logged, and never in an error's text."""

    def __init__(self, client: StatesClient) -> None:
        self._client = client

    def complete(self, completion: Completion) -> bool:
        """Tell it; False if nobody can be told, as whoever waited has gone, say.  Raises UnavailableError: then another time."""
        result: dict[str, Any] = {"ended": completion.ended, "step": completion.step}
        if (pause := completion.pause) is not None:
            result["pause"] = {"id": pause.pause_id, "deadline": as_text(pause.deadline)}
        told = json.dumps(result)
        try:
            if completion.ended in ERRORS:
                error = ERRORS[completion.ended]
                self._client.send_task_failure(taskToken=completion.token, error=error, cause=told)
            else:
                self._client.send_task_success(taskToken=completion.token, output=told)
        except AWS_ERRORS as exc:
            if isinstance(exc, ClientError) and exc.response["Error"]["Code"] not in _LATER:
                return False
            raise UnavailableError(f"Step Functions: {reason(exc)}") from None  # the cause would quote the token
        return True
