"""template.yaml: what is deployed, who may do what, and what is written down."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import build_layer
from call_recording.aws import observability
from call_recording.aws.ledgers import DUE_INDEX, DynamoLedgers
from call_recording.aws.messages import LONGEST_SECONDS
from call_recording.ledger import CallLedger
from call_recording.ledger_parts import GIVE_UP, INVOCATION
from call_recording.model import Call, Notice
from local import template
from tests.unit.aws.fake_aws import FakeDynamo
from tests.unit.fakes import FakeClock

ROOT = Path(__file__).parents[2]

#: What a log line must not have: the path names the account, a query or a body can carry anything.
FORBIDDEN_IN_ACCESS_LOG = ("path", "query", "body", "header", "identity", "authorizer", "protocol")

#: The functions that command vendors; what is told of that is told by others (test_template_events.py).
COMMANDING = ("FlowCallback", "VendorWebhook", "WorkflowTask", "PauseDeadline")
#: What the role of each of them grants.
EVERYBODY_S = {"ReadAccounts", "DecryptAccounts", "KeepLedgers", "SendReminders", "WriteLogs", "WriteTraces"}


@pytest.fixture(name="source", scope="module")
def _source() -> dict[str, Any]:
    return template.read(ROOT / "template.yaml")


@pytest.fixture(name="resources", scope="module")
def _resources(source) -> dict[str, Any]:
    return template.to_cloudformation(source, "eu-west-1")["Resources"]


@pytest.fixture(name="ledger_item", scope="module")
def _ledger_item() -> dict[str, dict[str, str]]:
    """Return an item as the code writes it."""
    dynamo = FakeDynamo()
    ledgers = DynamoLedgers(dynamo, table="ledgers", retention_days=1, clock=FakeClock())
    ledgers.save(CallLedger(account="acme", call=Call(call_id="CA1"), look_at=1.0))
    return dynamo.items["acme/ca1"]


@pytest.fixture(name="counted")
def _counted(monkeypatch, capsys):
    """Return a function that counts a notice as a function of a name does, and says where CloudWatch finds it."""

    def count(notice: Notice, service: str) -> dict[str, Any]:
        monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Offtape")
        monkeypatch.setattr(observability.metrics.provider, "namespace", "Offtape")
        monkeypatch.setattr(observability.metrics.provider, "service", service)
        observability.LogsAndMetrics().noticed(notice, account="acme")
        written = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
        [(directive, values)] = [(each["_aws"]["CloudWatchMetrics"][0], each) for each in written]
        [metric], [dimensions] = directive["Metrics"], directive["Dimensions"]
        return {
            "Namespace": directive["Namespace"],
            "MetricName": metric["Name"],
            "Dimensions": [{"Name": name, "Value": values[name]} for name in dimensions],
        }

    return count


def of_type(resources: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Give the properties of every resource of a type."""
    return {name: each.get("Properties", {}) for name, each in resources.items() if each["Type"] == kind}


