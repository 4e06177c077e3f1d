"""How many examples a property is tried on, and which: the same ones each time, but in `make soak` others, and many more."""

import os
from typing import Any

import hypothesis

SOAKING = os.environ.get("SOAKING") == "1"
#: How many times as many examples a soak tries.
FACTOR = 20


def settings(max_examples: int, **others: Any) -> hypothesis.settings:
    """Return Hypothesis's settings for *max_examples* of a test of everyday."""
    return hypothesis.settings(
        max_examples=max_examples * (FACTOR if SOAKING else 1),
        derandomize=not SOAKING,
        print_blob=SOAKING,  # it replays what failed: nothing is kept from run to run
        deadline=None,
        database=None,
        **others,
    )
