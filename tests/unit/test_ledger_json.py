"""A ledger as JSON: what is written is read again, and holds nothing that it should not."""

import json
from dataclasses import fields, replace

import pytest

from call_recording import errors, ledger_json
from call_recording.doubts import Doubts
from call_recording.ledger import CallLedger
from call_recording.ledger_parts import MAX_EVENTS, MAX_PAUSES, MAX_RECORDINGS, MAX_SEEN
from call_recording.model import Call, Proof
from tests.unit.fakes import CARD
from tests.unit.ledger_words import (
    NOW,
    PAUSED,
    RUNNING,
    enter,
    leave,
    new,
    over,
    paused,
    record,
    report,
    shown,
    take,
)

LOST = errors.OutcomeUnknownError(CARD, vendor="fake", http_status=504)

#: Ledgers of which each field of a ledger is once another one than at first.
LEDGERS = {
    "new": new(),
    "entered": enter(new(), occurred_at=NOW - 1.25),
    "paused": paused(),
    "leased": take(leave(paused(), occurred_at=NOW + 0.1)),
    "failed": record(
        take(leave(paused())), report(PAUSED, shown(RUNNING, None, Proof.NONE), error=LOST, in_doubt=True)
    ),
    "given up": replace(leave(paused()).failed(now=NOW, reason="x"), given_up=True, folded=7),
    "doubts": replace(paused(), doubts=Doubts(1.5, 2.5, 3.5), version=3),
    "kept": paused().expired(now=NOW + 302, on_deadline="keep"),
    "stopped": paused().stopped_by_document(step="card-entry", event_id="E1", now=NOW, by="flow"),
    "over": over(paused()),
    "presumed": replace(over(paused()), presumed=True),
    "missing": replace(paused(), missing_since=NOW + 0.5),
    "changed": paused().recording_changed(event_id="E1", now=NOW, by="vendor", what="recording-started"),
    "vendor": new().of("bird", None),
    "parent": record(take(enter(new())), report(parent="CA-parent")),
    "channel": CallLedger(account="acme", call=Call(call_id="CA/1 é", channel_id="channel-1"), version=9),
}


@pytest.mark.parametrize("ledger", LEDGERS.values(), ids=LEDGERS)
def test_what_is_written_is_read(ledger):
    """A ledger comes back as it was, field by field, with the version that the store has."""
    again = ledger_json.loads(ledger_json.dumps(ledger), ledger.version)

    assert again == ledger
    assert again.due_at == ledger.due_at


def test_every_field_is_tried():
    """The ledgers above leave no field as a new ledger has it: one that is forgotten in the JSON is found."""
    same = {
        each.name for each in fields(CallLedger) if len({repr(getattr(x, each.name)) for x in LEDGERS.values()}) == 1
    }

    assert same == {"account"}


def test_words_stay_words():
    """What comes back are the words themselves, not texts that look like them."""
    [recording] = ledger_json.loads(ledger_json.dumps(LEDGERS["paused"]), 1).known.recordings

    assert (recording.status, recording.proof) == (PAUSED, Proof.OBSERVED)
    assert isinstance(recording.proof, Proof)


def test_an_event_is_flat():
    """An event is kept as one object, its time and name beside its details."""
    [event] = json.loads(ledger_json.dumps(enter(new(), pause_id="P1")))["events"]

    assert event == {
        "at": "2026-09-21T14:13:20.000Z",
        "what": "entered",
        "by": "flow",
        "step": "card-entry",
        "pause_id": "P1",
        "deadline": "2026-09-21T14:18:20.000Z",
    }


def test_scenario_35_nothing_of_a_payload():
    """Neither what a vendor said in words nor where the call is sent on is kept."""
    call = Call(call_id="CA", redirect_url=f"https://ivr.example.com/?card={CARD}")
    ledger = record(take(enter(replace(new(), call=call))), report(error=LOST))

    assert CARD not in ledger_json.dumps(ledger)
    assert ledger_json.loads(ledger_json.dumps(ledger), 1).call == Call(call_id="CA")


def test_the_largest_ledger_fits_into_an_item():
    """A ledger with as much of everything as it can hold stays far below the 400 KB of a DynamoDB item."""
    ledger = new()
    recordings = [shown(PAUSED, "RE" + "0" * 30 + f"{number:02}") for number in range(MAX_RECORDINGS)]
    for number in range(MAX_PAUSES):
        ledger = enter(ledger, step="s" * 60 + str(number), pause_id="p" * 24, event_id="e" * 64)
    for number in range(MAX_SEEN):
        ledger = leave(ledger, step="t" * 60 + str(number), event_id="e" * 60 + str(number), occurred_at=NOW + number)
    for _ in range(MAX_EVENTS):
        ledger = record(take(ledger), report(*recordings))

    assert 100_000 < len(ledger_json.dumps(ledger)) < 250_000


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"schema": 2}, ValueError),
        ({"schema": None}, ValueError),
        (
            {"known": {"recordings": [{"status": "asleep", "proof": "none"}], "complete": True, "proven": True}},
            ValueError,
        ),
        ({"known": {"recordings": []}}, KeyError),
        ({"pauses": {"card-entry": {"unknown": 1}}}, TypeError),
        ({"lease": 5}, TypeError),
    ],
)
def test_what_is_no_ledger(changed, kind):
    """What another version wrote, or what is broken, is refused by name, so that nobody acts on half of it."""
    document = json.loads(ledger_json.dumps(paused())) | changed

    with pytest.raises(kind):
        ledger_json.loads(json.dumps(document), 1)


@pytest.mark.parametrize("name", [each.name for each in fields(CallLedger) if each.name not in {"call", "version"}])
def test_a_missing_field(name):
    """A field that is missing is missed."""
    document = json.loads(ledger_json.dumps(paused()))
    del document[name]

    with pytest.raises(LookupError):
        ledger_json.loads(json.dumps(document), 1)
