"""A simulated vendor, written from its contract (ports.py): it acts at once, late or never, and does not always say so."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from call_recording import errors
from call_recording.model import ACKNOWLEDGED_AS, Action, Call, CallState, Proof, Recording, Trigger
from tests.simulation.choices import AGE, READ, UPDATE
from tests.simulation.switchboard import Switchboard
from tests.simulation.world import Invocation

T = TypeVar("T")


class SimulatedVendor:
    """The vendor as one invocation sees it."""

    def __init__(self, board: Switchboard, invocation: Invocation) -> None:
        self.name = board.platform.name
        self.reads = board.platform.reads
        self.final = board.platform.names_status
        self.current_recording = board.platform.current
        self._board = board
        self._me = invocation

    def check_ids(self, call: Call, recording_id: str | None) -> None:
        """Everything is an id."""

    def check(self, trigger: Trigger) -> None:
        """Everything can be asked."""

    def renew(self) -> None:
        """There is no token."""

    def update(self, call: Call, recording_id: str | None, action: Action, *, timeout: float) -> Recording:
        """Ask for a change."""
        board, me, world = self._board, self._me, self._board.world
        choice = world.choose(UPDATE)
        if choice in _NOT_DONE:
            me.wait(0.02)
            kind, http_status = _NOT_DONE[choice]
            world.note(me.name, f"asks for {action}: {choice}")
            raise board.refusal(kind, http_status)
        me.take(choice)
        world.note(me.name, f"sends {action} of {recording_id or 'the call'}")
        board.checks.sent(action, me, call.call_id)
        try:
            return self._answer(call, recording_id, action, timeout, choice)
        finally:
            me.commanding = ""

    def _answer(self, call: Call, recording_id: str | None, action: Action, timeout: float, choice: str) -> Recording:
        """Answer a command that has been sent."""
        board, me = self._board, self._me
        if choice in {"no answer", "5xx", "crash after"}:
            board.hold(action, recording_id, call.call_id, me.name)
            if choice == "crash after":
                me.crash()
            me.wait(timeout if choice == "no answer" else 0.03)
            board.world.note(me.name, f"gets {choice}" if choice == "5xx" else "gets no answer")
            raise errors.OutcomeUnknownError(choice, vendor=self.name)
        answer = self._carry_out(call, recording_id, action)
        board.release("after command", but=me.name)
        me.wait(1.8 if choice == "answered later" and timeout > 1.8 else 0.002)
        return answer

    def _carry_out(self, call: Call, recording_id: str | None, action: Action) -> Recording:
        platform, board = self._board.platform, self._board
        if not platform.prompt:
            if recording_id not in board.active(call.call_id):
                raise board.refusal(errors.RecordingNotFoundError, 404)
            board.hold(action, recording_id, call.call_id, self._me.name)
            return Recording(recording_id=recording_id, call_id=call.call_id, vendor_status="accepted")
        recording_id = board.act(action, recording_id, call.call_id)
        if recording_id is not None and board.tapes[recording_id].leg != call.call_id:
            raise errors.OutcomeUnknownError("the answer is about another call", vendor=self.name)
        if not platform.reads:
            status = ACKNOWLEDGED_AS[action]
            return Recording(recording_id=None, call_id=call.call_id, status=status, proof=Proof.ACKNOWLEDGED)
        if not platform.names_status:
            return Recording(recording_id=recording_id, call_id=call.call_id)
        return self._shown(recording_id or "", board.world.now)

    def read(self, call: Call, recording_id: str, *, timeout: float) -> Recording:
        """Look at one recording."""

        def look(when: float) -> Recording:
            tape = self._board.tapes.get(recording_id)
            if tape is None or tape.leg != call.call_id:
                raise self._board.refusal(errors.RecordingNotFoundError, 404)
            return self._shown(recording_id, when)

        return self._ask(timeout, look)

    def recordings(self, call: Call, *, timeout: float) -> Sequence[Recording]:
        """Look at all of them."""
        return self._ask(timeout, lambda when: [self._shown(each, when) for each in self._board.listed(call.call_id)])

    def call_state(self, call: Call, *, timeout: float) -> CallState:
        """Look at the call."""

        def look(_: float) -> CallState:
            live = call.call_id in self._board.live
            if self._board.platform.forgets and not live:
                raise self._board.refusal(errors.RecordingNotFoundError, 404)
            return CallState(live=live, parent_call_id=self._board.parents[call.call_id])

        return self._ask(timeout, look, shown=False)

    def _ask(self, timeout: float, look: Callable[[float], T], *, shown: bool = True) -> T:
        board, me, world = self._board, self._me, self._board.world
        choice = world.choose(READ)
        board.checks.asked(me)
        if choice in _NOT_DONE:
            me.wait(0.02)
            kind, http_status = _NOT_DONE[choice]
            raise board.refusal(kind, http_status)
        if choice in {"no answer", "5xx"}:
            me.wait(timeout if choice == "no answer" else 0.03)
            world.note(me.name, f"reads: {choice}")
            raise errors.OutcomeUnknownError(choice, vendor=self.name)
        me.take(choice)
        age = 0.0
        if shown and board.read_lag:
            age = board.read_lag * {"new": 0.0, "old": 0.5, "oldest": 1.0}[world.choose(AGE)]
        answer = look(world.now - age)
        world.note(me.name, f"reads {_spelt(answer)}" + f", {age} s old" * bool(age))
        if shown:
            board.release("after read")
        return answer

    def _shown(self, recording_id: str, when: float) -> Recording:
        tape = self._board.tapes[recording_id]
        status = tape.status_at(when)
        return Recording(
            recording_id=recording_id, call_id=tape.leg, status=status, vendor_status=status, proof=Proof.OBSERVED
        )


_NOT_DONE: Final = {
    "refused": (errors.ConflictError, 409),
    "never sent": (errors.VendorUnreachableError, None),
    "busy": (errors.RecordingBusyError, 409),
    "rate limited": (errors.RateLimitedError, 429),
    "unauthorized": (errors.AuthenticationError, 401),
}


def _spelt(answer: object) -> str:
    if isinstance(answer, Recording):
        return f"{answer.recording_id} {answer.status}"
    if isinstance(answer, list):
        return ", ".join(map(_spelt, answer)) or "no recordings"
    return str(answer)
