"""The ledgers in DynamoDB: who may write, what is known when an answer is lost, and what is found again."""

from dataclasses import replace

import pytest
from botocore.exceptions import ConnectTimeoutError

from call_recording import ledger_json
from call_recording.aws.attempts import LAST_ATTEMPT_SECONDS
from call_recording.aws.ledgers import SHARDS, DynamoLedgers
from call_recording.errors import UnavailableError
from call_recording.ledger import CallLedger, LedgerConflictError
from call_recording.model import Call
from tests.unit.aws.fake_aws import NOT_CARRIED_OUT, REFUSED, UNCLEAR, URL, FakeDynamo, aws_error
from tests.unit.fakes import FakeClock

CALL = Call(call_id="CA1", channel_id="channel-1")
DAY = 86_400
THROTTLED = aws_error("ThrottlingException")


@pytest.fixture(name="clock")
def _clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(name="dynamo")
def _dynamo() -> FakeDynamo:
    return FakeDynamo()


@pytest.fixture(name="ledgers")
def _ledgers(dynamo, clock) -> DynamoLedgers:
    return DynamoLedgers(dynamo, table="ledgers", retention_days=400, clock=clock, jitter=lambda: 0.5)


def due_ledger(call_id: str = "CA1", *, at: float = 1_000.0) -> CallLedger:
    """Return a ledger that somebody has to look at again."""
    return CallLedger(account="acme", call=Call(call_id=call_id), look_at=at)


def settled_ledger() -> CallLedger:
    """Return a ledger that nobody has to look at again."""
    return CallLedger(account="acme", call=CALL, over=True)


class TestLoad:
    """What is read."""

    def test_a_call_that_was_never_saved_has_a_new_ledger(self, ledgers):
        """A call without an item has an empty ledger of version 0."""
        assert ledgers.load("acme", CALL) == CallLedger(account="acme", call=CALL)

    def test_what_was_saved_last_is_loaded(self, ledgers):
        """A load shows the last save, and not what a read that is only eventually consistent would."""
        first = ledgers.save(settled_ledger())
        second = ledgers.save(replace(first, folded=7))

        assert ledgers.load("acme", CALL) == second
        assert (second.version, second.folded) == (2, 7)

    def test_accounts_do_not_share_calls(self, ledgers):
        """The same call id under another account is another call."""
        ledgers.save(settled_ledger())

        assert ledgers.load("other", CALL).version == 0

    def test_a_call_has_one_ledger(self, ledgers, dynamo):
        """An id in capitals and one in small letters are one call, whose id stays as it was first given."""
        saved = ledgers.save(settled_ledger())
        again = ledgers.load("acme", Call(call_id="ca1"))

        assert again == saved
        assert again.call == CALL
        assert list(dynamo.items) == ["acme/ca1"]

    @pytest.mark.parametrize("failure", [*NOT_CARRIED_OUT, *UNCLEAR], ids=repr)
    def test_it_is_tried_again(self, ledgers, dynamo, failure):
        """A read that failed for a moment is made again, whatever came of it."""
        saved = ledgers.save(settled_ledger())
        dynamo.failures = [failure]

        assert ledgers.load("acme", CALL) == saved

    @pytest.mark.parametrize("failure", REFUSED, ids=repr)
    def test_a_refusal_is_final(self, ledgers, dynamo, clock, failure):
        """A read that AWS refuses is not made again, and the error names AWS's code only."""
        dynamo.down = failure
        with pytest.raises(UnavailableError) as caught:
            ledgers.load("acme", CALL)

        assert str(caught.value) == f"DynamoDB: {failure.response['Error']['Code']}"
        assert (len(dynamo.requests), clock.slept) == (1, [])

    @pytest.mark.parametrize(
        "changed",
        [
            {"document": {"S": "{"}},
            {"document": {"S": '{"schema": 999}'}},
            {"document": {"S": "[]"}},
            {"document": {"S": "{}"}},
            {"document": {"S": "[" * 100_000}},
            {"document": {"S": ledger_json.dumps(settled_ledger()).replace('"pauses":{}', '"pauses":[]')}},
            {"version": {"N": "x"}},
            {"version": {"S": "1"}},
        ],
        ids=repr,
    )
    def test_an_unreadable_ledger_is_as_good_as_none_that_answers(self, ledgers, dynamo, changed):
        """A ledger that this version cannot read is neither guessed nor taken for a new one, nor quoted."""
        ledgers.save(settled_ledger())
        dynamo.items["acme/ca1"] |= changed
        with pytest.raises(UnavailableError, match=r"^DynamoDB: the ledger is not readable \(\w+\)$"):
            ledgers.load("acme", CALL)
        with pytest.raises(UnavailableError, match="not readable"):
            ledgers.save(settled_ledger())


