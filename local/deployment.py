"""Creates the stack in the emulator, from template.yaml, and the demo accounts' secrets."""

import dataclasses
import json
import time
from pathlib import Path
from typing import Any, Final

import boto3

from local import emulator, template
from local.accounts import Account
from local.environments import ROOT
from local.functions import Runtime, package

STACK_NAME: Final = "offtape"
#: Stacks of this size take well under a second.
CREATE_SECONDS: Final = 30.0


@dataclasses.dataclass(frozen=True, slots=True)
class Deployed:
    """What stands in the emulator."""

    endpoint: str
    resources: dict[str, str]
    outputs: dict[str, str]

    @property
    def api(self) -> str:
        """Where the emulator serves the HTTP API."""
        return f"{self.endpoint}/_aws/execute-api/{self.resources['HttpApi']}/$default"


def deploy(endpoint: str, runtime: Runtime, parameters: dict[str, str]) -> Deployed:
    """Package the functions and create the stack."""
    source = template.read(ROOT / "template.yaml")
    cloudformation = template.to_cloudformation(source, emulator.REGION)
    upload(endpoint, packages(source, cloudformation, runtime))
    client = boto3.client("cloudformation", **connection(endpoint))
    client.create_stack(
        StackName=STACK_NAME,
        TemplateBody=json.dumps(template.for_the_emulator(cloudformation)),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    outputs = wait_until_created(client)
    found = client.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    resources = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}
    return Deployed(endpoint, resources, outputs)


def packages(source: dict[str, Any], cloudformation: dict[str, Any], runtime: Runtime) -> dict[str, bytes]:
    """Make the deployment package of every function, and every state machine's definition."""
    functions = {
        template.package_key(name): package(
            ROOT / folder, runtime.bootstrap(Path(folder).name, cloudformation["Resources"][name]["Properties"])
        )
        for name, folder in template.function_folders(source).items()
    }
    definitions = {
        template.package_key(name): template.definition_as_json(ROOT / file)
        for name, file in template.definition_files(source).items()
    }
    return functions | definitions


def upload(endpoint: str, objects: dict[str, bytes]) -> None:
    """Put the packages where the template says they are."""
    client = boto3.client("s3", **connection(endpoint))
    client.create_bucket(Bucket=template.BUCKET, CreateBucketConfiguration={"LocationConstraint": emulator.REGION})
    for key, content in objects.items():
        client.put_object(Bucket=template.BUCKET, Key=key, Body=content)


def wait_until_created(client: Any) -> dict[str, str]:
    """Wait for the stack, and give its outputs."""
    deadline = time.monotonic() + CREATE_SECONDS
    while True:
        stack = client.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
        if stack["StackStatus"] == "CREATE_COMPLETE":
            return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        if not stack["StackStatus"].endswith("IN_PROGRESS") or time.monotonic() > deadline:
            events = client.describe_stack_events(StackName=STACK_NAME)["StackEvents"]
            reasons = [f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in events]
            raise SystemExit("template.yaml could not be created in the emulator:\n" + "\n".join(reasons))
        time.sleep(0.02)


def store_secrets(endpoint: str, accounts: list[Account], vendors: dict[str, str], *, ivr: str | None = None) -> None:
    """Store every demo account as the functions expect it. `vendors` and `ivr` say at which origins those are."""
    client = boto3.client("secretsmanager", **connection(endpoint))
    for account in accounts:
        secret = account.secret(vendors[account.vendor], ivr=ivr)
        client.create_secret(Name=f"call-recording/{account.name}", SecretString=json.dumps(secret))


def connection(endpoint: str) -> dict[str, Any]:
    """Give what every client of the emulator needs."""
    return {
        "endpoint_url": endpoint,
        "region_name": emulator.REGION,
        "aws_access_key_id": emulator.CREDENTIALS["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": emulator.CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    }
