"""
A request and its answer, apart from how they travel.

What is asked (`Asked`) is known before it is carried out (`Exchange`), because a fault may delay, replace or prevent that.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from local.simulators.faults import Action

Json = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request as a vendor sees it."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    #: The named parts of the path, once a route has matched.
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def form(self) -> dict[str, str]:
        """The fields of a form; none if it is not one."""
        if self.media_type != "application/x-www-form-urlencoded":
            return {}
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> Json:
        """The body as JSON; ValueError if it is none."""
        try:
            return json.loads(self.body)
        except RecursionError as exc:
            raise ValueError("nested too deeply") from exc

    def basic(self) -> tuple[str, str] | None:
        """The user and the password of Basic authentication, if the request has them."""
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            decoded = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        user, colon, password = decoded.partition(":")
        return (user, password) if colon else None

    def token(self, scheme: str) -> str | None:
        """What follows `scheme` in the Authorization header."""
        found, _, token = self.headers.get("Authorization", "").partition(" ")
        return token.strip() if found.lower() == scheme.lower() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a vendor sends back."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, status: int, value: Json, **headers: str) -> Answer:
        """An answer whose body is JSON."""
        return cls(
            status=status,
            body=json.dumps(value).encode(),
            headers={"Content-Type": "application/json"} | {name.replace("_", "-"): v for name, v in headers.items()},
        )


class Refusal(Exception):  # noqa: N818 -- it is not an error of ours but an answer, cutting short what would follow
    """The vendor says no."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"HTTP {answer.status}")
        self.answer: Final = answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What a vendor will do and then say."""

    #: Says what is true at the moment that it is called.
    answer: Callable[[], Answer]
    act: Callable[[], None] | None = None
    #: How long after its answer the vendor acts, where it does not act first.
    settles_after_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request asks for."""

    carry_out: Callable[[], Exchange]
    #: None: nothing that a fault can name; only `any` is for it.
    action: Action | None = None


Ask = Callable[[Received], Asked]


def reading(action: Action, answer: Callable[[], Answer]) -> Asked:
    """A request that changes nothing. `answer` may refuse."""
    return Asked(action=action, carry_out=lambda: Exchange(answer=answer))


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of a vendor's API."""

    method: str
    template: str
    ask: Ask = field(repr=False)
    #: Ends a path, or may: `(?:\.json)?`.
    suffix: str = ""
    _pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        named = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+?)", re.escape(self.template))
        object.__setattr__(self, "_pattern", re.compile(named + self.suffix))

    def match(self, path: str) -> dict[str, str] | None:
        """The named parts of the path, if it is this operation's."""
        found = self._pattern.fullmatch(path)
        return None if found is None else found.groupdict()
