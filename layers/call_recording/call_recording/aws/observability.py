"""The one logger and the one set of metrics; both are named by POWERTOOLS_* in template.yaml.

Nothing here is ever given a payload, a header or a secret: only names, ids, words and counts.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from ..errors import VendorError
from ..model import Notice, RecordingEvent
from ..outcome import Outcome

logger = Logger()
metrics = Metrics()

# At DEBUG these write whole requests and answers, secrets and tokens among them, whatever level a function is set to.
for _library in ("boto3", "botocore", "urllib3", "httpx", "httpcore"):
    logging.getLogger(_library).setLevel(logging.WARNING)

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def instrumented(handler: Handler) -> Handler:
    """Give each log line the invocation's request id, and send the metrics when the handler ends."""
    # said aloud: POWERTOOLS_LOGGER_LOG_EVENT in the environment would otherwise log whole events, card digits and keys
    return logger.inject_lambda_context(metrics.log_metrics(handler), clear_state=True, log_event=False)


class LogsAndMetrics:
    """Tells operators what happened."""

    def handled(self, outcome: Outcome, error: VendorError | None) -> None:
        """Log one line for each trigger, and count its verdict."""
        write = logger.info if outcome.error is None else logger.error
        write(
            "trigger handled",
            account=outcome.trigger.account,
            vendor=outcome.vendor,
            call_id=outcome.trigger.call.call_id,
            step=outcome.trigger.step,
            action=outcome.trigger.action,
            verdict=outcome.verdict,
            status=outcome.status,
            proof=outcome.proof,
            recordings=len(outcome.recordings),
            elapsed_ms=outcome.elapsed_ms,
            error=type(error).__name__ if error else None,
            reason=str(error) if error else None,
        )
        metrics.add_dimension("vendor", outcome.vendor)
        words = f"{outcome.trigger.action}-{outcome.verdict}".split("-")
        metrics.add_metric("".join(map(str.capitalize, words)), MetricUnit.Count, 1)
        metrics.add_metric("Elapsed", MetricUnit.Milliseconds, outcome.elapsed_ms)

    def webhook_taken(self, events: Sequence[RecordingEvent], *, account: str, vendor: str) -> None:
        """Log what a webhook tells of a call, and count it; one that tells nothing is counted only."""
        for event in events:
            call_id, happening = event.call.call_id, event.happening
            logger.info("webhook taken", account=account, vendor=vendor, call_id=call_id, happening=happening)
        metrics.add_dimension("vendor", vendor)
        metrics.add_metric("WebhookTaken" if events else "WebhookIgnored", MetricUnit.Count, 1)

    def refused(self, reason: str, *, account: str | None = None, field: str | None = None) -> None:
        """Log and count a trigger that was turned away before any vendor was asked."""
        logger.warning("trigger refused", reason=reason, account=account, field=field)
        metrics.add_metric("TriggerRefused", MetricUnit.Count, 1)

    def noticed(
        self,
        notice: Notice,
        *,
        account: str,
        call_id: str | None = None,
        step: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Log and count something that operators should know of.

        It is counted apart: whatever else an invocation counts has the dimension `vendor` once there is an answer.
        """
        logger.warning(str(notice), account=account, call_id=call_id, step=step, reason=reason)
        name = "".join(map(str.capitalize, notice.split("-")))
        with single_metric(
            name=name, unit=MetricUnit.Count, value=1, default_dimensions={"service": str(metrics.service)}
        ):
            pass

    def swept(self, due: int) -> None:
        """Count what was due: a sweep that finds nothing shows all the same that there was one."""
        metrics.add_metric("CallsDue", MetricUnit.Count, due)

    def announced(self, count: int) -> None:
        """Count what was put on the bus: a stream that tells nothing new shows all the same that it is read."""
        metrics.add_metric("EventsAnnounced", MetricUnit.Count, count)

    def misconfigured(self, account: str, field: str, problem: str) -> None:
        """Log and count a secret that does not fit."""
        logger.error(
            "the secret of this account does not fit: mend the field, then wait for SECRET_TTL_SECONDS",
            account=account,
            field=field,
            problem=problem,
        )
        metrics.add_metric("SecretMisconfigured", MetricUnit.Count, 1)
