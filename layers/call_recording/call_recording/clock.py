"""The system's time."""

import time


class SystemClock:
    """Time as it passes."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)
