"""The local stack itself: what it says of itself, whom it lets in, and how it ends."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local import stack as local_stack

ROOT = Path(__file__).parents[2]
#: In /proc/net/tcp: a socket that listens, and 127.0.0.1.
LISTENING, LOOPBACK = "0A", "0100007F"
PROC = Path("/proc")
needs_proc = pytest.mark.skipif(not (PROC / "net" / "tcp").exists(), reason="only Linux tells who listens where")


@contextlib.contextmanager
def started(state: Path, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a stack that the test may end in its own way."""
    process = local_stack.start(state=state, **options)
    try:
        local_stack.wait_until_ready(process, state)
        yield process
    finally:
        local_stack.stop(process)


def post(url: str, body: Any, token: str = "") -> int:
    """Send JSON, and give the status of the answer."""
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def enter(stack: dict[str, Any], account: str, token: str) -> int:
    """Enter a step of a call that does not exist: 401 for a stranger, something else for who has the key."""
    return post(f"{stack['api']}/flows/{account}/card-entry/entered", {"call_id": "CA" + 32 * "0"}, token)


def secrets_of(stack: dict[str, Any], key: str = "test") -> Any:
    """Make a client of the stack's Secrets Manager."""
    return client_of(stack, "secretsmanager", key)


def wait_until_counted(sqs: Any, queue_url: str, *, expected: tuple[int, int, int]) -> tuple[int, int, int]:
    """Count a queue's messages, those that wait, that are being worked on or were given back, and that are delayed."""
    names = ("", "NotVisible", "Delayed")
    deadline = time.monotonic() + 15
    while True:
        found = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
        waiting, away, delayed = (int(found[f"ApproximateNumberOfMessages{name}"]) for name in names)
        if (waiting, away, delayed) == expected or time.monotonic() > deadline:
            return waiting, away, delayed
        time.sleep(0.1)


def client_of(stack: dict[str, Any], service: Any, key: str = "test") -> Any:
    """Make a client of the stack's AWS, as any AWS tool would."""
    return boto3.client(
        service,
        endpoint_url=stack["aws_endpoint"],
        region_name=stack["region"],
        aws_access_key_id=key,
        aws_secret_access_key="test",
    )