class TestSave:
    """Who may write."""

    def test_a_new_call_takes_one_operation(self, ledgers, dynamo):
        """The first save is one conditional put, with no read before it."""
        saved = ledgers.save(settled_ledger())

        assert saved == replace(settled_ledger(), version=1)
        assert [name for name, _ in dynamo.requests] == ["put"]

    @pytest.mark.parametrize("version", [0, 1])
    def test_only_one_of_two_writers_wins(self, ledgers, version):
        """Whoever saves what was loaded before somebody else saved is refused, and told what holds now."""
        base = settled_ledger() if version == 0 else ledgers.save(settled_ledger())
        winner = ledgers.save(replace(base, folded=1))
        with pytest.raises(LedgerConflictError) as caught:
            ledgers.save(replace(base, folded=2))

        assert caught.value.current == winner
        assert ledgers.load("acme", CALL) == winner

    def test_a_conflict_costs_no_read(self, ledgers, dynamo):
        """The refusal itself brings the ledger as it is now."""
        ledgers.save(settled_ledger())
        with pytest.raises(LedgerConflictError):
            ledgers.save(settled_ledger())

        assert [name for name, _ in dynamo.requests] == ["put", "put"]

    def test_a_ledger_that_is_gone_is_a_conflict_with_nobody(self, ledgers, dynamo):
        """If the item was deleted meanwhile, nothing is written and there is nothing to show."""
        saved = ledgers.save(settled_ledger())
        dynamo.items.clear()
        with pytest.raises(LedgerConflictError) as caught:
            ledgers.save(saved)

        assert caught.value.current is None
        assert dynamo.items == {}

    @pytest.mark.parametrize("failure", UNCLEAR, ids=repr)
    @pytest.mark.parametrize("written", [True, False])
    def test_a_lost_answer_is_a_conflict(self, ledgers, dynamo, failure, written):
        """If nobody knows whether it was written that is said, and it is not written again."""
        dynamo.failures, dynamo.acts_all_the_same = [failure], written
        with pytest.raises(LedgerConflictError) as caught:
            ledgers.save(settled_ledger())

        assert caught.value.current is None
        assert len(dynamo.requests) == 1

    @pytest.mark.parametrize("failure", NOT_CARRIED_OUT, ids=repr)
    def test_what_was_not_carried_out_is_tried_again(self, ledgers, dynamo, failure):
        """A write that was throttled, or never sent, is made again."""
        dynamo.failures = [failure, failure]

        assert ledgers.save(settled_ledger()).version == 1
        assert len(dynamo.requests) == 3

    @pytest.mark.parametrize("failure", NOT_CARRIED_OUT, ids=repr)
    def test_the_store_s_absence_is_told_apart_from_a_lost_answer(self, ledgers, dynamo, failure):
        """If every try was certainly not carried out, the store is unavailable, which is no conflict."""
        dynamo.down = failure
        with pytest.raises(UnavailableError, match=r"^DynamoDB: \w+$"):
            ledgers.save(settled_ledger())

    @pytest.mark.parametrize("failure", REFUSED, ids=repr)
    def test_a_refusal_is_final(self, ledgers, dynamo, failure):
        """A write that AWS refuses is not made again, and the error names AWS's code only."""
        dynamo.down = failure
        with pytest.raises(UnavailableError) as caught:
            ledgers.save(settled_ledger())

        assert str(caught.value) == f"DynamoDB: {failure.response['Error']['Code']}"
        assert len(dynamo.requests) == 1

    def test_it_is_kept_for_the_retention_time(self, ledgers, dynamo, clock):
        """Each save sets the time of the item's end anew, in whole seconds since the epoch."""
        clock.seconds = 0.9
        ledgers.save(settled_ledger())

        assert dynamo.items["acme/ca1"]["expires_at"] == {"N": str(1_790_000_000 + 400 * DAY)}


