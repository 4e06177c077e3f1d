"""The event bus in EventBridge."""

import json
from datetime import UTC, datetime
from itertools import chain

import pytest

from call_recording.announcements import Announcement
from call_recording.aws.bus import MAX_ENTRIES, SOURCE, EventBus
from call_recording.errors import UnavailableError
from tests.unit.announced_words import schema_of
from tests.unit.aws.fake_aws import NOT_CARRIED_OUT, REFUSED, UNCLEAR, FakeEvents

PAUSED = Announcement("Recording Paused", "2026-09-21T14:13:20.250Z", {"call_id": "CA1", "sequence": 2})


def story(length: int) -> list[Announcement]:
    """Return so many events of one call."""
    return [PAUSED._replace(detail={"call_id": "CA1", "sequence": number}) for number in range(length)]


def sequences(events: FakeEvents) -> list[list[int]]:
    """Give the places of the events that were put, request by request."""
    return [[json.loads(each["Detail"])["sequence"] for each in entries] for entries in events.requests]


@pytest.fixture(name="events")
def _events() -> FakeEvents:
    return FakeEvents()


@pytest.fixture(name="bus")
def _bus(events) -> EventBus:
    return EventBus(events, name="offtape")


def test_an_event_is_put_as_its_schema_says(bus, events):
    """An event goes to the bus that is named, from us, with its kind, its time and its detail as JSON."""
    bus.announce([PAUSED])

    [[entry]] = events.requests
    assert entry == {
        "EventBusName": "offtape",
        "Source": "offtape",
        "DetailType": "Recording Paused",
        "Time": datetime(2026, 9, 21, 14, 13, 20, 250_000, tzinfo=UTC),
        "Detail": '{"call_id": "CA1", "sequence": 2}',
    }
    assert schema_of("Recording Paused")["properties"]["source"]["const"] == SOURCE


@pytest.mark.parametrize(
    ("length", "requests"), [(0, []), (1, [1]), (10, [10]), (11, [10, 1]), (100, [10] * 10)], ids=str
)
def test_as_many_as_eventbridge_takes(bus, events, length, requests):
    """However many there are, they are put in their order, ten at a time, and nothing is put of nothing."""
    bus.announce(story(length))

    assert MAX_ENTRIES == 10
    assert [len(each) for each in sequences(events)] == requests
    assert list(chain(*sequences(events))) == list(range(length))


@pytest.mark.parametrize("failure", [*NOT_CARRIED_OUT, *UNCLEAR, *REFUSED], ids=repr)
def test_a_failure_is_said_without_content(bus, events, failure):
    """Whatever EventBridge fails with is told by AWS's code only, so that the change comes again."""
    events.failure = failure

    with pytest.raises(UnavailableError, match=r"^EventBridge: \w+$"):
        bus.announce([PAUSED])


def test_an_event_that_was_not_taken(bus, events):
    """EventBridge may take some of a request only: that is a failure, and what is behind it is not put."""
    events.not_taken = {11}

    with pytest.raises(UnavailableError, match=r"^EventBridge has not taken all events$"):
        bus.announce(story(25))
    assert [len(each) for each in sequences(events)] == [10, 10]


def test_what_was_not_taken_may_be_put_again(bus, events):
    """When the failure is over the same events are put anew, all of them."""
    events.not_taken = {1}
    with pytest.raises(UnavailableError):
        bus.announce(story(2))
    events.not_taken = set()
    bus.announce(story(2))

    assert sequences(events) == [[0, 1], [0, 1]]
