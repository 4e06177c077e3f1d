"""Whatever is sent to /flows and /webhooks: it is answered, and nothing that is not well-formed comes of it.

Every request carries a card's number somewhere.  None of it is in an answer, a log line, a metric, the table, the queue or
a request to a vendor.
"""

import json
from collections import Counter
from types import ModuleType
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

from call_recording.aws import observability
from call_recording.aws.ledgers import DynamoLedgers
from call_recording.aws.timers import QueueTimers
from call_recording.inbound.flows import FlowCallbacks
from call_recording.inbound.webhooks import VendorWebhooks
from tests import examples
from tests.functions.conftest import ENVIRONMENT
from tests.functions.strategies import MARKER, MARKUP, OTHERWISE, PARTS, PROOFS, STRANGE, events
from tests.unit.aws.fake_aws import FakeDynamo, FakeSqs
from tests.unit.fakes import (
    BEARER,
    CALLS,
    CHANNEL_ID,
    CREDENTIALS,
    KEYS,
    FakeClock,
    FakeContext,
    FakePlatforms,
    FakeSecretsManager,
    assemble,
    demo_secrets,
    flow_event,
)

UNCHECKED = [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture]


class Deployment:
    """Both functions with everything outside faked, and all that comes out of them."""

    def __init__(self, flow_app: ModuleType, webhook_app: ModuleType) -> None:
        clock = FakeClock()
        self.platforms, self.dynamo, self.sqs = FakePlatforms(), FakeDynamo(), FakeSqs()
        parts = assemble(
            secrets_manager=FakeSecretsManager(demo_secrets()),
            platforms=self.platforms,
            clock=clock,
            observer=observability.LogsAndMetrics(),
            ledgers=DynamoLedgers(self.dynamo, table="offtape-ledger", retention_days=400, clock=clock),
            timers=QueueTimers(
                self.sqs,
                timer_queue_url=ENVIRONMENT["TIMER_QUEUE_URL"],
                dead_letter_queue_url=ENVIRONMENT["DEAD_LETTER_QUEUE_URL"],
                clock=clock,
            ),
        )
        given: dict[str, Any] = {
            "accounts": parts.accounts,
            "recordings": parts.recordings,
            "clock": clock,
            "observer": parts.observer,
            "public_urls": ["https://voice.example.com:8443/ivr"],
        }
        flow_app.__dict__["flows"] = FlowCallbacks(**given)
        webhook_app.__dict__["webhooks"] = VendorWebhooks(**given)
        self._apps = {"flows": flow_app, "webhooks": webhook_app}

    def handle(self, event: dict[str, Any]) -> dict[str, Any]:
        """Hand an event to the function of its route."""
        return self._apps[event["routeKey"].split("/")[1]].lambda_handler(event, FakeContext())

    def enter(self) -> None:
        """Have a call of each vendor enter a step; what was asked and written for that is forgotten."""
        for vendor in CREDENTIALS:
            self.handle(flow_event({"call_id": CALLS[vendor], "channel_id": CHANNEL_ID}, vendor=vendor))
        self.dynamo.requests.clear()
        self.sqs.sent.clear()
        self.platforms.requests.clear()

    def kept(self) -> str:
        """Return everything that is kept or was sent."""
        asked = [f"{each.method} {each.url} {each.content!r}" for each in self.platforms.requests]
        return json.dumps([self.dynamo.items, self.dynamo.requests, self.sqs.sent, asked], default=str)

    def written(self) -> list[Any]:
        """Return what was written into the table or the queue, and asked of vendors."""
        puts = [request for kind, request in self.dynamo.requests if kind == "put"]
        return [*puts, *self.sqs.sent, *self.platforms.requests]


@pytest.fixture(name="apps", scope="module")
def _apps(load_app, webhook_app):
    return load_app("flow_callback"), webhook_app


#: What is answered to a request that is not taken, and to one that is.
REFUSED = frozenset({400, 401, 413, 415, 422})
TAKEN = frozenset({200, 204, 404, 409})


def check_secrecy(*seen: str) -> None:
    """Nothing of a card's number, and no key, is in what was *seen*."""
    for text in seen:
        assert MARKER not in text
        assert not [key for key in KEYS if key in text]


def answer_to(
    apps: tuple[ModuleType, ModuleType], event: dict[str, Any], *, entered: bool
) -> tuple[dict[str, Any], Deployment]:
    """Answer an event, on whose call a step is open if *entered*: what is refused has moved nothing."""
    deployment = Deployment(*apps)
    if entered:
        deployment.enter()
    answer = deployment.handle(event)

    assert answer["statusCode"] in REFUSED | TAKEN
    if answer["statusCode"] in REFUSED:
        assert deployment.written() == []
    check_secrecy(json.dumps(answer), deployment.kept())
    return answer, deployment


def without_markup(event: dict[str, Any]) -> dict[str, Any]:
    """Return the same request from somebody with a key who wants a status for an answer, not a document."""
    return event | {"rawQueryString": "", "headers": event["headers"] | {"authorization": BEARER}}


def test_scenario_35_whatever_is_sent_is_answered(apps, written):
    """An authenticated request, however odd, is answered without an error of ours, and moves nothing if it is refused.

    A document has no status to refuse with: the answer to the same request without one says whether it is refused.
    """
    statuses: Counter[int] = Counter()
    let_in: Counter[str] = Counter()
    documents: Counter[str] = Counter()

    @examples.settings(1000, suppress_health_check=UNCHECKED)
    @hypothesis.given(event=events(st.sampled_from(PROOFS), st.none()), entered=st.booleans())
    def answered(event, entered):
        answer, deployment = answer_to(apps, event, entered=entered)
        statuses[answer["statusCode"]] += 1
        let_in[event["requestContext"]["requestId"]] += answer["statusCode"] != 401
        if answer["statusCode"] != 200 or MARKUP not in event["rawQueryString"]:
            return
        asked_for = event["routeKey"].rpartition("/")[2]
        if (event["pathParameters"]["account"], asked_for) == ("demo-bandwidth", "stop"):
            assert deployment.platforms.requests == []  # the document itself stops, and needs less than a request would
        elif answer_to(apps, without_markup(event), entered=entered)[0]["statusCode"] in REFUSED:
            documents[asked_for] += 1
            assert deployment.written() == []
            assert (OTHERWISE in answer["body"]) is (asked_for != "left")  # who has left goes on as planned

    answered()
    check_secrecy(written())
    assert statuses.keys() >= {200, 204, 400, 401, 415, 422}
    assert [proof.name for proof in PROOFS if not let_in[proof.name]] == []
    assert documents.keys() == {"entered", "left", "stop"}


def test_scenario_20_whatever_a_stranger_sends_does_nothing(apps, written):
    """A request that proves nothing gets the one answer, and not even a read of the table is made for it."""

    @examples.settings(400, suppress_health_check=UNCHECKED)
    @hypothesis.given(event=events(STRANGE, st.none() | PARTS))
    def refused(event):
        deployment = Deployment(*apps)
        answer = deployment.handle(event)

        assert answer["statusCode"] == 401
        assert json.loads(answer["body"]) == {"type": "about:blank", "title": "Unauthorized", "status": 401}
        assert (deployment.written(), deployment.dynamo.requests) == ([], [])

    refused()
    check_secrecy(written())
