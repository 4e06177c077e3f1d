"""template.yaml: what is deployed, who may do what, and what is written down."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import build_layer
from local import template

ROOT = Path(__file__).parents[2]

#: What a log line must not have: the path names the account, a query or a body can carry anything.
FORBIDDEN_IN_ACCESS_LOG = ("path", "query", "body", "header", "identity", "authorizer", "protocol")


@pytest.fixture(name="source", scope="module")
def _source() -> dict[str, Any]:
    return template.read(ROOT / "template.yaml")


@pytest.fixture(name="resources", scope="module")
def _resources(source) -> dict[str, Any]:
    return template.to_cloudformation(source, "eu-west-1")["Resources"]


def of_type(resources: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Give the properties of every resource of a type."""
    return {name: each.get("Properties", {}) for name, each in resources.items() if each["Type"] == kind}


def statements(role: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """List what a role is granted, by its name, what is granted under a condition too."""
    listed = [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]
    chosen = [each["Fn::If"][1] if "Fn::If" in each else each for each in listed]
    return {each["Sid"]: each for each in chosen}


class TestPermissions:
    def test_each_function_has_a_role_of_its_own(self, resources):
        """No two functions share a role."""
        roles = [json.dumps(function["Role"]) for function in of_type(resources, "AWS::Lambda::Function").values()]

        assert len(roles) == len(set(roles)) > 0

    def test_a_role_reads_accounts_and_nothing_else(self, resources):
        """Every role may read the secrets of accounts, use their key if one is named, write its own log, and no more."""
        for role in of_type(resources, "AWS::IAM::Role").values():
            granted = statements(role)

            assert set(granted) == {"ReadAccounts", "DecryptAccounts", "WriteLogs", "WriteTraces"}
            assert granted["ReadAccounts"]["Action"] == "secretsmanager:GetSecretValue"
            assert granted["ReadAccounts"]["Resource"]["Fn::Sub"].endswith(":secret:call-recording/*")
            assert granted["DecryptAccounts"]["Action"] == "kms:Decrypt"
            assert granted["DecryptAccounts"]["Resource"] == {"Ref": "SecretsKmsKeyArn"}
            assert "kms:ViaService" in granted["DecryptAccounts"]["Condition"]["StringEquals"]
            assert granted["WriteTraces"]["Action"] == ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
            assert "ManagedPolicyArns" not in role

    def test_a_function_writes_its_own_log_only(self, resources):
        """A function's role may write to that function's log group, and may make none."""
        for function in of_type(resources, "AWS::Lambda::Function").values():
            role = resources[function["Role"]["Fn::GetAtt"][0]]["Properties"]
            granted = statements(role)["WriteLogs"]

            assert granted["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
            assert granted["Resource"] == {"Fn::GetAtt": [function["LoggingConfig"]["LogGroup"]["Ref"], "Arn"]}


class TestApi:
    def test_the_routes_are_those_of_the_interface(self, resources):
        """A flow enters, leaves and stops a step; nothing else is reachable."""
        (api,) = of_type(resources, "AWS::ApiGatewayV2::Api").values()
        routes = {f"{method.upper()} {path}" for path, item in api["Body"]["paths"].items() for method in item}

        assert routes == {
            "POST /flows/{account}/{step}/entered",
            "POST /flows/{account}/{step}/left",
            "POST /flows/{account}/{step}/stop",
        }

    def test_the_access_log_has_no_path(self, resources):
        """Whatever a caller sends, no part of it is in the access log."""
        (stage,) = of_type(resources, "AWS::ApiGatewayV2::Stage").values()
        logged = json.loads(stage["AccessLogSettings"]["Format"])

        assert {"routeKey", "status", "requestId", "requestTime", "responseLength"} <= logged.keys()
        for variable in logged.values():
            assert not any(word in variable.lower() for word in FORBIDDEN_IN_ACCESS_LOG)

    def test_every_route_is_throttled(self, resources):
        """The throttling of the parameters holds for all routes."""
        (stage,) = of_type(resources, "AWS::ApiGatewayV2::Stage").values()

        assert stage["DefaultRouteSettings"] == {
            "ThrottlingRateLimit": {"Ref": "ThrottlingRateLimit"},
            "ThrottlingBurstLimit": {"Ref": "ThrottlingBurstLimit"},
        }


class TestLogs:
    def test_every_log_is_kept_for_a_set_time(self, resources):
        """No log group keeps its logs for ever."""
        for group in of_type(resources, "AWS::Logs::LogGroup").values():
            assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}

    def test_every_function_logs_json_into_a_group_of_its_own(self, resources):
        """No function writes where Lambda would make a group that nobody empties."""
        groups = []
        for function in of_type(resources, "AWS::Lambda::Function").values():
            assert function["LoggingConfig"]["LogFormat"] == "JSON"
            groups.append(function["LoggingConfig"]["LogGroup"]["Ref"])

        assert len(groups) == len(set(groups))
        assert set(groups) < of_type(resources, "AWS::Logs::LogGroup").keys()


class TestFunctions:
    def test_the_layer_is_compiled_for_the_functions_runtime(self, resources):
        """Bytecode of another version would be ignored without a word."""
        for function in of_type(resources, "AWS::Lambda::Function").values():
            assert function["Runtime"] == "python{}.{}".format(*build_layer.RUNTIME)
            assert function["Architectures"] == ["arm64"]
            assert function["TracingConfig"] == {"Mode": "Active"}

    def test_each_folder_is_a_function(self, source):
        """Every folder of functions/ is deployed, and only those."""
        folders = {f"functions/{path.parent.name}" for path in (ROOT / "functions").glob("*/app.py")}

        assert set(template.function_folders(source).values()) == folders

    def test_requests_reach_the_alias(self, resources):
        """Provisioned concurrency is bought for the alias, so the API calls the alias."""
        (api,) = of_type(resources, "AWS::ApiGatewayV2::Api").values()
        integrations = [
            operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
            for item in api["Body"]["paths"].values()
            for operation in item.values()
        ]

        assert all("Aliaslive" in uri for uri in integrations)


class TestParameters:
    def test_each_is_described_labelled_and_grouped(self, source):
        """`sam deploy --guided` and the console say what each parameter means."""
        interface = source["Metadata"]["AWS::CloudFormation::Interface"]
        grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]

        assert sorted(grouped) == sorted(source["Parameters"])
        assert interface["ParameterLabels"].keys() == source["Parameters"].keys()
        assert all(parameter["Description"] for parameter in source["Parameters"].values())

    @pytest.mark.parametrize(
        ("value", "accepted"),
        [
            ("", True),
            ("https://calls.example.com", True),
            ("https://calls.example.com/prod,https://abc.execute-api.eu-west-1.amazonaws.com", True),
            ("http://calls.example.com", False),
            ("https://calls.example.com/", False),
            ("https://a.example.com, https://b.example.com", False),
        ],
    )
    def test_public_urls_are_checked_before_anything_is_deployed(self, source, value, accepted):
        """A public URL that no signature could match is refused."""
        pattern = source["Parameters"]["PublicUrls"]["AllowedPattern"]

        assert bool(re.fullmatch(pattern, value)) == accepted

    def test_each_is_in_the_readme(self, source):
        """A stranger finds every parameter in the README."""
        readme = ROOT / "README.md"
        missing = [name for name in source["Parameters"] if name not in readme.read_text()]

        assert missing == []


class TestChecks:
    def test_each_skipped_check_has_its_reason(self):
        """No checkov check is skipped without a comment above it."""
        lines = (ROOT / ".checkov.yaml").read_text().splitlines()
        skipped = yaml.safe_load("\n".join(lines))["skip-check"]
        above = {line.strip("- "): before for before, line in itertools.pairwise(lines)}

        assert all(above[check].strip().startswith("# ") for check in skipped)
