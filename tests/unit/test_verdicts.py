"""What a flow is told, made from the ledger as it stands: the table of verdicts, row by row."""

from dataclasses import replace
from typing import Any

import pytest

from call_recording import errors
from call_recording.account import Account, Settings
from call_recording.doubts import Doubts
from call_recording.ledger import CallLedger
from call_recording.ledger_parts import Known
from call_recording.model import Action, Call, Proof, RecordingStatus, Report, Trigger, Verdict
from call_recording.outcome import Ending, Outcome, answer, of_both_legs, without_ledger
from tests.unit.ledger_words import (
    NOW,
    PAUSED,
    RUNNING,
    STOPPED,
    enter,
    leave,
    new,
    over,
    paused,
    record,
    report,
    settle,
    shown,
    stop,
    take,
)

LOST = errors.OutcomeUnknownError("ReadTimeout", vendor="fake")
REFUSED = errors.VendorResponseError("refused", vendor="fake", http_status=422)
OVER = errors.CallOverError("over", vendor="fake")
DOUBT = Doubts(resume=NOW + 9, pause=NOW + 9, unheard=NOW + 9)

WITHOUT_RECORDING = record(take(enter(new())), report())
DOUBTFUL = settle(enter(replace(new(), doubts=DOUBT)), PAUSED)
RESUMED = settle(leave(paused()), RUNNING)


def told(
    ledger: CallLedger,
    action: Action = Action.PAUSE,
    *,
    now: float = NOW + 1,
    given: dict[str, Any] | None = None,
    accepting: dict[str, Any] | None = None,
    **ending: Any,
) -> Outcome:
    """What the flow is told whose trigger ended like that."""
    fields: dict[str, Any] = {"account": "acme", "step": "card-entry", "call": Call(call_id="CA"), **(given or {})}
    account = Account(name="acme", vendor="fake", credentials={}, settings=Settings(**(accepting or {})))
    trigger = Trigger(action=action, **fields)
    return answer(Ending(ledger, **ending), trigger, account, received_at=NOW - 0.25, now=now)


def verdict(outcome: Outcome) -> tuple[Verdict, type[Exception] | None]:
    """What a flow branches on, and what a workflow catches."""
    return outcome.verdict, outcome.error


CONFIRMED = (Verdict.CONFIRMED, None)
UNKNOWN = (Verdict.UNKNOWN, errors.OutcomeUnknownError)
DOWN = (Verdict.UNKNOWN, errors.UnavailableError)
CLOSED = (Verdict.FAILED, errors.ConflictError)
NONE_LIVE = (Verdict.NOT_RECORDING, errors.NotRecordingError)

#: What the ledger is, how our own handling ended, and the verdict.
ENTERED: dict[str, tuple[CallLedger, dict[str, Any], tuple[Verdict, type[Exception] | None]]] = {
    "proven by us": (paused(), {"looked": True, "report": report(PAUSED)}, CONFIRMED),
    "proven by another": (paused(), {}, CONFIRMED),
    "in doubt": (DOUBTFUL, {"looked": True, "report": report(PAUSED)}, UNKNOWN),
    "somebody commands": (take(paused()), {"busy": True}, UNKNOWN),
    "somebody commands, and we have paused": (take(paused()), {"busy": True, "report": report(PAUSED)}, UNKNOWN),
    "no answer": (
        record(take(enter(new())), report(error=LOST)),
        {"looked": True, "report": report(error=LOST)},
        UNKNOWN,
    ),
    "refused": (
        record(take(enter(new())), report(error=REFUSED)),
        {"looked": True, "report": report(error=REFUSED)},
        (Verdict.FAILED, errors.VendorResponseError),
    ),
    "one of two": (
        record(take(enter(new())), report(PAUSED, RUNNING)),
        {"looked": True, "report": report(PAUSED, RUNNING)},
        (Verdict.UNCONFIRMED, errors.UnconfirmedError),
    ),
    "running": (settle(enter(new()), RUNNING), {"looked": True}, (Verdict.UNCONFIRMED, errors.UnconfirmedError)),
    "a yes alone": (
        record(take(enter(new())), report(shown(PAUSED, None, Proof.ACKNOWLEDGED))),
        {"looked": True},
        (Verdict.ACKNOWLEDGED, None),
    ),
    "nothing recorded, as we have seen": (WITHOUT_RECORDING, {"looked": True}, NONE_LIVE),
    "nothing recorded, as another has seen": (WITHOUT_RECORDING, {}, UNKNOWN),
    "outcome not written": (take(enter(new())), {"recorded": False, "report": report(PAUSED)}, DOWN),
    "reminder not sent": (paused(), {"reminded": False, "looked": True, "report": report(PAUSED)}, DOWN),
    "left meanwhile": (RESUMED, {"looked": True}, CLOSED),
    "never opened": (settle(new(), RUNNING), {}, CLOSED),
    "another step is paused": (paused(step="identity-check"), {}, CLOSED),
    "stopped": (stop(new()), {}, CLOSED),
    "over": (over(new()), {}, CLOSED),
    "over, as we have seen": (
        record(take(enter(new())), report(error=OVER)),
        {"looked": True, "report": report(error=OVER)},
        CLOSED,
    ),
    "nothing asked": (enter(new()), {}, UNKNOWN),
}


