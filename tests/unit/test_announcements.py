"""What is announced of what a ledger notes."""

from dataclasses import replace

import pytest

from call_recording import errors
from call_recording.announcements import KINDS, Announcement
from call_recording.ledger import CallLedger
from call_recording.ledger_parts import GIVE_UP, MAX_RECORDINGS, SKEW
from call_recording.model import Action, Happening, Proof, RecordingStatus
from tests.unit.announced_words import SCHEMAS, delivered, file_of, kinds, misfits, schema_of, told
from tests.unit.ledger_words import (
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

SILENT = errors.OutcomeUnknownError("ReadTimeout", vendor="fake")
REFUSED = errors.VendorResponseError("refused", vendor="fake", http_status=400, vendor_code="21220")
AT = "2026-09-21T14:13:20.000Z"


def changed(ledger: CallLedger, what: str, recording_id: str | None = "RE2") -> CallLedger:
    """Tell of a recording."""
    return ledger.recording_changed(event_id=f"E-{what}", now=NOW, by="vendor", what=what, recording_id=recording_id)


def errand(ledger: CallLedger) -> CallLedger:
    """Ask for one recording to be stopped."""
    return ledger.errand_asked(
        step="card-entry", recording_id="RE1", event_id="E1", errand="errand-1", now=NOW, by="flow"
    )


def wanted(action: Action) -> CallLedger:
    """The ledger of a call that somebody is about to be asked for *action*."""
    return take({Action.PAUSE: enter(new()), Action.RESUME: leave(paused()), Action.STOP: stop(paused())}[action])


def last(before: CallLedger, after: CallLedger) -> Announcement:
    """Return the one event that is announced."""
    [announcement] = told(before, after)
    return announcement


class TestSaid:
    """What somebody has said, or time has brought about."""

    @pytest.mark.parametrize(
        ("before", "after", "kind"),
        [
            (new(), enter(new()), "Pause Opened"),
            (paused(), enter(paused()), "Pause Opened"),
            (paused(), leave(paused()), "Pause Released"),
            (paused(), paused().expired(now=NOW + 301 + SKEW, on_deadline="resume"), "Pause Expired"),
            (paused(), paused().expired(now=NOW + 301 + SKEW, on_deadline="keep"), "Pause Expired"),
            (paused(), paused().expired(now=NOW + 301 + SKEW, on_deadline="stop"), "Pause Expired"),
            (paused(), stop(paused()), "Stop Requested"),
            (paused(), errand(paused()), "Stop Requested"),
            (paused(), over(paused()), "Call Ended"),
            (new(), changed(new(), Happening.RECORDING_STARTED), "Recording Started"),
            (new(), changed(new(), Happening.RECORDING_ENDED), "Recording Ended"),
            (new(), changed(new(), Happening.RECORDING_FAILED, recording_id=None), "Recording Failed"),
        ],
    )
    def test_it_is_announced(self, before, after, kind):
        """Each thing that was said of a call is one event, and its schema holds."""
        assert kinds(before, after)[-1:] == [kind]

    def test_the_detail_has_what_the_ledger_says(self):
        """An event has the call, its place in the story, the number of open pauses, and what the ledger has noted."""
        after = enter(new().of("twilio", None), pause_id="P1")

        assert last(new(), after) == (
            "Pause Opened",
            AT,
            {
                "account": "acme",
                "vendor": "twilio",
                "call_id": "CA",
                "sequence": 0,
                "at": AT,
                "open_pauses": 1,
                "by": "flow",
                "step": "card-entry",
                "pause_id": "P1",
                "deadline": "2026-09-21T14:18:20.000Z",
            },
        )

    def test_the_end_of_a_call_that_is_told(self):
        """Where somebody tells of the end of a call that is at rest, that is announced too."""
        before = settle(leave(paused()), RUNNING)

        assert kinds(before, before.call_ended(event_id="E1", now=NOW, by="webhook")) == ["Call Ended"]

    def test_four_hours_of_failures(self):
        """A call that is given up is announced beside the failure."""
        before = take(replace(leave(paused()), failing_since=NOW - GIVE_UP, failures=240))

        assert kinds(before, record(before, report(PAUSED, error=SILENT))) == ["Resume Failed", "Call Given Up"]

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (over(new()), enter(over(new()))),
            (stop(new()), enter(stop(new()))),
            (new(), leave(new())),
            (new(), take(new())),
            (paused(), paused().call_ended(event_id="E1", now=NOW, by="webhook")),
            (new(), new().unheard(step="card-entry", pause_id="P9", now=NOW, timing=TIMING)),
            (new(), new().failed(now=NOW, reason="the account is gone")),
            (take(new()), take(new()).relieved(NOW + 3600)),
            (take(new()), take(new()).pausing_unleased(ends_at=NOW, now=NOW, by="flow", timing=TIMING)),
        ],
    )
    def test_what_changed_nothing_is_nobody_s_business(self, before, after):
        """What was refused, and what is only between us and the vendor, is noted and not announced."""
        assert len(after.events) > len(before.events)
        assert kinds(before, after) == []

    def test_a_stop_by_document_is_one_event(self):
        """That a stop is left to a document of ours is not a second event."""
        after = new().stopped_by_document(step="card-entry", event_id="E1", now=NOW, by="flow")

        assert [event.what for event in after.events] == ["stop asked", "left to a document"]
        assert kinds(new(), after) == ["Stop Requested"]


