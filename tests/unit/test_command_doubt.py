"""What a command tells of itself: when it began, how things were before, and what the vendor may yet do on its account."""

import pytest

from call_recording import errors
from call_recording.command import Command
from call_recording.conversation import Conversation
from call_recording.model import Action, Call, Deadline, RecordingStatus, Report
from tests.unit.fake_vendor import FakeVendor, Fault, ManualClock, lost, unreachable

RUNNING, PAUSED = RecordingStatus.IN_PROGRESS, RecordingStatus.PAUSED


@pytest.fixture(name="vendor")
def _vendor() -> FakeVendor:
    """A vendor that lists its recordings before it is asked to do something with one."""
    return FakeVendor(clock=ManualClock(), current_recording=None)


def carry_out(vendor: FakeVendor, action: Action = Action.PAUSE, named: str | None = None) -> Report:
    """Carry out *action* on the call `CA`."""
    deadline = Deadline(vendor.clock.monotonic, 3.45)
    conversation = Conversation(vendor=vendor, clock=vendor.clock, deadline=deadline, renew=lambda _: None)
    return Command(conversation, Call(call_id="CA"), action).carry_out(named)


def in_doubt(report: Report) -> tuple[bool, bool]:
    """Whether the vendor may act later, and whether that was seen to be done."""
    return report.in_doubt, report.own_work


class TestAskedAt:
    @pytest.mark.parametrize("current", ["CURRENT", None])
    def test_before_anything_is_asked(self, vendor, current):
        """What a report shows is no older than when its command began, however long that took."""
        vendor.current_recording = current
        began = vendor.clock.now()
        vendor.fail("any", Fault(takes=1.5))

        assert carry_out(vendor).asked_at == began


class TestFound:
    @pytest.mark.parametrize("action", list(Action))
    def test_as_they_were_before(self, vendor, action):
        """The recordings are told as they were before anything was sent."""
        vendor.statuses = {"RE1": RUNNING, "RE2": PAUSED, "RE3": RecordingStatus.COMPLETED}

        assert [each.status for each in carry_out(vendor, action).found or ()] == [RUNNING, PAUSED]

    @pytest.mark.parametrize("action", [Action.PAUSE, Action.STOP])
    def test_not_if_something_was_sent_first(self, vendor, action):
        """A list that was read after something was sent tells nothing of how it was before."""
        vendor.current_recording = "CURRENT"
        vendor.statuses["RE2"] = RUNNING

        assert carry_out(vendor, action).found is None

    def test_not_without_a_read(self, vendor):
        """Nor does a vendor that shows nothing, or that did not answer."""
        vendor.fail("list", *[Fault(error=lost()) for _ in range(99)])
        assert carry_out(vendor).found is None

        vendor.reads = False
        assert carry_out(vendor).found is None


class TestInDoubt:
    @pytest.mark.parametrize(("action", "before"), [(Action.PAUSE, RUNNING), (Action.RESUME, PAUSED)])
    def test_a_definite_answer(self, vendor, action, before):
        """After a definite yes, or a definite no, the vendor does nothing more."""
        vendor.statuses["RE1"] = before
        assert not carry_out(vendor, action).in_doubt

        vendor.statuses["RE1"] = before
        refused = vendor.refusal(errors.VendorResponseError, 422)
        vendor.fail(action, Fault(error=refused, applied=False))
        assert not carry_out(vendor, action).in_doubt

    @pytest.mark.parametrize("error", [unreachable(), errors.RateLimitedError("slow", vendor="fake", retry_after=99.0)])
    def test_nothing_was_done(self, vendor, error):
        """What was never sent, or not processed, is not in doubt."""
        vendor.fail("pause", *[Fault(error=error, applied=False) for _ in range(99)])

        assert not carry_out(vendor).in_doubt

    @pytest.mark.parametrize(("action", "before"), [(Action.PAUSE, RUNNING), (Action.RESUME, PAUSED)])
    def test_scenario_02_seen_to_be_done(self, vendor, action, before):
        """A command whose answer was lost, and that a read shows as done, was our own work: sent once, and otherwise before."""
        vendor.statuses["RE1"] = before
        vendor.fail(action, Fault(error=lost()))

        assert in_doubt(carry_out(vendor, action)) == (True, True)

    @pytest.mark.parametrize("action", [Action.RESUME, Action.STOP])
    def test_scenario_02_not_seen(self, vendor, action):
        """One that no read shows as done may come yet."""
        vendor.statuses["RE1"] = PAUSED
        vendor.fail(action, Fault(error=lost(), applied=False))

        assert in_doubt(carry_out(vendor, action)) == (True, False)

    def test_scenario_02_sent_twice(self, vendor):
        """Of a pause that was sent twice one may yet come, even if the tape is paused by now."""
        vendor.fail("pause", Fault(error=lost(), applied=False))
        report = carry_out(vendor)

        assert report.recordings[0].status is PAUSED
        assert in_doubt(report) == (True, False)

    def test_scenario_02_a_stop_is_never_told_from_others(self, vendor):
        """A stop changes a recording from anything: whose work it was is not told, and does not matter."""
        vendor.fail("stop", Fault(error=lost()))

        assert in_doubt(carry_out(vendor, Action.STOP)) == (True, False)

    def test_scenario_02_not_known_before(self, vendor):
        """Without a read before it nobody can tell whose work it was."""
        vendor.current_recording = "CURRENT"
        vendor.fail("pause", Fault(error=lost()))

        assert in_doubt(carry_out(vendor)) == (True, False)

    @pytest.mark.parametrize("lag", [0.5, 99.0])
    def test_scenario_04_accepted(self, vendor, lag):
        """A 202 is in doubt until a read shows that it was carried out."""
        vendor.final, vendor.lag = False, lag

        assert in_doubt(carry_out(vendor)) == (True, lag < 1)

    def test_scenario_09_one_of_two(self, vendor):
        """If of two recordings one is not seen to be done, the command is in doubt."""
        vendor.statuses = {"RE1": PAUSED, "RE2": PAUSED}
        vendor.fail("resume", Fault(error=lost()), Fault(error=lost(), applied=False))

        assert in_doubt(carry_out(vendor, Action.RESUME)) == (True, False)

    @pytest.mark.parametrize("action", [Action.PAUSE, Action.RESUME])
    def test_a_vendor_without_reads(self, vendor, action):
        """Where nothing can be read, a lost answer stays in doubt, though a later yes may be given."""
        vendor.reads = False
        vendor.fail(action, Fault(error=lost()))

        assert in_doubt(carry_out(vendor, action)) == (True, False)
