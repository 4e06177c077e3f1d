"""What the table tells of each ledger that was saved: what has happened is announced, and workflows that wait are told.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .. import errors, ledger_json
from ..announcements import announced
from ..awaiting import Completion, completions
from ..ledger import CallLedger, LedgerConflictError
from ..ports import Bus, Clock, Ledgers, Observer, Workflows

#: So often a note is written again after a conflict.
SAVES: Final = 10


class LedgerStream:
    """Takes one change of the table after the other."""

    def __init__(self, *, bus: Bus, workflows: Workflows, ledgers: Ledgers, clock: Clock, observer: Observer) -> None:
        self._bus = bus
        self._workflows = workflows
        self._ledgers = ledgers
        self._clock = clock
        self._observer = observer

    def take(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Tell of each change, in order; the answer names the first that could not be told: that one and those behind it come again.

        Those before it do not: a token that comes back a second time would look as if nobody had waited for it.
        https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
        """
        for record in records:
            change = record["dynamodb"]
            try:
                self.deliver(change)
            except errors.UnavailableError as exc:
                self._observer.refused(f"what happened to a call cannot be told now, and comes again: {exc}")
                return {"batchItemFailures": [{"itemIdentifier": change["SequenceNumber"]}]}
        return {"batchItemFailures": []}

    def deliver(self, change: Mapping[str, Any]) -> None:
        """Announce what *change*, a record's `dynamodb`, has brought about.  Raises UnavailableError: then it comes again."""
        try:
            before, after = _ledger_of(change, "OldImage"), _ledger_of(change, "NewImage")
            announcements = [] if after is None else announced(before, after)
        except (ValueError, LookupError, TypeError):
            # one that nobody can read must not keep those behind it from being announced
            self._observer.refused("a ledger in the table's stream cannot be read")
            return
        if after is None:
            return
        self._bus.announce(announcements)
        self._observer.announced(len(announcements))
        for completion in completions(before, after):
            if not self._workflows.complete(completion):
                self._observer.refused("a workflow cannot be told that its step has ended", account=after.account)
                self._note(after, completion)

    def _note(self, told: CallLedger, completion: Completion) -> None:
        """Write down that nobody waited any more: that harms nothing, and is left out if there is no ledger."""
        for _ in range(SAVES):
            try:
                ledger = self._ledgers.load(told.account, told.call)
                self._ledgers.save(ledger.not_awaited(step=completion.step, now=self._clock.now()))
            except LedgerConflictError:
                continue  # whoever closed the pause is still writing down what came of it
            except errors.UnavailableError:
                pass
            return


def _ledger_of(change: Mapping[str, Any], image: str) -> CallLedger | None:
    if image not in change:
        return None
    return ledger_json.loads(change[image]["document"]["S"], 0)
