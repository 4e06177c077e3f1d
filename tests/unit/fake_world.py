"""The service with everything outside it faked: one account at one vendor, a table, a queue, and time."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from call_recording import errors
from call_recording.account import Account, AccountSecret
from call_recording.ledger import CallLedger
from call_recording.model import (
    Action,
    Call,
    Deadline,
    Happening,
    Notice,
    Recording,
    RecordingEvent,
    RecordingStatus,
    Reminder,
    Trigger,
)
from call_recording.outcome import Outcome
from call_recording.ports import Vendor
from call_recording.service import RecordingService
from tests.unit.fake_stores import MemoryLedgers, MemoryTimers, at_once
from tests.unit.fake_vendor import FakeVendor, ManualClock
from tests.unit.fakes import RecordingObserver

#: How long an invocation may live, seconds.
INVOCATION = 10.0
BUDGET = 3.5


def secret_of(token: str = "old", **settings: Any) -> AccountSecret:
    """Make the secret of the account acme."""
    return AccountSecret("acme", json.dumps({"vendor": "fake", "credentials": {"token": token}, "settings": settings}))


class EventfulClock(ManualClock):
    """Things happen while somebody waits: each at its time, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.later: list[tuple[float, Callable[[], object]]] = []
        self.on_sleep: Callable[[float], object] | None = None  #: called at the begin of each wait

    def at(self, seconds: float, happen: Callable[[], object]) -> None:
        """Let something happen in *seconds*, if somebody waits by then."""
        self.later.append((self.seconds + seconds, happen))

    def sleep(self, seconds: float) -> None:
        if self.on_sleep is not None:
            self.on_sleep(seconds)
        super().sleep(seconds)
        for each in sorted((due for due in self.later if due[0] <= self.seconds), key=lambda due: due[0]):
            self.later.remove(each)
            each[1]()


