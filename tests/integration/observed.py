"""Everything that the local stack writes down or says, and its functions as talkative as they can be made."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.integration.calls import NO_ROOTS, PATIENCE_SECONDS, Json
from tests.integration.insides import PROC, processes

#: What makes a function talk: the runtime's logger, powertools' loggers, and powertools' log of whole events.
TALKATIVE = {"POWERTOOLS_LOG_LEVEL": "DEBUG", "POWERTOOLS_LOGGER_LOG_EVENT": "true", "POWERTOOLS_DEBUG": "true"}
PACKAGES = "packages"
#: The queue that hears every event of the bus.
HEARD = "heard"
#: What a careless deployment would do: let the libraries write at the level that the function is set to.
UNGUARDED = b"""
import logging
for _name in ("boto3", "botocore", "urllib3", "httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.DEBUG)
logging.getLogger().filters.clear()
for _handler in logging.getLogger().handlers:
    _handler.filters.clear()
"""

Clients = Callable[[str], Any]


def let_talk(stack: Json, aws: Clients) -> None:
    """Deploy every function anew, at DEBUG, as `ApplicationLogLevel: DEBUG` in the template would."""
    functions = aws("lambda")
    for name, package in packages(aws).items():
        function = stack["functions"][name]
        configuration = functions.get_function_configuration(FunctionName=function)
        variables = configuration["Environment"]["Variables"] | TALKATIVE
        functions.update_function_configuration(FunctionName=function, Environment={"Variables": variables})
        code = repacked(package)
        version = functions.update_function_code(FunctionName=function, ZipFile=code, Publish=True)["Version"]
        functions.update_alias(FunctionName=function, Name="live", FunctionVersion=version)


def unguarded(stack: Json, aws: Clients, name: str, log: str) -> str:
    """Deploy a copy of a function beside it that lets the libraries talk, with a log file of its own; give its name."""
    functions = aws("lambda")
    configuration = functions.get_function_configuration(FunctionName=stack["functions"][name])
    functions.create_function(
        FunctionName=log,
        Code={"ZipFile": repacked(packages(aws)[name], log=log, appended=UNGUARDED)},
        **{key: configuration[key] for key in ("Role", "Runtime", "Handler", "Timeout")},
        Environment={"Variables": configuration["Environment"]["Variables"] | TALKATIVE},
    )
    return log


def listen(stack: Json, aws: Clients) -> None:
    """Let a queue hear every event of the bus: it keeps them all, and a search of the queues sees them."""
    events, sqs = aws("events"), aws("sqs")
    url = sqs.create_queue(QueueName=HEARD)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus = {"EventBusName": stack["event_bus"]}
    events.put_rule(**bus, Name="everything", EventPattern=json.dumps({"source": [{"prefix": ""}]}))
    events.put_targets(**bus, Rule="everything", Targets=[{"Id": "queue", "Arn": arn}])


def heard(stack: Json) -> list[Json]:
    """Give the events that the bus has carried since somebody listens."""
    return [json.loads(message["Body"]) for message in queued(stack) if message["queue"].endswith(f"/{HEARD}")]


def packages(aws: Clients) -> dict[str, bytes]:
    """Give the functions' packages as they were deployed."""
    s3 = aws("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=PACKAGES)["Contents"]]
    contents = [s3.get_object(Bucket=PACKAGES, Key=key)["Body"].read() for key in keys]
    # a workflow's definition is no function
    return {log_name(content): content for content in contents if zipfile.is_zipfile(io.BytesIO(content))}


def log_name(package: bytes) -> str:
    """Say which function a package is of: its log file is called after it."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        match = re.search(r"/(\w+)\.log", archive.read("bootstrap").decode())
    assert match is not None
    return match[1]


def repacked(package: bytes, *, log: str | None = None, appended: bytes = b"") -> bytes:
    """Change a package so that its function runs at DEBUG."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as before, zipfile.ZipFile(changed, "w") as after:
        for entry in before.infolist():
            content = before.read(entry)
            if entry.filename == "bootstrap":
                content = re.sub(rb"AWS_LAMBDA_LOG_LEVEL=\w+", b"AWS_LAMBDA_LOG_LEVEL=DEBUG", content)
                if log is not None:
                    content = re.sub(rb"/\w+\.log", f"/{log}.log".encode(), content)
            if entry.filename == "app.py":
                content += appended
            after.writestr(entry, content)
    return changed.getvalue()


def written(stack: Json, aws: Clients, state: Path) -> Iterator[tuple[str, str]]:
    """Yield where something is written, and what: logs and files, tables, queues, CloudWatch."""
    for path in sorted(state.rglob("*")):
        # the one file that is there to hold the keys; and our own code, which has tables of field names
        if path.is_file() and path.name != "stack.json" and path.suffix not in {".py", ".pyc"}:
            yield str(path.relative_to(state)), path.read_text(errors="replace")
    yield from tables(aws)
    yield from queues(stack)
    yield from cloudwatch(aws)


def tables(aws: Clients) -> Iterator[tuple[str, str]]:
    """Yield every item of every table."""
    dynamo = aws("dynamodb")
    for name in dynamo.list_tables()["TableNames"]:
        for page in dynamo.get_paginator("scan").paginate(TableName=name, ConsistentRead=True):
            for item in page["Items"]:
                yield f"table {name}", json.dumps(item)


def queues(stack: Json) -> Iterator[tuple[str, str]]:
    """Yield every message of every queue, those that are delayed or being worked on included."""
    for message in queued(stack):
        yield f"queue {message['queue']}", json.dumps(message)


def queued(stack: Json) -> list[Json]:
    """Give the messages of all queues, which the emulator shows."""
    url = f"{stack['aws_endpoint']}/_ministack/sqs/messages"
    by_account = httpx.get(url, timeout=PATIENCE_SECONDS, verify=NO_ROOTS).json()["messages"]
    return [
        message | {"queue": name}
        for by_region in by_account.values()
        for by_queue in by_region.values()
        for name, messages in by_queue.items()
        for message in messages
    ]


def keys_of_functions(stack: Json) -> Iterator[str]:
    """Yield the keys that the functions' processes have for AWS."""
    for function in stack["functions"]:
        for pid in processes(stack, function):
            variables = (PROC / str(pid) / "environ").read_bytes().decode().split("\0")
            for name, _, value in (variable.partition("=") for variable in variables):
                if name in {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} and value != "test":
                    yield value


def cloudwatch(aws: Clients) -> Iterator[tuple[str, str]]:
    """Yield what is in CloudWatch: the functions write their logs, and the metrics in them, to files here."""
    logs = aws("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        yield "log group", json.dumps(group, default=str)
        for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]:
            yield group["logGroupName"], json.dumps(event, default=str)
    yield "metrics", json.dumps(aws("cloudwatch").list_metrics()["Metrics"], default=str)
