"""What runs beside."""

import threading

import pytest

from call_recording.aws.aside import ThreadAside
from call_recording.errors import UnavailableError


def test_it_runs_beside_its_caller():
    """Work goes on while its caller does, and the caller can wait for its end."""
    aside, begun, go_on, done = ThreadAside(), threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        assert go_on.wait(5)
        done.append(threading.current_thread())

    wait = aside(work)
    assert begun.wait(5)
    assert done == []
    go_on.set()
    wait()

    assert done[0] is not threading.current_thread()


def test_what_it_raises_is_raised_to_who_waits():
    """An error of the work is its caller's, when the caller asks."""

    def work() -> None:
        raise UnavailableError("SQS: AccessDenied")

    wait = ThreadAside()(work)
    with pytest.raises(UnavailableError, match="AccessDenied"):
        wait()


def test_one_that_hangs_does_not_stop_the_next():
    """Work of an invocation that did not wait for its end is not in the way of the next invocation's."""
    aside, go_on = ThreadAside(), threading.Event()
    hanging = aside(lambda: assert_set(go_on))
    aside(lambda: None)()
    go_on.set()
    hanging()

    assert go_on.is_set()


def assert_set(event: threading.Event) -> None:
    """Wait for an event."""
    assert event.wait(5)
