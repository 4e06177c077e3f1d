"""What is left where a rule is missing that says what counts as proof."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from call_recording import ledger_parts, outcome
from call_recording.command import Command
from call_recording.doubts import Doubts
from call_recording.ledger import CallLedger
from call_recording.ledger_parts import Known
from call_recording.model import Action
from call_recording.outcome import Ending
from call_recording.reconcile import Reconciler
from call_recording.service import RecordingService

#: Replaces an attribute until the rule is put back.
Replace = Callable[[Any, str, Any], None]


def intent(exchange: Replace) -> None:
    """What is known stays known while a command is under way, and is answered with."""
    taken, defer = CallLedger.taken, Reconciler._defer
    exchange(CallLedger, "taken", lambda self, **given: replace(taken(self, **given), known=self.known))
    exchange(
        Reconciler,
        "_defer",
        lambda self, ledger: Ending(ledger, looked=True) if ledger.matches else defer(self, ledger),
    )
    judge = outcome._judge_known
    exchange(
        outcome,
        "_judge_known",
        lambda ending, *rest: judge(ending._replace(ledger=replace(ending.ledger, lease=None)), *rest),
    )


def no_doubt(action: Action) -> Callable[[Replace], None]:
    """After a lost answer nothing is in doubt."""

    def take_out(exchange: Replace) -> None:
        raised = Doubts.raised
        exchange(Doubts, "raised", lambda self, of, until: self if of is action else raised(self, of, until))

    return take_out


def judged_late(exchange: Replace) -> None:
    """Proof is judged by the time when it is looked at."""
    recorded = CallLedger.recorded
    exchange(
        CallLedger,
        "recorded",
        lambda self, report, action, *, now, **given: recorded(
            self, report._replace(asked_at=now), action, now=now, **given
        ),
    )


def replaced(exchange: Replace) -> None:
    """A later doubt replaces a longer one."""
    names = {Action.PAUSE: "pause", Action.RESUME: "resume"}
    exchange(
        Doubts,
        "raised",
        lambda self, action, until: self._replace(**{names[action]: until}) if action in names else self,
    )


def any_evidence(exchange: Replace) -> None:
    """Any read shows that a command without an answer was carried out."""
    after = Doubts.after
    exchange(
        Doubts,
        "after",
        lambda self, report, action, **given: after(
            self, report._replace(in_doubt=report.in_doubt and not report.own_work), action, **given
        ),
    )


def no_read_lag(exchange: Replace) -> None:
    """Reads are taken to be new."""
    after = Doubts.after
    exchange(
        Doubts,
        "after",
        lambda self, report, action, *, now, timing: after(
            self, report, action, now=now, timing=timing._replace(read_lag=0.0)
        ),
    )


def remembered(exchange: Replace) -> None:
    """An event seen before gets the answer that it got before."""
    handle = RecordingService.handle
    answers: dict[tuple[int, str], Any] = {}

    def remembering(self: RecordingService, trigger: Any, secret: Any, **given: Any) -> Any:
        answer = handle(self, trigger, secret, **given)
        key = (id(secret), f"{trigger.event_id} {trigger.step}")
        return answers.setdefault(key, answer) if answer.safe_to_collect or key in answers else answer

    exchange(RecordingService, "handle", remembering)


def local(exchange: Replace) -> None:
    """What was true of the first command is what is answered."""
    run, carry_out = Reconciler.run, Reconciler._carry_out

    def keeping(self: Any, ledger: CallLedger, action: Action) -> Any:
        report = carry_out(self, ledger, action)
        if action is Action.PAUSE and report.error is None and getattr(self, "local", None) is None:
            self.local = ledger, report
        return report

    def telling(self: Any) -> Ending:
        ending: Ending = run(self)
        if getattr(self, "local", None) is None:
            return ending
        mine, report = self.local
        known = Known(report.recordings, complete=True, proven=True)
        return ending._replace(ledger=replace(mine, lease=None, known=known), looked=True)

    exchange(Reconciler, "_carry_out", keeping)
    exchange(Reconciler, "run", telling)


def no_fresh_read(exchange: Replace) -> None:
    """That nothing is being recorded is remembered."""
    must_ask, judge = Reconciler._must_ask, outcome._judge_pause
    exchange(
        Reconciler,
        "_must_ask",
        lambda self, applied, ledger, now: (
            not applied.known.shows_none_live and must_ask(self, applied, ledger, now)
            if self._occurrence.opens
            else must_ask(self, applied, ledger, now)
        ),
    )
    exchange(outcome, "_judge_pause", lambda ending, *rest: judge(ending._replace(looked=True), *rest))


def short_lease(exchange: Replace) -> None:
    """A lease ends with its invocation, whatever is still under way."""
    taken = CallLedger.taken
    exchange(
        CallLedger,
        "taken",
        lambda self, *, timing, **given: taken(self, timing=timing._replace(in_flight=0.0), **given),
    )


def own_work(exchange: Replace) -> None:
    """That a command was carried out is taken to be its own work."""
    exchange(Command, "_is_own_work", lambda *_: True)


def unnoted(exchange: Replace) -> None:
    """A pause that is sent without the lease leaves no doubt."""
    pausing = CallLedger.pausing_unleased
    exchange(CallLedger, "pausing_unleased", lambda self, **given: replace(pausing(self, **given), doubts=self.doubts))


def short_doubt(exchange: Replace) -> None:
    """Old reads are not waited for after a command has landed."""
    exchange(ledger_parts.Timing, "settles", property(lambda self: self.in_flight))
