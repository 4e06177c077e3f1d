"""Where each rule of the protocol is missed first: a script, and what is likely to happen in it.

Nothing here says how a violation comes about, only where to look: the search has to find it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from call_recording.account import Settings
from tests.simulation.choices import Likely
from tests.simulation.scripts import (
    ENDS,
    PARENT_ID,
    SAYS_OVER,
    STARTS,
    STARTS_LATE,
    STOPS,
    Move,
    Script,
    enters,
    leaves,
    waits,
)


class Hunt(NamedTuple):
    """Where to look for what goes wrong without a rule."""

    script: Script
    violates: str  #: how the violation that is to be found begins
    likely: Likely | None = None  #: None: each seed has a temper of its own


def script(
    vendor: str,
    *moves: Move,
    recordings: int = 1,
    above: int | None = None,
    reaches_up: bool = False,
    event_ids: bool = True,
    occurred_at: bool = True,
    **settings: Any,
) -> Script:
    """Return a script whose account has the default settings but for some."""
    return Script(
        vendor=vendor,
        moves=moves,
        settings=Settings(max_pause_seconds=2_000, **settings),
        recordings=recordings,
        above=above,
        reaches_up=reaches_up,
        event_ids=event_ids,
        occurred_at=occurred_at,
    )


_OVERLAP: Final = (enters(), leaves(), enters("b"))
_VISIT: Final = (enters(), leaves())
_LATE: Final = {"effect": {"last moment": 0.5}}
_UNCLEAR: Final = {"update": {"5xx": 0.2, "no answer": 0.2}, "gap": {"3 s": 0.3}, **_LATE}
_KILLED: Final = {"update": {"crash after": 0.3, "5xx": 0.2}, "gap": {"12 s": 0.5}, **_LATE}
_DOWN: Final = {"save": {"down": 0.2}, "remind": {"down": 0.4}, "outage": {"long": 0.5}, "update": {"no answer": 0.2}}

HUNTS: Final[Mapping[str, Hunt]] = {
    # those of the table in docs/reliability.md
    "intent": Hunt(script("twilio", *_OVERLAP), "S"),
    "doubt of a resume": Hunt(script("twilio", *_OVERLAP), "S1", _UNCLEAR),
    "doubt of a pause": Hunt(script("twilio", *_VISIT), "L1", _UNCLEAR),
    "proof is judged when sent": Hunt(
        script("bandwidth", *_OVERLAP, in_flight_ms=2_000),
        "S1",
        {"update": {"5xx": 0.2, "answered later": 0.2}, "gap": {"1.5 s": 0.5}, **_LATE},
    ),
    "doubts are raised": Hunt(
        script("twilio", *_OVERLAP, read_lag_ms=1_500), "S1", {"update": {"5xx": 0.2}, "gap": {"8 s": 0.5}, **_LATE}
    ),
    "evidence is proof": Hunt(
        script("signalwire", *_OVERLAP, read_lag_ms=4_000),
        "S1",
        {"update": {"5xx": 0.2}, "gap": {"8 s": 0.5}, "age": {"oldest": 0.3}, **_LATE},
    ),
    "read lag": Hunt(script("twilio", *_OVERLAP, in_flight_ms=2_000, read_lag_ms=4_000), "1:"),
    "due until settled": Hunt(script("twilio", *_VISIT), "L2"),
    "answer of now": Hunt(script("twilio", *_VISIT), "S2"),
    "verdict from the ledger": Hunt(script("twilio", *_VISIT), "S2"),
    "skew": Hunt(script("twilio", enters(seconds=5)), "S1"),
    "nonce per attempt": Hunt(script("twilio", *_VISIT), "S3"),
    "word of a blind pause": Hunt(script("twilio", enters()), "L1"),
    "left of an unknown pause": Hunt(
        script("twilio", *_VISIT), "L1", {**_DOWN, "load": {"down": 0.1}, "gap": {"3 s": 0.3, "8 s": 0.3}, **_LATE}
    ),
    "visits": Hunt(script("twilio", *_VISIT, enters()), "S1"),
    "fresh read": Hunt(script("twilio", enters(), STARTS, enters(), recordings=0, accept_not_recording=True), "S1"),
    # and what else the code keeps to
    "blind pause has an id of its own": Hunt(
        script("twilio", enters("b"), enters(), leaves(), leaves("b")),
        "L1",
        {
            "save": {"held": 0.1, "crash after": 0.2},
            "load": {"down": 0.2},
            "update": {"5xx": 0.3, "crash after": 0.3},
            "effect": {"after settled": 0.5, "last moment": 0.3},
            "gap": {"none": 0.3, "3 s": 0.3},
        },
    ),
    "unheard of pause is looked for": Hunt(
        script("twilio", *_OVERLAP), "L1", {"save": {"down": 0.2}, "update": {"5xx": 0.2}, **_LATE}
    ),
    "doubt outlasts old reads": Hunt(
        script("signalwire", *_OVERLAP, in_flight_ms=5_000, read_lag_ms=4_000, budget_ms=1_000),
        "S1",
        {"update": {"5xx": 0.2}, "remind": {"lost": 0.4}, "gap": {"8 s": 0.5}, "age": {"oldest": 0.4}, **_LATE},
    ),
    "conditional put": Hunt(script("twilio", *_VISIT), "6:"),
    "lease outlasts commands": Hunt(script("twilio", *_OVERLAP), "S1", _KILLED),
    "no resume without a ledger": Hunt(script("twilio", *_VISIT), "S3"),
    "reminder first": Hunt(script("twilio", enters()), "3"),
    "own work": Hunt(script("twilio", *_OVERLAP), "S1", _UNCLEAR),
    "not before the deadline": Hunt(script("twilio", enters(seconds=5)), "S1"),
    "unleased pause in doubt": Hunt(script("twilio", *_OVERLAP, leaves("b")), "L1", _KILLED),
    "left before entered": Hunt(script("twilio", *_VISIT), "6"),
    "seen events": Hunt(script("twilio", *_VISIT), "6"),
    "poll for a late start": Hunt(script("twilio", ENDS, enters(seconds=300), STARTS_LATE), "7:"),
    "a word closes nothing": Hunt(script("twilio", enters(), SAYS_OVER, leaves()), "S1"),
    "a word forgets no resume": Hunt(script("twilio", *_VISIT, SAYS_OVER), "L1", _UNCLEAR),
    "presumed over is reopened": Hunt(script("twilio", *_VISIT, SAYS_OVER, enters()), "8:"),
    "a blind pause reopens": Hunt(script("twilio", *_VISIT, SAYS_OVER, enters()), "L1", {"save": {"down": 0.2}}),
    "the other leg counts": Hunt(
        script("twilio", *_VISIT, recordings=0, above=1, accept_not_recording=True), "S", _UNCLEAR
    ),
    "the earlier deadline": Hunt(script("signalwire", enters(leg=PARENT_ID), enters(seconds=20), above=1), "S2"),
    "held on one leg": Hunt(
        script("signalwire", enters(), enters("b"), leaves("b", PARENT_ID), leaves(), above=1), "1:"
    ),
    "the other leg is over by its vendor": Hunt(
        script(
            "twilio",
            enters(seconds=300),
            leaves(leg=PARENT_ID),
            SAYS_OVER._replace(leg=PARENT_ID),
            recordings=0,
            above=1,
            accept_not_recording=True,
        ),
        "S",
        {"delivery": {"replayed": 0.3}},
    ),
    "no tape just now": Hunt(
        script("twilio", *_VISIT, STARTS, enters(leg=PARENT_ID), recordings=0, above=1, event_ids=False),
        "S1",
        {"delivery": {"doubled later": 0.3}, "gap": {"50 ms": 0.3, "300 ms": 0.3}},
    ),
    "passed on to the other leg": Hunt(
        script("twilio", STOPS, recordings=0, above=1), "L1", {"read": {"5xx": 0.5, "no answer": 0.3}}
    ),
    "doubt of the other leg": Hunt(
        script("twilio", *_VISIT, recordings=0, above=1, reaches_up=True),
        "1:",
        {"update": {"no answer": 0.4, "5xx": 0.3}, "effect": {"late": 0.3, "last moment": 0.3, "after settled": 0.3}},
    ),
    "told what goes on": Hunt(script("twilio", enters(), waits(), enters(), leaves()), "9:"),
    "told at once": Hunt(script("twilio", *_VISIT, waits()), "9:"),
    "told of its own visit": Hunt(script("twilio", *_VISIT, enters(), waits(), enters()), "9:"),
    "waits for its own pause": Hunt(
        replace(script("twilio", enters(), waits(), leaves(), enters()), pause_ids=True),
        "9:",
        {"delivery": {"2 s": 0.3, "20 s": 0.2}},
    ),
}
