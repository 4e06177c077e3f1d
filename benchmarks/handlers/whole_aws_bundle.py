"""flow_callback, with botocore parsing certifi's bundle for each connection, as it does by itself."""

import os

import certifi

os.environ["AWS_CA_BUNDLE"] = certifi.where()

from app import lambda_handler  # type: ignore[import-not-found]

__all__ = ["lambda_handler"]
