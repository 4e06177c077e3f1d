"""What is left where a rule is missing that says when a call is over."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from call_recording.ledger import CallLedger

#: Replaces an attribute until the rule is put back.
Replace = Callable[[Any, str, Any], None]


def taken_at_its_word(exchange: Replace) -> None:
    """Whoever says that the call is over closes what is open."""
    exchange(
        CallLedger,
        "call_ended",
        lambda self, *, event_id, now, by: self if self.over else self._see(event_id)._over(now, by),
    )


def owed_nothing(exchange: Replace) -> None:
    """Where no pause is open, a call is over by anybody's word, whatever its tape is."""
    call_ended = CallLedger.call_ended

    def ended(self: CallLedger, *, event_id: str, now: float, by: str) -> CallLedger:
        told = call_ended(self, event_id=event_id, now=now, by=by)
        if self.pauses or told is self or told.over:
            return told
        return replace(self._see(event_id), over=True, presumed=True)

    exchange(CallLedger, "call_ended", ended)


def never_reopened(exchange: Replace) -> None:
    """A call that is presumed to be over is over."""
    exchange(CallLedger, "_heard_of", CallLedger._see)


def unheard_of_the_dead(exchange: Replace) -> None:
    """That a pause was sent without the ledger tells nothing of a call that is presumed to be over."""
    unheard = CallLedger.unheard

    def told(self: CallLedger, **given: Any) -> CallLedger:
        after = unheard(self, **given)
        return replace(after, over=self.over, presumed=self.presumed)

    exchange(CallLedger, "unheard", told)