class TestEntered:
    @pytest.mark.parametrize(("ledger", "ending", "expected"), ENTERED.values(), ids=ENTERED)
    def test_verdict(self, ledger, ending, expected):
        """A flow may go on only with its pause open, and the ledger saying with proof that every tape is paused."""
        outcome = told(ledger, **ending)

        assert verdict(outcome) == expected
        assert outcome.safe_to_collect is (expected[1] is None)

    @pytest.mark.parametrize(("seconds", "safe"), [(0.0, True), (299.999, True), (300.0, False), (301.0, False)])
    def test_scenario_26_in_time(self, seconds, safe):
        """A pause is safe until its deadline, whether or not anybody has ended it."""
        outcome = told(paused(), now=NOW + seconds)

        assert outcome.safe_to_collect is safe
        assert verdict(outcome) == (CONFIRMED if safe else CLOSED)

    def test_what_the_account_accepts(self):
        """An account may refuse a bare yes, and accept that nothing is being recorded, if we have seen it ourselves."""
        yes = ENTERED["a yes alone"][0]

        assert verdict(told(yes, accepting={"accept_acknowledged": False})) == (
            Verdict.ACKNOWLEDGED,
            errors.UnconfirmedError,
        )
        accepted = told(WITHOUT_RECORDING, accepting={"accept_not_recording": True}, looked=True)
        assert (verdict(accepted), accepted.safe_to_collect) == ((Verdict.NOT_RECORDING, None), True)
        assert not told(WITHOUT_RECORDING, accepting={"accept_not_recording": True}).safe_to_collect

    @pytest.mark.parametrize(
        "known",
        [
            paused().known._replace(complete=False),
            paused().known._replace(proven=False),
            Known((shown(PAUSED), shown(RUNNING, "RE2")), complete=True, proven=True),
            Known((shown(STOPPED, proof=Proof.NONE),), complete=True),
        ],
    )
    def test_anything_less_is_not_safe(self, known):
        """Anything less than every live recording, known to be paused, with proof, is not safe, accepted or not."""
        outcome = told(replace(paused(), known=known), accepting={"accept_not_recording": True}, looked=True)

        assert (outcome.safe_to_collect, outcome.error is None) == (False, False)

    def test_what_is_known_beside_a_lease(self):
        """Whatever a ledger says beside a lease, nobody is told it."""
        odd = replace(take(paused()), known=paused().known)
        running = replace(take(RESUMED), known=RESUMED.known)

        assert verdict(told(odd, looked=True)) == UNKNOWN
        assert verdict(told(running, Action.RESUME)) == UNKNOWN

    def test_a_yes_among_observations(self):
        """One recording of which there is only a yes makes the whole no more than that."""
        both = record(take(enter(new())), report(PAUSED, shown(PAUSED, "RE2", Proof.ACKNOWLEDGED)))

        assert verdict(told(both)) == (Verdict.ACKNOWLEDGED, None)

    def test_a_report_is_never_proof(self):
        """What our own command brought says why, and never that all is well: the ledger alone does."""
        for ledger in (take(paused()), enter(new()), DOUBTFUL, RESUMED):
            assert not told(ledger, looked=True, report=report(PAUSED)).safe_to_collect


