"""Against a deployed stack in a real AWS account: opt-in.  Nothing in CI runs it, and nothing of it was run on AWS yet.

    OFFTAPE_LIVE_TABLE=... OFFTAPE_LIVE_QUEUE=... .venvs/dev/bin/pytest tests/live --force-enable-socket

The values are the stack's outputs LedgerTableName and TimerQueueUrl; the credentials are those of your shell, and need
GetItem, PutItem, Query on the table and its index and SendMessage on the queue.  With the layer built (`make layer`) and
its ca/ folder copied beside the package, the connections are checked against that folder, as in a function.
The ledger that is written is of the account `live-test`, which need not exist, and expires after a day.
"""

import os
import secrets as random
import time
from dataclasses import replace

import pytest

from call_recording.aws.clients import create_clients
from call_recording.aws.ledgers import DynamoLedgers
from call_recording.aws.timers import QueueTimers
from call_recording.clock import SystemClock
from call_recording.ledger import CallLedger, LedgerConflictError
from call_recording.model import Call, Reminder

pytestmark = pytest.mark.skipif(
    not {"OFFTAPE_LIVE_TABLE", "OFFTAPE_LIVE_QUEUE"} <= os.environ.keys(),
    reason="needs OFFTAPE_LIVE_TABLE and OFFTAPE_LIVE_QUEUE: a deployed stack",
)

ACCOUNT = "live-test"
PATIENCE_SECONDS = 30.0


@pytest.fixture(name="ledgers")
def _ledgers() -> DynamoLedgers:
    [dynamodb] = create_clients("dynamodb")
    return DynamoLedgers(dynamodb, table=os.environ["OFFTAPE_LIVE_TABLE"], retention_days=1, clock=SystemClock())


def test_one_writer_wins(ledgers):
    """The condition holds, the loser is shown what stands there, and a consistent read shows the winner at once."""
    call = Call(call_id=f"test-{random.token_hex(8)}")
    first = ledgers.save(CallLedger(account=ACCOUNT, call=call))
    with pytest.raises(LedgerConflictError) as refused:
        ledgers.save(CallLedger(account=ACCOUNT, call=call))

    assert refused.value.current == first
    assert ledgers.load(ACCOUNT, call) == first
    ledgers.save(replace(first, over=True))  # settled: nobody is to look at it again


def test_what_is_due_is_found(ledgers):
    """The index shows an unsettled call, and shows it no longer when it is settled."""
    call = Call(call_id=f"test-{random.token_hex(8)}")
    saved = ledgers.save(CallLedger(account=ACCOUNT, call=call, look_at=time.time() - 1))
    found = _shown(ledgers, call)
    ledgers.save(replace(saved, over=True))

    assert found
    assert _shown(ledgers, call, wanted=False)


def test_a_reminder_is_taken():
    """The queue takes a delayed message; the function that gets it finds nothing to do."""
    [sqs] = create_clients("sqs")
    url = os.environ["OFFTAPE_LIVE_QUEUE"]
    timers = QueueTimers(sqs, timer_queue_url=url, dead_letter_queue_url=url, clock=SystemClock())

    timers.remind(Reminder(ACCOUNT, Call(call_id=f"test-{random.token_hex(8)}")), at=time.time() + 5)


def _shown(ledgers: DynamoLedgers, call: Call, *, wanted: bool = True) -> bool:
    """Wait until the index, which follows the table a little later, does or does not show a call."""
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while ((ACCOUNT, call.call_id) in ledgers.due(time.time(), 1000)) is not wanted:
        if time.monotonic() > ends_at:
            return False
        time.sleep(0.5)
    return True
