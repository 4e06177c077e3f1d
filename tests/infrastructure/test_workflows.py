"""workflows/: the definitions lead where they should, name the layer's errors, and fit their schemas."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from call_recording import errors
from call_recording.account import NAME
from local import template

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / "workflows"
DEFINITIONS = sorted(WORKFLOWS.rglob("*.asl.yaml"))
SCHEMAS = sorted(WORKFLOWS.glob("*.schema.json"))

#: Worth another attempt: the vendor, or what we need ourselves, may do better.
PASSING = {"OutcomeUnknownError", "RateLimitedError", "UnavailableError", "UnconfirmedError"}
#: What Lambda's own failures are called, and a task's own timeout.
OF_AWS = re.compile(r"(Lambda|Sandbox|Runtime)\.\w+|States\.Timeout")
#: Every error of the layer that no attempt will change.
PERMANENT = {
    name
    for name, each in vars(errors).items()
    if isinstance(each, type) and issubclass(each, Exception) and name not in PASSING
}
#: What is pasted from the fragments into somebody else's state machine, and what stands for theirs.
PLACEHOLDERS = {"CollectCard", "DoNotCollect", "GoOn"}


def read(path: Path) -> dict[str, Any]:
    """Read a definition."""
    definition: dict[str, Any] = yaml.safe_load(path.read_text())
    return definition


@pytest.fixture(name="capture", scope="module")
def _capture() -> dict[str, Any]:
    return read(WORKFLOWS / "card_capture.asl.yaml")["States"]


def following(state: dict[str, Any]) -> list[str]:
    """The states that a state may lead to."""
    ways = [state, *state.get("Choices", []), *state.get("Catch", [])]
    return [way["Next"] for way in ways if "Next" in way] + ([state["Default"]] if "Default" in state else [])


def paths(states: dict[str, Any], start: str, passed: tuple[str, ...] = ()) -> list[list[str]]:
    """Every way from a state to an end that comes to no state more than twice: those that go in circles do it once."""
    onward = following(states[start])
    passed = (*passed, start)
    ahead = [paths(states, then, passed) for then in dict.fromkeys(onward) if passed.count(then) < 2]
    return [[start, *path] for each in ahead for path in each] if onward else [[start]]


def tasks(states: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The states that invoke the function."""
    return {name: state for name, state in states.items() if state["Type"] == "Task"}


def retried(state: dict[str, Any]) -> set[str]:
    """The errors that a state is repeated for."""
    return {error for retrier in state["Retry"] for error in retrier["ErrorEquals"]}


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.name)
class TestDefinitions:
    def test_every_state_is_reached_and_leads_to_an_end(self, path):
        """Nothing is left over, and nothing leads astray."""
        definition = read(path)
        walked = paths(definition["States"], definition["StartAt"])

        assert {state for each in walked for state in each} == definition["States"].keys()
        assert {definition["States"][each[-1]].get("End", True) for each in walked} == {True}

    def test_only_what_may_pass_is_repeated(self, path):
        """No permanent error is retried, and none hides in a name that means everything."""
        for state in tasks(read(path)["States"]).values():
            for error in retried(state):
                assert error in PASSING or OF_AWS.fullmatch(error)
            assert not retried(state) & PERMANENT

    def test_every_task_is_bounded_and_caught(self, path):
        """A task has a timeout, waits longer each time it is repeated, and whatever else happens is caught."""
        for state in tasks(read(path)["States"]).values():
            assert state["TimeoutSeconds"]
            assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"]
            for retrier in state["Retry"]:
                assert retrier["BackoffRate"] > 1
                assert retrier["MaxDelaySeconds"] <= 60

    def test_expressions_stand_on_one_line(self, path):
        """Step Functions' own schema knows no line breaks within an expression."""
        expressions = re.findall(r"{%.*?%}", json.dumps(read(path)))

        assert expressions
        assert not [each for each in expressions if r"\n" in each]

    def test_errors_that_are_named_exist(self, path):
        """What is caught or retried by name is a class of the layer, or what a workflow that waits is told."""
        told = {"PauseExpiredError"}
        named = {
            error
            for state in tasks(read(path)["States"]).values()
            for rule in [*state["Retry"], *state["Catch"]]
            for error in rule["ErrorEquals"]
            if error != "States.ALL" and not OF_AWS.fullmatch(error)
        }

        assert named - told <= vars(errors).keys()


