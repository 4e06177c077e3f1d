"""One action on every live recording of a call: what is repeated, what is believed, and when it gives up."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from call_recording import errors
from call_recording.command import Command
from call_recording.conversation import Conversation
from call_recording.model import Action, Call, CallState, Deadline, Proof, Recording, RecordingStatus, Report
from call_recording.ports import Vendor
from tests.unit.fake_vendor import FakeVendor, Fault, ManualClock, lost, unreachable

RUNNING = RecordingStatus.IN_PROGRESS
PAUSED = RecordingStatus.PAUSED
BUDGET = 3.45


@pytest.fixture(name="clock")
def _clock() -> ManualClock:
    return ManualClock()


class TwoLegs(FakeVendor):
    """A vendor whose list of a call may name recordings of another leg as well."""

    listed: Mapping[str, str] | None = None  #: the call that each belongs to by the list; None: as usual
    parent: str | None = None  #: the leg that the call was made from by what it says of the call

    def call_state(self, call: Call, *, timeout: float) -> CallState:
        """Say what is known of a call."""
        usual = super().call_state(call, timeout=timeout)
        return replace(usual, parent_call_id=self.parent or usual.parent_call_id)

    def recordings(self, call: Call, *, timeout: float) -> Sequence[Recording]:
        """List the recordings of a call."""
        usual = super().recordings(call, timeout=timeout)
        if self.listed is None:
            return usual
        return [replace(each, call_id=self.listed[str(each.recording_id)]) for each in usual]


@pytest.fixture(name="vendor")
def _vendor(clock: ManualClock) -> TwoLegs:
    return TwoLegs(clock=clock)


@pytest.fixture(name="listing")
def _listing(clock: ManualClock) -> FakeVendor:
    """A vendor that has no word for the current recording."""
    return FakeVendor(clock=clock, current_recording=None)


def carry_out(
    vendor: FakeVendor,
    action: Action = Action.PAUSE,
    *,
    named: str | None = None,
    budget: float = BUDGET,
    renew: Callable[[Vendor], Vendor | None] = lambda _: None,
) -> Report:
    """Carry out *action* on the call `CA`, and hold the command to its budget."""
    started = vendor.clock.monotonic()
    conversation = Conversation(
        vendor=vendor, clock=vendor.clock, deadline=Deadline(vendor.clock.monotonic, budget), renew=renew
    )
    report = Command(conversation, Call(call_id="CA"), action).carry_out(named)
    assert vendor.clock.monotonic() - started <= budget + 1e-6
    return report


def confirmed(report: Report, action: Action = Action.PAUSE) -> bool:
    """Whether every recording of *report* is proven to be as asked, and nothing stood in the way."""
    proven = [each.is_as_asked(action) and each.proof is Proof.OBSERVED for each in report.recordings]
    return bool(proven) and all(proven) and report.error is None


def nothing_left(report: Report) -> bool:
    """Whether *report* says that the call is live and that nothing is being recorded on it."""
    return report.recordings == () and report.error is None


class TestOneRecording:
    @pytest.mark.parametrize("action", [Action.PAUSE, Action.STOP])
    def test_one_request(self, vendor, action):
        """
        The one active recording of a call takes one request.
        """
        assert confirmed(carry_out(vendor, action), action)
        assert vendor.asked == [(action, "CURRENT")]

    @pytest.mark.parametrize("named", [None, "RE1"])
    def test_a_resume_looks_first(self, vendor, named):
        """
        Before a resume the recordings are listed, and what is paused is asked for by id; a named one is no shortcut.
        """
        vendor.statuses["RE1"] = PAUSED

        report = carry_out(vendor, Action.RESUME, named=named)

        assert confirmed(report, Action.RESUME)
        assert [(each.recording_id, each.status) for each in report.found or ()] == [("RE1", PAUSED)]
        assert vendor.asked == [("list", "CA"), ("resume", "RE1")]

    def test_a_resume_of_what_runs(self, vendor):
        """
        A recording that runs before the resume is not asked for again, and the report tells that it ran.
        """
        report = carry_out(vendor, Action.RESUME)

        assert confirmed(report, Action.RESUME)
        assert [each.status for each in report.found or ()] == [RUNNING]
        assert vendor.asked == [("list", "CA")]

    def test_list_first(self, listing):
        """
        Where the vendor has no word for the current recording, the call's recordings are listed and asked by id.
        """
        assert confirmed(carry_out(listing))
        assert listing.asked == [("list", "CA"), ("pause", "RE1")]

    def test_already_as_asked(self, listing):
        """
        A recording that the list shows as asked is left alone, and that read is the proof.
        """
        listing.statuses["RE1"] = PAUSED

        assert confirmed(carry_out(listing))
        assert listing.asked == [("list", "CA")]


class TestScenario01NoAnswer:
    def test_scenario_01_silent(self, vendor):
        """
        A vendor that never answers is asked again inside the budget, and nothing is believed.
        """
        vendor.fail("any", *[Fault(takes=60, applied=False) for _ in range(20)])

        report = carry_out(vendor)

        assert isinstance(report.error, errors.OutcomeUnknownError)
        assert not any(each.proof is Proof.OBSERVED for each in report.recordings)

    def test_scenario_01_second_try(self, vendor):
        """
        A pause whose first answer fails is read back, sent again, and confirmed.
        """
        vendor.fail("pause", Fault(error=lost(), applied=False))

        assert confirmed(carry_out(vendor))
        assert [what for what, _ in vendor.asked].count("pause") == 2

    def test_scenario_01_never_sent(self, vendor):
        """
        A request that was never sent is sent again, whatever it asks for.
        """
        vendor.statuses["RE1"] = PAUSED
        vendor.fail("resume", Fault(error=unreachable(), applied=False), Fault(error=unreachable(), applied=False))

        assert confirmed(carry_out(vendor, Action.RESUME), Action.RESUME)
        assert vendor.asked == [("list", "CA"), *[("resume", "RE1")] * 3]

    def test_scenario_01_never_reached(self, vendor):
        """
        A vendor that cannot be reached at all ends as such, inside the budget.
        """
        vendor.fail("any", *[Fault(error=unreachable(), applied=False) for _ in range(100)])

        report = carry_out(vendor)

        assert isinstance(report.error, errors.VendorUnreachableError)
        assert 3 < len(vendor.asked) < 30

    def test_scenario_01_no_time(self, vendor):
        """
        Without time for an answer nothing is sent.
        """
        report = carry_out(vendor, budget=0.04)

        assert isinstance(report.error, errors.VendorUnreachableError)
        assert vendor.asked == []


class TestScenario02LostAnswer:
    @pytest.mark.parametrize(
        ("action", "before"), [(Action.PAUSE, RUNNING), (Action.RESUME, PAUSED), (Action.STOP, RUNNING)]
    )
    @pytest.mark.parametrize("current", ["CURRENT", None])
    def test_scenario_02_applied(self, vendor, action, before, current):
        """
        A command whose answer was lost, but that was applied, is confirmed by a read and not sent again.
        """
        vendor.current_recording = current
        vendor.statuses["RE1"] = before
        vendor.fail(action, Fault(error=lost()))

        report = carry_out(vendor, action)

        # a recording that was stopped is no longer listed as live, so a stop of the current one has nothing left to show
        assert confirmed(report, action) or (action is Action.STOP and current and nothing_left(report))
        assert [what for what, _ in vendor.asked].count(action) == 1

    @pytest.mark.parametrize("action", [Action.RESUME, Action.STOP])
    @pytest.mark.parametrize("current", ["CURRENT", None])
    def test_scenario_02_not_repeated(self, vendor, action, current):
        """
        A resume or a stop with no answer is never sent twice: it is watched until the budget ends, and unknown.
        """
        vendor.current_recording = current
        vendor.statuses["RE1"] = PAUSED
        vendor.fail(action, Fault(error=lost(), applied=False))

        report = carry_out(vendor, action)

        assert isinstance(report.error, errors.OutcomeUnknownError)
        assert [what for what, _ in vendor.asked].count(action) == 1

    def test_scenario_02_slow_then_applied(self, vendor):
        """
        A pause that the vendor applies after its answer was given up is seen by a read.
        """
        vendor.lag = 1.0
        vendor.fail("pause", *[Fault(takes=60) for _ in range(9)])

        assert confirmed(carry_out(vendor))

    def test_scenario_02_read_fails_too(self, listing):
        """
        With neither an answer nor a read, what was known before the command is known no longer.
        """
        listing.fail("pause", *[Fault(error=lost()) for _ in range(99)])
        listing.fail("read", *[Fault(error=lost()) for _ in range(99)])

        report = carry_out(listing)

        assert isinstance(report.error, errors.OutcomeUnknownError)
        assert [(each.status, each.proof) for each in report.recordings] == [(RecordingStatus.UNKNOWN, Proof.NONE)]
        assert 3 < [what for what, _ in listing.asked].count("pause") < 12  # in turn with the reads, with growing waits


class TestScenario03NothingHappened:
    def test_scenario_03_accepted_only(self, listing):
        """
        A vendor that accepts a pause and never applies it is not believed.
        """
        listing.final = False
        listing.fail("pause", Fault(applied=False))

        report = carry_out(listing)

        assert isinstance(report.error, errors.UnconfirmedError)
        assert [each.status for each in report.recordings] == [RUNNING]

    def test_scenario_03_other_status(self, vendor):
        """
        A yes that names another status is read back, and not confirmed while the reads agree with it.
        """
        vendor.fail("pause", Fault(applied=False))

        report = carry_out(vendor)

        assert isinstance(report.error, errors.UnconfirmedError)
        assert [what for what, _ in vendor.asked].count("pause") == 1

    def test_scenario_03_accepted_and_unreadable(self, listing):
        """
        An accepted pause that no read shows is unconfirmed, and the recording's status unknown.
        """
        listing.final = False
        listing.fail("read", *[Fault(error=lost()) for _ in range(99)])

        report = carry_out(listing)

        assert isinstance(report.error, errors.UnconfirmedError)
        assert [each.proof for each in report.recordings] == [Proof.NONE]


class TestScenario04AppliedLater:
    def test_scenario_04_polled(self, listing):
        """
        A pause that is applied after a second is polled for with growing waits, and confirmed.
        """
        listing.final, listing.lag = False, 1.0

        assert confirmed(carry_out(listing))
        reads = [what for what, _ in listing.asked].count("read")
        assert 3 <= reads <= 8

    def test_scenario_04_too_late(self, listing):
        """
        One that is applied after the budget is not confirmed.
        """
        listing.final, listing.lag = False, 5.0

        assert isinstance(carry_out(listing).error, errors.UnconfirmedError)


class TestScenario05RateLimit:
    @pytest.mark.parametrize("action", [Action.PAUSE, Action.RESUME])
    def test_scenario_05_waits(self, vendor, action):
        """
        A Retry-After that fits into the budget is waited for.
        """
        limited = vendor.refusal(errors.RateLimitedError, 429, retry_after=1.5)
        vendor.fail(action, Fault(error=limited, applied=False))
        vendor.statuses["RE1"] = PAUSED if action is Action.RESUME else RUNNING
        started = vendor.clock.monotonic()

        assert confirmed(carry_out(vendor, action), action)
        assert vendor.clock.monotonic() - started == pytest.approx(1.5)

    @pytest.mark.parametrize("seconds", [0.0, 0.001])
    def test_scenario_05_at_once(self, vendor, seconds):
        """
        A vendor that says to try again at once is still given time: waits grow, and the limit is told as one.
        """
        limited = vendor.refusal(errors.RateLimitedError, 429, retry_after=seconds)
        vendor.fail("any", *[Fault(error=limited, applied=False) for _ in range(999)])

        assert carry_out(vendor).error is limited
        assert len(vendor.asked) < 15

    def test_scenario_09_one_limited(self, listing):
        """
        A limit on one recording keeps the others from being paused no more than any other refusal.
        """
        listing.statuses |= {"RE2": RUNNING, "RE3": RUNNING}
        limited = listing.refusal(errors.RateLimitedError, 429, retry_after=60)
        listing.fail("pause", Fault(error=limited, applied=False))

        assert carry_out(listing).error is limited
        assert listing.statuses == {"RE1": RUNNING, "RE2": PAUSED, "RE3": PAUSED}

    def test_scenario_05_too_long(self, vendor):
        """
        One that does not fit is passed on at once, and no other recording is asked about.
        """
        limited = vendor.refusal(errors.RateLimitedError, 429, retry_after=30)
        vendor.fail("pause", Fault(error=limited, applied=False))

        report = carry_out(vendor)

        assert (report.error, report.recordings, report.in_doubt) == (limited, (), False)
        assert vendor.asked == [("pause", "CURRENT")]

    def test_scenario_05_second_of_two(self, listing):
        """
        A limit that strikes between two recordings ends the command: the first is paused, the second is not proven.
        """
        listing.statuses["RE2"] = RUNNING
        limited = listing.refusal(errors.RateLimitedError, 429, retry_after=30)
        listing.fail("pause", Fault(), Fault(error=limited, applied=False))

        report = carry_out(listing)

        assert report.error is limited
        assert [each.is_as_asked(Action.PAUSE) for each in report.recordings] == [True, False]

    def test_scenario_05_while_settling(self, listing):
        """
        A limit on the second try of an unclear pause is passed on.
        """
        limited = listing.refusal(errors.RateLimitedError, 429, retry_after=30)
        listing.fail("pause", Fault(error=lost(), applied=False), Fault(error=limited, applied=False))

        assert carry_out(listing).error is limited


class TestScenario06Refusals:
    def test_scenario_06_already_paused(self, listing):
        """
        A refusal that means "already paused" is found out by a read.
        """
        conflict = listing.refusal(errors.ConflictError, 409)
        listing.fail("pause", Fault(error=conflict))

        assert confirmed(carry_out(listing))

    @pytest.mark.parametrize("kind", [errors.ConflictError, errors.VendorResponseError, errors.RecordingNotFoundError])
    def test_scenario_06_not_retried(self, listing, kind):
        """
        A refusal is looked into once, and never sent again.
        """
        listing.fail("pause", Fault(error=listing.refusal(kind, 422), applied=False))

        report = carry_out(listing)

        assert type(report.error) is kind
        assert listing.asked == [("list", "CA"), ("pause", "RE1"), ("read", "RE1")]

    def test_scenario_12_busy(self, vendor):
        """
        A recording that is being modified (Twilio's 16114) is asked again after a short wait.
        """
        busy = vendor.refusal(errors.RecordingBusyError, 409)
        vendor.fail("pause", Fault(error=busy, applied=False), Fault(error=busy, applied=False))

        assert confirmed(carry_out(vendor))
        assert vendor.asked == [("pause", "CURRENT")] * 3


class TestScenario07NothingToPause:
    @pytest.mark.parametrize("current", ["CURRENT", None])
    def test_scenario_07_not_recording(self, vendor, current):
        """
        A live call whose list shows no live recording is reported as exactly that.
        """
        vendor.current_recording, vendor.statuses = current, {"RE1": RecordingStatus.COMPLETED}

        assert nothing_left(carry_out(vendor))

    def test_scenario_07_call_over(self, vendor):
        """
        A call that is over is a conflict, not a call without recordings.
        """
        vendor.live, vendor.statuses = False, {}

        assert isinstance(carry_out(vendor).error, errors.ConflictError)

    def test_scenario_07_no_such_call(self, vendor):
        """
        A call that the vendor does not know is not found.
        """
        vendor.statuses = {}
        missing = vendor.refusal(errors.RecordingNotFoundError, 404)
        vendor.fail("call", Fault(error=missing))

        error = carry_out(vendor).error

        assert isinstance(error, errors.CallNotFoundError)
        assert (error.http_status, error.__cause__) == (404, missing)

    def test_scenario_07_no_list_of_a_live_call(self, listing):
        """
        A list that is refused for a call that lives shows nothing, and so proves nothing.
        """
        missing = listing.refusal(errors.RecordingNotFoundError, 404)
        listing.fail("list", Fault(error=missing))

        assert carry_out(listing).error is missing

    def test_scenario_07_no_list_of_a_call_that_is_over(self, listing):
        """
        A vendor that lists only live calls' recordings still tells a call that is over.
        """
        listing.live = False
        listing.fail("list", Fault(error=listing.refusal(errors.RecordingNotFoundError, 404)))

        assert isinstance(carry_out(listing).error, errors.ConflictError)

    def test_scenario_07_ended_meanwhile(self, listing):
        """
        A recording that ends before it can be paused is no longer one of the call's live recordings.
        """
        gone = listing.refusal(errors.RecordingNotFoundError, 404)
        listing.fail("pause", Fault(error=gone, applied=False))
        listing.fail("read", Fault(word=RecordingStatus.COMPLETED))
        listing.fail("list", Fault(), Fault(word=RecordingStatus.COMPLETED))

        assert nothing_left(carry_out(listing))

    def test_scenario_11_one_ended_and_one_started(self, listing):
        """
        If one of two recordings ended and another one started meanwhile, the call is not proven paused.
        """
        listing.statuses["RE2"] = RUNNING
        gone = listing.refusal(errors.RecordingNotFoundError, 404)

        changed = {"RE2": RecordingStatus.COMPLETED, "RE3": RUNNING}
        listing.fail("pause", Fault(), Fault(error=gone, applied=False, meanwhile=changed))

        report = carry_out(listing)

        assert isinstance(report.error, errors.UnconfirmedError)
        assert {each.recording_id: each.status for each in report.recordings} == {"RE1": PAUSED, "RE3": RUNNING}

    def test_scenario_11_one_ended(self, listing):
        """
        If one of two recordings ended meanwhile and the other is paused, that is all there is to pause.
        """
        listing.statuses["RE2"] = RUNNING
        gone = listing.refusal(errors.RecordingNotFoundError, 404)
        changed = {"RE2": RecordingStatus.COMPLETED}
        listing.fail("pause", Fault(), Fault(error=gone, applied=False, meanwhile=changed))

        assert confirmed(carry_out(listing))

    def test_scenario_11_another_one_started(self, listing):
        """
        If the only recording ended and another one is there by then, nothing is proven.
        """
        gone = listing.refusal(errors.RecordingNotFoundError, 404)
        listing.fail("pause", Fault(error=gone, applied=False))
        listing.fail("read", Fault(word=RecordingStatus.COMPLETED))

        assert isinstance(carry_out(listing).error, errors.UnconfirmedError)


class TestScenario09Several:
    @pytest.mark.parametrize("current", ["CURRENT", None])
    @pytest.mark.parametrize("action", list(Action))
    def test_scenario_09_each_by_id(self, vendor, current, action):
        """
        Several active recordings are listed and each is asked by its id.
        """
        vendor.current_recording = current
        vendor.statuses = dict.fromkeys(("RE1", "RE2", "RE3"), PAUSED if action is Action.RESUME else RUNNING)

        report = carry_out(vendor, action)

        assert confirmed(report, action)
        assert [each.recording_id for each in report.recordings] == ["RE1", "RE2", "RE3"]

    def test_scenario_09_all_are_asked_first(self, listing):
        """
        Every recording is asked before the first is waited for.
        """
        listing.final, listing.lag = False, 1.0
        listing.statuses["RE2"] = RUNNING

        assert confirmed(carry_out(listing))
        assert listing.asked[:3] == [("list", "CA"), ("pause", "RE1"), ("pause", "RE2")]

    def test_scenario_09_partial(self, listing):
        """
        One recording that cannot be paused leaves the others paused, and the report unproven.
        """
        listing.statuses["RE2"] = RUNNING
        listing.statuses["RE3"] = RUNNING
        refused = listing.refusal(errors.VendorResponseError, 422)
        also = listing.refusal(errors.ConflictError, 409)
        listing.fail("pause", Fault(error=refused, applied=False), Fault(), Fault(error=also, applied=False))

        report = carry_out(listing)

        assert report.error is refused
        assert [each.status for each in report.recordings] == [RUNNING, PAUSED, RUNNING]

    def test_scenario_09_hopeless_later(self, listing):
        """
        Credentials that are refused while one recording is being proven are told as such.
        """
        listing.statuses["RE2"] = RUNNING
        refused = listing.refusal(errors.AuthenticationError, 403)
        listing.fail("pause", *[Fault(error=lost(), applied=False)] * 2, Fault(error=refused, applied=False))

        assert carry_out(listing).error is refused

    def test_scenario_09_hopeless(self, listing):
        """
        Once the credentials are refused, no other recording is asked about.
        """
        listing.statuses["RE2"] = RUNNING
        refused = listing.refusal(errors.AuthenticationError, 403)
        listing.fail("pause", Fault(error=refused, applied=False))

        assert carry_out(listing).error is refused
        assert listing.asked == [("list", "CA"), ("pause", "RE1")]

    def test_scenario_08_status_without_a_name(self, listing):
        """
        A recording whose status has no name of ours may be taping: it counts as live, and is not skipped.
        """
        listing.statuses["RE1"] = RecordingStatus.UNKNOWN

        report = carry_out(listing)

        assert report.error is not None
        assert ("pause", "RE1") in listing.asked

    def test_scenario_09_lost_answer(self, vendor):
        """
        When the answer about the current recording is lost, all that the list shows are paused.
        """
        vendor.statuses["RE2"] = RUNNING
        vendor.fail("pause", Fault(error=lost(), applied=False))

        assert confirmed(carry_out(vendor))
        assert vendor.statuses == {"RE1": PAUSED, "RE2": PAUSED}

    def test_scenario_13_other_leg(self, vendor):
        """
        The recordings of the leg that a call was made from are named, and left to that leg's own ledger.
        """
        vendor.leg = "CA-parent"

        report = carry_out(vendor)

        assert nothing_left(report)
        assert report.parent == "CA-parent"
        assert vendor.statuses == {"RE1": RUNNING}

    def test_scenario_13_other_leg_asked_twice(self, vendor):
        """
        An answer that is lost about the call is asked for again: which leg it was made from must be known.
        """
        vendor.leg = "CA-parent"
        vendor.fail("call", Fault(error=lost()))

        report = carry_out(vendor)

        assert nothing_left(report)
        assert report.parent == "CA-parent"

    def test_scenario_13_other_leg_listed_for_a_while(self, vendor):
        """
        The leg that a call was made from is remembered though its recording has ended by the second look.
        """
        vendor.current_recording, vendor.parent = None, "CA-parent"
        vendor.listed = {"RE1": "CA", "RE2": "CA", "RE3": "CA-parent"}
        vendor.statuses = dict.fromkeys(vendor.listed, RUNNING)
        gone = vendor.refusal(errors.RecordingNotFoundError, 404)
        ended = {"RE2": RecordingStatus.COMPLETED, "RE3": RecordingStatus.COMPLETED}
        vendor.fail("pause", Fault(), Fault(error=gone, applied=False, meanwhile=ended))

        report = carry_out(vendor)

        assert confirmed(report)
        assert report.parent == "CA-parent"

    @pytest.mark.parametrize("call_id", ["CA", "ca"])
    def test_scenario_13_own_leg(self, vendor, call_id):
        """
        A call with live recordings of its own names no other leg, in whatever case the vendor spells its id.
        """
        vendor.current_recording, vendor.listed = None, {"RE1": call_id}
        vendor.statuses["RE1"] = PAUSED

        report = carry_out(vendor)

        assert confirmed(report)
        assert report.parent is None

    @pytest.mark.parametrize("action", list(Action))
    def test_scenario_13_listed_with_another_leg(self, vendor, action):
        """
        Recordings of the leg that the call was made from are not touched though the list names them, and it is named.
        """
        vendor.current_recording, vendor.listed, vendor.parent = None, {"RE1": "CA-parent"}, "CA-parent"

        report = carry_out(vendor, action)

        assert nothing_left(report)
        assert (report.parent, report.found) == ("CA-parent", ())
        assert vendor.asked == [("list", "CA"), ("call", "CA")]

    @pytest.mark.parametrize("action", list(Action))
    @pytest.mark.parametrize("parent", [None, "CA-parent"])
    @pytest.mark.parametrize("listed", [{"RE1": "CB"}, {"RE1": "CA", "RE2": "CB"}, {"RE1": "CA-parent", "RE2": "CB"}])
    def test_scenario_43_a_list_of_another_call(self, vendor, action, parent, listed):
        """
        A list that names recordings of a call that is neither leg is no answer, and nothing is sent on its account.
        """
        vendor.current_recording, vendor.listed, vendor.parent = None, listed, parent
        vendor.statuses = dict.fromkeys(listed, RUNNING)

        report = carry_out(vendor, action)

        assert isinstance(report.error, errors.OutcomeUnknownError)
        assert (report.recordings, report.found, report.in_doubt) == ((), None, False)
        assert {what for what, _ in vendor.asked} == {"list", "call"}

    def test_scenario_13_listed_with_those_of_another_leg(self, vendor):
        """
        Of a list with recordings of both legs the call's own are paused, and the other leg is named.
        """
        vendor.current_recording, vendor.parent = None, "CA-parent"
        vendor.listed = {"RE1": "CA", "RE2": "CA-parent"}
        vendor.statuses["RE2"] = RUNNING

        report = carry_out(vendor)

        assert confirmed(report)
        assert report.parent == "CA-parent"
        assert vendor.statuses == {"RE1": PAUSED, "RE2": RUNNING}

    def test_scenario_13_answer_names_another_leg(self, vendor):
        """
        A lost answer about the current recording leaves it in doubt, whichever leg it was of.
        """
        vendor.fail("pause", Fault(error=lost(), applied=False))
        vendor.leg = "CA-parent"

        report = carry_out(vendor)

        assert nothing_left(report)
        assert (report.parent, report.in_doubt) == ("CA-parent", True)


class TestNamed:
    def test_named_first(self, listing):
        """
        The recording that the trigger names is paused first; the others follow.
        """
        listing.statuses["RE2"] = RUNNING

        assert confirmed(carry_out(listing, named="RE2"))
        assert listing.asked == [("pause", "RE2"), ("list", "CA"), ("pause", "RE1")]

    @pytest.mark.parametrize("current", ["CURRENT", None])
    def test_named_and_contradicted(self, vendor, current):
        """
        A later list that shows the named recording running outweighs the answer that said it was paused.
        """
        vendor.current_recording = current
        vendor.fail("list", Fault(word=RUNNING))
        vendor.fail("read", *[Fault(word=RUNNING) for _ in range(99)])

        assert isinstance(carry_out(vendor, named="RE1").error, errors.UnconfirmedError)

    def test_named_and_listed_late(self, listing):
        """
        A list that is a moment behind costs a read and not the pause.
        """
        listing.fail("list", Fault(word=RUNNING))

        assert confirmed(carry_out(listing, named="RE1"))
        assert listing.asked == [("pause", "RE1"), ("list", "CA"), ("read", "RE1")]

    def test_named_accepted(self, listing):
        """
        A named recording whose pause was only accepted is watched, not asked again.
        """
        listing.final, listing.lag = False, 0.5

        assert confirmed(carry_out(listing, named="RE1"))
        assert [what for what, _ in listing.asked].count("pause") == 1

    def test_named_unlisted(self, listing):
        """
        A named recording whose pause was accepted is watched even if the list does not show it.
        """
        listing.final, listing.lag = False, 0.5
        listing.fail("list", Fault(word=RecordingStatus.COMPLETED))

        assert confirmed(carry_out(listing, named="RE1"))

    def test_named_where_only_reads_prove(self, listing):
        """
        A vendor whose yes proves nothing is looked at first: so it is known what one request of ours has changed.
        """
        listing.final, listing.lag = False, 0.5
        report = carry_out(listing, named="RE1")

        assert confirmed(report)
        assert listing.asked[:2] == [("list", "CA"), ("pause", "RE1")]
        assert (report.in_doubt, report.own_work) == (True, True)

    def test_named_where_only_reads_prove_and_unlisted(self, listing):
        """
        A named recording that the list does not show is asked all the same, last, and watched; of its own work nobody knows.
        """
        listing.final, listing.lag, listing.statuses["RE2"] = False, 0.5, RUNNING
        listing.fail("list", Fault(omits="RE1"))
        report = carry_out(listing, named="RE1")

        assert confirmed(report)
        assert listing.asked[:3] == [("list", "CA"), ("pause", "RE1"), ("pause", "RE2")]
        assert (report.in_doubt, report.own_work) == (True, False)

    def test_named_where_only_reads_prove_and_none_comes(self, listing):
        """
        Without a list the named recording is paused all the same; that proves nothing.
        """
        listing.final = False
        listing.fail("list", *[Fault(error=lost()) for _ in range(99)])
        report = carry_out(listing, named="RE1")

        assert isinstance(report.error, errors.OutcomeUnknownError)
        assert (listing.statuses["RE1"], report.in_doubt, report.own_work) == (PAUSED, True, False)

    def test_named_where_only_reads_prove_and_none_comes_in_time(self, listing):
        """
        A list that takes all the time that it is given leaves enough for the pause of the recording that is named.
        """
        listing.final = False
        listing.fail("list", *[Fault(error=lost(), takes=10.0) for _ in range(99)])
        report = carry_out(listing, named="RE1")

        assert isinstance(report.error, errors.OutcomeUnknownError)
        assert listing.statuses["RE1"] == PAUSED

    @pytest.mark.parametrize(("named", "spelt"), [("re1", "RE1"), ("RE1", "re1")])
    def test_named_where_only_reads_prove_in_another_case(self, listing, named, spelt):
        """
        A recording that is named in another case than it is listed is the same one, and is asked once.
        """
        listing.final, listing.lag, listing.statuses = False, 0.5, {spelt: RUNNING}
        report = carry_out(listing, named=named)

        assert confirmed(report)
        assert [what for what, _ in listing.asked].count("pause") == 1
        assert (report.in_doubt, report.own_work) == (True, True)

    def test_scenario_43_named_where_only_reads_prove_and_not_of_this_call(self, listing):
        """
        A named recording that the call does not have is not found there either.
        """
        listing.final, listing.lag = False, 0.5
        report = carry_out(listing, named="RE9")

        assert isinstance(report.error, errors.RecordingNotFoundError)
        assert listing.statuses == {"RE1": PAUSED}

    def test_named_elsewhere(self, vendor):
        """
        A named recording that is not the call's own is no error if there is another leg, which is named.
        """
        vendor.leg = "CA-parent"

        report = carry_out(vendor, named="RE1")

        assert nothing_left(report)
        assert report.parent == "CA-parent"
        assert vendor.statuses == {"RE1": RUNNING}

    def test_scenario_43_not_of_this_call(self, listing):
        """
        A named recording that the call does not have is not found; the call's own are paused all the same.
        """
        report = carry_out(listing, named="RE9")

        assert isinstance(report.error, errors.RecordingNotFoundError)
        assert listing.statuses == {"RE1": PAUSED}

    def test_named_refused(self, listing):
        """
        A named recording that is refused is not asked a second time.
        """
        refused = listing.refusal(errors.VendorResponseError, 422)
        listing.fail("pause", Fault(error=refused, applied=False))

        assert carry_out(listing, named="RE1").error is refused
        assert [what for what, _ in listing.asked].count("pause") == 1

    def test_named_bad_credentials(self, listing):
        """
        Refused credentials end the command at once.
        """
        refused = listing.refusal(errors.AuthenticationError, 403)
        listing.fail("pause", Fault(error=refused, applied=False))

        report = carry_out(listing, named="RE1")

        assert (report.error, report.recordings, report.in_doubt) == (refused, (), False)

    def test_a_resume_of_one_elsewhere(self, vendor):
        """
        A resume asks for nothing of the other leg, and names it.
        """
        vendor.leg = "CA-parent"
        vendor.statuses["RE1"] = PAUSED

        report = carry_out(vendor, Action.RESUME, named="RE1")

        assert nothing_left(report)
        assert report.parent == "CA-parent"
        assert vendor.asked == [("list", "CA"), ("call", "CA")]

    def test_stop_narrowed(self, vendor):
        """
        Naming a recording narrows a stop to that one.
        """
        vendor.statuses["RE2"] = RUNNING

        assert confirmed(carry_out(vendor, Action.STOP, named="RE2"), Action.STOP)
        assert vendor.statuses == {"RE1": RUNNING, "RE2": RecordingStatus.STOPPED}

    def test_stop_elsewhere(self, vendor):
        """
        A stop does not find a named recording of the other leg, names that leg, and stops nothing.
        """
        vendor.leg = "CA-parent"

        report = carry_out(vendor, Action.STOP, named="RE1")

        assert isinstance(report.error, errors.RecordingNotFoundError)
        assert report.parent == "CA-parent"
        assert vendor.statuses == {"RE1": RUNNING}

    @pytest.mark.parametrize("leg", ["CA", "CA-parent"])
    def test_stop_not_found(self, vendor, leg):
        """
        A stop of a recording that the call does not have is not found, and stops nothing.
        """
        vendor.leg = leg

        assert isinstance(carry_out(vendor, Action.STOP, named="RE9").error, errors.RecordingNotFoundError)
        assert vendor.statuses == {"RE1": RUNNING}

    def test_stop_refused(self, vendor):
        """
        A stop that the vendor refuses although the recording is there stays refused.
        """
        gone = vendor.refusal(errors.RecordingNotFoundError, 404)
        vendor.fail("stop", Fault(error=gone, applied=False))

        assert carry_out(vendor, Action.STOP, named="RE1").error is gone


class TestWithoutReads:
    @pytest.fixture(name="silent")
    def _silent(self, clock: ManualClock) -> FakeVendor:
        return FakeVendor(clock=clock, reads=False, current_recording=None)

    @pytest.mark.parametrize("action", list(Action))
    def test_acknowledged(self, silent, action):
        """
        A vendor that offers no read is asked once, and its yes is marked as no more than that.
        """
        report = carry_out(silent, action)

        assert [(each.proof, each.is_as_asked(action)) for each in report.recordings] == [(Proof.ACKNOWLEDGED, True)]
        assert silent.asked == [(action, None)]

    def test_unclear_pause(self, silent):
        """
        A pause with no answer is sent again.
        """
        silent.fail("pause", Fault(error=lost()), Fault(error=lost()))

        assert carry_out(silent).error is None
        assert len(silent.asked) == 3

    @pytest.mark.parametrize("action", [Action.RESUME, Action.STOP])
    def test_unclear_other(self, silent, action):
        """
        A resume or a stop with no answer is not.
        """
        silent.fail(action, Fault(error=lost()))

        assert isinstance(carry_out(silent, action).error, errors.OutcomeUnknownError)
        assert len(silent.asked) == 1

    def test_unclear_for_ever(self, silent):
        """
        A pause that is never answered ends unknown, inside the budget.
        """
        silent.fail("pause", *[Fault(error=lost()) for _ in range(99)])

        assert isinstance(carry_out(silent).error, errors.OutcomeUnknownError)

    @pytest.mark.parametrize(
        ("kind", "http_status"), [(errors.AuthenticationError, 403), (errors.RateLimitedError, 429)]
    )
    def test_refused(self, silent, kind, http_status):
        """
        A refusal that says nothing of the call is passed on.
        """
        refused = silent.refusal(kind, http_status)
        silent.fail("pause", *[Fault(error=refused, applied=False) for _ in range(99)])

        report = carry_out(silent)

        assert (report.error, report.recordings, report.in_doubt) == (refused, (), False)
        assert set(silent.asked) == {("pause", None)}

    @pytest.mark.parametrize(
        ("kind", "http_status"),
        [(errors.RecordingNotFoundError, 404), (errors.ConflictError, 409), (errors.VendorResponseError, 400)],
    )
    @pytest.mark.parametrize("action", list(Action))
    def test_refused_by_a_live_call(self, silent, kind, http_status, action):
        """
        A refusal that may mean that the call is over is looked into, and stands if the call is live.
        """
        refused = silent.refusal(kind, http_status)
        silent.fail(action, Fault(error=refused, applied=False))

        assert carry_out(silent, action).error is refused
        assert silent.asked == [(action, None), ("call", "CA")]

    @pytest.mark.parametrize("kind", [errors.RecordingNotFoundError, errors.ConflictError])
    def test_scenario_07_refused_as_over(self, silent, kind):
        """
        A refusal by a call that the vendor shows as ended means that the call is over.
        """
        silent.live = False
        silent.fail("pause", Fault(error=silent.refusal(kind, 409), applied=False))

        assert isinstance(carry_out(silent).error, errors.CallOverError)

    def test_scenario_07_refused_as_unknown(self, silent):
        """
        A refusal by a call that the vendor does not know at all is told as such.
        """
        missing = silent.refusal(errors.RecordingNotFoundError, 404)
        silent.fail("pause", Fault(error=missing, applied=False))
        silent.fail("call", Fault(error=missing))

        assert isinstance(carry_out(silent).error, errors.CallNotFoundError)

    def test_refused_and_not_to_be_looked_into(self, silent):
        """
        If the call cannot be asked about, the refusal is what is known.
        """
        refused = silent.refusal(errors.ConflictError, 409)
        silent.fail("pause", Fault(error=refused, applied=False))
        silent.fail("call", *[Fault(error=lost()) for _ in range(99)])

        assert carry_out(silent).error is refused
        assert silent.asked == [("pause", None), ("call", "CA")]


class TestScenario30Credentials:
    def test_scenario_30_renewed_once(self, vendor):
        """
        After a 401 the command goes on with what was read afresh.
        """
        refused = vendor.refusal(errors.AuthenticationError, 401)
        vendor.fail("pause", Fault(error=refused, applied=False))

        assert confirmed(carry_out(vendor, renew=lambda old: old))

    def test_scenario_30_not_twice(self, vendor):
        """
        A second 401 stands.
        """
        refused = vendor.refusal(errors.AuthenticationError, 401)
        vendor.fail("pause", *[Fault(error=refused, applied=False) for _ in range(9)])

        assert carry_out(vendor, renew=lambda old: old).error is refused
        assert len(vendor.asked) == 2

    def test_scenario_30_no_time_to_renew(self, vendor):
        """
        Without the time to read the secret, the refusal stands and is told as such.
        """
        refused = vendor.refusal(errors.AuthenticationError, 401)
        vendor.fail("pause", Fault(error=refused, applied=False, takes=0.3))

        assert carry_out(vendor, budget=1.5, renew=lambda old: old).error is refused

    def test_scenario_30_slow_renewal(self, vendor):
        """
        A renewal that takes all the time there is leaves the refusal to be told, not a silence.
        """
        refused = vendor.refusal(errors.AuthenticationError, 401)
        vendor.fail("pause", Fault(error=refused, applied=False))

        def renew(old):
            vendor.clock.sleep(1.65)
            return old

        conversation = Conversation(
            vendor=vendor, clock=vendor.clock, deadline=Deadline(vendor.clock.monotonic, 1.7), renew=renew
        )

        assert Command(conversation, Call(call_id="CA"), Action.PAUSE).carry_out().error is refused

    def test_scenario_05_no_time_left(self, vendor):
        """
        A limit that leaves no time for another try is told as a limit.
        """
        limited = vendor.refusal(errors.RateLimitedError, 429, retry_after=3.4)
        vendor.fail("pause", Fault(error=limited, applied=False))

        assert carry_out(vendor).error is limited

    def test_scenario_05_slept_too_long(self, vendor):
        """
        A wait that lasts longer than it was told to leaves the limit to be told, not a silence.
        """
        limited = vendor.refusal(errors.RateLimitedError, 429, retry_after=2.0)
        vendor.fail("pause", Fault(error=limited, applied=False))
        vendor.clock.oversleeps = 2.0
        conversation = Conversation(
            vendor=vendor,
            clock=vendor.clock,
            deadline=Deadline(vendor.clock.monotonic, BUDGET),
            renew=lambda _: None,
        )

        assert Command(conversation, Call(call_id="CA"), Action.PAUSE).carry_out().error is limited

    def test_scenario_30_nothing_new(self, vendor):
        """
        Without anything new to sign in with, the first 401 stands.
        """
        refused = vendor.refusal(errors.AuthenticationError, 401)
        vendor.fail("pause", Fault(error=refused, applied=False))

        assert carry_out(vendor).error is refused

    def test_scenario_31_forbidden(self, vendor):
        """
        A 403 is no matter of an old key: nothing is read afresh.
        """
        refused = vendor.refusal(errors.AuthenticationError, 403)
        vendor.fail("pause", Fault(error=refused, applied=False))
        renewed: list[Vendor] = []

        assert carry_out(vendor, renew=renewed.append).error is refused
        assert renewed == []
