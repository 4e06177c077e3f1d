"""What always holds (docs/reliability.md), checked each time that something happens in a simulated world.

S: nothing bad happens; L: in the end, all is well.  Nothing here looks into the service: it judges what was answered,
what was written (ledger_checks.py), what was sent, and what the tape heard.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from call_recording.ledger import CallLedger
from call_recording.model import Action, RecordingStatus, Verdict
from call_recording.outcome import Outcome
from tests.simulation.ledger_checks import FLOW_CLOCK, LedgerChecks
from tests.simulation.token_checks import TokenChecks
from tests.simulation.world import EPOCH, Invocation, ViolationError, World

if TYPE_CHECKING:
    from tests.simulation.switchboard import Switchboard

#: Within that time a recording that starts late is found, seconds: a poll, a sweep, and a command.
FOUND = 130.0


class Promise(NamedTuple):
    """A flow was told that it may collect."""

    to: str
    deadline: float  #: as the flow was told, in the world's time
    before: dict[str, float]  #: recordings of a leg that began before this are covered


class Checks:
    """Watches one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.promises: dict[tuple[str, str], Promise] = {}  #: by the leg that the flow named, and the step
        self.safe = 0  #: so many safe answers were given
        self.tokens: TokenChecks | None = None  #: where workflows wait
        self.said_over = False  #: whether somebody has said that a leg is over which goes on

    def watch(self, board: "Switchboard") -> None:
        """Watch what *board* does, and the ledgers of its legs."""
        self.board = board
        self.legs = {each: LedgerChecks(each, self.world, board, self._require) for each in board.parents}
        for leg in self.legs.values():
            leg.on_closed = lambda step, call_id=leg.call_id: self._closed(call_id, step)  # type: ignore[misc]
            parent = board.parents[leg.call_id]
            if parent is not None:
                self.legs[parent].child = leg

    # What is asked of the vendor.

    def asked(self, who: Invocation) -> None:
        """Somebody turns to the vendor."""
        if not who.commanding_since:
            who.commanding_since = self.world.now or 1e-9

    def sent(self, action: Action, who: Invocation, call_id: str) -> None:
        """Somebody sends a command."""
        self.asked(who)
        self.legs[call_id].sent(action, who)

    # What the tape hears.

    def tape_changed(self) -> None:
        """No recording runs that a flow was told is paused."""
        if not self.promises:
            return
        for key, promise in list(self.promises.items()):
            if self.world.now >= promise.deadline + FLOW_CLOCK:
                del self.promises[key]
                continue
            for recording_id, tape in self.board.tapes.items():
                runs = tape.status is RecordingStatus.IN_PROGRESS and tape.began < promise.before.get(tape.leg, 0.0)
                self._require(not runs, f"S1: {recording_id} runs although {promise.to} was told that it is safe")

    def recording_started(self, recording_id: str) -> None:
        """A recording that starts during a pause that found none is found, though nobody tells us that it starts."""
        leg, calm = self.legs[self.board.tapes[recording_id].leg], self.world.calm
        ledger = leg.ledger
        if ledger is None or not ledger.pauses or ledger.known.recordings or not ledger.known.complete:
            return
        visits = dict(leg.visits)

        def look() -> None:
            runs = self.board.tapes[recording_id].status is RecordingStatus.IN_PROGRESS
            open_still = calm and leg.ledger and leg.ledger.pauses and leg.visits == visits
            self._require(not (runs and open_still), f"7: nobody finds that {recording_id} runs during a pause")

        self.world.at(self.world.now + FOUND, look)

    # What flows are told.

    def answered(self, who: Invocation, outcome: Outcome) -> None:
        """A flow gets its answer."""
        if outcome.trigger.action is Action.STOP:
            self.legs[outcome.trigger.call.call_id].stop_answered = True
        if not outcome.safe_to_collect:
            self._require_as_told(who, outcome)
            return
        self.safe += 1
        step = outcome.trigger.step
        told = f"S2: {who.name} is told that it is safe, but "
        self._require(outcome.trigger.action is Action.PAUSE, told + "it did not ask for a pause")
        self._require(outcome.ledger is not None, told + "the table was out of reach")
        assert outcome.ledger is not None
        self._require(step in outcome.ledger.pauses, told + "its pause is closed")
        deadline = datetime.fromisoformat(outcome.as_dict()["pause"]["deadline"]).timestamp()
        for leg, ledger in self._deciding(who, outcome):
            self._require_proof(who, leg, ledger, step, deadline)
        before = {
            leg.call_id: since
            for leg, since in self._covered(who, outcome)
            if not leg.has_closed(step, who.loaded.get(leg.call_id))
        }
        if before:
            self._require_nothing_under_way(who, before)
            key = outcome.trigger.call.call_id, step
            self.promises[key] = Promise(who.name, deadline - EPOCH, before)
            self.tape_changed()
        self.board.release("after safe")

    def _deciding(self, who: Invocation, outcome: Outcome) -> Sequence[tuple[LedgerChecks, CallLedger]]:
        """Return the legs, and their ledgers, whose pauses have to be proven: those that are recorded, or the one told of."""
        assert outcome.ledger is not None
        told = outcome.ledger.call.call_id
        deciding = []
        for call_id in {told, *who.loaded}:
            ledger = who.loaded.get(call_id)
            self._require(
                ledger or call_id != told, f"S2: {who.name} is told that it is safe, but the table was out of reach"
            )
            if ledger is not None and (call_id == told or not (ledger.over or ledger.known.shows_none_live)):
                deciding.append((self.legs[call_id], ledger))
        return deciding

    def _require_proof(
        self, who: Invocation, leg: LedgerChecks, ledger: CallLedger, step: str, deadline: float
    ) -> None:
        """The pause of a leg is open, for as long as the flow was told, and its tapes are proven to be paused."""
        told = f"S2: {who.name} is told that it is safe, but "
        self._require(leg.call_id not in who.unreminded, told + "its reminder could not be sent")
        pause = ledger.pauses.get(step)
        self._require(pause is not None, told + "its pause is closed")
        assert pause is not None
        self._require(who.time() < pause.deadline, told + "its pause is past its deadline")
        now = leg.ledger.pauses.get(step, pause) if leg.ledger else pause
        lasts = deadline <= max(pause.deadline, now.deadline) + 1e-3
        self._require(lasts, told + f"the pause of {leg.call_id} ends before the time that it is told")
        self._require(ledger.lease is None, told + "somebody may be commanding")
        known = ledger.known
        paused = known.recordings and all(each.status is RecordingStatus.PAUSED for each in known.recordings)
        none_live = known.complete and not any(each.live for each in known.recordings)
        self._require(known.complete and ((known.proven and paused) or none_live), told + "nothing proves it")

    def _covered(self, who: Invocation, outcome: Outcome) -> Iterator[tuple[LedgerChecks, float]]:
        """Yield the legs whose recordings have to be paused, and before when those began that are covered.

        The recordings of the leg that the named one was made from count where this one has none of its own, or where it
        is known.
        """
        named = self.legs[outcome.trigger.call.call_id]
        yield named, self._known_since(who, named)
        parent = self.board.parents[named.call_id]
        if parent is not None:
            ledger = who.loaded[named.call_id]
            if (ledger and ledger.parent) or not self.board.recorded_since(
                who.began - self.board.read_lag, named.call_id
            ):
                yield self.legs[parent], self._known_since(who, self.legs[parent])

    def _known_since(self, who: Invocation, leg: LedgerChecks) -> float:
        ledger = who.loaded.get(leg.call_id)
        # that nothing is being recorded is true of the moment of a read alone
        return who.began if ledger is None or ledger.known.shows_none_live else leg.known_since

    def _require_as_told(self, who: Invocation, outcome: Outcome) -> None:
        """A resume is not reported as done that was not."""
        done = outcome.trigger.action is Action.RESUME and outcome.verdict in {Verdict.CONFIRMED, Verdict.ACKNOWLEDGED}
        if not done or any(each.blind_at for each in self.world.invocations):
            return
        for call_id, ledger in who.loaded.items():
            leg = self.legs[call_id]
            if ledger is None or leg.ledger is None or ledger.version != leg.ledger.version:
                continue
            for recording_id in self.board.active(call_id):
                tape = self.board.tapes[recording_id]
                paused = tape.status is RecordingStatus.PAUSED and tape.began < leg.known_since
                self._require(not paused, f"1: {who.name} is told that {recording_id} runs, which is paused")

    def _require_nothing_under_way(self, who: Invocation, legs: dict[str, float]) -> None:
        """No resume is left that the vendor may yet carry out."""
        for sent in self.board.pending:
            if sent.action is Action.RESUME and sent.leg in legs:
                lands = sent.recording_id in {None, self.board.platform.current, *self.board.active(sent.leg)}
                self._require(not lands, f"S1: {who.name} is told that it is safe with {sent.by}'s resume under way")

    # What is written.

    def saved(self, before: CallLedger | None, ledger: CallLedger, writer: Invocation) -> None:
        """A ledger was written."""
        self.legs[ledger.call.call_id].saved(before, ledger, writer)
        if self.tokens is not None:
            self.tokens.saved(before, ledger, writer)

    def await_tokens(self) -> TokenChecks:
        """Watch workflows, too: there are some."""
        self.tokens = TokenChecks(self.world, self._require)
        return self.tokens

    def _closed(self, call_id: str, step: str) -> None:
        """The pause of a step is closed on one leg: what was promised of that one is over."""
        for key, promise in list(self.promises.items()):
            if key[1] == step and promise.before.pop(call_id, None) is not None and not promise.before:
                del self.promises[key]

    # How it ends.

    def without_trace(self, leg: LedgerChecks) -> bool:
        """Whether a pause was sent that nobody will ever hear of: table and queue were down, and no `left` followed."""
        return any(
            leg.call_id in who.blind_at
            and leg.call_id in who.met_no_queue
            and leg.left_unknown.get(who.move.step, 0.0) <= who.blind_at[leg.call_id]
            for who in self.world.invocations
            if who.blind_at
        )

    def require_good_end(self) -> None:
        """Nothing is left to happen: the tape is as it should be, and nobody is waiting."""
        for who in self.world.invocations:
            self._require(who.dead, f"L2: {who.name} never ends")
        for leg in self.legs.values():
            ledger = leg.ledger
            if ledger is not None:
                self._require(ledger.due_at is None, "L2: it is due, and nobody looks")
                presumed = ledger.presumed and self.said_over
                self._require(not ledger.over or presumed or not leg.live, "L1: a live call is taken to be over")
        self.require_as_desired()
        if self.tokens is not None:
            self.tokens.require_good_end([leg.ledger for leg in self.legs.values()])

    def require_as_desired(self) -> None:
        """The tapes are as the ledgers want them."""
        for leg in self.legs.values():
            if leg.live and not self.without_trace(leg):
                self._require_as_desired(leg)

    def _require_as_desired(self, leg: LedgerChecks) -> None:
        ledger = leg.ledger
        stopped = leg.is_stopped or (leg.child is not None and leg.child.stops_above)
        for recording_id in self.board.active(leg.call_id):
            tape = self.board.tapes[recording_id]
            if stopped:
                self._require(tape.unheard, f"L1: a stop was asked for, and {recording_id} is {tape.status}")
            elif ledger is not None and ledger.pauses:
                is_paused = tape.status is RecordingStatus.PAUSED
                self._require(is_paused or tape.unheard, f"L1: a pause is kept, and {recording_id} is {tape.status}")
            else:
                runs = tape.status is RecordingStatus.IN_PROGRESS
                self._require(runs, f"L1: no pause is open, and {recording_id} stays {tape.status}")

    def _require(self, holds: object, what: str) -> None:
        if not holds:
            self.world.note("VIOLATION", what)
            raise ViolationError(what)
