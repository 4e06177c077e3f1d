"""The whole service in worlds where everything goes wrong: what always holds, holds.

A seed that fails is shown again by `python -m tests.simulation --vendor VENDOR --seed SEED`.
"""

import pytest

from tests.simulation.hunts import script
from tests.simulation.play import play, play_random, play_seed
from tests.simulation.scripts import enters, leaves
from tests.simulation.search import breadth_first, explained
from tests.simulation.small import SMALL
from tests.simulation.switchboard import PLATFORMS

#: Random schedules for each kind of vendor, in parts that pytest can spread.
SCHEDULES = 2_000
PARTS = 4
#: Small calls that are searched with two faults at once; `make soak` goes further.
SEARCHED = ("visit twilio", "visit bandwidth", "visit bird", "forgotten twilio")


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("vendor", PLATFORMS)
def test_nothing_bad_happens_and_all_ends_well(vendor: str, part: int):
    """Whatever the order, the faults and the clocks, no promise is broken and no tape stays paused."""
    size = SCHEDULES // PARTS
    safe = 0

    for seed in range(part * size, (part + 1) * size):
        played = play_seed(vendor, seed)
        safe += played.safe
        if played.violation:
            trace = "\n".join(play_seed(vendor, seed, tracing=True).trace)
            pytest.fail(
                f"{trace}\n{played.violation}\npython -m tests.simulation --vendor {vendor} --seed {seed}",
                pytrace=False,
            )

    assert safe > size / 3  # flows do get to collect


@pytest.mark.parametrize("call", SMALL)
def test_any_one_fault_does_no_harm(call: str):
    """Each fault that there is, at each place, alone: all of them are tried."""
    searched = breadth_first(SMALL[call], depth=1, schedules=5_000)

    assert searched.found is None, explained(SMALL[call], searched.found.deviations)
    assert searched.complete


@pytest.mark.parametrize("call", SEARCHED)
def test_any_two_faults_do_no_harm(call: str):
    """All pairs of faults, of calls that are small enough."""
    searched = breadth_first(SMALL[call], depth=2, schedules=20_000)

    assert searched.found is None, explained(SMALL[call], searched.found.deviations)
    assert searched.complete


@pytest.mark.parametrize("vendor", PLATFORMS)
def test_where_nothing_goes_wrong_the_flow_may_collect(vendor: str):
    """The promises are not kept by promising nothing."""
    played = play(script(vendor, enters(), leaves(), enters("b")), {})

    assert played.violation is None
    assert played.safe == 2


def test_a_seed_is_the_same_schedule_again():
    """Whoever plays it, and whether or not somebody looks on."""
    silent, shown = play_seed("bird", 7), play_seed("bird", 7, tracing=True)

    assert silent.taken == shown.taken
    assert silent.happened == shown.happened


def test_what_was_drawn_can_be_played_from_its_numbers():
    """So what a random schedule found can be made shorter."""
    drawn = play_random(SMALL["overlap bird"], 11)

    again = play(SMALL["overlap bird"], {index: choice for index, choice in enumerate(drawn.taken) if choice})

    assert again.taken == drawn.taken
    assert again.history == drawn.history
