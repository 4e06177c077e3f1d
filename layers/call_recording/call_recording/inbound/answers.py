"""The one table from our errors to HTTP, and the bodies that callers get.

What is not a 200 is a problem (RFC 9457).  Its `status` is the HTTP status, as that RFC has it; the status that
the result has under this name is there as `recording_status`.
"""

import json
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from .. import errors
from ..model import Verdict
from ..outcome import Outcome

Answer = dict[str, Any]

HTTP_STATUSES: Mapping[type[Exception], HTTPStatus] = {
    errors.UnknownAccountError: HTTPStatus.UNAUTHORIZED,
    errors.UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.UnsupportedActionError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidTriggerError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnreadableBodyError: HTTPStatus.BAD_REQUEST,
    errors.BodyTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.UnsupportedMediaTypeError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.CardDataError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotRecordingError: HTTPStatus.CONFLICT,
    errors.OutcomeUnknownError: HTTPStatus.GATEWAY_TIMEOUT,
    errors.UnconfirmedError: HTTPStatus.BAD_GATEWAY,
    errors.VendorResponseError: HTTPStatus.BAD_GATEWAY,
    errors.AuthenticationError: HTTPStatus.BAD_GATEWAY,
    errors.RecordingNotFoundError: HTTPStatus.NOT_FOUND,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.RateLimitedError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ConfigurationError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

#: What each error tells a caller to do.
TITLES: Mapping[type[Exception], str] = {
    errors.UnavailableError: "A service that Offtape needs does not answer: do not collect the card",
    errors.UnsupportedActionError: "This vendor has no such action",
    errors.InvalidTriggerError: "A field does not fit",
    errors.UnreadableBodyError: "The body cannot be read",
    errors.BodyTooLargeError: "The body is too large",
    errors.UnsupportedMediaTypeError: "The content type is not supported",
    errors.CardDataError: "Card data was sent here: point the payment connector elsewhere, at once",
    errors.NotRecordingError: "Nothing is being recorded on this call, and the account does not accept that",
    errors.OutcomeUnknownError: "The vendor gave no readable answer in time: do not collect the card",
    errors.UnconfirmedError: "It is not proven that every recording is as asked: do not collect the card",
    errors.VendorResponseError: "The vendor refused",
    errors.AuthenticationError: "The vendor refused the account's credentials",
    errors.RecordingNotFoundError: "The vendor knows no such call or recording",
    errors.ConflictError: "The call is over, or the recording cannot change",
    errors.RateLimitedError: "The vendor limits the rate of requests",
    errors.ConfigurationError: "The account's secret does not fit: its owner has to mend it",
}

# What was found out before a vendor was asked, where the interface has a verdict for it.
_VERDICTS: Mapping[type[Exception], Verdict] = {
    errors.UnavailableError: Verdict.UNKNOWN,
    errors.UnsupportedActionError: Verdict.FAILED,
    errors.InvalidTriggerError: Verdict.FAILED,
    errors.CardDataError: Verdict.FAILED,
}

#: One body for whoever has not proven anything, whatever the reason.
_UNAUTHORIZED: Final = json.dumps({"type": "about:blank", "title": "Unauthorized", "status": 401})


def of_outcome(outcome: Outcome) -> Answer:
    """Answer with a result: 200 exactly when what was asked for holds."""
    if outcome.error is None:
        return answer_of(HTTPStatus.OK, "application/json", json.dumps(outcome.as_dict()))
    headers = {} if outcome.retry_after is None else {"retry-after": str(math.ceil(outcome.retry_after))}
    result = outcome.as_dict()
    result["recording_status"] = result.pop("status")  # in a problem, `status` is the HTTP status
    return _problem(outcome.error, result, headers)


def of_error(error: Exception) -> Answer:
    """Answer without a result: nothing was asked of any vendor."""
    if isinstance(error, errors.UnknownAccountError):
        # the challenge is what makes some clients send the user:password@ of a URL at all
        return answer_of(
            HTTPStatus.UNAUTHORIZED,
            "application/problem+json",
            _UNAUTHORIZED,
            {"www-authenticate": 'Basic realm="offtape"'},
        )
    members: dict[str, Any] = {"safe_to_collect": False}
    if type(error) in _VERDICTS:
        members["verdict"] = _VERDICTS[type(error)]
    if isinstance(error, errors.InvalidTriggerError | errors.ConfigurationError):
        members |= {"detail": str(error), "field": error.field}
    elif isinstance(error, errors.UnsupportedActionError):
        members["detail"] = str(error)
    return _problem(type(error), members, {})


def _problem(error: type[Exception], members: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
    status = HTTP_STATUSES[error]
    body = {**members, "type": "about:blank", "title": TITLES[error], "status": status, "error": error.__name__}
    return answer_of(status, "application/problem+json", json.dumps(body), headers)


def of_nothing() -> Answer:
    """Acknowledge what nobody waits for an answer to."""
    return {"statusCode": int(HTTPStatus.NO_CONTENT), "headers": {"cache-control": "no-store"}}


def answer_of(status: HTTPStatus, content_type: str, body: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Answer as API Gateway takes it, payload format 2.0."""
    return {
        "statusCode": int(status),
        "headers": {"content-type": content_type, "cache-control": "no-store", **(headers or {})},
        "body": body,
        "isBase64Encoded": False,
    }
