"""Plays schedules by the thousand, or one of them again.

export PYTHONPATH=layers/call_recording
python -m tests.simulation --schedules 1000000 --workers 2     # a soak
python -m tests.simulation --vendor bird --seed 531            # one schedule, with all that happened in it
python -m tests.simulation --search "overlap twilio" --depth 3 # breadth-first
python -m tests.simulation --without "doubt of a resume"       # the shortest violation without a rule
"""

import argparse
import sys
import time
from multiprocessing import Pool
from typing import Final, NamedTuple

from tests.simulation.ablations import RULES, without
from tests.simulation.hunts import HUNTS
from tests.simulation.play import play_seed
from tests.simulation.search import at_random, breadth_first, explained, shortened
from tests.simulation.small import SMALL
from tests.simulation.switchboard import PLATFORMS

#: So many schedules a worker plays at a time, and so often something is said, seconds.
BATCH: Final = 500
EVERY: Final = 10.0


class Batch(NamedTuple):
    """What came of some seeds."""

    schedules: int
    safe: int
    happened: int
    violations: list[tuple[str, int, str]]


def play_batch(batch: tuple[str, int]) -> Batch:
    """Play the seeds from the one given."""
    vendor, first = batch
    safe = happened = 0
    violations = []
    for seed in range(first, first + BATCH):
        played = play_seed(vendor, seed)
        safe += played.safe
        happened += played.happened
        if played.violation:
            violations.append((vendor, seed, played.violation))
    return Batch(BATCH, safe, happened, violations)


def soak(schedules: int, workers: int, vendors: list[str], first: int) -> int:
    """Play many schedules, and say how it goes."""
    rounds = -(-schedules // (BATCH * len(vendors)))
    batches = [(vendor, first + BATCH * number) for number in range(rounds) for vendor in vendors]
    began = said = time.monotonic()
    done = Batch(0, 0, 0, [])
    with Pool(workers) as pool:
        for batch in pool.imap_unordered(play_batch, batches):
            done = Batch(
                done.schedules + batch.schedules,
                done.safe + batch.safe,
                done.happened + batch.happened,
                done.violations + batch.violations,
            )
            for vendor, seed, violation in batch.violations:
                print(f"VIOLATION  {violation}\n  again: python -m tests.simulation --vendor {vendor} --seed {seed}")
            if time.monotonic() - said > EVERY:
                said = time.monotonic()
                _say(done, said - began)
    _say(done, time.monotonic() - began)
    return 1 if done.violations else 0


def _say(done: Batch, seconds: float) -> None:
    print(
        f"{done.schedules:>9,} schedules, {done.schedules / seconds:,.0f} a second, {done.happened:,} happenings, "
        f"{done.safe:,} safe answers, {len(done.violations)} violations",
        flush=True,
    )


def replay(vendor: str, seed: int) -> int:
    """Show one schedule."""
    played = play_seed(vendor, seed, tracing=True)
    print(played.script)
    print("\n".join(played.trace))
    print(played.violation or "all is well")
    return 1 if played.violation else 0


def hunt(rule: str, schedules: int) -> int:
    """Show the shortest violation that is found without a rule."""
    where = HUNTS[rule]
    with without(rule):
        found = at_random(where.script, schedules=schedules, likely=where.likely)
        if found is None:
            print("nothing was found")
            return 1
        print(explained(where.script, shortened(where.script, found).deviations))
        print(f"found after {found.schedules} schedules")
    return 0


def search(name: str, depth: int, schedules: int) -> int:
    """Search a small call breadth-first."""
    began = time.monotonic()
    searched = breadth_first(SMALL[name], depth=depth, schedules=schedules)
    print(
        f"{searched.schedules:,} schedules with up to {searched.depth} faults ({searched.states:,} different), "
        f"{'complete' if searched.complete else 'not complete'}, {time.monotonic() - began:.0f} s"
    )
    if searched.found is None:
        return 0
    print(explained(SMALL[name], searched.found.deviations))
    return 1


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vendor", choices=PLATFORMS, help="one kind of vendor; else all")
    parser.add_argument("--seed", type=int, help="play this one, and show it")
    parser.add_argument("--first", type=int, default=0, help="the first seed of a soak")
    parser.add_argument("--schedules", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--search", choices=SMALL, metavar="CALL", help=f"one of: {', '.join(SMALL)}")
    parser.add_argument("--depth", type=int, default=2)
    parser.add_argument("--without", choices=RULES, metavar="RULE", help=f"one of: {', '.join(RULES)}")
    given = parser.parse_args()
    if given.without:
        return hunt(given.without, given.schedules)
    if given.search:
        return search(given.search, given.depth, given.schedules)
    if given.seed is not None:
        return replay(given.vendor or "twilio", given.seed)
    return soak(given.schedules, given.workers, [given.vendor] if given.vendor else list(PLATFORMS), given.first)


if __name__ == "__main__":
    sys.exit(main())
