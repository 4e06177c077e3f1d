"""What is left where a rule is missing that says what workflows are told which wait for the end of a step."""

from collections.abc import Callable
from typing import Any

from call_recording import awaiting
from call_recording.awaiting import Completion, Ended
from call_recording.ledger import CallLedger
from call_recording.service import RecordingService

#: Replaces an attribute until the rule is put back.
Replace = Callable[[Any, str, Any], None]


def told_of_closed_ones(exchange: Replace) -> None:
    """Only whose pause is open no more is told."""
    completions = awaiting.completions
    exchange(
        awaiting,
        "completions",
        lambda before, after: [each for each in completions(before, after) if each.step not in after.pauses],
    )


def told_nothing_at_once(exchange: Replace) -> None:
    """Whoever comes to wait for what is closed waits all the same."""
    await_end = RecordingService.await_end

    def waiting(self: RecordingService, *given: Any) -> None:
        await_end(self, *given)

    exchange(RecordingService, "await_end", waiting)


def told_the_last_end(exchange: Replace) -> None:
    """How the step ended last is how a wait for it has ended, whichever visit that was."""

    def completion(ledger: CallLedger, step: str, _: str | None, token: str) -> Completion:
        ends = [each.what for each in ledger.events if each.details.get("step") == step and each.what in set(Ended)]
        return Completion(token, step, Ended(ends[-1]) if ends else Ended.LEFT)

    exchange(awaiting, "completion", completion)


def waits_for_any(exchange: Replace) -> None:
    """Whoever waits for a step waits for its open pause, whosever that is."""
    awaited = CallLedger.awaited
    exchange(CallLedger, "awaited", lambda self, **given: awaited(self, **{**given, "pause_id": None}))
