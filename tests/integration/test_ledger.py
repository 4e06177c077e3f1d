"""What keeps a confirmed pause: duplicates, races and reordering on the local stack, over HTTP and by Lambda invoke."""

import json
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from tests.integration.calls import PATIENCE_SECONDS, VENDORS, SimulatedCall, eventually

SEED = 20_261_122
CALLS = 50
#: More requests at once than this only wait for each other.
AT_ONCE = threading.BoundedSemaphore(16)
NOON = datetime.now(UTC) - timedelta(seconds=30)
by_itself = partial(eventually, seconds=PATIENCE_SECONDS)


@pytest.fixture(name="leisurely", scope="module")
def _leisurely(account):
    """Give each vendor an account that waits long for its answers: the machine is busy."""
    return {vendor: account(vendor, settings={"budget_ms": 9_000, "in_flight_ms": 2_000})[:2] for vendor in VENDORS}


class Flow:
    """The flow of one call, which tells everything twice, in any order; and the caller in it."""

    def __init__(self, call: SimulatedCall, seed: int, pool: ThreadPoolExecutor) -> None:
        self._call = call
        self._chosen = random.Random(seed)  # noqa: S311 -- to be repeated, not to be secret
        self._pool = pool
        self.answers: list[httpx.Response] = []
        self.secrets: list[str] = []

    def tell(self, event: str, step: str, event_id: str | None = None, at: int | None = None) -> httpx.Response:
        """Tell one thing; *at* is when it happened, in seconds."""
        fields: dict[str, Any] = {} if event_id is None else {"event_id": event_id}
        if at is not None:
            fields["occurred_at"] = (NOON + timedelta(seconds=at)).isoformat()
        with AT_ONCE:
            answer = self._call.flow(event, step=step, **fields)
        self.answers.append(answer)
        return answer

    def at_once(self, *told: tuple) -> list[httpx.Response]:
        """Tell all of it at the same time, in an order that is chosen; give the answers in the order that is written."""
        order = self._chosen.sample(range(len(told)), len(told))
        asked = {number: self._pool.submit(self.tell, *told[number]) for number in order}
        return [asked[number].result() for number in range(len(told))]

    def maybe(self, *told: tuple) -> Iterator[tuple]:
        """Choose some of it."""
        return (each for each in told if self._chosen.random() < 0.6)

    def say_if(self, answers: list[httpx.Response], what: str) -> None:
        """Let the caller say what nobody may hear, if the flow was told that it may be said."""
        if any(answer.json()["safe_to_collect"] for answer in answers):
            self.secrets.append(what)
            self._call.say(what)


def play(flow: Flow, call: SimulatedCall) -> int:
    """Play two steps that overlap, and one of them again; give how often the vendor was asked for the first pause."""
    entered = ("entered", "identity-check", "i1", 10)
    flow.say_if(flow.at_once(entered, entered), "passphrase 007")
    commands = call.commands()

    entered, left = ("entered", "card-entry", "c1", 12), ("left", "identity-check", "i2", 13)
    first, *_ = flow.at_once(
        entered, left, *flow.maybe(entered, ("entered", "card-entry"), left, ("entered", "identity-check", "i1", 10))
    )
    flow.say_if([first], "4111 1111")

    flow.at_once(
        ("left", "card-entry", "c0", 5),  # of an earlier visit: it has lain about
        *flow.maybe(entered, left, ("entered", "identity-check", "i1", 10), ("left", "identity-check")),
    )
    flow.say_if([first], "1111 1111, code 123")

    again, left = ("entered", "identity-check", "i3", 20), ("left", "card-entry", "c2", 21)
    second, *_ = flow.at_once(again, left, *flow.maybe(left, again))
    flow.say_if([second], "passphrase 700")
    flow.at_once(("left", "identity-check", "i4", 22), *flow.maybe(("left", "card-entry", "c2", 21), entered))
    return commands


