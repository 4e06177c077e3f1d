"""What Step Functions is told."""

import json

import pytest

from call_recording.awaiting import Completion, Ended
from call_recording.aws.workflows import StepFunctions
from call_recording.errors import UnavailableError
from call_recording.ledger_parts import Pause
from tests.unit.aws.fake_aws import aws_error

TOKEN = "placeholder-task-token-0001"


class FakeStates:
    """Step Functions, which keeps what it was told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict]] = []
        self.failure: Exception | None = None

    def send_task_success(self, **request):
        """Take a success."""
        return self._take("success", request)

    def send_task_failure(self, **request):
        """Take a failure."""
        return self._take("failure", request)

    def _take(self, kind, request):
        if self.failure is not None:
            raise self.failure
        self.asked.append((kind, request))
        return {}


@pytest.fixture(name="states")
def _states() -> FakeStates:
    return FakeStates()


@pytest.mark.parametrize("ended", [Ended.LEFT, Ended.STOPPED])
def test_what_ends_as_planned_is_a_success(states, ended):
    """A step that was left, or whose recording was stopped, lets the workflow go on with that."""
    assert StepFunctions(states).complete(Completion(TOKEN, "card-entry", ended)) is True
    [(kind, request)] = states.asked
    assert (kind, request["taskToken"]) == ("success", TOKEN)
    assert json.loads(request["output"]) == {"ended": ended, "step": "card-entry"}


def test_scenario_26_what_goes_on_is_a_success_with_its_pause(states):
    """A step that was entered again lets the workflow wait on, for the pause as it is now."""
    pause = Pause(pause_id="pause-2", opened_at=1_790_000_000.0, deadline=1_790_000_300.5, token="another")
    assert StepFunctions(states).complete(Completion(TOKEN, "card-entry", Ended.EXTENDED, pause)) is True
    [(kind, request)] = states.asked
    assert (kind, request["taskToken"]) == ("success", TOKEN)
    assert json.loads(request["output"]) == {
        "ended": "extended",
        "step": "card-entry",
        "pause": {"id": "pause-2", "deadline": "2026-09-21T14:18:20.500Z"},
    }


@pytest.mark.parametrize(
    ("ended", "error"),
    [
        (Ended.EXPIRED, "PauseExpiredError"),
        (Ended.CALL_OVER, "CallOverError"),
        (Ended.SUPERSEDED, "ConflictError"),
    ],
)
def test_what_does_not_is_an_error_by_name(states, ended, error):
    """A deadline, the end of the call and another workflow are errors that a Catch can name."""
    assert StepFunctions(states).complete(Completion(TOKEN, "card-entry", ended)) is True
    [(kind, request)] = states.asked
    assert (kind, request["taskToken"], request["error"]) == ("failure", TOKEN, error)
    assert json.loads(request["cause"]) == {"ended": ended, "step": "card-entry"}


@pytest.mark.parametrize(
    "code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken", "KmsAccessDeniedException", "AccessDeniedException"]
)
def test_scenario_34_a_token_that_nobody_takes_harms_nothing(states, code):
    """A workflow that waits no more, or cannot be told at all, must not hold up what happened to other calls."""
    states.failure = aws_error(code)

    assert StepFunctions(states).complete(Completion(TOKEN, "card-entry", Ended.LEFT)) is False


@pytest.mark.parametrize(
    "code",
    [
        "InternalFailure",
        "InternalServerError",
        "KmsThrottlingException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
    ],
)
def test_any_other_failure_is_told_another_time(states, code):
    """What Step Functions could not take is raised, without the token."""
    states.failure = aws_error(code)

    with pytest.raises(UnavailableError) as raised:
        StepFunctions(states).complete(Completion(TOKEN, "card-entry", Ended.LEFT))
    assert code in str(raised.value)
    assert TOKEN not in str(raised.value)
    assert raised.value.__cause__ is None
