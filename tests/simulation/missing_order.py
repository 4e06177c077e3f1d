"""What is left where a rule is missing that says who may do what, and when."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from call_recording import doubts, errors, ledger, ledger_parts, ledger_state, occurrences, reconcile, service, upkeep
from call_recording.command import Command
from call_recording.ledger import CallLedger
from call_recording.ledger_parts import SKEW, Pause
from call_recording.ledger_state import LedgerState
from call_recording.model import Action
from call_recording.occurrences import timing_of
from call_recording.reconcile import Reconciler
from call_recording.service import RecordingService
from tests.simulation.stores import Table
from tests.simulation.world import Invocation

#: Replaces an attribute until the rule is put back.
Replace = Callable[[Any, str, Any], None]


def due_while_open(exchange: Replace) -> None:
    """The index holds open pauses, and nothing else; and nobody is reminded of anything else."""
    exchange(
        LedgerState,
        "due_at",
        property(lambda self: min((each.deadline + SKEW for each in self.pauses.values()), default=None)),
    )
    exchange(LedgerState, "looks_again_at", property(lambda _: None))


def no_skew(exchange: Replace) -> None:
    """All clocks are taken to be the same."""
    for module in (doubts, ledger, ledger_parts, ledger_state, occurrences, reconcile, service, upkeep):
        if "SKEW" in module.__dict__:
            exchange(module, "SKEW", 0.0)


def nonce_of_event(exchange: Replace) -> None:
    """Whoever handles the same event is the same holder."""
    exchange(Invocation, "nonce", lambda self: (self.event_id or self.name).replace(" ", "-"))


def no_visits(exchange: Replace) -> None:
    """A `left` is a `left`."""
    exchange(Pause, "is_later", lambda *_: False)


def unconditional(exchange: Replace) -> None:
    """A put overwrites whatever there is."""
    write = Table.write

    def overwriting(self: Table, ledger: CallLedger, writer: Invocation) -> CallLedger:
        current = self.ledgers.get(ledger.call.call_id)
        return write(self, replace(ledger, version=current.version if current else 0), writer)

    exchange(Table, "write", overwriting)


def blind_resume(exchange: Replace) -> None:
    """A resume is sent although there is no ledger."""
    handle = RecordingService.handle

    def resuming(self: RecordingService, trigger: Any, secret: Any, *, deadline: Any, **given: Any) -> Any:
        try:
            return handle(self, trigger, secret, deadline=deadline, **given)
        except errors.UnavailableError:
            vendor = self._vendors(secret.account)
            Command(
                self._conversation(vendor, secret.account, deadline, trigger), trigger.call, trigger.action
            ).carry_out()
            raise

    exchange(RecordingService, "handle", resuming)


def no_reminder(exchange: Replace) -> None:
    """The vendor is asked before the reminder of the pause is sent."""
    exchange(Reconciler, "_opens", lambda *_: False)


def early(exchange: Replace) -> None:
    """Whoever looks at the clock looks a little ahead."""
    expired = CallLedger.expired
    exchange(CallLedger, "expired", lambda self, *, now, **given: expired(self, now=now + 2.0, **given))


def late_entered(exchange: Replace) -> None:
    """A step can be entered after it was left."""
    refusal = CallLedger._refusal
    exchange(CallLedger, "_refusal", lambda self, step, _: refusal(self, step, None))


def nothing_seen(exchange: Replace) -> None:
    """An event that comes twice happens twice."""
    exchange(CallLedger, "_see", lambda self, *_: self)


def no_polls(exchange: Replace) -> None:
    """Nobody looks whether a recording has started."""
    exchange(LedgerState, "polls", property(lambda _: False))


def no_word(exchange: Replace) -> None:
    """A pause that is sent without the ledger leaves no message."""

    def pausing(self: RecordingService, trigger: Any, opens: Any, account: Any, *, deadline: Any, **_: Any) -> Any:
        conversation = self._conversation(self._vendors(account), account, deadline, trigger)
        return Command(conversation, opens.call, Action.PAUSE).carry_out(trigger.recording_id)

    exchange(RecordingService, "_pause_blindly", pausing)


def same_word(exchange: Replace) -> None:
    """The message of a pause that is sent without the ledger has the id of the step's pause."""

    def misnaming(
        self: RecordingService,
        trigger: Any,
        opens: Any,
        account: Any,
        *,
        deadline: Any,
        ends_at: float,
        **_: Any,
    ) -> Any:
        self._remind(opens, ends_at + timing_of(account.settings).settles + SKEW)
        conversation = self._conversation(self._vendors(account), account, deadline, trigger)
        return Command(conversation, opens.call, Action.PAUSE).carry_out(trigger.recording_id)

    exchange(RecordingService, "_pause_blindly", misnaming)


def unheard_ignored(exchange: Replace) -> None:
    """The message of a pause that is not on record says nothing."""
    exchange(CallLedger, "unheard", lambda self, **_: self)


def left_unheard(exchange: Replace) -> None:
    """A `left` of a pause that is not on record says nothing of a pause under way."""
    left = CallLedger.left

    def leaving(self: CallLedger, *, step: str, **given: Any) -> CallLedger:
        after = left(self, step=step, **given)
        return after if step in self.pauses else replace(after, doubts=self.doubts)

    exchange(CallLedger, "left", leaving)
