"""flow_callback, with botocore reading one certificate instead of certifi's whole bundle."""

import os

os.environ["AWS_CA_BUNDLE"] = os.environ["BENCH_CA"]

from app import lambda_handler  # type: ignore[import-not-found]

__all__ = ["lambda_handler"]