class TestRaces:
    def test_scenario_14_15_16_17_18_44_fifty_calls(self, stack, leisurely, ledger_table):
        """Fifty calls at once, each told everything twice and in any order: no tape has what was said on our word, all run on."""
        vendors = [VENDORS[number % len(VENDORS)] for number in range(CALLS)]
        calls = [SimulatedCall(stack, vendor, account=leisurely[vendor]) for vendor in vendors]
        with ThreadPoolExecutor(4 * CALLS) as inner, ThreadPoolExecutor(CALLS) as outer:
            flows = [Flow(call, SEED + number, inner) for number, call in enumerate(calls)]
            commands = list(outer.map(play, flows, calls))

        for flow, call, sent in zip(flows, calls, commands, strict=True):
            assert by_itself(lambda call=call: ledger_table.is_settled(call))
            # duplicates in flight send one command, one that comes later proves afresh; and so does one that was not answered in time
            assert sent in {1, 2} or "in_doubt" in ledger_table.events(call, "answered")[0]
            assert call.runs()
            assert not set(flow.secrets) & set(call.heard()[0]), call.call_id
            for answer in flow.answers:
                assert_by_the_rules(answer)
        assert sum(len(flow.secrets) for flow in flows) > 2 * CALLS

    @pytest.mark.parametrize("vendor", VENDORS)
    def test_scenario_15_duplicates_in_flight(self, stack, leisurely, vendor):
        """Whoever tells the same while the vendor is being asked gets the answer to that, and the vendor is asked once."""
        call = SimulatedCall(stack, vendor, account=leisurely[vendor])
        call.fault("pause", delay_ms=700)
        with ThreadPoolExecutor(5) as pool:
            answers = list(pool.map(lambda _: call.flow("entered", event_id="once"), range(5)))

        assert [answer.status_code for answer in answers] == [200] * 5
        assert len({answer.json()["pause"]["id"] for answer in answers}) == 1
        assert call.commands() == 1

    @pytest.mark.parametrize("vendor", VENDORS)
    def test_scenario_16_left_before_entered(self, stack, ledger_table, vendor):
        """A step that was left before it was entered, as its times say, is not paused any more."""
        call = SimulatedCall(stack, vendor)
        left = call.flow("left", occurred_at=(NOON + timedelta(seconds=2)).isoformat())
        entered = call.flow("entered", occurred_at=NOON.isoformat())

        assert left.status_code == 200
        assert (entered.status_code, entered.json()["safe_to_collect"]) == (409, False)
        assert call.runs()
        assert ledger_table.read(call)["pauses"] == {}

    @pytest.mark.parametrize("vendor", VENDORS)
    def test_scenario_44_two_steps(self, stack, vendor):
        """Leaving the inner of two steps, or the outer one first, resumes nothing; leaving the last one does."""
        call = SimulatedCall(stack, vendor)
        call.flow("entered", step="identity-check")
        inner = call.flow("entered")
        held = call.flow("left")
        silent = call.is_silent()
        left = call.flow("left", step="identity-check")

        assert inner.json()["pause"]["open_pauses"] == 2
        assert (held.status_code, held.json()["verdict"]) == (200, "held")
        assert silent
        assert (left.status_code, left.json()["pause"]["open_pauses"]) == (200, 0)
        assert call.runs()


def assert_by_the_rules(answer: httpx.Response) -> None:
    """Check what is true of every answer."""
    result = answer.json()
    assert result["safe_to_collect"] is (answer.status_code == 200 and result["action"] == "pause"), answer.text
    assert answer.status_code in {200, 409, 502, 503, 504}, answer.text
    if answer.status_code == 200:
        assert result["verdict"] in {"confirmed", "acknowledged", "held"}, answer.text
    else:
        assert answer.headers["content-type"] == "application/problem+json"


class TestWorkflows:
    @pytest.fixture(name="task")
    def _task(self, stack, aws):
        """Invoke workflow_task as Step Functions does: its result, or what it raises."""
        functions = aws("lambda")

        def task(call: SimulatedCall, action: str, step: str = "card-entry", **fields: Any) -> dict[str, Any]:
            given = {"action": action, "account": call.account, "call_id": call.call_id, "step": step, **fields}
            if "channel_id" in call.created:
                given["channel_id"] = call.created["channel_id"]
            answer = functions.invoke(FunctionName=stack["functions"]["workflow_task"], Payload=json.dumps(given))
            result: dict[str, Any] = json.loads(answer["Payload"].read())
            assert ("errorType" in result) is ("FunctionError" in answer)
            return result

        return task

    @pytest.mark.parametrize("vendor", VENDORS)
    def test_scenario_44_a_workflow_shares_the_ledger_with_the_flow(self, stack, task, ledger_table, vendor):
        """A workflow's step holds the flow's resume, and the flow's the workflow's; the ledger says who asked for what."""
        call = SimulatedCall(stack, vendor)
        paused = task(call, "pause", "identity-check", event_id="e1")
        call.flow("entered")
        held = task(call, "resume", "identity-check")
        again = task(call, "pause", "identity-check", event_id="e1")
        silent = call.is_silent()
        left = call.flow("left")

        assert (paused["safe_to_collect"], paused["pause"]["open_pauses"]) == (True, 1)
        assert (held["verdict"], held["safe_to_collect"]) == ("held", False)
        assert again["errorType"] == "ConflictError"  # its pause was released
        assert silent
        assert (left.status_code, call.runs()) == (200, True)
        assert ledger_table.is_settled(call)
        assert [event["by"] for event in ledger_table.events(call, "entered")] == ["workflow", "flow"]

    @pytest.mark.parametrize("vendor", VENDORS)
    def test_scenario_01_a_workflow_s_errors_have_classes(self, stack, task, hurried, ledger_table, vendor):
        """What did not work is raised as the class that names it, with the result in its message, and never safe."""
        call = SimulatedCall(stack, vendor, account=hurried[vendor])
        call.fault("pause", times=1000, drop="before", apply=False)
        unknown = task(call, "pause")
        call.end()
        over = task(call, "resume")

        assert unknown["errorType"] == "OutcomeUnknownError"
        assert json.loads(unknown["errorMessage"])["safe_to_collect"] is False
        assert over["errorType"] == "ConflictError"
        assert ledger_table.read(call)["over"]
