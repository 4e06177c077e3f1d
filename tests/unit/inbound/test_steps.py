"""The name of a step stands in logs and results: what a caller has keyed must not be in it."""

import json

import pytest

from call_recording.inbound.flows import FlowCallbacks
from tests.unit.fakes import CARD, assemble, flow_event

KEYED = [
    f"card-{CARD}",
    f"c{CARD}",
    "c123456789012",
    "card-1234-5678-9012",
    "c1-2-3-4-5-6-7-8-9-0-1-2",
    "c1--2--345678901--2-",
    f"card-{CARD}-entry",
    "c1a" + "1" * 12,
]


@pytest.fixture(name="flows")
def _flows(secrets_manager, platforms, clock, observer) -> FlowCallbacks:
    parts = assemble(secrets_manager=secrets_manager, platforms=platforms, clock=clock, observer=observer)
    return FlowCallbacks(accounts=parts.accounts, recordings=parts.recordings, clock=clock, observer=observer)


@pytest.mark.parametrize("word", ["entered", "left", "stop"])
@pytest.mark.parametrize("step", KEYED)
def test_scenario_35_digits_are_no_name(flows, platforms, observer, step, word):
    """Twelve digits in a row, hyphens aside, are refused before anything is sent, and nowhere repeated."""
    answer = flows.answer(flow_event(step=step, word=word), seconds_left=10.0)

    assert (answer["statusCode"], json.loads(answer["body"])["field"]) == (422, "step")
    assert platforms.requests == []
    assert step not in answer["body"] + repr(observer)


@pytest.mark.parametrize("step", ["c12345678901", "c123456-and-789012", "c1-2-3-4-5-6-7-8-9-0-1", "step-2026-11-22"])
def test_a_name_may_have_some(flows, step):
    """Eleven digits, or more with letters between them, are a name."""
    answer = flows.answer(flow_event(step=step), seconds_left=10.0)

    assert json.loads(answer["body"])["step"] == step
