"""flow_callback, with its AWS client made by boto3 instead of botocore."""

from typing import Any

from call_recording import bootstrap  # isort: skip -- first, as in flow_callback

import boto3
from botocore.config import Config

from call_recording.aws import clients


def create_clients(*services: str) -> list[Any]:
    """Do what `call_recording.aws.clients` does."""
    config = Config(
        connect_timeout=clients.CONNECT_SECONDS,
        read_timeout=clients.READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
        tcp_keepalive=True,
        max_pool_connections=4,
    )
    session: Any = boto3.Session()
    return [session.client(service, config=config) for service in services]


vars(bootstrap)["create_clients"] = create_clients

from app import lambda_handler  # type: ignore[import-not-found]  # noqa: E402 -- must find it changed

__all__ = ["lambda_handler"]
