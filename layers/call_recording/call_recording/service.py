"""The use case: a trigger is carried out at the vendor, and judged."""

from . import errors
from .account import Account, AccountSecret
from .command import Command
from .conversation import Conversation
from .model import Deadline, Trigger
from .outcome import Outcome, Report, judge
from .ports import AccountSecrets, Clock, Observer, Vendor, Vendors


class RecordingService:
    """Pauses, resumes and stops the recordings of calls, and says how well that is known.

    The ledger's place is here, between `handle` and the command: neither the functions nor the vendors know of it.
    """

    def __init__(self, *, accounts: AccountSecrets, vendors: Vendors, clock: Clock, observer: Observer) -> None:
        self._accounts = accounts
        self._vendors = vendors
        self._clock = clock
        self._observer = observer

    def require_fit(self, secret: AccountSecret) -> None:
        """Raise ConfigurationError if the secret of an account does not fit, its vendor's credentials included."""
        self._vendors(secret.account)

    def handle(self, trigger: Trigger, secret: AccountSecret, *, received_at: float, deadline: Deadline) -> Outcome:
        """Carry out *trigger*, inside *deadline*, and return the outcome.

        *received_at* is when the trigger reached us, in seconds since the epoch.
        Raises InvalidTriggerError, UnsupportedActionError and ConfigurationError, each before anything is sent.
        """
        account = secret.account
        vendor = self._vendors(account)
        vendor.check(trigger)
        conversation = Conversation(
            vendor=vendor,
            clock=self._clock,
            deadline=deadline,
            renew=lambda refused: self._renew(refused, trigger, account),
        )
        report = Command(conversation, trigger.call, trigger.action).carry_out(trigger.recording_id)
        outcome = self._outcome(trigger, account, report, received_at)
        self._observer.handled(outcome, report.error)
        return outcome

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

    def _outcome(self, trigger: Trigger, account: Account, report: Report, received_at: float) -> Outcome:
        verdict, error = judge(report, trigger, account.settings)
        return Outcome(
            trigger=trigger,
            vendor=account.vendor,
            verdict=verdict,
            error=error,
            recordings=report.recordings,
            elapsed_ms=max(0, round((self._clock.now() - received_at) * 1000)),
            retry_after=report.error.retry_after if report.error else None,
        )
