"""What is left where a rule is missing that says how the legs of a call go together."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from call_recording import service
from call_recording.model import Verdict
from call_recording.occurrences import on_leg
from call_recording.outcome import of_both_legs
from call_recording.upkeep import Upkeep

#: Replaces an attribute until the rule is put back.
Replace = Callable[[Any, str, Any], None]


def own_answer(exchange: Replace) -> None:
    """A leg is answered for by itself."""
    exchange(service, "of_both_legs", lambda own, _: own)


def later_deadline(exchange: Replace) -> None:
    """Of two legs the deadline of the one is told that is answered for."""
    exchange(service, "of_both_legs", lambda own, above: replace(of_both_legs(own, above), legs=()))


def not_held(exchange: Replace) -> None:
    """That a leg is held paused is not told if the other one is not."""
    exchange(
        service,
        "of_both_legs",
        lambda own, above: above if own.verdict is Verdict.HELD else of_both_legs(own, above),
    )


def over_by_a_word(exchange: Replace) -> None:
    """A leg that is only presumed to be over does not count."""
    exchange(
        service,
        "of_both_legs",
        lambda own, above: own if above.ledger and above.ledger.over else of_both_legs(own, above),
    )


def seen_before(exchange: Replace) -> None:
    """A leg that had no tape when it was last seen does not count."""
    exchange(
        service,
        "of_both_legs",
        lambda own, above: above if own.ledger and own.ledger.known.shows_none_live else of_both_legs(own, above),
    )


def nothing_passed_on(exchange: Replace) -> None:
    """A leg that is found later is not told what is desired."""
    exchange(Upkeep, "_pass_on", lambda *_: None)


def no_doubt_above(exchange: Replace) -> None:
    """A pause in doubt is in doubt on its own leg alone."""
    exchange(service, "on_leg", lambda occurrence, call_id, timing, _: on_leg(occurrence, call_id, timing, None))