def statements(role: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """List what a role is granted, by its name, what is granted under a condition too."""
    listed = [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]
    chosen = [each["Fn::If"][1] if "Fn::If" in each else each for each in listed]
    return {each["Sid"]: each for each in chosen}


def services_of_the_api(resources: dict[str, Any]) -> list[str]:
    """Name the functions that the API calls, as their logs and metrics do."""
    (api,) = of_type(resources, "AWS::ApiGatewayV2::Api").values()
    integrated = json.dumps(api["Body"]["paths"])
    functions = of_type(resources, "AWS::Lambda::Function")
    return [
        function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
        for name, function in functions.items()
        if f"{name}Aliaslive" in integrated
    ]


def commanding(resources: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Give the roles of the functions that command vendors."""
    return {name: resources[f"{name}Role"]["Properties"] for name in COMMANDING}


def arn(name: str) -> dict[str, list[str]]:
    """Refer to a resource's ARN."""
    return {"Fn::GetAtt": [name, "Arn"]}


class TestPermissions:
    def test_each_function_has_a_role_of_its_own(self, resources):
        """No two functions share a role."""
        roles = [json.dumps(function["Role"]) for function in of_type(resources, "AWS::Lambda::Function").values()]

        assert len(roles) == len(set(roles)) > 0

    def test_a_role_grants_what_its_function_does(self, resources):
        """Who commands vendors has the same statements; who finds what is due, or tells workflows, has those for it too."""
        more = {"PauseDeadline": {"FindDueLedgers", "TakeReminders"}, "WorkflowTask": {"CompleteTasks"}}
        for name, role in commanding(resources).items():
            assert set(statements(role)) == EVERYBODY_S | more.get(name, set())

    def test_a_role_allows_and_is_all_there_is(self, resources):
        """No role has a policy of AWS's beside its own, and none denies anything."""
        for role in of_type(resources, "AWS::IAM::Role").values():
            assert "ManagedPolicyArns" not in role
            assert {each["Effect"] for each in statements(role).values()} == {"Allow"}

    def test_a_role_reads_accounts_only(self, resources):
        """Who commands vendors may read the secrets of accounts, use their key if one is named, and no other secret or key."""
        for role in commanding(resources).values():
            granted = statements(role)

            assert granted["ReadAccounts"]["Action"] == "secretsmanager:GetSecretValue"
            assert granted["ReadAccounts"]["Resource"]["Fn::Sub"].endswith(":secret:call-recording/*")
            assert granted["DecryptAccounts"]["Action"] == "kms:Decrypt"
            assert granted["DecryptAccounts"]["Resource"] == {"Ref": "SecretsKmsKeyArn"}
            assert "kms:ViaService" in granted["DecryptAccounts"]["Condition"]["StringEquals"]
            assert granted["WriteTraces"]["Action"] == ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]

    def test_a_role_keeps_ledgers_and_deletes_none(self, resources):
        """A function may read and write one ledger at a time: it can neither list, delete nor copy them."""
        for role in [*commanding(resources).values(), resources["LedgerEventsRole"]["Properties"]]:
            granted = statements(role)["KeepLedgers"]

            assert granted["Action"] == ["dynamodb:GetItem", "dynamodb:PutItem"]
            assert granted["Resource"] == arn("LedgerTable")

    def test_a_role_sends_reminders(self, resources):
        """Who commands vendors may send reminders, and give a call up: each may have to."""
        for role in commanding(resources).values():
            granted = statements(role)["SendReminders"]

            assert granted["Action"] == "sqs:SendMessage"
            assert granted["Resource"] == [arn("TimerQueue"), arn("DeadLetterQueue")]

    def test_pause_deadline_finds_and_takes_what_is_due(self, resources):
        """The index is read, and reminders are taken, by one function."""
        granted = statements(resources["PauseDeadlineRole"]["Properties"])

        assert granted["FindDueLedgers"]["Action"] == "dynamodb:Query"
        assert granted["FindDueLedgers"]["Resource"] == {"Fn::Sub": "${LedgerTable.Arn}/index/due"}
        assert granted["TakeReminders"]["Action"] == [
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ChangeMessageVisibility",
        ]
        assert granted["TakeReminders"]["Resource"] == arn("TimerQueue")

    def test_a_function_writes_its_own_log_only(self, resources):
        """A function's role may write to that function's log group, and may make none."""
        for function in of_type(resources, "AWS::Lambda::Function").values():
            role = resources[function["Role"]["Fn::GetAtt"][0]]["Properties"]
            granted = statements(role)["WriteLogs"]

            assert granted["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
            assert granted["Resource"] == {"Fn::GetAtt": [function["LoggingConfig"]["LogGroup"]["Ref"], "Arn"]}

    def test_a_webhook_may_do_what_a_flow_may(self, resources):
        """What a vendor tells has the effects of what a flow tells: the role is the same but for its log."""
        flow, webhook = (
            json.dumps(resources[f"{name}Role"]["Properties"]) for name in ("FlowCallback", "VendorWebhook")
        )

        assert webhook.replace("VendorWebhook", "FlowCallback").replace("vendor_webhook", "flow_callback") == flow


class TestApi:
    def test_the_routes_are_those_of_the_interface(self, resources):
        """A flow enters, leaves and stops a step, and webhooks tell of a call; nothing else is reachable."""
        (api,) = of_type(resources, "AWS::ApiGatewayV2::Api").values()
        routes = {f"{method.upper()} {path}" for path, item in api["Body"]["paths"].items() for method in item}

        assert routes == {
            "POST /flows/{account}/{step}/entered",
            "POST /flows/{account}/{step}/left",
            "POST /flows/{account}/{step}/stop",
            "POST /webhooks/{account}",
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


def test_the_ledger_knows_how_long_an_invocation_lives(source, resources):
    """No function that may pause without the ledger lives longer than the doubt about such a pause assumes."""
    default = source["Globals"]["Function"]["Timeout"]
    pausing = ("FlowCallbackFunction", "WorkflowTaskFunction")

    assert {resources[name]["Properties"].get("Timeout", default) for name in pausing} == {INVOCATION}


class TestLedgers:
    def test_the_table_and_its_record_are_hard_to_lose(self, resources):
        """No ledger goes with the stack, with a careless click, with a wrong write or with a key."""
        table = resources["LedgerTable"]

        assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
        assert table["Properties"]["DeletionProtectionEnabled"] is True
        assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["Properties"]["SSESpecification"] == {"SSEEnabled": True}
        assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"

    def test_keys_and_index_are_those_of_the_code(self, resources, ledger_item):
        """An item as it is written has the table's key, the index's key and the attribute that ends it."""
        table = resources["LedgerTable"]["Properties"]
        [index] = table["GlobalSecondaryIndexes"]
        kinds = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
        keys = (
            [each["AttributeName"] for each in table["KeySchema"]],
            [each["AttributeName"] for each in index["KeySchema"]],
        )

        assert keys == (["call"], ["due_shard", "due_at"])
        assert index["IndexName"] == DUE_INDEX
        assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
        assert {name: [kind] for name, kind in kinds.items()} == {name: list(ledger_item[name]) for name in kinds}
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
        assert list(ledger_item["expires_at"]) == ["N"]

    def test_functions_are_told_where_ledgers_and_queues_are(self, resources):
        """Every function finds table, queues and public URLs by the variables that the layer reads."""
        for function in of_type(resources, "AWS::Lambda::Function").values():
            variables = function["Environment"]["Variables"]

            assert variables["LEDGER_TABLE"] == {"Ref": "LedgerTable"}
            assert variables["LEDGER_RETENTION_DAYS"] == {"Ref": "LedgerRetentionDays"}
            assert variables["TIMER_QUEUE_URL"] == {"Ref": "TimerQueue"}
            assert variables["DEAD_LETTER_QUEUE_URL"] == {"Ref": "DeadLetterQueue"}
            assert variables["PUBLIC_URLS"] == {"Ref": "PublicUrls"}


class TestTimers:
    def test_a_message_stays_away_as_long_as_aws_asks(self, resources):
        """While a function works on a message nobody else gets it: six times the function's time."""
        timeout = resources["PauseDeadlineFunction"]["Properties"]["Timeout"]

        assert resources["TimerQueue"]["Properties"]["VisibilityTimeout"] >= 6 * timeout
        assert resources["TimerQueue"]["Properties"]["VisibilityTimeout"] == LONGEST_SECONDS

    def test_a_reminder_outlives_an_outage(self, resources):
        """A message that cannot be acted on comes again for longer than a call is tried (four hours), then is kept."""
        queue = resources["TimerQueue"]["Properties"]
        redrive = queue["RedrivePolicy"]
        tries = sum(min(2**count, LONGEST_SECONDS) for count in range(1, redrive["maxReceiveCount"] + 1))

        assert redrive["deadLetterTargetArn"] == arn("DeadLetterQueue")
        assert 2 * GIVE_UP <= tries < queue["MessageRetentionPeriod"] == 14 * 86_400
        assert resources["DeadLetterQueue"]["Properties"]["MessageRetentionPeriod"] == 14 * 86_400

    def test_queues_are_encrypted(self, resources):
        """What waits in a queue is encrypted."""
        queues = of_type(resources, "AWS::SQS::Queue").values()

        assert [queue["SqsManagedSseEnabled"] for queue in queues] == [True, True]

    def test_messages_are_given_back_one_by_one(self, resources):
        """Of a batch only what failed comes again, and the batch reaches the alias."""
        sources = of_type(resources, "AWS::Lambda::EventSourceMapping").values()
        [source] = [each for each in sources if each["EventSourceArn"] == arn("TimerQueue")]

        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert source["BatchSize"] == 1
        assert source["FunctionName"] == {"Ref": "PauseDeadlineFunctionAliaslive"}

    def test_the_sweep_comes_each_minute(self, resources):
        """A lost reminder is made up for within two minutes; a sweep that failed is not repeated, the next one comes."""
        [rule] = of_type(resources, "AWS::Events::Rule").values()
        [target] = rule["Targets"]
        [config] = of_type(resources, "AWS::Lambda::EventInvokeConfig").values()

        assert rule["ScheduleExpression"] == "rate(1 minute)"
        assert rule.get("State", "ENABLED") == "ENABLED"
        assert target["Arn"] == {"Ref": "PauseDeadlineFunctionAliaslive"}
        assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (0, 60)


class TestAlarms:
    def test_somebody_is_called(self, resources):
        """Dead letters, a sweep that does not run, forgeries and card data are alarms, told to the topic if there is one."""
        alarms = of_type(resources, "AWS::CloudWatch::Alarm")
        told = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}

        assert alarms.keys() == {
            "CardDataAlarm",
            "DeadLetterAlarm",
            "FoundRunningAlarm",
            "ProofAlarm",
            "StreamAlarm",
            "SweepAlarm",
        }
        assert all(alarm["AlarmActions"] == alarm["OKActions"] == told for alarm in alarms.values())

    def test_one_dead_letter_is_enough(self, resources):
        """The alarm is on as long as a single message is in the dead-letter queue."""
        alarm = resources["DeadLetterAlarm"]["Properties"]

        assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["DeadLetterQueue", "QueueName"]}}]
        assert (alarm["MetricName"], alarm["Statistic"]) == ("ApproximateNumberOfMessagesVisible", "Maximum")
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)

    def test_silence_is_an_alarm(self, resources):
        """A function that does not run says nothing: missing data is what the alarm is about."""
        alarm = resources["SweepAlarm"]["Properties"]

        assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "PauseDeadlineFunction"}}]
        assert (alarm["MetricName"], alarm["TreatMissingData"]) == ("Invocations", "breaching")

    @pytest.mark.parametrize(
        ("name", "notice"),
        [("ProofAlarm", Notice.PROOF_REFUSED), ("CardDataAlarm", Notice.CARD_DATA_REFUSED)],
        ids=["proof", "card data"],
    )
    def test_scenarios_20_21_35_the_door_s_alarms_look_at_what_the_functions_write(
        self, resources, counted, name, notice
    ):
        """A refused proof and refused card data, at either function that is open to the world, are an alarm at once."""
        alarm = resources[name]["Properties"]
        total, *parts = alarm["Metrics"]
        looked_at = [each["MetricStat"]["Metric"] for each in parts]

        assert looked_at == [counted(notice, service) for service in services_of_the_api(resources)]
        assert total["Expression"] == " + ".join(f"FILL({each['Id']}, 0)" for each in parts)
        assert total.get("ReturnData", True) is True
        assert {(each["ReturnData"], each["MetricStat"]["Stat"]) for each in parts} == {(False, "Sum")}
        assert {each["MetricStat"]["Period"] for each in parts} == {300}
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
        assert (alarm["EvaluationPeriods"], alarm["TreatMissingData"]) == (1, "notBreaching")

    def test_scenario_31_a_tape_that_was_found_running_is_an_alarm(self, resources, counted):
        """Whichever function finds it, somebody is called: card data may be on that tape."""
        alarm = resources["FoundRunningAlarm"]["Properties"]
        total, *parts = alarm["Metrics"]
        services = ["flow_callback", "vendor_webhook", "workflow_task", "pause_deadline"]

        assert [each["MetricStat"]["Metric"] for each in parts] == [
            counted(Notice.FOUND_RUNNING, service) for service in services
        ]
        assert total["Expression"] == " + ".join(f"FILL({each['Id']}, 0)" for each in parts)
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)


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