LEFT: dict[str, tuple[CallLedger, dict[str, Any], tuple[Verdict, type[Exception] | None]]] = {
    "resumed": (RESUMED, {"looked": True}, CONFIRMED),
    "another step is open": (paused(), {}, (Verdict.HELD, None)),
    "another step is open, and nothing known": (enter(new()), {}, (Verdict.HELD, None)),
    "another step is open, and somebody commands": (take(paused()), {"busy": True}, (Verdict.HELD, None)),
    "somebody commands": (take(leave(paused())), {"busy": True}, UNKNOWN),
    "runs, but an unheard pause may come": (
        settle(replace(leave(paused()), doubts=Doubts(unheard=NOW + 9)), RUNNING),
        {"looked": True, "report": report(RUNNING)},
        CONFIRMED,
    ),
    "runs, but our own pause may come": (
        settle(replace(leave(paused()), doubts=Doubts(pause=NOW + 9)), RUNNING),
        {"looked": True},
        UNKNOWN,
    ),
    "runs, but is asked about": (take(RESUMED), {"busy": True}, UNKNOWN),
    "paused": (
        record(take(leave(paused())), report(PAUSED, error=LOST)),
        {"looked": True, "report": report(PAUSED, error=LOST)},
        UNKNOWN,
    ),
    "nothing recorded": (record(take(leave(paused())), report()), {}, (Verdict.NOT_RECORDING, None)),
    "over": (over(paused()), {}, CLOSED),
    "over, as we have seen": (
        record(take(leave(paused())), report(error=OVER)),
        {"looked": True, "report": report(error=OVER)},
        CLOSED,
    ),
    "stopped for good": (settle(stop(paused()), STOPPED), {}, CLOSED),
    "outcome not written": (take(leave(paused())), {"recorded": False}, DOWN),
}


class TestLeft:
    @pytest.mark.parametrize(("ledger", "ending", "expected"), LEFT.values(), ids=LEFT)
    def test_verdict(self, ledger, ending, expected):
        """A flow that leaves is told whether the tape runs, waits for another step, or nobody knows; it is never safe."""
        outcome = told(ledger, Action.RESUME, **ending)

        assert verdict(outcome) == expected
        assert outcome.safe_to_collect is False

    @pytest.mark.parametrize(("doubt", "known"), [(NOW, False), (NOW - 0.001, True)])
    def test_scenario_24_until_the_doubt_is_over(self, doubt, known):
        """A resume is told as done only if it was asked about after all that may undo it, of what the ledger knows."""
        ledger = replace(
            RESUMED, doubts=Doubts(pause=doubt, unheard=NOW + 9), known=RESUMED.known._replace(proven=False)
        )
        asked = report(RUNNING)._replace(asked_at=NOW)

        assert verdict(told(ledger, Action.RESUME, looked=True, report=asked)) == (CONFIRMED if known else UNKNOWN)
        assert verdict(told(ledger, Action.RESUME, report=asked)) == UNKNOWN


STOP: dict[str, tuple[CallLedger, dict[str, Any], tuple[Verdict, type[Exception] | None]]] = {
    "stopped": (settle(stop(paused()), STOPPED), {"looked": True}, CONFIRMED),
    "completed": (settle(stop(paused()), RecordingStatus.COMPLETED), {"looked": True}, CONFIRMED),
    "nothing recorded": (record(take(stop(new())), report()), {"looked": True}, (Verdict.NOT_RECORDING, None)),
    "somebody commands": (take(stop(paused())), {"busy": True}, UNKNOWN),
    "refused": (
        record(take(stop(paused())), report(error=REFUSED)),
        {"looked": True, "report": report(error=REFUSED)},
        (Verdict.FAILED, errors.VendorResponseError),
    ),
    "over": (over(stop(paused())), {}, CLOSED),
}


