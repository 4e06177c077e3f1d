"""Batches of messages from SQS.  A module of its own: only one function pays for what it imports."""

from collections.abc import Callable
from math import ceil
from random import random
from traceback import extract_tb
from typing import Any, Final, Protocol

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, ExceptionInfo, FailureResponse

from ..errors import CallRecordingError, UnavailableError
from .observability import logger, metrics

#: A message that nobody postpones stays away so long, seconds: the queue's VisibilityTimeout (template.yaml).
LONGEST_SECONDS: Final = 120


class Queue(Protocol):
    """Where the messages come from."""

    def postpone(self, receipt_handle: str, *, seconds: int) -> None:
        """Have a message that is given back come again in *seconds*."""


class MessageBatch(BatchProcessor):
    """Takes each message by itself.  One that fails is given back alone, and what it failed with is told."""

    def __init__(self, queue: Queue, jitter: Callable[[], float] = random) -> None:
        # Also if all of them fail, each is given back: the function has not failed.
        super().__init__(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
        self._queue = queue
        self._jitter = jitter

    def failure_handler(self, record: Any, exception: ExceptionInfo) -> FailureResponse:
        """Log and count a message that comes again: what is ours to expect as a warning, anything else as an error.

        Of what nobody expected only its class and its place are told: its text could have anything in it.
        """
        _, error, traceback = exception
        [*_, place] = extract_tb(traceback)
        expected = isinstance(error, CallRecordingError)
        write = logger.warning if expected else logger.error
        write(
            "message given back",
            message_id=record.message_id,
            error=type(error).__name__,
            reason=str(error) if expected else None,
            place=f"{place.filename}:{place.lineno}",
        )
        metrics.add_metric("MessageGivenBack", MetricUnit.Count, 1)
        if isinstance(error, UnavailableError):  # that may soon be over, and a tape may have to run
            longest = min(2 ** int(record.attributes.approximate_receive_count), LONGEST_SECONDS)
            self._queue.postpone(record.receipt_handle, seconds=ceil(longest * (0.5 + self._jitter() / 2)))
        return super().failure_handler(record, exception)
