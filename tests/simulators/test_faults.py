"""Which requests a fault is for, and how often."""

from __future__ import annotations

from typing import Any

import pytest

from local.simulators.faults import NO_EFFECT, Action, Effect, Fault, FaultBook

FIRST = Effect(status=500)
SECOND = Effect(status=503)


def fault(effect: Effect = FIRST, **changed: Any) -> Fault:
    """A fault for every pause at Twilio, once, or what is named instead."""
    fields: dict[str, Any] = {"vendor": "twilio", "action": Action.PAUSE, "effect": effect, "written": {}}
    return Fault(**fields | changed)


def taken(book: FaultBook, *, vendor="twilio", call_id="c", action=Action.PAUSE) -> Effect:
    """What the book has for a request."""
    return book.take(vendor=vendor, call_id=call_id, action=action)


class TestFaultBook:
    """What is taken for a request."""

    def test_nothing_armed_nothing_happens(self):
        """Without a fault a request has no effect on it."""
        assert taken(FaultBook()) is NO_EFFECT

    def test_the_first_that_matches_is_used_its_times(self):
        """Faults are used in the order in which they were armed, each as often as it says."""
        book = FaultBook()
        book.arm(fault(FIRST, times=2))
        book.arm(fault(SECOND))

        assert [taken(book) for _ in range(4)] == [FIRST, FIRST, SECOND, NO_EFFECT]
        assert [each.used for each in book.faults] == [2, 1]

    @pytest.mark.parametrize("other", [{"vendor": "bird"}, {"action": Action.RESUME}, {"action": None}])
    def test_another_request_leaves_it(self, other):
        """A fault is for one vendor and one action, and a request that is another's does not use it up."""
        book = FaultBook()
        book.arm(fault())

        assert taken(book, **other) is NO_EFFECT
        assert taken(book) is FIRST

    def test_one_of_a_call_is_for_that_call_only(self):
        """A fault that names a call leaves other calls, and requests that are about none."""
        book = FaultBook()
        book.arm(fault(call_id="c"))

        assert taken(book, call_id="other") is NO_EFFECT
        assert taken(book, call_id=None) is NO_EFFECT
        assert taken(book, call_id="c") is FIRST

    @pytest.mark.parametrize("action", [*Action, None])
    def test_any_is_for_every_request(self, action):
        """`any` matches every action, and requests that are none."""
        book = FaultBook()
        book.arm(fault(action=Action.ANY))

        assert taken(book, action=action) is FIRST

    def test_cleared_ones_are_gone(self):
        """After `clear` nothing is armed."""
        book = FaultBook()
        book.arm(fault())
        book.clear()

        assert taken(book) is NO_EFFECT
        assert book.faults == ()
