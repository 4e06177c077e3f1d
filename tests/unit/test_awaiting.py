"""Workflows that wait for the end of a step."""

from dataclasses import replace

import pytest

from call_recording.awaiting import Completion, Ended, completions, how_ended
from call_recording.ledger import CallLedger
from call_recording.ledger_json import dumps, loads
from tests.unit.ledger_words import NOW, enter, leave, new, over, paused, stop

TOKEN = "placeholder-task-token-0001"


def awaited(ledger: CallLedger | None = None, token: str = TOKEN) -> CallLedger:
    """The ledger of a paused call, for the end of whose step a workflow waits."""
    return (ledger or paused()).awaited(step="card-entry", token=token, now=NOW + 1, by="workflow")


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

    def test_entering_again_keeps_it(self):
        """A flow that enters the step again extends the pause: the workflow goes on waiting."""
        assert enter(awaited(), NOW + 2).pauses["card-entry"].token == TOKEN

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
        ],
        ids=["left", "stopped", "over", "expired", "expired: stop", "expired: keep", "superseded"],
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
        assert completions(awaited(), enter(awaited(), NOW + 2)) == []
        assert completions(awaited(), replace(awaited(), changes=7)) == []

    def test_of_several_steps_each_has_its_own(self):
        """Only the workflow whose step has ended is told."""
        both = enter(awaited(), NOW + 2, step="security-code")
        both = both.awaited(step="security-code", token="other", now=NOW + 3, by="workflow")

        assert completions(both, leave(both, NOW + 4)) == [Completion(TOKEN, "card-entry", Ended.LEFT)]

    def test_how_an_older_pause_ended_is_found(self):
        """The last end of the step counts, not a refused one, and not another step's."""
        expired = paused().expired(now=NOW + 1_000, on_deadline="resume")
        later = leave(leave(expired, NOW + 1_001), NOW + 1_002, step="other")

        assert (how_ended(expired, "card-entry"), how_ended(later, "card-entry")) == (Ended.EXPIRED, Ended.EXPIRED)
        assert how_ended(new(), "card-entry") is Ended.LEFT
