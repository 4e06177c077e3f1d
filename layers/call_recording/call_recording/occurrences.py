"""What somebody tells us of a call, as something that can be written into its ledger, again after a conflict."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from typing import NamedTuple

from .account import Account, Settings
from .errors import ConfigurationError
from .ledger import CallLedger
from .ledger_parts import Timing
from .model import Action, Call, Happening, RecordingEvent, Reminder, Trigger


class Occurrence(NamedTuple):
    """What somebody told us of a call."""

    by: str  #: who: flow, workflow, vendor, timer, sweep
    account: str
    call: Call
    apply: Callable[[CallLedger, float], CallLedger]  #: writes it into the ledger, at the time given
    action: Action | None = None  #: what somebody waits for; None: nobody waits for anything
    opens: Reminder | None = None  #: of the pause that it opens
    named: str | None = None  #: the recording that it names
    #: what is seen of it if it is about the named recording only, whatever is desired of the call
    errand: str | None = None
    urgent: bool = False  #: whether a tape may have begun to run, though nobody waits


def timing_of(settings: Settings) -> Timing:
    """What an account assumes of its vendor."""
    return Timing(in_flight=settings.in_flight_ms / 1000, read_lag=settings.read_lag_ms / 1000)


def triggered(trigger: Trigger, settings: Settings, nonce: str, *, by_document: bool = False) -> Occurrence:
    """What a flow or a workflow asks for; a stop may be carried out *by_document*.

    *nonce* stands for the event's id where it has none: so our own write is known again if its answer is lost.
    """
    event_id = trigger.event_id or nonce
    occurred_at = trigger.occurred_at.timestamp() if trigger.occurred_at else None
    timing = timing_of(settings)
    pause_id = pause_id_of(trigger, event_id)
    errand = sha256(f"stop {trigger.recording_id} {event_id}".encode()).hexdigest()[:24]

    def entered(ledger: CallLedger, now: float) -> CallLedger:
        return ledger.entered(
            step=trigger.step,
            pause_id=pause_id,
            event_id=event_id,
            seconds=trigger.max_pause_seconds or settings.max_pause_seconds,
            occurred_at=occurred_at,
            now=now,
            by=trigger.by,
        )

    def left(ledger: CallLedger, now: float) -> CallLedger:
        return ledger.left(
            step=trigger.step,
            pause_id=trigger.pause_id,
            event_id=event_id,
            occurred_at=occurred_at,
            now=now,
            by=trigger.by,
            timing=timing,
        )

    def stop(ledger: CallLedger, now: float) -> CallLedger:
        if trigger.recording_id is None:
            asked = ledger.stopped_by_document if by_document else ledger.stop_asked
            return asked(step=trigger.step, event_id=event_id, now=now, by=trigger.by)
        return ledger.errand_asked(
            step=trigger.step,
            recording_id=trigger.recording_id,
            event_id=event_id,
            errand=errand,
            now=now,
            by=trigger.by,
        )

    reminder = Reminder(trigger.account, _addressed(trigger.call), trigger.step, pause_id)
    return Occurrence(
        by=trigger.by,
        account=trigger.account,
        call=trigger.call,
        apply={Action.PAUSE: entered, Action.RESUME: left, Action.STOP: stop}[trigger.action],
        action=trigger.action,
        opens=reminder if trigger.action is Action.PAUSE else None,
        named=trigger.recording_id,
        errand=errand if trigger.action is Action.STOP and trigger.recording_id is not None else None,
    )


def on_leg(occurrence: Occurrence, call_id: str, timing: Timing, doubt: str | None) -> Occurrence:
    """The same, on the leg *call_id* that the call was made from.

    *doubt* is an id where a pause is in doubt that was sent on the other leg: it may yet act on this one.
    """

    def apply(ledger: CallLedger, now: float) -> CallLedger:
        if doubt is not None:
            ledger = ledger.unheard(step=None, pause_id=doubt, now=now, timing=timing)
        return occurrence.apply(ledger, now)

    call = replace(occurrence.call, call_id=call_id)
    opens = occurrence.opens and occurrence.opens._replace(call=_addressed(call))
    return occurrence._replace(call=call, opens=opens, apply=apply)


def inherited(child: CallLedger, parent: str, timing: Timing) -> Occurrence | None:
    """What is desired of a leg, for the leg *parent* that it was made from, as far as that has not heard of it.

    None if there is nothing to be heard.  A pause whose sender died may have acted on the other leg's tape, even if it is
    closed by now: nobody has told that leg.
    """
    lost = [*_lost_pauses(child)]
    if not (lost or child.pauses or child.stopped):
        return None

    def apply(ledger: CallLedger, now: float) -> CallLedger:
        for step, pause in child.pauses.items():
            if pause.pause_id not in ledger.seen:
                ledger = ledger.entered(
                    step=step,
                    pause_id=pause.pause_id,
                    event_id=f"leg-{pause.pause_id}",
                    seconds=pause.deadline - now,
                    occurred_at=pause.occurred_at,
                    now=now,
                    by="leg",
                )
        for pause_id in lost:
            ledger = ledger.unheard(step=None, pause_id=pause_id, now=now, timing=timing)
        if child.stopped and not ledger.stopped:
            ledger = ledger.stop_asked(step="", event_id="leg-stopped", now=now, by="leg")
        return ledger

    return Occurrence(by="leg", account=child.account, call=replace(child.call, call_id=parent), apply=apply)


def _lost_pauses(ledger: CallLedger) -> Iterator[str]:
    """The pauses of which nobody has noted what came of them: an id of each, as long as those of senders' events."""
    pausing = {
        event.details.get("holder")  # a version before this one did not note it where a lease was kept
        for event in ledger.events
        if event.what == "asking" and event.details["action"] == Action.PAUSE
    }
    for event in ledger.events:
        sent = None
        if event.what == "found without record":
            sent = event.details["pause_id"]
        elif event.what == "holder lost" and event.details["holder"] in pausing:
            sent = event.details["holder"]
        elif event.what == "asking without lease":
            sent = event.at
        if sent is not None:
            yield sha256(f"lost {sent}".encode()).hexdigest()


