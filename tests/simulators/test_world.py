"""What the simulated vendors remember."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from local.simulators.world import (
    CallOverError,
    Entry,
    Happened,
    RecordingOverError,
    Status,
    TapeEvent,
    World,
    iso_milliseconds,
)

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class TickingClock:
    """A second later each time."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        """The next second."""
        self.at += timedelta(seconds=1)
        return self.at


@pytest.fixture(name="world")
def _world() -> World:
    return World(clock=TickingClock())


def heard(recording) -> list[str]:
    """What is on its tape."""
    return [entry.text or f"[{entry.event}]" for entry in recording.tape.entries]


class TestTape:
    """What a recording keeps."""

    def test_hears_only_while_it_is_in_progress(self, world):
        """What is said while a recording is paused or stopped is not on its tape."""
        call = world.start_call(vendor="twilio", call_id="c")
        recording = world.start_recording(call, "r")
        for change, text in ((None, "one"), ("pause", "two"), ("resume", "three"), ("stop", "four")):
            if change:
                getattr(recording, change)(world.clock())
            world.say(call, text)

        assert heard(recording) == ["one", "[paused]", "[resumed]", "three", "[stopped]"]

    def test_entries_carry_the_time_of_the_clock(self, world):
        """Every entry says when it was made."""
        call = world.start_call(vendor="twilio", call_id="c")
        recording = world.start_recording(call, "r")
        world.say(call, "hello")

        assert recording.tape.entries == [Entry(at=NOON + timedelta(seconds=3), text="hello")]

    def test_two_recordings_have_two_tapes(self, world):
        """What is said is heard by every recording in progress, and pausing one leaves the other."""
        call = world.start_call(vendor="twilio", call_id="c")
        first, second = world.start_recording(call, "r1"), world.start_recording(call, "r2")
        first.pause(world.clock())

        assert world.say(call, "hello") == [second]
        assert (heard(first), heard(second)) == (["[paused]"], ["hello"])


class TestRecording:
    """How a recording changes."""

    @pytest.mark.parametrize(("change", "status"), [("pause", Status.PAUSED), ("resume", Status.IN_PROGRESS)])
    def test_doing_it_twice_leaves_one_mark(self, world, change, status):
        """Asking for what is already so changes nothing."""
        recording = world.start_recording(world.start_call(vendor="twilio", call_id="c"), "r")
        getattr(recording, change)(world.clock())
        before = list(recording.tape.entries)
        getattr(recording, change)(world.clock())

        assert recording.status is status
        assert recording.tape.entries == before

    @pytest.mark.parametrize("change", ["pause", "resume", "stop"])
    def test_one_that_has_ended_cannot_change(self, world, change):
        """A stopped recording stays stopped."""
        recording = world.start_recording(world.start_call(vendor="twilio", call_id="c"), "r")
        recording.stop(world.clock())

        with pytest.raises(RecordingOverError):
            getattr(recording, change)(world.clock())

    def test_stop_ends_a_paused_one(self, world):
        """A paused recording can be stopped, and is then as long as it was."""
        recording = world.start_recording(world.start_call(vendor="twilio", call_id="c"), "r")
        recording.pause(world.clock())
        recording.stop(world.clock())

        assert recording.tape.last_event is TapeEvent.STOPPED
        assert recording.seconds == 2


class TestCall:
    """How a call goes."""

    def test_its_end_completes_its_recordings(self, world):
        """When the call ends every recording of it is over, with one mark at the end of each tape."""
        call = world.start_call(vendor="twilio", call_id="c")
        running, stopped = world.start_recording(call, "r1"), world.start_recording(call, "r2")
        stopped.stop(world.clock())
        world.end(call)
        world.end(call)

        assert [recording.status for recording in call.recordings] == [Status.COMPLETED] * 2
        assert heard(running) == heard(stopped) == ["[stopped]"]

    def test_nothing_happens_on_one_that_is_over(self, world):
        """Nobody speaks, and nothing starts, on a call that has ended."""
        call = world.start_call(vendor="twilio", call_id="c")
        world.end(call)

        for attempt in (
            lambda: world.say(call, "hello"),
            lambda: world.start_recording(call, "r"),
            lambda: world.start_call(vendor="twilio", call_id="child", parent=call),
        ):
            with pytest.raises(CallOverError):
                attempt()

    def test_a_child_leg_is_on_its_parents_tape(self, world):
        """What is said on a child leg, and a recording started on it, are the parent's."""
        parent = world.start_call(vendor="twilio", call_id="p")
        child = world.start_call(vendor="twilio", call_id="c", parent=parent)
        recording = world.start_recording(child, "r")
        world.say(child, "hello")

        assert parent.recordings == [recording]
        assert child.recordings == []
        assert heard(recording) == ["hello"]

    def test_a_child_leg_ends_with_its_parent_and_not_the_reverse(self, world):
        """The end of a child leg leaves the parent; the end of the parent ends both."""
        parent = world.start_call(vendor="twilio", call_id="p")
        first = world.start_call(vendor="twilio", call_id="c1", parent=parent)
        second = world.start_call(vendor="twilio", call_id="c2", parent=parent)
        world.end(first)

        assert (first.over, parent.over, second.over) == (True, False, False)
        world.end(parent)
        assert (parent.over, second.over) == (True, True)


