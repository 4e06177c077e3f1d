"""The vendor of a simulated world, from its own side: its calls and recordings, and what it was asked and has not done yet."""

from typing import Final, NamedTuple

from call_recording import errors
from call_recording.model import ACKNOWLEDGED_AS, Action, RecordingStatus
from tests.simulation.checks import Checks
from tests.simulation.choices import EFFECT
from tests.simulation.scripts import CALL_ID, PARENT_ID
from tests.simulation.world import World

RUNNING: Final = RecordingStatus.IN_PROGRESS
PAUSED: Final = RecordingStatus.PAUSED
_ACTIVE: Final = frozenset({RUNNING, PAUSED})


class Platform(NamedTuple):
    """What kind of vendor it is."""

    name: str
    reads: bool = True  #: whether it shows where a recording is
    current: str | None = None  #: its name for the one active recording
    names_status: bool = True  #: whether its answer to a command says what is now, and is final
    prompt: bool = True  #: whether it acts before it answers
    forgets: bool = False  #: whether it soon knows nothing of a call that is over
    lists_both: bool = (
        False  #: whether the recordings of a call that was made from another one are listed with that one's
    )


PLATFORMS: Final = {
    each.name: each
    for each in (
        Platform("twilio", current="CURRENT"),
        Platform("signalwire", lists_both=True),
        Platform("silent", names_status=False),  # an empty 2xx, and a read
        Platform("bandwidth", reads=False),
        Platform("bird", names_status=False, prompt=False, forgets=True),  # 202, and carried out later
    )
}


class Sent(NamedTuple):
    """A command that the vendor may act on later."""

    action: Action
    recording_id: str | None
    leg: str  #: that it was sent on
    by: str
    policy: str  #: when it lands


class Tape:
    """One recording: what it has been, since when."""

    def __init__(self, began: float, leg: str) -> None:
        self.began = began
        self.leg = leg  #: the leg of the call that it belongs to
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

    def __init__(
        self,
        world: World,
        checks: Checks,
        platform: Platform,
        *,
        in_flight: float,
        read_lag: float,
        has_parent: bool,
        reaches_up: bool,
    ) -> None:
        self.world = world
        self.checks = checks
        self.platform = platform
        self.in_flight = in_flight
        self.read_lag = read_lag
        #: the legs, and the one that each was made from
        self.parents: dict[str, str | None] = {CALL_ID: PARENT_ID, PARENT_ID: None} if has_parent else {CALL_ID: None}
        self.reaches_up = (
            reaches_up  #: whether a command of the one active recording acts on the parent's where a leg has none
        )
        self.live = set(self.parents)  #: those that have not ended
        self.tapes: dict[str, Tape] = {}
        self.pending: list[Sent] = []
        checks.watch(self)

    def start_recording(self, leg: str, *, unheard: bool = False) -> None:
        """A recording starts."""
        if leg in self.live:
            recording_id = f"RE{len(self.tapes) + 1}"
            self.tapes[recording_id] = Tape(self.world.now, leg)
            self.tapes[recording_id].unheard = unheard
            self.world.note("vendor", f"{recording_id} starts" + " on the parent" * (leg == PARENT_ID))
            self.checks.tape_changed()
            self.checks.recording_started(recording_id)

    def end_recording(self, leg: str) -> None:
        """The oldest recording ends."""
        active = self.active(leg)
        if active:
            self.change(active[0], RecordingStatus.COMPLETED)

    def hang_up(self, leg: str) -> None:
        """A leg of the call ends."""
        self.world.note("vendor", f"the call {leg} ends")
        self.live.discard(leg)
        for recording_id in self.active(leg):
            self.change(recording_id, RecordingStatus.COMPLETED)

    def active(self, leg: str) -> list[str]:
        """Return the recordings of a leg that have not ended."""
        return [each for each, tape in self.tapes.items() if tape.leg == leg and tape.status in _ACTIVE]

    def recorded_since(self, when: float, leg: str) -> bool:
        """Whether a leg has had a recording at any time since."""
        return any(
            tape.leg == leg and (tape.status in _ACTIVE or tape.history[-1][0] >= when) for tape in self.tapes.values()
        )

    def listed(self, leg: str) -> list[str]:
        """Return the recordings that the list of a leg has."""
        legs = {leg, self.parents[leg]} if self.platform.lists_both else {leg}
        return [each for each, tape in self.tapes.items() if tape.leg in legs]

    def change(self, recording_id: str, status: RecordingStatus) -> None:
        """A recording becomes something else."""
        tape = self.tapes[recording_id]
        if tape.status is not status:
            tape.history.append((self.world.now, status))
            self.world.note("vendor", f"{recording_id} is {status}")
            self.checks.tape_changed()

    def act(self, action: Action, recording_id: str | None, leg: str) -> str | None:
        """Carry a command out, and return the recording; raise what the vendor would say."""
        active = self.active(leg)
        if not active and self.reaches_up and recording_id == self.platform.current:
            leg = self.parents[leg] or leg
            active = self.active(leg)
        if leg not in self.live or (not active and self.platform.reads):
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

    def hold(self, action: Action, recording_id: str | None, leg: str, by: str) -> None:
        """Take a command without saying when it is carried out, or whether."""
        policy = self.world.choose(EFFECT)
        sent = Sent(action, recording_id, leg, by, policy)
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
            self.act(sent.action, sent.recording_id, sent.leg)
        except errors.VendorError:
            return
