"""The workflow card_capture, executed for real: it pauses, waits until the step has ended, and resumes, whatever happened."""

import json
import time
from functools import partial
from pathlib import Path

import jsonschema
import pytest

from tests.integration.calls import PATIENCE_SECONDS, VENDORS, SimulatedCall, eventually
from tests.integration.executions import STEP, Execution, given, token_of, wait_until_awaited

WORKFLOWS = Path(__file__).parents[2] / "workflows"
OUTPUT = jsonschema.Draft202012Validator(json.loads((WORKFLOWS / "card_capture_output.schema.json").read_text()))
CARD = "4111 1111 1111 1111"
#: Long enough for a pause on a busy machine, short enough to wait for; seconds.
BRIEFLY = 5
by_itself = partial(eventually, seconds=PATIENCE_SECONDS)


@pytest.fixture(name="states", scope="module")
def _states(aws):
    return aws("stepfunctions")


@pytest.fixture(name="capture", scope="module")
def _capture(states, stack):
    """Start the workflow for a call."""

    def capture(call: SimulatedCall, **fields: object) -> Execution:
        return Execution(states, stack["state_machines"]["card_capture"], given(call, **fields))

    return capture


@pytest.fixture(name="altered", scope="module")
def _altered(states, stack):
    """Deploy the workflow with one number changed, so that nobody has to wait for it; give what starts it for a call."""
    described = states.describe_state_machine(stateMachineArn=stack["state_machines"]["card_capture"])

    def altered(name: str, number: str, instead: str):
        definition = described["definition"]
        assert definition.count(number) == 1
        machine = states.create_state_machine(
            name=name, definition=definition.replace(number, instead), roleArn=described["roleArn"]
        )
        return lambda call, **fields: Execution(states, machine["stateMachineArn"], given(call, **fields))

    return altered


@pytest.fixture(name="by_deadline", scope="module")
def _by_deadline(altered):
    """Start the workflow for a call, but nothing ends its wait that is not told: its own timeout is out of the way."""
    return altered("told", "+ 15 %}", "+ 3600 %}")


@pytest.fixture(name="waiting", scope="module")
def _waiting(states, aws, stack):
    """Start a state machine that has nothing but the workflow's wait, for whatever pause is open."""
    described = states.describe_state_machine(stateMachineArn=stack["state_machines"]["card_capture"])
    wait = json.loads(described["definition"])["States"]["WaitForEnd"]
    wait["Arguments"]["Payload"] |= {
        field: f"{{% $states.input.{field} %}}" for field in ("account", "call_id", "step")
    }
    del wait["Arguments"]["Payload"]["pause_id"]
    wait["TimeoutSeconds"] = "{% $states.input.seconds %}"
    kept = {key: wait[key] for key in ("Type", "Resource", "Arguments", "TimeoutSeconds")} | {"End": True}
    definition = {"QueryLanguage": "JSONata", "StartAt": "WaitForEnd", "States": {"WaitForEnd": kept}}
    made = states.create_state_machine(name="wait", definition=json.dumps(definition), roleArn=described["roleArn"])

    return lambda call, seconds: Execution(states, made["stateMachineArn"], given(call, seconds=seconds))


@pytest.fixture(name="impatient", scope="module")
def _impatient(account):
    """Give each vendor an account that gives up soon on a vendor that fails, which acts within two seconds or never."""
    return {vendor: account(vendor, settings={"in_flight_ms": 2_000, "budget_ms": 900})[:2] for vendor in VENDORS}


def logged(state: Path) -> str:
    """What all processes of the stack have written."""
    return "".join(path.read_text() for path in (state / "logs").glob("*.log"))


