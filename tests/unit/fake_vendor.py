"""A vendor in memory: it keeps recordings, does as asked, and fails as told."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from call_recording import errors
from call_recording.model import ACKNOWLEDGED_AS, Action, Call, CallState, Proof, Recording, RecordingStatus, Trigger


class ManualClock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.oversleeps = 0.0  #: how much longer than asked a wait lasts

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds + (self.oversleeps if seconds else 0.0)


@dataclass(kw_only=True)
class Fault:
    """What happens to a request instead of the usual."""

    error: errors.VendorError | None = None
    applied: bool = True  #: whether an update is carried out all the same
    takes: float = 0.0  #: seconds until the answer, or until the timeout
    word: RecordingStatus | None = None  #: the status that the answer names instead of the true one
    omits: str | None = None  #: the recording that a list does not show yet
    meanwhile: dict[str, RecordingStatus] = field(default_factory=dict)  #: what becomes of recordings in this moment


@dataclass(kw_only=True)
class FakeVendor:
    """One account's calls; `CA` is the call, `RE1`, `RE2`, ... are its recordings.

    Where *leg* is another one, `CA` was made from it.
    """

    clock: ManualClock
    statuses: dict[str, RecordingStatus] = field(default_factory=lambda: {"RE1": RecordingStatus.IN_PROGRESS})
    name: str = "fake"
    reads: bool = True
    current_recording: str | None = "CURRENT"
    final: bool = True  #: whether its answer to an update is proof (a 200 that names the status)
    live: bool = True
    leg: str = "CA"  #: the leg that the recordings belong to
    legs: dict[str, str] = field(default_factory=dict)  #: where a recording belongs to another leg than that
    lists_all: bool = False  #: whether the list of `CA` names the recordings of its other leg too
    ended: set[str] = field(default_factory=set)  #: legs that are over, whatever the others are
    lag: float = 0.0  #: seconds between an answer and what it promised
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    renewals: int = 0
    later: list[tuple[float, str, RecordingStatus]] = field(default_factory=list)

    def fail(self, what: str, *faults: Fault) -> None:
        """Let the next requests of the kind *what* meet these faults, one each."""
        self.faults += [(what, fault) for fault in faults]

    def hang_up(self) -> None:
        """The call ends, and with it its recordings."""
        self.live = False
        self.statuses = dict.fromkeys(self.statuses, RecordingStatus.COMPLETED)

    def check_ids(self, call: Call, recording_id: str | None) -> None:
        if "unfit" in (call.call_id, recording_id):
            raise errors.InvalidTriggerError("call_id", "is not an id of this vendor")

    def check(self, trigger: Trigger) -> None:
        self.check_ids(trigger.call, trigger.recording_id)

    def renew(self) -> None:
        self.renewals += 1

    def update(self, call: Call, recording_id: str | None, action: Action, *, timeout: float) -> Recording:
        fault = self._meet(str(action), recording_id, timeout)
        if fault.error and not fault.applied:
            raise fault.error
        recording_id = self._resolve(call, recording_id)
        if recording_id is not None and fault.applied:
            self._change(recording_id, ACKNOWLEDGED_AS[action])
        if fault.error:
            raise fault.error
        if not self.reads:
            return Recording(
                recording_id=None, call_id=call.call_id, status=ACKNOWLEDGED_AS[action], proof=Proof.ACKNOWLEDGED
            )
        assert recording_id is not None
        if not self.final:
            return Recording(recording_id=recording_id, call_id=call.call_id, vendor_status="accepted")
        return self._show(recording_id, fault)

    def read(self, call: Call, recording_id: str, *, timeout: float) -> Recording:
        fault = self._meet("read", recording_id, timeout)
        if fault.error:
            raise fault.error
        if recording_id not in self.statuses or call.call_id != self._leg_of(recording_id):
            raise self.refusal(errors.RecordingNotFoundError, 404)
        return self._show(recording_id, fault)

    def recordings(self, call: Call, *, timeout: float) -> Sequence[Recording]:
        fault = self._meet("list", call.call_id, timeout)
        if fault.error:
            raise fault.error
        listed = [
            each
            for each in self.statuses
            if (self.lists_all and call.call_id == "CA") or call.call_id == self._leg_of(each)
        ]
        return [self._show(each, fault) for each in listed if each != fault.omits]

    def call_state(self, call: Call, *, timeout: float) -> CallState:
        fault = self._meet("call", call.call_id, timeout)
        if fault.error:
            raise fault.error
        return CallState(
            live=self.live and call.call_id not in self.ended,
            parent_call_id=self.leg if call.call_id == "CA" != self.leg else None,
        )

    def refusal(
        self, kind: type[errors.VendorError], http_status: int, *, retry_after: float | None = None
    ) -> errors.VendorError:
        return kind("refused", vendor=self.name, http_status=http_status, retry_after=retry_after)

    def _meet(self, what: str, target: str | None, timeout: float) -> Fault:
        """Note a request, and let the time of its fault pass: never more than the caller allowed."""
        self.asked.append((what, target))
        assert 0 < timeout <= 2.0
        fault = next((fault for kind, fault in self.faults if kind in (what, "any")), Fault())
        self.faults = [each for each in self.faults if each[1] is not fault]
        self.clock.sleep(min(fault.takes, timeout))
        if fault.takes > timeout:
            fault.error = fault.error or lost()
        self._catch_up()
        self.statuses |= fault.meanwhile
        return fault

    def _resolve(self, call: Call, recording_id: str | None) -> str | None:
        active = [
            each
            for each, status in self.statuses.items()
            if status in (_RUNNING, RecordingStatus.PAUSED) and call.call_id == self._leg_of(each)
        ]
        if not self.reads:
            return active[0] if active else None
        if recording_id == self.current_recording:
            if not active:
                raise self.refusal(errors.RecordingNotFoundError, 404)
            if len(active) > 1:
                raise self.refusal(errors.ConflictError, 400)
            return active[0]
        if recording_id not in active:
            raise self.refusal(errors.RecordingNotFoundError, 404)
        return recording_id

    def _leg_of(self, recording_id: str) -> str:
        return self.legs.get(recording_id, self.leg)

    def _change(self, recording_id: str, status: RecordingStatus) -> None:
        self.later.append((self.clock.monotonic() + self.lag, recording_id, status))
        self._catch_up()

    def _catch_up(self) -> None:
        for each in [due for due in self.later if due[0] <= self.clock.monotonic()]:
            self.later.remove(each)
            self.statuses[each[1]] = each[2]

    def _show(self, recording_id: str, fault: Fault) -> Recording:
        status = fault.word or self.statuses[recording_id]
        return Recording(
            recording_id=recording_id,
            call_id=self._leg_of(recording_id),
            status=status,
            vendor_status=str(status),
            proof=Proof.OBSERVED,
        )


_RUNNING = RecordingStatus.IN_PROGRESS


def lost() -> errors.OutcomeUnknownError:
    """An answer that never came."""
    return errors.OutcomeUnknownError("ReadTimeout", vendor="fake")


def unreachable() -> errors.VendorUnreachableError:
    """A request that was never sent."""
    return errors.VendorUnreachableError("ConnectError", vendor="fake")
