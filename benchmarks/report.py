"""Turns times into ratios, ratios into budgets, and both into a table."""

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.arrangements import ARRANGEMENTS, BARE, CONTROL, DEPLOYED, PEER, Arrangement, Table
from benchmarks.measure import ColdStart, Warm
from benchmarks.packages import Size
from benchmarks.surroundings import DESCRIPTION

MEGABYTE: Final = 1024 * 1024
#: On a quiet machine the control stays within a tenth of 1.00, either way.
DISTURBED: Final = 0.3
COLUMN_OF_PEER: Final = "of the peer's total"
COLUMN_OF_DEPLOYED: Final = "of it as deployed"


@dataclass(frozen=True, slots=True)
class Spread:
    """What many rounds gave: never a mean, which one disturbed round can move."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Sum up values."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f}-{self.most:.2f})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A promise of the project's, and how it stands."""

    promise: str
    most: float
    measured: float
    unit: str

    @property
    def is_met(self) -> bool:
        """Whether it holds."""
        return self.measured <= self.most

    def __str__(self) -> str:
        verdict = "met" if self.is_met else f"MISSED by {self.measured - self.most:.2f}"
        return f"{self.promise:<58} {self.measured:6.2f}   at most {self.most:g} {self.unit}".ljust(85) + verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that was measured."""

    python: str
    tls: bool
    sizes: Mapping[str, Size]
    cold: Mapping[str, Sequence[ColdStart]]
    warm: Warm

    @property
    def protocol(self) -> str:
        """How the functions spoke to both."""
        return "TLS" if self.tls else "plain HTTP"

    def ratio(self, name: str, reference: str) -> Spread:
        """Compare the totals of two arrangements, round by round."""
        return Spread.of(ratios(self.cold[name], self.cold[reference]))

    def budgets(self) -> list[Budget]:
        """Hold the figures against what was promised."""
        over = statistics.median(self.warm.times[DEPLOYED]) - statistics.median(self.warm.times[BARE])
        return [
            Budget(
                promise="layer, unpacked",
                most=20,
                measured=self.sizes["deployed"].unpacked / MEGABYTE,
                unit="MB",
            ),
            Budget(
                promise="cold start to first answer, of the peer's (median)",
                most=0.75,
                measured=self.ratio(DEPLOYED, PEER).median,
                unit="",
            ),
            Budget(promise="warm, over the bare httpx call (p50)", most=7, measured=over, unit="ms"),
            Budget(
                promise="reads of a secret while warm, all arrangements together",
                most=0,
                measured=self.warm.secrets_read,
                unit="",
            ),
            # of all arrangements that are measured warm only flow_callback keeps ledgers, and each pause is of a new call
            Budget(
                promise="DynamoDB operations for the pause of a new call",
                most=2,
                measured=self.warm.ledger_operations / len(self.warm.times[DEPLOYED]),
                unit="",
            ),
            Budget(
                promise="SQS messages for the pause of a new call",
                most=1,
                measured=self.warm.messages_sent / len(self.warm.times[DEPLOYED]),
                unit="",
            ),
        ]

    def text(self) -> str:
        """Write the table."""
        rounds = len(self.cold[DEPLOYED])
        invocations = len(self.warm.times[DEPLOYED])
        return "\n".join(
            [
                f"Offtape's bench: CPython {self.python}, {os.cpu_count()} cores, {platform.machine()}; {DESCRIPTION}, {self.protocol}.",
                "Nothing here ran on AWS.",
                "",
                f"{'LAYER':<44} {'unpacked MB':>12} {'zipped MB':>10}",
                *[
                    f"{name:<44} {size.unpacked / MEGABYTE:12.1f} {size.zipped / MEGABYTE:10.1f}"
                    for name, size in self.sizes.items()
                ],
                "",
                f"{'COLD, medians of ' + str(rounds) + ' rounds, ms':<44} {'init':>6} {'first':>6} {'total':>6} {'CPU':>6}   {COLUMN_OF_PEER:<20} of its CPU",
                *[self._cold_line(each, PEER) for each in ARRANGEMENTS if each.table is Table.COLD],
                "",
                f"{'CHOICES: flow_callback, but with ...':<44} {'init':>6} {'first':>6} {'total':>6} {'CPU':>6}   {COLUMN_OF_DEPLOYED:<20} of its CPU",
                *[
                    self._cold_line(each, DEPLOYED)
                    for each in ARRANGEMENTS
                    if each.table is Table.CHOICES and each.name in self.cold
                ],
                "",
                f"{'WARM, ' + str(invocations) + ' invocations each, ms':<44} {'p50':>6} {'p99':>6}   p50 over bare httpx",
                *[self._warm_line(each) for each in ARRANGEMENTS if each.warm],
                "",
                "BUDGETS",
                *[str(budget) for budget in self.budgets()],
                *self._warning(),
            ]
        )

    def document(self) -> dict[str, Any]:
        """Give everything for a JSON file."""
        return {
            "python": self.python,
            "machine": {"cores": os.cpu_count(), "processor": platform.machine()},
            "surroundings": DESCRIPTION,
            "protocol": self.protocol,
            "layers": {name: {"unpacked": size.unpacked, "zipped": size.zipped} for name, size in self.sizes.items()},
            "cold_ms": {
                name: {
                    "init": [each.init for each in times],
                    "first": [each.first for each in times],
                    "cpu": [each.cpu for each in times],
                }
                for name, times in self.cold.items()
            },
            "warm_ms": self.warm.times,
            "secrets_read_while_warm": self.warm.secrets_read,
            "ledger_operations_while_warm": self.warm.ledger_operations,
            "messages_sent_while_warm": self.warm.messages_sent,
            "budgets": [
                {
                    "promise": each.promise,
                    "most": each.most,
                    "measured": each.measured,
                    "unit": each.unit,
                    "is_met": each.is_met,
                }
                for each in self.budgets()
            ],
        }

    def _warning(self) -> list[str]:
        control = self.ratio(CONTROL, DEPLOYED)
        if control.most - control.least <= DISTURBED:
            return []
        return [
            "",
            f"DISTURBED: the control, which changes nothing, ranges from {control.least:.2f} to {control.most:.2f}.",
            "Something else ran on this machine: trust the CPU columns, or run it again.",
        ]

    def _cold_line(self, arrangement: Arrangement, reference: str) -> str:
        times = self.cold[arrangement.name]
        columns = zip(*((each.init, each.first, each.total, each.cpu) for each in times), strict=True)
        shown = " ".join(f"{statistics.median(column):6.0f}" for column in columns)
        total = Spread.of(ratios(times, self.cold[reference]))
        cpu = Spread.of([mine.cpu / theirs.cpu for mine, theirs in zip(times, self.cold[reference], strict=True)])
        return f"{arrangement.label:<44} {shown}   {total!s:<20} {cpu}"

    def _warm_line(self, arrangement: Arrangement) -> str:
        times = self.warm.times[arrangement.name]
        over = statistics.median(times) - statistics.median(self.warm.times[BARE])
        return f"{arrangement.label:<44} {statistics.median(times):6.2f} {percentile(times, 99):6.2f}   {over:+.2f}"


def ratios(times: Sequence[ColdStart], reference: Sequence[ColdStart]) -> list[float]:
    """Compare round by round: what slowed a whole round down is in both and cancels out."""
    return [mine.total / theirs.total for mine, theirs in zip(times, reference, strict=True)]


def percentile(times: Sequence[float], percent: int) -> float:
    """Return the time that this many percent of the invocations stayed within."""
    return statistics.quantiles(times, n=100, method="inclusive")[percent - 1]