class TestRetries:
    """How long an operation may go on."""

    @pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999])
    def test_waits_grow_and_end(self, dynamo, clock, jitter):
        """Waits double up to a bound, jitter takes up to half of each, and none leads past the last attempt."""
        ledgers = DynamoLedgers(dynamo, table="ledgers", retention_days=1, clock=clock, jitter=lambda: jitter)
        dynamo.down = THROTTLED
        with pytest.raises(UnavailableError):
            ledgers.load("acme", CALL)

        expected = [0.025, 0.05, 0.1, *[0.2] * 9][: len(clock.slept)]
        assert clock.slept == pytest.approx([wait * (1 - jitter / 2) for wait in expected])
        assert clock.seconds <= LAST_ATTEMPT_SECONDS
        assert len(dynamo.requests) == len(clock.slept) + 1 >= 5

    @pytest.mark.parametrize(("seconds", "attempts"), [(0.5, 2), (0.7, 1)])
    def test_slow_failures_leave_fewer_attempts(self, ledgers, dynamo, clock, seconds, attempts):
        """No attempt begins when the time for it is over, however few there were."""
        dynamo.down = ConnectTimeoutError(endpoint_url=URL)
        dynamo.spend = lambda: setattr(clock, "seconds", clock.seconds + seconds)
        with pytest.raises(UnavailableError, match="ConnectTimeoutError"):
            ledgers.save(settled_ledger())

        assert len(dynamo.requests) == attempts


