"""What all requests from outside have in common: verified first, then read, and each error answered in one way."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .. import errors
from ..account import AccountSecret
from ..model import Deadline, Notice
from ..ports import AccountSecrets, Clock, Observer
from ..service import RecordingService
from . import answers
from .authentication import DECOY, presented, prove
from .body import has_card
from .request import InboundRequest

#: A refusal is given no sooner than this after its request came to us, seconds: longer than Secrets Manager takes
#: to say that it does not know a name, so that an unknown account looks like a wrong key.
REFUSAL_SECONDS: Final = 0.25

#: Kept back from the budget for making and sending the answer, seconds.
ANSWER_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A request that has proven whose it is."""

    request: InboundRequest
    secret: AccountSecret
    message_id: str | None  #: of a message that is signed together with it
    ends_at: float  #: when this invocation is over whatever happens, seconds since the epoch


class Callbacks(ABC):
    """Answers requests of one kind."""

    def __init__(
        self,
        *,
        accounts: AccountSecrets,
        recordings: RecordingService,
        clock: Clock,
        observer: Observer,
        public_urls: Sequence[str] = (),
    ) -> None:
        self._accounts = accounts
        self._recordings = recordings
        self._clock = clock
        self._observer = observer
        self._public_urls = public_urls

    @abstractmethod
    def carry_out(self, admitted: Admitted) -> answers.Answer:
        """Answer a request.  Raises CallRecordingError and ConfigurationError, which are answered here."""

    def answer(self, event: Mapping[str, Any], *, seconds_left: float) -> answers.Answer:
        """Return the answer to API Gateway's *event*; the invocation itself ends in *seconds_left*."""
        started = Deadline(self._clock.monotonic, REFUSAL_SECONDS)
        now = self._clock.now()
        request = InboundRequest.of(event, now=now, public_urls=self._public_urls)
        name = request.parameters.get("account", "")
        proven = None  # until then the name may be anything: it is not logged
        try:
            admitted = self._admit(request, name, now + seconds_left)
            proven = name
            self._recordings.require_fit(admitted.secret)
            return self.carry_out(admitted)
        except errors.UnknownAccountError as exc:
            self._observer.refused(str(exc) or "not authenticated", account=proven)
            self._clock.sleep(started.remaining())
            return answers.of_error(exc)
        except errors.ConfigurationError as exc:
            self._observer.misconfigured(name, exc.field, str(exc))
            return answers.of_error(exc)
        except errors.CallRecordingError as exc:
            self.refuse(exc, request, proven)
            return answers.of_error(exc)

    def deadline(self, admitted: Admitted) -> Deadline:
        """Return by when the answer is to be given."""
        now = self._clock.now()
        budget = admitted.request.received_at + admitted.secret.account.settings.budget_ms / 1000 - now
        return Deadline(self._clock.monotonic, min(budget, admitted.ends_at - now) - ANSWER_SECONDS)

    def refuse(self, error: errors.CallRecordingError, request: InboundRequest, account: str | None) -> None:
        """Tell operators of a request that is turned away."""
        field = error.field if isinstance(error, errors.InvalidTriggerError) else None
        self._observer.refused(str(error), account=account, field=field)
        unread = isinstance(error, errors.UnsupportedMediaTypeError)
        if isinstance(error, errors.CardDataError) or (unread and has_card(request)):
            self._observer.noticed(Notice.CARD_DATA_REFUSED, account=account or "", reason=str(error))

    def _admit(self, request: InboundRequest, name: str, ends_at: float) -> Admitted:
        """Return *request* with the secret of the account that it proves to come from, or raise UnknownAccountError."""
        secret = self._accounts.get(name)
        inbound = DECOY
        if secret is not None:
            try:
                inbound = secret.inbound
            except errors.ConfigurationError as exc:
                self._observer.misconfigured(name, exc.field, str(exc))
        proof = prove(request, inbound)
        if proof is None or secret is None or inbound is DECOY:
            if secret is not None and (reason := presented(request)):
                # an account that exists: a key that is wrong, a signature over another URL, or a forgery
                self._observer.noticed(Notice.PROOF_REFUSED, account=name, reason=reason)
            if secret is not None and has_card(request):  # what comes from a payment connector has no key of ours
                self._observer.noticed(Notice.CARD_DATA_REFUSED, account=name, reason="not authenticated")
            raise errors.UnknownAccountError
        return Admitted(request=request, secret=secret, message_id=proof.message_id, ends_at=ends_at)
