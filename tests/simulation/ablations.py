"""Each rule of the protocol, and how to take it out: without it the simulation has to find a violation.

A rule is taken out by replacing the one function that keeps it, for as long as the context lasts.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from call_recording.model import Action
from tests.simulation import missing_end, missing_legs, missing_order, missing_proof, missing_waits

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


#: The rules, in the words of docs/reliability.md.
RULES: Final[Mapping[str, Callable[[Replace], None]]] = {
    "intent": missing_proof.intent,
    "doubt of a resume": missing_proof.no_doubt(Action.RESUME),
    "doubt of a pause": missing_proof.no_doubt(Action.PAUSE),
    "proof is judged when sent": missing_proof.judged_late,
    "doubts are raised": missing_proof.replaced,
    "evidence is proof": missing_proof.any_evidence,
    "read lag": missing_proof.no_read_lag,
    "due until settled": missing_order.due_while_open,
    "answer of now": missing_proof.remembered,
    "verdict from the ledger": missing_proof.local,
    "skew": missing_order.no_skew,
    "nonce per attempt": missing_order.nonce_of_event,
    "word of a blind pause": missing_order.no_word,
    "blind pause has an id of its own": missing_order.same_word,
    "unheard of pause is looked for": missing_order.unheard_ignored,
    "doubt outlasts old reads": missing_proof.short_doubt,
    "left of an unknown pause": missing_order.left_unheard,
    "visits": missing_order.no_visits,
    "fresh read": missing_proof.no_fresh_read,
    "conditional put": missing_order.unconditional,
    "lease outlasts commands": missing_proof.short_lease,
    "no resume without a ledger": missing_order.blind_resume,
    "reminder first": missing_order.no_reminder,
    "own work": missing_proof.own_work,
    "not before the deadline": missing_order.early,
    "unleased pause in doubt": missing_proof.unnoted,
    "left before entered": missing_order.late_entered,
    "seen events": missing_order.nothing_seen,
    "poll for a late start": missing_order.no_polls,
    "a word closes nothing": missing_end.taken_at_its_word,
    "a word forgets no resume": missing_end.owed_nothing,
    "presumed over is reopened": missing_end.never_reopened,
    "a blind pause reopens": missing_end.unheard_of_the_dead,
    "the other leg counts": missing_legs.own_answer,
    "the earlier deadline": missing_legs.later_deadline,
    "held on one leg": missing_legs.not_held,
    "the other leg is over by its vendor": missing_legs.over_by_a_word,
    "no tape just now": missing_legs.seen_before,
    "passed on to the other leg": missing_legs.nothing_passed_on,
    "doubt of the other leg": missing_legs.no_doubt_above,
    "told what goes on": missing_waits.told_of_closed_ones,
    "told at once": missing_waits.told_nothing_at_once,
    "told of its own visit": missing_waits.told_the_last_end,
    "waits for its own pause": missing_waits.waits_for_any,
}