class TestLeft:
    @pytest.mark.parametrize("vendor", VENDORS)
    def test_left_ends_the_wait(self, stack, capture, ledger_table, vendor):
        """The workflow pauses, the flow collects the card and leaves, the workflow ends with proof that the tape runs."""
        call = SimulatedCall(stack, vendor)
        execution = capture(call)
        wait_until_awaited(ledger_table, call)

        assert call.say(CARD) == []
        assert call.flow("left").status_code == 200
        output = execution.output()
        OUTPUT.validate(output)
        assert (output["collected"], output["ended"]) == (True, "left")
        assert output["pause"]["safe_to_collect"] is True
        assert output["ledger"]["open_pauses"] == 0
        assert [each["status"] for each in output["ledger"]["recordings"]] == ["in-progress"]
        assert call.runs()

    def test_stopped_for_good(self, stack, capture, ledger_table):
        """Consent withdrawn: the wait ends, nothing is collected, and that nothing can be resumed is no failure."""
        call = SimulatedCall(stack, "twilio")
        execution = capture(call)
        wait_until_awaited(ledger_table, call)
        call.flow("stop")
        output = execution.output()

        OUTPUT.validate(output)
        assert (output["collected"], output["ended"], output["resume"]) == (False, "stopped", "ConflictError")
        assert call.statuses() == ["stopped"]

    def test_the_token_is_a_secret(self, stack, capture, ledger_table, state):
        """It is in no log, and gone from the ledger as soon as it has been used."""
        call = SimulatedCall(stack, "bandwidth")
        execution = capture(call)
        token = wait_until_awaited(ledger_table, call)
        call.flow("left")
        execution.output()

        assert token not in logged(state)
        assert token not in json.dumps(ledger_table.read(call))

    def test_the_pause_was_closed_before_the_wait(self, stack, waiting):
        """Whoever waits for a pause that is not open any more is told so at once."""
        call = SimulatedCall(stack, "twilio")
        call.flow("entered")
        call.flow("left")

        assert waiting(call, 60).output()["ended"] == "left"

    def test_without_the_permission_no_token_is_completed(self, stack, waiting, denied):
        """The functions are held to their roles: what workflow_task completes here, it may complete by its policy alone."""
        call = SimulatedCall(stack, "twilio")
        call.flow("entered")
        call.flow("left")
        with denied("workflow_task", "states:SendTaskSuccess"):
            described = waiting(call, BRIEFLY).ended()

        assert (described["status"], described["error"]) == ("FAILED", "UnavailableError")


class TestUnsafe:
    @pytest.mark.parametrize("vendor", ["twilio", "bandwidth"])
    def test_a_vendor_that_lies(self, stack, impatient, capture, vendor):
        """A pause that is not shown is repeated, then given up: no card step, and a resume all the same."""
        call = SimulatedCall(stack, vendor, account=impatient[vendor])
        call.fault("pause", times=1000, apply=False, status=200, body={})
        execution = capture(call)
        output = execution.output()

        OUTPUT.validate(output)
        assert (output["collected"], output["ended"]) == (False, "not-safe")
        assert output["pause"] in {"UnconfirmedError", "OutcomeUnknownError"}
        assert len(execution.failures("Pause")) == 3
        assert "WaitForEnd" not in execution.path()
        assert call.runs()

    def test_a_permanent_error_is_not_repeated(self, stack, capture):
        """An account's credentials that the vendor refuses stay refused: one attempt, and the resume says so loudly."""
        call = SimulatedCall(stack, "twilio")
        call.fault("any", times=1000, apply=False, status=401)
        execution = capture(call)
        described = execution.ended()
        call.control("DELETE", "/faults")

        assert (described["status"], described["error"]) == ("FAILED", "RecordingNotResumedError")
        OUTPUT.validate(json.loads(described["cause"]))
        assert json.loads(described["cause"])["pause"] == "AuthenticationError"
        assert len(execution.failures("Pause")) == len(execution.failures("Resume")) == 1

    def test_the_vendor_is_down_then_up(self, stack, impatient, capture, ledger_table):
        """A pause whose outcome nobody knows is repeated until the vendor answers; then the card may be collected."""
        call = SimulatedCall(stack, "twilio", account=impatient["twilio"])
        call.fault("any", times=1000, apply=False, status=503)
        execution = capture(call)
        assert by_itself(lambda: execution.failures("Pause"))
        call.control("DELETE", "/faults")
        wait_until_awaited(ledger_table, call)

        assert call.is_silent()
        call.flow("left")
        assert execution.output()["collected"] is True
        assert set(execution.failures("Pause")) == {"OutcomeUnknownError"}
        assert call.runs()


class TestNobodyLeaves:
    def test_scenario_23_the_card_step_never_ends(self, stack, by_deadline, ledger_table):
        """The pause's deadline ends the wait, and the tape runs again."""
        call = SimulatedCall(stack, "signalwire")
        execution = by_deadline(call, max_pause_seconds=BRIEFLY)
        output = execution.output()

        OUTPUT.validate(output)
        assert (output["collected"], output["ended"]) == (False, "expired")
        assert call.runs()
        assert by_itself(lambda: ledger_table.is_settled(call))

    def test_scenario_23_a_tape_that_is_kept_paused(self, stack, by_deadline, account, ledger_table):
        """The workflow resumes what its account keeps paused past the deadline, also if the flow has entered again."""
        call = SimulatedCall(stack, "twilio", account=account("twilio", settings={"on_deadline": "keep"})[:2])
        execution = by_deadline(call, max_pause_seconds=BRIEFLY)
        wait_until_awaited(ledger_table, call)
        assert call.flow("entered", max_pause_seconds=BRIEFLY).status_code == 200
        output = execution.output()

        assert (output["ended"], output["resume"]["verdict"]) == ("expired", "confirmed")
        assert call.runs()
        assert by_itself(lambda: ledger_table.is_settled(call))

    def test_scenario_23_the_deadline_ends_nothing(self, stack, capture, ledger_table, denied):
        """If ledger_events may not complete the token, the task's own timeout ends the wait, and the tape runs all the same."""
        call = SimulatedCall(stack, "twilio")
        with denied("ledger_events", "states:SendTaskFailure"):
            execution = capture(call, max_pause_seconds=BRIEFLY)
            output = execution.output()

        OUTPUT.validate(output)
        assert (output["collected"], output["ended"]) == (False, "timed-out")
        assert call.runs()
        assert by_itself(lambda: ledger_table.is_settled(call))

    def test_scenario_26_the_flow_enters_again(self, stack, by_deadline, ledger_table):
        """A flow that needs more time enters the step again, and the workflow waits for that: not until its first deadline."""
        call = SimulatedCall(stack, "twilio")
        execution = by_deadline(call, max_pause_seconds=2 * BRIEFLY)
        token = wait_until_awaited(ledger_table, call)
        first = ledger_table.read(call)["pauses"][STEP]["deadline"]
        assert call.flow("entered", max_pause_seconds=300).status_code == 200
        assert by_itself(lambda: token_of(ledger_table, call) not in {None, token})
        time.sleep(max(0.0, first + 3 - time.time()))
        silent = call.say(CARD)
        call.flow("left")
        output = execution.output()

        OUTPUT.validate(output)
        assert silent == []
        assert (output["collected"], output["ended"]) == (True, "left")
        assert execution.path().count("WaitForEnd") == 2
        assert call.runs()

    def test_scenario_26_the_flow_has_entered_before_the_wait(self, stack, capture, ledger_table):
        """A flow that asks for its own answer extends the workflow's pause, whichever comes first."""
        call = SimulatedCall(stack, "bandwidth")
        assert call.flow("entered").status_code == 200
        execution = capture(call)
        assert call.flow("entered").status_code == 200
        wait_until_awaited(ledger_table, call)
        assert call.say(CARD) == []
        call.flow("left")

        assert execution.output()["collected"] is True
        assert call.runs()

    def test_scenario_26_the_flow_enters_for_ever(self, stack, altered, ledger_table):
        """An execution has an end, however often the step is entered; it does not end the pause that the flow has by then."""
        call = SimulatedCall(stack, "twilio")
        execution = altered("once", "<= 1000", "<= 1")(call)
        token = wait_until_awaited(ledger_table, call)
        call.flow("entered")
        assert by_itself(lambda: token_of(ledger_table, call) not in {None, token})
        call.flow("entered")
        output = execution.output()

        OUTPUT.validate(output)
        assert (output["ended"], output["ledger"]["verdict"]) == ("timed-out", "held")
        assert call.say(CARD) == []
        call.flow("left")
        assert call.runs()

    def test_scenario_26_somebody_else_entered_again(self, stack, capture, ledger_table):
        """A second workflow of the same step takes the wait over: the first one's resume does not end the second's pause."""
        call = SimulatedCall(stack, "twilio")
        first = capture(call)
        token = wait_until_awaited(ledger_table, call)
        second = capture(call)
        assert by_itself(lambda: token_of(ledger_table, call) not in {None, token})
        output = first.output()

        OUTPUT.validate(output)
        assert (output["ended"], output["ledger"]["verdict"]) == ("superseded", "held")
        assert call.say(CARD) == []
        call.flow("left")
        assert second.output()["collected"] is True
        assert call.runs()

    @pytest.mark.parametrize("vendor", ["twilio", "bird"])
    def test_scenario_25_the_call_ends_first(self, stack, capture, ledger_table, vendor):
        """A caller who hangs up ends the wait; that nothing can be resumed any more is no failure."""
        call = SimulatedCall(stack, vendor, callbacks={"url": f"{stack['api']}/webhooks/demo-{vendor}"})
        execution = capture(call)
        wait_until_awaited(ledger_table, call)
        call.end()
        output = execution.output()

        OUTPUT.validate(output)
        assert (output["collected"], output["ended"], output["resume"]) == (False, "call-over", "ConflictError")
        assert by_itself(lambda: ledger_table.is_settled(call))

    def test_scenario_25_nobody_tells_that_the_call_is_over(self, stack, by_deadline, ledger_table):
        """A call that has ended unheard is found to be over at the deadline."""
        call = SimulatedCall(stack, "twilio")
        execution = by_deadline(call, max_pause_seconds=BRIEFLY)
        wait_until_awaited(ledger_table, call)
        call.end()
        output = execution.output()

        OUTPUT.validate(output)
        assert output["ended"] in {"expired", "call-over"}
        assert output["resume"] == "ConflictError"
        assert by_itself(lambda: ledger_table.is_settled(call))


class TestResume:
    def test_scenario_24_the_resume_fails_twice(self, stack, impatient, capture, ledger_table):
        """The workflow does not end before the tape is shown to run, however often the resume fails."""
        call = SimulatedCall(stack, "twilio", account=impatient["twilio"])
        execution = capture(call)
        wait_until_awaited(ledger_table, call)
        call.fault("resume", times=1000, status=500, apply=False)
        call.flow("left")
        assert by_itself(lambda: len(execution.failures("Resume")) >= 2)
        assert execution.described()["status"] == "RUNNING"
        call.control("DELETE", "/faults")
        output = execution.output()

        OUTPUT.validate(output)
        assert (output["ended"], output["resume"]["verdict"]) == ("left", "confirmed")
        assert call.runs()

    def test_scenario_12_a_tape_that_cannot_change_just_now(self, stack, impatient, capture, ledger_table):
        """While a call is being transferred its tape cannot be resumed: the workflow waits for that."""
        call = SimulatedCall(stack, "twilio", account=impatient["twilio"])
        execution = capture(call)
        wait_until_awaited(ledger_table, call)
        call.fault(
            "resume", times=1000, status=400, apply=False, body={"code": 16114, "message": "busy", "status": 400}
        )
        call.flow("left")
        assert by_itself(lambda: "WaitWhileBusy" in execution.path())
        call.control("DELETE", "/faults")
        output = execution.output()

        OUTPUT.validate(output)
        assert (output["ended"], output["resume"]["verdict"]) == ("left", "confirmed")
        assert call.runs()

    def test_scenario_29_the_pause_was_never_written(self, stack, capture, denied):
        """A workflow that could not pause, and does not know its pause, ends none that its flow has opened by itself."""
        call = SimulatedCall(stack, "twilio")
        assert call.flow("entered").json()["safe_to_collect"] is True
        with denied("workflow_task", "dynamodb:*"):
            execution = capture(call)
            assert by_itself(lambda: execution.failures("Resume"))
        output = execution.output()

        OUTPUT.validate(output)
        assert (output["ended"], output["pause"], output["resume"]["verdict"]) == (
            "not-safe",
            "UnavailableError",
            "held",
        )
        assert call.say(CARD) == []
        call.flow("left")
        assert call.runs()


class TestLate:
    def test_scenario_34_the_execution_was_stopped(self, stack, capture, ledger_table):
        """A workflow that somebody stopped leaves the pause to the flow and to its deadline, and stays stopped."""
        call = SimulatedCall(stack, "twilio")
        execution = capture(call)
        wait_until_awaited(ledger_table, call)
        execution.stop()

        assert call.flow("left").status_code == 200
        assert by_itself(lambda: ledger_table.is_settled(call))
        assert execution.described()["status"] == "ABORTED"
        assert call.runs()

    def test_scenario_34_the_token_is_late(self, stack, aws, ledger_table, state):
        """A token that nobody waits for any more is noted in the ledger, and what the flow asked for is done all the same."""
        call = SimulatedCall(stack, "twilio")
        call.flow("entered")
        for token in ("a-token-that-has-timed-out", "another-one"):
            task = {**given(call), "action": "wait", "task_token": token}
            aws("lambda").invoke(FunctionName=stack["functions"]["workflow_task"], Payload=json.dumps(task))
            assert token_of(ledger_table, call) == token

        assert by_itself(lambda: ledger_table.events(call, "nobody waited"))
        assert call.flow("left").status_code == 200
        assert by_itself(lambda: ledger_table.is_settled(call))
        assert call.runs()
        assert "a-token-that-has-timed-out" not in logged(state)
        assert "another-one" not in logged(state)
