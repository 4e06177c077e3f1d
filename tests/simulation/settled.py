"""When a ledger is settled, and how large it may grow, told apart from how the service tells it."""

from call_recording.ledger import CallLedger
from call_recording.ledger_parts import MAX_EVENTS, MAX_PAUSES, MAX_SEEN, MAX_STEPS
from call_recording.model import RecordingStatus


def is_settled(ledger: CallLedger) -> bool:
    """Whether nothing is left to do, as docs/reliability.md has it."""
    if ledger.lease is not None or ledger.pauses:
        return False
    live = [each for each in ledger.known.recordings if each.live]
    if ledger.over or (ledger.stopped and ledger.known.complete and not live):
        return True  # a pause that comes late finds nothing of it
    wanted = RecordingStatus.IN_PROGRESS
    return (
        not ledger.stopped and ledger.known.complete and ledger.known.proven and all(e.status is wanted for e in live)
    )


def is_bounded(ledger: CallLedger) -> bool:
    """Whether it keeps no more than it may."""
    return (
        len(ledger.pauses) <= MAX_PAUSES
        and len(ledger.events) <= MAX_EVENTS
        and len(ledger.seen) <= MAX_SEEN
        and len(ledger.left_at) <= MAX_STEPS
    )
