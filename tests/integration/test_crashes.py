"""A function process that is killed after it asked the vendor and before it wrote down what came of that."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.integration.calls import PATIENCE_SECONDS, SimulatedCall, eventually
from tests.integration.insides import PROC, kill

CARD = "4111 1111 1111 1111"
by_itself = partial(eventually, seconds=PATIENCE_SECONDS)
needs_proc = pytest.mark.skipif(not (PROC / "self" / "environ").exists(), reason="only Linux tells whose a process is")


@pytest.fixture(name="mortal", scope="module")
def _mortal(account):
    """Give vendors an account with a short wait for whoever finds a dead function's lease."""
    settings = {"in_flight_ms": 2_000, "budget_ms": 2_500}
    return {vendor: account(vendor, settings=settings)[:2] for vendor in ("twilio", "bandwidth")}


def killed(stack: dict, vendor: str, account: tuple[str, str], event: str, *, acts: bool) -> SimulatedCall:
    """Kill the function that handles *event* while the vendor answers it; give the call.

    The vendor does what it is asked for, or (not *acts*) nothing, and its answer never ends.
    """
    command = {"entered": "pause", "left": "resume"}[event]
    for _ in range(5):  # on a busy machine the function may give up waiting before it is killed
        call = SimulatedCall(stack, vendor, account=account)
        if event == "left":
            assert by_itself(lambda call=call: call.flow("entered").status_code == 200)
            call.say(CARD)
        asked = call.commands()
        call.fault(command, times=100, apply=acts, drip_ms=60_000)
        call.fault("read", times=100, drip_ms=60_000)  # whoever looks, waits
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(call.flow, event)
            assert by_itself(lambda call=call, asked=asked: call.commands() > asked)
            assert kill(stack, "flow_callback") >= 1
            status = answer.result().status_code
        call.control("DELETE", "/faults")
        if status == 500:
            return call
    raise AssertionError("the function was never killed in time")


@needs_proc
class TestKilled:
    def test_scenario_28_while_it_paused(self, stack, mortal, ledger_table, sweep):
        """A pause whose function was killed is told as safe to nobody until the sweep has proven it, and then holds."""
        calls = {acts: killed(stack, "twilio", mortal["twilio"], "entered", acts=acts) for acts in (True, False)}
        leased = [ledger_table.read(call)["lease"] for call in calls.values()]
        with ThreadPoolExecutor(2) as pool:
            told = list(pool.map(lambda call: call.flow("entered"), calls.values()))
        silent = {acts: call.is_silent() for acts, call in calls.items()}

        assert None not in leased
        assert [(answer.status_code, answer.json()["safe_to_collect"]) for answer in told] == [(504, False)] * 2
        assert silent == {True: True, False: False}
        swept_until_nobody_commands(sweep, ledger_table, calls)
        for call in calls.values():
            assert call.is_silent()
            ledger = ledger_table.read(call)
            assert ledger["known"]["proven"]
            assert list(ledger["pauses"]) == ["card-entry"]
            assert ledger_table.events(call, "holder lost") != []
            assert call.flow("left").status_code == 200
            assert call.runs()
            assert ledger_table.is_settled(call)

    def test_scenario_28_while_it_resumed(self, stack, mortal, ledger_table, sweep):
        """A resume whose function was killed is reported as done to nobody, no step is safe meanwhile, and the tape runs."""
        calls = {acts: killed(stack, "bandwidth", mortal["bandwidth"], "left", acts=acts) for acts in (True, False)}
        with ThreadPoolExecutor(2) as pool:
            entered = list(pool.map(lambda call: call.flow("entered", step="identity-check"), calls.values()))
            left = list(pool.map(lambda call: call.flow("left", step="identity-check"), calls.values()))

        assert [(answer.status_code, answer.json()["safe_to_collect"]) for answer in entered] == [(504, False)] * 2
        assert [answer.status_code for answer in left] == [504] * 2
        swept_until_nobody_commands(sweep, ledger_table, calls)
        for call in calls.values():
            assert ledger_table.is_settled(call)
            assert call.runs()
            assert CARD not in call.heard()[0]


def swept_until_nobody_commands(sweep, ledger_table, calls: dict[bool, SimulatedCall]) -> None:
    """Sweep until the dead functions' leases have lapsed, and what they left undone is done."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(not ledger_table.read(call)["known"]["proven"] for call in calls.values()):
        assert time.monotonic() < deadline
        sweep()
        time.sleep(0.5)
