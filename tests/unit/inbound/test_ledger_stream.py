"""What the table's stream tells: what happened is announced."""

import json
from dataclasses import replace
from typing import Any

import pytest

from call_recording.errors import UnavailableError
from call_recording.inbound.ledger_stream import LedgerStream
from call_recording.ledger import CallLedger
from call_recording.ledger_json import dumps
from tests.unit.fake_stores import FakeBus, FakeWorkflows, MemoryLedgers
from tests.unit.fakes import FakeClock, RecordingObserver
from tests.unit.ledger_words import enter, leave, new, paused

LEFT = leave(paused())


def change(before: CallLedger | None, after: CallLedger | None, **more: Any) -> dict[str, Any]:
    """Return a record's `dynamodb`, with the images of an item as the store writes it."""
    images = {"OldImage": before, "NewImage": after}
    written = {name: {"document": {"S": dumps(each)}} for name, each in images.items() if each is not None}
    return {"Keys": {"call": {"S": "acme/ca"}}, "SequenceNumber": "1", **written, **more}


def spoilt(**changes: Any) -> dict[str, Any]:
    """Return an image whose document has been changed; a field that becomes None is not there."""
    document = json.loads(dumps(LEFT)) | changes
    return {"document": {"S": json.dumps({name: value for name, value in document.items() if value is not None})}}


@pytest.fixture(name="bus")
def _bus() -> FakeBus:
    return FakeBus()


@pytest.fixture(name="observer")
def _observer() -> RecordingObserver:
    return RecordingObserver()


@pytest.fixture(name="stream")
def _stream(bus, observer) -> LedgerStream:
    return LedgerStream(
        bus=bus, workflows=FakeWorkflows(), ledgers=MemoryLedgers(), clock=FakeClock(), observer=observer
    )


def test_a_new_ledger(stream, bus, observer):
    """The first put of a ledger has no image before it: all that it notes is announced, in its order, and counted."""
    stream.deliver(change(None, paused()))

    assert (bus.heard, observer.announcements) == (["Pause Opened", "Recording Paused"], [2])


def test_a_ledger_that_has_changed(stream, bus, observer):
    """What a put has added is announced, and nothing of what was there."""
    stream.deliver(change(paused(), LEFT))

    assert (bus.heard, observer.announcements) == (["Pause Released"], [1])


def test_a_change_that_tells_nothing(stream, bus, observer):
    """A put that notes nothing for others is counted as none: whoever looks sees that the stream is read."""
    stream.deliver(change(paused(), replace(paused(), look_at=1.0)))

    assert (bus.heard, observer.announcements, observer.refusals) == ([], [0], [])


def test_an_item_that_has_expired(stream, bus, observer):
    """A ledger that is gone has nothing to tell."""
    stream.deliver(change(paused(), None))

    assert (bus.heard, observer.announcements, observer.refusals) == ([], [], [])


def test_what_comes_again_is_announced_again(stream, bus):
    """A change that is delivered twice is announced twice with the same places: whoever listens can tell."""
    stream.deliver(change(paused(), LEFT))
    stream.deliver(change(paused(), LEFT))

    assert bus.sequences == [3, 3]


def test_while_the_bus_is_down_nothing_counts(stream, bus, observer):
    """What could not be announced is raised, so that the change comes again, and is not counted."""
    bus.failure = UnavailableError("EventBridge: ThrottlingException")
    with pytest.raises(UnavailableError):
        stream.deliver(change(paused(), LEFT))
    assert (bus.heard, observer.announcements) == ([], [])

    bus.failure = None
    stream.deliver(change(paused(), LEFT))
    assert (bus.heard, observer.announcements) == (["Pause Released"], [1])


@pytest.mark.parametrize(
    "image",
    [
        {},
        {"document": {}},
        {"document": {"N": "1"}},
        {"document": {"S": ""}},
        {"document": {"S": "[]"}},
        {"document": {"S": "null"}},
        {"document": {"S": "{}"}},
        spoilt(schema=2),
        spoilt(events=None),
        spoilt(events=[{}]),
        spoilt(events=[{"at": "2026-09-21T14:13:20.000Z", "what": "answered"}]),
        spoilt(events=[{"at": "2026-09-21T14:13:20.000Z", "what": "answered", "action": "pause", "recordings": [[]]}]),
        spoilt(pauses={"card-entry": {"unknown": 1}}),
    ],
    ids=repr,
)
def test_one_that_nobody_can_read(stream, bus, observer, image):
    """An item that is no ledger of ours is told and left out: it holds up none of those behind it."""
    stream.deliver(change(None, None, NewImage=image))
    stream.deliver(change(new(), enter(new())))

    assert [each["reason"] for each in observer.refusals] == ["a ledger in the table's stream cannot be read"]
    assert bus.heard == ["Pause Opened"]


def test_what_was_before_must_be_read_too(stream, bus, observer):
    """Whoever cannot tell what is new invents nothing."""
    stream.deliver(change(None, LEFT, OldImage={"document": {"S": "{}"}}))

    assert (bus.heard, len(observer.refusals)) == ([], 1)