def family(process: subprocess.Popen[bytes]) -> set[int]:
    """List a process and all that descend from it."""
    parents = {}
    for path in PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found = {process.pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def is_alive(pid: int) -> bool:
    """Whether a process runs (and is more than an entry that nobody has collected)."""
    with contextlib.suppress(OSError):
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_until_gone(pids: set[int]) -> set[int]:
    """Give the processes that are still there after some seconds."""
    deadline = time.monotonic() + 10
    while (left := {pid for pid in pids if is_alive(pid)}) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def listeners(pids: set[int]) -> list[str]:
    """List the local addresses, in hexadecimal, on which the processes listen."""
    inodes = set()
    for pid in pids:
        for descriptor in (PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):
                inodes.add(descriptor.readlink().name)
    lines = [line.split() for name in ("tcp", "tcp6") for line in (PROC / "net" / name).read_text().splitlines()[1:]]
    return [line[1] for line in lines if line[3] == LISTENING and f"socket:[{line[9]}]" in inodes]


class TestDescription:
    def test_stack_json_says_where_everything_is(self, stack):
        """The file has every address, an account for each vendor and a key for each account."""
        where = {"api", "aws_endpoint", "region", "control", "ledger_table", "timer_queue_url", "dead_letter_queue_url"}

        assert stack.keys() == where | {"event_bus", "ivr", "vendors", "accounts", "functions", "state_machines"}
        assert stack["functions"].keys() == {path.parent.name for path in ROOT.glob("functions/*/app.py")}
        assert stack["vendors"].keys() == {"twilio", "signalwire", "bandwidth", "bird"}
        assert stack["accounts"].keys() == {f"demo-{vendor}" for vendor in stack["vendors"]}
        for name, account in stack["accounts"].items():
            assert name == f"demo-{account['vendor']}"
            assert len(account["bearer_token"]) >= 16

    def test_workflow_task_can_be_invoked_by_its_name(self, stack):
        """The name in stack.json is a function of the emulator."""
        url = f"{stack['aws_endpoint']}/2015-03-31/functions/{stack['functions']['workflow_task']}/invocations"

        assert post(url, {"action": "pause"}) == 200

    def test_a_sweep_can_be_made_at_once(self, stack, aws):
        """Whoever does not want to wait for the minute invokes pause_deadline with an empty event."""
        answer = aws("lambda").invoke(FunctionName=stack["functions"]["pause_deadline"], Payload=b"{}")

        assert "FunctionError" not in answer
        assert answer["Payload"].read() == b"{}"

    def test_unknown_routes_are_not_found(self, stack):
        """API Gateway answers what no route matches."""
        assert post(f"{stack['api']}/flows/demo-twilio/card-entry/elsewhere", {}) == 404

    def test_an_oversized_body_is_refused_before_the_function(self, stack):
        """API Gateway's own limit holds here too."""
        assert post(f"{stack['api']}/flows/demo-twilio/card-entry/entered", "x" * 10 * 1024 * 1024) == 413


class TestSecrets:
    def test_a_new_account_is_known_at_once(self, stack):
        """An account that is stored while the stack runs can be used."""
        secret = json.loads(secrets_of(stack).get_secret_value(SecretId="call-recording/demo-twilio")["SecretString"])
        secret["inbound"] = {"bearer_tokens": ["a-token-of-a-new-account"]}
        secrets_of(stack).create_secret(Name="call-recording/new", SecretString=json.dumps(secret))

        assert enter(stack, "new", "a-token-of-a-new-account") != 401
        assert enter(stack, "new", "a-token-of-someone-else") == 401

    def test_a_changed_key_is_honoured_within_the_time_to_live(self, stack):
        """A rotated key is accepted, and the old one refused, when SECRET_TTL_SECONDS are over."""
        name = "call-recording/demo-bird"
        secret = json.loads(secrets_of(stack).get_secret_value(SecretId=name)["SecretString"])
        old, new = stack["accounts"]["demo-bird"]["bearer_token"], "a-token-after-the-rotation"
        assert enter(stack, "demo-bird", old) != 401
        changed = secret | {"inbound": {"bearer_tokens": [new]}}
        secrets_of(stack).put_secret_value(SecretId=name, SecretString=json.dumps(changed))
        time.sleep(1.5)
        answers = (enter(stack, "demo-bird", old), enter(stack, "demo-bird", new))
        secrets_of(stack).put_secret_value(SecretId=name, SecretString=json.dumps(secret))
        time.sleep(1.5)

        assert answers[0] == 401
        assert answers[1] != 401


class TestTimers:
    def test_only_what_failed_is_given_back(self, tmp_path):
        """Delayed messages reach pause_deadline: one that cannot be read comes again, those that are early are sent on."""
        early = json.dumps({"account": "demo-twilio", "call_id": "CA1", "at": time.time() + 3_600})
        with local_stack.running(state=tmp_path, env={"ENFORCE_IAM": "1"}) as described:
            sqs = client_of(described, "sqs")
            for body in (early, "unreadable", early):
                sqs.send_message(QueueUrl=described["timer_queue_url"], MessageBody=body, DelaySeconds=1)
            counted = wait_until_counted(sqs, described["timer_queue_url"], expected=(0, 1, 2))
            given_up = sqs.receive_message(QueueUrl=described["dead_letter_queue_url"])

        assert counted == (0, 1, 2)
        assert "Messages" not in given_up


class TestPolicies:
    def test_they_are_enforced_in_these_tests(self, stack):
        """A stranger's key is refused, so a function that its role allowed nothing would be too."""
        with pytest.raises(ClientError, match="UnrecognizedClientException"):
            secrets_of(stack, key="AKIAIOSFODNN7EXAMPLE").list_secrets()

    def test_a_function_is_refused_what_its_role_does_not_allow(self, stack, aws, denied):
        """A function whose role is denied the index cannot sweep, and can again when it is not."""
        sweep = {"FunctionName": stack["functions"]["pause_deadline"], "Payload": b"{}"}
        with denied("pause_deadline", "dynamodb:Query"):
            refused = aws("lambda").invoke(**sweep)
        error = json.loads(refused["Payload"].read())

        assert (error["errorType"], error["errorMessage"]) == ("UnavailableError", "DynamoDB: AccessDeniedException")
        assert "FunctionError" not in aws("lambda").invoke(**sweep)


class TestProcesses:
    def test_two_stacks_run_side_by_side(self, stack, tmp_path):
        """A second stack has its own addresses and its own keys."""
        with local_stack.running(state=tmp_path) as second:
            token = second["accounts"]["demo-twilio"]["bearer_token"]

            assert second["api"] != stack["api"]
            assert enter(second, "demo-twilio", token) != 401
            assert enter(stack, "demo-twilio", token) == 401

    def test_stack_json_is_for_its_user_alone_and_goes_with_the_stack(self, tmp_path):
        """Nobody else may read the keys, and no file names a stack that has ended."""
        with started(tmp_path):
            mode = stat.S_IMODE((tmp_path / "stack.json").stat().st_mode)

        assert mode == 0o600
        assert not (tmp_path / "stack.json").exists()

    def test_no_key_is_printed(self, tmp_path):
        """Neither what the stack prints nor a log has a credential in it."""
        with local_stack.running(state=tmp_path) as described:
            tokens = [account["bearer_token"] for account in described["accounts"].values()]
            enter(described, "demo-twilio", tokens[0])
        written = [path.read_text() for path in [tmp_path / "serve.log", *(tmp_path / "logs").iterdir()]]

        assert not [token for token in tokens for text in written if token in text]

    @needs_proc
    def test_everything_listens_on_loopback_only(self, tmp_path):
        """No process of the stack can be reached from another machine."""
        with started(tmp_path) as process:
            enter(local_stack.read(tmp_path), "demo-twilio", "")
            addresses = listeners(family(process))

        assert len(addresses) >= 7  # the API, AWS, the control API, four vendors
        assert {address.partition(":")[0] for address in addresses} == {LOOPBACK}

    @needs_proc
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda each: each.name)
    def test_every_process_ends_with_the_stack(self, tmp_path, number):
        """Ctrl-C ends all that was started; and nothing survives even if the stack is killed."""
        with started(tmp_path) as process:
            enter(local_stack.read(tmp_path), "demo-twilio", "")
            processes = family(process)
            process.send_signal(number)
            process.wait(20)
            left = wait_until_gone(processes)

        assert len(processes) >= 4  # the stack, AWS, the simulators, a function
        assert left == set()

    def test_a_port_that_is_taken_is_named(self, tmp_path):
        """The second to ask for a port is told what to do."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            message = rf"Port {port} .* Give the stack another one: PORT=8081"
            with pytest.raises(local_stack.StackError, match=message), started(tmp_path, port=port):
                pass

    def test_a_state_folder_that_is_in_use_is_named(self, tmp_path):
        """Two stacks cannot share a folder."""
        with local_stack.running(state=tmp_path) as first:
            with pytest.raises(local_stack.StackError, match="OFFTAPE_LOCAL"), started(tmp_path):
                pass

            assert local_stack.read(tmp_path) == first
            assert os.access(tmp_path / "stack.json", os.R_OK)
