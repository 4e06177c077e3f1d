"""The result of a trigger: what a flow branches on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import errors
from .account import Settings
from .model import Action, Proof, Recording, RecordingStatus, Trigger, Verdict

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


# The verdicts that an account may accept as safe; every other one is unsafe, whatever else is said.
_SAFE = frozenset({Verdict.CONFIRMED, Verdict.ACKNOWLEDGED, Verdict.NOT_RECORDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of one command at the vendor: every live recording of the call, and what stood in the way."""

    recordings: tuple[Recording, ...] = ()
    error: errors.VendorError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A verdict, and what it rests on."""

    trigger: Trigger
    vendor: str
    verdict: Verdict
    error: type[errors.CallRecordingError] | None  #: None: what was asked for holds, and the account accepts how
    recordings: tuple[Recording, ...]
    elapsed_ms: int
    retry_after: float | None = None  #: seconds that the vendor asks us to wait

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
            "pause": None,  # the ledger's, once there is one
            "elapsed_ms": self.elapsed_ms,
        }


def judge(
    report: Report, trigger: Trigger, settings: Settings
) -> tuple[Verdict, type[errors.CallRecordingError] | None]:
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


def _verdict_of(error: errors.VendorError) -> tuple[Verdict, type[errors.CallRecordingError]]:
    return next((verdict, public) for kind, public, verdict in _VERDICTS if isinstance(error, kind))
