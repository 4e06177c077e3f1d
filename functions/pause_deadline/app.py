"""A pause's time is over (a reminder came from the queue), or a minute has passed (sweep): what is due is looked after."""

from typing import Any

from call_recording.bootstrap import bootstrap  # isort: skip -- first: it speeds up the imports that follow

from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from call_recording.aws.messages import MessageBatch
from call_recording.aws.observability import instrumented
from call_recording.inbound.reminders import Reminders

_offtape = bootstrap()
reminders = Reminders(
    recordings=_offtape.recordings, timers=_offtape.timers, clock=_offtape.clock, observer=_offtape.observer
)
messages = MessageBatch(_offtape.timers)


def deliver(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Act on one message; whatever this raises gives the message back to the queue."""
    reminders.deliver(record.body, seconds_left=lambda_context.get_remaining_time_in_millis() / 1000)


@instrumented
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take a batch of messages and name those that are to come again, or sweep."""
    if "Records" in event:
        answer = process_partial_response(event=event, record_handler=deliver, processor=messages, context=context)
        return dict(answer)
    reminders.sweep(seconds_left=context.get_remaining_time_in_millis() / 1000)
    return {}
