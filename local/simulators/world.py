"""
What the simulated vendors remember: calls, their recordings, and what each tape heard.

Pure: no HTTP, no words of any vendor, and the time comes from the clock that is passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

Clock = Callable[[], datetime]


class Status(StrEnum):
    """Where a recording is. Each vendor's file says which word that vendor has for it."""

    IN_PROGRESS = "in-progress"
    PAUSED = "paused"
    #: Stopped while its call went on.
    STOPPED = "stopped"
    #: Its call is over.
    COMPLETED = "completed"


class TapeEvent(StrEnum):
    """What happened to a tape, as the control API calls it."""

    PAUSED = "paused"
    RESUMED = "resumed"
    STOPPED = "stopped"


class Happened(StrEnum):
    """What a platform may tell its customer of."""

    CALL_STARTED = "call started"
    CALL_ENDED = "call ended"
    RECORDING_STARTED = "recording started"
    RECORDING_PAUSED = "recording paused"
    RECORDING_RESUMED = "recording resumed"
    #: By itself, or with its call.
    RECORDING_STOPPED = "recording stopped"


#: A recording that can still change. A paused one is one of them.
LIVE: Final = frozenset({Status.IN_PROGRESS, Status.PAUSED})


class WorldError(Exception):
    """Something was asked that cannot happen (any more)."""


class CallOverError(WorldError):
    """The call has ended."""


class RecordingOverError(WorldError):
    """The recording has ended."""


def now() -> datetime:
    """The clock of a world that is not told otherwise."""
    return datetime.now(UTC)


