"""What a flow is told: the verdict table of the interface, row by row."""

import pytest

from call_recording import errors
from call_recording.account import Settings
from call_recording.model import Action, Call, Proof, Recording, RecordingStatus, Report, Trigger, Verdict
from call_recording.outcome import Outcome, judge

PAUSED, RUNNING, STOPPED = RecordingStatus.PAUSED, RecordingStatus.IN_PROGRESS, RecordingStatus.STOPPED


def trigger(action: Action = Action.PAUSE) -> Trigger:
    """Make a trigger of the account acme."""
    return Trigger(account="acme", action=action, step="card-entry", call=Call(call_id="CA"))


def recording(status: RecordingStatus, proof: Proof = Proof.OBSERVED, recording_id: str = "RE1") -> Recording:
    """Make a recording of the call CA."""
    return Recording(recording_id=recording_id, call_id="CA", status=status, vendor_status=str(status), proof=proof)


def outcome(action: Action, error: type[errors.CallRecordingError] | None, *recordings: Recording) -> Outcome:
    """Make an outcome of a trigger."""
    return Outcome(
        trigger=trigger(action),
        vendor="twilio",
        verdict=Verdict.CONFIRMED,
        error=error,
        recordings=recordings,
        elapsed_ms=12,
    )


@pytest.mark.parametrize(
    ("action", "status"),
    [
        (Action.PAUSE, PAUSED),
        (Action.RESUME, RUNNING),
        (Action.STOP, STOPPED),
        (Action.STOP, RecordingStatus.COMPLETED),
    ],
)
def test_confirmed(action, status):
    """
    Every live recording observed as asked is confirmed.
    """
    report = Report(recordings=(recording(status), recording(status, recording_id="RE2")))

    assert judge(report, trigger(action), Settings()) == (Verdict.CONFIRMED, None)


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("status", list(RecordingStatus))
@pytest.mark.parametrize("proof", list(Proof))
def test_only_proof_counts(action, status, proof):
    """
    No status without proof, and no proof of another status, is ever accepted.
    """
    asked = {
        Action.PAUSE: {PAUSED},
        Action.RESUME: {RUNNING},
        Action.STOP: {STOPPED, RecordingStatus.COMPLETED},
    }

    verdict, error = judge(Report(recordings=(recording(status, proof),)), trigger(action), Settings())

    assert (error is None) is (status in asked[action] and proof is not Proof.NONE)
    assert (verdict is Verdict.CONFIRMED) is (status in asked[action] and proof is Proof.OBSERVED)


@pytest.mark.parametrize(("accepted", "error"), [(True, None), (False, errors.UnconfirmedError)])
def test_acknowledged(accepted, error):
    """
    A yes without a read counts as far as the account accepts it.
    """
    report = Report(recordings=(recording(PAUSED, Proof.ACKNOWLEDGED),))

    assert judge(report, trigger(), Settings(accept_acknowledged=accepted)) == (Verdict.ACKNOWLEDGED, error)


@pytest.mark.parametrize(
    ("action", "accepted", "error"),
    [
        (Action.PAUSE, False, errors.NotRecordingError),
        (Action.PAUSE, True, None),
        (Action.RESUME, False, None),
        (Action.STOP, False, None),
    ],
)
def test_scenario_07_not_recording(action, accepted, error):
    """
    A call on which nothing is recorded is safe to collect on only if the account accepts that.
    """
    settings = Settings(accept_not_recording=accepted)

    assert judge(Report(), trigger(action), settings) == (Verdict.NOT_RECORDING, error)


@pytest.mark.parametrize(
    "stray",
    [recording(RUNNING), recording(RecordingStatus.UNKNOWN), recording(PAUSED, Proof.NONE)],
)
@pytest.mark.parametrize("error", [None, errors.RateLimitedError("refused", vendor="twilio", http_status=429)])
def test_scenario_09_partial(stray, error):
    """
    Partial success is not success, whatever else went wrong.
    """
    report = Report(recordings=(recording(PAUSED), stray), error=error)

    assert judge(report, trigger(), Settings()) == (Verdict.UNCONFIRMED, errors.UnconfirmedError)


@pytest.mark.parametrize(
    ("raised", "verdict", "public"),
    [
        (errors.VendorUnreachableError, Verdict.UNKNOWN, errors.OutcomeUnknownError),
        (errors.OutcomeUnknownError, Verdict.UNKNOWN, errors.OutcomeUnknownError),
        (errors.UnconfirmedError, Verdict.UNCONFIRMED, errors.UnconfirmedError),
        (errors.AuthenticationError, Verdict.FAILED, errors.AuthenticationError),
        (errors.RecordingNotFoundError, Verdict.FAILED, errors.RecordingNotFoundError),
        (errors.ConflictError, Verdict.FAILED, errors.ConflictError),
        (errors.RecordingBusyError, Verdict.FAILED, errors.ConflictError),
        (errors.RateLimitedError, Verdict.FAILED, errors.RateLimitedError),
        (errors.VendorResponseError, Verdict.FAILED, errors.VendorResponseError),
    ],
)
@pytest.mark.parametrize("recordings", [(), (recording(RUNNING),), (recording(PAUSED),)])
def test_errors(raised, verdict, public, recordings):
    """
    Every failure has its verdict and the class that a workflow catches, and is never accepted.
    """
    report = Report(recordings=recordings, error=raised("refused", vendor="twilio"))

    assert judge(report, trigger(), Settings(accept_not_recording=True)) == (verdict, public)


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("error", [None, errors.UnconfirmedError])
def test_safe_to_collect(action, error):
    """
    Only a pause without an error is safe to collect on.
    """
    result = outcome(action, error, recording(PAUSED)).as_dict()

    assert result["safe_to_collect"] is (action is Action.PAUSE and error is None)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_safe_verdicts(verdict):
    """
    A verdict that is not among the safe ones is unsafe, even if somebody forgot to name its error.
    """
    result = Outcome(
        trigger=trigger(), vendor="twilio", verdict=verdict, error=None, recordings=(recording(PAUSED),), elapsed_ms=1
    )

    assert result.safe_to_collect is (verdict in {Verdict.CONFIRMED, Verdict.ACKNOWLEDGED, Verdict.NOT_RECORDING})


def test_result():
    """
    The result has every field of the interface.
    """
    result = outcome(Action.PAUSE, None, recording(PAUSED)).as_dict()

    assert result == {
        "safe_to_collect": True,
        "verdict": "confirmed",
        "action": "pause",
        "status": "paused",
        "proof": "observed",
        "account": "acme",
        "vendor": "twilio",
        "call_id": "CA",
        "step": "card-entry",
        "recordings": [{"recording_id": "RE1", "status": "paused", "vendor_status": "paused", "proof": "observed"}],
        "pause": None,
        "elapsed_ms": 12,
    }


@pytest.mark.parametrize(
    ("recordings", "status", "proof"),
    [
        ((), "unknown", "none"),
        ((recording(PAUSED), recording(PAUSED, recording_id="RE2")), "paused", "observed"),
        ((recording(PAUSED), recording(RUNNING, recording_id="RE2")), "unknown", "observed"),
        ((recording(PAUSED), recording(PAUSED, Proof.ACKNOWLEDGED)), "paused", "acknowledged"),
        ((recording(PAUSED), recording(PAUSED, Proof.NONE)), "paused", "none"),
    ],
)
def test_status_and_proof(recordings, status, proof):
    """
    The result's status is the one that all share, and its proof is the weakest.
    """
    result = outcome(Action.PAUSE, errors.UnconfirmedError, *recordings).as_dict()

    assert (result["status"], result["proof"]) == (status, proof)
