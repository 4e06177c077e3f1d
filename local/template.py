"""Turns template.yaml into what the emulator can create, by AWS's own transform and a few rewrites.

Each rewrite is one function here (or `spell_out_routes`), which says why it is needed. Nothing else of the template is changed.
"""

import copy
import json
import os
from pathlib import Path
from typing import Any, Final

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from local.http_api import spell_out_routes

#: The bucket that the deployment packages are put in.
BUCKET: Final = "packages"


class NoManagedPolicies:
    """Stands in for IAM's list of managed policies, which the transform only needs for policies given by name."""

    def load(self) -> dict[str, str]:
        """Know none."""
        return {}


def read(path: Path) -> dict[str, Any]:
    """Read a SAM template."""
    template = yaml_parse(path.read_text())
    assert isinstance(template, dict)
    return template


def function_folders(template: dict[str, Any]) -> dict[str, str]:
    """Map each function's logical id to the folder of its code."""
    return {
        name: resource["Properties"]["CodeUri"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def definition_files(template: dict[str, Any]) -> dict[str, str]:
    """Map each state machine's logical id to the file of its definition."""
    return {
        name: resource["Properties"]["DefinitionUri"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::StateMachine"
    }


def definition_as_json(path: Path) -> bytes:
    """Read a state machine's definition: AWS takes YAML, the emulator JSON only."""
    return json.dumps(yaml_parse(path.read_text())).encode()


def package_key(name: str) -> str:
    """Name the object that holds the package of a function or layer, or a state machine's definition."""
    return f"{name}.zip"


def to_cloudformation(template: dict[str, Any], region: str) -> dict[str, Any]:
    """Apply `AWS::Serverless-2016-10-31`, without AWS."""
    os.environ["AWS_DEFAULT_REGION"] = region  # The transform reads the region from there only.
    transformed = transform(point_to_packages(template), {}, NoManagedPolicies())
    assert isinstance(transformed, dict)
    return transformed


def point_to_packages(template: dict[str, Any]) -> dict[str, Any]:
    """Replace the local folders by S3 addresses, as `sam package` does."""
    template = copy.deepcopy(template)
    for name, resource in template["Resources"].items():
        for key in ("CodeUri", "ContentUri", "DefinitionUri"):
            if key in resource.get("Properties", {}):
                resource["Properties"][key] = f"s3://{BUCKET}/{package_key(name)}"
    return template


def bring_own_runtime(template: dict[str, Any]) -> dict[str, Any]:
    """Run every function by its package's bootstrap (local/functions.py), on whatever this machine is."""
    template = copy.deepcopy(template)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Runtime"] = "provided.al2023"
            resource["Properties"].pop("Architectures", None)
    return template


def without_layers(template: dict[str, Any]) -> dict[str, Any]:
    """Leave the layers out: the emulator does not mount them for `provided` runtimes, the bootstrap names the folder."""
    resources = {
        name: {**resource, "Properties": {k: v for k, v in resource.get("Properties", {}).items() if k != "Layers"}}
        for name, resource in template["Resources"].items()
        if resource["Type"] != "AWS::Lambda::LayerVersion"
    }
    return template | {"Resources": resources}


def allow_loopback(template: dict[str, Any]) -> dict[str, Any]:
    """Let `PublicUrls` be what this machine has: plain HTTP on loopback, which the functions take and AWS has no use for."""
    parameters = copy.deepcopy(template["Parameters"])
    parameters["PublicUrls"].pop("AllowedPattern")
    return template | {"Parameters": parameters}


def without_metric_math(template: dict[str, Any]) -> dict[str, Any]:
    """Leave out the alarms that add metrics up: the emulator refuses them, and sets none off anyway."""
    resources = {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] != "AWS::CloudWatch::Alarm" or "Metrics" not in resource["Properties"]
    }
    return template | {"Resources": resources}


def for_the_emulator(cloudformation: dict[str, Any]) -> dict[str, Any]:
    """Apply all rewrites."""
    on_this_machine = without_layers(bring_own_runtime(spell_out_routes(cloudformation)))
    return allow_loopback(without_metric_math(on_this_machine))