class TestDue:
    """What the sweep finds."""

    def test_the_longest_overdue_come_first(self, ledgers):
        """Calls that are due come in the order of their due time, whatever part of the index they are in."""
        times = {f"ca{n}": float((n * 37) % 100) for n in range(40)}
        for call_id, at in times.items():
            ledgers.save(due_ledger(call_id, at=at))

        expected = [("acme", call_id) for call_id in sorted(times, key=times.__getitem__)]
        assert ledgers.due(1_000.0, 100) == expected
        assert ledgers.due(1_000.0, 7) == expected[:7]

    @pytest.mark.parametrize(("where", "backwards"), [(0.0, True), (0.499, True), (0.5, False), (0.999, False)])
    def test_or_last(self, dynamo, clock, where, backwards):
        """Every other time those that are due latest come first: no calls can keep others waiting for ever."""
        ledgers = DynamoLedgers(dynamo, table="ledgers", retention_days=1, clock=clock, jitter=lambda: where)
        for n in range(40):
            ledgers.save(due_ledger(f"ca{n}", at=float(n)))
        dynamo.page = 2

        expected = [("acme", f"ca{n}") for n in range(40)]
        assert ledgers.due(1_000.0, 7) == (expected[:-8:-1] if backwards else expected[:7])
        assert ledgers.due(1_000.0, 40) == (expected[::-1] if backwards else expected)

    def test_what_is_not_due_yet_is_left(self, ledgers):
        """A call is due from its due time on, and not before."""
        ledgers.save(due_ledger(at=500.0))

        assert ledgers.due(499.999, 10) == []
        assert ledgers.due(500.0, 10) == [("acme", "ca1")]

    def test_a_time_is_written_in_milliseconds(self, ledgers, dynamo):
        """A due time is a plain number with three decimals, however far away it is."""
        ledgers.save(due_ledger(at=0.00001))
        ledgers.save(due_ledger("CA2", at=1_790_000_000.12345))

        assert [item["due_at"]["N"] for item in dynamo.items.values()] == ["0.000", "1790000000.123"]

    def test_a_settled_call_is_not_in_the_index(self, ledgers, dynamo):
        """A ledger that nobody has to look at again leaves the index with the save that says so."""
        saved = ledgers.save(due_ledger())
        ledgers.save(replace(saved, over=True))

        assert ledgers.due(1e9, 10) == []
        assert dynamo.items["acme/ca1"].keys() == {"call", "version", "document", "expires_at"}

    def test_an_id_may_have_slashes(self, ledgers):
        """The account ends at the first slash of the key."""
        ledgers.save(due_ledger("a/b/c"))

        assert ledgers.due(1e9, 10) == [("acme", "a/b/c")]

    def test_pages_are_followed(self, ledgers, dynamo):
        """What does not come at once is asked for again, up to the limit."""
        dynamo.page = 2
        for n in range(60):
            ledgers.save(due_ledger(f"CA{n}", at=float(n)))

        assert ledgers.due(1_000.0, 100) == [("acme", f"ca{n}") for n in range(60)]
        dynamo.requests.clear()
        assert ledgers.due(1_000.0, 2) == [("acme", "ca0"), ("acme", "ca1")]
        assert len(dynamo.requests) == SHARDS

    def test_the_index_is_spread(self, ledgers, dynamo):
        """Many calls are spread over all parts of the index, and a call always has the same part."""
        for n in range(200):
            ledgers.save(due_ledger(f"CA{n}"))

        assert {item["due_shard"]["S"] for item in dynamo.items.values()} == {str(n) for n in range(SHARDS)}
        assert "".join(dynamo.items[f"acme/ca{n}"]["due_shard"]["S"] for n in range(10)) == "6024713542"

    def test_a_part_that_fails_does_not_hide_the_others(self, ledgers, dynamo):
        """Calls in the parts that answer are found, though one does not."""
        for n in range(200):
            ledgers.save(due_ledger(f"CA{n}"))
        dynamo.failures = [REFUSED[0]]

        assert 100 < len(ledgers.due(1e9, 1000)) < 200

    def test_nothing_found_is_no_answer_if_a_part_failed(self, ledgers, dynamo):
        """With a part that fails and nothing in the others, nobody can say that nothing is due."""
        dynamo.failures = [REFUSED[0]]
        with pytest.raises(UnavailableError, match=r"^DynamoDB: AccessDeniedException$"):
            ledgers.due(1e9, 10)

    def test_a_throttled_part_is_asked_again(self, ledgers, dynamo):
        """A failure of a moment hides nothing."""
        ledgers.save(due_ledger())
        dynamo.failures = [THROTTLED, THROTTLED]

        assert ledgers.due(1e9, 10) == [("acme", "ca1")]

    def test_an_outage_costs_the_sweep_seconds_only(self, ledgers, dynamo, clock):
        """If nothing answers, not every part is waited for, and all retries together have the time of one operation's."""
        dynamo.down = ConnectTimeoutError(endpoint_url=URL)
        dynamo.spend = lambda: setattr(clock, "seconds", clock.seconds + 1.5)
        with pytest.raises(UnavailableError, match=r"^DynamoDB: ConnectTimeoutError$"):
            ledgers.due(1e9, 10)

        assert clock.seconds <= 6.0

    def test_a_slow_index_is_left_in_time(self, ledgers, dynamo, clock):
        """What is found when the time is over is told; nothing found then is no answer."""
        dynamo.spend = lambda: setattr(clock, "seconds", clock.seconds + 3)
        with pytest.raises(UnavailableError, match=r"^DynamoDB: TimeOver$"):
            ledgers.due(1e9, 10)

    @pytest.mark.parametrize("where", [0.0, 0.3, 0.999])
    def test_it_begins_anywhere(self, dynamo, clock, where):
        """Each sweep begins at another part, and comes to all of them."""
        ledgers = DynamoLedgers(dynamo, table="ledgers", retention_days=1, clock=clock, jitter=lambda: where)
        ledgers.due(1e9, 10)

        asked = [request["ExpressionAttributeValues"][":shard"]["S"] for _, request in dynamo.requests]
        assert asked[0] == str(int(where * SHARDS))
        assert sorted(asked) == [str(n) for n in range(SHARDS)]


def test_one_table_is_asked():
    """Every request names the table of the environment."""
    dynamo = FakeDynamo()
    ledgers = DynamoLedgers(dynamo, table="the-table", retention_days=1, clock=FakeClock())
    ledgers.load("acme", CALL)
    ledgers.save(settled_ledger())
    ledgers.due(0.0, 1)

    assert {request["TableName"] for _, request in dynamo.requests} == {"the-table"}
