"""Brings the stack's processes up, in the order of what waits for what, and takes them down."""

import contextlib
import json
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from local import emulator
from local.accounts import Account, demo_accounts
from local.environments import ROOT, python
from local.functions import Runtime
from local.processes import Child

#: The emulator is up in a fifth of a second on an idle machine.
EMULATOR_SECONDS: Final = 30.0


@contextlib.contextmanager
def brought_up(
    state: Path, layer: Path, api: str, progress: Callable[[str], None]
) -> Iterator[tuple[dict[str, Any], list[Child]]]:
    """Give stack.json's content (and the API's `upstream`), and the processes; they end with the block.

    *api* is where the API will be served.
    """
    scratch, logs = fresh(state / "scratch"), fresh(state / "logs")
    accounts = demo_accounts()
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(shutil.rmtree, scratch, ignore_errors=True)
        port = free_port()
        children = [start_emulator(port, scratch, logs), start_simulators(logs)]
        for child in children:
            cleanup.callback(child.stop)
        children[1].tell(json.dumps(simulators_order(accounts)))
        # Imported while those two start: it takes as long as they do.
        from local import deployment

        wait_for_emulator(children[0], port)
        progress("AWS is up (ministack)")
        deployed = deployment.deploy(
            emulator.endpoint(port),
            Runtime(python=python("runtime"), layer=layer, logs=logs, hidden=tuple(emulator.settings(port, scratch))),
            template_parameters(api),
        )
        progress("template.yaml is deployed")
        simulators = json.loads(children[1].hear())
        deployment.store_secrets(deployed.endpoint, accounts, simulators["vendors"], ivr=simulators["ivr"])
        progress("the vendors' simulators are up, and so are the demo accounts")
        yield describe(deployed, api, simulators, accounts), children


def fresh(folder: Path) -> Path:
    """Empty a folder of the state."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def free_port() -> int:
    """Find a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_emulator(port: int, scratch: Path, logs: Path) -> Child:
    """Start AWS."""
    command = [str(python("emulator")), "-m", "local.emulator"]
    return Child("the emulator", command, env=emulator.environment(port, scratch), cwd=ROOT, log=logs / "emulator.log")


def start_simulators(logs: Path) -> Child:
    """Start the vendors."""
    command = [str(python("emulator")), "-m", "local.simulators"]
    return Child("the simulators", command, env=dict(os.environ), cwd=ROOT, log=logs / "simulators.log", speaks=True)


def simulators_order(accounts: list[Account]) -> dict[str, Any]:
    """Tell the simulators whom to let in, and to pick their ports."""
    return {"credentials": {account.vendor: account.credentials for account in accounts}, "ports": {}}


def wait_for_emulator(child: Child, port: int) -> None:
    """Wait until AWS answers."""
    deadline = time.monotonic() + EMULATOR_SECONDS
    while not emulator.answers(port):
        if child.process.poll() is not None:
            raise SystemExit(child.obituary())
        if time.monotonic() > deadline:
            raise SystemExit(f"the emulator does not answer; its log is {child.log}")
        time.sleep(0.02)


def template_parameters(api: str) -> dict[str, str]:
    """Give the template's parameters: where platforms reach the API, and what the environment sets."""
    ttl = os.environ.get("SECRET_TTL_SECONDS")
    return {"PublicUrls": api, "CardCaptureWorkflow": "true"} | ({"SecretTtlSeconds": ttl} if ttl else {})


def describe(deployed: Any, api: str, simulators: dict[str, Any], accounts: list[Account]) -> dict[str, Any]:
    """Say where everything is."""
    return {
        "api": api,
        "aws_endpoint": deployed.endpoint,
        "region": emulator.REGION,
        "control": simulators["control"],
        "vendors": simulators["vendors"],
        "ivr": simulators["ivr"],
        "accounts": {account.name: account.for_callers for account in accounts},
        "functions": {
            "flow_callback": deployed.outputs["FlowCallbackFunctionName"],
            "vendor_webhook": deployed.outputs["VendorWebhookFunctionName"],
            "ledger_events": deployed.outputs["LedgerEventsFunctionName"],
            "workflow_task": deployed.outputs["WorkflowTaskFunctionName"],
            "pause_deadline": deployed.outputs["PauseDeadlineFunctionName"],
        },
        "ledger_table": deployed.outputs["LedgerTableName"],
        "state_machines": {"card_capture": deployed.outputs["CardCaptureWorkflowArn"]},
        "event_bus": deployed.outputs["EventBusName"],
        "timer_queue_url": deployed.outputs["TimerQueueUrl"],
        "dead_letter_queue_url": deployed.outputs["DeadLetterQueueUrl"],
        "upstream": deployed.api,
    }
