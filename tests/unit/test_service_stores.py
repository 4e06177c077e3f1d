"""The table or the queue is down; and what comes back to us by itself: reminders and sweeps."""

from dataclasses import replace
from typing import Any

import pytest

from call_recording import errors
from call_recording.account import AccountSecret
from call_recording.ledger_parts import GIVE_UP, INVOCATION, SKEW
from call_recording.model import Action, Call, Notice, Proof, Recording, RecordingStatus, Reminder, Verdict
from call_recording.service import LONGEST_REMINDER, SAVES
from tests.unit.fake_stores import unavailable
from tests.unit.fake_vendor import Fault, lost
from tests.unit.fake_world import World, secret_of
from tests.unit.ledger_words import TIMING, enter, leave, new, over, paused, record, report, take

RUNNING, PAUSED = RecordingStatus.IN_PROGRESS, RecordingStatus.PAUSED
OF_CALL = Reminder("acme", Call(call_id="CA"))


@pytest.fixture(name="world")
def _world() -> World:
    return World()


class TestScenario29WithoutTable:
    """The ledger cannot be read or written."""

    def test_scenario_29_a_pause_is_sent(self, world):
        """A pause is sent all the same; the flow is told that nobody knows, and operators that the ledger is down."""
        world.ledgers.failure = unavailable()
        entered = world.enter(event_id="E1")

        assert (entered.verdict, entered.error, entered.safe_to_collect) == (
            Verdict.UNKNOWN,
            errors.UnavailableError,
            False,
        )
        assert (entered.elapsed_ms, entered.as_dict()["pause"], entered.vendor) == (250, None, "fake")
        assert [(each.recording_id, each.status) for each in entered.recordings] == [("RE1", PAUSED)]
        assert (world.commands, world.statuses) == (["pause"], {"paused"})
        assert world.observer.notices == [(Notice.LEDGER_UNAVAILABLE, "CA", "card-entry")]
        assert world.observer.outcomes == [(entered, None)]

    def test_scenario_29_word_is_left_for_it(self, world):
        """Before that a message is sent that comes when the pause can take effect no more."""
        world.ledgers.failure = unavailable()
        sent = []
        world.vendor.meanwhile = lambda: sent.extend(world.timers.reminders)
        world.enter(event_id="E1", channel_id="channel-1")

        at, reminder = sent[-1]
        assert at == world.clock.now() + INVOCATION + TIMING.in_flight + SKEW
        assert (reminder.account, reminder.call, reminder.step) == (
            "acme",
            Call(call_id="CA", channel_id="channel-1"),
            "card-entry",
        )
        assert reminder.pause_id is not None

    def test_scenario_29_what_the_vendor_said_is_told(self, world):
        """If the vendor fails too, operators are told why, and the flow is not told that it is safe."""
        world.ledgers.failure = unavailable()
        refused = world.vendor.refusal(errors.VendorResponseError, 422)
        world.vendor.fail("any", *[Fault(error=refused, applied=False) for _ in range(9)])
        entered = world.enter()

        assert (entered.error, world.observer.outcomes[0][1]) == (errors.UnavailableError, refused)

    @pytest.mark.parametrize("action", [Action.RESUME, Action.STOP])
    def test_scenario_29_a_resume_is_not(self, world, action):
        """A resume is not sent, for it could break somebody's pause, and a stop is the flow's to ask for again: 503."""
        world.enter()
        world.ledgers.failure = unavailable()
        with pytest.raises(errors.UnavailableError):
            world.handle(action)

        assert (world.vendor.asked, world.statuses) == ([], {"paused"})
        assert world.notices == [Notice.LEDGER_UNAVAILABLE]

    def test_scenario_29_slow_to_fail(self, world):
        """Even if looking for the ledger took all the time that the flow gives us, the pause is sent."""
        world.ledgers.before.append(("save", lambda: world.clock.sleep(5.0)))
        world.ledgers.failure = unavailable()
        world.enter()

        assert world.statuses == {"paused"}

    def test_scenario_29_too_late_for_anything(self, world):
        """But not beyond the end of the invocation."""
        world.ledgers.before.append(("save", lambda: world.clock.sleep(9.95)))
        world.ledgers.failure = unavailable()

        assert world.enter().error is errors.UnavailableError
        assert world.commands == []

    def test_both_down(self, world):
        """With the queue down as well the pause is sent, and both are told: nothing of ours will find it again."""
        world.ledgers.failure = world.timers.failure = unavailable()
        entered = world.enter()

        assert (entered.error, world.statuses) == (errors.UnavailableError, {"paused"})
        assert set(world.notices) == {Notice.LEDGER_UNAVAILABLE, Notice.TIMER_UNAVAILABLE}

    def test_a_reminder_is_given_back(self, world):
        """A reminder that finds no table is given back to the queue, and a sweep fails."""
        world.ledgers.failure = unavailable()

        with pytest.raises(errors.UnavailableError):
            world.wake()
        with pytest.raises(errors.UnavailableError):
            world.sweep()
        assert world.vendor.asked == []


