"""Messages to ourselves that come later, by SQS."""

from contextlib import suppress
from math import ceil
from typing import Any, Final, Protocol

from ..errors import UnavailableError
from ..model import Reminder
from ..ports import Clock
from ..reminders import dump_reminder
from .failures import AWS_ERRORS, reason

#: SQS holds a message back no longer, seconds: whoever gets it before its time sends it on with what is left.
MAX_DELAY_SECONDS: Final = 900


class SqsClient(Protocol):
    """The two operations that are used of botocore's client."""

    def send_message(self, **request: Any) -> dict[str, Any]:
        """Put a message into a queue."""

    def change_message_visibility(self, **request: Any) -> dict[str, Any]:
        """Say when a message that was received comes again."""


class QueueTimers:
    """Sends reminders.  Each is sent once: the ledger's index finds what a lost one was about."""

    def __init__(self, client: SqsClient, *, timer_queue_url: str, dead_letter_queue_url: str, clock: Clock) -> None:
        self._client = client
        self._timer_queue_url = timer_queue_url
        self._dead_letter_queue_url = dead_letter_queue_url
        self._clock = clock

    def remind(self, reminder: Reminder, *, at: float) -> None:
        """Have *reminder* delivered about *at*, seconds since the epoch, or as late as SQS can.  Raises UnavailableError."""
        delay = min(max(ceil(at - self._clock.now()), 0), MAX_DELAY_SECONDS)
        self._send(self._timer_queue_url, dump_reminder(reminder, at=at), delay)

    def surrender(self, reminder: Reminder) -> None:
        """Put *reminder* into the dead-letter queue, whose alarm calls somebody.  Raises UnavailableError."""
        self._send(self._dead_letter_queue_url, dump_reminder(reminder, at=self._clock.now()), 0)

    def postpone(self, receipt_handle: str, *, seconds: int) -> None:
        """Have a message that is given back come again in *seconds*; if SQS does not do it, after the queue's own time.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
        """
        with suppress(*AWS_ERRORS):
            self._client.change_message_visibility(
                QueueUrl=self._timer_queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )

    def _send(self, queue_url: str, body: str, delay: int) -> None:
        try:
            self._client.send_message(QueueUrl=queue_url, MessageBody=body, DelaySeconds=delay)
        except AWS_ERRORS as exc:
            raise UnavailableError(f"SQS: {reason(exc)}") from exc
