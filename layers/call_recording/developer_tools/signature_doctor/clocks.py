"""The time: signatures that say when they were made are good for a while only.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: seconds since the epoch.
https://docs.bird.com/api/notifications-api/api-reference/webhooks/verifying-a-webhook: likewise.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Final, Self

from call_recording.inbound.signatures import TOLERANCE_SECONDS

from .cases import Case, Variation

#: Where each scheme says when it signed.
HEADERS: Final = ("messagebird-request-timestamp", "webhook-timestamp")

_NUMBER = re.compile(r"([0-9]{1,12})(\.[0-9]{1,9})?|([0-9]{10})[0-9]{3}")
_SECONDS = re.compile(r"[0-9]{1,12}")


class SentAs(str):
    """A time that is read as seconds, and written into what is signed as it was sent."""

    __slots__ = ("sent",)

    def __new__(cls, seconds: str, sent: str) -> Self:
        """Make a time of both its forms."""
        made = super().__new__(cls, seconds)
        made.sent = sent
        return made

    sent: str

    def __format__(self, format_spec: str) -> str:
        return format(self.sent, format_spec)


def variations(headers: Mapping[str, str], received_at: float, *, real_clock: bool) -> list[Variation]:
    """Return what may be wrong with the time."""
    found = []
    for name in HEADERS:
        sent = headers.get(name, "").strip()
        number = _NUMBER.fullmatch(sent)
        if number is None:
            continue
        seconds = number[1] or number[3]
        if not _SECONDS.fullmatch(sent):
            found.append(
                Variation(
                    name="timestamp-unit",
                    group="clock",
                    why=f"The signature holds, but the time in {name} is not in whole seconds.",
                    advice="Have the sender write whole seconds since the epoch, not milliseconds and no fraction.",
                    apply=partial(_timed, name=name, seconds=SentAs(seconds, sent)),
                )
            )
        elif abs(received_at - int(seconds)) > TOLERANCE_SECONDS:
            found.append(
                Variation(
                    name="clock",
                    group="clock",
                    why=f"The signature holds, but was made {_apart(int(seconds) - received_at)} "
                    + ("now" if real_clock else "the event arrived")
                    + f"; {TOLERANCE_SECONDS} s are allowed.",
                    advice="The event is a replay: without --now it is verified as of its own time."
                    if real_clock
                    else "Set the sender's clock (NTP); or it repeats a request with the old time: it has to sign anew.",
                    apply=partial(_timed, name=name, seconds=seconds),
                )
            )
    return found


def _apart(seconds: float) -> str:
    return f"{abs(seconds):.0f} s {'after' if seconds > 0 else 'before'}"


def _timed(case: Case, name: str, seconds: str) -> Iterator[Case]:
    headers = {**case.request.headers, name: seconds}
    yield replace(case, request=replace(case.request, headers=headers, received_at=float(seconds)))
