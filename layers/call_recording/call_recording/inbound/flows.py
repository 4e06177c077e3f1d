"""POST /flows/{account}/{step}/entered, left and stop: verify, parse, hand on, answer."""

from collections.abc import Mapping
from typing import Any, Final

from .. import errors
from ..account import AccountSecret
from ..model import Action, Deadline, Trigger
from ..outcome import Outcome
from ..ports import AccountSecrets, Clock, Observer
from ..service import RecordingService
from . import answers, markup
from .authentication import DECOY, is_authentic
from .fields import parse_body, parse_trigger
from .request import InboundRequest

#: Map a route of template.yaml: what it asks for.
ACTIONS: Mapping[str, Action] = {
    "POST /flows/{account}/{step}/entered": Action.PAUSE,
    "POST /flows/{account}/{step}/left": Action.RESUME,
    "POST /flows/{account}/{step}/stop": Action.STOP,
}

#: A refusal is given no sooner than this after its request came to us, seconds: longer than Secrets Manager takes
#: to say that it does not know a name, so that an unknown account looks like a wrong key.
REFUSAL_SECONDS: Final = 0.25

#: Kept back from the budget for making and sending the answer, seconds.
ANSWER_SECONDS: Final = 0.05


class FlowCallbacks:
    """Answers the flows."""

    def __init__(
        self, *, accounts: AccountSecrets, recordings: RecordingService, clock: Clock, observer: Observer
    ) -> None:
        self._accounts = accounts
        self._recordings = recordings
        self._clock = clock
        self._observer = observer

    def answer(self, event: Mapping[str, Any], *, seconds_left: float) -> answers.Answer:
        """Return the answer to API Gateway's *event*; the invocation itself ends in *seconds_left*."""
        started = Deadline(self._clock.monotonic, REFUSAL_SECONDS)
        ends_at = self._clock.now() + seconds_left
        request = InboundRequest.of(event, now=self._clock.now())
        name = request.parameters.get("account", "")
        proven = None  # until then the name may be anything: it is not logged
        try:
            secret = self._authenticated(request, name)
            proven = name
            self._recordings.require_fit(secret)
            targets = markup.targets_of(request.query, secret.account, ACTIONS[request.route_key])
            if targets is not None:
                return self._send_on(request, secret, targets, ends_at)
            return answers.of_outcome(self._handle(request, secret, ends_at))
        except errors.UnknownAccountError as exc:
            self._observer.refused(str(exc) or "not authenticated", account=proven)
            self._clock.sleep(started.remaining())
            return answers.of_error(exc)
        except errors.ConfigurationError as exc:
            self._observer.misconfigured(name, exc.field, str(exc))
            return answers.of_error(exc)
        except errors.CallRecordingError as exc:
            self._refuse(exc, proven)
            return answers.of_error(exc)

    def _authenticated(self, request: InboundRequest, name: str) -> AccountSecret:
        """Return the secret of the account that *request* proves to come from, or raise UnknownAccountError."""
        secret = self._accounts.get(name)
        inbound = DECOY
        if secret is not None:
            try:
                inbound = secret.inbound
            except errors.ConfigurationError as exc:
                self._observer.misconfigured(name, exc.field, str(exc))
        if not is_authentic(request, inbound) or secret is None or inbound is DECOY:
            raise errors.UnknownAccountError
        return secret

    def _send_on(
        self, request: InboundRequest, secret: AccountSecret, targets: markup.Targets, ends_at: float
    ) -> answers.Answer:
        """Carry out what the flow asks for, and send its call on: to `otherwise` unless it holds."""
        account = secret.account
        action = ACTIONS[request.route_key]
        holds = False
        try:
            if targets.next is None:
                raise errors.InvalidTriggerError("next", "is missing, or not below one of allowed_redirects")
            if action in markup.done_by_document(account.vendor):
                self._recordings.note_stop_by_document(self._trigger(request, secret), secret)
                holds = True
            else:
                holds = self._handle(request, secret, ends_at).error is None
        except errors.UnknownAccountError:
            raise
        except errors.CallRecordingError as exc:
            self._refuse(exc, account.name)
        # whoever has left the step goes on as planned: there is nothing left to protect
        target = targets.next if holds or action is Action.RESUME else None
        return markup.of_target(account.vendor, target or targets.otherwise or "", action if holds else None)

    def _trigger(self, request: InboundRequest, secret: AccountSecret) -> Trigger:
        given = parse_body(request.headers.get("content-type", ""), request.body())
        return parse_trigger(
            given, account=secret.account, action=ACTIONS[request.route_key], step=request.parameters.get("step", "")
        )

    def _handle(self, request: InboundRequest, secret: AccountSecret, ends_at: float) -> Outcome:
        trigger = self._trigger(request, secret)
        now = self._clock.now()
        budget = request.received_at + secret.account.settings.budget_ms / 1000 - now
        deadline = Deadline(self._clock.monotonic, min(budget, ends_at - now) - ANSWER_SECONDS)
        return self._recordings.handle(
            trigger,
            secret,
            received_at=request.received_at,
            deadline=deadline,
            ends_at=ends_at,
        )

    def _refuse(self, error: errors.CallRecordingError, account: str | None) -> None:
        field = error.field if isinstance(error, errors.InvalidTriggerError) else None
        self._observer.refused(str(error), account=account, field=field)
