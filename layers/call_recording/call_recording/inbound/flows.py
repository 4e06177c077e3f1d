"""POST /flows/{account}/{step}/entered, left and stop: a flow tells where its call is, and branches on the answer."""

from collections.abc import Mapping

from .. import errors
from ..model import Action, Trigger
from ..outcome import Outcome
from . import answers, markup
from .body import parse_body
from .callbacks import Admitted, Callbacks
from .fields import parse_trigger

#: Map a route of template.yaml: what it asks for.
ACTIONS: Mapping[str, Action] = {
    "POST /flows/{account}/{step}/entered": Action.PAUSE,
    "POST /flows/{account}/{step}/left": Action.RESUME,
    "POST /flows/{account}/{step}/stop": Action.STOP,
}


class FlowCallbacks(Callbacks):
    """Answers the flows."""

    def carry_out(self, admitted: Admitted) -> answers.Answer:
        """Carry out what the flow asks for, and answer with the result, or with markup if it wants that."""
        request = admitted.request
        targets = markup.targets_of(request.query, admitted.secret.account, ACTIONS[request.route_key])
        if targets is not None:
            return self._send_on(admitted, targets)
        return answers.of_outcome(self._handle(admitted))

    def _send_on(self, admitted: Admitted, targets: markup.Targets) -> answers.Answer:
        """Carry out what the flow asks for, and send its call on: to `otherwise` unless it holds."""
        account = admitted.secret.account
        action = ACTIONS[admitted.request.route_key]
        holds = False
        try:
            if targets.next is None:
                raise errors.InvalidTriggerError("next", "is missing, or not below one of allowed_redirects")
            if action in markup.done_by_document(account.vendor):
                self._recordings.note_stop_by_document(self._trigger(admitted), admitted.secret)
                holds = True
            else:
                holds = self._handle(admitted).error is None
        except errors.UnknownAccountError:
            raise
        except errors.CallRecordingError as exc:
            self.refuse(exc, admitted.request, account.name)
        # whoever has left the step goes on as planned: there is nothing left to protect
        target = targets.next if holds or action is Action.RESUME else None
        return markup.of_target(account, target or targets.otherwise or "", action if holds else None)

    def _trigger(self, admitted: Admitted) -> Trigger:
        request = admitted.request
        return parse_trigger(
            parse_body(request),
            account=admitted.secret.account,
            action=ACTIONS[request.route_key],
            step=request.parameters.get("step", ""),
            message_id=admitted.message_id,
        )

    def _handle(self, admitted: Admitted) -> Outcome:
        return self._recordings.handle(
            self._trigger(admitted),
            admitted.secret,
            received_at=admitted.request.received_at,
            deadline=self.deadline(admitted),
            ends_at=admitted.ends_at,
        )
