"""The result of a trigger: what a flow branches on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from . import errors
from .account import Account, Settings
from .ledger import CallLedger
from .ledger_parts import as_text
from .model import Action, Proof, Recording, RecordingStatus, Report, Trigger, Verdict

Judgement = tuple[Verdict, type[errors.CallRecordingError] | None]

# From the particular to the general: the first that fits is the class that a caller sees.
_VERDICTS: Sequence[tuple[type[Exception], type[errors.CallRecordingError], Verdict]] = (
    (errors.VendorUnreachableError, errors.OutcomeUnknownError, Verdict.UNKNOWN),
    (errors.OutcomeUnknownError, errors.OutcomeUnknownError, Verdict.UNKNOWN),
    (errors.UnconfirmedError, errors.UnconfirmedError, Verdict.UNCONFIRMED),
    (errors.AuthenticationError, errors.AuthenticationError, Verdict.FAILED),
    (errors.RecordingNotFoundError, errors.RecordingNotFoundError, Verdict.FAILED),
    (errors.ConflictError, errors.ConflictError, Verdict.FAILED),
    (errors.RateLimitedError, errors.RateLimitedError, Verdict.FAILED),
    (errors.VendorError, errors.VendorResponseError, Verdict.FAILED),
)


# The pause is closed, the call over: whoever asks is too late.
_CLOSED: Judgement = (Verdict.FAILED, errors.ConflictError)
# Nobody knows in time: somebody else is commanding, or a command may yet take effect.
_NOT_KNOWN: Judgement = (Verdict.UNKNOWN, errors.OutcomeUnknownError)

# The verdicts that an account may accept as safe; every other one is unsafe, whatever else is said.
_SAFE = frozenset({Verdict.CONFIRMED, Verdict.ACKNOWLEDGED, Verdict.NOT_RECORDING})


class Ending(NamedTuple):
    """How it ended: the ledger as last saved or loaded, from which alone the answer is made."""

    ledger: CallLedger
    report: Report | None = None  #: of our last command: it tells why, and never that all is well
    looked: bool = False  #: whether the ledger shows what we have just asked ourselves
    busy: bool = False  #: whether somebody else was commanding to the last
    idle: bool = False  #: whether there was nothing to do yet
    recorded: bool = True  #: whether what came of our command could be written down
    reminded: bool = True  #: whether the reminder of our pause could be sent
    found_running: bool = False  #: whether a tape was running that we had paused


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A verdict, and what it rests on."""

    trigger: Trigger
    vendor: str
    verdict: Verdict
    error: type[errors.CallRecordingError] | None  #: None: what was asked for holds, and the account accepts how
    recordings: tuple[Recording, ...]
    elapsed_ms: int
    ledger: CallLedger | None = None  #: as it stands; None if it cannot be known
    retry_after: float | None = None  #: seconds that the vendor asks us to wait
    legs: tuple[CallLedger, ...] = ()  #: of both legs, the one that the trigger names first; none: there is one leg

    @property
    def safe_to_collect(self) -> bool:
        """Whether the flow may ask for the card now.  Never true of anything but a pause."""
        return self.trigger.action is Action.PAUSE and self.error is None and self.verdict in _SAFE

    @property
    def status(self) -> RecordingStatus:
        """The status that all recordings share; unknown if they differ or there are none."""
        statuses = {recording.status for recording in self.recordings}
        return statuses.pop() if len(statuses) == 1 else RecordingStatus.UNKNOWN

    @property
    def proof(self) -> Proof:
        """The weakest proof among the recordings."""
        proofs = {recording.proof for recording in self.recordings} or {Proof.NONE}
        return next(proof for proof in (Proof.NONE, Proof.ACKNOWLEDGED, Proof.OBSERVED) if proof in proofs)

    def _pause(self) -> dict[str, Any] | None:
        """The pause of the step, as far as it is open."""
        if self.ledger is None:
            return None
        step = self.trigger.step
        pauses = [leg.pauses[step] for leg in self.legs or (self.ledger,) if step in leg.pauses]
        pause = next(iter(pauses), None)
        # with a pause on either leg, whichever ends first: from then on one of the tapes may run
        deadline = min((each.deadline for each in pauses), default=None)
        return {
            "id": pause and pause.pause_id,
            "opened_at": pause and as_text(pause.opened_at),
            "deadline": None if deadline is None else as_text(deadline),
            "open_pauses": len(self.ledger.pauses),
        }

    def as_dict(self) -> dict[str, Any]:
        """The result object of the interface."""
        return {
            "safe_to_collect": self.safe_to_collect,
            "verdict": self.verdict,
            "action": self.trigger.action,
            "status": self.status,
            "proof": self.proof,
            "account": self.trigger.account,
            "vendor": self.vendor,
            "call_id": self.trigger.call.call_id,
            "step": self.trigger.step,
            "recordings": [
                {
                    "recording_id": recording.recording_id,
                    "status": recording.status,
                    "vendor_status": recording.vendor_status,
                    "proof": recording.proof,
                }
                for recording in self.recordings
            ],
            "pause": self._pause(),
            "elapsed_ms": self.elapsed_ms,
        }


def answer(ending: Ending, trigger: Trigger, account: Account, *, received_at: float, now: float) -> Outcome:
    """Return the outcome of *trigger*, made from the ledger as it stands *now*."""
    ledger, report = ending.ledger, ending.report
    verdict, error = _judge_ending(ending, trigger, account.settings, now)
    recordings = ledger.known.recordings
    if report is not None and not recordings:
        recordings = report.recordings
    return Outcome(
        trigger=trigger,
        vendor=account.vendor,
        verdict=verdict,
        error=error,
        recordings=recordings,
        elapsed_ms=max(0, round((now - received_at) * 1000)),
        ledger=ledger,
        retry_after=report.error.retry_after if report and report.error else None,
    )


