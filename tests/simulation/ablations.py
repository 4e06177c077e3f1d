"""Each rule of the protocol, and how to take it out: without it the simulation has to find a violation.

A rule is taken out by replacing the one function that keeps it, for as long as the context lasts.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from call_recording.model import Action
from tests.simulation import missing_order, missing_proof

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
}