class TestFollowUp:
    """What is left undone is looked at again."""

    def test_nothing_is_left(self, world):
        """A pause that is proven needs nothing but its own reminder."""
        world.enter()

        assert [reminder.step for _, reminder in world.timers.reminders] == ["card-entry"]

    def test_scenario_24_a_failure(self, world):
        """A resume that failed is tried again soon."""
        world.enter(channel_id="channel-1")
        world.timers.reminders.clear()
        refused = world.vendor.refusal(errors.VendorResponseError, 422)
        world.vendor.fail("resume", Fault(error=refused, applied=False))
        world.leave()

        assert world.timers.reminders == [
            (world.ledger.look_at, Reminder("acme", Call(call_id="CA", channel_id="channel-1")))
        ]
        world.clock.sleep(2.1)
        world.wake(world.timers.reminders[0][1])
        assert world.statuses == {"in-progress"}

    def test_scenario_24_also_after_a_reminder(self, world):
        """And so is one that fails again."""
        world.enter()
        refused = world.vendor.refusal(errors.VendorResponseError, 422)
        world.vendor.fail("resume", *[Fault(error=refused, applied=False) for _ in range(2)])
        world.leave()
        world.clock.sleep(2.1)
        world.timers.reminders.clear()
        world.wake()

        assert [at for at, _ in world.timers.reminders] == [world.clock.now() + 4]

    def test_what_is_far_off_is_left_to_the_sweep(self):
        """What is due in more than a quarter of an hour is left to the sweep."""
        world = World(on_deadline="keep")
        world.enter()
        world.clock.sleep(302.0)
        world.timers.reminders.clear()
        world.wake()

        assert (world.timers.reminders, world.ledger.due_at) == ([], world.clock.now() + 3600)
        assert LONGEST_REMINDER < 3600

    def test_without_the_queue(self, world):
        """Without the queue operators are told, and the sweep finds it."""
        world.enter()
        refused = world.vendor.refusal(errors.VendorResponseError, 422)
        world.vendor.fail("resume", Fault(error=refused, applied=False))
        world.timers.failure = unavailable()
        world.leave()

        assert world.notices == [Notice.TIMER_UNAVAILABLE]
        world.clock.sleep(60.0)
        world.sweep()
        assert world.statuses == {"in-progress"}


