"""Faults nobody thought of: chosen at random from a seed, and held to what must always be true."""

import random

import pytest

from tests.integration.calls import VENDORS, SimulatedCall

CASES = 60
ACTIONS = ("pause", "pause", "list", "read", "any")
STATUSES = (200, 202, 204, 301, 304, 400, 401, 403, 404, 408, 409, 422, 429, 500, 502, 503)
#: None of these says truthfully, or at all, that a recording is paused.
BODIES = (
    "",
    "{",
    "[]",
    "null",
    "<html>",
    {"status": "PAUSED"},
    {"status": ["paused"]},
    {"code": 16108},
    {"code": 16114},
)


def effect(chosen: random.Random) -> dict:
    """Choose what goes wrong."""
    return chosen.choice(
        [
            {"status": chosen.choice(STATUSES), "body": chosen.choice(BODIES), "apply": False},
            {"status": chosen.choice([500, 503, 409, 404]), "apply": chosen.random() < 0.5},
            {"status": 429, "headers": {"retry-after": chosen.choice(["0", "1", "60", "soon"])}, "apply": False},
            {"drop": chosen.choice(["before", "after"])},
            {"delay_ms": chosen.choice([50, 400, 2500])},
            {"drip_ms": chosen.choice([1, 20, 300])},
            {"headers": {"content-encoding": "gzip"}},
            {"headers": {"content-length": chosen.choice(["3", "100000"])}},
        ]
    )


@pytest.mark.parametrize("seed", range(CASES))
def test_whatever_goes_wrong(stack, hurried, seed):
    """
    Whatever goes wrong, a 200 on `entered` means that every tape is paused, and anything else is a problem of ours.
    """
    chosen = random.Random(seed)  # noqa: S311 -- to be repeated, not to be secret
    vendor = VENDORS[seed % len(VENDORS)]
    account, token = hurried[vendor]
    call = SimulatedCall(stack, vendor, recordings=chosen.choice([1, 1, 2, 3]))
    faults = [(chosen.choice(ACTIONS), chosen.choice([1, 2, 50]), effect(chosen)) for _ in range(chosen.choice([1, 2]))]
    for action, times, wrong in faults:
        # Bandwidth's empty 200 is its yes: a fault that says so and does nothing cannot be told from the truth
        if vendor != "bandwidth" or wrong.get("body") != "":
            call.fault(action, times=times, **wrong)

    answer = call.flow("entered", account=account, token=token)
    paused = call.statuses() == ["paused"] * len(call.created["recording_ids"])

    assert answer.json()["safe_to_collect"] is (answer.status_code == 200), faults
    assert paused or answer.status_code != 200, faults
    if answer.status_code != 200:
        assert answer.headers["content-type"] == "application/problem+json", faults
