"""The local stack's rewrites: template.yaml is what is deployed, whatever the emulator cannot do."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from local import template
from local.functions import Runtime, package

ROOT = Path(__file__).parents[2]


@pytest.fixture(name="cloudformation", scope="module")
def _cloudformation() -> dict[str, Any]:
    return template.to_cloudformation(template.read(ROOT / "template.yaml"), "eu-west-1")


@pytest.fixture(name="runtime")
def _runtime() -> Runtime:
    folder = Path("/a folder")
    return Runtime(python=folder / "python", layer=folder / "layer", logs=folder / "logs", hidden=("LOG_LEVEL",))


class TestRewrites:
    def test_routes_are_those_of_the_template(self, cloudformation):
        """Every operation of the API's document becomes a route to the same function."""
        (body,) = (each["Properties"]["Body"] for each in cloudformation["Resources"].values() if "Body" in str(each))
        resources = template.for_the_emulator(cloudformation)["Resources"]
        routes = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::ApiGatewayV2::Route"]
        documented = {f"{method.upper()} {path}" for path, item in body["paths"].items() for method in item}

        assert {route["RouteKey"] for route in routes} == documented

    def test_nothing_else_changes(self, cloudformation):
        """Roles, logs, parameters and outputs reach the emulator as they are."""
        local = template.for_the_emulator(cloudformation)
        rewritten = {"AWS::Lambda::Function", "AWS::Lambda::LayerVersion", "AWS::ApiGatewayV2::Api"}
        kept = {
            name: resource
            for name, resource in cloudformation["Resources"].items()
            if resource["Type"] not in rewritten and "Metrics" not in resource.get("Properties", {})
        }

        assert kept.items() <= local["Resources"].items()
        others = {"Resources": None, "Parameters": None}
        assert {**local, **others} == {**cloudformation, **others}

    def test_public_urls_may_be_this_machines(self, cloudformation):
        """The API is reached by plain HTTP here: the parameter loses its pattern, and nothing else."""
        parameters = template.for_the_emulator(cloudformation)["Parameters"]
        pattern = cloudformation["Parameters"]["PublicUrls"]["AllowedPattern"]

        assert {"AllowedPattern": pattern, **parameters["PublicUrls"]} == cloudformation["Parameters"]["PublicUrls"]
        assert {**parameters, "PublicUrls": None} == {**cloudformation["Parameters"], "PublicUrls": None}

    def test_alarms_that_add_up_are_left_out(self, cloudformation):
        """The emulator refuses metric math; the other alarms stay."""
        alarms = {
            name
            for name, resource in template.for_the_emulator(cloudformation)["Resources"].items()
            if resource["Type"] == "AWS::CloudWatch::Alarm"
        }

        assert alarms == {"DeadLetterAlarm", "StreamAlarm", "SweepAlarm"}

    def test_functions_lose_their_layer_and_processor_only(self, cloudformation):
        """Variables, timeout, memory and log settings are the template's."""
        local = template.for_the_emulator(cloudformation)["Resources"]
        for name, resource in cloudformation["Resources"].items():
            if resource["Type"] == "AWS::Lambda::Function":
                replaced = {"Runtime": "provided.al2023", "Layers": None, "Architectures": None}
                expected = {k: v for k, v in {**resource["Properties"], **replaced}.items() if v is not None}

                assert local[name]["Properties"] == expected


class TestPackages:
    def test_a_package_is_the_folder_and_a_bootstrap(self, tmp_path):
        """The code is what is deployed to AWS; what starts it can be executed."""
        (tmp_path / "app.py").write_text("x = 1\n")
        (tmp_path / "__pycache__").mkdir()
        (tmp_path / "__pycache__" / "app.cpython-313.pyc").write_bytes(b"")
        with zipfile.ZipFile(io.BytesIO(package(tmp_path, "#!/bin/sh\n"))) as archive:
            mode = archive.getinfo("bootstrap").external_attr >> 16

            assert archive.namelist() == ["bootstrap", "app.py"]
        assert mode & 0o111

    def test_a_bootstrap_sets_what_lambda_sets(self, runtime):
        """The log settings of the template hold, and folders may have spaces in their names."""
        logging = {"LogFormat": "JSON", "ApplicationLogLevel": "WARN"}
        script = runtime.bootstrap("flow_callback", {"Runtime": "python3.13", "LoggingConfig": logging})

        assert "AWS_LAMBDA_LOG_FORMAT=JSON" in script
        assert "AWS_LAMBDA_LOG_LEVEL=WARN" in script
        assert "AWS_EXECUTION_ENV=AWS_Lambda_python3.13" in script
        assert "PYTHONPATH='/a folder/layer/python'" in script
        assert "unset LOG_LEVEL\n" in script
