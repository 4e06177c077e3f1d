"""What always holds of the ledger of one leg of the call, checked each time that it is written."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from call_recording.ledger import CallLedger
from call_recording.ledger_parts import Pause
from call_recording.model import Action
from tests.simulation.settled import is_bounded, is_settled
from tests.simulation.world import EPOCH, Invocation, World

if TYPE_CHECKING:
    from tests.simulation.switchboard import Switchboard

#: How far a flow's clock may be behind, seconds: so long after its deadline a pause has to hold.
FLOW_CLOCK = 0.5
#: Raises ViolationError with what it is given unless that holds.
Require = Callable[[object, str], None]


class LedgerChecks:
    """Watches one ledger."""

    def __init__(self, call_id: str, world: World, board: "Switchboard", require: Require) -> None:
        self.call_id = call_id
        self.world = world
        self.board = board
        self.ledger: CallLedger | None = None
        self.child: LedgerChecks | None = None  #: of the leg that was made from this one
        self.owner: Invocation | None = None  #: who holds the lease
        self.visits: dict[str, int] = {}  #: how often a step was opened
        self.known_since = 0.0
        self.left_unknown: dict[str, float] = {}  #: when a `left` of a step was written that no pause was open of
        self.on_closed: Callable[[str], Any] = lambda _: None  #: told of each step whose pause closes
        self.stop_answered = False  #: whether somebody who asked for a stop got an answer
        self._visits_at: dict[int, dict[str, int]] = {0: {}}  #: the visits, by version of the ledger
        self._entered: dict[str, tuple[float, bool]] = {}  #: the latest that a flow entered, and whether all said when
        self._effect_by: dict[str, Invocation] = {}  #: through whom an event had its effect
        self._pause_ids: set[str] = set()  #: of all pauses that ever were open
        self._longest: dict[str, float] = {}  #: the latest deadline that a step ever had
        self._require = require

    @property
    def live(self) -> bool:
        """Whether the leg has not ended."""
        return self.call_id in self.board.live

    @property
    def is_stopped(self) -> bool:
        """Whether a stop for good was asked for on it."""
        return self.ledger is not None and self.ledger.stopped

    @property
    def stops_above(self) -> bool:
        """Whether that counts for the leg that it was made from: whoever gets no answer has to ask again."""
        stopped = self.ledger is not None and self.ledger.stopped and self.ledger.parent is not None
        return stopped and self.stop_answered

    def has_closed(self, step: str, seen: CallLedger | None) -> bool:
        """Whether the visit of *step* that was open in the ledger *seen* is open no longer."""
        if seen is None or self.ledger is None or step not in seen.pauses:
            return False
        return step not in self.ledger.pauses or self.visits[step] != self._visits_at[seen.version].get(step, 0)

    def sent(self, action: Action, who: Invocation) -> None:
        """Somebody sends a command on this leg: a resume and a stop under the lease only, and one at a time."""
        unreminded = self.call_id in who.opened and self.call_id not in who.tried_to_remind
        self._require(not unreminded, f"3: {who.name} asks the vendor before it sent its reminder")
        if who is not self.owner:
            self._require(action is Action.PAUSE, f"S3: {who.name} sends a {action} without holding the lease")
            if not who.noted:
                who.blind_at[self.call_id] = self.world.now
            return
        lease = self.ledger and self.ledger.lease
        self._require(lease and who.time() <= lease.until, f"S3: {who.name}'s lease has lapsed")
        for other in self.world.invocations:
            both = other.commanding == self.call_id and not other.dead and other is not who
            self._require(not both, f"S3: {who.name} and {other.name} command at the same time")
        who.commanding = self.call_id

    def saved(self, before: CallLedger | None, ledger: CallLedger, writer: Invocation) -> None:
        """The ledger was written."""
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
            self.left_unknown[writer.move.step] = self.world.now
        self._visits_at[ledger.version] = dict(self.visits)
        self._require_bounds(before, ledger)
        self._require_reopened(before, ledger, writer)
        settled = is_settled(ledger)
        self._require(
            settled or ledger.given_up or ledger.due_at is not None, "L2: nobody is going to look at it again"
        )
        self._require(not settled or ledger.due_at is None, "L2: it is due although it is settled")
        if settled:
            self.board.release("after settled")

    def _note_known(self, before: CallLedger | None, ledger: CallLedger, writer: Invocation) -> float:
        if ledger.known.complete and (before is None or before.known != ledger.known):
            self.known_since = writer.commanding_since
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
            self.on_closed(step)
            return
        if old is not None and new._replace(token=old.token) == old:
            waits = writer.move is not None and writer.move.kind == "waits" and new.token is not None
            self._require(waits, f"9: {writer.name} changes who waits for the end of {step}")
            return
        if old is not None and new._replace(kept=old.kept, token=old.token) == old:
            self._require(self._is_past(old), f"S1: {writer.name} keeps the pause of {step} before its deadline")
            return
        latest, all_said = self._entered.get(step, (0.0, True)) if old is not None else (0.0, True)
        if writer.move is None:
            entered, said = self._require_inherited(step, old, new, writer)
        else:
            self._require_entered(step, before, writer)
            entered, said = writer.flow_time, "occurred_at" in writer.claims
            writer.opened.add(self.call_id)
        self._entered[step] = max(latest, entered), all_said and said
        self._pause_ids.add(new.pause_id)
        self._longest[step] = max(new.deadline, self._longest.get(step, 0.0))
        if old is None:
            self.visits[step] = self.visits.get(step, 0) + 1
        else:
            self._require(new.deadline >= old.deadline, f"6: {writer.name} shortens the deadline of {step}")

    def _require_entered(self, step: str, before: CallLedger | None, writer: Invocation) -> None:
        """A flow opens the pause of the step that it enters, and not by an event of long ago."""
        own = writer.move.kind == "entered" and writer.move.step == step
        self._require(own, f"6: {writer.name} opens the pause of {step}")
        fresh = self._is_first_effect(writer)
        self._require(fresh, f"6: {writer.name}'s event was seen before, and opens the pause of {step}")
        left_at = before.left_at.get(step, 0.0) if before and "occurred_at" in writer.claims else 0.0
        self._require(
            writer.flow_time >= left_at - EPOCH - 1e-3, f"6: {writer.name} opens {step}, which was left later"
        )

    def _require_inherited(self, step: str, old: Pause | None, new: Pause, writer: Invocation) -> tuple[float, bool]:
        """Nobody but a flow opens a pause, but for one that a leg has which was made from this one, and no longer."""
        child = self.child
        known = child is not None and (new.pause_id in child._pause_ids or (old and new.pause_id == old.pause_id))
        self._require(known, f"6: {writer.name} opens the pause of {step}")
        self._require(old or new.pause_id not in self._pause_ids, f"6: {writer.name} opens the pause of {step} again")
        assert child is not None
        longest = max(child._longest[step], old.deadline if old else 0.0)
        self._require(
            new.deadline <= longest + 1e-3, f"6: {writer.name} opens {step} for longer than the other leg has it"
        )
        return child._entered.get(step, (0.0, True))

    def _is_first_effect(self, writer: Invocation) -> bool:
        """Whether the event that *writer* handles had no effect through anybody else before."""
        return writer.event_id is None or self._effect_by.setdefault(writer.event_id, writer) is writer

    def _may_close(self, step: str, old: Pause, before: CallLedger, ledger: CallLedger, writer: Invocation) -> bool:
        """Whether a pause may end here: left in this visit, stopped, call over, or past the deadline that was told."""
        if ledger.over:
            return not self.live
        move = writer.move
        if move is None:  # a timer or a sweep: at the deadline of one, a stop may end them all
            inherits = self.child is not None and self.child.is_stopped
            past = any(self._is_past(each) for each in (before.pauses.values() if ledger.stopped else [old]))
            return past or (ledger.stopped and inherits)
        if not self._is_first_effect(writer):
            return False
        stops = move.kind == "stop" or (move.kind == "stop one" and not self.board.platform.reads)
        return stops or (move.kind == "left" and move.step == step and self._leaves(step, old, writer))

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

    def _require_reopened(self, before: CallLedger | None, ledger: CallLedger, writer: Invocation) -> None:
        """A flow that tells of a call which is only presumed to be over has it looked after again."""
        tells = writer.move is not None and writer.move.kind in {"entered", "left"}  # a stop may be of one recording
        if tells and before is not None and before.presumed and before.seen != ledger.seen:
            self._require(not ledger.over, f"8: {writer.name} tells of the call, and it is presumed over all the same")
