"""A rule of the protocol that nothing misses is a hole in the net: each is taken out once."""

import pytest

from tests.simulation.ablations import RULES, without
from tests.simulation.hunts import HUNTS
from tests.simulation.search import at_random

#: Most need a few hundred.
SCHEDULES = 2_500


def test_each_rule_is_taken_out():
    """There is a hunt for each rule."""
    assert HUNTS.keys() == RULES.keys()


@pytest.mark.parametrize("rule", RULES)
def test_the_simulation_misses_the_rule(rule: str):
    """Without the rule the simulation finds a violation, and it is the one that the rule is there for."""
    hunt = HUNTS[rule]

    with without(rule):
        found = at_random(hunt.script, schedules=SCHEDULES, likely=hunt.likely)

    assert found is not None
    assert found.violation.startswith(hunt.violates)


@pytest.mark.parametrize("rule", RULES)
def test_with_the_rule_all_is_well(rule: str):
    """With the rule the same search finds nothing."""
    hunt = HUNTS[rule]

    found = at_random(hunt.script, schedules=60, likely=hunt.likely)

    assert found is None
