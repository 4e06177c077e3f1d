"""Workflows that wait for the end of a step: which of them are to be told, and what."""

from enum import StrEnum
from typing import Final, NamedTuple

from .ledger import CallLedger
from .ledger_parts import Event, Pause


class Ended(StrEnum):
    """How the wait for the end of a step ended."""

    LEFT = "left"
    STOPPED = "stopped"
    EXPIRED = "expired"
    CALL_OVER = "call-over"
    SUPERSEDED = "superseded"  #: another workflow has entered the step, or waits for it now
    EXTENDED = "extended"  #: the flow has entered the step again: the same wait begins anew, until a later deadline


class Completion(NamedTuple):
    """What a workflow is told."""

    token: str
    step: str
    ended: Ended
    pause: Pause | None = None  #: what to wait for now, if the pause was extended


def completions(before: CallLedger | None, after: CallLedger) -> list[Completion]:
    """Return what is to be told to workflows, by what has become of the pauses that were open *before*."""
    told = []
    for step, pause in before.pauses.items() if before else ():
        still = after.pauses.get(step)
        if pause.token is None or (still is not None and still.token == pause.token):
            continue
        if still is not None and still.token is not None:
            told.append(Completion(pause.token, step, Ended.SUPERSEDED))
        else:
            told.append(completion(after, step, pause.pause_id, pause.token))
    return told


def completion(ledger: CallLedger, step: str, pause_id: str | None, token: str) -> Completion:
    """Return what is to be told to a workflow that waited for the pause *pause_id*, which is open no more, or entered again.

    None: it did not say which, and waits for the last one.
    """
    pause = ledger.pauses.get(step)
    is_open = pause is not None and not pause.kept
    ended = _ended(ledger, step, pause_id, is_open=is_open)
    return Completion(token, step, ended, pause if ended is Ended.EXTENDED else None)


def _ended(ledger: CallLedger, step: str, pause_id: str | None, *, is_open: bool) -> Ended:
    """How the wait for the pause *pause_id* of *step* has ended; *is_open*: one of the step's is open now."""
    visits = [
        event
        for event in ledger.events
        if event.details.get("step") == step and "refused" not in event.details and event.what in _VISITS
    ]
    entered = [at for at, each in enumerate(visits) if each.what in _ENTERED]
    mine = [at for at in entered if pause_id in (None, visits[at].details["pause_id"])]
    if not mine and is_open:
        return Ended.SUPERSEDED  # too long ago to know: to end another's pause is worse than to wait no longer
    # where its beginning is not on record any more, the last end is what followed it
    since = map(_end_by, visits[mine[-1] + 1 :] if mine else visits[-1:])
    if (ended := next(filter(None, since), None)) is not None:
        return ended
    if ledger.over or ledger.stopped:
        return Ended.CALL_OVER if ledger.over else Ended.STOPPED
    return Ended.EXTENDED if is_open else Ended.SUPERSEDED


def _end_by(event: Event) -> Ended | None:
    """How a wait ends by what has happened to its step; None: it goes on."""
    if event.what == "left":
        return Ended.LEFT
    if event.what == "expired":
        return Ended.STOPPED if event.details["on_deadline"] == "stop" else Ended.EXPIRED
    return Ended.SUPERSEDED if event.details["by"] == _WORKFLOW else None


_WORKFLOW: Final = "workflow"
_ENTERED: Final = ("entered", "entered again")
_VISITS: Final = (*_ENTERED, "left", "expired")
