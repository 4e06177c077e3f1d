"""A workflow that waits for the end of a step: its token comes into the ledger, and back out of it."""

from dataclasses import replace

import pytest

from call_recording import errors
from call_recording.awaiting import Completion, Ended
from call_recording.ledger_json import dumps
from call_recording.model import Action, Call, Trigger
from tests.unit.fake_world import World

TOKEN = "placeholder-task-token-0001"
TRIGGER = Trigger(account="acme", action=Action.PAUSE, step="card-entry", call=Call(call_id="CA"), by="workflow")


@pytest.fixture(name="world")
def _world() -> World:
    return World()


def wait(world: World, token: str = TOKEN) -> Completion | None:
    """Let a workflow wait."""
    return world.service.await_end(TRIGGER, token, world.own)


def test_the_token_is_kept(world):
    """While the pause is open the token is kept with it, and no vendor is asked."""
    world.enter()
    world.vendor.asked.clear()

    assert wait(world) is None
    assert (world.ledger.pauses["card-entry"].token, world.vendor.asked) == (TOKEN, [])


def test_a_task_that_is_carried_out_twice_is_one(world):
    """The same token again is kept already: nothing is written."""
    world.enter()
    wait(world)
    before = world.ledger

    assert (wait(world), world.ledger) == (None, before)


@pytest.mark.parametrize(("end", "ended"), [("leave", Ended.LEFT), ("stop", Ended.STOPPED)])
def test_scenario_34_what_is_closed_is_told_at_once(world, end, ended):
    """A pause that ended before the workflow came to wait is told as what it was."""
    world.enter()
    getattr(world, end)()

    assert wait(world) == Completion(TOKEN, "card-entry", ended)


def test_scenario_26_what_was_entered_again_is_told_at_once(world):
    """A pause that its flow has extended before the workflow came to wait is told with what it is now."""
    world.enter()
    mine = world.ledger.pauses["card-entry"].pause_id
    world.enter()
    pause = world.ledger.pauses["card-entry"]
    trigger = replace(TRIGGER, pause_id=mine)

    told = world.service.await_end(trigger, TOKEN, world.own)
    assert (pause.pause_id != mine, told) == (True, Completion(TOKEN, "card-entry", Ended.EXTENDED, pause))
    assert world.service.await_end(replace(trigger, pause_id=pause.pause_id), TOKEN, world.own) is None
    assert world.ledger.pauses["card-entry"].token == TOKEN


def test_scenario_15_somebody_writes_meanwhile(world):
    """A conflict is decided again: the pause may have been closed by then."""
    world.enter()
    world.ledgers.before.append(("save", lambda: world.put(replace(world.ledger, pauses={}, over=True))))

    assert wait(world) == Completion(TOKEN, "card-entry", Ended.CALL_OVER)


def test_a_lost_answer_is_looked_up(world):
    """A put whose answer is lost is found in the ledger."""
    world.enter()
    world.ledgers.lost = 1

    assert wait(world) is None
    assert world.ledger.pauses["card-entry"].token == TOKEN


def test_too_many_at_once(world):
    """A ledger that never stands still is unavailable: the task is repeated."""
    world.enter()

    def somebody() -> None:
        world.put(replace(world.ledger, changes=world.ledger.changes + 1))

    world.ledgers.before += [("save", somebody)] * 9
    with pytest.raises(errors.UnavailableError):
        wait(world)


def test_an_id_of_nobody(world):
    """What is no id of the vendor's is refused before anything is looked up."""
    with pytest.raises(errors.InvalidTriggerError):
        world.service.await_end(replace(TRIGGER, call=Call(call_id="unfit")), TOKEN, world.own)


def test_the_token_goes_with_the_pause(world):
    """When the step is left nothing of the token stays in the ledger."""
    world.enter()
    wait(world)
    world.leave()

    assert TOKEN not in dumps(world.ledger)
