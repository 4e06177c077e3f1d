"""The ledger's table and the queue in memory: linearisable, and failing as told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from call_recording import errors
from call_recording.announcements import Announcement
from call_recording.awaiting import Completion
from call_recording.ledger import CallLedger, LedgerConflictError
from call_recording.ledger_json import dumps, loads
from call_recording.model import Call, Reminder


@dataclass
class MemoryLedgers:
    """One table.  What is kept is JSON, so that nothing is kept that JSON cannot."""

    items: dict[tuple[str, str], tuple[int, str, float | None]] = field(default_factory=dict)
    failure: Exception | None = None  #: raised instead, for as long as it is set
    lost: int = 0  #: so many answers to puts are lost, though the puts are carried out
    asked: list[str] = field(default_factory=list)

    def load(self, account: str, call: Call) -> CallLedger:
        self._meet("load")
        item = self.items.get(_key(account, call.call_id))
        if item is None:
            return CallLedger(account=account, call=Call(call_id=call.call_id, channel_id=call.channel_id))
        return loads(item[1], item[0])

    def save(self, ledger: CallLedger) -> CallLedger:
        self._meet("save")
        key = _key(ledger.account, ledger.call.call_id)
        item = self.items.get(key)
        if (item[0] if item else 0) != ledger.version:
            raise LedgerConflictError(loads(item[1], item[0]) if item else None)
        saved = replace(ledger, version=ledger.version + 1)
        self.items[key] = saved.version, dumps(saved), saved.due_at
        if self.lost:
            self.lost -= 1
            raise LedgerConflictError
        return saved

    def due(self, now: float, limit: int) -> Sequence[tuple[str, str]]:
        self._meet("due")
        due = sorted((at, key) for key, (_, _, at) in self.items.items() if at is not None and at <= now)
        return [key for _, key in due[:limit]]

    def of(self, account: str, call_id: str) -> CallLedger:
        """Return the ledger of a call, for a test to look at."""
        version, text, _ = self.items[_key(account, call_id)]
        return loads(text, version)

    def _meet(self, operation: str) -> None:
        self.asked.append(operation)
        if self.failure is not None:
            raise self.failure


def _key(account: str, call_id: str) -> tuple[str, str]:
    return account, call_id.lower()  # as the table has it


@dataclass
class MemoryTimers:
    """One queue, and the one for what could not be done."""

    reminders: list[tuple[float, Reminder]] = field(default_factory=list)
    surrendered: list[Reminder] = field(default_factory=list)
    failure: Exception | None = None
    first: Callable[[], object] = lambda: None  #: done before anything is sent: wait, say

    def remind(self, reminder: Reminder, *, at: float) -> None:
        self._meet()
        self.reminders.append((at, reminder))

    def surrender(self, reminder: Reminder) -> None:
        self._meet()
        self.surrendered.append(reminder)

    def _meet(self) -> None:
        self.first()
        if self.failure is not None:
            raise self.failure


def at_once(work: Callable[[], None]) -> Callable[[], None]:
    """Run something not beside what follows, but before it."""
    try:
        work()
    except errors.UnavailableError as exc:
        failure = exc

        def done() -> None:
            raise failure

        return done
    return lambda: None


def unavailable() -> errors.UnavailableError:
    """What a store raises that does not answer."""
    return errors.UnavailableError("it does not answer")


@dataclass
class FakeWorkflows:
    """Workflows that keep what they are told; those of the tokens that are *gone* wait no more."""

    told: list[Completion] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    failure: Exception | None = None

    def complete(self, completion: Completion) -> bool:
        if self.failure is not None:
            raise self.failure
        self.told.append(completion)
        return completion.token not in self.gone


@dataclass
class FakeBus:
    """A bus that keeps what was announced."""

    heard: list[str] = field(default_factory=list)  #: the kinds
    sequences: list[int] = field(default_factory=list)
    failure: Exception | None = None

    def announce(self, announcements: Sequence[Announcement]) -> None:
        if self.failure is not None:
            raise self.failure
        self.heard += [each.kind for each in announcements]
        self.sequences += [each.detail["sequence"] for each in announcements]
