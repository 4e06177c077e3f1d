"""Each rule of the protocol, and how to take it out: without it the simulation has to find a violation.

A rule is taken out by replacing the one function that keeps it, for as long as the context lasts.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from call_recording import doubts, errors, ledger, ledger_parts, occurrences, outcome, reconcile, service
from call_recording.command import Command
from call_recording.doubts import Doubts
from call_recording.ledger import CallLedger
from call_recording.ledger_parts import SKEW, Known
from call_recording.model import Action
from call_recording.outcome import Ending
from call_recording.reconcile import Reconciler
from call_recording.service import RecordingService
from tests.simulation.stores import Table
from tests.simulation.world import Invocation

#: Replaces an attribute until the rule is put back.
Replace = Callable[[Any, str, Any], None]


@contextmanager
def without(rule: str) -> Iterator[None]:
    """Take a rule out."""
    originals: list[tuple[Any, str, Any]] = []

    def exchange(owner: Any, name: str, value: Any) -> None:
        originals.append((owner, name, owner.__dict__[name]))
        setattr(owner, name, value)

    RULES[rule](exchange)
    try:
        yield
    finally:
        for owner, name, value in reversed(originals):
            setattr(owner, name, value)


def _intent(exchange: Replace) -> None:
    """What is known stays known while a command is under way, and is answered with."""
    taken, defer = CallLedger.taken, Reconciler._defer
    exchange(CallLedger, "taken", lambda self, **given: replace(taken(self, **given), known=self.known))
    exchange(
        Reconciler, "_defer", lambda self, ledger: Ending(ledger, looked=True) if ledger.matches else defer(self, ledger)
    )
    judge = outcome._judge_known
    exchange(
        outcome,
        "_judge_known",
        lambda ending, *rest: judge(ending._replace(ledger=replace(ending.ledger, lease=None)), *rest),
    )


def _no_doubt(action: Action) -> Callable[[Replace], None]:
    """After a lost answer nothing is in doubt."""

    def take_out(exchange: Replace) -> None:
        raised = Doubts.raised
        exchange(Doubts, "raised", lambda self, of, until: self if of is action else raised(self, of, until))

    return take_out


def _judged_late(exchange: Replace) -> None:
    """Proof is judged by the time when it is looked at."""
    recorded = CallLedger.recorded
    exchange(
        CallLedger,
        "recorded",
        lambda self, report, action, *, now, **given: recorded(
            self, report._replace(asked_at=now), action, now=now, **given
        ),
    )


def _replaced(exchange: Replace) -> None:
    """A later doubt replaces a longer one."""
    names = {Action.PAUSE: "pause", Action.RESUME: "resume"}
    exchange(
        Doubts,
        "raised",
        lambda self, action, until: self._replace(**{names[action]: until}) if action in names else self,
    )


def _any_evidence(exchange: Replace) -> None:
    """Any read shows that a command without an answer was carried out."""
    after = Doubts.after
    exchange(
        Doubts,
        "after",
        lambda self, report, action, **given: after(
            self, report._replace(in_doubt=report.in_doubt and not report.own_work), action, **given
        ),
    )


def _no_read_lag(exchange: Replace) -> None:
    """Reads are taken to be new."""
    after = Doubts.after
    exchange(
        Doubts,
        "after",
        lambda self, report, action, *, now, timing: after(
            self, report, action, now=now, timing=timing._replace(read_lag=0.0)
        ),
    )


def _due_while_open(exchange: Replace) -> None:
    """The index holds open pauses, and nothing else; and nobody is reminded of anything else."""
    exchange(
        CallLedger,
        "due_at",
        property(lambda self: min((each.deadline + SKEW for each in self.pauses.values()), default=None)),
    )
    exchange(CallLedger, "looks_again_at", property(lambda _: None))


def _remembered(exchange: Replace) -> None:
    """An event seen before gets the answer that it got before."""
    handle = RecordingService.handle
    answers: dict[tuple[int, str], Any] = {}

    def remembering(self: RecordingService, trigger: Any, secret: Any, **given: Any) -> Any:
        answer = handle(self, trigger, secret, **given)
        key = (id(self._accounts), f"{trigger.event_id} {trigger.step}")
        return answers.setdefault(key, answer) if answer.safe_to_collect or key in answers else answer

    exchange(RecordingService, "handle", remembering)


def _local(exchange: Replace) -> None:
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


def _no_skew(exchange: Replace) -> None:
    """All clocks are taken to be the same."""
    for module in (doubts, ledger, ledger_parts, occurrences, reconcile, service):
        if "SKEW" in module.__dict__:
            exchange(module, "SKEW", 0.0)


def _nonce_of_event(exchange: Replace) -> None:
    """Whoever handles the same event is the same holder."""
    exchange(Invocation, "nonce", lambda self: f"{self.event_id or self.name}")


def _no_visits(exchange: Replace) -> None:
    """A `left` is a `left`."""
    exchange(ledger, "_of_earlier_visit", lambda *_: False)


def _no_fresh_read(exchange: Replace) -> None:
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


def _looked_ignored(exchange: Replace) -> None:
    """Somebody else's look counts as ours."""
    judge = outcome._judge_pause
    exchange(outcome, "_judge_pause", lambda ending, *rest: judge(ending._replace(looked=True), *rest))