class EventfulLedgers(MemoryLedgers):
    """Before the next operation of a kind something else happens, where a test wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.before: list[tuple[str, Callable[[], object]]] = []

    def _meet(self, operation: str) -> None:
        for each in [(kind, happen) for kind, happen in self.before if kind == operation][:1]:
            self.before.remove(each)
            each[1]()
        super()._meet(operation)


class EventfulVendor(FakeVendor):
    """While it is asked to do something, something else happens, once, where a test wants it."""

    meanwhile: Callable[[], object] | None = None
    calls: list[Call]  #: of which calls it was asked to do something

    def update(self, call: Call, recording_id: str | None, action: Action, *, timeout: float) -> Recording:
        self.calls.append(call)
        happen, self.meanwhile = self.meanwhile, None
        if happen is not None:
            happen()
        return super().update(call, recording_id, action, timeout=timeout)


class World:
    """One account, its call `CA` at its vendor, and the service; it is the ports AccountSecrets and Vendors too."""

    def __init__(self, **settings: Any) -> None:
        self.clock = EventfulClock()
        self.vendor = EventfulVendor(clock=self.clock)
        self.vendor.calls = []
        self.jitter = 0.5
        self.ledgers = EventfulLedgers()
        self.timers = MemoryTimers()
        self.observer = RecordingObserver()
        self.own = secret_of(**settings)  #: the account, as whoever triggers something has it
        self.secret: AccountSecret | None = self.own  #: as it is kept by now
        self.down = False
        self.refreshed = 0
        self.connected: list[Account] = []
        numbers = count(1)
        self.service = RecordingService(
            accounts=self,
            vendors=self.connect,
            ledgers=self.ledgers,
            timers=self.timers,
            aside=at_once,
            clock=self.clock,
            observer=self.observer,
            jitter=lambda: self.jitter,
            nonce=lambda: f"nonce-{next(numbers)}",
        )

    def get(self, name: str, *, refresh: bool = False) -> AccountSecret | None:
        """Return the secret, as the port AccountSecrets does."""
        self.refreshed += refresh
        if self.down:
            raise errors.UnavailableError("Secrets Manager: down")
        return self.secret

    def connect(self, account: Account) -> Vendor:
        """Return the vendor, as the port Vendors does."""
        if account.credentials["token"] == "unfit":
            raise errors.ConfigurationError("credentials.token", "does not fit")
        self.connected.append(account)
        return self.vendor

    # What somebody asks for.

    def handle(
        self,
        action: Action = Action.PAUSE,
        *,
        step: str = "card-entry",
        call_id: str = "CA",
        channel_id: str | None = None,
        redirect_url: str | None = None,
        occurred_at: float | None = None,
        budget: float = BUDGET,
        lives: float = INVOCATION,
        **given: Any,
    ) -> Outcome:
        """Hand a trigger of the call to the service; the vendor's and the table's books begin anew."""
        self.vendor.asked.clear()
        self.ledgers.asked.clear()
        trigger = self.trigger(
            action,
            step=step,
            call=Call(call_id=call_id, channel_id=channel_id, redirect_url=redirect_url),
            occurred_at=None if occurred_at is None else datetime.fromtimestamp(occurred_at, UTC),
            **given,
        )
        now = self.clock.now()
        return self.service.handle(
            trigger,
            self.own,
            received_at=now - 0.25,
            deadline=Deadline(self.clock.monotonic, budget),
            ends_at=now + lives,
        )

    def trigger(self, action: Action, **given: Any) -> Trigger:
        """Make a trigger of the account."""
        fields: dict[str, Any] = {"account": "acme", "step": "card-entry", "call": Call(call_id="CA")} | given
        return Trigger(action=action, **fields)

    def enter(self, step: str = "card-entry", **given: Any) -> Outcome:
        """Enter a step."""
        return self.handle(Action.PAUSE, step=step, **given)

    def leave(self, step: str = "card-entry", **given: Any) -> Outcome:
        """Leave a step."""
        return self.handle(Action.RESUME, step=step, **given)

    def stop(self, **given: Any) -> Outcome:
        """Stop the recording."""
        return self.handle(Action.STOP, **given)

    def happen(
        self,
        happening: Happening,
        *,
        call_id: str = "CA",
        recording_id: str | None = None,
        event_id: str | None = None,
    ) -> None:
        """The vendor tells of something by itself; its own and the table's books begin anew."""
        self.vendor.asked.clear()
        self.ledgers.asked.clear()
        event = RecordingEvent(
            account="acme",
            happening=happening,
            call=Call(call_id=call_id),
            recording_id=recording_id,
            event_id=event_id,
        )
        deadline = Deadline(self.clock.monotonic, BUDGET)
        self.service.happened(event, self.own, deadline=deadline, ends_at=self.clock.now() + INVOCATION)

    def start(self, recording_id: str = "RE2", **given: Any) -> None:
        """A recording starts, and the vendor tells of it."""
        self.vendor.statuses[recording_id] = RecordingStatus.IN_PROGRESS
        self.happen(Happening.RECORDING_STARTED, recording_id=recording_id, **given)

    def wake(self, reminder: Reminder | None = None, *, seconds_left: float = INVOCATION) -> None:
        """Deliver a reminder, of the call alone if none is given."""
        self.vendor.asked.clear()
        self.ledgers.asked.clear()
        self.service.wake(reminder or Reminder("acme", Call(call_id="CA")), seconds_left=seconds_left)

    def sweep(self, *, seconds_left: float = INVOCATION, limit: int = 100) -> None:
        """Do what is done each minute."""
        self.vendor.asked.clear()
        self.ledgers.asked.clear()
        self.service.sweep(seconds_left=seconds_left, limit=limit)

    def settle(self, *, most: int = 400) -> None:
        """Let time pass, and do each minute what is done each minute, until nothing is due any more."""
        for _ in range(most):
            self.clock.sleep(60.0)
            self.sweep()
            if all(due_at is None for _, _, due_at in self.ledgers.items.values()):
                return
        raise AssertionError("something is due for ever")

    # What there is to look at.

    @property
    def ledger(self) -> CallLedger:
        """The ledger of the call, as it is in the table."""
        return self.ledgers.of("acme", "CA")

    def put(self, ledger: CallLedger) -> None:
        """Write a ledger into the table, as somebody else does."""
        before, self.ledgers.before = self.ledgers.before, []
        self.ledgers.save(ledger)
        self.ledgers.before = before
        self.ledgers.asked.pop()

    @property
    def events(self) -> list[str]:
        """What happened on the call, in order."""
        return [event.what for event in self.ledger.events]

    @property
    def commands(self) -> list[str]:
        """What the vendor was asked to do since the last trigger; reads are no commands."""
        return [what for what, _ in self.vendor.asked if what in tuple(Action)]

    @property
    def notices(self) -> list[Notice]:
        """What operators were told."""
        return [notice for notice, _, _ in self.observer.notices]

    @property
    def statuses(self) -> set[str]:
        """Where the call's recordings are."""
        return {str(status) for status in self.vendor.statuses.values()}
