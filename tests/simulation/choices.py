"""Everything that chance decides in the simulation: each decision is one of a few alternatives, and the first is the usual.

So a schedule is a list of small numbers: it can be drawn at random, replayed, made shorter, and searched breadth-first.
"""

from bisect import bisect
from collections.abc import Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import Final, Protocol


class Point:
    """A kind of decision."""

    def __init__(self, name: str, usual: str, *others: str) -> None:
        self.name = name
        self.alternatives = (usual, *others)
        self.number = len(POINTS)
        POINTS.append(self)


POINTS: Final[list[Point]] = []

#: What the words of a wait mean, seconds.
SECONDS: Final[Mapping[str, float]] = {
    "ok": 0.004,
    "fast": 0.001,
    "slow": 0.02,
    "slower": 0.3,
    "held": 2.5,
    "stuck": 12.0,
}

#: Waits before something happens, be it by load, by a pause of the process, or by malice.
_WAITS = ("fast", "slow", "slower", "held")

LOAD: Final = Point("load", "ok", *_WAITS, "crash", "down")
SAVE: Final = Point(
    "save",
    "ok",
    *_WAITS,
    "stuck",
    "answered later",
    "crash",
    "crash after",
    "lost, written",
    "lost",
    "lost, late",
    "down",
)
REMIND: Final = Point(
    "remind", "ok", "fast", "slow", "slower", "crash", "crash after", "down", "lost", "doubled", "late", "very late"
)
UPDATE: Final = Point(
    "update",
    "ok",
    *_WAITS,
    "answered later",
    "crash",
    "crash after",
    "no answer",
    "5xx",
    "refused",
    "never sent",
    "busy",
    "rate limited",
    "unauthorized",
)
READ: Final = Point("read", "ok", *_WAITS, "crash", "no answer", "5xx", "never sent", "rate limited", "unauthorized")
#: How old what is read is, where reads may be old.
AGE: Final = Point("age", "new", "old", "oldest")
#: What becomes of a command without a definite answer.
EFFECT: Final = Point(
    "effect",
    "at once",
    "soon",
    "late",
    "never",
    "last moment",
    "after safe",
    "after settled",
    "after read",
    "after command",
)
SECRET: Final = Point("secret", "ok", "crash", "down")
CLOCK: Final = Point("clock", "true", "ahead", "behind")
GAP: Final = Point("gap", "answered", "none", "50 ms", "300 ms", "1.5 s", "3 s", "8 s", "12 s", "27 s", "50 s")
DELIVERY: Final = Point("delivery", "at once", "100 ms", "2 s", "20 s", "lost", "doubled", "doubled later", "replayed")
OUTAGE: Final = Point("outage", "short", "long", "very long")
CALM: Final = Point("calm", "soon", "later", "much later")

#: Alternatives that are no fault, only another time.
TIMES: Final = frozenset({*_WAITS, "answered later", "ahead", "behind"})


class Choices(Protocol):
    """Decides."""

    taken: list[int]  #: what was decided so far

    def choose(self, point: Point) -> str:
        """Return one of the alternatives."""


#: How likely some alternatives are, by point; the others never happen.
Likely = Mapping[str, Mapping[str, float]]


class RandomChoices:
    """Decides at random, with a temper of its own: each seed has other faults, and more or fewer of them."""

    def __init__(self, random: Random, likely: Likely | None = None) -> None:
        self.taken: list[int] = []
        self._random = random.random
        share = random.choice((0.1, 0.3, 0.6))
        rate = random.choice((0.01, 0.04, 0.12))
        self._bounds = [
            _bounds(_weights(point, random, share, rate) if likely is None else _given(point, likely))
            for point in POINTS
        ]

    def choose(self, point: Point) -> str:
        """Draw an alternative."""
        index = bisect(self._bounds[point.number], self._random())
        self.taken.append(index)
        return point.alternatives[index]


class Deviations:
    """Decides as usual, but for the deviations given; it keeps what there was to decide."""

    def __init__(self, deviations: Mapping[int, int]) -> None:
        self.taken: list[int] = []
        self.points: list[Point] = []
        self._deviations = deviations

    def choose(self, point: Point) -> str:
        """Return what was asked for at this place."""
        index = min(self._deviations.get(len(self.taken), 0), len(point.alternatives) - 1)
        self.taken.append(index)
        self.points.append(point)
        return point.alternatives[index]


# What matters most is drawn more often: how triggers are spaced, and what becomes of commands without an answer.
_FREE: Final = frozenset({"gap", "effect", "age", "calm", "outage"})
_FREQUENT: Final = frozenset({"delivery", "clock"})


def _weights(point: Point, random: Random, share: float, rate: float) -> list[float]:
    """Return the weights of what is not usual, in one temper."""
    weights = []
    for alternative in point.alternatives[1:]:
        if point.name in _FREE:
            weights.append(random.choice((0.0, 0.1, 0.3)))
        elif point.name in _FREQUENT:
            weights.append(random.choice((0.0, 0.02, 0.1)))
        elif alternative in TIMES:
            weights.append(random.choice((0.0, 0.01, 0.05)))
        else:
            weights.append(rate * random.choice((0.3, 1.0, 3.0)) if random.random() < share else 0.0)
    return weights


def _given(point: Point, likely: Likely) -> list[float]:
    return [likely.get(point.name, {}).get(alternative, 0.0) for alternative in point.alternatives[1:]]


def _bounds(weights: list[float]) -> Sequence[float]:
    """Return the upper bounds of all alternatives but the last."""
    total = sum(weights)
    usual = max(1.0 - total, 0.1)
    return list(accumulate(weight / (usual + total) for weight in (usual, *weights)))[:-1]
