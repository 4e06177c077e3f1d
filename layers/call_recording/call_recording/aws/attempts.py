"""How often AWS is asked, and how long: botocore repeats nothing (clients.py), so that each operation says what may be."""

from collections.abc import Callable
from typing import Any, Final

from ..ports import Clock
from .failures import AWS_ERRORS

#: No attempt begins later than this after its operation began, seconds: whoever waits has a vendor to ask yet.
LAST_ATTEMPT_SECONDS: Final = 0.6
#: The wait before the second attempt, and the longest one: each is twice the one before, less up to half by jitter.
FIRST_WAIT_SECONDS: Final = 0.025
LONGEST_WAIT_SECONDS: Final = 0.2


class Attempts:
    """The attempts of one operation; it may consist of several requests, and its time begins when this is made."""

    def __init__(self, *, clock: Clock, jitter: Callable[[], float]) -> None:
        self._clock = clock
        self._jitter = jitter
        self._last = clock.monotonic() + LAST_ATTEMPT_SECONDS

    def make(self, request: Callable[[], dict[str, Any]], *, again: Callable[[Exception], bool]) -> dict[str, Any]:
        """Make *request*, and again after errors for which *again* is true, as long as there is time for it."""
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                return request()
            except AWS_ERRORS as exc:
                seconds = wait * (1 - self._jitter() / 2)
                if not again(exc) or self._clock.monotonic() + seconds > self._last:
                    raise
            self._clock.sleep(seconds)
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)
