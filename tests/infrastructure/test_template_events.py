"""template.yaml: how it is announced what happened to calls."""

import json
from pathlib import Path
from typing import Any

import pytest

from call_recording.announcements import KINDS
from local import template
from tests.infrastructure.test_template import arn, of_type, statements
from tests.unit.announced_words import file_of, schema_of

ROOT = Path(__file__).parents[2]
DAY = 86_400


@pytest.fixture(name="source", scope="module")
def _source() -> dict[str, Any]:
    return template.read(ROOT / "template.yaml")


@pytest.fixture(name="resources", scope="module")
def _resources(source) -> dict[str, Any]:
    return template.to_cloudformation(source, "eu-west-1")["Resources"]


@pytest.fixture(name="mapping", scope="module")
def _mapping(resources) -> dict[str, Any]:
    """Return what reads the table's stream."""
    [found] = [
        each
        for each in of_type(resources, "AWS::Lambda::EventSourceMapping").values()
        if each["EventSourceArn"] == {"Fn::GetAtt": ["LedgerTable", "StreamArn"]}
    ]
    return found


class TestStream:
    def test_it_has_what_was_before_and_what_is_now(self, resources):
        """What is new is told by two images: with one of them alone it would be told twice, or not at all."""
        stream = resources["LedgerTable"]["Properties"]["StreamSpecification"]

        assert stream == {"StreamViewType": "NEW_AND_OLD_IMAGES"}

    def test_nothing_is_lost_while_the_stream_keeps_it(self, resources, mapping):
        """A batch that fails is tried again, in its order, for a day, which is how long the stream keeps it."""
        assert mapping["StartingPosition"] == "TRIM_HORIZON"
        assert (mapping["MaximumRetryAttempts"], mapping["MaximumRecordAgeInSeconds"]) == (-1, DAY)
        assert mapping["BisectBatchOnFunctionError"] is True
        assert mapping["FunctionName"] == {"Ref": "LedgerEventsFunctionAliaslive"}

    def test_changes_of_one_call_stay_in_order(self, mapping):
        """The function gives back what failed with all behind it, and no shard is read by several at once."""
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping.get("ParallelizationFactor", 1) == 1
        assert not mapping.get("MaximumBatchingWindowInSeconds")

    def test_what_is_lost_all_the_same_is_an_alarm(self, resources, mapping):
        """Where the day is over the dead-letter queue says which changes were not announced."""
        assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == arn("DeadLetterQueue")
        assert resources["DeadLetterAlarm"]["Properties"]["Threshold"] == 0

    def test_expired_ledgers_are_not_read(self, mapping):
        """The function is invoked for what was put, and not for what the table lets go."""
        [pattern] = mapping["FilterCriteria"]["Filters"]

        assert json.loads(pattern["Pattern"]) == {"eventName": ["INSERT", "MODIFY"]}


class TestRole:
    def test_it_reads_the_stream_and_announces(self, resources):
        """The role of ledger_events reads the stream, puts on the bus and tells workflows: no secret, no key, no queue but one."""
        granted = statements(resources["LedgerEventsRole"]["Properties"])

        assert granted.keys() == {
            "ReadChanges",
            "ListStreams",
            "Announce",
            "KeepLedgers",
            "GiveUp",
            "CompleteTasks",
            "WriteLogs",
            "WriteTraces",
        }
        assert granted["ReadChanges"]["Resource"] == {"Fn::GetAtt": ["LedgerTable", "StreamArn"]}
        assert granted["ReadChanges"]["Action"] == [
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
        ]
        assert (granted["Announce"]["Action"], granted["Announce"]["Resource"]) == ("events:PutEvents", arn("EventBus"))
        assert (granted["GiveUp"]["Action"], granted["GiveUp"]["Resource"]) == (
            "sqs:SendMessage",
            arn("DeadLetterQueue"),
        )

    def test_what_cannot_be_named_is_all_that_is_not(self, resources):
        """Only where IAM knows no resource to name is none named."""
        granted = statements(resources["LedgerEventsRole"]["Properties"])
        unnamed = {name for name, each in granted.items() if each["Resource"] == "*"}

        assert unnamed == {"ListStreams", "CompleteTasks", "WriteTraces"}

    def test_nobody_else_announces(self, resources):
        """No other role may put events or read the stream: what is not in a ledger is not told."""
        for name, role in of_type(resources, "AWS::IAM::Role").items():
            if name != "LedgerEventsRole":
                text = json.dumps(role)
                assert not [word for word in ("events:PutEvents", "GetRecords") if word in text]


class TestBus:
    def test_only_who_announces_is_told_its_name(self, resources):
        """The bus has the stack's name, and the function that announces finds it by the variable that the layer reads."""
        told = {
            name: function["Environment"]["Variables"]["EVENT_BUS_NAME"]
            for name, function in of_type(resources, "AWS::Lambda::Function").items()
            if "EVENT_BUS_NAME" in function["Environment"]["Variables"]
        }

        assert told == {"LedgerEventsFunction": {"Ref": "EventBus"}}
        assert resources["EventBus"]["Properties"]["Name"] == {"Ref": "AWS::StackName"}

    def test_outputs_name_it(self, source):
        """Whoever writes a rule finds the bus, and whoever looks for the log finds the function."""
        outputs = source["Outputs"]

        assert outputs["EventBusName"]["Value"] == {"Ref": "EventBus"}
        assert outputs["LedgerEventsFunctionName"]["Value"] == {"Ref": "LedgerEventsFunction"}


class TestPages:
    """docs/events.md and events/schemas/README.md, which a rule is written by."""

    @pytest.mark.parametrize("kind", sorted(KINDS))
    def test_each_kind_is_described(self, kind):
        """The page has a row for every kind, which leads to its schema."""
        page = (ROOT / "docs" / "events.md").read_text()

        assert f"| [`{kind}`](../events/schemas/{file_of(kind)}) |" in page

    def test_each_field_is_described(self):
        """The page names every field that an event can have."""
        page = (ROOT / "docs" / "events.md").read_text()
        fields = {name for kind in KINDS for name in schema_of(kind)["properties"]["detail"]["properties"]}

        assert [name for name in sorted(fields) if f"`{name}`" not in page] == []
