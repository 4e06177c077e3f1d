"""What else runs on Step Functions: the two fragments, pasted, and what the workflow makes of an input that does not fit."""

import functools
import json
from pathlib import Path

import pytest
import yaml

from tests.integration.calls import PATIENCE_SECONDS, VENDORS, Json, SimulatedCall, eventually
from tests.integration.executions import STEP, Execution, given

WORKFLOWS = Path(__file__).parents[2] / "workflows"
CARD = "4111 1111 1111 1111"
#: Twilio's answer while a recording is being modified: https://www.twilio.com/docs/api/errors/16114
BUSY: Json = {"times": 1000, "apply": False, "status": 400, "body": {"code": 16114, "message": "busy", "status": 400}}


@pytest.fixture(name="states", scope="module")
def _states(aws):
    return aws("stepfunctions")


@pytest.fixture(name="capture", scope="module")
def _capture(states, stack):
    """Start the workflow for a call."""
    machine = stack["state_machines"]["card_capture"]
    return lambda call, **fields: Execution(states, machine, given(call, **fields))


@pytest.fixture(name="fragment", scope="module")
def _fragment(states, stack):
    """Start a fragment by itself, with whatever it has been given."""
    described = states.describe_state_machine(stateMachineArn=stack["state_machines"]["card_capture"])
    function = json.loads(described["definition"])["States"]["Pause"]["Arguments"]["FunctionName"]

    @functools.cache
    def made(name: str) -> str:
        text = (WORKFLOWS / "fragments" / f"{name}.asl.yaml").read_text().replace("${WorkflowTask}", function)
        definition = json.dumps(yaml.safe_load(text))
        machine = states.create_state_machine(name=name, definition=definition, roleArn=described["roleArn"])
        return machine["stateMachineArn"]

    return lambda name, task: Execution(states, made(name), task)


class TestFragments:
    @pytest.mark.parametrize("vendor", VENDORS)
    def test_the_card_is_collected_between_the_two(self, stack, fragment, vendor):
        """Pasted one after the other, they pause with proof and resume: the input goes through."""
        call = SimulatedCall(stack, vendor)
        pause = fragment("pause_with_proof", given(call, order="of 1 April"))
        paused = pause.output()

        assert pause.path()[-1] == "CollectCard"
        assert call.say(CARD) == []
        resume = fragment("resume_for_sure", paused)
        resumed = resume.output()
        assert resume.path()[-1] == "GoOn"
        assert resumed["order"] == "of 1 April"
        assert call.runs()

    def test_without_proof_the_card_is_not_collected(self, stack, fragment):
        """A vendor that refuses: no card step, and the resume says that it could not be done either."""
        call = SimulatedCall(stack, "twilio")
        call.fault("any", times=1000, apply=False, status=401)
        pause = fragment("pause_with_proof", given(call))
        paused = pause.output()

        assert pause.path()[-1] == "DoNotCollect"
        assert paused["pause"] == "AuthenticationError"
        described = fragment("resume_for_sure", paused).ended()
        call.control("DELETE", "/faults")
        assert (described["status"], described["error"]) == ("FAILED", "RecordingNotResumedError")

    def test_of_a_call_that_is_over_nothing_is_resumed(self, stack, fragment):
        """A caller who hung up is no failure."""
        call = SimulatedCall(stack, "twilio")
        paused = fragment("pause_with_proof", given(call)).output()
        call.end()
        resume = fragment("resume_for_sure", paused)
        resumed = resume.output()

        assert resume.path()[-1] == "GoOn"
        assert resumed["resume"]["verdict"] == "failed"

    def test_scenario_12_a_tape_that_cannot_change_just_now(self, stack, fragment, hurried):
        """While a call is being transferred its tape cannot be resumed: that is tried again, and is no end of the call."""
        call = SimulatedCall(stack, "twilio", account=hurried["twilio"])
        paused = fragment("pause_with_proof", given(call)).output()
        call.fault("resume", **BUSY)
        resume = fragment("resume_for_sure", paused)
        assert eventually(lambda: "WaitWhileBusy" in resume.path(), PATIENCE_SECONDS)
        call.control("DELETE", "/faults")

        assert resume.output()["resume"]["verdict"] == "confirmed"
        assert call.runs()

    def test_scenario_26_a_resume_ends_its_own_pause_alone(self, stack, fragment):
        """Whoever pauses with proof, without the result too, resumes nothing that somebody else has paused since."""
        call = SimulatedCall(stack, "twilio")
        paused = fragment("pause_with_proof", given(call)).output()
        assert call.flow("entered").status_code == 200
        resumed = fragment("resume_for_sure", paused | {"pause": "UnavailableError"}).output()

        assert resumed["resume"]["verdict"] == "held"
        assert call.is_silent()
        call.flow("left")
        assert call.runs()


class TestInput:
    @pytest.mark.parametrize(
        ("wrong", "named"),
        [
            ({"step": None}, "Missing: . Not text: step."),
            ({"card_number": CARD}, "Fields that are unknown: 1."),
            ({"max_pause_seconds": "120"}, "max_pause_seconds"),
        ],
    )
    def test_a_wrong_input_is_refused_before_anything_is_sent(self, stack, capture, wrong, named):
        """What does not fit fails at once, by a name and without a value."""
        call = SimulatedCall(stack, "twilio")
        described = capture(call, **wrong).ended()

        assert (described["status"], described["error"]) == ("FAILED", "InvalidTriggerError")
        assert named in described["cause"]
        assert CARD not in described["cause"]
        assert call.shown()["requests"] == []

    @pytest.mark.parametrize(
        ("wrong", "error"),
        [
            ({"step": "Card Entry"}, "InvalidTriggerError"),
            ({"call_id": "CA"}, "InvalidTriggerError"),
            ({"account": "nobody"}, "UnknownAccountError"),
            ({"max_pause_seconds": 100_000}, "InvalidTriggerError"),
        ],
    )
    def test_what_offtape_refuses_is_no_tape_that_stays_paused(self, stack, capture, wrong, error):
        """An input that is refused by its values fails by that name: nothing was sent, and nobody need look for a tape."""
        call = SimulatedCall(stack, "twilio")
        described = capture(call, **wrong).ended()

        assert (described["status"], described["error"]) == ("FAILED", error)
        assert call.runs()
        assert call.commands() == 0

    def test_the_definition_that_runs_is_ours(self, states, stack):
        """What is deployed is workflows/card_capture.asl.yaml, with the function's alias in it."""
        described = states.describe_state_machine(stateMachineArn=stack["state_machines"]["card_capture"])
        ours = (WORKFLOWS / "card_capture.asl.yaml").read_text().replace("${Partition}", "aws")
        deployed = json.loads(described["definition"])
        function = deployed["States"]["Pause"]["Arguments"]["FunctionName"]

        assert function.endswith(":live")
        assert deployed == yaml.safe_load(ours.replace("${WorkflowTask}", function))
        assert deployed["States"]["WaitForEnd"]["Arguments"]["Payload"]["step"] == "{% $task.step %}"
        assert STEP not in described["definition"]
