"""The vendor of a simulated world, from its own side: its calls and recordings, and what it was asked and has not done yet."""

from typing import Final, NamedTuple

from call_recording import errors
from call_recording.model import ACKNOWLEDGED_AS, Action, RecordingStatus
from tests.simulation.checks import Checks
from tests.simulation.choices import EFFECT
from tests.simulation.world import World

RUNNING: Final = RecordingStatus.IN_PROGRESS
PAUSED: Final = RecordingStatus.PAUSED
_ACTIVE: Final = frozenset({RUNNING, PAUSED})

#: The call's id, and the one of its first recording.
CALL_ID: Final = "CA"


class Platform(NamedTuple):
    """What kind of vendor it is."""

    name: str
    reads: bool = True  #: whether it shows where a recording is
    current: str | None = None  #: its name for the one active recording
    names_status: bool = True  #: whether its answer to a command says what is now, and is final
    prompt: bool = True  #: whether it acts before it answers
    forgets: bool = False  #: whether it soon knows nothing of a call that is over


PLATFORMS: Final = {
    each.name: each
    for each in (
        Platform("twilio", current="CURRENT"),
        Platform("signalwire"),
        Platform("silent", names_status=False),  # an empty 2xx, and a read
        Platform("bandwidth", reads=False),
        Platform("bird", names_status=False, prompt=False, forgets=True),  # 202, and carried out later
    )
}


class Sent(NamedTuple):
    """A command that the vendor may act on later."""

    action: Action
    recording_id: str | None
    by: str
    policy: str  #: when it lands


class Tape:
    """One recording: what it has been, since when."""

    def __init__(self, began: float) -> None:
        self.began = began
        self.unheard = False  #: whether nobody told us that it began
        self.history: list[tuple[float, RecordingStatus]] = [(began, RUNNING)]

    @property
    def status(self) -> RecordingStatus:
        """What it is now."""
        return self.history[-1][1]

    def status_at(self, when: float) -> RecordingStatus:
        """Return what it was."""
        return next((status for since, status in reversed(self.history) if since <= when), self.history[0][1])


class Switchboard:
    """The vendor's own side: the call and its recordings, and what it has been asked and not yet done."""

    def __init__(self, world: World, checks: Checks, platform: Platform, *, in_flight: float, read_lag: float) -> None:
        self.world = world
        self.checks = checks
        self.platform = platform
        self.in_flight = in_flight
        self.read_lag = read_lag
        self.live = True
        self.tapes: dict[str, Tape] = {}
        self.pending: list[Sent] = []
        checks.board = self

    def start_recording(self, *, unheard: bool = False) -> None:
        """A recording starts."""
        if self.live:
            recording_id = f"RE{len(self.tapes) + 1}"
            self.tapes[recording_id] = Tape(self.world.now)
            self.tapes[recording_id].unheard = unheard
            self.world.note("vendor", f"{recording_id} starts")
            self.checks.tape_changed()
            self.checks.recording_started(recording_id)

    def end_recording(self) -> None:
        """The oldest recording ends."""
        active = self.active()
        if active:
            self.change(active[0], RecordingStatus.COMPLETED)

    def hang_up(self) -> None:
        """The call ends."""
        self.world.note("vendor", "the call ends")
        self.live = False
        for recording_id in self.active():
            self.change(recording_id, RecordingStatus.COMPLETED)

    def active(self) -> list[str]:
        """Return the recordings that have not ended."""
        return [recording_id for recording_id, tape in self.tapes.items() if tape.status in _ACTIVE]

    def change(self, recording_id: str, status: RecordingStatus) -> None:
        """A recording becomes something else."""
        tape = self.tapes[recording_id]
        if tape.status is not status:
            tape.history.append((self.world.now, status))
            self.world.note("vendor", f"{recording_id} is {status}")
            self.checks.tape_changed()

    def act(self, action: Action, recording_id: str | None) -> str | None:
        """Carry a command out, and return the recording; raise what the vendor would say."""
        active = self.active()
        if not self.live or (not active and self.platform.reads):
            raise self.refusal(errors.RecordingNotFoundError, 404)
        if not self.platform.reads:
            for each in active:  # with none it is a yes to nothing
                self.change(each, ACKNOWLEDGED_AS[action])
            return None
        if recording_id == self.platform.current:
            if len(active) > 1:
                raise self.refusal(errors.ConflictError, 400)
            recording_id = active[0]
        if recording_id not in active:
            raise self.refusal(errors.RecordingNotFoundError, 404)
        self.change(recording_id, ACKNOWLEDGED_AS[action])
        return recording_id

    def hold(self, action: Action, recording_id: str | None, by: str) -> None:
        """Take a command without saying when it is carried out, or whether."""
        policy = self.world.choose(EFFECT)
        sent = Sent(action, recording_id, by, policy)
        self.world.note("vendor", f"has {by}'s {action}; it lands: {policy}")
        if policy == "at once":
            self._land(sent)
            return
        self.pending.append(sent)
        delay = {"soon": 0.4, "late": 3.0}.get(policy, self.in_flight)
        self.world.at(self.world.now + min(delay, self.in_flight) - 0.001, lambda: self._expire(sent))

    def release(self, policy: str, *, but: str = "") -> None:
        """Let land what waited for this moment."""
        for sent in [each for each in self.pending if each.policy == policy and each.by != but]:
            self.pending.remove(sent)
            self._land(sent)

    def refusal(self, kind: type[errors.VendorError], http_status: int | None) -> errors.VendorError:
        """Return a definite no."""
        return kind("refused", vendor=self.platform.name, http_status=http_status)

    def _expire(self, sent: Sent) -> None:
        for index, each in enumerate(self.pending):
            if each is sent:
                del self.pending[index]
                if sent.policy == "never":
                    self.world.note("vendor", f"never carries {sent.by}'s {sent.action} out")
                else:
                    self._land(sent)
                return

    def _land(self, sent: Sent) -> None:
        self.world.note("vendor", f"carries {sent.by}'s {sent.action} out, without an answer")
        try:
            self.act(sent.action, sent.recording_id)
        except errors.VendorError:
            return
