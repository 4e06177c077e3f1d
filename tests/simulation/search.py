"""Looks for a violation: breadth-first, or at random; and makes what it finds as short as it can."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tests.simulation.choices import POINTS, Likely
from tests.simulation.play import Played, play, play_random
from tests.simulation.scripts import Script


class Found(NamedTuple):
    """A violation, and how to see it again."""

    violation: str
    deviations: Mapping[int, int]  #: from what is usual, by number of the choice
    schedules: int  #: so many were played until then


class Searched(NamedTuple):
    """What a search came to."""

    found: Found | None
    schedules: int
    states: int  #: so many of them were different
    depth: int  #: so many deviations at once were tried
    complete: bool  #: whether all schedules with so few deviations were tried


#: What is tried of the alternatives, breadth-first: a few of each kind, so that two or three fit together in a minute.
TRIED: Final[Mapping[str, Sequence[str]]] = {
    "load": ("held", "crash", "down"),
    "save": ("held", "stuck", "crash after", "lost, written", "lost, late", "down"),
    "remind": ("crash", "down", "lost", "doubled"),
    "update": ("held", "answered later", "crash after", "no answer", "5xx", "refused"),
    "read": ("held", "no answer"),
    "age": ("oldest",),
    "effect": ("late", "last moment", "after safe", "after settled"),
    "clock": ("ahead", "behind"),
    "gap": ("none", "1.5 s", "12 s"),
    "delivery": ("lost", "doubled", "doubled later"),
}
_TRIED: Final = tuple(tuple(point.alternatives.index(each) for each in TRIED.get(point.name, ())) for point in POINTS)


def breadth_first(script: Script, *, depth: int, schedules: int) -> Searched:
    """Play the script with no deviation, with each one, with each two, and so on.

    Schedules whose histories are the same, who did what with which result in which order, are followed up once.
    """
    waiting: deque[Mapping[int, int]] = deque([{}])
    histories: set[int] = set()
    played = deepest = 0
    while waiting and played < schedules:
        deviations = waiting.popleft()
        result = play(script, deviations)
        played += 1
        deepest = len(deviations)
        if result.violation:
            found = Found(result.violation, deviations, played)
            return Searched(found, played, len(histories), deepest, complete=False)
        if result.history in histories:
            continue
        histories.add(result.history)
        if len(deviations) < depth:
            first = max(deviations, default=-1) + 1
            waiting.extend(
                {**deviations, index: alternative}
                for index, point in enumerate(result.points[first:], first)
                for alternative in _TRIED[point.number]
            )
    return Searched(None, played, len(histories), deepest, complete=not waiting)


def at_random(script: Script, *, schedules: int, likely: Likely | None = None, first: int = 0) -> Found | None:
    """Play the script with seed after seed."""
    for seed in range(first, first + schedules):
        result = play_random(script, seed, likely)
        if result.violation:
            return Found(result.violation, _deviations(result), seed - first + 1)
    return None


def shortened(script: Script, found: Found) -> Found:
    """Leave out deviations as long as a violation of the same property is left."""
    deviations = dict(found.deviations)
    kind = found.violation[:2]
    shorter = True
    while shorter:
        shorter = False
        for index in sorted(deviations, reverse=True):
            fewer = {each: choice for each, choice in deviations.items() if each != index}
            result = play(script, fewer)
            if result.violation and result.violation.startswith(kind):
                deviations, shorter = fewer, True
    # what they mean may have shifted: they are what was chosen in the end
    last = play(script, deviations, tracing=True)
    return Found(last.violation or found.violation, deviations, found.schedules)


def explained(script: Script, deviations: Mapping[int, int]) -> str:
    """Return a schedule as people read it."""
    result = play(script, deviations, tracing=True)
    chosen = [
        f"{point.name} {index}: {point.alternatives[min(deviations[index], len(point.alternatives) - 1)]}"
        for index, point in enumerate(result.points)
        if index in deviations
    ]
    return "\n".join([str(script), "deviations: " + ("; ".join(chosen) or "none"), *result.trace])


def _deviations(result: Played) -> dict[int, int]:
    return {index: choice for index, choice in enumerate(result.taken) if choice}
