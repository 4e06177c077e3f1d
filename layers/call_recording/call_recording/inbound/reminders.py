"""What comes back to us by itself: reminders from the queue, and the sweep of each minute."""

from typing import Final

from .. import errors
from ..ports import Clock, Observer, Timers
from ..reminders import parse_reminder
from ..service import RecordingService

#: How many calls one sweep lists.
SWEEP_LIMIT: Final = 200


class Reminders:
    """Sees to what was left undone."""

    def __init__(self, *, recordings: RecordingService, timers: Timers, clock: Clock, observer: Observer) -> None:
        self._recordings = recordings
        self._timers = timers
        self._clock = clock
        self._observer = observer

    def deliver(self, body: str, *, seconds_left: float) -> None:
        """Look at the call that a message is about; raise whatever means that it has to be delivered again."""
        try:
            reminder, at = parse_reminder(body)
        except ValueError:
            self._observer.refused("a message of the queue cannot be read")
            raise
        if at > self._clock.now():
            self._timers.remind(reminder, at=at)  # the queue delays by a quarter of an hour at most
            return
        try:
            self._recordings.wake(reminder, seconds_left=seconds_left)
        except errors.InvalidTriggerError:
            self._observer.refused("a message of the queue is about no call of its account's vendor")
            raise

    def sweep(self, *, seconds_left: float) -> None:
        """Look at the calls that are due, whether or not their reminders came."""
        self._recordings.sweep(seconds_left=seconds_left, limit=SWEEP_LIMIT)
