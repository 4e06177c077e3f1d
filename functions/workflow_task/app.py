"""Invoked directly, by Step Functions say: pause, resume or stop, with errors raised by their class."""

from typing import Any

from call_recording.bootstrap import bootstrap, bootstrap_workflows  # isort: skip -- first: it speeds up the imports that follow

from aws_lambda_powertools.utilities.typing import LambdaContext

from call_recording.aws.observability import instrumented
from call_recording.inbound.tasks import WorkflowTasks

_offtape = bootstrap()
tasks = WorkflowTasks(
    accounts=_offtape.accounts,
    recordings=_offtape.recordings,
    workflows=bootstrap_workflows(),
    clock=_offtape.clock,
    observer=_offtape.observer,
)


@instrumented
def lambda_handler(task: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Carry out one task."""
    return tasks.run(task, seconds_left=context.get_remaining_time_in_millis() / 1000)
