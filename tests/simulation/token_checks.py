"""What always holds of workflows that wait for the end of a step, checked each time that a ledger is written."""

from collections.abc import Callable
from typing import Any, NamedTuple

from call_recording import awaiting
from call_recording.awaiting import Completion, Ended
from call_recording.ledger import CallLedger
from call_recording.ledger_parts import Pause
from tests.simulation.ledger_checks import Require
from tests.simulation.scripts import Move
from tests.simulation.world import Invocation, World


class Wait(NamedTuple):
    """A token that a ledger holds, or held."""

    call_id: str
    step: str


class TokenChecks:
    """Takes the table's stream, in its order, and watches who is told what."""

    def __init__(self, world: World, require: Require) -> None:
        self.world = world
        self.held: dict[str, Wait] = {}  #: every token that ever was in a ledger
        self.told: set[str] = set()
        self.on_extended: Callable[[Wait, Pause], Any] = lambda *_: None  #: the workflow waits again
        self._visits: dict[tuple[str, str], set[str]] = {}  #: the ids that the open pause of a step has had, by leg
        self._ended: dict[tuple[str, str | None], Ended] = {}  #: how the pause with an id ended, or a step's last
        self._require = require

    def saved(self, before: CallLedger | None, after: CallLedger, writer: Invocation) -> None:
        """Whoever waited for a pause that a put closes is told by that change, and nobody else; and told the truth."""
        expected = {}
        for step in {*(before.pauses if before else ()), *after.pauses}:
            old, new = before.pauses.get(step) if before else None, after.pauses.get(step)
            if old == new:
                continue
            ended = self._note(after, step, old, new, writer)
            if new is not None and new.token is not None:
                mine = not new.kept and writer.named_pause in {None, new.pause_id}
                self._require(mine, f"9: {writer.name} waits for the end of what is no pause of its own")
                self.held[new.token] = Wait(after.call.call_id, step)
            if old is not None and old.token is not None and (new is None or new.token != old.token):
                expected[old.token] = ended or _went_on(old, new, writer)
        told = awaiting.completions(before, after)
        missed = expected.keys() - {each.token for each in told}
        self._require(not missed, f"9: {writer.name} ends the wait of {missed}, who is not told")
        for each in told:
            self._require(each.token in expected, f"9: {each.token} is told {each.ended}, and its pause is open")
            self._tell(each, expected[each.token])

    def _tell(self, completion: Completion, expected: Ended) -> None:
        token, ended, pause = completion.token, completion.ended, completion.pause
        self.world.note("stream", f"tells {token}: {ended}")
        self._require(ended is expected, f"9: {token} is told {ended}, which is {expected}")
        self.told.add(token)
        if ended is Ended.EXTENDED:
            self._require(pause is not None, f"9: {token} is told {ended}, and not what to wait for")
            assert pause is not None
            self.on_extended(self.held[token], pause)

    def _note(
        self, after: CallLedger, step: str, old: Pause | None, new: Pause | None, writer: Invocation
    ) -> Ended | None:
        """Note which pause a step has, and return how it ended, if it did."""
        key = after.call.call_id, step
        visit = self._visits.setdefault(key, set())
        ended = _end(after, old, new, writer)
        if ended is not None:
            self._ended.update({(after.call.call_id, each): ended for each in visit})
            self._ended[f"{after.call.call_id} {step}", None] = ended
            visit.clear()
        elif new is not None:
            visit.add(new.pause_id)
        return ended

    def answered(self, who: Invocation, pause_id: str | None, token: str, completion: Completion | None) -> None:
        """A workflow that came to wait does so, or is told at once why there is nothing to wait for."""
        move: Move = who.move
        if completion is None:
            self._require(token in self.held, f"9: {who.name} is to wait, and its token is not kept")
            return
        ledger, ended = who.loaded[move.leg], completion.ended
        pause = ledger.pauses.get(move.step)
        is_open = pause is not None and not pause.kept
        mine = is_open and pause_id in {None, pause.pause_id}
        self._require(not mine, f"9: {who.name} is told {ended}, and its pause is open")
        last = self._ended.get((f"{move.leg} {move.step}", None))
        if is_open and pause_id in self._visits[move.leg, move.step]:
            truth: set[Ended | None] = {Ended.EXTENDED, Ended.SUPERSEDED}
        else:  # an id that this leg never had may be the other one's
            truth = {self._ended.get((move.leg, pause_id), last), Ended.SUPERSEDED}
        if not is_open and (ledger.over or ledger.stopped):
            truth.add(Ended.CALL_OVER if ledger.over else Ended.STOPPED)
        self._require(ended in truth, f"9: {who.name} is told {ended}, which is {truth}")
        if completion.pause is not None:
            self.on_extended(Wait(move.leg, move.step), completion.pause)

    def require_good_end(self, ledgers: list[CallLedger | None]) -> None:
        """Nobody waits for what has ended."""
        open_still = {pause.token for ledger in ledgers if ledger for pause in ledger.pauses.values()}
        for token in self.held:
            self._require(token in self.told or token in open_still, f"9: {token} waits for ever")


def _end(after: CallLedger, old: Pause | None, new: Pause | None, writer: Invocation) -> Ended | None:
    """Return how a pause ended; None: it did not."""
    if old is None or old.kept or (new is not None and not new.kept):
        return None  # one that is kept has ended before
    if new is not None:
        return Ended.EXPIRED  # it is kept
    if after.over or after.stopped:
        return Ended.CALL_OVER if after.over else Ended.STOPPED
    return Ended.LEFT if writer.move is not None and writer.move.kind == "left" else Ended.EXPIRED


def _went_on(old: Pause, new: Pause | None, writer: Invocation) -> Ended:
    """Return what somebody is told whose pause is open under another name."""
    if new is None or new.token is not None or (writer.by == "workflow" and new.pause_id != old.pause_id):
        return Ended.SUPERSEDED
    return Ended.EXTENDED
