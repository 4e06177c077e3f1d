"""What is due is looked after by sweeps; calls of accounts that are gone; stops that the vendor's document carries out."""

import json
from dataclasses import replace
from typing import Any

import pytest

from call_recording import errors
from call_recording.account import AccountSecret
from call_recording.ledger_parts import GIVE_UP
from call_recording.model import Action, Call, Notice
from call_recording.service import SAVES
from tests.unit.fake_stores import unavailable
from tests.unit.fake_vendor import Fault
from tests.unit.fake_world import World, secret_of
from tests.unit.ledger_words import enter, leave, new, over, paused, take

#: The account, exchanged for one at another vendor.
EXCHANGED = AccountSecret("acme", json.dumps({"vendor": "other", "credentials": {"token": "new"}}))


@pytest.fixture(name="world")
def _world() -> World:
    return World()


class TestAccountGone:
    """The account of a call is no more, or does not fit."""

    @pytest.mark.parametrize("secret", [None, secret_of("unfit"), AccountSecret("acme", "no JSON")])
    def test_it_is_tried_again(self, world, secret):
        """Nobody can be asked: that is told, counted and tried again, and the expired pause closes."""
        world.enter()
        world.clock.sleep(302.0)
        world.secret = secret
        world.wake()

        assert world.notices == [Notice.ACCOUNT_GONE]
        assert [each["account"] for each in world.observer.misfits] == ([] if secret is None else ["acme"])
        assert (world.ledger.pauses, world.ledger.failures, world.ledger.known.complete) == ({}, 1, False)
        assert world.ledger.due_at == world.clock.now() + 2

    def test_scenario_43_another_vendor_by_now(self, world):
        """A secret that names another vendor by now is none of this call: that one is not asked about it."""
        world.enter()
        world.clock.sleep(302.0)
        world.secret, world.vendor.live = EXCHANGED, False
        world.wake()

        assert (world.notices, world.vendor.asked) == ([Notice.ACCOUNT_GONE], [])
        assert [(each["account"], each["field"]) for each in world.observer.misfits] == [("acme", "vendor")]
        assert (world.ledger.pauses, world.ledger.failures, world.ledger.over) == ({}, 1, False)
        assert world.ledger.due_at == world.clock.now() + 2

    def test_scenario_43_given_up(self, world):
        """After four hours such a call goes where people look after it, and is never declared over."""
        world.enter()
        world.secret, world.vendor.live = EXCHANGED, False
        world.settle()

        assert (world.ledger.given_up, world.ledger.over, world.statuses) == (True, False, {"paused"})
        assert (len(world.timers.surrendered), world.notices.count(Notice.GIVEN_UP)) == (1, 1)
        assert GIVE_UP < world.clock.now() - 1_000.0 < GIVE_UP + 600.0

    def test_scenario_43_exchanged_back(self, world):
        """As soon as the account is that of the call's vendor again, its tape goes on."""
        world.enter()
        world.clock.sleep(302.0)
        world.secret = EXCHANGED
        world.sweep()
        assert world.statuses == {"paused"}
        world.secret = world.own
        world.settle()

        assert (world.statuses, world.ledger.vendor) == ({"in-progress"}, "fake")

    def test_not_before_it_is_due(self, world):
        """A reminder that is too early counts nothing."""
        world.enter()
        world.secret = None
        world.wake()

        assert (world.ledgers.asked, world.ledger.failures) == (["load"], 0)

    def test_not_while_somebody_commands(self, world):
        """Nor does one that finds somebody else at it."""
        world.put(take(enter(new(), world.clock.now(), seconds=1.0), world.clock.now(), holder="other"))
        world.clock.sleep(5.0)
        world.secret = None
        world.wake()

        assert (world.ledger.failures, world.ledger.lease.holder) == (0, "other")

    def test_scenario_28_a_lost_holder(self, world):
        """A lease that has lapsed is taken away also while nobody can be asked."""
        world.put(take(enter(new(), world.clock.now()), world.clock.now(), holder="other"))
        world.clock.sleep(30.0)
        world.secret = None
        world.wake()

        assert (world.ledger.lease, world.ledger.failures) == (None, 1)

    def test_scenario_24_it_is_given_up(self, world):
        """After four hours the call goes where people look after it."""
        world.enter()
        world.secret = None
        world.settle()

        assert world.ledger.given_up
        assert [each.call.call_id.upper() for each in world.timers.surrendered] == ["CA"]
        assert world.notices[-1] is Notice.GIVEN_UP
        assert world.notices.count(Notice.GIVEN_UP) == 1
        assert GIVE_UP < world.clock.now() - 1_000.0 < GIVE_UP + 600.0

    def test_scenario_24_on_which_nothing_is_recorded(self):
        """Also a call on which nothing was being recorded is not looked after for ever."""
        world = World()
        world.vendor.statuses = {}
        world.enter()
        world.secret = None
        world.settle()

        assert (world.ledger.given_up, world.ledger.pauses) == (True, {})

    def test_scenario_24_a_kept_pause(self):
        """Nor is one whose pause was kept."""
        world = World(on_deadline="keep")
        world.enter()
        world.clock.sleep(302.0)
        world.sweep()
        world.secret = None
        world.settle()

        assert world.ledger.given_up

    def test_scenario_24_not_in_silence(self, world):
        """As long as nobody can be told it is not given up."""
        world.put(leave(paused(world.clock.now())).failed(now=world.clock.now(), reason="x"))
        world.clock.sleep(GIVE_UP + 302.0)
        world.secret = None
        world.timers.failure = unavailable()
        with pytest.raises(errors.UnavailableError):
            world.wake()

        assert not world.ledger.given_up

    def test_a_conflict(self, world):
        """If somebody else writes meanwhile the reminder is given back."""
        world.enter()
        world.clock.sleep(302.0)
        world.secret = None
        world.ledgers.before.append(("save", lambda: world.put(over(world.ledger))))
        with pytest.raises(errors.UnavailableError):
            world.wake()

        assert world.ledger.over

    def test_a_call_that_is_settled(self, world):
        """A call with which all is well needs no account."""
        world.enter()
        world.leave()
        world.secret = None
        world.wake()

        assert world.ledger.failures == 0


