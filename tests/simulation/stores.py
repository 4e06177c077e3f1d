"""The ledger's table and the queue of a simulated world.

The table is linearisable, as DynamoDB is for one item; answers get lost, and a put may be carried out later than anybody
waits.  The queue loses, doubles and delays what it likes.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from call_recording import errors
from call_recording.ledger import CallLedger, LedgerConflictError
from call_recording.ledger_json import dumps, loads
from call_recording.model import Call, Reminder
from call_recording.ports import Aside
from call_recording.reminders import dump_reminder
from tests.simulation.checks import Checks
from tests.simulation.choices import DELIVERY, EFFECT, LOAD, OUTAGE, REMIND, SAVE
from tests.simulation.scripts import PARENT_ID
from tests.simulation.world import EPOCH, Invocation, World

#: How long an operation is tried against a table that is down (aws/attempts.py), seconds.
TRIED: Final = 0.6
#: How long a table or a queue is down, seconds.
OUTAGES: Final = {"short": 0.3, "long": 4.0, "very long": 35.0}
#: How long a message is held back by the queue at most, seconds.
LONGEST_DELAY: Final = 900.0
#: How late a put may be carried out whose answer is lost, seconds.
LATE_PUTS: Final = {"at once": 0.05, "soon": 0.4}


class Table:
    """The items of the world's call: one for each leg that was heard of."""

    def __init__(self, world: World, checks: Checks, *, keeps_text: bool) -> None:
        self.world = world
        self.checks = checks
        self.ledgers: dict[str, CallLedger] = {}  #: what the items hold
        self.texts: dict[str, str] = {}  #: how, where the schedule is one of those that keep it as DynamoDB does
        self.keeps_text = keeps_text
        self.down_until = 0.0
        self.on_saved: Callable[[CallLedger], None] = lambda _: None

    def fails(self) -> None:
        """Be down for a while."""
        self.down_until = self.world.now + OUTAGES[self.world.choose(OUTAGE)]

    def read(self, call_id: str) -> CallLedger | None:
        """Return what is kept of a leg."""
        ledger = self.ledgers.get(call_id)
        if ledger is None or not self.keeps_text:
            return ledger
        return loads(self.texts[call_id], ledger.version)

    @property
    def due_at(self) -> float | None:
        """When a leg is due first."""
        return min((each.due_at for each in self.ledgers.values() if each.due_at is not None), default=None)

    def write(self, ledger: CallLedger, writer: Invocation) -> CallLedger:
        """Carry a conditional put out."""
        call_id = ledger.call.call_id
        before = self.ledgers.get(call_id)
        if (before.version if before else 0) != ledger.version:
            self.world.note(
                writer.name, f"puts version {ledger.version + 1}: conflict" + _OF_PARENT * (call_id == PARENT_ID)
            )
            raise LedgerConflictError(self.read(call_id))
        saved = replace(ledger, version=ledger.version + 1)
        if self.keeps_text:
            self.texts[call_id] = dumps(saved)
        self.ledgers[call_id] = saved
        if self.world.trace is None:
            self.world.note(writer.name, f"puts version {saved.version}")
        else:
            self.world.note(writer.name, f"puts {_summary(saved, self.world.now)}")
        self.checks.saved(before, saved, writer)
        self.on_saved(saved)
        return saved


class SimulatedLedgers:
    """The table as one invocation sees it."""

    def __init__(self, table: Table, invocation: Invocation) -> None:
        self._table = table
        self._me = invocation

    def load(self, account: str, call: Call) -> CallLedger:
        """Read the item."""
        choice = self._begin(self._me.world.choose(LOAD), call.call_id)
        self._me.take(choice)
        call_id = call.call_id
        ledger = self._table.read(call_id) or CallLedger(account=account, call=Call(call_id=call_id))
        self._me.loaded[call_id] = ledger
        self._me.world.note(self._me.name, f"loads version {ledger.version}" + _OF_PARENT * (call_id == PARENT_ID))
        return ledger

    def save(self, ledger: CallLedger) -> CallLedger:
        """Write the item, or not, or nobody knows."""
        world, me, call_id = self._me.world, self._me, ledger.call.call_id
        choice = self._begin(world.choose(SAVE), call_id)
        if choice in {"lost", "lost, late"}:
            if choice == "lost, late":
                world.at(world.now + LATE_PUTS.get(world.choose(EFFECT), 3.0), lambda: self._write_late(ledger))
            me.wait(TRIED)
            world.note(
                me.name, f"puts version {ledger.version + 1}: no answer" + ", and it is under way" * (choice != "lost")
            )
            raise LedgerConflictError
        me.take(choice)
        try:
            saved = self._table.write(ledger, me)
        except LedgerConflictError as conflict:
            me.loaded[call_id] = conflict.current
            raise
        if choice == "crash after":
            me.crash()
        if choice == "lost, written":
            me.wait(TRIED)
            world.note(me.name, f"gets no answer to its put of version {saved.version}")
            raise LedgerConflictError
        me.loaded[call_id] = saved
        if choice == "answered later":
            me.wait(1.2)
        return saved

    def due(self, now: float, limit: int) -> Sequence[tuple[str, str]]:
        """List the legs that are due."""
        self._me.take(self._begin(self._me.world.choose(LOAD), None))
        due = [(each.due_at, each) for each in self._table.ledgers.values() if each.due_at is not None]
        due.sort(key=lambda each: each[0])
        return [(ledger.account, ledger.call.call_id) for due_at, ledger in due if due_at <= now]

    def _begin(self, choice: str, call_id: str | None) -> str:
        me, table = self._me, self._table
        if choice == "down":
            table.fails()
        if table.down_until > me.world.now and not me.world.calm:
            me.wait(TRIED)
            if call_id is not None:
                me.loaded[call_id] = None
            me.world.note(me.name, "finds the table down")
            raise errors.UnavailableError("the table is down")
        return choice

    def _write_late(self, ledger: CallLedger) -> None:
        try:
            self._table.write(ledger, self._me)
        except LedgerConflictError:
            return


