"""What callers are answered."""

import inspect
import json

import pytest

from call_recording import errors
from call_recording.inbound import answers
from call_recording.model import Action, Call, Proof, Recording, RecordingStatus, Trigger, Verdict
from call_recording.outcome import Outcome

PAUSED = Recording(
    recording_id="RE1", call_id="CA1", status=RecordingStatus.PAUSED, vendor_status="paused", proof=Proof.OBSERVED
)


def outcome(error=None, *, action=Action.PAUSE, retry_after=None, verdict=Verdict.CONFIRMED) -> Outcome:
    """Return what came of a trigger."""
    return Outcome(
        trigger=Trigger(account="acme", action=action, step="card-entry", call=Call(call_id="CA1")),
        vendor="twilio",
        verdict=verdict,
        error=error,
        recordings=(PAUSED,),
        elapsed_ms=212,
        retry_after=retry_after,
    )


class TestOutcomes:
    """Answers with a result."""

    def test_what_holds_is_a_200_with_the_result(self):
        """A pause that is proven is answered with 200 and the whole result."""
        answer = answers.of_outcome(outcome())

        assert answer["statusCode"] == 200
        assert answer["isBase64Encoded"] is False
        assert answer["headers"] == {"content-type": "application/json", "cache-control": "no-store"}
        assert json.loads(answer["body"]) == {
            "safe_to_collect": True,
            "verdict": "confirmed",
            "action": "pause",
            "status": "paused",
            "proof": "observed",
            "account": "acme",
            "vendor": "twilio",
            "call_id": "CA1",
            "step": "card-entry",
            "recordings": [{"recording_id": "RE1", "status": "paused", "vendor_status": "paused", "proof": "observed"}],
            "pause": None,
            "elapsed_ms": 212,
        }

    @pytest.mark.parametrize("action", [Action.RESUME, Action.STOP])
    def test_only_a_pause_is_ever_safe(self, action):
        """Whoever leaves or stops is never told to collect a card."""
        answer = answers.of_outcome(outcome(action=action))

        assert answer["statusCode"] == 200
        assert json.loads(answer["body"])["safe_to_collect"] is False

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (errors.NotRecordingError, 409),
            (errors.UnconfirmedError, 502),
            (errors.OutcomeUnknownError, 504),
            (errors.AuthenticationError, 502),
            (errors.VendorResponseError, 502),
            (errors.RecordingNotFoundError, 404),
            (errors.ConflictError, 409),
            (errors.RateLimitedError, 503),
        ],
    )
    def test_what_does_not_hold_is_a_problem_with_the_result(self, error, status):
        """A verdict that is not as asked has its HTTP status, and the result's fields in a problem."""
        answer = answers.of_outcome(outcome(error, verdict=Verdict.FAILED))
        problem = json.loads(answer["body"])

        assert answer["statusCode"] == problem["status"] == status
        assert answer["headers"]["content-type"] == "application/problem+json"
        assert (problem["type"], problem["error"]) == ("about:blank", error.__name__)
        assert problem["title"]
        assert (problem["safe_to_collect"], problem["verdict"]) == (False, "failed")
        assert problem["recording_status"] == "paused"
        assert problem["recordings"][0]["recording_id"] == "RE1"

    @pytest.mark.parametrize(("seconds", "header"), [(7.0, "7"), (1.2, "2"), (0.0, "0")])
    def test_the_vendor_s_wait_is_passed_on(self, seconds, header):
        """The seconds that a vendor asks us to wait are passed on, whole ones, rounded up."""
        answer = answers.of_outcome(outcome(errors.RateLimitedError, retry_after=seconds))

        assert answer["headers"]["retry-after"] == header

    def test_without_a_wait_there_is_no_header(self):
        """Where the vendor names no wait, neither do we."""
        assert "retry-after" not in answers.of_outcome(outcome(errors.RateLimitedError))["headers"]


class TestErrors:
    """Answers without a result."""

    def test_the_401_says_nothing(self):
        """Whoever is not authenticated gets one fixed answer, which names nothing and asks for a key."""
        answer = answers.of_error(errors.UnknownAccountError("why"))

        assert answer["statusCode"] == 401
        assert answer["headers"] == {
            "content-type": "application/problem+json",
            "cache-control": "no-store",
            "www-authenticate": 'Basic realm="offtape"',
        }
        assert json.loads(answer["body"]) == {"type": "about:blank", "title": "Unauthorized", "status": 401}

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (errors.InvalidTriggerError("call_id", "is missing"), 422),
            (errors.UnreadableBodyError("body", "is not JSON"), 400),
            (errors.BodyTooLargeError("body", "is too large"), 413),
            (errors.UnsupportedMediaTypeError("content-type", "is not supported"), 415),
            (errors.CardDataError("body", "has a card"), 422),
            (errors.ConfigurationError("credentials.auth_token", "is missing"), 500),
        ],
    )
    def test_what_does_not_fit_is_named(self, error, status):
        """A problem about a field names it, and says what is wrong with it."""
        answer = answers.of_error(error)
        problem = json.loads(answer["body"])

        assert answer["statusCode"] == problem["status"] == status
        assert (problem["field"], problem["detail"]) == (error.field, str(error))
        assert problem["error"] == type(error).__name__
        assert problem["safe_to_collect"] is False

    @pytest.mark.parametrize(
        ("error", "verdict"),
        [
            (errors.InvalidTriggerError("call_id", "is missing"), "failed"),
            (errors.CardDataError("body", "has a card"), "failed"),
            (errors.UnsupportedActionError("acme has no stop"), "failed"),
            (errors.UnavailableError("down"), "unknown"),
            (errors.UnreadableBodyError("body", "is not JSON"), None),
        ],
    )
    def test_what_was_found_out_beforehand_has_its_verdict(self, error, verdict):
        """A flow may branch on the verdict also where no vendor was asked, once its body could be read."""
        assert json.loads(answers.of_error(error)["body"]).get("verdict") == verdict

    def test_what_nobody_waits_for_is_a_204(self):
        """A delivery is acknowledged without a body, and the acknowledgement is stored by nobody."""
        assert answers.of_nothing() == {"statusCode": 204, "headers": {"cache-control": "no-store"}}

    def test_a_missing_action_is_explained(self):
        """An action that the vendor does not have is a 422 that says so."""
        problem = json.loads(answers.of_error(errors.UnsupportedActionError("acme has no stop"))["body"])

        assert (problem["status"], problem["detail"]) == (422, "acme has no stop")

    def test_what_is_down_stays_unnamed(self):
        """When a service of ours is down the caller is told 503 and not which."""
        answer = answers.of_error(errors.UnavailableError("Secrets Manager: AccessDeniedException"))

        assert answer["statusCode"] == 503
        assert "Secrets" not in answer["body"]
        assert json.loads(answer["body"])["safe_to_collect"] is False


class TestTable:
    """The one table of HTTP statuses."""

    def test_every_error_that_a_caller_sees_has_a_status_and_a_title(self):
        """Each error of the package has its HTTP status, but those that are turned into another before anyone sees them."""
        inner = {
            errors.CallRecordingError,
            errors.VendorError,
            errors.VendorUnreachableError,
            errors.CallNotFoundError,
            errors.CallOverError,
            errors.RecordingBusyError,
        }
        all_errors = {each for _, each in inspect.getmembers(errors, inspect.isclass)}

        assert set(answers.HTTP_STATUSES) == all_errors - inner
        assert set(answers.TITLES) == set(answers.HTTP_STATUSES) - {errors.UnknownAccountError}
        assert 200 not in answers.HTTP_STATUSES.values()
