"""POST /webhooks/{account}: a vendor, or a third party, tells what has happened to a call."""

from . import answers
from .body import parse_body
from .callbacks import Admitted, Callbacks
from .events import parse_events


class VendorWebhooks(Callbacks):
    """Takes what is pushed.  Whoever pushes waits for no more than that it has arrived."""

    def carry_out(self, admitted: Admitted) -> answers.Answer:
        """Write down what is told, and do at once what it asks for; what tells nothing is acknowledged.

        What can be read another time only is refused with 503, and what never will be with 4xx, so that nobody repeats it.
        """
        account = admitted.secret.account
        events = parse_events(parse_body(admitted.request), account=account, message_id=admitted.message_id)
        for event in events:
            self._recordings.happened(
                event, admitted.secret, deadline=self.deadline(admitted), ends_at=admitted.ends_at
            )
        self._observer.webhook_taken(events, account=account.name, vendor=account.vendor)
        return answers.of_nothing()
