"""What the table's stream tells workflows that wait."""

import pytest

from call_recording.awaiting import Completion, Ended
from call_recording.errors import UnavailableError
from call_recording.inbound.ledger_stream import LedgerStream
from call_recording.ledger import LedgerConflictError
from call_recording.ledger_json import dumps
from tests.unit.fake_stores import FakeWorkflows, MemoryLedgers
from tests.unit.fakes import FakeClock, RecordingObserver
from tests.unit.ledger_words import NOW, leave, paused

TOKEN = "placeholder-task-token-0001"
WAITING = paused().awaited(step="card-entry", pause_id=None, token=TOKEN, now=NOW + 1, by="workflow")
LEFT = leave(WAITING, NOW + 2)
CHANGE = {"OldImage": {"document": {"S": dumps(WAITING)}}, "NewImage": {"document": {"S": dumps(LEFT)}}}


class FakeBus:
    """A bus that keeps what was announced."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def announce(self, announcements):
        """Keep it."""
        self.heard += [each.kind for each in announcements]


@pytest.fixture(name="workflows")
def _workflows() -> FakeWorkflows:
    return FakeWorkflows()


@pytest.fixture(name="ledgers")
def _ledgers() -> MemoryLedgers:
    ledgers = MemoryLedgers()
    ledgers.save(LEFT)
    return ledgers


@pytest.fixture(name="bus")
def _bus() -> FakeBus:
    return FakeBus()


@pytest.fixture(name="stream")
def _stream(bus, workflows, ledgers) -> LedgerStream:
    return LedgerStream(bus=bus, workflows=workflows, ledgers=ledgers, clock=FakeClock(), observer=RecordingObserver())


def events_of(ledgers: MemoryLedgers) -> list[str]:
    """What the ledger says has happened."""
    return [each.what for each in ledgers.load("acme", LEFT.call).events]


def test_the_workflow_is_told(stream, workflows, bus, ledgers):
    """A step that was left ends the wait for it, and is announced; the ledger has nothing to add."""
    before = events_of(ledgers)
    stream.deliver(CHANGE)

    assert workflows.told == [Completion(TOKEN, "card-entry", Ended.LEFT)]
    assert (bus.heard, events_of(ledgers)) == (["Pause Released"], before)


def test_scenario_34_nobody_waits_any_more(stream, workflows, bus, ledgers):
    """A token that came too late is noted in the ledger, and what happened is announced all the same."""
    workflows.gone.add(TOKEN)
    before = events_of(ledgers)
    stream.deliver(CHANGE)

    assert (bus.heard, events_of(ledgers)) == (["Pause Released"], [*before, "nobody waited"])
    assert TOKEN not in repr(ledgers.items)


def test_scenario_34_that_it_cannot_be_noted_harms_nothing(stream, workflows, bus, ledgers):
    """With the table down the note is left out: nobody waits for it."""
    workflows.gone.add(TOKEN)
    ledgers.failure = UnavailableError("DynamoDB: down")
    stream.deliver(CHANGE)

    assert bus.heard == ["Pause Released"]


def test_what_could_not_be_told_comes_again(stream, workflows, bus):
    """While Step Functions is down the change comes again, whole: what was announced is announced a second time."""
    workflows.failure = UnavailableError("Step Functions: down")
    with pytest.raises(UnavailableError):
        stream.deliver(CHANGE)
    workflows.failure = None
    stream.deliver(CHANGE)
    assert (len(workflows.told), bus.heard) == (1, ["Pause Released"] * 2)


def test_scenario_34_it_is_noted_although_somebody_writes(stream, workflows, ledgers, monkeypatch):
    """Whoever closed the pause is mostly still writing: the note waits for that, and not for ever."""
    workflows.gone.add(TOKEN)
    save, conflicts = ledgers.save, [1, 2, 3]

    def contended(ledger):
        if conflicts:
            conflicts.pop()
            raise LedgerConflictError
        return save(ledger)

    monkeypatch.setattr(ledgers, "save", contended)
    stream.deliver(CHANGE)
    assert events_of(ledgers)[-1] == "nobody waited"

    conflicts.extend(range(99))
    stream.deliver(CHANGE)
    assert events_of(ledgers).count("nobody waited") == 1


def test_what_was_told_is_not_told_again(stream, workflows, bus, ledgers):
    """Of a batch only what failed comes again, and what is behind it: a used token would look as if nobody had waited."""
    gone = CHANGE | {"SequenceNumber": "1"}
    rest = [{"SequenceNumber": number, **CHANGE} for number in ("2", "3")]
    told, complete = [], workflows.complete

    def fails_once(completion):
        told.append(completion)
        if len(told) == 2:
            raise UnavailableError("Step Functions: down")
        return complete(completion)

    workflows.complete = fails_once
    records = [{"dynamodb": change} for change in (gone, *rest)]

    assert stream.take(records) == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert len(bus.heard) == 2
    assert stream.take(records[1:]) == {"batchItemFailures": []}
