"""Fills the places of a text with what a flow knows: dotted paths only, never a filter or an expression."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from local.simulators.players.play import UnplayableError

#: `{{widgets.pause.parsed.verdict}}`: Studio's Liquid, and our notation of Bird's flows.
LIQUID: Final = re.compile(r"\{\{(.*?)\}\}")
#: `${call.call_id}`, and `%{call.call_id}` in older documents: SWML.
SWML: Final = re.compile(r"[$%]\{(.*?)\}")

_PATH: Final = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+)*")


def fill(text: str, places: re.Pattern[str], known: Mapping[str, Any]) -> str:
    """The text with every place filled; what is not known is empty."""

    def filled(place: re.Match[str]) -> str:
        path = place[1].strip()
        if not _PATH.fullmatch(path):
            raise UnplayableError("a place in a text of the flow is no plain path")
        return written(look_up(path, known))

    return places.sub(filled, text)


def fill_all(value: Any, places: re.Pattern[str], known: Mapping[str, Any]) -> Any:
    """The same in every text of a JSON value."""
    if isinstance(value, str):
        return fill(value, places, known)
    if isinstance(value, list):
        return [fill_all(each, places, known) for each in value]
    if isinstance(value, dict):
        return {name: fill_all(each, places, known) for name, each in value.items()}
    return value


def look_up(path: str, known: Mapping[str, Any]) -> Any:
    """What a dotted path leads to; None if to nothing."""
    found: Any = known
    for name in path.split("."):
        if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        elif isinstance(found, Mapping):
            found = found.get(name)
        else:
            return None
    return found


def written(value: Any) -> str:
    """A value as a text has it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
