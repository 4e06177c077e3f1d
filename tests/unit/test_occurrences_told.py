"""What a vendor tells us by itself, as it is written into a ledger, and kept by the queue."""

from dataclasses import replace

import pytest

from call_recording.model import Call, Happening, RecordingEvent, Reminder
from call_recording.occurrences import Occurrence, event_of, happened, reminder_of
from tests.unit.ledger_words import NOW, paused


class TestTold:
    """What a vendor tells by itself."""

    EVENT = RecordingEvent(
        account="acme",
        happening=Happening.RECORDING_STARTED,
        call=Call(call_id="CA", channel_id="channel-1"),
        recording_id="RE2",
        event_id="E1",
    )

    def test_nobody_waits_for_an_answer(self):
        """An event opens nothing and names no recording to be asked about: what is desired of the call is asked for."""
        occurrence = happened(self.EVENT, "vendor", "nonce-1")

        assert occurrence == Occurrence(
            by="vendor", account="acme", call=self.EVENT.call, apply=occurrence.apply, urgent=True
        )

    @pytest.mark.parametrize("happening", Happening)
    def test_a_tape_that_begins_to_run_is_urgent(self, happening):
        """Only a recording that starts is worth a pause beside a dead holder's lease."""
        occurrence = happened(replace(self.EVENT, happening=happening), "vendor", "nonce-1")

        assert occurrence.urgent is (happening is Happening.RECORDING_STARTED)

    @pytest.mark.parametrize("happening", Happening)
    def test_it_is_written_as_what_it_is(self, happening):
        """The end of a call is told as such; anything else is of its recordings."""
        ledger = happened(replace(self.EVENT, happening=happening), "vendor", "nonce-1").apply(paused(), NOW + 9)
        over = happening is Happening.CALL_OVER

        assert (ledger.over, ledger.changes) == (False, 1)
        assert ledger.events[-1].what == ("told over" if over else happening)
        assert ledger.events[-1].details["by"] == "vendor"
        assert ledger.seen[-1] == "E1"

    def test_without_an_id_it_is_known_by_a_nonce(self):
        """Our own write is known again if its answer is lost, also where nothing makes two deliveries the same."""
        occurrence = happened(replace(self.EVENT, event_id=None), "vendor", "nonce-1")
        ledger = occurrence.apply(paused(), NOW)

        assert (ledger.seen[-1], occurrence.apply(ledger, NOW + 1) is ledger) == ("nonce-1", True)

    @pytest.mark.parametrize("happening", Happening)
    @pytest.mark.parametrize("given", [{}, {"recording_id": None}, {"event_id": None}])
    def test_scenario_29_the_queue_gives_back_what_it_was_given(self, happening, given):
        """An event that the queue has kept is the same event."""
        event = replace(self.EVENT, happening=happening, **given)

        assert event_of(reminder_of(event)) == event

    def test_a_redirect_is_not_kept(self):
        """A URL, which can carry anything, does not go into the queue."""
        event = replace(self.EVENT, call=Call(call_id="CA", redirect_url="https://ivr.example.com/next"))

        assert reminder_of(event).call == Call(call_id="CA")

    def test_any_other_reminder_is_no_event(self):
        """A reminder of a pause, or of a call alone, tells of nothing that has happened."""
        assert event_of(Reminder("acme", Call(call_id="CA"), "card-entry", "P1", NOW)) is None