def _unconditional(exchange: Replace) -> None:
    """A put overwrites whatever there is."""
    write = Table.write

    def overwriting(self: Table, ledger: CallLedger, writer: Invocation) -> CallLedger:
        return write(self, replace(ledger, version=self.ledger.version if self.ledger else 0), writer)

    exchange(Table, "write", overwriting)


def _short_lease(exchange: Replace) -> None:
    """A lease ends with its invocation, whatever is still under way."""
    taken = CallLedger.taken
    exchange(
        CallLedger, "taken", lambda self, *, timing, **given: taken(self, timing=timing._replace(in_flight=0.0), **given)
    )


def _blind_resume(exchange: Replace) -> None:
    """A resume is sent although there is no ledger."""
    handle = RecordingService.handle

    def resuming(self: RecordingService, trigger: Any, secret: Any, *, deadline: Any, **given: Any) -> Any:
        try:
            return handle(self, trigger, secret, deadline=deadline, **given)
        except errors.UnavailableError:
            vendor = self._vendors(secret.account)
            Command(self._conversation(vendor, trigger, secret.account, deadline), trigger.call, trigger.action).carry_out()
            raise

    exchange(RecordingService, "handle", resuming)


def _no_reminder(exchange: Replace) -> None:
    """The vendor is asked before the reminder of the pause is sent."""
    exchange(Reconciler, "_opens", lambda self, applied, ledger: False)


def _own_work(exchange: Replace) -> None:
    """That a command was carried out is taken to be its own work."""
    exchange(Command, "_is_own_work", lambda *_: True)


def _early(exchange: Replace) -> None:
    """Whoever looks at the clock looks a little ahead."""
    expired = CallLedger.expired
    exchange(CallLedger, "expired", lambda self, *, now, **given: expired(self, now=now + 2.0, **given))


def _unnoted(exchange: Replace) -> None:
    """A pause that is sent without the lease leaves no doubt."""
    pausing = CallLedger.pausing_unleased
    exchange(CallLedger, "pausing_unleased", lambda self, **given: replace(pausing(self, **given), doubts=self.doubts))


def _late_entered(exchange: Replace) -> None:
    """A step can be entered after it was left."""
    refusal = CallLedger._refusal
    exchange(CallLedger, "_refusal", lambda self, step, _: refusal(self, step, None))


def _nothing_seen(exchange: Replace) -> None:
    """An event that comes twice happens twice."""
    exchange(CallLedger, "_see", lambda self, *_: self)


def _no_polls(exchange: Replace) -> None:
    """Nobody looks whether a recording has started."""
    exchange(CallLedger, "polls", property(lambda _: False))


def _unheard_ignored(exchange: Replace) -> None:
    """The message of a pause that is not on record says nothing."""
    exchange(CallLedger, "unheard", lambda self, **_: self)


def _left_unheard(exchange: Replace) -> None:
    """A `left` of a pause that is not on record says nothing of a pause under way."""
    left = CallLedger.left

    def leaving(self: CallLedger, *, step: str, **given: Any) -> CallLedger:
        after = left(self, step=step, **given)
        return after if step in self.pauses else replace(after, doubts=self.doubts)

    exchange(CallLedger, "left", leaving)


#: The rules, in the words of docs/reliability.md.
RULES: Final[Mapping[str, Callable[[Replace], None]]] = {
    "intent": _intent,
    "doubt of a resume": _no_doubt(Action.RESUME),
    "doubt of a pause": _no_doubt(Action.PAUSE),
    "proof is judged when sent": _judged_late,
    "doubts are raised": _replaced,
    "evidence is proof": _any_evidence,
    "read lag": _no_read_lag,
    "due until settled": _due_while_open,
    "answer of now": _remembered,
    "verdict from the ledger": _local,
    "skew": _no_skew,
    "nonce per attempt": _nonce_of_event,
    "word of a blind pause": _unheard_ignored,
    "left of an unknown pause": _left_unheard,
    "visits": _no_visits,
    "fresh read": _no_fresh_read,
    "looked": _looked_ignored,
    "conditional put": _unconditional,
    "lease outlasts commands": _short_lease,
    "no resume without a ledger": _blind_resume,
    "reminder first": _no_reminder,
    "own work": _own_work,
    "not before the deadline": _early,
    "unleased pause in doubt": _unnoted,
    "left before entered": _late_entered,
    "seen events": _nothing_seen,
    "poll for a late start": _no_polls,
}
