"""Against the real vendors: opt-in, on a live call of yours, with credentials of yours.  Nothing in CI runs it.

    OFFTAPE_LIVE_SECRET=acme.json OFFTAPE_LIVE_CALL=CA... .venvs/dev/bin/pytest tests/live --force-enable-socket

The file is an account's secret as docs/accounts.md describes it; the call must be live and being recorded.  Bird needs
OFFTAPE_LIVE_CHANNEL as well, unless the credentials name a channel.  The recording is paused and resumed once.
"""

import os
from pathlib import Path

import pytest

from call_recording.account import AccountSecret
from call_recording.clock import SystemClock
from call_recording.command import Command
from call_recording.conversation import Conversation
from call_recording.model import Action, Call, Deadline, Trigger, Verdict
from call_recording.outcome import judge
from call_recording.vendors import ConnectedVendors
from call_recording.vendors._exchange import create_client

pytestmark = pytest.mark.skipif(
    not {"OFFTAPE_LIVE_SECRET", "OFFTAPE_LIVE_CALL"} <= os.environ.keys(),
    reason="needs OFFTAPE_LIVE_SECRET and OFFTAPE_LIVE_CALL: a real account and a live call",
)


@pytest.mark.parametrize(("attempt", "action"), list(enumerate([Action.PAUSE, Action.PAUSE, Action.RESUME])))
def test_pause_twice_and_resume(attempt, action):
    """
    A live recording is paused, paused again, and resumed, and the vendor proves each as its page says.
    """
    account = AccountSecret("live", Path(os.environ["OFFTAPE_LIVE_SECRET"]).read_text()).account
    call = Call(call_id=os.environ["OFFTAPE_LIVE_CALL"], channel_id=os.environ.get("OFFTAPE_LIVE_CHANNEL"))
    trigger = Trigger(account=account.name, action=action, step="live-test", call=call)
    clock = SystemClock()
    vendor = ConnectedVendors(create_client())(account)
    vendor.check(trigger)
    deadline = Deadline(clock.monotonic, account.settings.budget_ms / 1000)
    conversation = Conversation(vendor=vendor, clock=clock, deadline=deadline, renew=lambda _: None)

    report = Command(conversation, call, action).carry_out()

    verdict, error = judge(report, trigger, account.settings)
    assert error is None, (verdict, report)
    assert verdict is (Verdict.CONFIRMED if vendor.reads else Verdict.ACKNOWLEDGED)
