"""flow_callback, with certifi's bundle read at init instead of the hashed folder."""

from call_recording import bootstrap  # isort: skip -- first, as in flow_callback

import httpx

from call_recording.vendors import _exchange


def create_client(*, own_ca: bool) -> httpx.Client:
    """Make the vendors' client with httpx's own TLS context, as a plain checkout does."""
    return _exchange.create_client(_exchange.DeadlineTransport(httpx.create_ssl_context()), own_ca=own_ca)


vars(bootstrap)["create_client"] = create_client

from app import lambda_handler  # type: ignore[import-not-found]  # noqa: E402 -- must find it changed

__all__ = ["lambda_handler"]
