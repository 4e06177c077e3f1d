"""Where each rule of the protocol is missed first: a script, and what is likely to happen in it.

Nothing here says how a violation comes about, only where to look: the search has to find it.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from call_recording.account import Settings
from tests.simulation.choices import Likely
from tests.simulation.scripts import ENDS, STARTS, STARTS_LATE, Move, Script, enters, leaves


class Hunt(NamedTuple):
    """Where to look for what goes wrong without a rule."""

    script: Script
    violates: str  #: how the violation that is to be found begins
    likely: Likely | None = None  #: None: each seed has a temper of its own


def script(
    vendor: str, *moves: Move, recordings: int = 1, event_ids: bool = True, occurred_at: bool = True, **settings: Any
) -> Script:
    """Return a script whose account has the default settings but for some."""
    return Script(
        vendor=vendor,
        moves=moves,
        settings=Settings(max_pause_seconds=2_000, **settings),
        recordings=recordings,
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
}
