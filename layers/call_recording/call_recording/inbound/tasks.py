"""The input of a Step Functions task, or of any other caller inside the AWS account."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from .. import errors
from ..account import Account, AccountSecret
from ..model import Action, Deadline, Trigger
from ..occurrences import pause_id_of
from ..outcome import Outcome
from ..ports import AccountSecrets, Clock, Observer, Workflows
from ..service import RecordingService
from .fields import hashed, parse_trigger, text

#: What a workflow asks for that wants to be told when a step has ended.
WAIT: Final = "wait"
#: The `event_id` of the task that has entered the step: who was not told the id of its pause knows this.
ENTERED_WITH: Final = "entered_event_id"

# https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
_TOKEN = re.compile(r"[!-~]{1,2048}")

#: Kept back from the invocation's time for raising or returning, seconds.
ANSWER_SECONDS: Final = 0.05


class WorkflowTasks:
    """Carries out tasks.  Whoever may invoke the function may act on every account."""

    def __init__(
        self,
        *,
        accounts: AccountSecrets,
        recordings: RecordingService,
        workflows: Workflows,
        clock: Clock,
        observer: Observer,
    ) -> None:
        self._accounts = accounts
        self._recordings = recordings
        self._workflows = workflows
        self._clock = clock
        self._observer = observer

    def run(self, task: Mapping[str, Any], *, seconds_left: float) -> dict[str, Any]:
        """Return the result of *task* where HTTP would answer 200.

        Everything else is raised, as the class that names it, so that `Retry` and `Catch` match on `ErrorEquals`;
        the message is the result, as JSON, or says what is wrong with the task.
        """
        try:
            if not isinstance(task, Mapping):
                raise errors.InvalidTriggerError("task", "must be an object")
            if task.get("action") == WAIT:
                return self._wait(task)
            outcome = self._handle(task, seconds_left)
        except errors.ConfigurationError as exc:
            self._observer.misconfigured(task["account"], exc.field, str(exc))
            raise
        except errors.CallRecordingError as exc:
            field = exc.field if isinstance(exc, errors.InvalidTriggerError) else None
            self._observer.refused(str(exc), field=field)
            raise
        if outcome.error is None:
            return outcome.as_dict()
        raise outcome.error(json.dumps(outcome.as_dict()))

    def _handle(self, task: Mapping[str, Any], seconds_left: float) -> Outcome:
        received_at = self._clock.now()
        started = self._clock.monotonic()
        secret = self._secret_of(task)
        account = secret.account
        trigger = _trigger_of(task, account, _action(task))
        spent = self._clock.monotonic() - started
        budget = min(account.settings.budget_ms / 1000, seconds_left) - spent - ANSWER_SECONDS
        return self._recordings.handle(
            trigger,
            secret,
            received_at=received_at,
            deadline=Deadline(self._clock.monotonic, budget),
            ends_at=received_at + seconds_left,
        )

    def _wait(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Let the workflow wait for the end of a step: its token comes back when the step's pause is closed."""
        secret = self._secret_of(task)
        token = task.get("task_token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise errors.InvalidTriggerError("task_token", "must be the token of a task: $$.Task.Token")
        trigger = _trigger_of(task, secret.account, Action.PAUSE)
        completion = self._recordings.await_end(trigger, token, secret)
        if completion is None:
            return {"waits": True}
        if not self._workflows.complete(completion):  # else the workflow would wait until its own timeout
            raise errors.UnavailableError("Step Functions does not take this task's token back")
        return {"waits": False, "ended": completion.ended}

    def _secret_of(self, task: Mapping[str, Any]) -> AccountSecret:
        name = task.get("account")
        secret = self._accounts.get(name) if isinstance(name, str) else None
        if secret is None:
            raise errors.UnknownAccountError("there is no such account: its secret is call-recording/<account>")
        self._recordings.require_fit(secret)
        return secret


def _trigger_of(task: Mapping[str, Any], account: Account, action: Action) -> Trigger:
    step = task.get("step")
    trigger = parse_trigger(task, account=account, action=action, step=step if isinstance(step, str) else "")
    if action is Action.RESUME and trigger.pause_id is None:
        entered = hashed(text(task, ENTERED_WITH))
        trigger = replace(trigger, pause_id=entered and pause_id_of(trigger, entered))
    return replace(trigger, by="workflow")


def _action(task: Mapping[str, Any]) -> Action:
    action = task.get("action")
    if action not in tuple(Action):
        raise errors.InvalidTriggerError("action", f"must be one of {', '.join(Action)}, {WAIT}")
    return Action(action)
