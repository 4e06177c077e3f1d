"""Events as a rule of the company's gets them, held to their schemas: for the tests of what is announced."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from call_recording.announcements import Announcement, announced
from call_recording.ledger import CallLedger

SCHEMAS = Path(__file__).parents[2] / "events" / "schemas"


def file_of(kind: str) -> str:
    """Name the file that says what is in an event."""
    return f"{kind.lower().replace(' ', '-')}.json"


@cache
def schema_of(kind: str) -> Any:
    """Read a kind's schema."""
    return json.loads((SCHEMAS / file_of(kind)).read_text())


@cache
def validator_of(kind: str) -> Any:
    """Return what checks an event."""
    return Draft202012Validator(schema_of(kind))


def delivered(announcement: Announcement) -> dict[str, Any]:
    """Return the event that EventBridge makes of an announcement."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": announcement.kind,
        "source": "offtape",
        "account": "123456789012",
        "time": f"{announcement.at[:19]}Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": json.loads(json.dumps(announcement.detail)),
    }


def misfits(event: dict[str, Any]) -> list[str]:
    """Say where an event is not what its schema says."""
    return [f"{error.json_path}: {error.message}" for error in validator_of(event["detail-type"]).iter_errors(event)]


def told(before: CallLedger | None, after: CallLedger) -> list[Announcement]:
    """Return what is announced, which fits its schemas."""
    announcements = announced(before, after)
    found = [misfit for each in announcements for misfit in misfits(delivered(each))]
    assert not found, found
    return announcements


def kinds(before: CallLedger | None, after: CallLedger) -> list[str]:
    """Return the kinds of what is announced."""
    return [each.kind for each in told(before, after)]
