"""What somebody tells us, as it is written into a ledger."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from call_recording import errors
from call_recording.account import Account, Settings
from call_recording.ledger import CallLedger
from call_recording.ledger_parts import MAX_SEEN, Timing
from call_recording.model import Action, Call, Reminder, Trigger
from call_recording.occurrences import Occurrence, Wake, inherited, on_leg, pause_id_of, timing_of, triggered
from tests.unit.ledger_words import NOW, RUNNING, TIMING, enter, leave, new, paused, record, report, settle, stop, take

SETTINGS = Settings(max_pause_seconds=120, in_flight_ms=4_500, read_lag_ms=250)


def occurrence(action: Action = Action.PAUSE, *, nonce: str = "nonce-1", **given: Any) -> Occurrence:
    """What a trigger asks for."""
    fields: dict[str, Any] = {"account": "acme", "step": "card-entry", "call": Call(call_id="CA"), **given}
    return triggered(Trigger(action=action, **fields), SETTINGS, nonce)


def account(settings: Settings) -> Account:
    """The account, with other settings."""
    return Account(name="acme", vendor="fake", credentials={}, settings=settings)


def test_what_an_account_assumes():
    """An account's milliseconds are seconds here."""
    assert timing_of(SETTINGS) == Timing(in_flight=4.5, read_lag=0.25)


class TestEntered:
    def test_a_pause(self):
        """Entering opens a pause for as long as the account says, and its reminder is of that pause."""
        entered = occurrence(event_id="E1")
        ledger = entered.apply(new(), NOW)
        pause = ledger.pauses["card-entry"]

        assert (pause.deadline, pause.occurred_at) == (NOW + 120, None)
        assert ledger.seen == ("E1", pause.pause_id)
        assert entered.opens == Reminder("acme", Call(call_id="CA"), "card-entry", pause.pause_id)
        assert (entered.by, entered.account, entered.call, entered.action) == (
            "flow",
            "acme",
            Call(call_id="CA"),
            Action.PAUSE,
        )
        assert (entered.named, entered.errand) == (None, None)

    def test_what_the_flow_says(self):
        """The flow's own time and length are used, and who asks is noted."""
        ledger = occurrence(max_pause_seconds=7, occurred_at=datetime.fromtimestamp(NOW - 3, UTC), by="workflow").apply(
            new(), NOW
        )

        assert ledger.pauses["card-entry"][2:4] == (NOW + 7, NOW - 3)
        assert ledger.events[0].details["by"] == "workflow"

    def test_scenario_35_an_url_is_nobody_s_business(self):
        """A reminder names the call and its channel, and no URL."""
        opens = occurrence(call=Call(call_id="CA", channel_id="C1", redirect_url="https://ivr.example.com/")).opens

        assert opens is not None
        assert opens.call == Call(call_id="CA", channel_id="C1")

    def test_scenario_14_the_same_event_has_the_same_pause(self):
        """A repeated event opens a pause of the same id, whichever attempt carries it out; others do not."""

        def pause_id(**given: Any) -> str | None:
            opens = occurrence(**given).opens
            assert opens is not None
            return opens.pause_id

        same = pause_id(event_id="E1", nonce="nonce-1")

        assert same == pause_id(event_id="E1", nonce="nonce-2")
        assert len({
            same,
            pause_id(event_id="E2"),
            pause_id(event_id="E1", step="identity-check"),
            pause_id(event_id="E1", call=Call(call_id="CB")),
            pause_id(event_id="E1", account="other"),
            pause_id(nonce="nonce-1"),
            pause_id(nonce="nonce-2"),
        }) == 7  # fmt: skip

    def test_scenario_15_no_event_id(self):
        """Without an event id the attempt's nonce stands for it: our own write is known again."""
        entered = occurrence()
        ledger = entered.apply(new(), NOW)

        assert entered.apply(ledger, NOW + 1) is ledger
        assert occurrence(nonce="nonce-2").apply(ledger, NOW + 1) is not ledger