class TestSweep:
    """What is due is looked after, whether or not a reminder came."""

    def calls(self, world: World, *call_ids: str) -> None:
        """Let calls be due, in this order."""
        for number, call_id in enumerate(call_ids):
            ledger = replace(enter(new(), world.clock.now()), call=Call(call_id=call_id))
            world.put(ledger.failed(now=world.clock.now() - 100 + number, reason="x"))

    def due(self, world: World) -> set[str]:
        """The calls that are due now."""
        return {call_id.upper() for _, call_id in world.ledgers.due(world.clock.now(), 99)}

    def test_each_has_its_turn(self, world):
        """Every call that is due is looked at, the longest overdue first."""
        world.vendor.statuses = {}
        self.calls(world, "CB", "CA")
        world.sweep()

        assert self.due(world) == set()
        assert [target for what, target in world.vendor.asked if what == "list"] == ["CB", "CA"]

    def test_no_more_than_the_limit(self, world):
        """What is beyond the limit is left for the next one."""
        self.calls(world, "CA", "CB", "CC")
        world.sweep(limit=2)

        assert self.due(world) == {"CC"}

    def test_what_there_is_no_time_for(self, world):
        """Once half of the time has gone the rest is sent to the queue, where others take it up."""
        self.calls(world, "CA", "CB", "CC")
        world.vendor.statuses = {}
        world.vendor.fail("list", Fault(takes=1.6))
        world.sweep(seconds_left=3.0)

        now = world.clock.now()
        assert [each.call.call_id.upper() for at, each in world.timers.reminders if at == now] == ["CB", "CC"]
        assert self.due(world) == {"CB", "CC"}

    def test_scenario_33_one_that_fails(self, world):
        """A call that somebody else commands, or whose reminder cannot be sent, leaves the others their turn."""
        self.calls(world, "CB", "CA")
        ledger = world.ledgers.of("acme", "CB")
        world.put(take(ledger.expired(now=world.clock.now(), on_deadline="keep"), world.clock.now() - 27, holder="x"))
        busy = world.ledgers.of("acme", "CB").relieved(world.clock.now())
        world.put(take(busy, world.clock.now() - 26.5, ends_at=world.clock.now() - 16.2))
        world.timers.failure = unavailable()
        world.sweep()

        assert "CA" not in self.due(world)

    def test_scenario_33_somebody_else_is_at_it(self, world):
        """A call that somebody else commands is told with the reason, and stays due."""
        now = world.clock.now()
        world.put(take(enter(new(), now - 5.0, seconds=1.0), now))
        world.sweep()

        [notice] = [told for told in world.observer.notices if told[0] is Notice.NOT_LOOKED_AT]
        assert (notice[1].upper(), notice[2]) == ("CA", None)
        assert any("somebody else" in (reason or "") for reason in world.observer.reasons)
        world.clock.sleep(60.0)
        assert self.due(world) == {"CA"}

    def test_scenario_33_no_time_and_no_queue(self, world):
        """What there is no time for, and cannot be sent to the queue, is told with the reason, and stays due."""
        self.calls(world, "CA")
        world.timers.failure = unavailable()
        world.sweep(seconds_left=0.0)

        assert (world.notices, world.observer.reasons) == ([Notice.NOT_LOOKED_AT], ["it does not answer"])
        assert self.due(world) == {"CA"}

    def test_scenario_33_one_that_breaks(self, world):
        """A call that breaks what looks after it leaves the others their turn too, and is not passed over in silence."""
        self.calls(world, "CB", "CA")
        original = world.vendor.recordings

        def recordings(call: Call, *, timeout: float) -> Any:
            if call.call_id == "CB":
                raise KeyError("channel_id")
            return original(call, timeout=timeout)

        world.vendor.recordings = recordings
        with pytest.raises(KeyError):
            world.sweep()

        assert "CA" not in self.due(world)

    def test_nothing_is_due(self, world):
        """A sweep that finds nothing does nothing."""
        world.enter()
        world.sweep()

        assert (world.ledgers.asked, world.vendor.asked) == (["due"], [])


