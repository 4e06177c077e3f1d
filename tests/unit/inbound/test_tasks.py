"""The input of a Step Functions task, and what is returned or raised."""

import json

import httpx
import pytest
from botocore.exceptions import EndpointConnectionError

from call_recording import errors
from call_recording.awaiting import Completion, Ended
from call_recording.inbound.tasks import WorkflowTasks
from tests.unit.fake_stores import FakeWorkflows
from tests.unit.fakes import (
    ACCOUNT_SID,
    BANDWIDTH_CALL,
    CALL_SID,
    CALL_UUID,
    CALLS,
    CARD,
    CHANNEL_ID,
    KEYS,
    RECORDING_SID,
    assemble,
    secret_json,
)


@pytest.fixture(name="workflows")
def _workflows() -> FakeWorkflows:
    return FakeWorkflows()


@pytest.fixture(name="tasks")
def _tasks(secrets_manager, platforms, clock, observer, workflows) -> WorkflowTasks:
    parts = assemble(secrets_manager=secrets_manager, platforms=platforms, clock=clock, observer=observer)
    return WorkflowTasks(
        accounts=parts.accounts,
        recordings=parts.recordings,
        workflows=workflows,
        clock=parts.clock,
        observer=parts.observer,
    )


@pytest.fixture(name="run")
def _run(tasks):
    """Run a task, some fields of which are other than usual."""

    def run(*, seconds_left=10.0, **changed):
        task = {"action": "pause", "account": "demo-twilio", "call_id": CALL_SID, "step": "card-entry"} | changed
        return tasks.run(task, seconds_left=seconds_left)

    return run


class TestResults:
    """What is returned."""

    @pytest.mark.parametrize("vendor", CALLS)
    @pytest.mark.parametrize(
        ("action", "status"), [("pause", "paused"), ("resume", "in-progress"), ("stop", "stopped")]
    )
    def test_what_http_would_answer_200_is_returned(self, run, vendor, action, status):
        """A task that is carried out returns the same result as a flow gets."""
        result = run(
            action=action,
            account=f"demo-{vendor}",
            call_id=CALLS[vendor],
            channel_id=CHANNEL_ID if vendor == "bird" else None,
            redirect_url="https://ivr.example.com/next",
        )

        assert json.loads(json.dumps(result)) == result
        assert (result["action"], result["status"], result["account"]) == (action, status, f"demo-{vendor}")
        assert result["safe_to_collect"] is (action == "pause")

    def test_vendors_words_are_understood(self, run):
        """A task may speak in the vendor's words, as a flow may."""
        assert run(call_id=None, CallSid=CALL_SID, RecordingSid=RECORDING_SID)["call_id"] == CALL_SID

    def test_the_observer_is_told(self, run, observer):
        """What came of a task is told once."""
        run()

        assert len(observer.outcomes) == 1