class TestLookUp:
    """How a request finds its call."""

    def test_by_the_call_or_by_a_recording(self, world):
        """The first name that is a call's or a recording's says which call a request is about."""
        call = world.start_call(vendor="twilio", call_id="c")
        world.start_recording(call, "r")

        assert world.concerned("twilio", ["Accounts", "c", "Recordings"]) is call
        assert world.concerned("twilio", ["Recordings", "r"]) is call
        assert world.concerned("twilio", ["Recordings", "other"]) is None

    def test_not_across_vendors(self, world):
        """One vendor's ids mean nothing to another."""
        call = world.start_call(vendor="twilio", call_id="c")
        world.start_recording(call, "r")

        assert world.concerned("bird", ["c", "r"]) is None
        assert world.call("c", vendor="bird") is None
        assert world.recording("r", vendor="bird") is None
        assert world.recordings_of("bird") == []


def test_times_have_milliseconds_and_a_z():
    """A time is written as ISO 8601 in UTC with milliseconds."""
    assert iso_milliseconds(NOON) == "2026-11-22T12:00:00.000Z"


class TestListeners:
    """Who is told of what happens."""

    @pytest.fixture(name="told")
    def _told(self, world):
        told = []
        world.listeners.append(lambda each: told.append((each.what, each.call.call_id, each.recording)))
        return told

    def test_are_told_of_everything_as_it_happens(self, world, told):
        """Each change of a recording is told once, and the end of a call after those of its recordings and legs."""
        call = world.start_call(vendor="twilio", call_id="c")
        child = world.start_call(vendor="twilio", call_id="child", parent=call)
        recording = world.start_recording(child, "r")
        for change in ("pause", "pause", "resume"):
            getattr(recording, change)(world.clock())
        world.end(call)
        world.end(call)

        assert told == [
            (Happened.RECORDING_STARTED, "c", recording),
            (Happened.RECORDING_PAUSED, "c", recording),
            (Happened.RECORDING_RESUMED, "c", recording),
            (Happened.RECORDING_STOPPED, "c", recording),
            (Happened.CALL_ENDED, "child", None),
            (Happened.CALL_ENDED, "c", None),
        ]

    def test_a_recording_is_over_when_its_end_is_told(self, world):
        """A listener sees how long it lasted; a recording that was stopped is not told of again with its call."""
        seconds = []
        world.listeners.append(lambda each: seconds.append(each.recording and each.recording.seconds))
        call = world.start_call(vendor="twilio", call_id="c")
        world.start_recording(call, "r").stop(world.clock())
        world.end(call)

        assert seconds == [None, 1, None]
