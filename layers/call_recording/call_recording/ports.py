"""What the domain needs of the outside: each port is small, and has a fake in the tests."""

from collections.abc import Callable, Sequence
from typing import Protocol

from .account import Account, AccountSecret
from .announcements import Announcement
from .awaiting import Completion
from .errors import VendorError
from .ledger import CallLedger
from .model import Action, Call, CallState, Notice, Recording, RecordingEvent, Reminder, Trigger
from .outcome import Outcome


class Clock(Protocol):
    """Time, so that tests and simulations can own it."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds on a clock that is never set."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class AccountSecrets(Protocol):
    """Where the secrets of the accounts are kept."""

    def get(self, name: str, *, refresh: bool = False) -> AccountSecret | None:
        """Return the secret of the account *name*, or None if there is none.

        *refresh* asks the store again whatever is remembered.
        Raises UnavailableError when it is not known and the store does not answer.
        """


class Vendor(Protocol):
    """One account's calls at one vendor.  Every method sends exactly one request, or none.

    *timeout* is the number of seconds within which the whole exchange is over.
    All of them raise VendorError.
    """

    @property
    def name(self) -> str:
        """What the vendor is called in a secret."""

    @property
    def reads(self) -> bool:
        """Whether the vendor shows where a recording is."""

    @property
    def final(self) -> bool:
        """Whether its yes may tell that it has acted; else only a read does."""

    @property
    def current_recording(self) -> str | None:
        """An id that stands for "the one active recording of the call", where the vendor has one."""

    def check_ids(self, call: Call, recording_id: str | None) -> None:
        """Raise InvalidTriggerError if these are no ids of this vendor."""

    def check(self, trigger: Trigger) -> None:
        """Raise InvalidTriggerError or UnsupportedActionError if it cannot be asked of this vendor."""

    def update(self, call: Call, recording_id: str | None, action: Action, *, timeout: float) -> Recording:
        """Ask for *action*.  The status in what comes back is proven only if the vendor's answer is final."""

    def read(self, call: Call, recording_id: str, *, timeout: float) -> Recording:
        """Return where one recording is."""

    def recordings(self, call: Call, *, timeout: float) -> Sequence[Recording]:
        """Return the recordings of *call*; ended ones may be among them."""

    def call_state(self, call: Call, *, timeout: float) -> CallState:
        """Return whether *call* is live."""

    def renew(self) -> None:
        """Forget a token that the vendor has refused."""


class Vendors(Protocol):
    """How to reach the vendor of an account."""

    def __call__(self, account: Account) -> Vendor:
        """Return the vendor.  Raises ConfigurationError if the account's credentials do not fit it."""


class Ledgers(Protocol):
    """Where the ledgers of calls are kept.  All of them raise UnavailableError when the store does not answer."""

    def load(self, account: str, call: Call) -> CallLedger:
        """Return the ledger as last saved (strongly consistent), or a new one, of version 0, if there is none."""

    def save(self, ledger: CallLedger) -> CallLedger:
        """Write *ledger* if nobody has written since it was loaded, and return it with its new version.

        Raises LedgerConflictError if somebody has, or if it cannot be known: an answer that is lost counts as that.
        """

    def due(self, now: float, limit: int) -> Sequence[tuple[str, str]]:
        """Return account and call id of at most *limit* calls that were due by *now*.

        The longest overdue first, or every other time, at random, last: those that can never be looked at must not
        keep all others waiting.
        """


class Timers(Protocol):
    """Messages that come back to us later.  They may be lost, doubled or late: the ledger's index catches up."""

    def remind(self, reminder: Reminder, *, at: float) -> None:
        """Have *reminder* delivered about *at*, seconds since the epoch.  Raises UnavailableError."""

    def surrender(self, reminder: Reminder) -> None:
        """Put *reminder* where people look after what could not be done.  Raises UnavailableError."""


class Bus(Protocol):
    """Where it is announced what happened to calls."""

    def announce(self, announcements: Sequence[Announcement]) -> None:
        """Announce them, in their order.  Raises UnavailableError if any could not be."""


class Workflows(Protocol):
    """Who waits for the end of a step."""

    def complete(self, completion: Completion) -> bool:
        """Tell it; False if nobody waits any more.  Raises UnavailableError."""


class Aside(Protocol):
    """Runs something beside what its caller does next."""

    def __call__(self, work: Callable[[], None]) -> Callable[[], None]:
        """Start *work*; what is returned waits until it is done, and raises what it raised."""


class Observer(Protocol):
    """Who is told what happened: logs and metrics.  None of it is ever a secret or a card number."""

    def handled(self, outcome: Outcome, error: VendorError | None) -> None:
        """A trigger was carried out, or could not be."""

    def webhook_taken(self, events: Sequence[RecordingEvent], *, account: str, vendor: str) -> None:
        """A webhook was taken: what it tells, if that is anything that matters here."""

    def refused(self, reason: str, *, account: str | None = None, field: str | None = None) -> None:
        """A trigger was turned away before any vendor was asked."""

    def noticed(
        self,
        notice: Notice,
        *,
        account: str,
        call_id: str | None = None,
        step: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Something happened that operators should know of."""

    def swept(self, due: int) -> None:
        """A sweep has found so many calls that were due."""

    def announced(self, count: int) -> None:
        """So many events were put on the bus."""

    def misconfigured(self, account: str, field: str, problem: str) -> None:
        """An account's secret does not fit; an operator has to mend it."""
