"""Requests that come again: as something else they stop nothing, and they wash out no ids of those who send any."""

from hashlib import sha256

import pytest

from call_recording import errors
from call_recording.ledger_parts import MAX_SEEN, remembered
from call_recording.model import RecordingStatus, Verdict
from tests.unit.fake_vendor import Fault, lost
from tests.unit.fake_world import World
from tests.unit.ledger_words import enter, new, record, report, take

RUNNING, PAUSED, STOPPED = RecordingStatus.IN_PROGRESS, RecordingStatus.PAUSED, RecordingStatus.STOPPED


@pytest.fixture(name="world")
def _world() -> World:
    return World()


def given(number: int | str) -> str:
    """The id of an event that its sender has given, as it is kept."""
    return sha256(f"event {number}".encode()).hexdigest()


class TestRemembered:
    """Which ids a ledger keeps."""

    def test_all_are_kept_as_long_as_there_is_room(self):
        """Up to the limit nothing is forgotten, and the order stays."""
        seen = tuple(given(number) if number % 2 else f"nonce-{number}" for number in range(MAX_SEEN - 2))

        assert remembered(seen, ["a", given("b")]) == (*seen, "a", given("b"))

    def test_scenario_19_ours_go_before_those_of_senders(self):
        """Ids of our own making go first, the oldest of them first; those of senders stay, in their order."""
        seen = tuple(given(number) if number % 2 else f"nonce-{number}" for number in range(MAX_SEEN))
        kept = [*seen[1:2], *seen[3:]]

        assert remembered(seen, ["new-1", given("new")]) == (*kept, "new-1", given("new"))

    def test_scenario_19_of_senders_the_oldest_goes(self):
        """Where there are none of ours, the oldest goes, and the latest stays."""
        seen = tuple(map(given, range(MAX_SEEN)))

        assert remembered(seen, [given("new")]) == (*seen[1:], given("new"))

    def test_an_id_of_ours_finds_no_room_among_those_of_senders(self):
        """Where all others are of senders, one of ours is not kept."""
        seen = tuple(map(given, range(MAX_SEEN)))

        assert remembered(seen, ["nonce-1"]) == seen

    def test_scenario_19_a_ledger_keeps_them_so(self):
        """A ledger remembers what a sender has told, however often others tell of it without an id."""
        ledger = enter(new(), event_id=given(1), pause_id="P1")
        for number in range(3 * MAX_SEEN):
            ledger = enter(ledger, event_id=f"nonce-{number}", pause_id=f"P{number}")

        assert (len(ledger.seen), ledger.seen[0]) == (MAX_SEEN, given(1))
        assert enter(ledger, event_id=given(1)) is ledger


class TestStorm:
    """Somebody repeats one captured request as often as he likes."""

    @pytest.mark.parametrize("times", [MAX_SEEN, 3 * MAX_SEEN])
    def test_scenario_19_an_old_left_still_releases_nothing(self, world, times):
        """After any number of events that have no id, a `left` of an earlier visit is known to be one."""
        world.enter(event_id=given("E1"))
        world.leave(event_id=given("E2"))
        world.enter(event_id=given("E3"))
        for _ in range(times):
            world.start("RE1")
        assert world.leave(event_id=given("E2")).verdict is Verdict.HELD
        assert (world.statuses, world.ledger.pauses.keys()) == ({"paused"}, {"card-entry"})
        assert not [each for each in ("E1", "E2", "E3") if given(each) not in world.ledger.seen]

    def test_scenario_19_nor_after_flows_without_ids(self, world):
        """Triggers that have no id push out none that has one."""
        world.enter(event_id=given("E1"))
        world.leave(event_id=given("E2"))
        for _ in range(MAX_SEEN):
            world.enter("other-step")
        world.enter(event_id=given("E3"))

        assert world.leave(event_id=given("E2")).verdict is Verdict.HELD

    def test_scenario_19_nor_after_stops_without_ids(self, world):
        """Nor does a stop of one recording that has no id, though what is kept of it has the length of one."""
        world.vendor.statuses["RE2"] = RecordingStatus.COMPLETED
        world.enter(event_id=given("E1"))
        world.leave(event_id=given("E2"))
        world.enter(event_id=given("E3"))
        for _ in range(MAX_SEEN):
            world.stop(recording_id="RE2")

        assert world.leave(event_id=given("E2")).verdict is Verdict.HELD