class TestErrors:
    """What is raised, by the class that names it."""

    @pytest.mark.parametrize(
        ("answer", "error", "verdict"),
        [
            (httpx.Response(401, json={"code": 20003}), errors.AuthenticationError, "failed"),
            (httpx.Response(400, json={"code": 21220}), errors.ConflictError, "failed"),
            (httpx.Response(404, json={"code": 20404}), errors.RecordingNotFoundError, "failed"),
            (httpx.Response(429), errors.RateLimitedError, "failed"),
            (httpx.Response(400), errors.VendorResponseError, "failed"),
            (httpx.Response(500), errors.OutcomeUnknownError, "unknown"),
            (httpx.Response(200, text="<html>"), errors.OutcomeUnknownError, "unknown"),
        ],
    )
    def test_a_vendor_s_failure_is_raised_with_the_result(self, run, platforms, answer, error, verdict):
        """Where HTTP would not answer 200, exactly the named class is raised, and its message is the result as JSON."""
        platforms.answer = answer
        with pytest.raises(errors.CallRecordingError) as caught:
            run()

        assert type(caught.value) is error
        result = json.loads(str(caught.value))
        assert (result["verdict"], result["safe_to_collect"], result["call_id"]) == (verdict, False, CALL_SID)

    def test_a_call_without_recordings_is_raised(self, run, platforms):
        """A live call on which nothing is recorded is NotRecordingError, with the result as JSON."""
        platforms.recorded = False
        with pytest.raises(errors.NotRecordingError) as caught:
            run(account="demo-signalwire", call_id=CALL_UUID)

        assert json.loads(str(caught.value))["verdict"] == "not-recording"

    @pytest.mark.parametrize("account", ["nobody", "Not/An Account", "", None, 5, True, ["demo-twilio"], {"a": 1}])
    def test_an_unknown_account_is_named_as_such(self, run, platforms, account):
        """An account that does not exist, or cannot, is UnknownAccountError; who invokes us may know why."""
        with pytest.raises(errors.UnknownAccountError) as caught:
            run(account=account)

        assert "call-recording/" in str(caught.value)
        assert platforms.requests == []

    def test_a_payload_of_another_account_is_refused(self, run, platforms):
        """A task that passes on another vendor account's payload is refused."""
        with pytest.raises(errors.UnknownAccountError):
            run(AccountSid=ACCOUNT_SID[:-1] + "2")

        assert platforms.requests == []

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"action": None}, "action"),
            ({"action": "mute"}, "action"),
            ({"action": "PAUSE"}, "action"),
            ({"action": ["pause"]}, "action"),
            ({"action": {"pause": 1}}, "action"),
            ({"action": CARD}, "action"),
            ({"step": None}, "step"),
            ({"step": "Card Entry"}, "step"),
            ({"step": ["card-entry"]}, "step"),
            ({"step": CARD}, "step"),
            ({"call_id": None}, "call_id"),
            ({"call_id": "../"}, "call_id"),
            ({"call_id": CARD}, "call_id"),
            ({"call_id": {"S": CALL_SID}}, "call_id"),
            ({"max_pause_seconds": float("nan")}, "max_pause_seconds"),
            ({"max_pause_seconds": 7201}, "max_pause_seconds"),
            ({"account": "demo-bird", "call_id": CALL_UUID}, "channel_id"),
            ({"account": "demo-bandwidth", "call_id": BANDWIDTH_CALL, "action": "stop"}, "redirect_url"),
        ],
    )
    def test_a_field_that_does_not_fit_is_named(self, run, platforms, observer, changed, field):
        """A task that does not fit is InvalidTriggerError, which names the field and not its value."""
        with pytest.raises(errors.InvalidTriggerError) as caught:
            run(**changed)

        assert caught.value.field == field
        assert CARD not in str(caught.value) + repr(observer)
        assert [refusal["field"] for refusal in observer.refusals] == [field]
        assert platforms.requests == []

    @pytest.mark.parametrize("changed", [{"settings": {"budget_ms": 1}}, {"credentials": {"account_sid": ACCOUNT_SID}}])
    def test_a_secret_that_does_not_fit_is_raised_and_told(self, run, secrets_manager, platforms, observer, changed):
        """A secret that does not fit is ConfigurationError, and a line for the operator."""
        secrets_manager.secrets["call-recording/demo-twilio"] = secret_json(**changed)
        with pytest.raises(errors.ConfigurationError) as caught:
            run()

        assert [misfit["account"] for misfit in observer.misfits] == ["demo-twilio"]
        assert not [key for key in KEYS if key in str(caught.value) + repr(observer)]
        assert platforms.requests == []

    def test_an_outage_of_secrets_manager_is_raised(self, run, secrets_manager):
        """Without the secret the task is UnavailableError, which a Retry may match."""
        secrets_manager.failure = EndpointConnectionError(endpoint_url="https://secretsmanager.example")

        with pytest.raises(errors.UnavailableError):
            run()

    @pytest.mark.parametrize("seconds_left", [0.0, 0.05, -1.0])
    def test_no_vendor_is_asked_without_time(self, run, platforms, seconds_left):
        """A task with no time left is OutcomeUnknownError, and no vendor hears of it."""
        with pytest.raises(errors.OutcomeUnknownError):
            run(seconds_left=seconds_left)

        assert platforms.requests == []


