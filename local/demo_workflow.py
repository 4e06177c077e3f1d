"""The last call of the demo: the workflow card_capture pauses and resumes, the flow only says when it has left the step."""

import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import botocore.session
from rich import box
from rich.table import Table

from local import emulator
from local.demo_calls import CARD, GOODBYE, GREETING, PATIENCE_SECONDS, Flow, Json, Played, faults_of

#: What an event of the history tells beside its type, by where Step Functions keeps it.
DETAILS: Final = ("stateEnteredEventDetails", "taskFailedEventDetails", "executionFailedEventDetails")


def play_workflow(local: Json, vendor: str, say: Callable[[str], None]) -> tuple[Played, list[Json]]:
    """Play one call that a workflow takes care of, and give the execution's history too."""
    flow = Flow(local, vendor)
    flow.say(GREETING)
    states = client(local)
    task = {"account": f"demo-{vendor}", "call_id": flow.call["call_id"], "step": "card-entry"}
    machine = local["state_machines"]["card_capture"]
    execution = states.start_execution(stateMachineArn=machine, input=json.dumps(task))["executionArn"]
    say("the workflow card_capture is started: it pauses, and waits for the end of card-entry")
    waits = wait_until(lambda: "WaitForEnd" in entered(history(states, execution)))
    faults = [] if waits else ["the workflow does not wait for the card"]
    flow.say(CARD)
    left, result = flow.trigger("left")
    if left != 200:
        faults.append(f"leaving the step was answered with {left}")
    wait_until(lambda: states.describe_execution(executionArn=execution)["status"] != "RUNNING")
    ended = states.describe_execution(executionArn=execution)
    output = json.loads(ended.get("output") or "{}")
    say(f"the flow leaves card-entry: the workflow {ended['status'].lower()}, ended: {output.get('ended')}")
    if ended["status"] != "SUCCEEDED" or not output["collected"]:
        faults.append(f"the workflow ended otherwise: {ended['status']}, {output}")
    flow.say(GOODBYE)
    tapes = flow.hang_up()
    played = Played(
        vendor="workflow",
        http_status=left,
        result=output["pause"] if isinstance(output.get("pause"), dict) else result,
        tapes=tapes,
        faults=faults + faults_of(tapes),
    )
    return played, history(states, execution)


def history_table(events: list[Json]) -> Table:
    """Draw an execution's history: the states that it entered and how long it was in them, and what failed."""
    drawn = Table(box=box.SIMPLE_HEAD, title="The execution of card_capture")
    for column in ("at", "event", "state or error"):
        drawn.add_column(column, no_wrap=True)
    began = instant(events[0])
    for event in events:
        named = next((event[kept] for kept in DETAILS if kept in event), None)
        if named is not None or event["type"].startswith("Execution"):
            what = (named or {}).get("name") or (named or {}).get("error") or ""
            drawn.add_row(f"{instant(event) - began:6.2f} s", event["type"], what)
    return drawn


def instant(event: Json) -> float:
    """When an event happened."""
    at: datetime = event["timestamp"]
    return at.timestamp()


def entered(events: list[Json]) -> list[str]:
    """The states that were entered, in order."""
    return [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]


def history(states: Any, execution: str) -> list[Json]:
    """Everything that happened in an execution so far."""
    events: list[Json] = states.get_execution_history(executionArn=execution, maxResults=1000)["events"]
    return events


def client(local: Json) -> Any:
    """Make a client of the stack's Step Functions."""
    return botocore.session.get_session().create_client(
        "stepfunctions",
        endpoint_url=local["aws_endpoint"],
        region_name=local["region"],
        aws_access_key_id=emulator.CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=emulator.CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


def wait_until(condition: Callable[[], bool]) -> bool:
    """Wait until something is so, or has not become so in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (holds := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds
