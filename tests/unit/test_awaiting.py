"""Workflows that wait for the end of a step."""

from dataclasses import replace

import pytest

from call_recording.awaiting import Completion, Ended, completion, completions
from call_recording.ledger import CallLedger
from call_recording.ledger_json import dumps, loads
from tests.unit.ledger_words import NOW, PAUSED, enter, leave, new, over, paused, settle, stop

TOKEN = "placeholder-task-token-0001"


def awaited(ledger: CallLedger | None = None, token: str = TOKEN, pause_id: str | None = None) -> CallLedger:
    """The ledger of a paused call, for the end of whose step a workflow waits."""
    ledger = ledger or paused(pause_id="mine", by="workflow")
    return ledger.awaited(step="card-entry", pause_id=pause_id, token=token, now=NOW + 1, by="workflow")


class TestLedger:
    """The token stays with the pause."""

    def test_it_is_kept_and_written(self):
        """A token is kept with the open pause, and survives the table; what happened says that, and not the token."""
        ledger = awaited()

        assert loads(dumps(ledger), ledger.version).pauses["card-entry"].token == TOKEN
        assert (ledger.events[-1].what, ledger.events[-1].details["step"]) == ("awaited", "card-entry")
        assert TOKEN not in repr(ledger.events)

    def test_a_ledger_of_before_has_none(self):
        """A ledger that was written before there were tokens can be read."""
        assert loads(dumps(paused()).replace(',"token":null', ""), 1).pauses["card-entry"].token is None

    def test_the_same_token_changes_nothing(self):
        """A task that is carried out twice is one."""
        ledger = awaited()

        assert awaited(ledger) is ledger

    @pytest.mark.parametrize("ledger", [new(), leave(paused()), over(paused()), stop(paused())])
    def test_what_is_not_open_keeps_none(self, ledger):
        """A pause that is closed keeps no token."""
        assert awaited(ledger) is ledger

    def test_entering_again_takes_it_out(self):
        """Whoever waits is told that the step was entered again, and its token is used up by that."""
        assert enter(awaited(), NOW + 2).pauses["card-entry"].token is None

    @pytest.mark.parametrize("given", [{"event_id": "event-1"}, {"occurred_at": NOW - 99}])
    def test_what_opens_nothing_leaves_it(self, given):
        """An event that was seen before, or that tells of a visit that was left, does not end the wait."""
        ledger = leave(enter(new(), event_id="event-1"), occurred_at=NOW - 9)
        ledger = awaited(settle(enter(ledger, NOW), PAUSED))

        assert enter(ledger, NOW + 2, **given).pauses["card-entry"].token == TOKEN

    def test_one_waits_for_a_pause_that_it_names(self):
        """A workflow that says which pause it waits for does not take over another one's."""
        mine = paused()
        pause_id = mine.pauses["card-entry"].pause_id
        theirs = enter(mine, NOW + 1)

        assert awaited(mine, pause_id=pause_id).pauses["card-entry"].token == TOKEN
        assert awaited(theirs, pause_id=pause_id) is theirs

    def test_a_kept_pause_has_none(self):
        """What stays paused past its deadline has ended for the workflow, and keeps no token."""
        kept = awaited().expired(now=NOW + 1_000, on_deadline="keep")

        assert (kept.pauses["card-entry"].kept, kept.pauses["card-entry"].token) == (True, None)
        assert awaited(kept) is kept