class TestStop:
    @pytest.mark.parametrize(("ledger", "ending", "expected"), STOP.values(), ids=STOP)
    def test_verdict(self, ledger, ending, expected):
        """A stop is told as done if every recording has ended."""
        outcome = told(ledger, Action.STOP, **ending)

        assert verdict(outcome) == expected
        assert outcome.safe_to_collect is False

    @pytest.mark.parametrize(
        ("ending", "expected"),
        [
            ({"report": report(STOPPED)}, CONFIRMED),
            ({"report": report(error=REFUSED)}, (Verdict.FAILED, errors.VendorResponseError)),
            ({"busy": True}, UNKNOWN),
            ({"report": report(STOPPED), "recorded": False}, DOWN),
        ],
        ids=["stopped", "refused", "busy", "not written"],
    )
    def test_of_one_recording(self, ending, expected):
        """A stop of one recording is told by what came of it alone."""
        outcome = told(paused(), Action.STOP, given={"recording_id": "RE1"}, **ending)

        assert verdict(outcome) == expected


class TestResult:
    """The fields of the result."""

    def test_the_pause(self):
        """The step's own pause is named with its times, and how many are open."""
        outcome = told(enter(paused(pause_id="P1"), step="identity-check"))

        assert outcome.as_dict()["pause"] == {
            "id": "P1",
            "opened_at": "2026-09-21T14:13:20.000Z",
            "deadline": "2026-09-21T14:18:20.000Z",
            "open_pauses": 2,
        }

    def test_no_pause_of_this_step(self):
        """Where the step has none, only their number is told."""
        pause = told(paused(step="identity-check"), Action.RESUME).as_dict()["pause"]

        assert pause == {"id": None, "opened_at": None, "deadline": None, "open_pauses": 1}

    def test_the_recordings(self):
        """The ledger's recordings are told; where it knows none, those that our own command saw."""
        known, seen = shown(PAUSED), shown(RUNNING, "RE9")

        assert told(paused(), report=report(seen)).recordings == (known,)
        assert told(take(paused()), report=report(seen)).recordings == (seen,)
        assert told(take(paused())).recordings == ()
        assert told(replace(paused(), known=Known())).recordings == ()

    def test_times(self):
        """It tells how long it took since the trigger reached us, and how long the vendor wants us to wait."""
        limited = errors.RateLimitedError("slow", vendor="fake", retry_after=30.0)
        outcome = told(enter(new()), report=Report(error=limited))

        assert (outcome.elapsed_ms, outcome.retry_after, outcome.vendor) == (1250, 30.0, "fake")
        assert (told(enter(new())).retry_after, told(enter(new()), report=Report()).retry_after) == (None, None)
        assert told(paused(), now=NOW - 5).elapsed_ms == 0

    def test_scenario_29_without_the_ledger(self):
        """A pause that was sent without the ledger is never safe, whatever the vendor said."""
        account = Account(name="acme", vendor="fake", credentials={}, settings=Settings())
        trigger = Trigger(account="acme", action=Action.PAUSE, step="card-entry", call=Call(call_id="CA"))
        outcome = without_ledger(report(PAUSED), trigger, account, received_at=NOW, now=NOW - 1)

        assert (verdict(outcome), outcome.safe_to_collect, outcome.elapsed_ms) == (DOWN, False, 0)
        assert outcome.recordings == (shown(PAUSED),)