class TestStopByDocument:
    """The vendor stops the recording as it follows our document."""

    def note(self, world: World, **given: Any) -> None:
        """Note such a stop."""
        world.vendor.asked.clear()
        world.ledgers.asked.clear()
        world.service.note_stop_by_document(world.trigger(Action.STOP, **given), world.own)

    def test_it_is_noted(self, world):
        """The pauses close, and nothing is sent; a recording that it names is no matter, the document stops all."""
        world.enter()
        self.note(world, recording_id="RE1")

        assert (world.ledger.stopped, world.ledger.pauses, world.ledger.due_at) == (True, {}, None)
        assert (world.vendor.asked, world.ledgers.asked) == ([], ["load", "save"])
        assert world.observer.notices == [(Notice.STOPPED_BY_DOCUMENT, "CA", "card-entry")]

    def test_it_has_to_fit(self, world):
        """A stop of what is no call is refused."""
        with pytest.raises(errors.InvalidTriggerError):
            self.note(world, call=Call(call_id="unfit"))

        assert (world.ledgers.asked, world.notices) == ([], [])

    def test_after_a_conflict(self, world):
        """If somebody else writes meanwhile it is noted in what that one wrote."""
        world.enter()
        world.ledgers.before.append(("save", lambda: world.put(enter(world.ledger, step="other"))))
        self.note(world)

        assert world.ledger.pauses == {}

    def test_after_a_lost_answer(self, world):
        """If its answer is lost it is looked at again, and noted once."""
        world.enter()
        world.ledgers.lost = 1
        self.note(world)

        assert (world.events.count("stop asked"), world.notices) == (1, [Notice.STOPPED_BY_DOCUMENT])

    def test_after_a_dead_holder(self, world):
        """A lease that has lapsed is taken away with it."""
        world.put(take(paused(world.clock.now()), world.clock.now()))
        world.clock.sleep(30.0)
        self.note(world)

        assert (world.ledger.lease, world.ledger.due_at) == (None, None)

    @pytest.mark.parametrize("what", ["down", "conflicts"])
    def test_it_cannot_be_noted(self, world, what):
        """If it cannot be written down operators are told: the document stops the recording all the same."""
        world.enter()
        if what == "down":
            world.ledgers.failure = unavailable()
        else:
            world.ledgers.lost = 0
            for _ in range(SAVES):
                world.ledgers.before.append(("save", lambda: world.put(enter(world.ledger, step="other"))))
        self.note(world)

        assert world.notices == [Notice.STOPPED_BY_DOCUMENT, Notice.LEDGER_UNAVAILABLE]
