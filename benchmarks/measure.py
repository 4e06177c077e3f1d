"""Measures arrangements against each other: in rounds, in a new order each, so that what disturbs one disturbs all."""

import contextlib
import json
import random
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.arrangements import ARRANGEMENTS, Arrangement, function
from benchmarks.packages import Built
from benchmarks.runtime_api import ExecutionEnvironment, Function
from benchmarks.surroundings import ASKS_DYNAMODB, READS_A_SECRET, SENDS_A_MESSAGE, Surroundings

#: Invocations of one arrangement in a row, in the warm run.
BLOCK: Final = 25

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ColdStart:
    """One start of a process up to its first answer, in milliseconds."""

    init: float
    first: float
    #: What the processor worked for it, which a busy machine changes less than it changes the time.
    cpu: float

    @property
    def total(self) -> float:
        """From the start of the process to the answer."""
        return self.init + self.first


@dataclass(slots=True)
class Warm:
    """The invocations of running processes, in milliseconds, and how often they asked AWS for what in the meantime."""

    times: dict[str, list[float]] = field(default_factory=dict)
    secrets_read: int = 0
    ledger_operations: int = 0
    messages_sent: int = 0


class Bench:
    """The measurements."""

    def __init__(self, built: Built, surroundings: Surroundings, *, logs: Path, progress: Progress) -> None:
        self._built = built
        self._surroundings = surroundings
        self._log = logs / "function.log"
        self._progress = progress

    async def cold(self, rounds: int) -> dict[str, list[ColdStart]]:
        """Start each arrangement once in every round; a round before the first fills the page cache."""
        arrangements = [each for each in ARRANGEMENTS if self._surroundings.authority or not each.needs_tls]
        times: dict[str, list[ColdStart]] = {arrangement.name: [] for arrangement in arrangements}
        for number in range(rounds + 1):
            for arrangement in shuffled(arrangements):
                started = await self._cold_start(arrangement)
                if number:
                    times[arrangement.name].append(started)
            self._progress(f"cold: round {number} of {rounds}" if number else "cold: page cache filled")
        return times

    async def warm(self, invocations: int) -> Warm:
        """Invoke running processes in interleaved blocks; a block before the first warms them up."""
        arrangements = [arrangement for arrangement in ARRANGEMENTS if arrangement.warm]
        warm = Warm({arrangement.name: [] for arrangement in arrangements})
        async with contextlib.AsyncExitStack() as running:
            environments = {
                arrangement.name: await running.enter_async_context(
                    ExecutionEnvironment(
                        self._function(arrangement), self._log.with_suffix(f".{arrangement.name}")
                    ).running()
                )
                for arrangement in arrangements
            }
            for arrangement in arrangements:
                await self._block(arrangement, environments[arrangement.name], BLOCK)
            before = self._surroundings.aws.counts.copy()
            while (done := len(warm.times[arrangements[0].name])) < invocations:
                for arrangement in shuffled(arrangements):
                    block = await self._block(
                        arrangement, environments[arrangement.name], min(BLOCK, invocations - done)
                    )
                    warm.times[arrangement.name] += block
                self._progress(f"warm: {len(warm.times[arrangements[0].name])} of {invocations} invocations each")
            assert before[READS_A_SECRET], "the relay has seen no secret being read: it counts nothing"
            counts = self._surroundings.aws.counts
            warm.secrets_read = counts[READS_A_SECRET] - before[READS_A_SECRET]
            warm.ledger_operations = counts[ASKS_DYNAMODB] - before[ASKS_DYNAMODB]
            warm.messages_sent = counts[SENDS_A_MESSAGE] - before[SENDS_A_MESSAGE]
        return warm

    async def _cold_start(self, arrangement: Arrangement) -> ColdStart:
        deployed = self._function(arrangement)
        call_id, event = self._pause(arrangement)
        environment = ExecutionEnvironment(deployed, self._log)
        worked = cpu_of_ended_children()
        started = time.perf_counter()
        async with environment.running():
            asked_for_work = time.perf_counter()
            answer = await environment.invoke(event)
            answered = time.perf_counter()
        self._check(arrangement, call_id, answer)
        seconds = (asked_for_work - started, answered - asked_for_work, cpu_of_ended_children() - worked)
        return ColdStart(*(each * 1000 for each in seconds))

    async def _block(
        self, arrangement: Arrangement, environment: ExecutionEnvironment, invocations: int
    ) -> list[float]:
        pauses = [self._pause(arrangement) for _ in range(invocations)]
        times = []
        for call_id, event in pauses:
            started = time.perf_counter()
            answer = await environment.invoke(event)
            times.append((time.perf_counter() - started) * 1000)
            if (call_id, event) == pauses[-1]:
                self._check(arrangement, call_id, answer)
            assert answer["statusCode"] == 200, answer
        return times

    def _function(self, arrangement: Arrangement) -> Function:
        return function(arrangement, self._built, self._surroundings)

    def _pause(self, arrangement: Arrangement) -> tuple[str, Mapping[str, Any]]:
        """Let a call begin, unless nobody will look at it, and give the event that pauses its recording."""
        call_id = self._surroundings.start_call() if arrangement.handler != "empty" else ""
        return call_id, event(call_id, self._surroundings)

    def _check(self, arrangement: Arrangement, call_id: str, answer: Mapping[str, Any]) -> None:
        """See that the work was done: a function that fails is fast."""
        assert answer["statusCode"] == 200, answer
        if arrangement.is_ours:
            assert json.loads(answer["body"])["safe_to_collect"] is True, answer
        if call_id:
            assert self._surroundings.recording_status(call_id) == "paused", answer


def cpu_of_ended_children() -> float:
    """Give the seconds that all processes worked that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def event(call_id: str, surroundings: Surroundings) -> Mapping[str, Any]:
    """Write what API Gateway hands over when a flow enters a step (payload format 2.0)."""
    account = surroundings.account
    path = f"/flows/{account.name}/card-entry/entered"
    return {
        "version": "2.0",
        "routeKey": "POST /flows/{account}/{step}/entered",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "authorization": f"Bearer {account.bearer_token}",
            "content-type": "application/json",
            "host": "api.example.com",
            "user-agent": "TwilioProxy/1.1",
        },
        "requestContext": {
            "apiId": "bench",
            "domainName": "api.example.com",
            "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
            "requestId": "bench",
            "routeKey": "POST /flows/{account}/{step}/entered",
            "stage": "$default",
            "timeEpoch": int(time.time() * 1000),
        },
        "pathParameters": {"account": account.name, "step": "card-entry"},
        "body": json.dumps({"call_id": call_id}),
        "isBase64Encoded": False,
    }


def shuffled(arrangements: Sequence[Arrangement]) -> list[Arrangement]:
    """Give the arrangements in a new order."""
    return random.sample(arrangements, len(arrangements))