class TestBothLegs:
    @pytest.mark.parametrize(
        ("action", "own_counts"), [(Action.PAUSE, True), (Action.RESUME, True), (Action.STOP, False)]
    )
    def test_scenario_13_not_found_on_the_leg_that_was_named(self, action, own_counts):
        """What a leg's own vendor did not find is made good by the other leg only for a stop of one recording there."""
        found = told(paused())
        own = replace(found, trigger=replace(found.trigger, action=action), error=errors.RecordingNotFoundError)
        above = replace(found, trigger=own.trigger)

        assert (of_both_legs(own, above).error is own.error) is own_counts

    def test_scenario_13_the_deadline_is_that_of_the_pause_that_ends_first(self):
        """A leg's pause is opened before the one of the leg that it was made from, and ends before it."""
        own, above = told(paused(pause_id="P1")), told(paused(NOW + 0.5, pause_id="P1"), now=NOW + 1)

        both = [of_both_legs(own, above), of_both_legs(above, own)]
        assert [each.as_dict()["pause"]["deadline"] for each in both] == ["2026-09-21T14:18:20.000Z"] * 2
        assert [each.safe_to_collect for each in both] == [True, True]

    def test_scenario_13_the_pause_is_that_of_the_leg_that_was_named(self):
        """Who names one leg gets the id by which that leg knows the pause, whichever leg the answer is about."""
        own, above = told(paused(pause_id="P1")), told(paused(pause_id="P2"))
        closed = told(settle(new(), RUNNING), Action.RESUME)

        assert of_both_legs(own, above).as_dict()["pause"]["id"] == "P1"
        assert of_both_legs(closed, closed).as_dict()["pause"]["id"] is None
        assert of_both_legs(own, replace(above, ledger=None, error=errors.UnavailableError)).as_dict()["pause"] is None

    def test_scenario_13_the_deadline_of_a_leg_without_a_tape_counts(self):
        """A tape that starts on a leg is paused as long as that leg's own pause is open."""
        without = told(WITHOUT_RECORDING, looked=True)
        longer = told(paused(NOW + 30))

        both = [of_both_legs(without, longer), of_both_legs(longer, without)]
        assert [each.as_dict()["pause"]["deadline"] for each in both] == ["2026-09-21T14:18:20.000Z"] * 2
        assert [each.safe_to_collect for each in both] == [True, True]

    def test_scenario_44_held_on_one_leg_is_held(self):
        """A leg whose tape stays paused for another step is not told to run; that the other one failed comes first."""
        held = told(paused(step="identity-check"), Action.RESUME)
        resumed = told(settle(new(), RUNNING), Action.RESUME)
        failed = replace(resumed, error=errors.UnconfirmedError, verdict=Verdict.UNCONFIRMED)

        assert (held.verdict, resumed.verdict) == (Verdict.HELD, Verdict.CONFIRMED)
        assert [of_both_legs(*each).verdict for each in ((held, resumed), (resumed, held))] == [Verdict.HELD] * 2
        assert of_both_legs(held, failed).error is errors.UnconfirmedError

    def test_scenario_43_a_leg_that_is_said_to_be_over(self):
        """That the other leg is over makes its tape count for nothing only if its vendor has shown it."""
        own = told(WITHOUT_RECORDING, looked=True, accepting={"accept_not_recording": True})
        shown_over, said_over = (told(replace(over(paused()), presumed=presumed)) for presumed in (False, True))

        assert own.safe_to_collect
        assert of_both_legs(own, shown_over).safe_to_collect
        assert not of_both_legs(own, said_over).safe_to_collect

    def test_scenario_19_that_the_leg_has_no_tape_is_not_remembered(self):
        """A late copy of a pause that was left finds nothing by memory; a tape may have started since, and above another flow's pause is open."""
        above = told(paused())
        fresh, from_memory = told(WITHOUT_RECORDING, looked=True), told(WITHOUT_RECORDING)
        closed = told(leave(WITHOUT_RECORDING))

        assert closed.ledger is not None
        assert closed.ledger.known.shows_none_live
        assert [of_both_legs(own, above).safe_to_collect for own in (fresh, from_memory, closed)] == [
            True,
            False,
            False,
        ]

    def test_scenario_44_what_is_not_there_needs_no_resume(self):
        """A leg without a tape leaves the answer to the other one."""
        held = told(paused(step="identity-check"), Action.RESUME)
        own = told(leave(WITHOUT_RECORDING), Action.RESUME)

        assert of_both_legs(own, held).verdict is Verdict.HELD
