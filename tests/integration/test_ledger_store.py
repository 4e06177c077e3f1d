"""Ledgers and reminders in a DynamoDB and an SQS that are not ours to fake: who wins, what is found, what is lost."""

import json
import secrets as random
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from call_recording.aws.clients import create_clients
from call_recording.aws.ledgers import DynamoLedgers
from call_recording.aws.timers import QueueTimers
from call_recording.clock import SystemClock
from call_recording.errors import UnavailableError
from call_recording.ledger import CallLedger, LedgerConflictError
from call_recording.model import Call, Reminder
from call_recording.reminders import parse_reminder
from local import template

ROOT = Path(__file__).parents[2]
CALL = Call(call_id="CA1", channel_id="channel-1")
WRITERS = 50


@pytest.fixture(name="dynamo", scope="module")
def _dynamo(aws):
    return aws("dynamodb")


@pytest.fixture(name="table")
def _table(dynamo) -> Iterator[str]:
    """Make a table of the template's shape that no function sweeps."""
    properties = template.read(ROOT / "template.yaml")["Resources"]["LedgerTable"]["Properties"]
    shape = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    name = f"test-{random.token_hex(6)}"
    dynamo.create_table(TableName=name, **{part: properties[part] for part in shape})
    yield name
    dynamo.delete_table(TableName=name)


@pytest.fixture(name="ledgers")
def _ledgers(dynamo, table) -> DynamoLedgers:
    return DynamoLedgers(dynamo, table=table, retention_days=400, clock=SystemClock(), jitter=lambda: 0.7)


@pytest.fixture(name="queue")
def _queue(aws) -> Iterator[str]:
    """Make a queue that no function empties."""
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName=f"test-{random.token_hex(6)}")["QueueUrl"]
    yield url
    sqs.delete_queue(QueueUrl=url)


