"""The table of ledgers tells of each that was saved: what happened is announced, and workflows that wait are told."""

from typing import Any

from call_recording.bootstrap import bootstrap_stream  # isort: skip -- first: it speeds up the imports that follow

from aws_lambda_powertools.utilities.typing import LambdaContext

from call_recording.aws.observability import instrumented

stream = bootstrap_stream()


@instrumented
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 -- as Lambda calls it
    """Take a batch of changes in their order, and name the one with which they are to come again, if any."""
    return stream.take(event["Records"])
