"""The functions of a simulated world: each invocation has a service of its own, as each has a process of its own."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from call_recording import errors
from call_recording.account import Account, AccountSecret, Settings
from call_recording.errors import VendorError
from call_recording.inbound.reminders import Reminders
from call_recording.model import Action, Call, Deadline, Happening, Notice, RecordingEvent, Trigger
from call_recording.outcome import Outcome
from call_recording.service import RecordingService
from tests.simulation.checks import Checks
from tests.simulation.choices import SECRET
from tests.simulation.scripts import Move
from tests.simulation.stores import Queue, SimulatedLedgers, SimulatedTimers, Table, beside
from tests.simulation.switchboard import Switchboard
from tests.simulation.vendor import SimulatedVendor
from tests.simulation.world import EPOCH, Invocation, World

#: The functions' Timeout in template.yaml, seconds.
FLOW_SECONDS: Final = 10.0
TIMER_SECONDS: Final = 20.0
#: Kept back for answering (inbound/tasks.py), seconds.
ANSWER_SECONDS: Final = 0.05
#: After how long the queue gives a message out again whose function died, and how often (template.yaml), seconds; one that was
#: given back it gives out sooner (aws/messages.py).
VISIBILITY_SECONDS: Final = 120.0
RECEIVES: Final = 246

#: How often a workflow comes again that could not wait, as workflows/card_capture.asl.yaml has it; each time with a "+" to its token.
TRIES_AGAIN: Final = 3

ACCOUNT: Final = "acme"
#: Map what a script's vendor tells: the event.
HAPPENINGS: Final = {
    "recording started": Happening.RECORDING_STARTED,
    "recording ended": Happening.RECORDING_ENDED,
    "call over": Happening.CALL_OVER,
}
_ACTIONS: Final = {"entered": Action.PAUSE, "left": Action.RESUME, "stop": Action.STOP, "stop one": Action.STOP}


class Watcher:
    """Whoever is told what happens writes it into the trace."""

    def __init__(self, invocation: Invocation) -> None:
        self._me = invocation

    def handled(self, outcome: Outcome, error: VendorError | None) -> None:
        """A trigger was carried out."""

    def announced(self, count: int) -> None:
        """Nothing is announced here."""

    def webhook_taken(self, events: Sequence[RecordingEvent], *, account: str, vendor: str) -> None:
        """A webhook was taken: the trace has what came of it."""

    def refused(self, reason: str, *, account: str | None = None, field: str | None = None) -> None:
        """A message could not be read: ours always can."""
        raise AssertionError(reason)

    def swept(self, due: int) -> None:
        """Nobody looks."""

    def noticed(
        self,
        notice: Notice,
        *,
        account: str,
        call_id: str | None = None,
        step: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Operators are told something."""
        self._me.world.note(self._me.name, f"notice: {notice}")

    def misconfigured(self, account: str, field: str, problem: str) -> None:
        """An account does not fit: ours does."""
        raise AssertionError(problem)


class Secrets:
    """The one secret that there is, as an invocation sees it."""

    def __init__(self, secret: AccountSecret, invocation: Invocation) -> None:
        self.secret = secret
        self._me = invocation

    def get(self, name: str, *, refresh: bool = False) -> AccountSecret | None:
        """Return it."""
        choice = self._me.world.choose(SECRET)
        self._me.take(choice)
        if choice == "down":
            raise errors.UnavailableError("Secrets Manager is down")
        return self.secret


def secret_of(settings: Settings, vendor: str) -> AccountSecret:
    """Return a secret that says this."""
    secret = AccountSecret(ACCOUNT, "{}")
    secret.__dict__["account"] = Account(name=ACCOUNT, vendor=vendor, credentials={}, settings=settings)
    return secret