class TestLeft:
    def test_a_release(self):
        """Leaving releases the step's pause, once, and reminds nobody of anything."""
        left = occurrence(Action.RESUME, event_id="E1")
        ledger = left.apply(paused(), NOW + 5)

        assert ledger.pauses == {}
        assert left.apply(ledger, NOW + 6) is ledger
        assert (left.action, left.opens, left.errand) == (Action.RESUME, None, None)

    def test_scenario_18_what_the_flow_says(self):
        """The pause that the flow names, and the time that it gives, decide which visit it is of."""
        ledger = paused(pause_id="P2", occurred_at=NOW)

        assert occurrence(Action.RESUME, pause_id="P1").apply(ledger, NOW).pauses
        assert occurrence(Action.RESUME, occurred_at=datetime.fromtimestamp(NOW - 1, UTC)).apply(ledger, NOW).pauses
        assert not occurrence(Action.RESUME, pause_id="P2").apply(ledger, NOW).pauses

    def test_no_pause_is_open(self):
        """What may be in doubt then is as long as the account says: for as long as a late command is not shown."""
        settles = 4.5 + 0.25

        assert occurrence(Action.RESUME).apply(new(), NOW).doubts.unheard == NOW + 10 + settles + 1


class TestStop:
    def test_for_good(self):
        """A stop is of the whole call."""
        stopped = occurrence(Action.STOP, event_id="E1")
        ledger = stopped.apply(paused(), NOW)

        assert (ledger.desired, stopped.errand, stopped.opens) == (Action.STOP, None, None)
        assert stopped.apply(ledger, NOW) is ledger

    def test_of_one(self):
        """A stop that names a recording is an errand, and of the call nothing changes."""
        stopped = occurrence(Action.STOP, recording_id="RE7")
        ledger = stopped.apply(paused(), NOW)

        assert (ledger.desired, stopped.errand in ledger.seen, stopped.named) == (Action.PAUSE, True, "RE7")
        assert ledger.events[-1].details["recording_id"] == "RE7"

    def test_naming_one_is_no_errand_elsewhere(self):
        """A pause or a resume is of all recordings, whichever is named."""
        assert not occurrence(Action.PAUSE, recording_id="RE7").errand
        assert not occurrence(Action.RESUME, recording_id="RE7").errand


class TestOnLeg:
    """The same, on the leg that the call was made from."""

    def test_scenario_13_the_same_pause(self):
        """It opens the same pause, of the same event, there, and its reminder is of that leg."""
        call = Call(call_id="CA", channel_id="C1", redirect_url="https://ivr.example.com/")
        entered = occurrence(event_id="E1", call=call)
        above = on_leg(entered, "CA-parent", TIMING, None)
        ledger = above.apply(new(), NOW)

        assert entered.opens is not None
        assert above.call == Call(call_id="CA-parent", channel_id="C1", redirect_url="https://ivr.example.com/")
        assert above.opens == entered.opens._replace(call=Call(call_id="CA-parent", channel_id="C1"))
        assert ledger == entered.apply(new(), NOW)
        assert (above.action, above.by, above.account) == (entered.action, entered.by, entered.account)

    def test_scenario_13_nothing_to_remind_of(self):
        """A step that is left reminds nobody there either."""
        assert on_leg(occurrence(Action.RESUME), "CA-parent", TIMING, None).opens is None

    def test_scenario_13_a_pause_in_doubt(self):
        """A pause that may yet act there is noted, once, before the rest is."""
        above = on_leg(occurrence(Action.RESUME, event_id="E1"), "CA-parent", TIMING, "doubt-1")
        ledger = above.apply(paused(), NOW)

        assert ledger.doubts.unheard == NOW + 10 + TIMING.settles + 1
        assert [event.what for event in ledger.events[-2:]] == ["found without record", "left"]
        assert above.apply(ledger, NOW + 1) is ledger


def test_scenario_43_a_call_is_one_however_it_is_spelt():
    """Vendors take their ids in either case: an event of a call opens one and the same pause, whichever was sent."""
    trigger = Trigger(account="acme", action=Action.PAUSE, step="card-entry", call=Call(call_id="CA0a"))
    same = replace(trigger, call=Call(call_id="CA0A"))
    another = replace(trigger, call=Call(call_id="CA0b"))

    assert pause_id_of(trigger, "E1") == pause_id_of(same, "E1") != pause_id_of(another, "E1")


