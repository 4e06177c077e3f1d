"""What a vendor tells by itself, as the ledger of the call takes it."""

from dataclasses import replace

import pytest

from call_recording.ledger import CallLedger
from call_recording.ledger_parts import NOTHING
from call_recording.model import Action, Happening
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
    stop,
    take,
)

STARTED, ENDED, FAILED = Happening.RECORDING_STARTED, Happening.RECORDING_ENDED, Happening.RECORDING_FAILED
OF_RECORDINGS = [STARTED, ENDED, FAILED]
#: Ledgers of calls of which nothing is wanted of the vendor but to let the tape run, as it does.
AT_REST = {
    "running": settle(leave(paused()), RUNNING),
    "nothing recorded": record(take(leave(paused())), report()),
}


def changed(ledger: CallLedger, what: Happening = STARTED, now: float = NOW, *, event_id: str = "E1") -> CallLedger:
    """Tell that something has become of the recording RE2."""
    return ledger.recording_changed(event_id=event_id, now=now, by="vendor", what=what, recording_id="RE2")


def presumed_over() -> CallLedger:
    """The ledger of a call that its vendor has not known for long."""
    return replace(over(enter(new())), presumed=True, missing_since=NOW - 600.0)


class TestRecordings:
    """A recording has started, ended or failed."""

    @pytest.mark.parametrize("what", OF_RECORDINGS)
    def test_scenario_11_what_was_known_counts_no_more(self, what):
        """While a pause is open any change makes what was proven void, and the vendor is looked at at once."""
        ledger = changed(paused(), what, NOW + 9)

        assert (ledger.known, ledger.changes, ledger.matches, ledger.due_at) == (NOTHING, 1, False, 0.0)
        assert (ledger.desired, ledger.pauses) == (Action.PAUSE, paused_steps(ledger))

    @pytest.mark.parametrize("what", OF_RECORDINGS)
    def test_it_is_kept_what_was_told(self, what):
        """The ledger says what was told of which recording, by whom and when."""
        event = changed(paused(), what, NOW + 9).events[-1]

        assert (event.what, event.details) == (str(what), {"by": "vendor", "recording_id": "RE2"})
        assert event.at == "2026-09-21T14:13:29.000Z"

    def test_a_recording_need_not_be_named(self):
        """Where nobody names the recording, none is noted."""
        ledger = paused().recording_changed(event_id="E1", now=NOW, by="vendor", what=STARTED)

        assert ledger.events[-1].details == {"by": "vendor"}

    @pytest.mark.parametrize("what", OF_RECORDINGS)
    @pytest.mark.parametrize(
        "ledger", [paused(), *AT_REST.values(), take(enter(new())), over(paused()), presumed_over()]
    )
    def test_scenario_19_the_same_event_again_changes_nothing(self, ledger, what):
        """An event that was seen is no event."""
        once = changed(ledger, what)

        assert changed(once, what, NOW + 60) is once

    @pytest.mark.parametrize("what", OF_RECORDINGS)
    @pytest.mark.parametrize("ledger", AT_REST.values(), ids=AT_REST)
    def test_a_tape_that_nobody_wants_paused_is_left_alone(self, ledger, what):
        """Of a call that is left to itself an event is noted, and no more: a tape that somebody else paused is not ours."""
        told = changed(ledger, what)

        assert (told.known, told.changes, told.due_at) == (ledger.known, ledger.changes, None)
        assert (told.events[-1].what, told.version) == (str(what), ledger.version)

    def test_scenario_17_while_somebody_commands_it_counts(self):
        """While a resume is under way the change counts: what the holder has seen is no longer all."""
        ledger = changed(take(leave(paused())))

        assert (ledger.changes, ledger.desired, ledger.lease is None) == (1, Action.RESUME, False)
        assert record(ledger, report(RUNNING), changes=0).known == NOTHING

    def test_scenario_24_while_a_resume_has_failed_it_counts(self):
        """A tape that was to be resumed and was not is looked at again by whatever is told of it."""
        failed = record(take(leave(paused())), report(PAUSED))
        ledger = changed(failed)

        assert (failed.matches, ledger.changes, ledger.look_at) == (False, 1, 0.0)

    def test_a_recording_that_starts_after_a_stop_for_good(self):
        """What is to be stopped for good is stopped again if it starts again."""
        stopped = settle(stop(paused()), STOPPED)
        ledger = changed(stopped)

        assert (stopped.due_at, ledger.desired, ledger.matches, ledger.due_at) == (None, Action.STOP, False, 0.0)

    def test_scenario_24_one_that_was_given_up_is_tried_again(self):
        """A call that was given up is looked at again when its vendor tells of it."""
        given_up = replace(record(take(paused()), report(RUNNING)), given_up=True, failures=9, failing_since=NOW)
        ledger = changed(given_up)

        assert (ledger.given_up, ledger.failures, ledger.failing_since) == (False, 0, None)


