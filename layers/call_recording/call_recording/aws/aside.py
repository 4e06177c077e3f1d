"""Two things at once: the ledger is saved while its reminder is sent, so that a caller waits for one round trip, not two."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

#: An invocation has one thing beside; a second thread is for one that an invocation before left unfinished.
THREADS: Final = 2


class ThreadAside:
    """Runs work in a thread.  Never a command to a vendor: that must not outlive its invocation."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS)

    def __call__(self, work: Callable[[], None]) -> Callable[[], None]:
        """Start *work*; what is returned waits until it is done, and raises what it raised."""
        return self._pool.submit(work).result
