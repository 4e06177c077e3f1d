"""Asking one vendor: again where that is harmless, and never beyond the deadline."""

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from . import errors
from .model import Deadline
from .ports import Clock, Vendor

#: The longest that one exchange with a vendor may take, seconds: a lost answer leaves time for a second try.
ATTEMPT_SECONDS: Final = 2.0
#: The share of the remaining time that an update may use: what is left over is for reading back.
UPDATE_SHARE: Final = 0.75
#: A request is not begun with less time than this, seconds: its answer could not come in time.
MIN_SECONDS: Final = 0.05
#: What a shortened wait leaves for the last request, seconds.
LAST_SECONDS: Final = 0.15
#: Waits between tries, seconds: the first, and the longest.
FIRST_WAIT: Final = 0.05
LONGEST_WAIT: Final = 0.5

T = TypeVar("T")

#: Sends one request to a vendor, to be answered within the given seconds.
Request = Callable[[Vendor, float], T]

# The vendor did nothing, for sure.
_NOT_PROCESSED = (errors.VendorUnreachableError, errors.RateLimitedError, errors.RecordingBusyError)
_HARMLESS_TO_READ_AGAIN = (*_NOT_PROCESSED, errors.OutcomeUnknownError)


class Conversation:
    """Requests to the vendor of one account that together must be over by *deadline*."""

    def __init__(
        self, *, vendor: Vendor, clock: Clock, deadline: Deadline, renew: Callable[[Vendor], Vendor | None]
    ) -> None:
        self.vendor = vendor
        self._clock = clock
        self._deadline = deadline
        self._renew = renew  # asked once, after a 401
        self._may_renew = True

    def read(self, request: Request[T]) -> T:
        """Send a request that changes nothing; after any failure but a refusal it is sent again."""
        return self._ask(request, self._deadline.remaining, again=_HARMLESS_TO_READ_AGAIN)

    def glance(self, request: Request[T]) -> T:
        """Send a request that changes nothing, and leave the time to others if it fails."""
        return self._ask(request, self._deadline.remaining, again=())

    def update(self, request: Request[T]) -> T:
        """Send a request that the vendor acts on; it is sent again only if the vendor did nothing, for sure."""
        return self._ask(request, self._time_to_update, again=_NOT_PROCESSED)

    def can_update(self) -> bool:
        """Whether there is time for another update."""
        return self._time_to_update() >= MIN_SECONDS

    def waited(self, seconds: float) -> bool:
        """Wait, for less than *seconds* where time is short; False, at once, if no request could follow."""
        seconds = min(seconds, self._deadline.remaining() - LAST_SECONDS)
        if seconds < FIRST_WAIT:
            return False
        self._clock.sleep(seconds)
        return True

    def _time_to_update(self) -> float:
        return self._deadline.remaining() * (UPDATE_SHARE if self.vendor.reads else 1.0)

    def _ask(
        self, request: Request[T], time_left: Callable[[], float], *, again: tuple[type[errors.VendorError], ...]
    ) -> T:
        waits = growing_waits()
        while True:
            timeout = min(ATTEMPT_SECONDS, time_left())
            if timeout < MIN_SECONDS:
                raise errors.OutcomeUnknownError("no time left to ask", vendor=self.vendor.name)
            try:
                return request(self.vendor, timeout)
            except errors.AuthenticationError as exc:
                self._sign_in_anew(exc)
            except again as exc:
                wait = next(waits) if exc.retry_after is None else exc.retry_after
                if self._deadline.remaining() < wait + MIN_SECONDS:
                    raise
                self._clock.sleep(wait)

    def _sign_in_anew(self, refusal: errors.AuthenticationError) -> None:
        """After the first refusal of the key, go on with a secret read afresh; else raise *refusal*.

        A 403 is not one: the key is known, and must not do this.
        """
        renewed = self._renew(self.vendor) if refusal.http_status != 403 and self._may_renew else None
        self._may_renew = False
        if renewed is None:
            raise refusal
        self.vendor = renewed


def growing_waits() -> Iterator[float]:
    """Yield waits in seconds, for ever."""
    wait = FIRST_WAIT
    while True:
        yield wait
        wait = min(wait * 1.6, LONGEST_WAIT)
