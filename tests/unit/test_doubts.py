"""What may still happen behind our back, and what counts as proof.

Each rule stands in docs/reliability.md with what goes wrong without it.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_recording import errors
from call_recording.doubts import NO_DOUBTS, Doubts
from call_recording.ledger_parts import INVOCATION, MAX_RECORDINGS, SKEW
from call_recording.model import Action, Proof, RecordingStatus, Report
from tests.unit.ledger_words import LAGGING, NOW, PAUSED, RUNNING, STOPPED, TIMING, report, shown

LOST = errors.OutcomeUnknownError("ReadTimeout", vendor="fake")
IN_FLIGHT_TO = NOW + TIMING.in_flight + SKEW
READ_TO = NOW + LAGGING.read_lag + SKEW
BOTH = Doubts(resume=NOW + 1, pause=NOW + 2, unheard=NOW + 3)

instants = st.floats(min_value=0, max_value=2 * NOW)
doubts = st.builds(Doubts, instants, instants, instants)
reports = st.builds(
    lambda statuses, asked_at, in_doubt, own_work, lost: report(
        *statuses, asked_at=asked_at, in_doubt=in_doubt, own_work=own_work, error=LOST if lost else None
    ),
    st.lists(st.sampled_from(RecordingStatus), max_size=3),
    instants,
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


class TestAbout:
    """Which doubt is in the way of which action."""

    @pytest.mark.parametrize(
        ("action", "until"), [(Action.PAUSE, NOW + 1), (Action.RESUME, NOW + 3), (Action.STOP, 0.0)]
    )
    def test_the_opposite_is_in_the_way(self, action, until):
        """A pause may be undone by a resume, a resume by a pause that we know of or not, and a stop by nothing."""
        assert BOTH.about(action) == until

    def test_the_longer_of_two(self):
        """Of the two doubts about a resume the longer one counts."""
        assert Doubts(pause=9.0, unheard=5.0).about(Action.RESUME) == 9.0


class TestRaised:
    """Doubts are raised, never replaced."""

    @pytest.mark.parametrize(
        ("action", "raised"),
        [
            (Action.PAUSE, BOTH._replace(pause=NOW + 9)),
            (Action.RESUME, BOTH._replace(resume=NOW + 9)),
            (Action.STOP, BOTH),
        ],
    )
    def test_raised(self, action, raised):
        """A command raises the doubt about its own effect; a stop that comes late undoes nothing."""
        assert BOTH.raised(action, NOW + 9) == raised

    @pytest.mark.parametrize("action", list(Action))
    def test_a_shorter_one_changes_nothing(self, action):
        """A shorter doubt says nothing about a longer one."""
        assert BOTH.raised(action, NOW) == BOTH

    def test_after_a_pause_nobody_heard_of(self):
        """A pause sent without the ledger may come as late as its invocation lives, and its command after that."""
        assert NO_DOUBTS.after_unheard(NOW, TIMING) == Doubts(unheard=NOW + INVOCATION + TIMING.in_flight + SKEW)
        assert NO_DOUBTS.after_unheard(NOW, LAGGING).unheard == NOW + INVOCATION + 15.0 + 3.0 + SKEW
        assert Doubts(unheard=NOW + 99).after_unheard(NOW, TIMING).unheard == NOW + 99

    @given(doubts, reports, st.sampled_from(Action), st.sampled_from([TIMING, LAGGING]))
    def test_nothing_ever_shortens_one(self, before, came, action, timing):
        """Whatever came of a command, no doubt ends sooner for it."""
        after = before.after(came, action, now=NOW, timing=timing)

        assert all(new >= old for old, new in zip(before, after, strict=True))
        assert after.unheard == before.unheard


class TestAfter:
    """What a command leaves behind."""

    @pytest.mark.parametrize(
        ("action", "left"),
        [
            (Action.PAUSE, Doubts(pause=IN_FLIGHT_TO)),
            (Action.RESUME, Doubts(resume=IN_FLIGHT_TO)),
            (Action.STOP, NO_DOUBTS),
        ],
    )
    def test_scenario_01_no_answer(self, action, left):
        """A command without a definite answer may take effect as long as the account says that it can."""
        assert NO_DOUBTS.after(report(error=LOST, in_doubt=True), action, now=NOW, timing=TIMING) == left

    def test_a_definite_answer(self):
        """A definite answer leaves nothing in doubt."""
        assert NO_DOUBTS.after(report(PAUSED), Action.PAUSE, now=NOW, timing=TIMING) == NO_DOUBTS

    @pytest.mark.parametrize(
        ("own_work", "before", "doubtful"),
        [
            (True, NO_DOUBTS, False),
            (False, NO_DOUBTS, True),
            (True, Doubts(resume=NOW), True),
            (True, Doubts(pause=NOW), True),
            (True, Doubts(unheard=NOW), True),
            (True, Doubts(NOW - 1, NOW - 1, NOW - 1), False),
        ],
    )
    def test_scenario_02_seen_to_be_done(self, own_work, before, doubtful):
        """What was seen to be done is not in doubt: if the read that shows it was asked for after every doubt."""
        came = report(PAUSED, in_doubt=True, own_work=own_work)
        after = before.after(came, Action.PAUSE, now=NOW, timing=TIMING)

        assert after == (before._replace(pause=IN_FLIGHT_TO) if doubtful else before)

    @pytest.mark.parametrize(
        ("came", "left"),
        [
            (report(PAUSED), Doubts(pause=READ_TO)),
            (report(PAUSED, PAUSED), Doubts(pause=READ_TO)),
            (report(RUNNING), Doubts(resume=READ_TO)),
            (report(PAUSED, RUNNING), Doubts(pause=READ_TO, resume=READ_TO)),
            (report(), NO_DOUBTS),
            (report(STOPPED), NO_DOUBTS),
            (report(PAUSED, STOPPED), Doubts(pause=READ_TO, resume=READ_TO)),
            (report(PAUSED, error=LOST), Doubts(pause=READ_TO, resume=READ_TO)),
            (report(shown(PAUSED, proof=Proof.NONE)), Doubts(pause=READ_TO, resume=READ_TO)),
        ],
        ids=["paused", "both paused", "running", "mixed", "none", "stopped", "one stopped", "unknown", "no proof"],
    )
    def test_reads_that_lag(self, came, left):
        """Reads may show for a while what was before: then the opposite of what holds is no proof."""
        assert NO_DOUBTS.after(came, Action.PAUSE, now=NOW, timing=LAGGING) == left

    def test_both(self):
        """A command in doubt and reads that lag: what takes effect late is shown later yet."""
        after = NO_DOUBTS.after(report(RUNNING, in_doubt=True), Action.RESUME, now=NOW, timing=LAGGING)

        assert after == Doubts(resume=IN_FLIGHT_TO + LAGGING.read_lag)


class TestJudge:
    """What a report lets us know."""

    @pytest.mark.parametrize(
        ("status", "doubt"),
        [
            (PAUSED, Doubts(resume=NOW)),
            (RUNNING, Doubts(pause=NOW)),
            (RUNNING, Doubts(unheard=NOW)),
        ],
    )
    def test_scenario_17_asked_before_a_doubt_ended(self, status, doubt):
        """A status that was asked for before every doubt about it was over is no proof; when it was read is no matter."""
        assert doubt.judge(report(status)) == ((shown(status),), True, False)
        assert doubt.judge(report(status, asked_at=NOW + 0.001)).proven

    @pytest.mark.parametrize(
        ("status", "doubt"),
        [
            (PAUSED, Doubts(pause=NOW + 9, unheard=NOW + 9)),
            (RUNNING, Doubts(resume=NOW + 9)),
            (STOPPED, Doubts(resume=NOW + 9)),
        ],
    )
    def test_other_doubts_are_no_matter(self, status, doubt):
        """A doubt about the same, or of a resume where nothing is left to resume, is in nobody's way."""
        assert doubt.judge(report(status)).proven

    def test_scenario_09_the_worst_of_several(self):
        """One recording that is not proven leaves all of them unproven."""
        doubt = Doubts(resume=NOW)

        assert not doubt.judge(report(STOPPED, PAUSED)).proven
        assert not NO_DOUBTS.judge(report(PAUSED, shown(PAUSED, "RE2", Proof.NONE))).proven
        assert NO_DOUBTS.judge(report(PAUSED, shown(PAUSED, "RE2", Proof.ACKNOWLEDGED))).proven

    def test_scenario_07_nothing_is_being_recorded(self):
        """That nothing is being recorded is complete, whatever is in doubt."""
        assert Doubts(resume=NOW).judge(report()) == ((), True, True)

    @pytest.mark.parametrize("doubt", [Doubts(pause=NOW), Doubts(unheard=NOW)])
    @pytest.mark.parametrize("statuses", [(), (STOPPED,)])
    def test_scenario_07_a_pause_may_find_another(self, doubt, statuses):
        """A pause in doubt may yet find a recording that has started since: until then no recording is no proof."""
        known = doubt.judge(report(*statuses))

        assert (known.complete, known.proven, known.shows_none_live) == (True, False, True)
        assert doubt.judge(report(*statuses, asked_at=NOW + 0.001)).proven

    def test_an_error(self):
        """A report with an error is never complete, whatever it shows."""
        assert NO_DOUBTS.judge(report(PAUSED, error=LOST)) == ((shown(PAUSED),), False, False)

    @pytest.mark.parametrize(("count", "complete"), [(MAX_RECORDINGS, True), (MAX_RECORDINGS + 1, False)])
    def test_too_many_recordings(self, count, complete):
        """More recordings than a ledger keeps are not proven, and no more than that are kept."""
        known = NO_DOUBTS.judge(report(*[PAUSED] * count))

        assert (known.complete, known.proven, len(known.recordings)) == (complete, complete, MAX_RECORDINGS)

    @given(doubts, reports)
    def test_only_proof_is_proof(self, before, came):
        """Nothing is proven without an answer, or with one that may have changed since it was asked for."""
        known = before.judge(came)

        if known.proven:
            assert came.error is None
            assert PAUSED not in statuses(came) or came.asked_at > before.resume
            assert RUNNING not in statuses(came) or came.asked_at > max(before.pause, before.unheard)
            assert any(each.live for each in came.recordings) or came.asked_at > max(before.pause, before.unheard)


def statuses(came: Report) -> set[RecordingStatus]:
    """What a report's recordings are."""
    return {each.status for each in came.recordings}