def paused_steps(ledger: CallLedger) -> dict:
    """The one open pause, as it was."""
    assert list(ledger.pauses) == ["card-entry"]
    return dict(ledger.pauses)


class TestCallOver:
    """The call is over, or it seemed so."""

    def test_scenario_25_it_is_told_once_for_good(self):
        """The end of a call closes all pauses, and is noted once."""
        ended = over(enter(paused(), step="second"), NOW + 5)

        assert (ended.over, ended.presumed, ended.pauses, ended.due_at) == (True, False, {}, None)
        assert (ended.events[-1].what, ended.events[-1].details) == ("call over", {"by": "vendor", "paused": 2})
        assert ended.call_ended(event_id="E8", now=NOW + 6, by="vendor") is ended

    def test_scenario_43_what_is_open_nobody_closes_by_a_word(self):
        """That a call is over is for its vendor to show where a pause is open: it is looked at, at once."""
        before = paused()
        said = before.call_ended(event_id="E7", now=NOW + 5, by="vendor")

        assert (said.over, said.pauses, said.changes) == (False, before.pauses, before.changes + 1)
        assert (before.matches, said.matches, said.due_at) == (True, False, 0.0)
        assert (said.events[-1].what, said.events[-1].details) == ("told over", {"by": "vendor"})
        assert said.call_ended(event_id="E7", now=NOW + 6, by="vendor") is said

    def test_scenario_24_so_it_is_where_a_resume_is_owed(self):
        """A tape that may be paused still is looked at, though no pause is open."""
        owed = leave(paused())
        said = owed.call_ended(event_id="E7", now=NOW + 5, by="vendor")

        assert (owed.matches, said.over, said.due_at) == (False, False, 0.0)

    def test_scenario_43_of_a_call_at_rest_it_is_presumed(self):
        """With nothing open the word is enough, and whoever tells of the call again makes it undone."""
        rest = AT_REST["running"]
        said = rest.call_ended(event_id="E7", now=NOW + 5, by="vendor")

        assert (rest.matches, said.over, said.presumed, said.due_at) == (True, True, True, None)
        assert said.call_ended(event_id="E8", now=NOW + 6, by="vendor") is said
        again = changed(said, STARTED)
        assert (again.over, again.presumed, again.known, again.due_at) == (False, False, rest.known, None)
        assert (enter(said).over, leave(said).over) == (False, False)

    def test_scenario_43_no_word_makes_less_of_what_was_shown(self):
        """A call that its vendor has shown over stays so, whatever anybody says."""
        shown = over(paused())

        assert shown.call_ended(event_id="E8", now=NOW + 6, by="vendor") is shown

    def test_scenario_19_an_old_message_ends_nothing(self):
        """The end of a call that was told before ends nothing a second time."""
        told = paused().call_ended(event_id="E7", now=NOW, by="vendor")

        assert told.call_ended(event_id="E7", now=NOW + 9, by="vendor") is told

    def test_scenario_08_a_recording_starts_on_a_call_that_was_presumed_over(self):
        """A recording that starts shows that the call lives: it is looked for again."""
        ledger = changed(presumed_over(), STARTED)

        assert (ledger.over, ledger.presumed, ledger.missing_since) == (False, False, None)
        assert (ledger.desired, ledger.matches, ledger.due_at) == (Action.RESUME, False, 0.0)

    @pytest.mark.parametrize("what", [ENDED, FAILED])
    def test_scenario_25_a_recording_of_a_call_that_is_over_ends(self, what):
        """That a recording has ended, or is none, comes after the end of a call as well: it reopens nothing."""
        ledger = changed(presumed_over(), what)

        assert (ledger.over, ledger.presumed, ledger.desired, ledger.due_at) == (True, True, None, None)
        assert ledger.events[-1].what == str(what)

    @pytest.mark.parametrize("what", OF_RECORDINGS)
    def test_scenario_25_an_event_that_comes_late(self, what):
        """Events of a call that is over for good are noted, and nothing is due."""
        ledger = changed(over(paused()), what)

        assert (ledger.over, ledger.desired, ledger.due_at, ledger.events[-1].what) == (True, None, None, str(what))
