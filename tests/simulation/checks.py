"""What always holds (docs/reliability.md), checked each time that something happens in a simulated world.

S: nothing bad happens; L: in the end, all is well.  Nothing here looks into the service: it judges what was answered,
what was written, what was sent, and what the tape heard.
"""

from typing import TYPE_CHECKING, NamedTuple

from call_recording.ledger import CallLedger
from call_recording.ledger_parts import Pause
from call_recording.model import Action, RecordingStatus, Verdict
from call_recording.outcome import Outcome
from tests.simulation.settled import is_bounded, is_settled
from tests.simulation.world import EPOCH, Invocation, ViolationError, World

if TYPE_CHECKING:
    from tests.simulation.switchboard import Switchboard

#: How far a flow's clock may be behind, seconds: so long after its deadline a pause has to hold.
FLOW_CLOCK = 0.5
#: Within that time a recording that starts late is found, seconds: a poll, a sweep, and a command.
FOUND = 130.0


class Promise(NamedTuple):
    """A flow was told that it may collect."""

    to: str
    visit: int  #: so many times the step was opened by then
    deadline: float  #: as the flow was told, in the world's time
    before: float  #: recordings that began before this are covered


class Checks:
    """Watches one world."""

    board: "Switchboard"

    def __init__(self, world: World) -> None:
        self.world = world
        self.ledger: CallLedger | None = None
        self.owner: Invocation | None = None  #: who holds the lease
        self.promises: dict[str, Promise] = {}
        self.safe = 0  #: so many safe answers were given
        self.visits: dict[str, int] = {}  #: how often a step was opened
        self._visits_at: dict[int, dict[str, int]] = {0: {}}  #: the same, by version of the ledger
        self._entered: dict[str, tuple[float, bool]] = {}  #: the latest that a flow entered, and whether all said when
        self._effect_by: dict[str, Invocation] = {}  #: through whom an event had its effect
        self._known_since = 0.0
        self._left_unknown: dict[str, float] = {}  #: when a `left` of a step was written that no pause was open of

    # What is asked of the vendor.

    def asked(self, who: Invocation) -> None:
        """Somebody turns to the vendor."""
        if not who.commanding_since:
            who.commanding_since = self.world.now or 1e-9

    def sent(self, action: Action, who: Invocation) -> None:
        """Somebody sends a command: a resume and a stop under the lease only, and one at a time."""
        self.asked(who)
        self._require(
            not who.opened or who.tried_to_remind, f"3: {who.name} asks the vendor before it sent its reminder"
        )
        if who is not self.owner:
            self._require(action is Action.PAUSE, f"S3: {who.name} sends a {action} without holding the lease")
            who.blind_at = who.blind_at if who.noted else self.world.now
            return
        lease = self.ledger and self.ledger.lease
        self._require(lease and who.time() <= lease.until, f"S3: {who.name}'s lease has lapsed")
        for other in self.world.invocations:
            both = other.commanding and not other.dead and other is not who
            self._require(not both, f"S3: {who.name} and {other.name} command at the same time")
        who.commanding = True

    # What the tape hears.

    def tape_changed(self) -> None:
        """No recording runs that a flow was told is paused."""
        if not self.promises:
            return
        for step, promise in list(self.promises.items()):
            if self.world.now >= promise.deadline + FLOW_CLOCK:
                del self.promises[step]
                continue
            for recording_id, tape in self.board.tapes.items():
                runs = tape.status is RecordingStatus.IN_PROGRESS and tape.began < promise.before
                self._require(not runs, f"S1: {recording_id} runs although {promise.to} was told that it is safe")

    def recording_started(self, recording_id: str) -> None:
        """A recording that starts during a pause that found none is found, though nobody tells us that it starts."""
        ledger, calm = self.ledger, self.world.calm
        if ledger is None or not ledger.pauses or ledger.known.recordings or not ledger.known.complete:
            return
        visits = dict(self.visits)

        def look() -> None:
            runs = self.board.tapes[recording_id].status is RecordingStatus.IN_PROGRESS
            open_still = calm and self.ledger and self.ledger.pauses and self.visits == visits
            self._require(not (runs and open_still), f"7: nobody finds that {recording_id} runs during a pause")

        self.world.at(self.world.now + FOUND, look)

    # What flows are told.

    def answered(self, who: Invocation, outcome: Outcome) -> None:
        """A flow gets its answer."""
        if not outcome.safe_to_collect:
            self._require_as_told(who, outcome)
            return
        self.safe += 1
        ledger, step = who.loaded, outcome.trigger.step
        told = f"S2: {who.name} is told that it is safe, but "
        self._require(outcome.trigger.action is Action.PAUSE, told + "it did not ask for a pause")
        self._require(ledger is not None, told + "the table was out of reach")
        self._require(who.reminded, told + "its reminder could not be sent")
        pause = ledger.pauses.get(step)
        self._require(pause is not None, told + "its pause is closed")
        self._require(who.time() < pause.deadline, told + "its pause is past its deadline")
        self._require(ledger.lease is None, told + "somebody may be commanding")
        known = ledger.known
        paused = known.recordings and all(each.status is RecordingStatus.PAUSED for each in known.recordings)
        none_live = known.complete and not any(each.live for each in known.recordings)
        self._require(known.complete and ((known.proven and paused) or none_live), told + "nothing proves it")
        visit = self._visits_at[ledger.version].get(step, 0)
        if self.ledger and step in self.ledger.pauses and self.visits[step] == visit:
            self._require_nothing_under_way(who)
            # that nothing is being recorded is true of the moment of a read alone
            before = who.began if none_live else self._known_since
            self.promises[step] = Promise(who.name, visit, pause.deadline - EPOCH, before)
            self.tape_changed()
        self.board.release("after safe")

    def _require_as_told(self, who: Invocation, outcome: Outcome) -> None:
        """A resume is not reported as done that was not."""
        ledger = who.loaded
        done = outcome.trigger.action is Action.RESUME and outcome.verdict in {Verdict.CONFIRMED, Verdict.ACKNOWLEDGED}
        if (
            not done
            or self.ledger is None
            or ledger.version != self.ledger.version
            or any(each.blind_at for each in self.world.invocations)
        ):
            return
        for recording_id in self.board.active():
            tape = self.board.tapes[recording_id]
            paused = tape.status is RecordingStatus.PAUSED and tape.began < self._known_since
            self._require(not paused, f"1: {who.name} is told that {recording_id} runs, which is paused")

    def _require_nothing_under_way(self, who: Invocation) -> None:
        """No resume is left that the vendor may yet carry out."""
        for sent in self.board.pending:
            lands = sent.recording_id in {None, self.board.platform.current, *self.board.active()}
            under_way = sent.action is Action.RESUME and lands
            self._require(not under_way, f"S1: {who.name} is told that it is safe with {sent.by}'s resume under way")

    # What is written.

    def saved(self, before: CallLedger | None, ledger: CallLedger, writer: Invocation) -> None:
        """A ledger was written."""
        self.ledger = ledger
        writer.commanding_since = writer.commanding_since and self._note_known(before, ledger, writer)
        writer.noted = bool(ledger.events) and ledger.events[-1].what == "asking without lease"
        if ledger.lease is None:
            self.owner = None
        elif before is None or before.lease is None or before.lease[:3] != ledger.lease[:3]:
            self.owner = writer
        pauses = before.pauses if before else {}
        if ledger.pauses != pauses:
            for step in {*pauses, *ledger.pauses}:
                self._require_reason(step, before, ledger, writer)
        if (
            writer.move
            and writer.move.kind == "left"
            and any(
                event.what == "left" and event.details.get("refused") == "no pause is open"
                for event in ledger.events[-2:]
            )
        ):
            self._left_unknown[writer.move.step] = self.world.now
        self._visits_at[ledger.version] = dict(self.visits)
        self._require_bounds(before, ledger)
        settled = is_settled(ledger)
        self._require(
            settled or ledger.given_up or ledger.due_at is not None, "L2: nobody is going to look at it again"
        )
        self._require(not settled or ledger.due_at is None, "L2: it is due although it is settled")
        if settled:
            self.board.release("after settled")

    def _note_known(self, before: CallLedger | None, ledger: CallLedger, writer: Invocation) -> float:
        if ledger.known.complete and (before is None or before.known != ledger.known):
            self._known_since = writer.commanding_since
        return 0.0

    def _require_reason(self, step: str, before: CallLedger | None, ledger: CallLedger, writer: Invocation) -> None:
        """Pauses open, are extended and close for a reason."""
        old, new = before.pauses.get(step) if before else None, ledger.pauses.get(step)
        if old == new:
            return
        if new is None:
            assert old is not None
            assert before is not None
            self._require(
                self._may_close(step, old, before, ledger, writer), f"S1: {writer.name} closes the pause of {step}"
            )
            self.promises.pop(step, None)
            return
        if old is not None and new._replace(kept=old.kept) == old:
            self._require(self._is_past(old), f"S1: {writer.name} keeps the pause of {step} before its deadline")
            return
        kind = writer.move.kind if writer.move else ""
        self._require(kind == "entered" and writer.move.step == step, f"6: {writer.name} opens the pause of {step}")
        fresh = self._is_first_effect(writer)
        self._require(fresh, f"6: {writer.name}'s event was seen before, and opens the pause of {step}")
        left_at = before.left_at.get(step, 0.0) if before and "occurred_at" in writer.claims else 0.0
        self._require(
            writer.flow_time >= left_at - EPOCH - 1e-3, f"6: {writer.name} opens {step}, which was left later"
        )
        latest, all_said = self._entered.get(step, (0.0, True)) if old is not None else (0.0, True)
        self._entered[step] = max(latest, writer.flow_time), all_said and "occurred_at" in writer.claims
        writer.opened = True
        if old is None:
            self.visits[step] = self.visits.get(step, 0) + 1
        else:
            self._require(new.deadline >= old.deadline, f"6: {writer.name} shortens the deadline of {step}")

    def _is_first_effect(self, writer: Invocation) -> bool:
        """Whether the event that *writer* handles had no effect through anybody else before."""
        return writer.event_id is None or self._effect_by.setdefault(writer.event_id, writer) is writer

    def _may_close(self, step: str, old: Pause, before: CallLedger, ledger: CallLedger, writer: Invocation) -> bool:
        """Whether a pause may end here: left in this visit, stopped, call over, or past the deadline that was told."""
        if ledger.over:
            return not self.board.live
        move = writer.move
        if move is None:  # a timer or a sweep: at the deadline of one, a stop may end them all
            return any(self._is_past(each) for each in (before.pauses.values() if ledger.stopped else [old]))
        if not self._is_first_effect(writer):
            return False
        stops = move.kind == "stop" or (move.kind == "stop one" and not self.board.platform.reads)
        return stops or (move == ("left", step, move.seconds) and self._leaves(step, old, writer))

    def _leaves(self, step: str, old: Pause, writer: Invocation) -> bool:
        """Whether a `left` is of this visit, as far as it says so."""
        if writer.named_pause is not None and writer.named_pause != old.pause_id:
            return False
        latest, all_said = self._entered.get(step, (0.0, True))
        return not (all_said and "occurred_at" in writer.claims) or writer.flow_time >= latest - 1e-3

    def _is_past(self, pause: Pause) -> bool:
        return EPOCH + self.world.now >= pause.deadline + FLOW_CLOCK

    def _require_bounds(self, before: CallLedger | None, ledger: CallLedger) -> None:
        self._require(is_bounded(ledger), "11: the ledger grows beyond its bounds")
        if before is not None:
            self._require(ledger.stopped or not before.stopped, "a stop is forgotten")
            # one that its vendor only did not know for long may be told of again
            self._require(ledger.over or before.presumed or not before.over, "a call that was over goes on")

    # How it ends.

    @property
    def without_trace(self) -> bool:
        """Whether a pause was sent that nobody will ever hear of: table and queue were down, and no `left` followed."""
        return any(
            who.blind_at and who.met_no_queue and self._left_unknown.get(who.move.step, 0.0) <= who.blind_at
            for who in self.world.invocations
        )

    def require_good_end(self) -> None:
        """Nothing is left to happen: the tape is as it should be, and nobody is waiting."""
        ledger, board = self.ledger, self.board
        for who in self.world.invocations:
            self._require(who.dead, f"L2: {who.name} never ends")
        if ledger is not None:
            self._require(ledger.due_at is None, "L2: it is due, and nobody looks")
            self._require(not ledger.over or not board.live, "L1: a live call is taken to be over")
        if board.live and not self.without_trace:
            self.require_as_desired()

    def require_as_desired(self) -> None:
        """The tape is as the ledger wants it."""
        ledger = self.ledger
        for recording_id in self.board.active():
            tape = self.board.tapes[recording_id]
            if ledger is not None and ledger.stopped:
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