class Functions:
    """Starts invocations."""

    def __init__(
        self, world: World, checks: Checks, table: Table, queue: Queue, board: Switchboard, settings: Settings
    ) -> None:
        self.world = world
        self.checks = checks
        self.table = table
        self.board = board
        self.queue = queue
        self.settings = settings
        self.secret = secret_of(settings, board.platform.name)
        self._sweep_at: float | None = None
        self._count = 0
        queue.deliver = self.remind
        table.on_saved = lambda ledger: self._schedule_sweep(ledger.due_at)

    def trigger(
        self,
        move: Move,
        trigger: Trigger,
        flow_time: float,
        on_answer: Callable[[Invocation, Outcome], None],
        *,
        ahead: bool,
    ) -> Invocation:
        """A flow calls."""

        def work(me: Invocation) -> None:
            me.event_id, me.move, me.flow_time, me.by = trigger.event_id, move, flow_time, trigger.by
            # a time that is far ahead counts as the time of arrival: it says nothing
            me.claims = frozenset({"occurred_at"} if trigger.occurred_at and not ahead else ())
            me.named_pause = trigger.pause_id
            # as inbound/flows.py and inbound/tasks.py hand it on
            seconds = self.settings.budget_ms / 1000 - ANSWER_SECONDS
            deadline = Deadline(me.monotonic, seconds)
            received_at, ends_at = me.time(), me.time() + (me.ends - self.world.now)
            try:
                outcome = self._service(me).handle(
                    trigger, self.secret, received_at=received_at, deadline=deadline, ends_at=ends_at
                )
            except errors.UnavailableError:
                self.world.note(me.name, "answers 503")
                return
            if self.world.trace is not None:
                safe = "SAFE" if outcome.safe_to_collect else "not safe"
                self.world.note(me.name, f"answers {outcome.verdict}, {safe}")
            self.checks.answered(me, outcome)
            on_answer(me, outcome)

        return self._invoke(f"{move.kind} {move.step}", FLOW_SECONDS, work)

    def wait(self, move: Move, pause_id: str | None, token: str) -> Invocation:
        """A workflow comes to wait for the end of a step; if that fails it comes again with another token."""
        done: list[bool] = []
        tokens = self.checks.tokens
        assert tokens is not None

        def work(me: Invocation) -> None:
            me.move, me.named_pause = move, pause_id
            trigger = Trigger(
                account=ACCOUNT,
                action=Action.PAUSE,
                step=move.step,
                call=Call(call_id=move.leg),
                pause_id=pause_id,
                by="workflow",
            )
            try:
                completion = self._service(me).await_end(trigger, token, self.secret)
            except errors.UnavailableError:
                self.world.note(me.name, "cannot wait")
                return
            done.append(True)
            self.world.note(me.name, f"waits with {token}" if completion is None else f"is told {completion.ended}")
            tokens.answered(me, pause_id, token, completion)

        def again() -> None:
            if not done and token.count("+") < TRIES_AGAIN:
                self.world.at(self.world.now + 1.0, lambda: self.wait(move, pause_id, token + "+"))

        me = self._invoke(f"{move.kind} {move.step}", FLOW_SECONDS, work)
        me.at_end = again
        return me

    def webhook(self, what: str, leg: str, event_id: str | None) -> Invocation:
        """The vendor tells of a recording, or of the call's end; or somebody else says so."""
        event = RecordingEvent(
            account=ACCOUNT,
            happening=HAPPENINGS[what],
            call=Call(call_id=leg),
            event_id=event_id and sha256(event_id.encode()).hexdigest(),
        )

        def work(me: Invocation) -> None:
            # as inbound/webhooks.py hands it on
            deadline = Deadline(me.monotonic, self.settings.budget_ms / 1000 - ANSWER_SECONDS)
            ends_at = me.time() + (me.ends - self.world.now)
            try:
                self._service(me).happened(event, self.secret, deadline=deadline, ends_at=ends_at)
            except errors.UnavailableError:
                self.world.note(me.name, "gives the webhook back")
                return
            me.event_id = "done"

        me = self._invoke(f"webhook {what}", FLOW_SECONDS, work)

        def again() -> None:
            if me.event_id != "done":  # vendors send again what was not taken
                self.world.at(self.world.now + 5.0, lambda: self.webhook(what, leg, event_id))

        me.at_end = again
        return me

    def remind(self, body: str, receives: int = 1) -> None:
        """The queue gives a message out."""
        done: list[bool] = []
        given_back: list[float] = []

        def work(me: Invocation) -> None:
            service = self._service(me)
            timers = SimulatedTimers(self.queue, me)
            reminders = Reminders(recordings=service, timers=timers, clock=_ClockOf(me), observer=Watcher(me))
            try:
                reminders.deliver(body, seconds_left=me.ends - self.world.now)
            except errors.UnavailableError:
                self.world.note(me.name, "gives the message back")
                given_back.append(self.world.now + min(2.0**receives, VISIBILITY_SECONDS))
                return
            done.append(True)

        def again() -> None:
            if not done and receives < RECEIVES:
                at = given_back[0] if given_back else me.began + VISIBILITY_SECONDS
                self.world.at(at, lambda: self.remind(body, receives + 1))

        me = self._invoke("timer", TIMER_SECONDS, work)
        me.at_end = again

    def sweep(self) -> None:
        """A minute has passed."""
        self._sweep_at = None

        def work(me: Invocation) -> None:
            service = self._service(me)
            timers = SimulatedTimers(self.queue, me)
            reminders = Reminders(recordings=service, timers=timers, clock=_ClockOf(me), observer=Watcher(me))
            try:
                reminders.sweep(seconds_left=me.ends - self.world.now)
            except errors.UnavailableError:
                self.world.note(me.name, "cannot list what is due")

        me = self._invoke("sweep", TIMER_SECONDS, work)
        me.at_end = lambda: self._schedule_sweep(self.table.due_at)

    def _schedule_sweep(self, due_at: float | None) -> None:
        """Sweep at the next full minute after it is due: the sweeps before find nothing."""
        if due_at is None:
            return
        due = max(self.world.now, due_at - EPOCH)
        at = (due // 60 + 1) * 60
        if self._sweep_at is None or at < self._sweep_at:
            self._sweep_at = at
            self.world.at(at, lambda: self._sweep_if(at))

    def _sweep_if(self, at: float) -> None:
        if self._sweep_at != at:
            return
        self._sweep_at = None
        due_at = self.table.due_at
        if due_at is not None:
            if due_at - EPOCH > self.world.now + 1:
                self._schedule_sweep(due_at)
            else:
                self.sweep()

    def _invoke(self, name: str, seconds: float, work: Callable[[Invocation], Any]) -> Invocation:
        self._count += 1
        return Invocation(self.world, f"{self._count} {name}", seconds, work)

    def _service(self, me: Invocation) -> RecordingService:
        jitter = (me.world.now * 7.3) % 1.0
        return RecordingService(
            accounts=Secrets(self.secret, me),
            vendors=lambda _: SimulatedVendor(self.board, me),
            ledgers=SimulatedLedgers(self.table, me),
            timers=SimulatedTimers(self.queue, me),
            aside=beside(me),
            clock=_ClockOf(me),
            observer=Watcher(me),
            jitter=lambda: jitter,
            nonce=me.nonce,
        )


class _ClockOf:
    """An invocation's clock."""

    def __init__(self, invocation: Invocation) -> None:
        self.now = invocation.time
        self.monotonic = invocation.monotonic
        self.sleep = invocation.sleep


def trigger_of(
    move: Move,
    *,
    event_id: str | None,
    occurred_at: float | None,
    pause_id: str | None,
    recording_id: str | None,
    seconds: int,
    by: str,
) -> Trigger:
    """Return what a flow says."""
    return Trigger(
        account=ACCOUNT,
        action=_ACTIONS[move.kind],
        step=move.step,
        call=Call(call_id=move.leg),
        event_id=event_id,
        recording_id=recording_id,
        occurred_at=None if occurred_at is None else datetime.fromtimestamp(EPOCH + occurred_at, UTC),
        pause_id=pause_id,
        max_pause_seconds=seconds if move.kind == "entered" else None,
        by=by,
    )