class TestInherited:
    """What is desired of a leg is found only later to be of the one that it was made from as well."""

    def handed_up(self, child: CallLedger) -> Occurrence:
        """What the other leg is told."""
        leg = inherited(child, "CA-parent", TIMING)
        assert leg is not None
        return leg

    def test_scenario_13_its_pauses(self):
        """Pauses that the other leg has not heard of are opened there, as they are, once."""
        child = paused(pause_id="P1", occurred_at=NOW)
        leg = self.handed_up(child)
        ledger = leg.apply(new(), NOW + 5)
        pause, given = ledger.pauses["card-entry"], child.pauses["card-entry"]

        assert (leg.call, leg.action, leg.opens, leg.errand) == (Call(call_id="CA-parent"), None, None, None)
        assert (pause.pause_id, pause.deadline, pause.occurred_at) == ("P1", given.deadline, NOW)
        assert leg.apply(ledger, NOW + 6) is ledger

    def test_scenario_13_what_was_left_there(self):
        """A pause that was there already, and was left, is not opened again."""
        ledger = leave(enter(new(), pause_id="P1"))

        assert self.handed_up(paused(pause_id="P1")).apply(ledger, NOW + 5) is ledger

    def test_scenario_13_its_stop(self):
        """So is a stop for good, once."""
        leg = self.handed_up(stop(new()))
        ledger = leg.apply(paused(), NOW + 5)

        assert (ledger.desired, ledger.pauses) == (Action.STOP, {})
        assert leg.apply(ledger, NOW + 6) is ledger

    @pytest.mark.parametrize("ledger", [new(), leave(paused()), paused().expired(now=NOW + 999, on_deadline="resume")])
    def test_scenario_44_nothing(self, ledger):
        """Of a leg whose pauses are closed, and were answered, there is nothing to be heard."""
        assert inherited(ledger, "CA-parent", TIMING) is None

    def test_scenario_28_a_pause_whose_sender_died(self):
        """A pause may have acted on the other leg's tape though nobody lives who knows: that leg is looked at, once."""
        lost = leave(take(enter(new()), ends_at=NOW + 10)).relieved(NOW + 99)
        leg = self.handed_up(lost)
        ledger = leg.apply(settle(new(), RUNNING), NOW + 100)

        assert (lost.pauses, ledger.matches, ledger.due_at) == ({}, False, 0.0)
        assert ledger.doubts.unheard > NOW + 100
        assert leg.apply(ledger, NOW + 101) is ledger

    def test_scenario_28_a_resume_whose_sender_died(self):
        """A resume names its recording: it acts on no other leg's."""
        lost = take(leave(paused()), action=Action.RESUME, holder="another").relieved(NOW + 99)

        assert inherited(lost, "CA-parent", TIMING) is None

    def test_scenario_28_a_pause_that_came_after_a_resume(self):
        """A holder that kept its lease to pause, as something else was desired by then, is lost like any other."""
        kept = record(enter(take(leave(paused()), action=Action.RESUME)), report(RUNNING), action=Action.RESUME)
        lost = leave(kept).relieved(NOW + 99)

        assert kept.lease is not None
        assert self.handed_up(lost).apply(settle(new(), RUNNING), NOW + 100).matches is False

    def test_scenario_32_what_a_version_before_has_noted(self):
        """A ledger of before names no holder where a lease was kept: it is read all the same, as far as it goes."""
        kept = record(enter(take(leave(paused()), action=Action.RESUME)), report(RUNNING), action=Action.RESUME)
        [*others, asking] = kept.events
        nameless = asking._replace(details={"action": asking.details["action"]})
        lost = leave(replace(kept, events=(*others, nameless))).relieved(NOW + 99)

        assert (asking.what, asking.details["holder"]) == ("asking", "me")
        assert self.handed_up(replace(lost, stopped=True)).apply(new(), NOW + 100).stopped is True

    def test_scenario_28_it_is_told_once(self):
        """A leg that has heard of many events remembers what it was told of a lost pause."""
        leg = self.handed_up(leave(take(enter(new()), ends_at=NOW + 10)).relieved(NOW + 99))
        above = replace(settle(new(), RUNNING), seen=tuple(f"{number:064}" for number in range(MAX_SEEN)))
        ledger = leg.apply(above, NOW + 100)

        assert ledger is not above
        assert leg.apply(ledger, NOW + 101) is ledger

    def test_scenario_28_a_pause_that_had_no_lease(self):
        """Nobody notes what came of a pause that was sent without the lease."""
        sent = leave(take(leave(paused()), action=Action.RESUME, holder="another"))
        sent = sent.pausing_unleased(ends_at=NOW + 20, now=NOW + 12, by="flow", timing=TIMING).relieved(NOW + 99)
        leg = self.handed_up(sent)
        ledger = leg.apply(settle(new(), RUNNING), NOW + 100)

        assert (ledger.matches, leg.apply(ledger, NOW + 101) is ledger) == (False, True)

    def test_scenario_29_a_pause_without_record(self):
        """A pause that was sent without the ledger may have acted there as well."""
        found = new().unheard(step="card-entry", pause_id="blind-1", now=NOW, timing=TIMING)
        ledger = self.handed_up(found).apply(settle(new(), RUNNING), NOW + 1)

        assert (ledger.matches, ledger.events[-1].what) == (False, "found without record")