def happened(event: RecordingEvent, by: str, nonce: str) -> Occurrence:
    """What has happened to a call; *nonce* stands for the event's id where nothing makes two deliveries the same."""
    event_id = event.event_id or nonce

    def apply(ledger: CallLedger, now: float) -> CallLedger:
        if event.happening is Happening.CALL_OVER:
            return ledger.call_ended(event_id=event_id, now=now, by=by)
        return ledger.recording_changed(
            event_id=event_id, now=now, by=by, what=event.happening, recording_id=event.recording_id
        )

    started = event.happening is Happening.RECORDING_STARTED
    return Occurrence(by=by, account=event.account, call=event.call, apply=apply, urgent=started)


def reminder_of(event: RecordingEvent) -> Reminder:
    """*event*, as the queue keeps it while there is no ledger to write it into."""
    return Reminder(
        event.account,
        _addressed(event.call),
        happening=event.happening,
        recording_id=event.recording_id,
        event_id=event.event_id,
    )


def event_of(reminder: Reminder) -> RecordingEvent | None:
    """The event that *reminder* has kept, if it is about one."""
    if reminder.happening is None:
        return None
    return RecordingEvent(
        account=reminder.account,
        happening=reminder.happening,
        call=reminder.call,
        recording_id=reminder.recording_id,
        event_id=reminder.event_id,
    )


class Wake:
    """Time has passed: pauses end at their deadlines, and one that is not on record is written down."""

    def __init__(self, reminder: Reminder, account: Account, by: str) -> None:
        self._reminder = reminder
        self._account = account
        self._settings = account.settings
        self._by = by
        self.expired: tuple[str, ...] = ()  #: the steps whose pauses it found expired, when it was last applied

    def __call__(self, ledger: CallLedger, now: float) -> CallLedger:
        """Write it into *ledger*.  Raises ConfigurationError if that is of a call that another vendor knows."""
        require_vendor(ledger, self._account)
        mine = self._reminder
        heard = ledger
        if mine.pause_id is not None:
            heard = ledger.unheard(step=mine.step, pause_id=mine.pause_id, now=now, timing=timing_of(self._settings))
        expired = heard.expired(now=now, on_deadline=self._settings.on_deadline)
        self.expired = tuple(step for step, pause in heard.pauses.items() if expired.pauses.get(step) != pause)
        return expired

    def occurrence(self) -> Occurrence:
        """It, as the reconciler takes it: nobody waits for an answer."""
        return Occurrence(by=self._by, account=self._reminder.account, call=self._reminder.call, apply=self)


def require_vendor(ledger: CallLedger, account: Account) -> None:
    """Raise ConfigurationError if the call is one that another vendor knows: the account has moved since."""
    if ledger.vendor not in ("", account.vendor):
        raise ConfigurationError("vendor", "is no longer the one whose call this is")


def _addressed(call: Call) -> Call:
    """A call as the ledger and the queue keep it: a redirect_url may carry what is nobody's business."""
    return Call(call_id=call.call_id, channel_id=call.channel_id)


def pause_id_of(trigger: Trigger, event_id: str) -> str:
    """Return the id of the pause that the event opens: the same if it is repeated, and so is its reminder known again."""
    of = f"{trigger.account}/{trigger.call.call_id.lower()}/{trigger.step}/{event_id}"
    return sha256(of.encode()).hexdigest()[:24]