class TestWaiting:
    """A workflow that wants to be told when a step has ended."""

    TOKEN = "placeholder-task-token-0001"

    def test_it_waits_while_the_pause_is_open(self, run, workflows):
        """The token is kept with the pause, and nobody is told anything yet."""
        run()

        assert run(action="wait", task_token=self.TOKEN) == {"waits": True}
        assert run(action="wait", task_token=self.TOKEN) == {"waits": True}
        assert workflows.told == []

    def test_scenario_34_a_pause_that_is_closed_is_told_at_once(self, run, workflows):
        """A step that was left before the workflow came to wait ends the wait at once."""
        run()
        run(action="resume")

        assert run(action="wait", task_token=self.TOKEN) == {"waits": False, "ended": "left"}
        assert workflows.told == [Completion(self.TOKEN, "card-entry", Ended.LEFT)]

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"task_token": None}, "task_token"),
            ({"task_token": ""}, "task_token"),
            ({"task_token": f"{CARD} "}, "task_token"),
            ({"task_token": 7}, "task_token"),
            ({"task_token": "a" * 2049}, "task_token"),
            ({"call_id": None}, "call_id"),
            ({"call_id": CARD}, "call_id"),
            ({"step": CARD}, "step"),
        ],
    )
    def test_what_does_not_fit_is_refused_by_name(self, run, workflows, changed, field):
        """A field that does not fit is named, and its value is not."""
        with pytest.raises(errors.InvalidTriggerError) as raised:
            run(**({"action": "wait", "task_token": self.TOKEN} | changed))
        assert (raised.value.field, workflows.told) == (field, [])
        assert CARD not in str(raised.value)

    def test_scenario_26_of_an_entry_that_was_extended(self, run, workflows):
        """Who names the pause that it waits for hears that its flow has entered the step again."""
        mine = run(event_id="E1")["pause"]["id"]
        run_again = run(action="pause")["pause"]["id"]

        assert mine != run_again
        assert run(action="wait", task_token=self.TOKEN, pause_id=mine) == {"waits": False, "ended": "superseded"}

    def test_scenario_34_a_token_that_is_not_taken_back_fails_the_task(self, run, workflows):
        """Where the workflow cannot be told that the step has ended, its task fails, and it need not wait in vain."""
        run()
        run(action="resume")
        workflows.gone.add(self.TOKEN)

        with pytest.raises(errors.UnavailableError) as raised:
            run(action="wait", task_token=self.TOKEN)
        assert self.TOKEN not in str(raised.value)

    def test_of_an_unknown_account_nobody_waits(self, run):
        """An account that does not exist has no steps."""
        with pytest.raises(errors.UnknownAccountError):
            run(action="wait", task_token=self.TOKEN, account="nobody")


class TestEnteredWith:
    """A resume that names the event with which the step was entered: the id of the pause may have been lost on its way."""

    def test_scenario_26_its_own_pause_is_released(self, run):
        """The pause that the event has opened is released."""
        run(event_id="execution-1")

        assert run(action="resume", entered_event_id="execution-1")["verdict"] == "confirmed"

    def test_scenario_26_another_one_is_not(self, run):
        """One that was opened by another event is not, whether or not the event is known."""
        run(event_id="execution-1")
        run(event_id="execution-2")

        for event_id in ("execution-1", "execution-9"):
            assert run(action="resume", entered_event_id=event_id)["verdict"] == "held"
        assert run(action="resume", entered_event_id="execution-2")["verdict"] == "confirmed"

    def test_it_is_of_a_resume_alone(self, run, workflows):
        """Nothing else is about an entry that was before: a pause opens its own, and who waits names a pause."""
        entered = run(event_id="execution-1", entered_event_id="execution-9")

        assert entered["safe_to_collect"] is True
        assert run(action="wait", task_token="placeholder-task-token-0001", entered_event_id="x") == {"waits": True}

    def test_the_id_of_a_pause_comes_first(self, run):
        """Who has the pause's id is believed that."""
        pause = run(event_id="execution-1")["pause"]["id"]

        assert run(action="resume", pause_id=pause, entered_event_id="execution-9")["verdict"] == "confirmed"

    @pytest.mark.parametrize("entered_event_id", [7, f"{CARD} ", "", ["E1"], {}])
    def test_what_is_no_id_is_refused(self, run, entered_event_id):
        """A value that is no text without blanks is refused by its name."""
        run(event_id="E1")

        with pytest.raises(errors.InvalidTriggerError) as raised:
            run(action="resume", entered_event_id=entered_event_id)
        assert raised.value.field == "entered_event_id"
        assert CARD not in str(raised.value)
