"""Wraps flow_callback and changes nothing: the control. How far it is from 1.00 is the noise of a run."""

from app import lambda_handler  # type: ignore[import-not-found]

__all__ = ["lambda_handler"]