class TestAnswers:
    """What the vendor has done."""

    @pytest.mark.parametrize(
        ("action", "status", "kind"),
        [
            (Action.PAUSE, PAUSED, "Recording Paused"),
            (Action.RESUME, RUNNING, "Recording Resumed"),
            (Action.STOP, STOPPED, "Recording Stopped"),
            (Action.STOP, RecordingStatus.COMPLETED, "Recording Stopped"),
        ],
    )
    @pytest.mark.parametrize("proof", [Proof.OBSERVED, Proof.ACKNOWLEDGED])
    def test_what_is_proven_is_announced(self, action, status, kind, proof):
        """What every recording is shown to be is announced as done, however the vendor shows it."""
        before = wanted(action)
        event = last(before, record(before, report(shown(status, "RE1", proof), shown(status, None, proof))))

        assert (event.kind, event.detail["action"]) == (kind, str(action))
        assert event.detail["proven"] is True
        assert event.detail["recordings"] == [
            {"recording_id": name, "status": str(status), "vendor_status": str(status), "proof": str(proof)}
            for name in ("RE1", None)
        ]

    @pytest.mark.parametrize("action", Action)
    @pytest.mark.parametrize(
        "answer",
        [
            report(error=SILENT),
            report(error=REFUSED),
            report(RecordingStatus.UNKNOWN),
            report(PAUSED, RUNNING, STOPPED),
            report(shown(PAUSED, proof=Proof.NONE)),
            report(shown(RUNNING, proof=Proof.NONE)),
            report(shown(STOPPED, proof=Proof.NONE)),
            report(shown(STOPPED, proof=Proof.NONE), RUNNING),
        ],
    )
    def test_what_is_not_shown_has_failed(self, action, answer):
        """Without a recording that is shown as asked, or with one that is not, nothing is said to be done."""
        before = wanted(action)
        event = last(before, record(before, answer))

        assert event.kind == f"{action.capitalize()} Failed"
        assert ("error" in event.detail) is (answer.error is not None)

    def test_the_vendor_s_refusal_is_told_by_its_numbers(self):
        """A refusal is told by class, status and code."""
        before = wanted(Action.PAUSE)
        detail = last(before, record(before, report(error=REFUSED))).detail

        assert (detail["error"], detail["http_status"], detail["vendor_code"]) == ("VendorResponseError", 400, "21220")
        assert not {"holder", "in_doubt", "reason"} & detail.keys()

    @pytest.mark.parametrize("action", [Action.PAUSE, Action.RESUME])
    def test_what_is_in_doubt_has_failed(self, action):
        """A tape that is shown as asked while an earlier command may yet change it is not announced as done."""
        before = wanted(action)
        before = replace(before, doubts=before.doubts._replace(pause=NOW + 60, resume=NOW + 60))
        status = PAUSED if action is Action.PAUSE else RUNNING
        event = last(before, record(before, report(status, in_doubt=True)))

        assert (event.kind, event.detail["proven"]) == (f"{action.capitalize()} Failed", False)

    @pytest.mark.parametrize("action", Action)
    def test_nothing_is_recorded(self, action):
        """A call without a live recording is announced as such, whatever was asked for."""
        before = wanted(action)

        assert last(before, record(before, report())).kind == "Nothing Recorded"

    @pytest.mark.parametrize(
        ("answer", "kind"), [(report(STOPPED), "Recording Stopped"), (report(error=SILENT), "Stop Failed")]
    )
    def test_one_recording_is_stopped(self, answer, kind):
        """A stop of one recording is announced as it was shown, though of the others nothing is known."""
        before = take(errand(paused()), action=Action.STOP)
        event = last(before, before.ran_errand(answer, Action.STOP, now=NOW, timing=TIMING))

        assert (event.kind, event.detail["proven"]) == (kind, False)
        assert [each["recording_id"] for each in event.detail["recordings"]] == ([] if answer.error else ["RE1"])

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (report(STOPPED, error=SILENT), "Stop Failed"),
            (report(*[STOPPED] * MAX_RECORDINGS), "Recording Stopped"),
            (report(*[STOPPED] * (MAX_RECORDINGS + 1)), "Stop Failed"),
        ],
    )
    def test_a_stop_of_which_not_all_is_shown(self, answer, kind):
        """Recordings that are shown as stopped are not all there may be if the vendor failed, or has too many of them."""
        before = take(stop(new()))

        assert kinds(before, record(before, answer)) == [kind]

    def test_the_vendor_shows_that_the_call_is_over(self):
        """A failure that ends the call is two events, in that order."""
        before = wanted(Action.PAUSE)
        after = record(before, report(error=errors.CallOverError("over", vendor="fake")))

        assert kinds(before, after) == ["Pause Failed", "Call Ended"]
        assert [each.detail["open_pauses"] for each in told(before, after)] == [0, 0]


class TestSchemas:
    """What is written down of the events."""

    def test_each_kind_has_one(self):
        """There is a schema for every kind, and none of another."""
        assert {path.name for path in SCHEMAS.glob("*.json")} == {file_of(kind) for kind in KINDS}

    @pytest.mark.parametrize("kind", sorted(KINDS))
    def test_it_is_one_and_says_all(self, kind):
        """A schema names its kind, describes every field, and lets nothing else in."""
        schema = schema_of(kind)
        detail = schema["properties"]["detail"]

        assert (schema["title"], schema["properties"]["detail-type"]["const"]) == (kind, kind)
        assert schema["additionalProperties"] is detail["additionalProperties"] is False
        assert all(each["description"] for each in (schema, *detail["properties"].values()))
        assert {"account", "vendor", "call_id", "sequence", "at", "open_pauses"} <= set(detail["required"])

    def test_nothing_else_gets_through(self):
        """A field that nobody has described is found."""
        event = delivered(last(new(), enter(new())))

        assert misfits(event) == []
        assert misfits(event | {"detail": event["detail"] | {"token": "secret"}}) != []
        assert misfits(event | {"detail-type": "Pause Released"}) != []