class TestCompletions:
    """What workflows are told."""

    @pytest.mark.parametrize(
        ("after", "ended"),
        [
            (leave(awaited(), NOW + 2), Ended.LEFT),
            (stop(awaited(), NOW + 2), Ended.STOPPED),
            (over(awaited(), NOW + 2), Ended.CALL_OVER),
            (awaited().expired(now=NOW + 1_000, on_deadline="resume"), Ended.EXPIRED),
            (awaited().expired(now=NOW + 1_000, on_deadline="stop"), Ended.STOPPED),
            (awaited().expired(now=NOW + 1_000, on_deadline="keep"), Ended.EXPIRED),
            (awaited(awaited(), "another-token"), Ended.SUPERSEDED),
            (enter(awaited(), NOW + 2, by="workflow"), Ended.SUPERSEDED),
        ],
        ids=[
            "left",
            "stopped",
            "over",
            "expired",
            "expired: stop",
            "expired: keep",
            "superseded",
            "entered by another",
        ],
    )
    def test_each_end_is_told_as_what_it_is(self, after, ended):
        """Whatever closes the pause is told to who waits for that, once."""
        assert completions(awaited(), after) == [Completion(TOKEN, "card-entry", ended)]
        assert completions(after, after) == []

    @pytest.mark.parametrize("before", [None, new(), paused()])
    def test_where_nobody_waits_nobody_is_told(self, before):
        """A pause without a token ends in silence."""
        assert completions(before, leave(paused())) == []

    def test_as_long_as_it_is_open_nobody_is_told(self):
        """What else happens to the call is not what the workflow waits for."""
        assert completions(awaited(), replace(awaited(), changes=7)) == []

    def test_scenario_26_entering_again_extends_the_wait(self):
        """A flow that enters the step again ends the wait with the pause as it is then, to be waited for again."""
        before = awaited()
        after = enter(before, NOW + 200)

        assert completions(before, after) == [
            Completion(TOKEN, "card-entry", Ended.EXTENDED, after.pauses["card-entry"])
        ]
        assert after.pauses["card-entry"].deadline == NOW + 500

    def test_of_several_steps_each_has_its_own(self):
        """Only the workflow whose step has ended is told."""
        both = enter(awaited(), NOW + 2, step="security-code")
        both = both.awaited(step="security-code", pause_id=None, token="other", now=NOW + 3, by="workflow")

        assert completions(both, leave(both, NOW + 4)) == [Completion(TOKEN, "card-entry", Ended.LEFT)]

    def test_how_the_last_pause_ended_is_found(self):
        """The last end of the step counts, not a refused one, and not another step's."""
        expired = paused().expired(now=NOW + 1_000, on_deadline="resume")
        later = leave(leave(enter(expired, NOW + 1_001, step="other"), NOW + 1_002), NOW + 1_003, step="other")
        again = leave(enter(later, NOW + 1_004), NOW + 1_005)

        assert [late(each, None) for each in (expired, later, again)] == [Ended.EXPIRED, Ended.EXPIRED, Ended.LEFT]
        assert [late(each, None) for each in (new(), over(new()))] == [Ended.SUPERSEDED, Ended.CALL_OVER]
        assert late(paused().expired(now=NOW + 1_000, on_deadline="keep"), None) is Ended.EXPIRED

    def test_scenario_34_one_that_comes_late_hears_of_its_own_pause(self):
        """Between a pause and the wait for it other visits may have come and gone."""
        mine = paused()
        expired = mine.expired(now=NOW + 1_000, on_deadline="resume")
        anew = enter(expired, NOW + 1_001)
        gone = leave(anew, NOW + 1_002)

        assert [late(each, mine) for each in (expired, anew, gone)] == [Ended.EXPIRED] * 3
        assert late(gone, anew) is Ended.LEFT

    def test_scenario_34_what_came_after_the_end_does_not_matter(self):
        """A step that was left was left, whatever became of the call since."""
        mine = paused()
        gone = leave(mine, NOW + 2)

        assert [late(each, mine) for each in (over(gone), stop(gone), over(mine), stop(mine))] == [
            Ended.LEFT,
            Ended.LEFT,
            Ended.CALL_OVER,
            Ended.STOPPED,
        ]

    def test_scenario_34_the_end_of_what_began_long_ago(self):
        """A pause may last longer than the ledger keeps what happened: its end is the last one."""
        mine = paused()
        gone = leave(mine, NOW + 2)

        assert late(replace(gone, events=gone.events[-1:]), mine) is Ended.LEFT
        again = enter(gone, NOW + 3).expired(now=NOW + 1_000, on_deadline="resume")
        since = replace(again, events=again.events[again.events.index(gone.events[-1]) :])
        assert [event.what for event in since.events] == ["left", "entered", "expired"]
        assert late(since, mine) is Ended.EXPIRED

    def test_scenario_26_one_that_comes_late_hears_who_entered_again(self):
        """Its flow has extended its pause; another workflow has taken it over, whatever its flow has done since."""
        mine = paused(by="workflow", occurred_at=NOW)
        extended = enter(mine, NOW + 1)
        theirs = enter(extended, NOW + 2, by="workflow")

        assert (late(extended, mine), late(theirs, mine)) == (Ended.EXTENDED, Ended.SUPERSEDED)
        assert late(enter(theirs, NOW + 3), mine) is Ended.SUPERSEDED
        assert late(leave(theirs, NOW + 3), mine) is Ended.SUPERSEDED
        assert late(leave(extended, NOW + 3), mine) is Ended.LEFT
        assert completion(extended, "card-entry", pause_of(mine), TOKEN).pause == extended.pauses["card-entry"]
        assert completion(theirs, "card-entry", pause_of(mine), TOKEN).pause is None
        elsewhere = enter(extended, NOW + 2, step="security-code", by="workflow")
        told_twice = enter(mine, NOW + 2, by="workflow", occurred_at=NOW)
        assert (late(elsewhere, mine), late(leave(told_twice), mine)) == (Ended.EXTENDED, Ended.LEFT)

    def test_what_nobody_remembers_is_not_taken_for_ones_own(self):
        """A pause whose beginning is not on record any more is told superseded while another one is open."""
        mine = paused()
        extended = enter(mine, NOW + 1)
        folded = replace(extended, events=extended.events[-1:])

        assert late(folded, mine) is Ended.SUPERSEDED


def pause_of(ledger: CallLedger) -> str:
    """The id of the open pause."""
    return ledger.pauses["card-entry"].pause_id


def late(ledger: CallLedger, mine: CallLedger | None) -> Ended:
    """What a workflow is told that comes to wait for the pause that is open in *mine*; None: it does not say for which."""
    return completion(ledger, "card-entry", None if mine is None else pause_of(mine), TOKEN).ended
