"""Asking one vendor: again where that is harmless, and never beyond the deadline."""

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from . import errors
from .model import Call, Deadline, Report
from .ports import Clock, Vendor

#: The longest that one exchange with a vendor may take, seconds: a lost answer leaves time for a second try.
ATTEMPT_SECONDS: Final = 2.0
#: The share of the remaining time that an update may use: what is left over is for reading back.
UPDATE_SHARE: Final = 0.75
#: A request is not begun with less time than this, seconds: its answer could not come in time.
MIN_SECONDS: Final = 0.05
#: Reading the secret again is not begun with less time than this, seconds: aws/clients.py bounds it so.
RENEWAL_SECONDS: Final = 1.6
#: What a shortened wait leaves for the last request, seconds.
LAST_SECONDS: Final = 0.15
#: Waits between tries, seconds: the first, and the longest.
FIRST_WAIT: Final = 0.05
LONGEST_WAIT: Final = 0.5

T = TypeVar("T")

#: Sends one request to a vendor, to be answered within the given seconds.
Request = Callable[[Vendor, float], T]

# The vendor did nothing: the request never left, or it says so itself.
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

    def now(self) -> float:
        """Seconds since the epoch, by our own clock."""
        return self._clock.now()

    def read(self, request: Request[T]) -> T:
        """Send a request that changes nothing; after any failure but a refusal it is sent again."""
        return self._ask(request, again=_HARMLESS_TO_READ_AGAIN)

    def glance(self, request: Request[T]) -> T:
        """Send a request that changes nothing, and leave the time to others if it fails."""
        return self._ask(request, again=())

    def look(self, call: Call, recording_id: str) -> Report:
        """Return how one recording is now.  Never raises a VendorError: the report carries it."""
        try:
            shown = self.read(lambda vendor, timeout: vendor.read(call, recording_id, timeout=timeout))
        except errors.VendorError as exc:
            return Report(error=exc)
        return Report((shown,))

    def update(self, request: Request[T]) -> T:
        """Send a request that the vendor acts on; it is sent again only if the vendor did nothing."""
        return self._ask(request, share=self._update_share, again=_NOT_PROCESSED)

    def can_update(self) -> bool:
        """Whether there is time for another update."""
        return self._deadline.remaining() * self._update_share >= MIN_SECONDS

    def waited(self, seconds: float) -> bool:
        """Wait, for less than *seconds* where time is short; False, at once, if no request could follow."""
        left = self._deadline.remaining() - LAST_SECONDS
        if left < FIRST_WAIT:
            return False
        self._clock.sleep(min(seconds, left))
        return True

    @property
    def _update_share(self) -> float:
        return UPDATE_SHARE if self.vendor.reads else 1.0

    def _ask(self, request: Request[T], *, again: tuple[type[errors.VendorError], ...], share: float = 1.0) -> T:
        failure: errors.VendorError = errors.VendorUnreachableError("no time left to ask", vendor=self.vendor.name)
        waits = growing_waits()
        while True:
            timeout = min(ATTEMPT_SECONDS, self._deadline.remaining() * share)
            if timeout < MIN_SECONDS:
                raise failure
            try:
                return request(self.vendor, timeout)
            except errors.AuthenticationError as exc:
                failure = exc
                self._sign_in_anew(exc)
            except again as exc:
                failure = exc
                wait = max(next(waits), exc.retry_after or 0.0)
                if (self._deadline.remaining() - wait) * share < MIN_SECONDS:
                    raise
                self._clock.sleep(wait)

    def _sign_in_anew(self, refusal: errors.AuthenticationError) -> None:
        """After the first refusal of the key, go on with a secret read afresh; else raise *refusal*.

        A 403 is not one: the key is known, and must not do this.
        """
        may, self._may_renew = self._may_renew, False
        if not may or refusal.http_status == 403 or self._deadline.remaining() < RENEWAL_SECONDS:
            raise refusal
        renewed = self._renew(self.vendor)
        if renewed is None:
            raise refusal
        self.vendor = renewed


def growing_waits() -> Iterator[float]:
    """Yield waits in seconds, for ever."""
    wait = FIRST_WAIT
    while True:
        yield wait
        wait = min(wait * 1.6, LONGEST_WAIT)
