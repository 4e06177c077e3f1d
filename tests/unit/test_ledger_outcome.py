"""The lease, what comes of a command, and when somebody has to look again."""

from dataclasses import replace

import pytest

from call_recording import errors
from call_recording.ledger import CallLedger, LedgerConflictError
from call_recording.ledger_parts import (
    AT_ONCE,
    GIVE_UP,
    GONE,
    KEPT_POLL,
    LONGEST_BACKOFF,
    NOTHING,
    POLL,
    SKEW,
    Known,
    Lease,
)
from call_recording.model import Action, Proof
from tests.unit.ledger_words import (
    LAGGING,
    NOW,
    PAUSED,
    RUNNING,
    STOPPED,
    TIMING,
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

DEADLINE = NOW + 300.0
LOST = errors.OutcomeUnknownError("ReadTimeout", vendor="fake", http_status=500, vendor_code="7")
MISSING = errors.RecordingNotFoundError("refused", vendor="fake", http_status=404)


def unclear(now: float = NOW) -> "CallLedger":
    """A call whose step was left, and whose resume had no answer."""
    return record(take(leave(paused()), now), report(error=LOST, in_doubt=True, asked_at=now), now)


class TestLease:
    """One commands, and until it says what came of it nothing is known."""

    def test_taken(self):
        """Whoever takes the lease makes everything that was known void, and says what it asks for."""
        ledger = paused().taken(holder="me", action=Action.PAUSE, ends_at=NOW + 10, now=NOW, by="flow", timing=TIMING)

        assert ledger.lease == Lease("me", NOW + 10, NOW + 10 + TIMING.in_flight + SKEW)
        assert (ledger.known, ledger.matches) == (NOTHING, False)
        assert ledger.events[-1][1:] == ("asking", {"action": "pause", "holder": "me", "by": "flow"})

    def test_where_reads_lag(self):
        """Where reads lag a lease outlasts what its holder may have done, and the reads that do not show it yet."""
        ledger = take(paused(), timing=LAGGING)
        unleased = ledger.pausing_unleased(ends_at=NOW + 30, now=NOW + 20, by="flow", timing=LAGGING)

        assert ledger.lease == Lease("me", NOW + 10, NOW + 10 + 15.0 + 3.0 + SKEW)
        assert unleased.doubts.pause == NOW + 30 + 15.0 + 3.0 + SKEW

    @pytest.mark.parametrize(("seconds", "live"), [(0, True), (26, True), (26.001, False)])
    def test_scenario_28_a_lease_ends(self, seconds, live):
        """A lease is live until its holder is dead for certain and nothing that it sent can act any more."""
        ledger = take(new())

        assert ledger.leased(NOW + seconds) is live
        assert (ledger.relieved(NOW + seconds) is ledger) is live

    def test_scenario_28_a_holder_is_lost(self):
        """A lapsed lease is taken away: nothing is known, and the vendor is to be looked at at once."""
        ledger = take(paused()).relieved(NOW + 27)

        assert (ledger.lease, ledger.known, ledger.due_at) == (None, NOTHING, 0.0)
        assert ledger.events[-1][1:] == ("holder lost", {"holder": "me"})

    def test_scenario_28_whatever_was_known(self):
        """Even if something were known beside a lease, it is not once its holder is lost, bypassed or back from an errand."""
        odd = replace(take(paused()), known=paused().known)

        assert odd.relieved(NOW + 27).known == NOTHING
        assert odd.pausing_unleased(ends_at=NOW, now=NOW, by="flow", timing=TIMING).known == NOTHING
        assert odd.ran_errand(report(STOPPED), Action.STOP, now=NOW, timing=TIMING).known == NOTHING

    def test_nobody_to_relieve(self):
        """Where nobody commands there is nobody to relieve."""
        ledger = paused()

        assert (ledger.leased(NOW), ledger.relieved(NOW + 99)) == (False, ledger)

    def test_a_lease_is_due(self):
        """A call that somebody commands is due when the lease ends, and not before."""
        ledger = take(leave(paused()))

        assert (ledger.due_at, ledger.looks_again_at) == (NOW + 26, None)

    def test_a_deadline_counts_beside_a_lease(self):
        """A pause's deadline is due all the same."""
        assert take(enter(new(), seconds=5)).due_at == NOW + 5 + SKEW

    def test_a_pause_without_the_lease(self):
        """A pause sent beside a dead holder leaves its lease, proves nothing, and may yet take effect."""
        ledger = take(leave(paused())).pausing_unleased(ends_at=NOW + 30, now=NOW + 20, by="flow", timing=TIMING)

        assert (ledger.known, ledger.doubts.pause) == (NOTHING, NOW + 30 + TIMING.in_flight + SKEW)
        assert ledger.lease is not None
        assert ledger.events[-1][1:] == ("asking without lease", {"action": "pause", "by": "flow"})


class TestRecorded:
    """What came of a command is recorded, and the lease given up, in one."""

    def test_proven(self):
        """A status that is proven and as desired settles what there is to be settled but the deadline."""
        ledger = settle(enter(new()), PAUSED)

        assert (ledger.lease, ledger.matches, ledger.looks_again_at) == (None, True, None)
        assert ledger.due_at == DEADLINE + SKEW
        assert ledger.known == Known((shown(PAUSED),), complete=True, proven=True)

    def test_scenario_38_what_was_said_is_kept(self):
        """The ledger tells what was asked, of which recordings, what the vendor said, and how well that is known."""
        ledger = record(take(enter(new())), report(RUNNING, error=LOST, in_doubt=True))

        assert ledger.events[-1][1:] == (
            "answered",
            {
                "action": "pause",
                "recordings": [["RE1", "in-progress", "in-progress", "observed"]],
                "proven": False,
                "in_doubt": True,
                "error": "OutcomeUnknownError",
                "http_status": 500,
                "vendor_code": "7",
            },
        )

    def test_nothing_is_told_that_is_not_there(self):
        """Without an error none is named."""
        assert set(settle(enter(new()), PAUSED).events[-1].details) == {"action", "recordings", "proven"}

    @pytest.mark.parametrize("may_go_on", [True, False])
    def test_scenario_17_something_else_is_desired_by_now(self, may_go_on):
        """If the step was left meanwhile the lease is kept for the resume, if there is time; nothing is known."""
        ledger = record(leave(take(enter(new()))), report(PAUSED), action=Action.PAUSE, may_go_on=may_go_on)

        assert (ledger.lease is not None) is may_go_on
        assert (ledger.known == NOTHING) is may_go_on
        assert ledger.matches is False
        assert (ledger.events[-1].what == "asking") is may_go_on
        if may_go_on:
            assert ledger.events[-1].details == {"action": "resume", "holder": "me"}

    @pytest.mark.parametrize("came", [report(error=LOST), report(), report(STOPPED)], ids=["unknown", "none", "ended"])
    def test_scenario_17_but_nobody_knows_where_it_is(self, came):
        """Nothing else is asked of recordings that nobody knows, or that have ended."""
        ledger = record(leave(take(enter(new()))), came, action=Action.PAUSE)

        assert ledger.lease is None

    def test_over_meanwhile(self):
        """A call that ended meanwhile needs nothing more."""
        ledger = record(over(take(enter(new()))), report(PAUSED), action=Action.PAUSE)

        assert (ledger.lease, ledger.desired, ledger.due_at) == (None, None, None)

    def test_scenario_23_the_vendor_says_over(self):
        """A vendor that shows the call as ended closes the ledger."""
        ledger = record(take(enter(new())), report(error=errors.CallOverError("over", vendor="fake")))

        assert (ledger.over, ledger.pauses, ledger.lease, ledger.due_at) == (True, {}, None, None)
        assert (ledger.events[-1].what, ledger.events[-1].details["by"]) == ("call over", "vendor")

    def test_scenario_43_a_call_that_is_not_known(self):
        """That the vendor knows no such call is believed after ten minutes of it, and not before."""
        gone = errors.CallNotFoundError("no such call", vendor="fake")
        first = record(take(enter(new())), report(error=gone))
        soon = record(take(first), report(error=gone), NOW + GONE - 1)

        assert (first.over, soon.over, soon.missing_since) == (False, False, NOW)
        assert record(take(soon), report(error=gone), NOW + GONE).over is True
        assert record(take(soon), report(error=MISSING), NOW + GONE).over is False

    @pytest.mark.parametrize("again", [enter, leave], ids=["entered", "left"])
    def test_scenario_43_a_call_that_was_only_presumed_over(self, again):
        """Whoever tells of such a call again reopens it: the vendor may have been wrong, and the tape still paused."""
        gone = errors.CallNotFoundError("no such call", vendor="fake")
        first = record(take(enter(new())), report(error=gone))
        over_by_now = record(take(first), report(error=gone), NOW + GONE)
        reopened = again(over_by_now, NOW + GONE + 5)

        assert (over_by_now.due_at, over_by_now.presumed) == (None, True)
        assert (reopened.over, reopened.presumed, reopened.missing_since) == (False, False, None)
        assert (reopened.matches, reopened.due_at is None) == (False, False)

    def test_scenario_43_the_vendor_tells_of_a_call_presumed_over(self):
        """A recording that starts on such a call shows that it lives: it is looked for again."""
        presumed = replace(over(enter(new())), presumed=True)
        changed = presumed.recording_changed(event_id="E9", now=NOW, by="vendor", what="recording-started")

        assert (changed.over, changed.presumed, changed.due_at is None) == (False, False, False)

    def test_scenario_25_a_call_that_the_vendor_shows_ended(self):
        """A call that is known to have ended is not reopened by anybody."""
        ended = record(take(enter(new())), report(error=errors.CallOverError("over", vendor="fake")))

        assert (enter(ended).over, leave(ended).over) == (True, True)

    @pytest.mark.parametrize(
        ("came", "since"),
        [
            (report(PAUSED), None),
            (report(error=MISSING), None),
            (report(error=errors.UnconfirmedError("not yet", vendor="fake")), None),
            (report(error=LOST), NOW),
        ],
        ids=["paused", "refused", "not as asked", "silent"],
    )
    def test_scenario_43_it_is_known_after_all(self, came, since):
        """Any answer about the call ends that, and a silence does not."""
        first = record(take(enter(new())), report(error=errors.CallNotFoundError("no such call", vendor="fake")))

        assert record(take(first), came, NOW + 5).missing_since == since

    @pytest.mark.parametrize("may_go_on", [True, False])
    def test_scenario_11_a_recording_started_meanwhile(self, may_go_on):
        """A recording that starts while the vendor is asked leaves nothing known: it is asked again at once."""
        disturbed = take(enter(new())).recording_changed(event_id="E1", now=NOW, by="vendor", what="recording-started")
        ledger = record(disturbed, report(PAUSED), NOW + 1, changes=0, may_go_on=may_go_on)

        assert (ledger.known, ledger.matches, ledger.failures) == (NOTHING, False, 0)
        assert (ledger.lease is not None) is may_go_on
        if may_go_on:
            assert ledger.lease == take(enter(new())).lease  # the next answer is of the recordings as they are by then
        else:
            assert ledger.due_at == NOW + 1

    def test_scenario_11_a_recording_started_and_nothing_was_recorded(self):
        """That holds even where the vendor showed no recording at all."""
        disturbed = take(enter(new())).recording_changed(event_id="E1", now=NOW, by="vendor", what="recording-started")

        assert record(disturbed, report(), changes=0).lease is not None

    def test_scenario_11_a_recording_started_on_a_silent_call(self):
        """Without an answer there is nothing to go on with."""
        disturbed = take(enter(new())).recording_changed(event_id="E1", now=NOW, by="vendor", what="recording-started")

        assert record(disturbed, report(error=LOST), changes=0).lease is None

    def test_released(self):
        """A holder for whom nothing is left to do gives the lease up."""
        assert take(paused()).released().lease is None

    def test_forgotten(self):
        """What could not be proven afresh is not relied on, and looked at at once."""
        ledger = paused().forgotten(NOW)

        assert (ledger.known, ledger.due_at) == (NOTHING, NOW + AT_ONCE)

    def test_an_errand(self):
        """After a command about one recording nothing is known of the others, and they are looked at at once."""
        ledger = take(paused(), action=Action.STOP).ran_errand(
            report(STOPPED, in_doubt=True), Action.STOP, now=NOW + 1, timing=TIMING
        )

        assert (ledger.known, ledger.lease, ledger.look_at, ledger.due_at) == (NOTHING, None, NOW + 1, NOW + 1)
        assert ledger.doubts == paused().doubts
        assert ledger.events[-1].details["recordings"] == [["RE1", "stopped", "stopped", "observed"]]

    def test_scenario_13_another_leg(self):
        """The leg that a call was made from is kept, whoever found it, until another one is named."""
        found = record(take(enter(new())), report(parent="CA-parent"))
        errand = take(enter(new())).ran_errand(
            report(error=MISSING, parent="CA-parent"), Action.STOP, now=NOW, timing=TIMING
        )

        assert (new().parent, found.parent, errand.parent) == (None, "CA-parent", "CA-parent")
        assert record(take(found), report(PAUSED)).parent == "CA-parent"
        assert take(found).ran_errand(report(STOPPED), Action.STOP, now=NOW, timing=TIMING).parent == "CA-parent"
        assert record(take(found), report(parent="CA-other")).parent == "CA-other"

    def test_an_errand_is_late_to_be_seen(self):
        """Where reads lag, an errand leaves them in doubt too."""
        ledger = take(paused()).ran_errand(report(RUNNING), Action.STOP, now=NOW + 1, timing=LAGGING)

        assert ledger.doubts.resume == NOW + 1 + LAGGING.read_lag + SKEW

    def test_the_vendor_could_not_be_asked(self):
        """Where nobody can ask, nothing is known, and it is tried again."""
        ledger = leave(paused()).failed(now=NOW, reason="no account")

        assert (ledger.known, ledger.failures, ledger.look_at) == (NOTHING, 1, NOW + 2)
        assert ledger.events[-1][1:] == ("not asked", {"reason": "no account"})


class TestDoubt:
    """A command without an answer may yet take effect."""

    def test_scenario_17_a_resume_in_doubt(self):
        """While a resume is in doubt a pause is shown, and not proven: only time can tell."""
        ledger = settle(enter(unclear(), NOW + 5), PAUSED, NOW + 6)

        assert (ledger.known.proven, ledger.matches) == (False, False)
        assert ledger.doubt == NOW + TIMING.in_flight + SKEW
        assert (ledger.doubtful(NOW + 16), ledger.doubtful(NOW + 16.1)) == (True, False)
        assert ledger.looks_again_at == NOW + 16

    def test_it_is_over(self):
        """A pause that is asked for after it is proven."""
        assert settle(enter(unclear(), NOW + 5), PAUSED, NOW + 16.1).matches

    @pytest.mark.parametrize(
        "ledger",
        [over(unclear()), paused(), unclear(), settle(enter(unclear(), NOW + 5), RUNNING, NOW + 6)],
        ids=["over", "proven", "not shown", "shown otherwise"],
    )
    def test_no_doubt_is_in_the_way(self, ledger):
        """Where something else is missing, or nothing, no doubt is waited for."""
        assert (ledger.doubt, ledger.doubtful(NOW)) == (None, False)

    def test_scenario_07_a_pause_may_find_another_recording(self):
        """While a pause is in doubt, that nothing is recorded is no proof of a resume: one may start and be paused."""
        pausing = record(take(enter(new())), report(error=LOST, in_doubt=True))
        left = leave(pausing, NOW + 1)
        early = record(take(left, NOW + 2), report(asked_at=NOW + 2), NOW + 2)
        ends = NOW + TIMING.in_flight + SKEW

        assert (early.known.shows_none_live, early.matches) == (True, False)
        assert (early.doubt, early.failures, early.due_at) == (ends, 0, ends)
        assert record(take(early, ends + 1), report(asked_at=ends + 1), ends + 1).matches

    @pytest.mark.parametrize(
        "ask", [lambda ledger: ledger, lambda ledger: stop(ledger, NOW + 1)], ids=["pause", "stop"]
    )
    def test_scenario_07_nothing_is_recorded_and_nothing_is_to_be(self, ask):
        """But what is not recorded needs no pause and no stop, whatever is in doubt."""
        pausing = ask(record(take(enter(new())), report(error=LOST, in_doubt=True)))
        ledger = record(take(pausing, NOW + 2), report(asked_at=NOW + 2), NOW + 2)

        assert (ledger.known.proven, ledger.matches, ledger.doubt) == (False, True, None)

    def test_doubts_do_not_count_as_failures(self):
        """Waiting for a doubt to end is no failure."""
        ledger = settle(enter(unclear(), NOW + 5), PAUSED, NOW + 6)

        assert (ledger.failures, ledger.look_at) == (0, 0.0)

    def test_a_doubt_that_has_passed_counts(self):
        """But if it has passed by the time that the outcome is recorded, the vendor is asked again soon."""
        asked = take(enter(unclear(), NOW + 5), NOW + 16)
        ledger = record(asked, report(PAUSED, asked_at=NOW + 16), NOW + 17)

        assert (ledger.matches, ledger.failures, ledger.look_at) == (False, 1, NOW + 19)


class TestTryingAgain:
    """What did not work is tried again, ever more slowly, and given up in the end."""

    @pytest.mark.parametrize(
        ("failures", "wait"), [(0, 2), (1, 4), (4, 32), (5, LONGEST_BACKOFF), (99, LONGEST_BACKOFF), (5000, 60)]
    )
    def test_scenario_24_a_growing_wait(self, failures, wait):
        """The wait doubles with each failure, up to a minute."""
        ledger = leave(paused())
        object.__setattr__(ledger, "failures", failures)
        ledger = ledger.failed(now=NOW, reason="x")

        assert (ledger.failures, ledger.look_at, ledger.due_at) == (failures + 1, NOW + wait, NOW + wait)

    @pytest.mark.parametrize(("retry_after", "wait"), [(None, 2), (1.0, 2), (30.0, 30), (300.0, 300), (9_999.0, 300)])
    def test_scenario_05_the_vendor_s_wait(self, retry_after, wait):
        """A vendor that asks us to wait is not asked before, but not left alone for longer than five minutes."""
        limited = errors.RateLimitedError("slow", vendor="fake", retry_after=retry_after)

        assert record(take(enter(new())), report(error=limited)).look_at == NOW + wait

    def test_scenario_24_given_up(self):
        """After four hours of failures the call is given up, which is noted, and is due no more."""
        ledger = leave(paused()).failed(now=NOW, reason="x")
        almost = ledger.failed(now=NOW + GIVE_UP - 1, reason="x")
        given_up = almost.failed(now=NOW + GIVE_UP, reason="x")

        assert (ledger.given_up, almost.given_up, given_up.given_up) == (False, False, True)
        assert (given_up.due_at, given_up.looks_again_at) == (None, None)
        assert given_up.events[-1][1:] == ("given up", {"failures": 3})

    def test_scenario_24_not_while_a_pause_has_its_deadline_before_it(self):
        """As long as a flow may still leave its step, trying goes on."""
        ledger = enter(new(), seconds=7200.0).failed(now=NOW, reason="x").failed(now=NOW + GIVE_UP, reason="x")

        assert (ledger.given_up, ledger.failures) == (False, 2)

    def test_scenario_24_a_kept_pause_is_given_up(self):
        """A kept pause has no deadline any more."""
        kept = enter(new()).expired(now=DEADLINE + 2, on_deadline="keep").failed(now=DEADLINE + 2, reason="x")

        assert kept.failed(now=DEADLINE + 2 + GIVE_UP, reason="x").due_at is None

    def test_scenario_24_a_success_ends_it(self):
        """Once it works, failures are counted anew."""
        ledger = settle(leave(paused()).failed(now=NOW, reason="x"), RUNNING, NOW + 9)

        assert (ledger.failures, ledger.failing_since, ledger.given_up, ledger.due_at) == (0, None, False, None)

    def test_scenario_24_something_else_is_desired(self):
        """A step that is entered, or left, begins anew, also on a call that was given up."""
        given_up = leave(paused()).failed(now=NOW, reason="x").failed(now=NOW + GIVE_UP, reason="x")
        left_again = leave(given_up, NOW + GIVE_UP + 1)

        for ledger in (enter(given_up, NOW + GIVE_UP + 1), left_again):
            assert (ledger.given_up, ledger.failures, ledger.failing_since) == (False, 0, None)
            assert ledger.due_at == 0.0

    def test_scenario_24_left_while_the_pause_fails(self):
        """A step that is left, or a stop, while its pause fails is looked at at once, and counted anew."""
        failing = enter(new()).failed(now=NOW, reason="x")

        for ledger in (leave(failing, NOW + 1), stop(failing, NOW + 1)):
            assert (ledger.failures, ledger.failing_since, ledger.due_at) == (0, None, 0.0)

    def test_scenario_24_the_same_is_desired(self):
        """A step entered again, on a call that fails, goes on counting."""
        failing = enter(new()).failed(now=NOW, reason="x")

        assert enter(failing, NOW + 1).failures == 1


class TestPolls:
    """Pauses that have to be looked after although all is as desired."""

    def test_scenario_08_nothing_is_being_recorded(self):
        """While a pause is open and nothing is recorded, somebody looks each minute whether a recording has started."""
        ledger = record(take(enter(new())), report())

        assert (ledger.matches, ledger.polls, ledger.due_at) == (True, True, NOW + POLL)

    def test_scenario_08_the_deadline_comes_first(self):
        """A deadline that comes before that is due first."""
        assert record(take(enter(new(), seconds=9)), report()).due_at == NOW + 9 + SKEW

    def test_scenario_23_a_kept_pause(self):
        """Whether the call of a kept pause is over is looked at each hour."""
        kept = paused().expired(now=DEADLINE + 2, on_deadline="keep")
        ledger = settle(kept, PAUSED, DEADLINE + 2)

        assert (kept.due_at, ledger.due_at) == (0.0, DEADLINE + 2 + KEPT_POLL)

    def test_scenario_23_one_of_two_is_kept(self):
        """As long as another pause is open its deadline is what is due."""
        ledger = enter(paused(), NOW + 100, step="identity-check").expired(now=DEADLINE + 2, on_deadline="keep")
        ledger = settle(ledger, PAUSED, DEADLINE + 3)

        assert (ledger.polls, ledger.due_at) == (False, NOW + 400 + SKEW)

    def test_a_kept_pause_on_which_nothing_is_recorded(self):
        """A kept pause of a call on which nothing is recorded is looked at each minute."""
        kept = enter(new()).expired(now=DEADLINE + 2, on_deadline="keep")

        assert record(take(kept, DEADLINE + 2), report(), DEADLINE + 2).due_at == DEADLINE + 2 + POLL


class TestSettled:
    """Nothing is due any more, and that is rightly so."""

    @pytest.mark.parametrize(
        "ledger",
        [
            settle(leave(paused()), RUNNING),
            record(take(leave(paused())), report()),
            settle(stop(paused()), STOPPED),
            over(paused()),
        ],
        ids=["resumed", "nothing recorded", "stopped", "over"],
    )
    def test_settled(self, ledger):
        """A call whose vendor is proven to be as desired, with no pause open, is due no more."""
        assert (ledger.matches, ledger.due_at) == (True, None)

    @pytest.mark.parametrize(
        "came",
        [report(RUNNING), report(PAUSED, RUNNING), report(error=LOST), report(shown(PAUSED, proof=Proof.NONE))],
        ids=["runs", "one of two", "unknown", "no proof"],
    )
    def test_unsettled(self, came):
        """Anything less than every live recording, as desired, with proof, is due."""
        ledger = record(take(enter(new())), came)

        assert (ledger.matches, ledger.due_at) == (False, NOW + 2)

    def test_scenario_07_where_reads_lag(self):
        """Where nothing is recorded a read that lags keeps nobody waiting for ever."""
        left = take(leave(paused(), NOW + 5), NOW + 5)

        assert record(left, report(asked_at=NOW + 5), NOW + 6, timing=LAGGING).due_at is None

    def test_scenario_07_unclear_recordings_count_as_live(self):
        """A recording whose status is unclear is not taken for none."""
        assert not record(take(leave(paused())), report(shown(PAUSED, proof=Proof.NONE))).known.shows_none_live
        assert not Known().shows_none_live


def test_a_conflict_may_tell_what_is_there():
    """A conflict carries the ledger as it is now, where the store says so, and says nothing of it."""
    ledger = paused()

    assert (LedgerConflictError(ledger).current, LedgerConflictError().current) == (ledger, None)
    assert str(LedgerConflictError(ledger)) == "the ledger has changed"
