"""What the bench makes of its times; the measuring itself needs processes and is run by `make bench`."""

import dataclasses

import pytest

from benchmarks.arrangements import ARRANGEMENTS, BARE, CONTROL, DEPLOYED, PEER
from benchmarks.measure import ColdStart, Warm
from benchmarks.packages import Size
from benchmarks.report import Report, Spread, percentile, ratios


def report(
    *,
    deployed_ms: float = 60,
    warm_ms: float = 3,
    secrets_read: int = 0,
    ledger_operations: int = 4,
    messages_sent: int = 2,
) -> Report:
    """Make up a report whose figures meet the budgets but for those that are given."""
    cold = {each.name: [ColdStart(80, 20, 90), ColdStart(160, 40, 90)] for each in ARRANGEMENTS if not each.needs_tls}
    cold[DEPLOYED] = [ColdStart(deployed_ms, 0, 50), ColdStart(2 * deployed_ms, 0, 50)]
    times = {each.name: [warm_ms, warm_ms] for each in ARRANGEMENTS if each.warm}
    return Report(
        python="3.13.0",
        tls=False,
        sizes={"deployed": Size(unpacked=15 * 1024 * 1024, zipped=1)},
        cold=cold,
        warm=Warm({**times, BARE: [1.0, 1.0]}, secrets_read, ledger_operations, messages_sent),
    )


def test_a_slow_round_is_slow_for_both_and_cancels_out() -> None:
    """Ratios are made round by round."""
    assert ratios([ColdStart(70, 5, 1), ColdStart(700, 50, 1)], [ColdStart(90, 10, 1), ColdStart(900, 100, 1)]) == [
        0.75,
        0.75,
    ]


def test_rounds_that_do_not_match_are_refused() -> None:
    """A ratio needs both of its round."""
    with pytest.raises(ValueError, match="argument"):
        ratios([ColdStart(1, 1, 1)], [])


def test_one_disturbed_round_does_not_move_the_median() -> None:
    """It shows in the maximum."""
    assert str(Spread.of([0.7, 0.71, 0.69, 4.0, 0.7])) == "0.70 (0.69-4.00)"


def test_the_percentile_is_a_time_that_many_stayed_within() -> None:
    """Of 1 to 100, 99 of 100 stay within 99.01."""
    assert percentile(list(range(1, 101)), 99) == pytest.approx(99.01)


def test_budgets_hold() -> None:
    """All are met by figures inside them."""
    assert [budget.is_met for budget in report().budgets()] == [True] * 6


@pytest.mark.parametrize(
    ("measured", "promise"),
    [
        ({"deployed_ms": 80}, "cold"),
        ({"warm_ms": 8.5}, "warm"),
        ({"secrets_read": 1}, "reads of a secret"),
        ({"ledger_operations": 5}, "DynamoDB operations"),
        ({"messages_sent": 3}, "SQS messages"),
    ],
)
def test_a_missed_budget_says_by_how_much(measured: dict[str, int], promise: str) -> None:
    """Exactly that line of the table does."""
    [missed] = [line for line in report(**measured).text().splitlines() if "MISSED by" in line]

    assert missed.startswith(promise)


def test_every_arrangement_has_a_name_of_its_own() -> None:
    """The times are kept by name, and the references are among them."""
    names = [each.name for each in ARRANGEMENTS]

    assert len(set(names)) == len(names)
    assert {DEPLOYED, PEER, BARE} <= set(names)


def test_a_disturbed_run_says_so() -> None:
    """The control, which changes nothing, tells."""
    measured = report()
    as_long = {**measured.cold, CONTROL: measured.cold[DEPLOYED]}
    once_five_times_as_long = {**measured.cold, CONTROL: [ColdStart(60, 0, 50), ColdStart(600, 0, 50)]}

    assert "DISTURBED" not in dataclasses.replace(measured, cold=as_long).text()
    assert "DISTURBED" in dataclasses.replace(measured, cold=once_five_times_as_long).text()