def iso_milliseconds(at: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, as the control API and two of the vendors write a time."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing on a tape: something that was said, or something that was done to the tape."""

    at: datetime
    text: str | None = None
    event: TapeEvent | None = None


@dataclass(slots=True)
class Tape:
    """What a recording has on it, in order."""

    entries: list[Entry] = field(default_factory=list)

    def hear(self, at: datetime, text: str) -> None:
        """Keep what was said."""
        self.entries.append(Entry(at=at, text=text))

    def mark(self, at: datetime, event: TapeEvent) -> None:
        """Keep what was done."""
        self.entries.append(Entry(at=at, event=event))

    @property
    def last_event(self) -> TapeEvent | None:
        """What was done to the tape last, if anything was."""
        return next((entry.event for entry in reversed(self.entries) if entry.event is not None), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something has just happened to a call, or to a recording of it."""

    what: Happened
    call: Call
    recording: Recording | None = None


#: Is told of everything that happens, at once.
Listener = Callable[[Happening], None]


@dataclass(slots=True, kw_only=True, eq=False)
class Recording:
    """One recording of one call. Doing again what is already so changes nothing and leaves no mark."""

    recording_id: str
    call: Call = field(repr=False)
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None
    status: Status = Status.IN_PROGRESS
    tape: Tape = field(default_factory=Tape)

    @property
    def live(self) -> bool:
        """Whether it can still change."""
        return self.status in LIVE

    @property
    def seconds(self) -> int | None:
        """How long it lasted, once it has ended."""
        return None if self.ended_at is None else int((self.ended_at - self.started_at).total_seconds())

    def pause(self, at: datetime) -> None:
        """Hear nothing more until it is resumed."""
        self._change(at, Status.PAUSED, TapeEvent.PAUSED)

    def resume(self, at: datetime) -> None:
        """Hear again."""
        self._change(at, Status.IN_PROGRESS, TapeEvent.RESUMED)

    def stop(self, at: datetime) -> None:
        """End it for good."""
        self._change(at, Status.STOPPED, TapeEvent.STOPPED)

    def complete(self, at: datetime) -> None:
        """Its call is over."""
        if self.live:
            self.stop(at)
        self.status, self.updated_at = Status.COMPLETED, at

    def _change(self, at: datetime, status: Status, event: TapeEvent) -> None:
        if not self.live:
            raise RecordingOverError(f"recording {self.recording_id} has ended")
        if self.status is not status:
            self.status, self.updated_at = status, at
            if event is TapeEvent.STOPPED:
                self.ended_at = at
            self.tape.mark(at, event)
            self.call.tell(Happened(f"recording {event}"), self)


@dataclass(slots=True, kw_only=True, eq=False)
class Request:
    """One request that reached a vendor. Its status is None until (and unless) an answer is sent."""

    at: datetime
    method: str
    path: str
    status: int | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Call:
    """One leg of a call. What is said on a child leg is heard by the recordings of its parent."""

    call_id: str
    vendor: str
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None
    parent: Call | None = field(default=None, repr=False)
    children: list[Call] = field(default_factory=list, repr=False)
    recordings: list[Recording] = field(default_factory=list, repr=False)
    requests: list[Request] = field(default_factory=list, repr=False)
    #: What only one vendor knows of a call (Bird's channel, the word SignalWire uses after a resume).
    options: Mapping[str, str] = field(default_factory=dict)
    listeners: Sequence[Listener] = field(default=(), repr=False)

    def tell(self, what: Happened, recording: Recording | None = None) -> None:
        """Tell everyone who listens what has just happened."""
        for listener in self.listeners:
            listener(Happening(what=what, call=self, recording=recording))

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.ended_at is not None

    @property
    def live_recordings(self) -> list[Recording]:
        """Its recordings that can still change."""
        return [recording for recording in self.recordings if recording.live]


class World:
    """Every call of every vendor, and the only place where any of them changes."""

    def __init__(self, *, clock: Clock = now) -> None:
        self.clock: Final = clock
        #: Of every call, those that began before included.
        self.listeners: Final[list[Listener]] = []
        self._calls: Final[dict[str, Call]] = {}
        self._recordings: Final[dict[str, Recording]] = {}

    def start_call(
        self, *, vendor: str, call_id: str, parent: Call | None = None, options: Mapping[str, str] | None = None
    ) -> Call:
        """A call begins, or a child leg of a call does."""
        if parent is not None and parent.over:
            raise CallOverError(f"call {parent.call_id} has ended")
        at = self.clock()
        call = Call(
            call_id=call_id,
            vendor=vendor,
            started_at=at,
            updated_at=at,
            parent=parent,
            options=options or {},
            listeners=self.listeners,
        )
        if parent is not None:
            parent.children.append(call)
        self._calls[call_id] = call
        return call

    def start_recording(self, call: Call, recording_id: str) -> Recording:
        """A recording begins. It belongs to the parent of a child leg."""
        owner = call.parent or call
        if owner.over:
            raise CallOverError(f"call {owner.call_id} has ended")
        at = self.clock()
        recording = Recording(recording_id=recording_id, call=owner, started_at=at, updated_at=at)
        owner.recordings.append(recording)
        self._recordings[recording_id] = recording
        owner.tell(Happened.RECORDING_STARTED, recording)
        return recording

    def say(self, call: Call, text: str) -> list[Recording]:
        """Something is said on the call. The answer: the recordings that heard it."""
        if call.over:
            raise CallOverError(f"call {call.call_id} has ended")
        hearing = [
            recording for recording in (call.parent or call).recordings if recording.status is Status.IN_PROGRESS
        ]
        at = self.clock()
        for recording in hearing:
            recording.tape.hear(at, text)
        return hearing

    def end(self, call: Call) -> None:
        """The call ends, and with it its recordings and its child legs. Ending it again changes nothing."""
        if call.over:
            return
        at = self.clock()
        call.ended_at = call.updated_at = at
        for recording in call.recordings:
            recording.complete(at)
        for child in call.children:
            self.end(child)
        call.tell(Happened.CALL_ENDED)

    def call(self, call_id: str, *, vendor: str | None = None) -> Call | None:
        """The call of that id, if there is one (and it is that vendor's)."""
        call = self._calls.get(call_id)
        return call if call is None or vendor in (None, call.vendor) else None

    def recording(self, recording_id: str, *, vendor: str) -> Recording | None:
        """The recording of that id, if that vendor has it."""
        recording = self._recordings.get(recording_id)
        return recording if recording is None or recording.call.vendor == vendor else None

    def recordings_of(self, vendor: str) -> list[Recording]:
        """Every recording of that vendor, in the order in which they began."""
        return [recording for recording in self._recordings.values() if recording.call.vendor == vendor]

    def concerned(self, vendor: str, names: Iterable[str]) -> Call | None:
        """The call that a request is about, by the first of the names in it that is a call's or a recording's."""
        for name in names:
            if (call := self.call(name, vendor=vendor)) is not None:
                return call
            if (recording := self.recording(name, vendor=vendor)) is not None:
                return recording.call
        return None
