"""What operators are told, and what nobody is."""

import io
import json
import logging

import pytest

from call_recording import errors
from call_recording.aws import observability
from call_recording.model import (
    Action,
    Call,
    Happening,
    Notice,
    Proof,
    Recording,
    RecordingEvent,
    RecordingStatus,
    Trigger,
    Verdict,
)
from call_recording.outcome import Outcome
from tests.unit.fakes import CARD, FakeContext


@pytest.fixture(name="lines")
def _lines(monkeypatch):
    """Return a function that reads what the one logger has written, line by line."""
    stream = io.StringIO()
    monkeypatch.setattr(observability.logger.registered_handler, "stream", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture(name="metrics")
def _metrics(monkeypatch, capsys):
    """Return a function that sends the metrics and reads them."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Offtape")
    monkeypatch.setattr(observability.metrics.provider, "namespace", "Offtape")
    monkeypatch.setattr(observability.metrics.provider, "service", "flow_callback")
    observability.metrics.provider.clear_metrics()

    def read():
        observability.metrics.flush_metrics()
        return json.loads(capsys.readouterr().out)

    yield read
    observability.metrics.provider.clear_metrics()


def outcome(error=None, verdict=Verdict.CONFIRMED) -> Outcome:
    """Return what came of a trigger."""
    recording = Recording(
        recording_id="RE1", call_id="CA1", status=RecordingStatus.PAUSED, vendor_status="paused", proof=Proof.OBSERVED
    )
    return Outcome(
        trigger=Trigger(account="acme", action=Action.PAUSE, step="card-entry", call=Call(call_id="CA1")),
        vendor="twilio",
        verdict=verdict,
        error=error,
        recordings=(recording,),
        elapsed_ms=212,
    )


class TestHandled:
    """A trigger that was carried out, or could not be."""

    def test_success_is_one_line(self, lines, metrics):
        """A trigger that was carried out is one line with names, ids and words."""
        observability.LogsAndMetrics().handled(outcome(), None)

        [line] = lines()
        assert (line["level"], line["message"]) == ("INFO", "trigger handled")
        expected = {"account": "acme", "vendor": "twilio", "call_id": "CA1", "step": "card-entry", "action": "pause"}
        expected |= {"verdict": "confirmed", "status": "paused", "proof": "observed"}
        assert {name: line[name] for name in expected} == expected
        assert (line["recordings"], line["elapsed_ms"]) == (1, 212)

    def test_failure_is_an_error_with_its_reason(self, lines, metrics):
        """A trigger that was not carried out is an error, with the vendor's status and code."""
        error = errors.ConflictError("refused", vendor="twilio", http_status=400, vendor_code="21220")
        observability.LogsAndMetrics().handled(outcome(errors.ConflictError, Verdict.FAILED), error)

        [line] = lines()
        assert (line["level"], line["error"]) == ("ERROR", "ConflictError")
        assert line["reason"] == "twilio: refused HTTP 400 code 21220"

    @pytest.mark.parametrize(
        ("verdict", "name"), [(Verdict.CONFIRMED, "PauseConfirmed"), (Verdict.NOT_RECORDING, "PauseNotRecording")]
    )
    def test_verdicts_are_counted(self, lines, metrics, verdict, name):
        """Each verdict is counted by vendor, with the time that it took."""
        observability.LogsAndMetrics().handled(outcome(verdict=verdict), None)
        sent = metrics()

        assert (sent[name], sent["Elapsed"], sent["vendor"]) == ([1.0], [212.0], "twilio")
        assert sent["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Offtape"


class TestNoticed:
    """What operators should know of beside the outcomes."""

    def test_it_is_a_warning_with_its_reason(self, lines, metrics):
        """A notice is a warning with names, ids and the reason."""
        observability.LogsAndMetrics().noticed(
            Notice.LEDGER_UNAVAILABLE, account="acme", call_id="CA1", step="card-entry", reason="DynamoDB: TimeOver"
        )

        [line] = lines()
        assert (line["level"], line["message"]) == ("WARNING", "ledger-unavailable")
        expected = {"account": "acme", "call_id": "CA1", "step": "card-entry", "reason": "DynamoDB: TimeOver"}
        assert {name: line[name] for name in expected} == expected

    def test_a_request_may_be_of_no_call(self, lines, metrics):
        """Who is turned away at the door has named no call that anybody has read."""
        observability.LogsAndMetrics().noticed(Notice.PROOF_REFUSED, account="acme", reason="carried authorization")

        [line] = lines()
        assert (line["account"], line["reason"]) == ("acme", "carried authorization")
        assert not {"call_id", "step"} & line.keys()

    @pytest.mark.parametrize("is_handled_first", [True, False])
    def test_it_is_counted_apart(self, lines, metrics, capsys, is_handled_first):
        """An alarm on a notice finds it by the service alone, whatever else the invocation counts by vendor."""
        tell = [
            lambda: observability.LogsAndMetrics().handled(outcome(), None),
            lambda: observability.LogsAndMetrics().noticed(Notice.NOT_LOOKED_AT, account="acme", call_id="CA1"),
        ]

        def handler(event, context):
            for each in tell if is_handled_first else reversed(tell):
                each()

        observability.instrumented(handler)({}, FakeContext())
        notice, rest = (json.loads(line) for line in capsys.readouterr().out.splitlines())
        [counted] = notice["_aws"]["CloudWatchMetrics"]

        assert (notice["NotLookedAt"], counted["Dimensions"]) == ([1.0], [["service"]])
        assert [each["Name"] for each in counted["Metrics"]] == ["NotLookedAt"]
        assert (counted["Namespace"], notice["service"], rest["service"]) == ("Offtape", *["flow_callback"] * 2)
        assert "vendor" not in notice
        assert (rest["vendor"], rest["PauseConfirmed"], "NotLookedAt" in rest) == ("twilio", [1.0], False)


class TestTold:
    """What webhooks tell."""

    def test_an_event_is_one_line(self, lines, metrics):
        """What a webhook tells of a call is one line with names, ids and a word, and is counted by vendor."""
        event = RecordingEvent(
            account="acme", happening=Happening.RECORDING_STARTED, call=Call(call_id="CA1"), recording_id="RE1"
        )
        observability.LogsAndMetrics().webhook_taken([event], account="acme", vendor="twilio")

        [line] = lines()
        assert (line["level"], line["message"]) == ("INFO", "webhook taken")
        expected = {"account": "acme", "vendor": "twilio", "call_id": "CA1", "happening": "recording-started"}
        assert {name: line[name] for name in expected} == expected
        sent = metrics()
        assert (sent["WebhookTaken"], sent["vendor"], "WebhookIgnored" in sent) == ([1.0], "twilio", False)

    def test_one_that_tells_nothing_is_counted_only(self, lines, metrics):
        """A webhook that tells nothing that matters is no line of the log."""
        observability.LogsAndMetrics().webhook_taken([], account="acme", vendor="bird")
        sent = metrics()

        assert lines() == []
        assert (sent["WebhookIgnored"], sent["vendor"], "WebhookTaken" in sent) == ([1.0], "bird", False)


class TestSwept:
    """What the sweep found."""

    @pytest.mark.parametrize("due", [0, 7])
    def test_it_is_counted(self, metrics, due):
        """What was due is counted, also if it was nothing."""
        observability.LogsAndMetrics().swept(due)

        assert metrics()["CallsDue"] == [float(due)]


class TestAnnounced:
    """What was put on the bus."""

    @pytest.mark.parametrize("count", [0, 4])
    def test_it_is_counted(self, metrics, count):
        """What was announced is counted, also if it was nothing: a stream that is read is seen to be."""
        observability.LogsAndMetrics().announced(count)

        assert metrics()["EventsAnnounced"] == [float(count)]


class TestRefusedAndMisconfigured:
    """What never reached a vendor."""

    def test_a_refusal_is_a_warning(self, lines, metrics):
        """A refused trigger is a warning that names the field, and is counted."""
        observability.LogsAndMetrics().refused("call_id is missing", account="acme", field="call_id")

        [line] = lines()
        assert (line["level"], line["message"], line["reason"]) == ("WARNING", "trigger refused", "call_id is missing")
        assert (line["account"], line["field"]) == ("acme", "call_id")
        assert metrics()["TriggerRefused"] == [1.0]

    def test_a_misfit_tells_what_to_do(self, lines, metrics):
        """A secret that does not fit is an error that an operator understands, and is counted."""
        observability.LogsAndMetrics().misconfigured("acme", "settings.budget_ms", "settings.budget_ms must be ...")

        [line] = lines()
        assert line["level"] == "ERROR"
        assert "mend the field" in line["message"]
        assert (line["account"], line["field"]) == ("acme", "settings.budget_ms")
        assert metrics()["SecretMisconfigured"] == [1.0]


class TestInstrumented:
    """What every handler gets."""

    def test_each_line_carries_the_request(self, lines, metrics, capsys):
        """A log line names the invocation that it belongs to, and the metrics are sent when the handler ends."""

        def handler(event, context):
            observability.LogsAndMetrics().refused("x")
            return {"statusCode": 200}

        answer = observability.instrumented(handler)({}, FakeContext(aws_request_id="request-1"))

        assert answer == {"statusCode": 200}
        assert [line["function_request_id"] for line in lines()] == ["request-1"]
        assert json.loads(capsys.readouterr().out)["TriggerRefused"] == [1.0]

    def test_what_one_invocation_adds_is_gone_in_the_next(self, lines, metrics):
        """Keys that an invocation added to its log lines are not there in the next."""

        def handler(event, context):
            observability.LogsAndMetrics().refused("x")
            observability.logger.append_keys(call_id="CA1")

        instrumented = observability.instrumented(handler)
        instrumented({}, FakeContext())
        instrumented({}, FakeContext())

        assert "call_id" not in lines()[1]

    def test_an_event_is_never_logged(self, lines, metrics, monkeypatch):
        """No variable of the environment makes a function log what it was sent."""
        monkeypatch.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")

        def handler(event, context):
            observability.LogsAndMetrics().refused("x")

        instrumented = observability.instrumented(handler)
        instrumented({"body": CARD}, FakeContext())

        assert CARD not in json.dumps(lines())


class TestLibraries:
    """The libraries that would write whole requests."""

    @pytest.mark.parametrize(
        "name",
        [
            "boto3",
            "boto3.resources",
            "botocore",
            "botocore.endpoint",
            "botocore.parsers",
            "botocore.hooks",
            "urllib3.connectionpool",
            "httpx",
            "httpcore.http11",
            "httpcore.connection",
        ],
    )
    @pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
    def test_they_write_warnings_only(self, caplog, name, level):
        """Whatever level is set for a function, what the libraries say below a warning is not written."""
        caplog.set_level(logging.DEBUG)

        assert not logging.getLogger(name).isEnabledFor(level)
        assert logging.getLogger(name).isEnabledFor(logging.WARNING)
