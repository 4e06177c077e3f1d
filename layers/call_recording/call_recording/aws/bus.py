"""The event bus of EventBridge, on which it is announced what happened to calls."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from ..announcements import Announcement
from ..errors import UnavailableError
from .failures import AWS_ERRORS, reason

#: Who says so, in each event.
SOURCE: Final = "offtape"
#: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
MAX_ENTRIES: Final = 10


class EventsClient(Protocol):
    """The one operation that is used of botocore's client."""

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 -- as AWS names it
        """Put events on a bus."""


class EventBus:
    """Announces."""

    def __init__(self, client: EventsClient, *, name: str) -> None:
        self._client = client
        self._name = name

    def announce(self, announcements: Sequence[Announcement]) -> None:
        """Put *announcements* on the bus, in their order.  Raises UnavailableError if any could not be."""
        for first in range(0, len(announcements), MAX_ENTRIES):
            entries = [self._entry(each) for each in announcements[first : first + MAX_ENTRIES]]
            try:
                answer = self._client.put_events(Entries=entries)
            except AWS_ERRORS as exc:
                raise UnavailableError(f"EventBridge: {reason(exc)}") from exc
            if answer["FailedEntryCount"]:
                raise UnavailableError("EventBridge has not taken all events")

    def _entry(self, announcement: Announcement) -> dict[str, Any]:
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": announcement.kind,
            "Time": datetime.fromisoformat(announcement.at),
            "Detail": json.dumps(announcement.detail),
        }
