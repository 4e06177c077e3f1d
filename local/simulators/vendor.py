"""
What the four simulated vendors have in common.

A vendor's file holds that vendor's own HTTP and nothing else. It reads a `Received`, says what is asked (`Asked`), and
when `origin.py` tells it to carry that out, either refuses (`Refusal`) or returns an `Exchange`.
"""

from __future__ import annotations

import dataclasses
import hmac
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from local.simulators.exchange import Answer, Asked, Exchange, Received, Route
from local.simulators.outgoing import Basic, Outgoing
from local.simulators.webhooks.base import Webhooks
from local.simulators.world import Call, Recording, World


class Vendor(ABC):
    """One simulated vendor."""

    #: Its name in the control API.
    name: ClassVar[str]
    #: The fields of its credentials.
    credential_fields: ClassVar[tuple[str, ...]]
    #: Those that it may do without: the key with which it signs, where that is no credential of its API.
    optional_fields: ClassVar[tuple[str, ...]] = ()
    #: The requests that it makes itself.
    webhooks_class: ClassVar[type[Webhooks]]

    def __init__(self, world: World, credentials: Mapping[str, str]) -> None:
        self._world: Final = world
        self._credentials: Mapping[str, str] = {}
        #: What it asks of its customers, with the keys of the moment.
        self.webhooks: Webhooks
        self._routes: Final = self.routes()
        self.rotate(credentials)

    @abstractmethod
    def routes(self) -> Sequence[Route]:
        """Its operations."""

    @abstractmethod
    def refuse_stranger(self, received: Received) -> Answer | None:
        """What it answers to one who may not ask this, or None."""

    @abstractmethod
    def not_found(self, received: Received) -> Answer:
        """What it answers where it has nothing."""

    @abstractmethod
    def method_not_allowed(self, received: Received) -> Answer:
        """What it answers to a method that a path does not have."""

    @abstractmethod
    def new_call_id(self) -> str:
        """An id as it gives one to a call."""

    @abstractmethod
    def new_recording_id(self) -> str:
        """An id as it gives one to a recording."""

    @abstractmethod
    def word_for(self, recording: Recording) -> str:
        """Its own word for the recording's status."""

    def rotate(self, credentials: Mapping[str, str]) -> None:
        """Take these keys and refuse the old ones. ValueError names a field that is missing or wrong, never a value."""
        # A key to sign with is no key of the API: it stays when those change, unless it is named.
        kept = {name: value for name, value in self._credentials.items() if name in self.optional_fields}
        credentials = kept | dict(credentials)
        for name in (*self.credential_fields, *(set(self.optional_fields) & set(credentials))):
            if not isinstance(credentials.get(name), str) or not credentials[name]:
                raise ValueError(f"credentials of {self.name}: {name!r} must be a string that is not empty")
        if unknown := sorted(set(credentials) - set(self.credential_fields) - set(self.optional_fields)):
            raise ValueError(f"credentials of {self.name}: unknown field {unknown[0]!r}")
        self._credentials = credentials
        self.webhooks = self.webhooks_class(credentials, clock=self._world.clock)

    def callback(self, url: str, fields: Mapping[str, Any], *, basic: Basic | None = None) -> Outgoing:
        """The request it makes for call markup, or to tell of a status: in its own content type, with its proof."""
        return self.webhooks.callback(url, fields, basic=basic)

    def json_callback(self, url: str, value: Any, *, basic: Basic | None = None) -> Outgoing:
        """The request it makes to send a JSON document: a step of a flow, an event."""
        return self.webhooks.json_callback(url, value, basic=basic)

    def common_fields(self, call: Call) -> dict[str, Any]:
        """The fields that it sends with every request about a call."""
        return self.webhooks.common_fields(call)

    def call_options(self, asked: Mapping[str, str]) -> dict[str, str]:
        """What it keeps of the extra fields with which a call was created. ValueError if it has no such field."""
        if asked:
            raise ValueError(f"{self.name} has no {min(asked)!r}")
        return {}

    def shown_with_call(self, call: Call) -> dict[str, str]:  # noqa: ARG002 -- a hook; Bird's shows its channel
        """What the control API says of a new call besides its ids."""
        return {}

    def ask(self, received: Received) -> Asked:
        """What a request asks for, be it that this vendor has no such thing."""
        path_exists = False
        for route in self._routes:
            if (names := route.match(received.path)) is not None:
                path_exists = True
                if route.method == received.method:
                    return route.ask(dataclasses.replace(received, names=names))
        answer = self.method_not_allowed(received) if path_exists else self.not_found(received)
        return Asked(carry_out=lambda: Exchange(answer=lambda: answer))

    def _is(self, given: str | None, *fields: str) -> bool:
        """Whether what was given is one of our credentials."""
        return given is not None and any(
            hmac.compare_digest(given.encode(), self._credentials[field].encode()) for field in fields
        )

    def _are(self, given: tuple[str, str] | None, user: str, password: str) -> bool:
        """Whether what was given is that pair of our credentials."""
        return given is not None and self._is(given[0], user) and self._is(given[1], password)
