"""
The conditions of SWML, as far as flows need them: a small part of JavaScript's expressions.

Comparisons of dotted paths, texts, numbers, `true`, `false` and `null`, joined by `&&`, `||`, `!` and parentheses.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from local.simulators.players.play import UnplayableError
from local.simulators.players.templates import look_up

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<text>'[^'\\]*'|"[^"\\]*")
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<path>[A-Za-z_]\w*(?:\.\w+)*)
      | (?P<sign>===|!==|==|!=|<=|>=|<|>|&&|\|\||!|\(|\))
    )""",
    re.VERBOSE,
)
_WORDS: Final[Mapping[str, Any]] = {"true": True, "false": False, "null": None, "undefined": None}
_ORDER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_EQUALITY: Final = frozenset({"==", "===", "!=", "!=="})


def holds(condition: str, known: Mapping[str, Any]) -> bool:
    """Whether a condition is true of what a flow knows."""
    tokens = _tokens(condition)
    expression = _Expression(tokens, known)
    value = expression.either()
    expression.expect_end()
    return bool(value)


def _tokens(condition: str) -> list[tuple[str, str]]:
    tokens, position, end = [], 0, len(condition.rstrip())
    while position < end:
        found = _TOKEN.match(condition, position)
        if found is None or found.lastgroup is None:
            raise UnplayableError("a condition of the flow has a part that is not played here")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        position = found.end()
    return tokens


class _Expression:
    """Reads and computes at once, from the loosest sign to the tightest. Both sides are always computed: none acts."""

    def __init__(self, tokens: list[tuple[str, str]], known: Mapping[str, Any]) -> None:
        self._tokens: Final = tokens
        self._known: Final = known
        self._position = 0

    def either(self) -> Any:
        """What `||` joins."""
        value = self._both()
        while self._accept("||"):
            other = self._both()
            value = value or other
        return value

    def expect_end(self) -> None:
        """Refuse what is left over."""
        if self._position != len(self._tokens):
            raise UnplayableError("a condition of the flow does not end where it should")

    def _both(self) -> Any:
        value = self._comparison()
        while self._accept("&&"):
            other = self._comparison()
            value = value and other
        return value

    def _comparison(self) -> Any:
        value = self._single()
        for sign in (*_EQUALITY, *_ORDER):
            if self._accept(sign):
                return _compare(sign, value, self._single())
        return value

    def _single(self) -> Any:
        if self._accept("!"):
            return not self._single()
        if self._accept("("):
            value = self.either()
            if not self._accept(")"):
                raise UnplayableError("a condition of the flow lacks a parenthesis")
            return value
        if self._position == len(self._tokens):
            raise UnplayableError("a condition of the flow ends too early")
        kind, written = self._tokens[self._position]
        self._position += 1
        if kind == "text":
            return written[1:-1]
        if kind == "number":
            return float(written)
        if kind == "path":
            return _WORDS[written] if written in _WORDS else look_up(written, self._known)
        raise UnplayableError("a condition of the flow has a sign where a value should be")

    def _accept(self, sign: str) -> bool:
        if self._position < len(self._tokens) and self._tokens[self._position] == ("sign", sign):
            self._position += 1
            return True
        return False


def _compare(sign: str, one: Any, other: Any) -> bool:
    if sign in _EQUALITY:
        # The longer signs do not turn a text into a number first.
        return _equal(one, other, strictly=len(sign) == 3) is not sign.startswith("!")
    numbers = _number(one), _number(other)
    return None not in numbers and _ORDER[sign](*numbers)


def _equal(one: Any, other: Any, *, strictly: bool) -> bool:
    if (
        isinstance(one, bool | None)
        or isinstance(other, bool | None)
        or (isinstance(one, str) and isinstance(other, str))
    ):
        return one is other or (type(one) is type(other) and bool(one == other))
    if strictly and isinstance(one, str) is not isinstance(other, str):
        return False
    return _number(one) is not None and _number(one) == _number(other)


def _number(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except ValueError:
        return None
