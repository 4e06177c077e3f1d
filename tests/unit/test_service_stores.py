"""The table or the queue is down; and what comes back to us by itself: reminders and sweeps."""

from dataclasses import replace

import pytest

from call_recording import errors
from call_recording.ledger_parts import INVOCATION, SKEW
from call_recording.model import Action, Call, Notice, Proof, Recording, RecordingStatus, Reminder, Verdict
from call_recording.upkeep import LONGEST_REMINDER
from tests.unit.fake_stores import unavailable
from tests.unit.fake_vendor import Fault, lost
from tests.unit.fake_world import World
from tests.unit.ledger_words import TIMING, enter, leave, new, paused, record, report, take

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
        assert world.observer.reasons == ["it does not answer"]
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

    def test_scenario_29_where_reads_lag(self):
        """Where reads lag the message comes so much later."""
        world = World(read_lag_ms=3000)
        world.ledgers.failure = unavailable()
        world.enter()

        at, _ = world.timers.reminders[-1]
        assert at == world.clock.now() + INVOCATION + TIMING.in_flight + 3.0 + SKEW

    def test_scenario_29_a_blind_pause_has_an_id_of_its_own(self, world):
        """Its reminder is found to be of no pause on record, even if its event comes again when there is a ledger."""
        world.ledgers.failure = unavailable()
        world.enter(event_id="E1")
        world.ledgers.failure = None
        world.enter(event_id="E1")
        world.leave()
        [blind] = [reminder for _, reminder in world.timers.reminders if (reminder.pause_id or "").startswith("blind")]
        world.wake(blind)

        assert "found without record" in world.events

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

    @pytest.mark.parametrize("is_down", [True, False])
    def test_a_slow_queue_is_not_waited_for_twice(self, world, is_down):
        """A queue that has failed already is tried again only after the vendor was asked; one that works, before."""
        order: list[str] = []
        original = world.timers.remind

        def remind(reminder: Reminder, *, at: float) -> None:
            order.append("reminder")
            original(reminder, at=at)

        world.timers.remind = remind
        world.timers.failure = unavailable() if is_down else None
        world.ledgers.failure = unavailable()
        world.vendor.meanwhile = lambda: order.append("vendor")
        world.enter()

        assert order == (["reminder", "vendor", "reminder"] if is_down else ["reminder", "reminder", "vendor"])

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

        assert (world.notices, world.observer.reasons) == ([Notice.TIMER_UNAVAILABLE], ["it does not answer"])
        world.clock.sleep(60.0)
        world.sweep()
        assert world.statuses == {"in-progress"}

    def test_scenario_26_the_answer_is_judged_last(self):
        """What was safe before a slow queue kept us waiting is not safe past its deadline."""
        world = World(accept_not_recording=True)
        world.vendor.statuses = {}
        world.timers.first = lambda: world.clock.sleep(0.6)
        entered = world.enter(max_pause_seconds=1)

        assert (entered.safe_to_collect, entered.error) == (False, errors.ConflictError)
        assert len(world.timers.reminders) == 2


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
        assert world.timers.reminders == [(at, reminder)]

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
        assert len(world.timers.reminders) == 2  # the pause that is open has its own

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

    def test_scenario_24_given_up_is_told_once(self, world):
        """A stray reminder of a call that was given up, and that cannot be asked about, tells nothing new."""
        world.put(replace(leave(paused(world.clock.now())), given_up=True))
        world.wake(seconds_left=0.21)

        assert (world.vendor.asked, world.notices) == ([], [])

    def test_scenario_30_secrets_are_down(self, world):
        """And one whose account cannot be asked for."""
        world.enter()
        world.down = True
        with pytest.raises(errors.UnavailableError):
            world.wake()


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
