"""The function that Step Functions invokes."""

import json
from pathlib import Path

import httpx
import pytest

from call_recording import errors
from call_recording.inbound.tasks import WorkflowTasks
from tests.unit.fake_stores import FakeWorkflows
from tests.unit.fakes import CARD, KEYS, FakeContext

ROOT = Path(__file__).parents[2]
EVENTS = {
    path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "events" / "workflow_task").glob("*.json"))
}

#: Map an event file: the verdict, or the name of the error that a `Catch` matches.
EXPECTED = {
    "bandwidth_stop": "acknowledged",
    "bird_pause": "confirmed",
    "signalwire_resume": "confirmed",
    "twilio_missing_call_id": "InvalidTriggerError",
    "twilio_pause": "confirmed",
    "twilio_unknown_account": "UnknownAccountError",
    "twilio_unknown_action": "InvalidTriggerError",
}
#: The event of a workflow that waits for the end of the step that `twilio_pause` enters.
WAIT = "twilio_wait"

#: A task without an account is turned away before there is anything to count.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


@pytest.fixture(name="app", scope="module")
def _app(load_app):
    return load_app("workflow_task")


@pytest.fixture(name="run")
def _run(app, parts, monkeypatch):
    """Hand a task to the handler, as Lambda does."""
    tasks = WorkflowTasks(
        accounts=parts.accounts,
        recordings=parts.recordings,
        workflows=FakeWorkflows(),
        clock=parts.clock,
        observer=parts.observer,
    )
    monkeypatch.setattr(app, "tasks", tasks)

    def run(task, *, remaining_ms=10_000):
        return app.lambda_handler(task, FakeContext(remaining_ms=remaining_ms))

    return run


class TestEvents:
    """The event files."""

    def test_each_file_is_expected(self):
        """Every event file has a test that knows what becomes of it."""
        assert set(EVENTS) == {*EXPECTED, WAIT}

    @pytest.mark.parametrize("name", [name for name, told in EXPECTED.items() if not told.endswith("Error")])
    def test_a_task_returns_its_result(self, run, name):
        """A task that is carried out returns the result object, which Step Functions can read."""
        result = run(EVENTS[name])

        assert result["verdict"] == EXPECTED[name]
        assert result["safe_to_collect"] is (EVENTS[name]["action"] == "pause")
        assert json.loads(json.dumps(result)) == result

    def test_scenario_23_a_task_that_waits(self, run, ledger, platforms, written):
        """A task that waits is told so at once, and its token is with the step's pause and in no log; no vendor is asked."""
        run(EVENTS["twilio_pause"])
        asked = list(platforms.requests)

        assert run(EVENTS[WAIT]) == {"waits": True}
        token = EVENTS[WAIT]["task_token"]
        assert ledger("twilio").pauses["card-entry"].token == token
        assert platforms.requests == asked
        assert token not in written()

    @pytest.mark.parametrize("name", [name for name, told in EXPECTED.items() if told.endswith("Error")])
    def test_a_refused_task_raises_by_name(self, run, platforms, name):
        """A task that cannot be carried out is raised as the class that names it, and reaches no vendor."""
        with pytest.raises(errors.CallRecordingError) as caught:
            run(EVENTS[name])

        assert type(caught.value).__name__ == EXPECTED[name]
        assert platforms.requests == []


class TestErrors:
    """What a `Retry` or `Catch` sees."""

    def test_a_vendor_s_failure_is_raised_and_counted(self, run, platforms, written):
        """A vendor that refuses is raised by class, and in the log and the counts like any trigger."""
        platforms.answer = httpx.Response(400, json={"code": 21220, "message": CARD})
        with pytest.raises(errors.ConflictError) as caught:
            run(EVENTS["twilio_pause"])
        seen = str(caught.value) + written()

        assert '"PauseFailed":[1.0]' in seen.replace(" ", "")
        assert not [secret for secret in (CARD, *KEYS) if secret in seen]

    def test_the_invocation_s_time_is_kept(self, run, platforms):
        """With no time left in the invocation the outcome is unknown, and no vendor is asked."""
        with pytest.raises(errors.OutcomeUnknownError):
            run(EVENTS["twilio_pause"], remaining_ms=20)

        assert platforms.requests == []

    @pytest.mark.parametrize(
        "changed",
        [
            {"action": CARD},
            {"step": CARD},
            {"step": [CARD]},
            {"call_id": CARD},
            {"recording_id": CARD},
            {"pause_id": CARD + "!"},
        ],
    )
    def test_a_refused_value_comes_out_nowhere(self, run, written, changed):
        """A value that does not fit is in no message and no log line."""
        with pytest.raises(errors.InvalidTriggerError) as caught:
            run(EVENTS["twilio_pause"] | changed)

        assert CARD not in str(caught.value) + repr(caught.value) + written()

    def test_an_unknown_account_is_in_the_log(self, run, written):
        """A task for an account that does not exist leaves a line for the operator."""
        with pytest.raises(errors.UnknownAccountError):
            run(EVENTS["twilio_unknown_account"])

        assert "trigger refused" in written()

    @pytest.mark.parametrize("task", [[], "pause", None, 5])
    def test_a_task_that_is_no_object_is_refused_by_name(self, run, task):
        """Input that is not a JSON object is InvalidTriggerError, which a `Catch` can name."""
        with pytest.raises(errors.InvalidTriggerError):
            run(task)


def test_the_function_is_wired_as_deployed(app):
    """As wired for production, a malformed account is unknown without asking AWS."""
    with pytest.raises(errors.UnknownAccountError):
        app.lambda_handler(EVENTS["twilio_pause"] | {"account": "Not An Account"}, FakeContext())