def of_both_legs(own: Outcome, above: Outcome) -> Outcome:
    """Return the outcome of a trigger that names a leg which was made from another one: the recordings of both count."""
    told = own if _own_counts(own, above) else above
    return replace(told, legs=tuple(leg for leg in (own.ledger, above.ledger) if leg is not None))


def _own_counts(own: Outcome, above: Outcome) -> bool:
    """Whether the leg that was named is answered for; else the one that it was made from."""
    is_over = above.ledger is not None and above.ledger.over and not above.ledger.presumed
    if above.verdict is Verdict.NOT_RECORDING or is_over:
        return True  # it has the only tape, or goes on alone
    if own.trigger.action is Action.PAUSE:
        has_none = own.verdict is Verdict.NOT_RECORDING  # seen just now: one may have started since it was last seen
    else:
        has_none = own.ledger is not None and (own.ledger.over or own.ledger.known.shows_none_live)
    if has_none:
        return False
    if own.trigger.action is Action.STOP and own.error is errors.RecordingNotFoundError:
        return False  # the recording that was named is of the other leg, or of none
    return own.error is not None or (own.verdict is Verdict.HELD and above.error is None)


def without_ledger(report: Report, trigger: Trigger, account: Account, *, received_at: float, now: float) -> Outcome:
    """Return the outcome of a pause that was sent although nothing could be written down: never safe."""
    return Outcome(
        trigger=trigger,
        vendor=account.vendor,
        verdict=Verdict.UNKNOWN,
        error=errors.UnavailableError,
        recordings=report.recordings,
        elapsed_ms=max(0, round((now - received_at) * 1000)),
    )


def _judge_ending(ending: Ending, trigger: Trigger, settings: Settings, now: float) -> Judgement:
    if not ending.recorded:
        return Verdict.UNKNOWN, errors.UnavailableError
    match trigger.action:
        case Action.PAUSE:
            return _judge_pause(ending, trigger, settings, now)
        case Action.RESUME:
            return _judge_resume(ending, trigger, settings)
    if trigger.recording_id is not None:
        return judge(ending.report, trigger, settings) if ending.report else _NOT_KNOWN
    return _judge_known(ending, trigger, settings)


def _judge_pause(ending: Ending, trigger: Trigger, settings: Settings, now: float) -> Judgement:
    """Whether the flow may ask for the card: only with its pause open, in time, and the ledger saying so with proof."""
    ledger = ending.ledger
    pause = ledger.pauses.get(trigger.step)
    if pause is None or now >= pause.deadline:
        return _CLOSED
    if not ending.reminded:
        return Verdict.UNKNOWN, errors.UnavailableError
    if ledger.known.shows_none_live and not ending.looked:
        return _NOT_KNOWN  # true of the moment of a read alone, and that was not ours
    return _judge_known(ending, trigger, settings)


def _judge_resume(ending: Ending, trigger: Trigger, settings: Settings) -> Judgement:
    ledger = ending.ledger
    if ledger.desired is Action.PAUSE:
        return Verdict.HELD, None
    if ledger.desired is not Action.RESUME:
        return _CLOSED
    shown = ledger.known.shows(Action.RESUME) and ledger.lease is None
    asked = ending.looked and ending.report is not None and ending.report.asked_at > ledger.doubts.pause
    if shown and asked:
        # a pause that we never heard of may undo it yet: the ledger stays due, and says so to nobody but the sweep
        return judge(Report(ledger.known.recordings), trigger, settings)
    return _judge_known(ending, trigger, settings)


def _judge_known(ending: Ending, trigger: Trigger, settings: Settings) -> Judgement:
    """What the ledger knows, with proof; else why it does not, as far as our own command tells."""
    ledger, report = ending.ledger, ending.report
    known = ledger.known
    none_live = known.shows_none_live and ledger.desired is not Action.RESUME
    if ledger.lease is None and known.complete and (known.proven or none_live):
        return judge(Report(known.recordings), trigger, settings)
    if report is not None and report.error is not None:
        return judge(report, trigger, settings)
    return _CLOSED if ledger.desired is None else _NOT_KNOWN


def judge(report: Report, trigger: Trigger, settings: Settings) -> Judgement:
    """Return the verdict on *report*, and the error that it amounts to, if any.

    Everything that is not proven to be as asked is an error: the default is the unsafe answer.
    """
    as_asked = [recording for recording in report.recordings if recording.is_as_asked(trigger.action)]
    if 0 < len(as_asked) < len(report.recordings):
        return Verdict.UNCONFIRMED, errors.UnconfirmedError  # partial success is not success
    if report.error is not None:
        return _verdict_of(report.error)
    if not report.recordings:
        accepted = trigger.action is not Action.PAUSE or settings.accept_not_recording
        return Verdict.NOT_RECORDING, None if accepted else errors.NotRecordingError
    if not as_asked:
        return Verdict.UNCONFIRMED, errors.UnconfirmedError
    if all(recording.proof is Proof.OBSERVED for recording in as_asked):
        return Verdict.CONFIRMED, None
    return Verdict.ACKNOWLEDGED, None if settings.accept_acknowledged else errors.UnconfirmedError


def _verdict_of(error: errors.VendorError) -> Judgement:
    return next((verdict, public) for kind, public, verdict in _VERDICTS if isinstance(error, kind))
