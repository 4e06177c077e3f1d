"""Workflows that wait for the end of a step: which of them are to be told, and what."""

from enum import StrEnum
from typing import NamedTuple

from .ledger import CallLedger


class Ended(StrEnum):
    """How a step's pause ended, for whoever waits for that."""

    LEFT = "left"
    STOPPED = "stopped"
    EXPIRED = "expired"
    CALL_OVER = "call-over"
    SUPERSEDED = "superseded"  #: another workflow waits for it now


class Completion(NamedTuple):
    """What a workflow is told."""

    token: str
    step: str
    ended: Ended


def completions(before: CallLedger | None, after: CallLedger) -> list[Completion]:
    """Return what is to be told to workflows, by what has become of the pauses that were open *before*."""
    told = []
    for step, pause in before.pauses.items() if before else ():
        still = after.pauses.get(step)
        if pause.token is None or (still is not None and still.token == pause.token):
            continue
        replaced = still is not None and not still.kept
        told.append(Completion(pause.token, step, Ended.SUPERSEDED if replaced else how_ended(after, step)))
    return told


def how_ended(ledger: CallLedger, step: str) -> Ended:
    """Return how the pause of *step* ended, which is not open any more."""
    if ledger.over:
        return Ended.CALL_OVER
    if ledger.stopped:
        return Ended.STOPPED
    for event in reversed(ledger.events):
        if event.details.get("step") == step and "refused" not in event.details and event.what in _ENDS:
            return _ENDS[event.what]
    return Ended.LEFT


_ENDS = {"left": Ended.LEFT, "expired": Ended.EXPIRED}
