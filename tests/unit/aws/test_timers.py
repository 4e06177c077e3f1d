"""The reminders in SQS."""

import pytest

from call_recording.aws.timers import QueueTimers
from call_recording.errors import UnavailableError
from call_recording.model import Call, Reminder
from call_recording.reminders import parse_reminder
from tests.unit.aws.fake_aws import NOT_CARRIED_OUT, REFUSED, UNCLEAR, FakeSqs
from tests.unit.fakes import FakeClock

REMINDER = Reminder("acme", Call(call_id="CA1"), "card-entry", "pause-1", 1_790_000_300.0)


@pytest.fixture(name="clock")
def _clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(name="sqs")
def _sqs() -> FakeSqs:
    return FakeSqs()


@pytest.fixture(name="timers")
def _timers(sqs, clock) -> QueueTimers:
    return QueueTimers(sqs, timer_queue_url="timers", dead_letter_queue_url="dead-letters", clock=clock)


class TestRemind:
    """What comes back later."""

    @pytest.mark.parametrize(
        ("ahead", "delay"),
        [(300.0, 300), (300.2, 301), (0.001, 1), (0.0, 0), (-50.0, 0), (900.0, 900), (900.5, 900), (7_200.0, 900)],
    )
    def test_it_is_held_back_as_long_as_sqs_can(self, timers, sqs, clock, ahead, delay):
        """A reminder never comes early but where SQS cannot wait longer, and what is overdue comes at once."""
        timers.remind(REMINDER, at=clock.now() + ahead)

        [(queue, _, held_back)] = sqs.sent
        assert (queue, held_back) == ("timers", delay)

    def test_it_says_when_it_is_wanted(self, timers, sqs, clock):
        """The message carries the reminder and its time, so that one that comes early can be sent on."""
        timers.remind(REMINDER, at=clock.now() + 7_200)

        [(_, body, _)] = sqs.sent
        assert parse_reminder(body) == (REMINDER, clock.now() + 7_200)


class TestSurrender:
    """What somebody has to look after."""

    def test_it_goes_to_the_dead_letters_at_once(self, timers, sqs, clock):
        """A call that is given up is in the dead-letter queue, with the time of it."""
        timers.surrender(REMINDER)

        [(queue, body, delay)] = sqs.sent
        assert (queue, delay) == ("dead-letters", 0)
        assert parse_reminder(body) == (REMINDER, clock.now())


class TestPostpone:
    """What is given back."""

    def test_it_comes_again_when_it_is_wanted(self, timers, sqs):
        """A message is postponed in the queue that it came from."""
        timers.postpone("handle", seconds=4)

        assert sqs.postponed == [("timers", "handle", 4)]

    @pytest.mark.parametrize("failure", [*NOT_CARRIED_OUT, *UNCLEAR, *REFUSED], ids=repr)
    def test_a_failure_does_no_harm(self, timers, sqs, failure):
        """A message that cannot be postponed comes again after the queue's own time."""
        sqs.failure = failure
        timers.postpone("handle", seconds=4)

        assert sqs.postponed == []


@pytest.mark.parametrize("failure", [*NOT_CARRIED_OUT, *UNCLEAR, *REFUSED], ids=repr)
def test_a_failure_is_said_without_content(timers, sqs, failure):
    """Whatever SQS fails with, whoever sends is told, by AWS's code only."""
    sqs.failure = failure
    for send in (lambda: timers.remind(REMINDER, at=0.0), lambda: timers.surrender(REMINDER)):
        with pytest.raises(UnavailableError, match=r"^SQS: \w+$"):
            send()
