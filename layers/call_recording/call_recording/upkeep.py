"""What is done for a call whoever has called us, and what is done when nobody has: wake up to a reminder, and sweep."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from . import errors
from .account import Account, AccountSecret
from .conversation import Conversation
from .ledger import CallLedger, LedgerConflictError
from .ledger_parts import SKEW
from .model import Call, Deadline, Notice, RecordingEvent, Reminder, Trigger
from .occurrences import Occurrence, Wake, event_of, happened, inherited, reminder_of, require_vendor, timing_of
from .outcome import Ending
from .ports import AccountSecrets, Aside, Clock, Ledgers, Observer, Timers, Vendor, Vendors
from .reconcile import RECORD_SECONDS, Reconciler

#: What is looked at again later than this is left to the sweep, seconds.
LONGEST_REMINDER: Final = 900.0
#: What one call may take of an invocation that nobody waits for, seconds; a flow's budget is no measure for it.
WAKE_SECONDS: Final = 5.0
#: The other leg of a call, whose ledger did not answer, is looked at again after this, seconds.
AGAIN: Final = 60.0


class Upkeep:
    """Sees to what was left undone."""

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

    def wake(self, reminder: Reminder, *, seconds_left: float, by: str = "timer") -> None:
        """Look at a call again, *by* a reminder of the queue or the sweep.

        Raises UnavailableError if that has to be done another time: what we need is down, or somebody else is at it; and
        InvalidTriggerError if a reminder is about what is no id of its vendor.
        """
        ends_at = self._clock.now() + seconds_left
        found = self._account_of(reminder)
        if found is None:
            self._count_failure(reminder)
            return
        account, vendor = found
        if by == "timer":  # the sweep's come from the table
            vendor.check_ids(reminder.call, reminder.recording_id)
        deadline = Deadline(self._clock.monotonic, min(WAKE_SECONDS, seconds_left - RECORD_SECONDS))
        wake = Wake(reminder, account, by)
        conversation = self._conversation(vendor, account, deadline)
        try:
            if (event := event_of(reminder)) is not None:
                self._tell(event, account, vendor, deadline, ends_at)
                return
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
        self._pass_on(ending.ledger, conversation, account, deadline, ends_at)
        pause = ending.ledger.pauses.get(reminder.step or "")
        if pause is not None and pause.pause_id == reminder.pause_id and not pause.kept:
            self._remind(reminder, pause.deadline + SKEW)  # it was too early for its own pause

    def happened(self, event: RecordingEvent, secret: AccountSecret, *, deadline: Deadline, ends_at: float) -> None:
        """Write *event* into the ledger of its call, and make the vendor match at once: a new tape is paused, say.

        Of a call that nobody has asked anything of there is no ledger, and nothing to be done.  Without the ledger the
        queue keeps the event.
        Raises InvalidTriggerError for what is no id of this vendor, and UnavailableError if the queue is down as well.
        """
        account = secret.account
        vendor = self._vendors(account)
        vendor.check_ids(event.call, event.recording_id)
        try:
            self._tell(event, account, vendor, deadline, ends_at)
        except errors.UnavailableError as exc:
            self._notice(Notice.LEDGER_UNAVAILABLE, account.name, event.call, reason=str(exc))
            self._timers.remind(reminder_of(event), at=self._clock.now())

    def _tell(
        self, event: RecordingEvent, account: Account, vendor: Vendor, deadline: Deadline, ends_at: float
    ) -> None:
        ledger = self._ledgers.load(event.account, event.call)
        if ledger.version == 0:
            return
        require_vendor(ledger, account)
        conversation = self._conversation(vendor, account, deadline)
        occurrence = happened(event, "webhook", self._nonce())
        ending = self._reconciler(occurrence, conversation, account, deadline, ends_at).run()
        self._follow_up(ending, account.name, event.call, None)
        if ending.busy and ending.ledger.lease is not None:  # whoever commands sees to it, or is dead
            self._remind(Reminder(account.name, ledger.call), ending.ledger.lease.until + SKEW)
        self._pass_on(ending.ledger, conversation, account, deadline, ends_at)

    def _pass_on(
        self, child: CallLedger, conversation: Conversation, account: Account, deadline: Deadline, ends_at: float
    ) -> None:
        """Tell the leg that this one was made from, found only now it may be, what is desired of this one."""
        if child.parent is None:
            return
        leg = inherited(child, child.parent, timing_of(account.settings))
        if leg is None:
            return
        try:
            above = self._reconciler(leg, conversation, account, deadline, ends_at).run()
        except errors.UnavailableError:  # this leg may be settled by now, and then nobody would come back for the other
            self._remind(Reminder(account.name, child.call), self._clock.now() + AGAIN)
            raise
        self._follow_up(above, account.name, leg.call, None)

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

    def _notice(
        self, notice: Notice, account: str, call: Call, step: str | None = None, *, reason: str | None = None
    ) -> None:
        self._observer.noticed(notice, account=account, call_id=call.call_id, step=step, reason=reason)

    def _conversation(
        self, vendor: Vendor, account: Account, deadline: Deadline, trigger: Trigger | None = None
    ) -> Conversation:
        return Conversation(
            vendor=vendor,
            clock=self._clock,
            deadline=deadline,
            renew=lambda refused: self._renew(refused, account, trigger),
        )

    def _renew(self, refused: Vendor, account: Account, trigger: Trigger | None) -> Vendor | None:
        """After a 401: return the vendor with what it signs in with made anew, or None if that cannot be had."""
        refused.renew()
        try:
            secret = self._accounts.get(account.name, refresh=True)
            if secret is None or secret.account.vendor != account.vendor:
                return None  # that is another account by now, and no business of this command
            renewed = self._vendors(secret.account)
            if trigger is not None:
                renewed.check(trigger)
        except (errors.UnavailableError, errors.InvalidTriggerError, errors.ConfigurationError):
            return None  # the refusal stands, and says what there is to mend
        return renewed
