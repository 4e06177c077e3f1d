"""
What can be made to go wrong at a vendor: which requests a fault is for, and what it does to them.

Pure: `origin.py` carries the effects out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final


class Action(StrEnum):
    """What a request asks of a vendor, as far as a fault can tell requests apart."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    #: Listing the recordings of a call.
    LIST = "list"
    #: Reading one recording, or the call.
    READ = "read"
    #: Bandwidth's OAuth2 token endpoint.
    TOKEN = "token"
    #: Only of a fault: every request, those that are none of the above included.
    ANY = "any"


class Drop(StrEnum):
    """When the connection ends without an answer."""

    BEFORE = "before"
    AFTER = "after"


#: Marks an effect without `body`: null is a JSON value that may well be asked for.
ABSENT: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a fault does to a request. The empty effect does nothing."""

    #: Of the answer, instead of the true one.
    status: int | None = None
    #: Of the answer: a string is sent as it is, everything else as JSON.
    body: Any = ABSENT
    #: Of the answer, on top of the true ones.
    headers: Mapping[str, str] = field(default_factory=dict)
    #: How much later the vendor acts and answers.
    delay_ms: int = 0
    #: How much later the vendor acts; it answers at once.
    apply_after_ms: int | None = None
    drop: Drop | None = None
    #: Between one byte of the answer and the next.
    drip_ms: int | None = None
    #: Whether the vendor acts at all.
    apply: bool = True


#: What is done to a request that no fault is for.
NO_EFFECT: Final = Effect()


@dataclass(slots=True, kw_only=True)
class Fault:
    """An effect, the requests it is for, and how often it is (and was) used."""

    vendor: str
    action: Action
    effect: Effect
    #: What `effect` was made from, so that it can be shown as it was written.
    written: Mapping[str, Any]
    call_id: str | None = None
    times: int = 1
    used: int = 0

    def matches(self, *, vendor: str, call_id: str | None, action: Action | None) -> bool:
        """Whether it is for this request and not used up."""
        return (
            self.used < self.times
            and self.vendor == vendor
            and self.call_id in (None, call_id)
            and self.action in (Action.ANY, action)
        )


class FaultBook:
    """The faults that are armed, in the order in which they were."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All of them, those that are used up included."""
        return tuple(self._faults)

    def arm(self, fault: Fault) -> None:
        """Add one, after those that are there."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Forget all of them."""
        self._faults.clear()

    def take(self, *, vendor: str, call_id: str | None, action: Action | None) -> Effect:
        """Use the first that matches, once."""
        for fault in self._faults:
            if fault.matches(vendor=vendor, call_id=call_id, action=action):
                fault.used += 1
                return fault.effect
        return NO_EFFECT
