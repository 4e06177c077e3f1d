"""Small calls, to be searched breadth-first: every schedule with one fault, with two, as far as the time allows."""

from collections.abc import Mapping
from typing import Final

from tests.simulation.hunts import script
from tests.simulation.scripts import ENDS, HANGS_UP, PARENT_ID, SAYS_OVER, STARTS, STOPS, Script, enters, leaves, waits

_STORIES: Final = {
    "visit": (enters(), leaves()),
    "overlap": (enters(), leaves(), enters("b")),
    "nested": (enters("b"), enters(), leaves()),
    "again": (enters(), leaves(), enters()),
    "extended": (enters(seconds=8), enters(seconds=20)),
    "forgotten": (enters(seconds=5),),
    "stopped": (enters(), STOPS),
    "starts late": (enters(), STARTS, leaves()),
    "ends": (enters(), ENDS, leaves()),
    "hangs up": (enters(), HANGS_UP),
    "said to be over": (enters(), SAYS_OVER, leaves()),
    "waited for": (enters(), waits(), leaves()),
    "waited for again": (enters(), waits(), enters(seconds=300), leaves()),
    "presumed over": (enters(), leaves(), SAYS_OVER, enters()),
}

#: Of calls that were made from another one.
_TWO_LEGGED: Final = {
    "one tape above": (0, (enters(), leaves())),
    "two tapes": (1, (enters(), leaves())),
    "steps on both legs": (0, (enters("b", leg=PARENT_ID), enters(), leaves())),
    "entered above": (1, (enters(leg=PARENT_ID), enters(seconds=20), leaves())),
    "forgotten above": (0, (enters(seconds=5),)),
}

#: Each story at each vendor; the names are what `python -m tests.simulation --search` takes.
SMALL: Final[Mapping[str, Script]] = {
    f"{story} {vendor}": script(
        vendor,
        *moves,
        in_flight_ms=5_000,
        recordings=2 if vendor == "signalwire" else 1,
        read_lag_ms=1_500 if vendor == "silent" else 0,
        accept_not_recording=story in {"starts late", "ends"},
    )
    for vendor in ("twilio", "signalwire", "silent", "bandwidth", "bird")
    for story, moves in _STORIES.items()
} | {
    f"{story} {vendor}": script(vendor, *moves, in_flight_ms=5_000, recordings=recordings, above=1)
    for vendor in ("twilio", "signalwire")
    for story, (recordings, moves) in _TWO_LEGGED.items()
}