class Queue:
    """What is under way to ourselves."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.down_until = 0.0
        self.deliver: Callable[[str], None] = lambda _: None

    def accept(self, body: str, seconds: float, choice: str, sender: str) -> None:
        """Take a message, to be delivered in so many seconds, or not, or twice, or later."""
        world = self.world
        world.note(sender, f"sends a reminder for t={world.now + seconds:.3f}" + f" ({choice})" * (choice in _MISHAPS))
        if choice == "lost":
            return
        when = world.now + min(seconds, LONGEST_DELAY) + {"late": 7.0, "very late": 70.0}.get(choice, 0.05)
        world.at(when, lambda: self.deliver(body))
        if choice == "doubled":
            world.at(when + DELIVERIES[world.choose(DELIVERY)], lambda: self.deliver(body))


#: How late a trigger or the double of a message comes, seconds.
DELIVERIES: Final = {
    "at once": 0.0,
    "100 ms": 0.1,
    "2 s": 2.0,
    "20 s": 20.0,
    "lost": 0.003,
    "doubled": 0.01,
    "doubled later": 1.0,
    "replayed": 40.0,
}
_OF_PARENT: Final = " of the parent"
_MISHAPS: Final = frozenset({"lost", "doubled", "late", "very late"})


class SimulatedTimers:
    """The queue as one invocation sees it."""

    def __init__(self, queue: Queue, invocation: Invocation) -> None:
        self._queue = queue
        self._me = invocation
        self.surrendered: list[Reminder] = []

    def remind(self, reminder: Reminder, *, at: float) -> None:
        """Send a message."""
        world, me, queue = self._me.world, self._me, self._queue
        choice = world.choose(REMIND)
        call_id = reminder.call.call_id
        me.tried_to_remind.add(call_id)
        if choice == "down":
            queue.down_until = world.now + OUTAGES[world.choose(OUTAGE)]
        seconds = max(0.0, at - me.time())
        body = dump_reminder(reminder, at=at)
        # of a pause that is sent without the ledger a message is the only trace there is: it may be late or doubled
        # and so it is of an event that there was no ledger for
        blind = me.aside is None and ((reminder.pause_id or "").startswith("blind-") or reminder.happening is not None)
        if blind and choice == "lost":
            choice = "ok"
        if queue.down_until > world.now and not world.calm:
            world.note(me.name, "finds the queue down")
            me.met_no_queue.add(call_id)
            if me.aside is not None:
                me.unreminded.add(call_id)
            self._settle(TRIED, errors.UnavailableError("the queue is down"))
            return
        if me.aside is None:
            me.take(choice)
            queue.accept(body, seconds, choice, me.name)
            if blind:
                me.met_no_queue.discard(call_id)
            if choice == "crash after":
                me.crash()
            return
        me.unreminded.discard(call_id)
        wait = _BESIDE.get(choice, 0.003)
        # what its thread has sent is sent, whatever becomes of the invocation
        if choice != "crash":
            world.at(world.now + wait, lambda: queue.accept(body, seconds, choice, me.name))
        if choice in {"crash", "crash after"}:
            world.at(world.now + wait, me.kill)
        self._settle(wait + 0.002, None)

    def surrender(self, reminder: Reminder) -> None:
        """Put it where people look."""
        self._me.take("ok")
        self.surrendered.append(reminder)

    def _settle(self, seconds: float, failure: errors.UnavailableError | None) -> None:
        if self._me.aside is not None:
            self._me.aside.append((self._me.world.now + seconds, failure))
            return
        self._me.wait(seconds)
        if failure:
            raise failure


_BESIDE: Final = {"fast": 0.001, "slow": 0.02, "slower": 0.3}


def beside(invocation: Invocation) -> Aside:
    """Return the port that runs one thing beside another."""

    def aside(work: Callable[[], None]) -> Callable[[], None]:
        invocation.aside = []
        work()
        results, invocation.aside = invocation.aside, None

        def done() -> None:
            for when, failure in results:
                if when > invocation.world.now:
                    invocation.wait(when - invocation.world.now)
                if failure:
                    raise failure

        return done

    return aside


def _summary(ledger: CallLedger, now: float) -> str:
    """Say what a ledger says, in a line."""
    from_now = lambda instant: f"{instant - EPOCH - now:+.1f}"  # noqa: E731
    known = ledger.known
    shown = ",".join(f"{each.recording_id or 'call'} {each.status}" for each in known.recordings) or "none"
    parts = [
        f"version {ledger.version}{_OF_PARENT * (ledger.call.call_id == PARENT_ID)}:",
        ledger.events[-1].what + " |" if ledger.events else "",
        "pauses " + (",".join(f"{step}({from_now(each.deadline)})" for step, each in ledger.pauses.items()) or "none"),
        "stopped" if ledger.stopped else "",
        "over" if ledger.over else "",
        f"lease {ledger.lease.holder}({from_now(ledger.lease.until)})" if ledger.lease else "",
        f"known {shown}{'' if known.proven else ' unproven'}" if known.complete else "known nothing",
        *(
            f"{name} doubt({from_now(until)})"
            for name, until in ledger.doubts._asdict().items()
            if until > EPOCH + now - 1
        ),
        f"due {from_now(ledger.due_at)}" if ledger.due_at is not None else "settled",
    ]
    return " ".join(filter(None, parts))
