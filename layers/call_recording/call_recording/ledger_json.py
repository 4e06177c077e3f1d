"""The ledger of a call as JSON, as the store keeps it.  It holds ids, times and words, and nothing else of a payload."""

import json
from dataclasses import asdict
from typing import Any

from .doubts import Doubts
from .ledger import CallLedger
from .ledger_parts import Event, Known, Lease, Pause
from .model import Call, Proof, Recording, RecordingStatus

#: Changed when older code could no longer read what is written.  A field that is added needs a default in loads(): calls
#: are paused while a new version is deployed.
SCHEMA = 1


def dumps(ledger: CallLedger) -> str:
    """Return *ledger* as JSON, without its version: the store keeps that beside it."""
    known = ledger.known
    return json.dumps(
        {
            "schema": SCHEMA,
            "account": ledger.account,
            "vendor": ledger.vendor,
            "call_id": ledger.call.call_id,
            "channel_id": ledger.call.channel_id,
            "pauses": {step: pause._asdict() for step, pause in ledger.pauses.items()},
            "stopped": ledger.stopped,
            "by_document": ledger.by_document,
            "over": ledger.over,
            "presumed": ledger.presumed,
            "parent": ledger.parent,
            "known": {
                "recordings": [asdict(each) for each in known.recordings],
                "complete": known.complete,
                "proven": known.proven,
            },
            "changes": ledger.changes,
            "lease": ledger.lease and ledger.lease._asdict(),
            "doubts": ledger.doubts._asdict(),
            "left_at": dict(ledger.left_at),
            "seen": ledger.seen,
            "failures": ledger.failures,
            "failing_since": ledger.failing_since,
            "missing_since": ledger.missing_since,
            "given_up": ledger.given_up,
            "look_at": ledger.look_at,
            "events": [{"at": event.at, "what": event.what, **event.details} for event in ledger.events],
            "folded": ledger.folded,
        },
        separators=(",", ":"),
    )


def loads(text: str, version: int) -> CallLedger:
    """Return the ledger that *text* describes.  Raises ValueError, LookupError or TypeError if it describes none."""
    document = json.loads(text)
    if document["schema"] != SCHEMA:
        raise ValueError("the ledger was written by another version of Offtape")
    return CallLedger(
        account=document["account"],
        vendor=document["vendor"],
        call=Call(call_id=document["call_id"], channel_id=document["channel_id"]),
        version=version,
        pauses={step: Pause(**pause) for step, pause in document["pauses"].items()},
        stopped=document["stopped"],
        by_document=document["by_document"],
        over=document["over"],
        presumed=document["presumed"],
        parent=document["parent"],
        known=_known(document["known"]),
        changes=document["changes"],
        lease=None if document["lease"] is None else Lease(**document["lease"]),
        doubts=Doubts(**document["doubts"]),
        left_at=document["left_at"],
        seen=tuple(document["seen"]),
        failures=document["failures"],
        failing_since=document["failing_since"],
        missing_since=document["missing_since"],
        given_up=document["given_up"],
        look_at=document["look_at"],
        events=tuple(Event(each.pop("at"), each.pop("what"), each) for each in document["events"]),
        folded=document["folded"],
    )


def _known(document: dict[str, Any]) -> Known:
    recordings = (
        each | {"status": RecordingStatus(each["status"]), "proof": Proof(each["proof"])}
        for each in document["recordings"]
    )
    return Known(tuple(Recording(**each) for each in recordings), document["complete"], document["proven"])
