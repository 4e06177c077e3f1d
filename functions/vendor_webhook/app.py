"""POST /webhooks/{account}: a vendor or a third party tells that a recording has started or ended, or a call is over."""

from typing import Any

from call_recording.bootstrap import bootstrap  # isort: skip -- first: it speeds up the imports that follow

from aws_lambda_powertools.utilities.typing import LambdaContext

from call_recording.aws.observability import instrumented
from call_recording.inbound.webhooks import VendorWebhooks

_offtape = bootstrap()
webhooks = VendorWebhooks(
    accounts=_offtape.accounts,
    recordings=_offtape.recordings,
    clock=_offtape.clock,
    observer=_offtape.observer,
    public_urls=_offtape.public_urls,
)


@instrumented
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take one delivery."""
    return webhooks.answer(event, seconds_left=context.get_remaining_time_in_millis() / 1000)
