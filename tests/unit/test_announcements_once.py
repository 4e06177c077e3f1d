"""That each event is announced once, however a ledger is saved and however the stream is cut up."""

import functools
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from call_recording import errors, ledger_json
from call_recording.announcements import Announcement, announced
from call_recording.ledger import CallLedger
from call_recording.ledger_parts import MAX_EVENTS
from call_recording.model import Happening, Proof, Recording, RecordingStatus
from tests.unit.announced_words import kinds, told
from tests.unit.ledger_words import NOW, STOPPED, enter, leave, new, paused, record, report, settle, stop, take


class TestOnce:
    """Which of a ledger's events are new."""

    def test_of_a_ledger_that_was_not_there_all_are(self):
        """The first put of a ledger announces all that it notes."""
        assert kinds(None, paused()) == ["Pause Opened", "Recording Paused"]

    def test_a_put_that_notes_nothing_announces_nothing(self):
        """A ledger that was saved for another reason announces nothing anew."""
        assert kinds(paused(), replace(paused(), look_at=NOW)) == []

    def test_several_in_one_put(self):
        """Whatever one put brings is announced in its order, with rising places."""
        after = settle(leave(stop(enter(paused(), step="other"))), STOPPED)
        events = told(paused(), after)

        assert [each.kind for each in events] == ["Pause Opened", "Stop Requested", "Recording Stopped"]
        # the ledger has noted other things between them
        assert [each.detail["sequence"] for each in events] == [3, 4, 7]

    def test_places_survive_what_is_folded(self):
        """Where older events are no longer kept the place of an event stays what it is."""
        ledger = new()
        for _ in range(MAX_EVENTS + 20):
            ledger = enter(ledger)
        after = leave(ledger)

        assert (ledger.folded, after.folded) == (20, 21)
        assert [(each.kind, each.detail["sequence"]) for each in told(ledger, after)] == [
            ("Pause Released", MAX_EVENTS + 20)
        ]

    def test_what_was_folded_at_once_is_beyond_us(self):
        """Of more events than a ledger keeps, the ones that it still has are announced."""
        ledger = new()
        for _ in range(MAX_EVENTS + 20):
            ledger = enter(ledger)

        assert [each.detail["sequence"] for each in told(None, ledger)] == list(range(20, MAX_EVENTS + 20))


RECORDINGS = st.lists(
    st.builds(
        Recording,
        recording_id=st.sampled_from(["RE1", "RE2", None]),
        call_id=st.just("CA"),
        status=st.sampled_from(RecordingStatus),
        vendor_status=st.sampled_from(["in-progress", None]),
        proof=st.sampled_from(Proof),
    ),
    max_size=3,
)
REPORTS = st.builds(
    lambda shows, error, in_doubt: report(*shows, error=error, in_doubt=in_doubt),
    RECORDINGS,
    st.sampled_from(
        [
            None,
            None,
            errors.OutcomeUnknownError("ReadTimeout", vendor="fake"),
            errors.CallOverError("over", vendor="fake"),
        ]
    ),
    st.booleans(),
)
STEPS = st.one_of(
    st.sampled_from(
        [
            enter,
            leave,
            stop,
            take,
            lambda ledger: ledger.errand_asked(
                step="card-entry", recording_id="RE1", event_id="E1", errand="errand-1", now=NOW, by="flow"
            ),
            lambda ledger: ledger.awaited(
                step="card-entry", pause_id=None, token="placeholder-task-token", now=NOW, by="workflow"
            ),
            lambda ledger: enter(ledger, step="other"),
            lambda ledger: ledger.expired(now=NOW + 400, on_deadline="resume"),
            lambda ledger: ledger.call_ended(event_id="over", now=NOW, by="webhook"),
            lambda ledger: ledger.recording_changed(
                event_id="E2", now=NOW, by="vendor", what=Happening.RECORDING_STARTED
            ),
            lambda ledger: replace(ledger, look_at=ledger.look_at + 1),
        ]
    ),
    st.builds(lambda answer: lambda ledger: record(ledger, answer), REPORTS),
)


class TestAnyStory:
    """Whatever happens to a call, and however the stream is cut up."""

    @given(st.lists(st.tuples(STEPS, st.booleans()), max_size=30), st.sampled_from([0, MAX_EVENTS - 5]))
    def test_each_event_is_announced_once(self, steps, noted):
        """Over all puts each event is announced once and in order, none is lost, none is invented, and all fit their schemas."""
        ledger = known = functools.reduce(lambda ledger, _: enter(ledger), range(noted), new())
        puts = [ledger]
        for step, is_saved in [*steps, (leave, True)]:
            before, ledger = ledger, step(ledger)
            known = longer(known, before, ledger)
            if is_saved:
                puts.append(ledger)
        # as the table keeps them
        images = [ledger_json.loads(ledger_json.dumps(each), 0) for each in puts]
        heard = [each for before, after in pairwise(images) for each in told(before, after)]

        assert said(heard) == said(announced(puts[0], known))
        assert "task-token" not in repr(heard)

    @given(st.lists(STEPS, max_size=20), st.data())
    def test_what_comes_again_is_the_same(self, steps, data):
        """A batch that overlaps one that was taken already tells again the same, which its place gives away."""
        puts = [new()]
        for step in steps:
            puts.append(step(puts[-1]))
        changes = list(pairwise(puts))
        first = data.draw(st.integers(0, len(changes)))
        heard = [each for before, after in [*changes, *changes[first:]] for each in told(before, after)]
        once = {each.detail["sequence"]: each for each in heard}

        assert all(once[each.detail["sequence"]] == each for each in heard)
        assert said([*once.values()]) == said(announced(None, puts[-1]))


def longer(known: CallLedger, before: CallLedger, after: CallLedger) -> CallLedger:
    """Add what has just been noted to a ledger that folds nothing away."""
    fresh = after.folded + len(after.events) - before.folded - len(before.events)
    return replace(known, events=known.events + after.events[len(after.events) - fresh :])


def said(announcements: list[Announcement]) -> list[tuple[int, str, str]]:
    """Give the place, the kind and the time of events, as they came."""
    return [(each.detail["sequence"], each.kind, each.at) for each in announcements]
