"""AWS on 127.0.0.1: runs ministack until its standard input is closed (`python -m local.emulator`).

ministack takes its settings from the environment; `environment()` says which, and why.
"""

import os
import runpy
import signal
import socketserver
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

REGION: Final = "eu-west-1"
#: Any will do: ministack checks no signatures. They must not be a user's own.
CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
#: What the emulator and the functions take over from the user's environment: nothing that could lead to a real AWS.
INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL")


def endpoint(port: int) -> str:
    """Where the emulator is."""
    return f"http://127.0.0.1:{port}"


def settings(port: int, scratch: Path) -> dict[str, str]:
    """Give ministack's own settings, which are not for the functions."""
    return {
        "BIND_HOST": "127.0.0.1",  # Its default is every interface.
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "LOG_LEVEL": "WARNING",
        # Then only the access key `test` is let in besides the functions; without it any key is.
        "AUTH": "true" if os.environ.get("ENFORCE_IAM") == "1" else "false",
        "SFTP_ENABLED": "0",  # Two servers that are not used and would listen too.
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": f"unix://{scratch}/no-docker.sock",  # None is needed: do not go looking for one.
    }


def environment(port: int, scratch: Path) -> dict[str, str]:
    """Give the emulator's environment. The functions' processes inherit it, but for settings() (local/functions.py)."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return (
        inherited
        | settings(port, scratch)
        | {
            "AWS_ENDPOINT_URL": endpoint(port),  # Functions reach "AWS" here.
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "TMPDIR": str(scratch),  # The functions' code is unpacked here: it goes when the stack goes.
        }
    )


def answers(port: int) -> bool:
    """Whether the emulator is up."""
    try:
        with urllib.request.urlopen(f"{endpoint(port)}/_ministack/health", timeout=1):
            return True
    except OSError:
        return False


def answer_without_delay() -> None:
    """Send the Runtime API's small answers at once: else each invocation waits 40 ms for a delayed acknowledgement."""
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True


def wait_for_no_output() -> None:
    """Do not wait for log lines after an invocation: the functions write to files (local/functions.py). Saves 50 ms."""
    try:
        from ministack.core.lambda_runtime import Worker

        Worker._drain_stderr_bounded.__defaults__ = (0.0, 0.0, 0.0)
    except (ImportError, AttributeError):
        print("this ministack waits for log lines: invocations take 50 ms more", file=sys.stderr)


def work_out_timeouts() -> None:
    """Let a task's `TimeoutSeconds` be an expression: the emulator would take its text for a number, and fail."""
    from ministack.services import stepfunctions

    execute = stepfunctions._execute_task

    def execute_task(state: dict[str, Any], given: Any, execution: dict[str, Any], ctx: dict[str, Any]) -> Any:
        if "TimeoutSeconds" in state:
            seconds = stepfunctions._apply_jsonata_template(state["TimeoutSeconds"], given, ctx)
            state = state | {"TimeoutSeconds": seconds}
        return execute(state, given, execution, ctx)

    stepfunctions._execute_task = execute_task


def fail_tasks_at_once() -> None:
    """Fail a task that waits for its token if its function raises, as AWS does: the emulator waits for the token still."""
    from ministack.services import stepfunctions

    invoke, waiting = stepfunctions._call_lambda, threading.local()
    wait = stepfunctions._invoke_with_callback

    def call_lambda(function: str, event: Any) -> Any:
        try:
            return invoke(function, event)
        except stepfunctions._ExecutionError as failure:
            token = getattr(waiting, "token", None)
            if token is not None:
                told = {"taskToken": token, "error": failure.error, "cause": failure.cause}
                stepfunctions._send_task_failure(told)
            raise

    def invoke_with_callback(resource: str, given: Any, token: str, state: dict[str, Any]) -> Any:
        waiting.token = token
        try:
            return wait(resource, given, token, state)
        finally:
            waiting.token = None

    stepfunctions._call_lambda, stepfunctions._invoke_with_callback = call_lambda, invoke_with_callback


def give_changes_back() -> None:
    """Give a change of a table again that its function names as failed, as AWS does: the emulator does so for queues only.

    It gives one change at a time, so that the one that is named is the one that was given.
    """
    from ministack.services import dynamodb, lambda_svc

    since, execute = dynamodb.stream_records_since, lambda_svc._execute_function

    def records_since(table: str, position: int, limit: int, **where: Any) -> Any:
        return since(table, position, min(limit, 1), **where)

    def execute_function(function: Any, event: Any) -> Any:
        result = execute(function, event)
        match event, result.get("body"):
            case {"Records": [{"eventSource": "aws:dynamodb"}, *_]}, {"batchItemFailures": [_, *_]}:
                return result | {"error": True}
        return result

    dynamodb.stream_records_since, lambda_svc._execute_function = records_since, execute_function


def end_with_input() -> None:
    """End this process when whoever started it closes the pipe, or is gone."""

    def watch() -> None:
        sys.stdin.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Run ministack."""
    answer_without_delay()
    wait_for_no_output()
    work_out_timeouts()
    fail_tasks_at_once()
    give_changes_back()
    end_with_input()
    sys.argv[1:] = []
    runpy.run_module("ministack", run_name="__main__")


if __name__ == "__main__":
    main()