class TestCardCapture:
    def test_resume_is_on_every_way_that_has_paused(self, capture):
        """Whatever happens after the pause was asked for, the resume comes."""
        walked = [path for path in paths(capture, "CheckInput") if "Pause" in path]

        assert walked
        assert all("Resume" in path[path.index("Pause") :] for path in walked)

    def test_the_card_step_begins_after_the_question_only(self, capture):
        """Nothing leads to the wait but the proof."""
        into = {name for name, state in capture.items() if "WaitForEnd" in following(state)}

        assert into == {"IsSafe", "IsExtended"}
        assert {rule["Next"] for rule in capture["IsExtended"]["Choices"]} == {"WaitForEnd", "Resume"}
        assert capture["IsSafe"]["Choices"] == [
            {"Condition": "{% $paused.safe_to_collect = true %}", "Next": "WaitForEnd"}
        ]

    def test_it_fails_only_where_nothing_was_sent_or_the_tape_may_be_paused(self, capture):
        """Two ways to fail: the input does not fit (by its fields, by its values), and the recording could not be resumed."""
        failing = {name: state["Error"] for name, state in capture.items() if state["Type"] == "Fail"}

        assert failing == {
            "InputInvalid": "InvalidTriggerError",
            "InputRefused": "{% $states.input.pause %}",
            "NotResumed": "RecordingNotResumedError",
        }

    def test_whatever_may_pass_is_repeated(self, capture):
        """The pause is repeated as long as a caller waits, the resume for minutes."""
        assert retried(capture["Pause"]) >= PASSING
        assert retried(capture["Resume"]) >= PASSING
        assert {retrier["MaxAttempts"] for retrier in capture["Resume"]["Retry"]} == {12}

    def test_the_readme_s_execution_is_one(self, capture):
        """The states of the execution that the README shows are those of one way through the definition, and it ends well."""
        shown = re.findall(r"StateEntered +(\w+)$", (ROOT / "README.md").read_text(), re.MULTILINE)

        assert "WaitForEnd" in shown
        assert shown in paths(capture, "CheckInput")
        assert capture[shown[-1]]["Type"] == "Succeed"

    def test_the_fragments_are_as_good(self, capture):
        """Who pastes a fragment gets the same attempts as who takes the workflow."""
        pause = read(WORKFLOWS / "fragments" / "pause_with_proof.asl.yaml")["States"]
        resume = read(WORKFLOWS / "fragments" / "resume_for_sure.asl.yaml")["States"]

        assert pause["PauseRecording"]["Retry"] == capture["Pause"]["Retry"]
        assert resume["ResumeRecording"]["Retry"] == capture["Resume"]["Retry"]
        for name, state in {**pause, **resume}.items():
            assert (state.get("QueryLanguage") == "JSONata") == (name not in PLACEHOLDERS)


class TestSchemas:
    @pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
    def test_each_is_one_and_its_examples_fit(self, path):
        """The schemas are schemas, explained by examples that hold."""
        schema = json.loads(path.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)

        assert schema["examples"]
        for example in schema["examples"]:
            jsonschema.validate(example, schema)

    def test_the_input_is_what_the_workflow_checks(self, capture):
        """The fields of the schema are those that the first state lets through."""
        schema = json.loads((WORKFLOWS / "card_capture_input.schema.json").read_text())
        condition = capture["CheckInput"]["Choices"][0]["Condition"]

        assert set(re.findall(r"'([a-z]+_?[a-z_]*)'", condition)) - {"object", "string", "number"} == set(
            schema["properties"]
        )
        assert schema["properties"]["account"]["pattern"] == f"^{NAME.pattern}$"
        assert schema["properties"]["step"]["pattern"] == f"^{NAME.pattern}$"

    def test_the_output_is_what_the_workflow_makes(self, capture):
        """The fields of the schema are those of the summary."""
        schema = json.loads((WORKFLOWS / "card_capture_output.schema.json").read_text())
        summary = capture["Summarise"]["Output"]

        assert set(summary) == set(schema["required"]) == set(schema["properties"])
        assert set(summary["ledger"]) == set(schema["properties"]["ledger"]["required"])

    def test_every_end_of_a_pause_is_in_the_output(self, capture):
        """What a workflow that waits can be told, it tells."""
        pattern = json.loads((WORKFLOWS / "card_capture_output.schema.json").read_text())["properties"]["ended"][
            "pattern"
        ]
        ends = {rule["Assign"]["ended"] for rule in capture["WaitForEnd"]["Catch"][:-1]} | {
            "left",
            "stopped",
            "not-safe",
        }

        assert all(re.fullmatch(pattern, end) for end in ends)
        assert set(re.findall(r"[a-z]+-?[a-z]+(?=[|)])", pattern)) == ends


@pytest.fixture(name="resources", scope="module")
def _resources() -> dict[str, Any]:
    return template.to_cloudformation(template.read(ROOT / "template.yaml"), "eu-west-1")["Resources"]


class TestTemplate:
    def test_it_is_there_for_who_wants_it(self, resources):
        """Workflow, role and log come with the parameter; nothing else depends on them."""
        conditional = {name for name, each in resources.items() if each.get("Condition") == "HasCardCaptureWorkflow"}

        assert conditional == {"CardCaptureStateMachine", "CardCaptureRole", "CardCaptureLogs"}
        assert not [name for name in resources.keys() - conditional if "CardCapture" in json.dumps(resources[name])]

    def test_it_waits_for_days_and_logs_no_token(self, resources):
        """An Express workflow cannot wait for a token, and execution data has it."""
        machine = resources["CardCaptureStateMachine"]["Properties"]

        assert machine["StateMachineType"] == "STANDARD"
        assert machine["LoggingConfiguration"]["Level"] == "ALL"
        assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
        assert machine["TracingConfiguration"] == {"Enabled": True}
        assert set(machine["DefinitionSubstitutions"]) == {"Partition", "WorkflowTask"}

    def test_it_may_invoke_one_alias(self, resources):
        """The workflow may invoke what it is made of, be logged and traced, and do nothing else."""
        [policy] = resources["CardCaptureRole"]["Properties"]["Policies"]
        granted = {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"]}

        assert granted.keys() == {"InvokeTask", "DeliverLogs", "WriteTraces"}
        assert granted["InvokeTask"]["Action"] == "lambda:InvokeFunction"
        assert granted["InvokeTask"]["Resource"] == {"Ref": "WorkflowTaskFunctionAliaslive"}
        assert all(action.startswith("logs:") for action in granted["DeliverLogs"]["Action"])
        assert all(action.startswith("xray:") for action in granted["WriteTraces"]["Action"])

    def test_two_functions_complete_tasks(self, resources):
        """Who stores a token may find its pause closed; who sees the ledgers change tells the rest; nobody else may."""
        completing = {
            name
            for name, role in resources.items()
            if role["Type"] == "AWS::IAM::Role" and "states:SendTask" in json.dumps(role)
        }

        assert completing == {"WorkflowTaskRole", "LedgerEventsRole"}
