"""What Twilio's API and the one made after it (SignalWire's LaML) have in common: forms, dates, pages, errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from local.simulators.exchange import Answer, Refusal
from local.simulators.faults import Action
from local.simulators.world import Recording

API_VERSION: Final = "2010-04-01"

#: https://www.twilio.com/docs/voice/api/recording#update-a-recording-resource ; SignalWire has the same three.
ACTIONS: Final = {"paused": Action.PAUSE, "in-progress": Action.RESUME, "stopped": Action.STOP}
PAUSE_BEHAVIORS: Final = frozenset({"skip", "silence"})

#: https://www.twilio.com/docs/usage/twilios-response#pagination ; both documentations give these two numbers.
PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 1000

Item = TypeVar("Item")


def rfc2822(at: datetime | None) -> str | None:
    """A time as both APIs write it: Fri, 14 Oct 2016 21:56:34 +0000."""
    return None if at is None else format_datetime(at)


def error(status: int, code: int, message: str, more_info: str) -> Answer:
    """The error body that both APIs have."""
    return Answer.of_json(status, {"code": code, "message": message, "more_info": more_info, "status": status})


def change_of(action: Action, recording: Recording, clock: Callable[[], datetime]) -> Callable[[], None]:
    """What a requested status does to a recording."""
    change = {Action.PAUSE: recording.pause, Action.RESUME: recording.resume, Action.STOP: recording.stop}[action]
    return lambda: change(clock())


def page_of(
    items: Sequence[Item], *, path: str, query: Mapping[str, str], refusal: Callable[[str], Refusal]
) -> tuple[list[Item], dict[str, Any]]:
    """The items of the page that is asked for, and the fields that say where it is in the list."""
    try:
        number = int(query.get("Page", "0"))
        size = min(int(query.get("PageSize", str(PAGE_SIZE))), MAX_PAGE_SIZE)
    except ValueError as exc:
        raise refusal("Page and PageSize must be integers") from exc
    if number < 0 or size < 1:
        raise refusal("Page and PageSize must not be negative")
    kept = {name: value for name, value in query.items() if name not in {"Page", "PageSize", "PageToken"}}

    def uri(page: int) -> str:
        token = {"PageToken": f"PA{page}"} if page else {}
        return f"{path}?{urlencode({**kept, 'PageSize': size, 'Page': page, **token})}"

    start = number * size
    shown = list(items[start : start + size])
    return shown, {
        "uri": uri(number),
        "first_page_uri": uri(0),
        "next_page_uri": uri(number + 1) if start + size < len(items) else None,
        "previous_page_uri": uri(number - 1) if number else None,
        "page": number,
        "page_size": size,
        "start": start,
        "end": start + max(len(shown) - 1, 0),
    }