@pytest.fixture(name="ours")
def _ours(monkeypatch, stack):
    """Make clients as the functions do, with their timeouts, of an AWS that is elsewhere."""
    for name, value in {
        "AWS_DEFAULT_REGION": stack["region"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(name, value)

    def client(service: str, endpoint: str) -> Any:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        return create_clients(service)[0]

    return client


def ledger(call_id: str = "CA1", *, at: float = 0.0) -> CallLedger:
    """Return the ledger of a call that has to be looked at again."""
    return CallLedger(account="acme", call=Call(call_id=call_id, channel_id="channel-1"), look_at=at)


class TestLedgers:
    """What DynamoDB keeps."""

    def test_it_is_loaded_as_it_was_saved(self, ledgers):
        """A ledger comes back from the table as it went there; one that is not there is new."""
        assert ledgers.load("acme", CALL) == CallLedger(account="acme", call=CALL)
        first = ledgers.save(ledger())
        second = ledgers.save(replace(first, folded=1))

        assert ledgers.load("acme", CALL) == second
        assert second.version == 2

    @pytest.mark.parametrize("version", [0, 1])
    def test_one_of_fifty_writers_wins(self, ledgers, version):
        """However many save at once what they all loaded before, one is written, and the others are shown which."""
        base = ledger() if version == 0 else ledgers.save(ledger())
        begin = threading.Barrier(WRITERS)

        def write(number: int) -> CallLedger | LedgerConflictError:
            begin.wait(10)
            try:
                return ledgers.save(replace(base, folded=number))
            except LedgerConflictError as conflict:
                return conflict

        with ThreadPoolExecutor(WRITERS) as pool:
            results = list(pool.map(write, range(WRITERS)))
        [winner] = [each for each in results if isinstance(each, CallLedger)]
        conflicts = [each for each in results if isinstance(each, LedgerConflictError)]

        assert len(conflicts) == WRITERS - 1
        assert all(conflict.current == winner for conflict in conflicts)
        assert ledgers.load("acme", CALL) == winner

    def test_everybody_s_turn_comes(self, ledgers):
        """Twenty writers who each begin again from what they are shown lose no write."""

        def count(_: int) -> None:
            current = ledgers.load("acme", CALL)
            while True:
                try:
                    ledgers.save(replace(current, folded=current.folded + 1))
                except LedgerConflictError as conflict:
                    current = conflict.current or ledgers.load("acme", CALL)
                else:
                    return

        with ThreadPoolExecutor(20) as pool:
            list(pool.map(count, range(20)))

        found = ledgers.load("acme", CALL)
        assert (found.folded, found.version) == (20, 20)

    def test_due_calls_come_in_their_order(self, ledgers):
        """What is due is found over all of the index, the longest overdue first, and nothing that is not due."""
        times = {f"ca{number}": 1_000.0 + (number * 37) % 100 for number in range(60)}
        for call_id, at in times.items():
            ledgers.save(ledger(call_id, at=at))
        settled = ledgers.save(ledger("settled", at=1.0))
        ledgers.save(replace(settled, over=True))
        in_order = [("acme", call_id) for call_id in sorted(times, key=times.__getitem__)]

        assert ledgers.due(2_000.0, 100) == in_order
        assert ledgers.due(2_000.0, 5) == in_order[:5]
        assert ledgers.due(1_009.0, 100) == [("acme", call_id) for _, call_id in in_order if times[call_id] <= 1_009.0]
        assert ledgers.due(999.0, 100) == []

    def test_a_table_that_is_not_there_is_unavailable(self, dynamo):
        """Without its table the store says so, by AWS's word for it."""
        ledgers = DynamoLedgers(dynamo, table="elsewhere", retention_days=1, clock=SystemClock())
        for ask in (lambda: ledgers.load("acme", CALL), lambda: ledgers.save(ledger()), lambda: ledgers.due(1.0, 1)):
            with pytest.raises(UnavailableError, match=r"^DynamoDB: ResourceNotFoundException$"):
                ask()


class Silence(threading.Thread):
    """Takes requests and does not answer them; it closes the connection at once, or never."""

    def __init__(self, *, closes: bool) -> None:
        super().__init__(daemon=True)
        self._closes = closes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.heard = 0

    def run(self) -> None:
        """Listen until closed."""
        kept = []
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            connection.recv(65536)
            self.heard += 1
            if self._closes:
                connection.close()
            else:
                kept.append(connection)
        for connection in kept:
            connection.close()

    def close(self) -> None:
        """Listen no longer."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.join(5)


class TestOutage:
    """What the functions' own clients make of an AWS that does not answer."""

    @pytest.mark.parametrize("closes", [True, False], ids=["connection dropped", "no answer"])
    def test_a_lost_answer_is_a_conflict_with_nobody_knows_whom(self, ours, closes):
        """A put that went out, and whose answer never came, is sent once, and nobody claims to know what it did."""
        silence = Silence(closes=closes)
        silence.start()
        ledgers = DynamoLedgers(ours("dynamodb", silence.url), table="ledgers", retention_days=1, clock=SystemClock())
        with pytest.raises(LedgerConflictError) as caught:
            ledgers.save(ledger())
        silence.close()

        assert caught.value.current is None
        assert silence.heard == 1

    def test_a_dropped_read_is_made_again(self, ours):
        """A read whose connection breaks is made again as long as there is time, and then the store is unavailable."""
        silence = Silence(closes=True)
        silence.start()
        ledgers = DynamoLedgers(ours("dynamodb", silence.url), table="ledgers", retention_days=1, clock=SystemClock())
        with pytest.raises(UnavailableError, match=r"^DynamoDB: ConnectionClosedError$"):
            ledgers.load("acme", CALL)
        silence.close()

        assert silence.heard > 2

    def test_nobody_there_is_no_conflict(self, ours):
        """Where nothing listens nothing was written: the store is unavailable."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
            ledgers = DynamoLedgers(ours("dynamodb", url), table="ledgers", retention_days=1, clock=SystemClock())
            timers = QueueTimers(
                ours("sqs", url), timer_queue_url="timers", dead_letter_queue_url="dead", clock=SystemClock()
            )
            with pytest.raises(UnavailableError, match=r"^DynamoDB: EndpointConnectionError$"):
                ledgers.save(ledger())
            with pytest.raises(UnavailableError, match=r"^SQS: EndpointConnectionError$"):
                timers.surrender(Reminder("acme", CALL))


class TestTimers:
    """What SQS keeps."""

    def test_a_reminder_comes_back_when_it_is_wanted(self, aws, queue):
        """A message is not there before its time, and then says what was sent."""
        sqs, clock = aws("sqs"), SystemClock()
        timers = QueueTimers(sqs, timer_queue_url=queue, dead_letter_queue_url="", clock=clock)
        reminder = Reminder("acme", CALL, "card-entry", "pause-1", clock.now() + 1)
        at = clock.now() + 1.5
        timers.remind(reminder, at=at)

        assert "Messages" not in sqs.receive_message(QueueUrl=queue)
        [message] = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
        assert clock.now() >= at
        assert parse_reminder(message["Body"]) == (reminder, at)

    def test_one_that_is_wanted_much_later_waits_as_long_as_it_can(self, aws, queue):
        """A reminder for later than SQS can wait for is held back, and carries its true time."""
        sqs, clock = aws("sqs"), SystemClock()
        QueueTimers(sqs, timer_queue_url=queue, dead_letter_queue_url="", clock=clock).remind(
            Reminder("acme", CALL), at=clock.now() + 7_200
        )
        attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]

        assert attributes["ApproximateNumberOfMessagesDelayed"] == "1"

    def test_what_is_given_up_is_there_at_once(self, aws, queue):
        """A call that is given up is in the dead-letter queue, for people to read."""
        sqs, clock = aws("sqs"), SystemClock()
        QueueTimers(sqs, timer_queue_url="", dead_letter_queue_url=queue, clock=clock).surrender(
            Reminder("acme", CALL, "card-entry")
        )
        [message] = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]

        assert json.loads(message["Body"])["call_id"] == "CA1"
