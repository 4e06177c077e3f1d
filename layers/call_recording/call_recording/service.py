"""The use cases: what a flow or workflow asks for is carried out and judged, and what was left undone is seen to."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

from . import errors
from .account import Account, AccountSecret
from .command import Command
from .conversation import ATTEMPT_SECONDS, Conversation
from .ledger import LedgerConflictError
from .ledger_parts import SKEW
from .model import Action, Call, Deadline, Notice, Reminder, Report, Trigger
from .occurrences import Occurrence, Wake, inherited, on_leg, timing_of, triggered
from .outcome import Ending, Outcome, answer, of_both_legs, without_ledger
from .ports import AccountSecrets, Aside, Clock, Ledgers, Observer, Timers, Vendor, Vendors
from .reconcile import RECORD_SECONDS, Reconciler

#: What is looked at again later than this is left to the sweep, seconds.
LONGEST_REMINDER: Final = 900.0
#: What one call may take of an invocation that nobody waits for, seconds; a flow's budget is no measure for it.
WAKE_SECONDS: Final = 5.0
#: The other leg of a call, whose ledger did not answer, is looked at again after this, seconds.
AGAIN: Final = 60.0
#: So often a note is written again after a conflict.
SAVES: Final = 5


class RecordingService:
    """Pauses, resumes and stops the recordings of calls, and says how well that is known."""

    def __init__(
        self,
        *,
        accounts: AccountSecrets,
        vendors: Vendors,
        ledgers: Ledgers,
        timers: Timers,
        aside: Aside,
        clock: Clock,
        observer: Observer,
        jitter: Callable[[], float],
        nonce: Callable[[], str],
    ) -> None:
        self._accounts = accounts
        self._vendors = vendors
        self._ledgers = ledgers
        self._timers = timers
        self._aside = aside
        self._clock = clock
        self._observer = observer
        self._jitter = jitter
        self._nonce = nonce

    def require_fit(self, secret: AccountSecret) -> None:
        """Raise ConfigurationError if the secret of an account does not fit, its vendor's credentials included."""
        self._vendors(secret.account)

    def handle(
        self, trigger: Trigger, secret: AccountSecret, *, received_at: float, deadline: Deadline, ends_at: float
    ) -> Outcome:
        """Carry out *trigger*, inside *deadline*, and return the outcome.

        *received_at* is when the trigger reached us, *ends_at* when this invocation is over whatever happens, both in
        seconds since the epoch.
        Raises InvalidTriggerError, UnsupportedActionError and ConfigurationError, each before anything is sent, and
        UnavailableError if there is no ledger and therefore nothing was sent.
        """
        vendor = self._vendors(secret.account)
        if not vendor.reads:
            trigger = replace(trigger, recording_id=None)  # it acts on the call, whatever recording is named
        vendor.check(trigger)
        occurrence = triggered(trigger, secret.account.settings, self._nonce())
        outcome, report = self._handle(
            occurrence, trigger, secret.account, received_at=received_at, deadline=deadline, ends_at=ends_at
        )
        self._observer.handled(outcome, report.error if report else None)
        return outcome

    def _handle(
        self,
        occurrence: Occurrence,
        trigger: Trigger,
        account: Account,
        *,
        received_at: float,
        deadline: Deadline,
        ends_at: float,
    ) -> tuple[Outcome, Report | None]:
        """Handle it on one leg of the call, and on the leg that this one was made from, whose recordings count too."""
        conversation = self._conversation(self._vendors(account), trigger, account, deadline)
        reconciler = self._reconciler(occurrence, conversation, account, deadline, ends_at)
        ending = report = None
        try:
            ending = reconciler.run()
        except errors.UnavailableError as exc:
            self._notice(Notice.LEDGER_UNAVAILABLE, trigger.account, trigger.call, trigger.step, reason=str(exc))
            if occurrence.opens is None:
                raise  # without the ledger nobody knows whether a resume would break another's pause
            report = self._pause_blindly(
                trigger,
                occurrence.opens,
                account,
                deadline=deadline,
                ends_at=ends_at,
                is_queue_down=reconciler.is_unreminded,
            )
            parent = report.parent
        else:
            self._follow_up(ending, account.name, trigger.call, trigger.step)
            report, parent = ending.report, ending.ledger.parent
        above = None
        if parent is not None and occurrence.call.call_id == trigger.call.call_id:
            in_doubt = report is not None and report.in_doubt
            leg = on_leg(occurrence, parent, timing_of(account.settings), self._nonce() if in_doubt else None)
            above, _ = self._handle(leg, trigger, account, received_at=received_at, deadline=deadline, ends_at=ends_at)
        # judged last of all: what was safe before the queue kept us waiting may be past its deadline
        now = self._clock.now()
        if ending is None:
            assert report is not None
            return without_ledger(report, trigger, account, received_at=received_at, now=now), report
        outcome = answer(ending, trigger, account, received_at=received_at, now=now)
        return (outcome if above is None else of_both_legs(outcome, above)), report

    def wake(self, reminder: Reminder, *, seconds_left: float, by: str = "timer") -> None:
        """Look at a call again, *by* a reminder of the queue or the sweep.

        Raises UnavailableError if that has to be done another time: what we need is down, or somebody else is at it.
        """
        ends_at = self._clock.now() + seconds_left
        found = self._account_of(reminder)
        if found is None:
            self._count_failure(reminder)
            return
        account, vendor = found
        deadline = Deadline(self._clock.monotonic, min(WAKE_SECONDS, seconds_left - RECORD_SECONDS))
        wake = Wake(reminder, account, by)
        stand_in = Trigger(account=account.name, action=Action.RESUME, step=reminder.step or "", call=reminder.call)
        conversation = self._conversation(vendor, stand_in, account, deadline)
        try:
            ending = self._reconciler(wake.occurrence(), conversation, account, deadline, ends_at).run()
        except errors.ConfigurationError as exc:
            self._observer.misconfigured(reminder.account, exc.field, str(exc))
            self._count_failure(reminder)
            return
        kept = account.settings.on_deadline == "keep"
        for step in wake.expired:
            self._notice(Notice.PAUSE_KEPT if kept else Notice.PAUSE_EXPIRED, account.name, reminder.call, step)
        if ending.busy or not ending.recorded:
            raise errors.UnavailableError("somebody else is commanding this call, or the outcome could not be kept")
        self._follow_up(ending, account.name, reminder.call, reminder.step)
        child = ending.ledger
        if child.parent is not None and (child.pauses or child.stopped):  # found only now, it may be
            leg = inherited(child, child.parent)
            try:
                above = self._reconciler(leg, conversation, account, deadline, ends_at).run()
            except (
                errors.UnavailableError
            ):  # this leg may be settled by now, and then nobody would come back for the other
                self._remind(Reminder(account.name, child.call), self._clock.now() + AGAIN)
                raise
            self._follow_up(above, account.name, leg.call, reminder.step)
        pause = ending.ledger.pauses.get(reminder.step or "")
        if pause is not None and pause.pause_id == reminder.pause_id and not pause.kept:
            self._remind(reminder, pause.deadline + SKEW)  # it was too early for its own pause

    def sweep(self, *, seconds_left: float, limit: int) -> None:
        """Look at all calls that are due; what there is no time for goes to the queue, where others take it up.

        Raises UnavailableError if the ledgers cannot be listed, and what is not foreseen after all had their turn.
        """
        ends = Deadline(self._clock.monotonic, seconds_left)
        due = self._ledgers.due(self._clock.now(), limit)
        self._observer.swept(len(due))
        # each has its turn, whatever becomes of the others: an ExitStack calls all, the last that was put in first
        with ExitStack() as turns:
            for account, call_id in reversed(due):
                turns.callback(self._take_turn, Reminder(account, Call(call_id=call_id)), ends, seconds_left / 2)

    def note_stop_by_document(self, trigger: Trigger, secret: AccountSecret) -> None:
        """Note that the document which we answer with stops the recordings for good: the pauses of the call close.

        Raises what `handle` raises before anything is sent; without the ledger the document stops them all the same.
        """
        account = secret.account
        # of a stop it would ask for what only a request of ours needs
        self._vendors(account).check(replace(trigger, action=Action.PAUSE))
        trigger = replace(trigger, recording_id=None)  # the document names none
        apply = triggered(trigger, account.settings, self._nonce(), by_document=True).apply
        try:
            ledger = self._ledgers.load(account.name, trigger.call)
            for _ in range(SAVES):
                now = self._clock.now()
                try:
                    self._ledgers.save(apply(ledger.relieved(now), now))
                except LedgerConflictError as conflict:
                    ledger = conflict.current or self._ledgers.load(account.name, trigger.call)
                else:
                    return
        except errors.UnavailableError:
            pass
        self._notice(Notice.LEDGER_UNAVAILABLE, trigger.account, trigger.call, trigger.step)

    def _take_turn(self, reminder: Reminder, ends: Deadline, reserve: float) -> None:
        try:
            if ends.remaining() > reserve:
                self.wake(reminder, seconds_left=ends.remaining(), by="sweep")
            else:
                self._timers.remind(reminder, at=self._clock.now())
        except errors.UnavailableError as exc:  # it stays due: the next sweep has it
            self._notice(Notice.NOT_LOOKED_AT, reminder.account, reminder.call, reason=str(exc))

    def _account_of(self, reminder: Reminder) -> tuple[Account, Vendor] | None:
        """The account of a call and its vendor, or None if there is no such account, or one that does not fit."""
        try:
            secret = self._accounts.get(reminder.account)
            return None if secret is None else (secret.account, self._vendors(secret.account))
        except errors.ConfigurationError as exc:
            self._observer.misconfigured(reminder.account, exc.field, str(exc))
            return None

    def _reconciler(
        self, occurrence: Occurrence, conversation: Conversation, account: Account, deadline: Deadline, ends_at: float
    ) -> Reconciler:
        return Reconciler(
            occurrence,
            ledgers=self._ledgers,
            timers=self._timers,
            aside=self._aside,
            clock=self._clock,
            jitter=self._jitter,
            holder=self._nonce(),
            timing=timing_of(account.settings),
            conversation=conversation,
            deadline=deadline,
            ends_at=ends_at,
        )

    def _pause_blindly(
        self,
        trigger: Trigger,
        opens: Reminder,
        account: Account,
        *,
        deadline: Deadline,
        ends_at: float,
        is_queue_down: bool,
    ) -> Report:
        """Send a pause although nothing can be written down, and leave word for whoever has a ledger again.

        It is sent even if looking for the ledger took all the time that the flow gives us.  Word is left first; but a
        queue that has just kept us waiting is not waited for again before the vendor is asked.
        """
        last = min(ATTEMPT_SECONDS, ends_at - RECORD_SECONDS - self._clock.now())
        late = Deadline(self._clock.monotonic, max(deadline.remaining(), last))
        conversation = self._conversation(self._vendors(account), trigger, account, late)
        # an id of its own: this pause may land after the step's was left, and is not that one
        reminder = opens._replace(pause_id=f"blind-{self._nonce()}")
        at = ends_at + timing_of(account.settings).settles + SKEW
        if not is_queue_down:
            self._remind(reminder, at)
        report = Command(conversation, opens.call, Action.PAUSE).carry_out(trigger.recording_id)
        if is_queue_down:
            self._remind(reminder, at)
        return report

    def _follow_up(self, ending: Ending, account: str, call: Call, step: str | None) -> None:
        """Tell operators what they should know, and have the call looked at again where something is left undone."""
        if not ending.reminded:
            self._notice(Notice.TIMER_UNAVAILABLE, account, call, step)
        if ending.found_running:
            self._notice(Notice.FOUND_RUNNING, account, call, step)
        if ending.ledger.given_up and ending.report is not None:
            self._notice(Notice.GIVEN_UP, account, call, step)
        lease = ending.ledger.lease
        # what could not be written down is looked into when our lease has lapsed
        at = lease.until if lease is not None and not ending.recorded else ending.ledger.looks_again_at
        if at is not None and not ending.idle and at < self._clock.now() + LONGEST_REMINDER:
            self._remind(Reminder(account, ending.ledger.call), at)

    def _remind(self, reminder: Reminder, at: float) -> None:
        try:
            self._timers.remind(reminder, at=at)
        except errors.UnavailableError as exc:  # the sweep has it within a minute
            self._notice(Notice.TIMER_UNAVAILABLE, reminder.account, reminder.call, reminder.step, reason=str(exc))

    def _count_failure(self, reminder: Reminder) -> None:
        """Nobody can ask the vendor of a call whose account is gone, or unfit: keep trying, and give up in the end."""
        self._notice(Notice.ACCOUNT_GONE, reminder.account, reminder.call, reminder.step)
        now = self._clock.now()
        ledger = self._ledgers.load(reminder.account, reminder.call)
        tried = ledger.relieved(now).expired(now=now, on_deadline="resume")
        if tried.due_at is not None and now >= tried.due_at and not tried.leased(now):
            tried = tried.failed(now=now, reason="the account is gone, or does not fit")
        if tried is ledger or ledger.version == 0:
            return
        try:
            if tried.given_up:
                self._timers.surrender(reminder)
            self._ledgers.save(tried)
        except LedgerConflictError:
            raise errors.UnavailableError("the ledger of this call has changed meanwhile") from None
        if tried.given_up:
            self._notice(Notice.GIVEN_UP, reminder.account, reminder.call, reminder.step)

    def _notice(
        self, notice: Notice, account: str, call: Call, step: str | None = None, *, reason: str | None = None
    ) -> None:
        self._observer.noticed(notice, account=account, call_id=call.call_id, step=step, reason=reason)

    def _conversation(self, vendor: Vendor, trigger: Trigger, account: Account, deadline: Deadline) -> Conversation:
        return Conversation(
            vendor=vendor,
            clock=self._clock,
            deadline=deadline,
            renew=lambda refused: self._renew(refused, trigger, account),
        )

    def _renew(self, refused: Vendor, trigger: Trigger, account: Account) -> Vendor | None:
        """After a 401: return the vendor with what it signs in with made anew, or None if that cannot be had."""
        refused.renew()
        try:
            secret = self._accounts.get(account.name, refresh=True)
            if secret is None or secret.account.vendor != account.vendor:
                return None  # that is another account by now, and no business of this command
            renewed = self._vendors(secret.account)
            renewed.check(trigger)
        except (errors.UnavailableError, errors.InvalidTriggerError, errors.ConfigurationError):
            return None  # the refusal stands, and says what there is to mend
        return renewed
