"""The use cases: what a flow or workflow asks for is carried out and judged."""

from dataclasses import replace
from typing import Final

from . import errors
from .account import Account, AccountSecret
from .awaiting import Completion, completion
from .command import Command
from .conversation import ATTEMPT_SECONDS
from .ledger import LedgerConflictError
from .ledger_parts import SKEW
from .model import Action, Deadline, Notice, Reminder, Report, Trigger
from .occurrences import Occurrence, on_leg, timing_of, triggered
from .outcome import Outcome, answer, of_both_legs, without_ledger
from .reconcile import RECORD_SECONDS
from .upkeep import Upkeep

#: So often a note is written again after a conflict.
SAVES: Final = 5


class RecordingService(Upkeep):
    """Pauses, resumes and stops the recordings of calls, and says how well that is known."""

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

    def note_stop_by_document(self, trigger: Trigger, secret: AccountSecret) -> None:
        """Note that the document which we answer with stops the recordings for good: the pauses of the call close.

        Raises what `handle` raises before anything is sent; without the ledger the document stops them all the same.
        """
        account = secret.account
        # of a stop it would ask for what only a request of ours needs
        self._vendors(account).check(replace(trigger, action=Action.PAUSE))
        trigger = replace(trigger, recording_id=None)  # the document names none
        apply = triggered(trigger, account.settings, self._nonce(), by_document=True).apply
        self._notice(Notice.STOPPED_BY_DOCUMENT, trigger.account, trigger.call, trigger.step)
        try:
            ledger = self._ledgers.load(account.name, trigger.call)
            for _ in range(SAVES):
                now = self._clock.now()
                try:
                    applied = apply(ledger.relieved(now), now)
                    self._ledgers.save(applied.of(account.vendor, trigger.call.channel_id))
                except LedgerConflictError as conflict:
                    ledger = conflict.current or self._ledgers.load(account.name, trigger.call)
                else:
                    return
        except errors.UnavailableError:
            pass
        self._notice(Notice.LEDGER_UNAVAILABLE, trigger.account, trigger.call, trigger.step)

    def await_end(self, trigger: Trigger, token: str, secret: AccountSecret) -> Completion | None:
        """Keep *token* with the pause of the trigger's step; return what it is to be told if that is not open any more.

        Raises InvalidTriggerError, and UnavailableError if it cannot be kept.
        """
        self._vendors(secret.account).check_ids(trigger.call, None)
        ledger = self._ledgers.load(trigger.account, trigger.call)
        for _ in range(SAVES):
            now = self._clock.now()
            applied = ledger.awaited(step=trigger.step, pause_id=trigger.pause_id, token=token, now=now, by=trigger.by)
            pause = applied.pauses.get(trigger.step)
            if pause is None or pause.token != token:
                return completion(applied, trigger.step, trigger.pause_id, token)
            if applied is ledger:
                return None
            try:
                self._ledgers.save(applied)
            except LedgerConflictError as conflict:
                ledger = conflict.current or self._ledgers.load(trigger.account, trigger.call)
            else:
                return None
        raise errors.UnavailableError("the ledger of this call is written by too many at once")

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
        conversation = self._conversation(self._vendors(account), account, deadline, trigger)
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
        conversation = self._conversation(self._vendors(account), account, late, trigger)
        # an id of its own: this pause may land after the step's was left, and is not that one
        reminder = opens._replace(pause_id=f"blind-{self._nonce()}")
        at = ends_at + timing_of(account.settings).settles + SKEW
        if not is_queue_down:
            self._remind(reminder, at)
        report = Command(conversation, opens.call, Action.PAUSE).carry_out(trigger.recording_id)
        if is_queue_down:
            self._remind(reminder, at)
        return report
