"""What goes wrong, case by case (the number is in each name), in some hundreds of schedules where it is bound to happen."""

from typing import NamedTuple

import pytest

from tests.simulation.choices import Likely
from tests.simulation.hunts import script
from tests.simulation.play import play_random
from tests.simulation.scripts import (
    ENDS,
    HANGS_UP,
    PARENT_ID,
    SAYS_OVER,
    STARTS,
    STARTS_LATE,
    STOPS,
    STOPS_ONE,
    Script,
    enters,
    leaves,
    waits,
)

SCHEDULES = 100

_LATE = {"effect": {"last moment": 0.2, "after safe": 0.2, "after settled": 0.2, "late": 0.2}}


class Scenario(NamedTuple):
    """A call, what goes wrong with it, and what has to be seen in at least one schedule."""

    script: Script
    likely: Likely
    seen: str


SCENARIOS = {
    "scenario_01_no_answer": Scenario(
        script("twilio", enters(), leaves()), {"update": {"no answer": 0.4, "5xx": 0.3}}, "gets no answer"
    ),
    "scenario_02_lost_answer": Scenario(
        script("signalwire", enters(), leaves()), {"update": {"no answer": 0.5}, **_LATE}, "without an answer"
    ),
    "scenario_03_yes_to_nothing": Scenario(
        script("bird", enters(), leaves()), {"effect": {"never": 0.7}}, "it lands: never"
    ),
    "scenario_04_yes_carried_out_late": Scenario(
        script("bird", enters(), leaves(), enters("b")), {"effect": {"late": 0.7}}, "it lands: late"
    ),
    "scenario_05_rate_limited": Scenario(
        script("twilio", enters(), leaves()), {"update": {"rate limited": 0.5}}, "rate limited"
    ),
    "scenario_07_nothing_is_recorded": Scenario(
        script("twilio", enters(), leaves(), recordings=0, accept_not_recording=True), {}, "not-recording, SAFE"
    ),
    "scenario_08_recording_starts_after_its_pause": Scenario(
        script("signalwire", ENDS, enters(seconds=300), STARTS_LATE), {"delivery": {"lost": 0.5}}, "RE2 is paused"
    ),
    "scenario_09_several_recordings": Scenario(
        script("twilio", enters(), leaves(), recordings=3), {"update": {"5xx": 0.2}, **_LATE}, "RE3 is paused"
    ),
    "scenario_11_another_recording_starts": Scenario(
        script("signalwire", enters(), STARTS, leaves()), {"gap": {"none": 0.3}}, "webhook recording started"
    ),
    "scenario_13_the_tape_is_the_other_leg_s": Scenario(
        script("twilio", enters(), leaves(), enters("b"), recordings=0, above=1),
        {"update": {"5xx": 0.3}, "read": {"5xx": 0.1}, "save": {"lost, written": 0.1}, **_LATE},
        "RE1 is paused",
    ),
    "scenario_13_both_legs_have_tapes": Scenario(
        script("signalwire", enters(), enters("b", leg=PARENT_ID), leaves(), leaves("b", PARENT_ID), above=1),
        {"gap": {"none": 0.3}, "update": {"5xx": 0.2}, "delivery": {"doubled later": 0.2}, **_LATE},
        "answers held",
    ),
    "scenario_13_found_later": Scenario(
        script("twilio", enters(seconds=300), leaves(), recordings=0, above=1),
        {"read": {"5xx": 0.4, "no answer": 0.3}, "gap": {"50 s": 0.7}, "save": {"down": 0.05}},
        "version 1 of the parent",
    ),
    "scenario_13_a_leg_is_over": Scenario(
        script("signalwire", enters(), HANGS_UP, leaves(), enters("b", leg=PARENT_ID), recordings=0, above=1),
        {"gap": {"none": 0.3}, "delivery": {"lost": 0.2, "2 s": 0.2}, "update": {"5xx": 0.1}, **_LATE},
        "RE1 is in-progress",
    ),
    "scenario_14_duplicates": Scenario(
        script("twilio", enters(), leaves()), {"delivery": {"doubled later": 0.6, "replayed": 0.3}}, "not safe"
    ),
    "scenario_15_duplicates_at_once": Scenario(
        script("bandwidth", enters(), leaves()), {"delivery": {"doubled": 0.8}, "save": {"held": 0.1}}, "conflict"
    ),
    "scenario_16_left_before_entered": Scenario(
        script("twilio", enters(), leaves()), {"delivery": {"2 s": 0.5, "20 s": 0.2}, "gap": {"50 ms": 0.5}}, "failed"
    ),
    "scenario_17_both_at_once": Scenario(
        script("bird", enters(), leaves(), enters()), {"gap": {"none": 0.9}, **_LATE}, "conflict"
    ),
    "scenario_18_left_of_the_step_before": Scenario(
        script("twilio", enters(), leaves(), enters("b")),
        {"delivery": {"20 s": 0.4}, "gap": {"300 ms": 0.6}, "update": {"5xx": 0.2}, **_LATE},
        "answers held",
    ),
    "scenario_19_replay": Scenario(
        script("twilio", enters(), leaves(), enters("b")), {"delivery": {"replayed": 0.5}}, "failed, not safe"
    ),
    "scenario_20_said_to_be_over": Scenario(
        script("twilio", enters(), SAYS_OVER, leaves(), recordings=2),
        {"gap": {"none": 0.4}, "update": {"5xx": 0.2}, "delivery": {"doubled later": 0.2}, **_LATE},
        "told over",
    ),
    "scenario_20_presumed_over": Scenario(
        script("signalwire", enters(), leaves(), SAYS_OVER, enters(), leaves()),
        {"gap": {"none": 0.2}, "delivery": {"2 s": 0.2}, "update": {"5xx": 0.1}, **_LATE},
        "pauses none over known",
    ),
    "scenario_23_never_left": Scenario(script("bird", enters(seconds=5)), {}, "pause-expired"),
    "scenario_24_resume_fails": Scenario(
        script("twilio", enters(), leaves()), {"update": {"refused": 0.6}}, "asks for resume: refused"
    ),
    "scenario_25_call_ends_while_paused": Scenario(
        script("bandwidth", enters(), HANGS_UP), {"delivery": {"lost": 0.5}}, "call over"
    ),
    "scenario_26_deadline_is_extended": Scenario(
        script("twilio", enters(seconds=8), enters(seconds=20), leaves()),
        {"gap": {"3 s": 0.6, "12 s": 0.3}},
        "a(+20.0)",
    ),
    "scenario_27_timers_lost_doubled_and_late": Scenario(
        script("twilio", enters(seconds=5), enters("b", 8)),
        {"remind": {"lost": 0.4, "doubled": 0.3, "very late": 0.2}},
        "sweep",
    ),
    "scenario_28_killed_between_answer_and_record": Scenario(
        script("twilio", enters(), leaves(), enters("b")),
        {"update": {"crash after": 0.4}, "save": {"crash": 0.1}, "gap": {"12 s": 0.4, "27 s": 0.4}, **_LATE},
        "CRASHES",
    ),
    "scenario_29_table_down": Scenario(
        script("bandwidth", enters(), leaves()),
        {"save": {"down": 0.3, "lost, written": 0.2}, "load": {"down": 0.2}, "outage": {"long": 0.4}},
        "answers 503",
    ),
    "scenario_34_a_workflow_waits": Scenario(
        script("twilio", enters(), waits(), leaves(), enters(), waits(), leaves()),
        {"gap": {"none": 0.3}, "delivery": {"2 s": 0.2, "doubled later": 0.2}, "save": {"lost, written": 0.2}, **_LATE},
        ": left",
    ),
    "scenario_34_what_a_workflow_waits_for_is_extended": Scenario(
        script("bird", enters(seconds=5), waits(), enters(seconds=8)),
        {"gap": {"none": 0.3}, "save": {"crash after": 0.1, "down": 0.1}, "remind": {"lost": 0.3}},
        ": extended",
    ),
    "scenario_34_two_workflows_wait": Scenario(
        script("twilio", enters(seconds=5), waits(), waits(), on_deadline="keep"),
        {"gap": {"none": 0.3}, "save": {"lost, written": 0.3}},
        ": superseded",
    ),
    "scenario_38_queue_down": Scenario(
        script("twilio", enters(seconds=5), leaves()), {"remind": {"down": 0.6}}, "timer-unavailable"
    ),
    "scenario_40_clocks_differ": Scenario(
        script("twilio", enters(seconds=5), enters("b", 5)), {"clock": {"ahead": 0.4, "behind": 0.4}}, "ahead"
    ),
    "scenario_44_two_steps_at_once": Scenario(
        script("signalwire", enters("b"), enters(), leaves(), leaves("b")), {"gap": {"none": 0.3}}, "answers held"
    ),
    "more_than_a_ledger_keeps": Scenario(
        script(
            "twilio", *(enters(f"s{number}") for number in range(18)), *(leaves(f"s{number}") for number in range(18))
        ),
        {"gap": {"none": 0.2}, "delivery": {"doubled later": 0.3}},
        "answers failed, not safe",
    ),
    "vendor_forgets_a_call_that_is_over": Scenario(
        script("bird", enters(), HANGS_UP, leaves()), {"delivery": {"lost": 0.7}}, "over known nothing"
    ),
    "one_recording_is_stopped": Scenario(
        script("signalwire", enters(), STOPS_ONE, leaves(), recordings=2),
        {"gap": {"none": 0.3}, "update": {"5xx": 0.2}, **_LATE},
        "RE1 is stopped",
    ),
    "secrets_down": Scenario(
        script("twilio", enters(seconds=5)),
        {"secret": {"down": 0.6}, "update": {"unauthorized": 0.3}, "calm": {"later": 0.8}},
        "gives the message back",
    ),
    "stop_for_good": Scenario(
        script("signalwire", enters(), STOPS, enters(), recordings=2),
        {"update": {"no answer": 0.3}, **_LATE},
        "stopped",
    ),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(scenario: str):
    """Its safe outcome holds in every schedule, and the scenario does come about."""
    call, likely, seen = SCENARIOS[scenario]
    came_about = False

    for seed in range(SCHEDULES):
        played = play_random(call, seed, likely, tracing=seed < 20)

        assert played.violation is None, f"seed {seed}: {played.violation}"
        came_about = came_about or any(seen in line for line in played.trace)

    assert came_about
