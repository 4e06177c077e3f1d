"""One schedule, from the first trigger to the moment when nothing is left to happen."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final, NamedTuple

from call_recording.outcome import Outcome
from tests.simulation.checks import Checks
from tests.simulation.choices import CALM, DELIVERY, GAP, Choices, Deviations, Likely, Point, RandomChoices
from tests.simulation.invocations import Functions, trigger_of
from tests.simulation.scripts import CALL_ID, PARENT_ID, Move, Script, random_script, waits
from tests.simulation.stores import DELIVERIES, Queue, Table
from tests.simulation.switchboard import PLATFORMS, Switchboard
from tests.simulation.world import Invocation, ViolationError, World

_GAPS: Final = {
    "none": 0.0,
    "50 ms": 0.05,
    "300 ms": 0.3,
    "1.5 s": 1.5,
    "3 s": 3.0,
    "8 s": 8.0,
    "12 s": 12.0,
    "27 s": 27.0,
    "50 s": 50.0,
}
#: What comes a second time.
_TWICE: Final = frozenset({"doubled", "doubled later", "replayed"})
_CALM: Final = {"soon": 0.5, "later": 25.0, "much later": 130.0}
#: A kept pause is looked after until the call ends; in the simulation it ends at last, seconds.
LAST_HANG_UP: Final = 400.0


class Played(NamedTuple):
    """What came of a schedule."""

    script: Script
    violation: str | None
    safe: int  #: so many answers said that a flow may collect
    happened: int  #: so many things happened
    taken: list[int]  #: what was chosen
    trace: list[str]
    points: Sequence[Point]  #: what there was to choose, where the choices know
    history: int  #: stands for who did what, with which result, in which order


class Play:
    """Plays one script."""

    def __init__(self, script: Script, choices: Choices, *, tracing: bool = False, keeps_text: bool = True) -> None:
        self.script = script
        self.world = world = World(choices, tracing=tracing)
        self.checks = checks = Checks(world)
        settings = script.settings
        self.board = Switchboard(
            world,
            checks,
            PLATFORMS[script.vendor],
            in_flight=settings.in_flight_ms / 1000,
            read_lag=settings.read_lag_ms / 1000,
            has_parent=script.above is not None,
            reaches_up=script.reaches_up,
        )
        table, queue = Table(world, checks, keeps_text=keeps_text), Queue(world)
        self.functions = Functions(world, checks, table, queue, self.board, settings)
        self._pause_ids: dict[tuple[str, str], str] = {}
        self._tokens = 0
        if any(move.kind == "waits" for move in script.moves):
            waited = checks.await_tokens()
            waited.on_extended = lambda wait, pause: self._wait(waits(wait.step, wait.call_id), pause.pause_id)

    def run(self) -> Played:
        """Play it to its end."""
        world = self.world
        for _ in range(self.script.recordings):
            self.board.start_recording(CALL_ID)
        for _ in range(self.script.above or 0):
            self.board.start_recording(PARENT_ID)
        world.at(1.0, lambda: self._move(0))
        violation = None
        try:
            world.run()
            self.checks.require_good_end()
        except ViolationError as exc:
            violation = str(exc)
        return Played(
            self.script,
            violation,
            self.checks.safe,
            world.happened,
            world.choices.taken,
            world.trace or [],
            getattr(world.choices, "points", ()),
            hash(tuple(world.history)),
        )

    def _move(self, index: int) -> None:
        world, moves = self.world, self.script.moves
        if index == len(moves):
            world.at(world.now + _CALM[world.choose(CALM)], self._calm)
            return
        move = moves[index]
        gap = world.choose(GAP)
        follow = lambda: self._move(index + 1)  # noqa: E731
        answered = [gap == "answered"]

        def at_end() -> None:
            if answered and answered.pop():
                world.at(world.now + 0.1, follow)

        if gap != "answered":
            world.at(world.now + _GAPS[gap], follow)
        self._do(index, move, at_end)

    def _do(self, index: int, move: Move, at_end: Callable[[], None]) -> None:
        match move.kind:
            case "starts" if move.step:
                # nobody tells of it, and nothing else goes wrong
                world = self.world
                world.at(world.now + 160.0, lambda: self.board.start_recording(move.leg, unheard=True))
                at_end()
            case "starts":
                self.board.start_recording(move.leg)
                self._tell(index, "recording started", move.leg, at_end)
            case "ends":
                self.board.end_recording(move.leg)
                self._tell(index, "recording ended", move.leg, at_end)
            case "hangs up":
                self.board.hang_up(move.leg)
                self._tell(index, "call over", move.leg, at_end)
            case "says over":
                self.checks.said_over = True
                self._tell(index, "call over", move.leg, at_end)
            case "waits":
                self._wait(move, self._pause_ids.get((move.leg, move.step)) if self.script.pause_ids else None)
                at_end()
            case _:
                self._send(index, move, at_end)

    def _wait(self, move: Move, pause_id: str | None) -> None:
        """A workflow comes to wait, late or twice or never."""
        world = self.world
        delivery = world.choose(DELIVERY)
        if delivery == "lost":
            return
        self._tokens += 1
        token = f"token {self._tokens}"
        deliver = lambda: self.functions.wait(move, pause_id, token)  # noqa: E731
        if delivery in _TWICE:
            world.at(world.now, deliver)
        world.at(world.now + DELIVERIES[delivery], deliver)

    def _tell(self, index: int, what: str, leg: str, at_end: Callable[[], None]) -> None:
        """A webhook comes, late or twice, or is lost."""
        world = self.world
        event_id = f"event {index}" if self.script.event_ids else None
        delivery = world.choose(DELIVERY)
        at_end()
        if delivery == "lost":
            if what == "recording started" and self.board.tapes:
                self.board.tapes[max(self.board.tapes)].unheard = True
            return
        deliver = lambda: self.functions.webhook(what, leg, event_id)  # noqa: E731
        if delivery in _TWICE:
            world.at(world.now, deliver)
        world.at(world.now + DELIVERIES[delivery], deliver)

    def _send(self, index: int, move: Move, at_end: Callable[[], None]) -> None:
        """A flow's request comes, late or twice or never."""
        world, script = self.world, self.script
        flow_time = world.now
        trigger = trigger_of(
            move,
            event_id=f"event {index}" if script.event_ids else None,
            occurred_at=flow_time + script.clock_ahead if script.occurred_at else None,
            pause_id=self._pause_ids.get((move.leg, move.step)) if script.pause_ids and move.kind == "left" else None,
            recording_id="RE1" if script.names_recording or move.kind == "stop one" else None,
            seconds=move.seconds,
            by=script.by,
        )

        def on_answer(me: Invocation, outcome: Outcome) -> None:
            if move.kind == "entered" and outcome.ledger and move.step in outcome.ledger.pauses:
                self._pause_ids[move.leg, move.step] = outcome.ledger.pauses[move.step].pause_id

        def deliver() -> None:
            called = self.functions.trigger(move, trigger, flow_time, on_answer, ahead=script.clock_ahead > 0)
            called.at_end = at_end

        delivery = world.choose(DELIVERY)
        later = world.now + DELIVERIES[delivery]
        if delivery == "lost":
            world.note("flow", f"{move.kind} {move.step} is lost")
            world.at(world.now + 1.0, at_end)
            return
        if delivery in _TWICE:
            world.at(later, deliver)
            later = world.now
        world.at(later, deliver)

    def _calm(self) -> None:
        self.world.calm = True
        self.world.note("world", "from now on nothing goes wrong any more")
        if self.script.settings.on_deadline == "keep":
            self.world.at(self.world.now + LAST_HANG_UP, self._hang_up_at_last)

    def _hang_up_at_last(self) -> None:
        self.checks.require_as_desired()
        for leg in list(self.board.live):
            self.board.hang_up(leg)


def play_seed(vendor: str, seed: int, *, tracing: bool = False) -> Played:
    """Play the random schedule of a seed."""
    random = Random(f"{vendor} {seed}")  # noqa: S311 -- it is to be drawn again
    script = random_script(vendor, random)
    # writing and reading JSON takes most of the time: one schedule in eight does it
    return Play(script, RandomChoices(random), tracing=tracing, keeps_text=seed % 8 == 0).run()


def play_random(script: Script, seed: int, likely: Likely | None = None, *, tracing: bool = False) -> Played:
    """Play a script with what a seed makes of it."""
    random = Random(seed)  # noqa: S311 -- see above
    return Play(script, RandomChoices(random, likely), tracing=tracing, keeps_text=seed % 8 == 0).run()


def play(script: Script, deviations: Mapping[int, int], *, tracing: bool = False) -> Played:
    """Play a script as usual, but for the deviations."""
    return Play(script, Deviations(deviations), tracing=tracing, keeps_text=tracing).run()
