"""flow_callback, with the garbage collector left as it is."""

import gc


def leave_as_it_is() -> None:
    """Do nothing."""


gc.disable = gc.freeze = gc.enable = leave_as_it_is

from app import lambda_handler  # type: ignore[import-not-found]  # noqa: E402 -- must find it changed

__all__ = ["lambda_handler"]
