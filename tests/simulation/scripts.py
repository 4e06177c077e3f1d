"""What happens to a call, before chance has its way with it: who enters and leaves which step, and what the call does."""

from dataclasses import dataclass
from random import Random
from typing import Any, Final, NamedTuple

from call_recording.account import Settings

#: The call, and the leg that it was made from, where there is one.
CALL_ID: Final = "CA"
PARENT_ID: Final = "CA-parent"


class Move(NamedTuple):
    """Something that a flow, or the call itself, does."""

    kind: str  #: entered, left, stop, stop one, waits; starts, ends (a recording); hangs up; says over
    step: str = ""
    seconds: int = 60  #: how long the pause may last
    leg: str = CALL_ID  #: the one that it names, or that it happens to


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One call."""

    vendor: str
    moves: tuple[Move, ...]
    settings: Settings
    recordings: int = 1  #: that run when the call begins
    above: int | None = None  #: that run on the leg that the call was made from; None: it was not made from one
    reaches_up: bool = False  #: whether "the one active recording" of a leg without any is the other leg's
    by: str = "flow"  #: who enters and leaves steps: flow or workflow
    event_ids: bool = True  #: whether flows send ids of events
    occurred_at: bool = True  #: whether they say when
    pause_ids: bool = False  #: whether they name the pause that they leave
    names_recording: bool = False  #: whether they name a recording, though all are to be paused
    clock_ahead: float = 0.0  #: how far their own clock is ahead, seconds


def enters(step: str = "a", seconds: int = 60, leg: str = CALL_ID) -> Move:
    """A flow enters a step."""
    return Move("entered", step, seconds, leg)


def leaves(step: str = "a", leg: str = CALL_ID) -> Move:
    """A flow leaves a step."""
    return Move("left", step, leg=leg)


def waits(step: str = "a", leg: str = CALL_ID) -> Move:
    """A workflow comes to wait for the end of a step."""
    return Move("waits", step, leg=leg)


STOPS: Final = Move("stop", "a")
STOPS_ONE: Final = Move("stop one", "a")
STARTS: Final = Move("starts")
STARTS_LATE: Final = Move("starts", "when all is calm")
ENDS: Final = Move("ends")
HANGS_UP: Final = Move("hangs up")
#: Somebody says that the call is over, and it goes on.
SAYS_OVER: Final = Move("says over")

#: The vendors whose calls may have been made from others, and how many of them are.
TWO_LEGGED: Final = frozenset({"twilio", "signalwire"})
TWO_LEGS: Final = 0.2

#: Stories that random scripts are put together from.
_STORIES: Final = (
    (enters("a"), leaves("a")),
    (enters("a"), leaves("a")),
    (enters("a"), leaves("a"), enters("b")),
    (enters("a"), leaves("a"), enters("a")),
    (enters("a"), enters("b"), leaves("b"), leaves("a")),
    (enters("a"), enters("b"), leaves("a"), leaves("b")),
    (enters("a"), enters("a"), leaves("a")),
    (enters("a", 5), enters("b", 30)),
    (enters("a", 5),),
    (enters("a", 8), enters("a", 20), leaves("a")),
    (leaves("a"), enters("a")),
    (leaves("a"),),
    (enters("a"), STOPS),
    (STOPS, enters("a")),
    (enters("a"), STOPS_ONE, leaves("a")),
    (enters("a", 20), STARTS, leaves("a")),
    (STARTS, enters("a", 20)),
    (enters("a"), ENDS, leaves("a")),
    (ENDS, enters("a", 300), STARTS_LATE),
    (enters("a"), HANGS_UP),
    (enters("a"), SAYS_OVER, leaves("a")),
    (enters("a"), leaves("a"), SAYS_OVER, enters("a")),
    (enters("a"), waits("a"), leaves("a")),
    (enters("a"), waits("a"), enters("a"), leaves("a")),
    (enters("a", 5), waits("a"), enters("a", 8), waits("a")),
    (enters("a"), leaves("a"), waits("a"), enters("a"), waits("a")),
    (enters("a"), waits("a"), HANGS_UP),
)


def _on_legs(moves: list[Move], random: Random) -> list[Move]:
    """Spread moves over the legs of a call: mostly who enters a step on one leg leaves it on the same."""
    at_home = random.choice((0.6, 0.9, 1.0))
    homes = {step: random.choice((CALL_ID, CALL_ID, PARENT_ID)) for step in ("a", "b")}
    return [
        move._replace(
            leg=homes[move.step]
            if move.step in homes and random.random() < at_home
            else random.choice((CALL_ID, PARENT_ID))
        )
        for move in moves
    ]


def random_script(vendor: str, random: Random, **settings: Any) -> Script:
    """Return a call of one to three stories, at an account with settings of its own."""
    moves: list[Move] = []
    for _ in range(random.choice((1, 1, 2, 2, 3))):
        moves += random.choice(_STORIES)
    if random.random() < 0.05:
        moves[random.randrange(len(moves))] = enters("a", random.choice((1, 120, 1900)))
    reads = vendor != "bandwidth"
    two_legs = vendor in TWO_LEGGED and random.random() < TWO_LEGS
    if two_legs:
        moves = _on_legs(moves, random)
    chosen: dict[str, Any] = {
        "in_flight_ms": random.choice((2_000, 5_000, 15_000, 15_000, 40_000)),
        "read_lag_ms": random.choice((0, 0, 0, 1_500, 4_000)) if reads else 0,
        "budget_ms": random.choice((3_500, 3_500, 3_500, 1_000, 9_000)),
        "max_pause_seconds": 2_000,
        "accept_not_recording": random.random() < 0.5,
        "on_deadline": random.choice(("resume",) * 6 + ("keep", "stop")) if reads else "resume",
    }
    return Script(
        vendor=vendor,
        moves=tuple(moves),
        settings=Settings(**(chosen | settings)),
        recordings=random.choice((0, 0, 0, 1) if two_legs else (1, 1, 1, 1, 0, 2, 3)) if reads else 1,
        above=random.choice((1, 1, 1, 0, 2)) if two_legs else None,
        by=random.choice(("flow", "workflow")) if any(each.kind == "waits" for each in moves) else "flow",
        event_ids=random.random() < 0.7,
        occurred_at=random.random() < 0.7,
        pause_ids=random.random() < 0.3,
        names_recording=random.random() < 0.15,
        clock_ahead=100.0 if random.random() < 0.05 else 0.0,
    )
