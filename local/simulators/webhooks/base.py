"""
What the vendors' requests to their customers have in common.

A vendor's file says how such a request looks, how it is signed, what the platform pushes by itself and how often it
tries. `pushes.py` sends.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from local.simulators.outgoing import Basic, Outgoing
from local.simulators.world import Call, Clock, Happening

#: Fictional, of the range from which Twilio takes its test numbers: https://www.twilio.com/docs/iam/test-credentials
CALLER: Final = "+15005550100"
CALLED: Final = "+15005550199"


def unless_success(status: int) -> bool:
    """Whether to try again: after everything but a 2xx."""
    return not 200 <= status < 300


def unless_answered(status: int) -> bool:
    """Whether to try again: only if there was no answer at all."""
    return status == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How a vendor delivers what it pushes."""

    #: How long it waits for the customer's answer.
    timeout_seconds: float
    #: How often it asks at most.
    attempts: int
    tries_again: Callable[[int], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """What the platform tells because something happened."""

    #: In the vendor's words: for the control API.
    event: str
    fields: Mapping[str, Any]
    #: Sent by `json_callback` rather than by `callback`.
    as_json: bool = False


class Webhooks(ABC):
    """The requests that one vendor makes to its customers' URLs."""

    delivery: ClassVar[Delivery]

    def __init__(self, credentials: Mapping[str, str], *, clock: Clock) -> None:
        self._credentials: Final = credentials
        self._clock: Final = clock

    @abstractmethod
    def callback(self, url: str, fields: Mapping[str, Any], *, basic: Basic | None = None) -> Outgoing:
        """A request with these fields, in the vendor's own content type, with its proof of itself."""

    def json_callback(self, url: str, value: Any, *, basic: Basic | None = None) -> Outgoing:
        """A request with this JSON document: for the two vendors whose `callback` is a form."""
        return self.callback(url, value, basic=basic)

    @abstractmethod
    def common_fields(self, call: Call) -> dict[str, Any]:
        """What it says of a call in every request that is about one."""

    @abstractmethod
    def pushes(self, happening: Happening) -> Iterable[Push]:
        """What it tells by itself when this happens: often nothing."""
