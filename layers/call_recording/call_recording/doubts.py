"""What may still happen behind our back, and so what counts as proof."""

from typing import Final, NamedTuple

from .ledger_parts import INVOCATION, MAX_RECORDINGS, SKEW, Known, Timing
from .model import Action, Proof, RecordingStatus, Report

# What a recording's status is brought about by.
_BROUGHT_BY: Final = {RecordingStatus.PAUSED: Action.PAUSE, RecordingStatus.IN_PROGRESS: Action.RESUME}


class Doubts(NamedTuple):
    """Instants up to which a command of ours may yet take effect, or a read show what was before.

    They are only ever raised: a shorter doubt of one command says nothing about a longer one of another.
    """

    resume: float = 0.0
    pause: float = 0.0
    unheard: float = 0.0  #: of a pause that may have been sent without the ledger

    def about(self, action: Action) -> float:
        """Until when what *action* brings about may be undone by the opposite, sent before."""
        match action:
            case Action.PAUSE:
                return self.resume
            case Action.RESUME:
                return max(self.pause, self.unheard)
        return 0.0

    def raised(self, action: Action, until: float) -> "Doubts":
        """Until *until* the vendor may act on *action*.  Nothing is ever undone by a stop that comes late."""
        match action:
            case Action.PAUSE:
                return self._replace(pause=max(self.pause, until))
            case Action.RESUME:
                return self._replace(resume=max(self.resume, until))
        return self

    def after_unheard(self, now: float, timing: Timing) -> "Doubts":
        """A pause may be under way that the ledger never heard of."""
        return self._replace(unheard=max(self.unheard, now + INVOCATION + timing.settles + SKEW))

    def after(self, report: Report, action: Action, *, now: float, timing: Timing) -> "Doubts":
        """What is in doubt after *action* was asked for, with *report* as its outcome."""
        doubts = self
        # that the vendor has done it already is believed only of a read that is itself proof
        clean = report.asked_at > max(self)
        if report.in_doubt and not (report.own_work and clean):
            doubts = doubts.raised(action, now + timing.settles + SKEW)
        seen = Known(report.recordings, complete=report.error is None)
        if timing.read_lag and not seen.shows_none_live:
            for each, opposite in ((Action.PAUSE, Action.RESUME), (Action.RESUME, Action.PAUSE)):
                if not seen.shows(each):  # reads may show for a while yet that it is as *opposite* would have it
                    doubts = doubts.raised(opposite, now + timing.read_lag + SKEW)
        return doubts

    def judge(self, report: Report) -> Known:
        """What *report* lets us know: a status is proven only if it was asked for after every doubt about it."""
        if report.error is not None or len(report.recordings) > MAX_RECORDINGS:
            return Known(report.recordings[:MAX_RECORDINGS])
        if not any(each.live for each in report.recordings):
            return Known(report.recordings, complete=True, proven=report.asked_at > self.about(Action.RESUME))
        proven = all(
            each.proof is not Proof.NONE and report.asked_at > self.about(_BROUGHT_BY.get(each.status, Action.STOP))
            for each in report.recordings
        )
        return Known(report.recordings, complete=True, proven=proven)


NO_DOUBTS: Final = Doubts()