class TestWake:
    def wake(self, ledger: CallLedger, now: float, *, on_deadline: str = "resume", **given: Any) -> Wake:
        """Apply a reminder."""
        wake = Wake(Reminder("acme", Call(call_id="CA"), **given), account(Settings(on_deadline=on_deadline)), "timer")
        self.ledger = wake(ledger, now)
        return wake

    @pytest.mark.parametrize("on_deadline", ["resume", "keep", "stop"])
    def test_scenario_23_what_expired(self, on_deadline):
        """A reminder ends the pauses that are late, as the account wants it, and tells which they are."""
        ledger = enter(paused(), NOW + 100, step="identity-check")
        wake = self.wake(ledger, NOW + 302, on_deadline=on_deadline)

        assert wake.expired == (("card-entry", "identity-check") if on_deadline == "stop" else ("card-entry",))
        assert self.ledger.events[-1].details["on_deadline"] == on_deadline

    def test_scenario_27_nothing_is_late(self):
        """A reminder before its time changes nothing."""
        ledger = paused(pause_id="P1")
        wake = self.wake(ledger, NOW + 300, step="card-entry", pause_id="P1")

        assert (self.ledger, wake.expired) == (ledger, ())
        assert self.ledger is ledger

    def test_scenario_29_a_pause_that_is_not_on_record(self):
        """The reminder of a pause that is not on record is written down."""
        self.wake(settle(new(), RUNNING), NOW + 302, step="card-entry", pause_id="P9")

        assert self.ledger.events[-1].what == "found without record"
        assert self.ledger.doubts.unheard == NOW + 302 + 10 + 15 + 1

    def test_scenario_27_of_a_pause_that_was_left(self):
        """The reminder of a pause that was left long ago changes nothing."""
        ledger = settle(leave(paused(pause_id="P1")), RUNNING)

        self.wake(ledger, NOW + 302, step="card-entry", pause_id="P1")

        assert self.ledger is ledger

    @pytest.mark.parametrize("by", ["timer", "sweep"])
    def test_nobody_waits(self, by):
        """A reminder opens nothing, and nobody waits for what comes of it."""
        wake = Wake(Reminder("acme", Call(call_id="CA")), account(SETTINGS), by)

        assert wake.occurrence() == Occurrence(by=by, account="acme", call=Call(call_id="CA"), apply=wake)

    @pytest.mark.parametrize("vendor", ["", "fake"])
    def test_scenario_43_whose_call_it_is(self, vendor):
        """A call of the account's own vendor is looked at, and one of which nobody said whose it is."""
        ledger = replace(paused(pause_id="P1"), vendor=vendor)

        assert self.wake(ledger, NOW + 302).expired == ("card-entry",)

    def test_scenario_43_another_vendor_by_now(self):
        """A call of another vendor than the account's by now is not touched."""
        ledger = replace(paused(pause_id="P1"), vendor="other")

        with pytest.raises(errors.ConfigurationError, match="no longer the one"):
            self.wake(ledger, NOW + 302)