class TestErrandAgain:
    """A stop of one recording, named, by an event that was seen before."""

    def test_scenario_14_the_same_stop_twice(self, world):
        """The same event of the same recording a second time finds that it was stopped, and is noted once."""
        first = world.stop(recording_id="RE1", event_id="E1")
        again = world.stop(recording_id="RE1", event_id="E1")

        assert (first.verdict, again.verdict, again.error) == (Verdict.CONFIRMED, Verdict.CONFIRMED, None)
        assert [each.recording_id for each in again.recordings] == ["RE1"]
        assert (world.events.count("stop of one asked"), world.statuses) == (1, {"stopped"})

    def test_scenario_02_the_first_time_came_to_nothing(self, world):
        """A stop that was written down, and never sent or lost, is sent when the same event comes again."""
        world.vendor.fail("any", *[Fault(error=lost(), applied=False) for _ in range(99)])
        assert world.stop(recording_id="RE1", event_id="E1").verdict is Verdict.UNKNOWN
        world.vendor.faults.clear()

        assert world.stop(recording_id="RE1", event_id="E1").verdict is Verdict.CONFIRMED
        assert world.statuses == {"stopped"}

    def test_scenario_20_an_id_of_another_request_stops_nothing(self, world):
        """An event that has opened a pause does not stop its tape: it is paused, and the answer says so."""
        world.enter(recording_id="RE1", event_id="E1")
        stop = world.stop(recording_id="RE1", event_id="E1")

        assert (stop.verdict, stop.error) == (Verdict.UNCONFIRMED, errors.UnconfirmedError)
        assert (world.vendor.asked, world.statuses) == ([("read", "RE1")], {"paused"})

    def test_scenario_20_nor_of_another_recording(self, world):
        """An event that has stopped one recording stops no other one."""
        world.vendor.statuses = {"RE1": RUNNING, "RE2": RUNNING}
        world.stop(recording_id="RE1", event_id="E1")
        stop = world.stop(recording_id="RE2", event_id="E1")

        assert (stop.verdict, world.vendor.statuses) == (Verdict.UNCONFIRMED, {"RE1": STOPPED, "RE2": RUNNING})
        assert world.commands == []

    @pytest.mark.parametrize(
        ("fault", "error"),
        [(lost, errors.OutcomeUnknownError), (None, errors.RecordingNotFoundError)],
        ids=["no answer", "not known"],
    )
    def test_scenario_19_the_read_fails(self, world, fault, error):
        """If the read of a recording that is not to be stopped fails, that is the answer; nothing is stopped for it."""
        world.enter(event_id="E1")
        if fault is None:
            del world.vendor.statuses["RE1"]
        else:
            world.vendor.fail("read", *[Fault(error=fault()) for _ in range(99)])
        stop = world.stop(recording_id="RE1", event_id="E1")

        assert (stop.error, world.commands) == (error, [])

    def test_scenario_20_a_recording_that_is_stopped_already(self, world):
        """Where an event of something else names a recording that was stopped, the answer is that it is."""
        world.enter(event_id="E1")
        world.vendor.statuses["RE1"] = STOPPED
        stop = world.stop(recording_id="RE1", event_id="E1")

        assert (stop.verdict, stop.error, world.vendor.asked) == (Verdict.CONFIRMED, None, [("read", "RE1")])

    def test_scenario_15_after_a_conflict_it_is_stopped_once(self, world):
        """A new event is new also where somebody else has written the ledger meanwhile."""
        world.enter()
        world.ledgers.before.append(("save", lambda: world.put(enter(world.ledger, step="other"))))
        stop = world.stop(recording_id="RE1", event_id="E1")

        assert (stop.verdict, world.commands) == (Verdict.CONFIRMED, ["stop"])

    def test_scenario_02_after_a_lost_answer_of_the_table(self, world):
        """A new event is new also where the answer to its own write was lost."""
        world.enter()
        world.ledgers.lost = 1
        stop = world.stop(recording_id="RE1", event_id="E1")

        assert (stop.verdict, world.commands) == (Verdict.CONFIRMED, ["stop"])

    def test_scenario_15_after_it_had_to_wait(self, world):
        """A new event that left word, and waited for somebody else's outcome, is new when its turn comes."""
        world.put(take(enter(new(), world.clock.now()), world.clock.now(), holder="other"))

        def recorded() -> None:
            world.put(record(world.ledger, report(PAUSED, asked_at=world.clock.now()), world.clock.now()))

        world.clock.at(1.0, recorded)
        stop = world.stop(recording_id="RE1", event_id="E1")

        assert (stop.verdict, world.commands) == (Verdict.CONFIRMED, ["stop"])
        assert world.events.count("stop of one asked") == 1

    def test_without_an_id_each_is_new(self, world):
        """A stop without an id is sent each time: nothing makes two of them the same."""
        world.stop(recording_id="RE1")
        world.stop(recording_id="RE1")

        assert world.commands == ["stop"]
