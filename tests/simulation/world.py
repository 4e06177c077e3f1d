"""Time, and everything that takes some: invocations run until they call a port, and go on when its time has come."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Final

import greenlet

from tests.simulation.choices import CLOCK, SECONDS, Choices, Point

#: When the simulation begins, seconds since the epoch.
EPOCH: Final = 1_790_000_000.0
#: How far ahead or behind a clock of ours may be, seconds: two of them differ by ledger_parts.SKEW at most.
CLOCKS: Final = {"true": 0.0, "ahead": 0.5, "behind": -0.5}
#: More happenings than any schedule needs that settles at all.
ENOUGH: Final = 6_000


class Killed(BaseException):
    """The invocation is over, whatever it was doing: Lambda kills it.  No error: nobody may catch it."""


class ViolationError(Exception):
    """Something that always holds did not."""


class World:
    """One schedule: what happens, in order of time."""

    def __init__(self, choices: Choices, *, tracing: bool = False) -> None:
        self.now = 0.0
        self.calm = False  #: from then on nothing goes wrong any more
        self.choices = choices
        self.trace: list[str] | None = [] if tracing else None
        self.history: list[tuple[int, str, str]] = []  #: who did what, with which result, in which second
        self.invocations: list[Invocation] = []
        self.happened = 0
        self._heap: list[tuple[float, int, Callable[[], object]]] = []
        self._order = 0

    def at(self, when: float, happens: Callable[[], object]) -> None:
        """Have something happen."""
        self._order += 1
        heappush(self._heap, (when, self._order, happens))

    def choose(self, point: Point) -> str:
        """Let chance decide, as long as things may go wrong."""
        return point.alternatives[0] if self.calm else self.choices.choose(point)

    def run(self) -> None:
        """Let everything happen that is to happen.  Raises ViolationError."""
        heap = self._heap
        while heap:
            when, _, happens = heappop(heap)
            self.now = max(self.now, when)
            happens()
            self.happened += 1
            if self.happened > ENOUGH:
                raise ViolationError("L2: it never settles")

    def note(self, who: str, what: str) -> None:
        """Write down what happened."""
        self.history.append((int(self.now), who, what))
        if self.trace is not None:
            self.trace.append(f"{self.now:10.3f}  {who:<16}  {what}")


class Invocation:
    """One invocation of one function: it has a clock of its own, and is dead at its hard deadline."""

    def __init__(self, world: World, name: str, seconds: float, work: Callable[["Invocation"], Any]) -> None:
        self.world = world
        self.name = name
        self.began = world.now
        self.ends = world.now + seconds
        self.offset = CLOCKS[world.choose(CLOCK)]
        self.dead = False
        self.event_id: str | None = None
        self.flow_time = 0.0  #: when what it tells of happened
        self.move: Any = None
        self.by = "flow"  #: who asks
        self.claims: frozenset[str] = frozenset()  #: what the flow gave with it, of `occurred_at` and `pause_id`
        self.named_pause: str | None = None  #: the pause that it names
        self.commanding_since = 0.0  #: when the command began that it is at
        self.noted = False  #: whether it wrote down that it would pause without the lease
        self.commanding = ""  #: the leg
        # What it did, by leg.
        self.loaded: dict[str, Any] = {}  #: the ledger as last saved or loaded by it
        self.opened: set[str] = set()  #: where it opened or extended a pause
        self.tried_to_remind: set[str] = set()
        self.unreminded: set[str] = set()  #: where the reminder of its pause could not be sent
        self.blind_at: dict[str, float] = {}  #: when it sent a pause that is in no ledger
        self.met_no_queue: set[str] = set()  #: where it could leave no word of that
        self.aside: list[tuple[float, Exception | None]] | None = None
        self.at_end: Callable[[], None] = lambda: None
        self._nonces = 0
        self._work = work
        self._greenlet = greenlet.greenlet(self._run)
        world.invocations.append(self)
        if self.offset:
            world.note(name, f"begins, its clock {abs(self.offset)} s {'ahead' if self.offset > 0 else 'behind'}")
        world.at(world.now, self._go_on)

    # The clock port.

    def time(self) -> float:
        """Seconds since the epoch, by its own clock."""
        return EPOCH + self.world.now + self.offset

    def monotonic(self) -> float:
        """Seconds."""
        return self.world.now

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.wait(seconds)

    def nonce(self) -> str:
        """Return a name that nobody else has."""
        self._nonces += 1
        return f"{self.name.replace(' ', '-')}-{self._nonces}"

    # What the other ports do.

    def wait(self, seconds: float) -> None:
        """Let others go on for so long, and be killed if that is too long."""
        if self.dead:
            raise Killed
        until = self.world.now + seconds
        if until >= self.ends:
            self.world.at(self.ends, self.kill)
        else:
            self.world.at(until, self._go_on)
        self._greenlet.parent.switch()

    def take(self, choice: str) -> None:
        """Take the time that *choice* stands for, and crash if it says so."""
        if choice == "crash":
            self.crash()
        self.wait(SECONDS.get(choice, 0.004))

    def crash(self) -> None:
        """Be gone."""
        self.world.note(self.name, "CRASHES")
        self.dead = True
        raise Killed

    def kill(self) -> None:
        """Be gone by the hand of others."""
        if not self.dead:
            self.world.note(self.name, "IS KILLED")
            self.dead = True
            self._greenlet.throw(Killed)

    def _go_on(self) -> None:
        if not self.dead:
            self._greenlet.switch()

    def _run(self) -> None:
        try:
            self._work(self)
        except Killed:
            pass
        finally:
            self.dead = True
            self.commanding = ""
        self.at_end()