class TestWake:
    """A reminder comes."""

    @pytest.mark.parametrize(
        ("on_deadline", "status", "notice"),
        [
            ("resume", "in-progress", Notice.PAUSE_EXPIRED),
            ("keep", "paused", Notice.PAUSE_KEPT),
            ("stop", "stopped", Notice.PAUSE_EXPIRED),
        ],
    )
    def test_scenario_23_the_deadline(self, on_deadline, status, notice):
        """A pause that nobody left ends as the account wants it, and operators are told."""
        world = World(on_deadline=on_deadline)
        world.enter()
        [(at, reminder)] = world.timers.reminders
        world.clock.sleep(at - world.clock.now() + 0.1)
        world.wake(reminder)

        assert world.statuses == {status}
        assert world.observer.notices == [(notice, "CA", "card-entry")]

    def test_scenario_23_the_call_is_over(self, world):
        """If the call is over by then its ledger is closed, and nothing more is due."""
        world.enter()
        world.vendor.live, world.vendor.statuses = False, {}
        world.clock.sleep(302.0)
        world.wake()

        assert (world.ledger.over, world.ledger.due_at) == (True, None)

    def test_scenario_23_a_kept_pause_whose_call_is_over(self):
        """A kept pause is looked at each hour, until its call is over."""
        world = World(on_deadline="keep")
        world.enter()
        world.clock.sleep(302.0)
        world.wake()
        world.clock.sleep(3600.0)
        world.vendor.live, world.vendor.statuses = False, {}
        world.sweep()

        assert (world.ledger.over, world.ledger.due_at) == (True, None)

    def test_scenario_26_extended_meanwhile(self, world):
        """The reminder of a deadline that was extended ends nothing."""
        world.enter()
        [(at, reminder)] = world.timers.reminders
        world.clock.sleep(200.0)
        world.enter()
        world.clock.sleep(at - world.clock.now() + 0.1)
        world.wake(reminder)

        assert (world.statuses, world.notices) == ({"paused"}, [])

    def test_a_reminder_that_is_too_early_comes_again(self, world):
        """A reminder of a pause that comes before its deadline is sent on: it may be the only one."""
        world.enter()
        [(at, reminder)] = world.timers.reminders
        world.clock.sleep(9.0)
        world.wake(reminder)

        assert world.timers.reminders == [(at, reminder), (at, reminder)]
        assert world.vendor.asked == []

    def test_scenario_08_a_recording_that_starts(self, world):
        """A recording that starts during the pause, and of which nobody tells us, is paused within a minute or so."""
        world.vendor.statuses = {}
        world.enter()
        world.vendor.statuses = {"RE1": RUNNING}
        world.clock.sleep(60.0)
        world.wake(world.timers.reminders[-1][1])

        assert world.statuses == {"paused"}

    def test_scenario_28_somebody_else_commands(self, world):
        """While somebody else commands, the reminder is given back, for that one may die."""
        world.put(take(enter(new(), world.clock.now()), world.clock.now(), holder="other"))
        with pytest.raises(errors.UnavailableError):
            world.wake()

        assert world.timers.reminders == []

    def test_scenario_38_the_outcome_could_not_be_kept(self, world):
        """So is one whose outcome could not be written down."""
        world.enter()
        world.clock.sleep(302.0)
        world.vendor.meanwhile = lambda: setattr(world.ledgers, "failure", unavailable())
        with pytest.raises(errors.UnavailableError):
            world.wake()

    def test_scenario_30_secrets_are_down(self, world):
        """And one whose account cannot be asked for."""
        world.enter()
        world.down = True
        with pytest.raises(errors.UnavailableError):
            world.wake()


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

    def test_scenario_24_it_is_given_up(self, world):
        """After four hours the call goes where people look after it."""
        world.enter()
        world.secret = None
        world.settle()

        assert world.ledger.given_up
        assert (world.timers.surrendered, world.notices[-1]) == ([OF_CALL], Notice.GIVEN_UP)
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
        return {call_id for _, call_id in world.ledgers.due(world.clock.now(), 99)}

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
        assert [(at, each.call.call_id) for at, each in world.timers.reminders if at == now] == [
            (now, "CB"),
            (now, "CC"),
        ]
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

    def test_scenario_33_one_that_breaks(self, world):
        """A call that breaks what looks after it leaves the others their turn too, and is not passed over in silence."""
        self.calls(world, "CB", "CA")
        world.vendor.leg = "CB"
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

    def test_it_has_to_fit(self, world):
        """A stop of what is no call is refused."""
        with pytest.raises(errors.InvalidTriggerError):
            self.note(world, call=Call(call_id="unfit"))

        assert world.ledgers.asked == []

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

        assert (world.events.count("stop asked"), world.notices) == (1, [])

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

        assert world.notices == [Notice.LEDGER_UNAVAILABLE]


def test_a_vendor_that_is_silent_and_a_pause_nobody_leaves(world):
    """From an unclear pause to the end of its call nothing stays undone."""
    world.vendor.fail("any", *[Fault(error=lost(), applied=False) for _ in range(40)])
    world.enter()
    world.settle()

    assert (world.statuses, world.ledger.matches) == ({"in-progress"}, True)


def test_what_a_vendor_without_reads_says(world):
    """What a yes was of is not known by its id, and goes into the ledger as it is."""
    world.vendor.reads, world.vendor.current_recording = False, None
    world.enter()

    assert world.ledger.known.recordings == (
        Recording(recording_id=None, call_id="CA", status=PAUSED, proof=Proof.ACKNOWLEDGED),
    )
    assert record(take(world.ledger), report(RUNNING)).due_at is not None
