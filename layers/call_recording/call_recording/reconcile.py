"""The loop that makes the vendor match the ledger, whoever was called and for whatever reason.

It is level-triggered: what a trigger says goes into the ledger, what the ledger then desires is asked of the vendor, by
one lease holder at a time, and what came of it goes back into the ledger, together with the lease.  docs/reliability.md
has the rules, and says of each what goes wrong without it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from . import errors
from .command import Command
from .conversation import ATTEMPT_SECONDS, Conversation, growing_waits
from .ledger import CallLedger, LedgerConflictError
from .ledger_parts import SKEW, Lease, Timing
from .model import Action, Deadline, Reminder, Report
from .occurrences import Occurrence
from .outcome import Ending
from .ports import Aside, Clock, Ledgers, Timers

#: Kept back from an invocation's end for writing down what came of a command, seconds: a lease that nobody gives up
#: makes the next caller wait until it lapses.
RECORD_SECONDS: Final = 0.2
#: What a command takes at least, seconds: a doubt that ends with less time left is not waited for.
PROOF_SECONDS: Final = 0.3
#: A store that has taken this long already is not waited for again where a pause is to be sent, seconds.
SLOW_STORE_SECONDS: Final = 0.5
#: How long after a doubt's last instant we ask again, seconds.
TICK: Final = 0.005


class Reconciler:
    """Handles one occurrence."""

    def __init__(
        self,
        occurrence: Occurrence,
        *,
        ledgers: Ledgers,
        timers: Timers,
        aside: Aside,
        clock: Clock,
        jitter: Callable[[], float],
        holder: str,
        timing: Timing,
        conversation: Conversation,
        deadline: Deadline,
        ends_at: float,
    ) -> None:
        self._occurrence = occurrence
        self._ledgers = ledgers
        self._timers = timers
        self._aside = aside
        self._clock = clock
        self._waits = (wait * (0.5 + jitter()) for wait in growing_waits())
        self._holder = holder  # a nonce of this attempt of this invocation
        self._timing = timing
        self._conversation = conversation
        self._deadline = deadline  # of the answer
        self._ends_at = ends_at  # when this invocation is dead, seconds since the epoch
        self._began = clock.monotonic()
        self._first_sight = 0  # how much the ledger had noted when we first saw it
        self._reminded: bool | None = None
        self._paused_before = False
        self._found_running = False

    def run(self) -> Ending:
        """Return how the call's ledger stands in the end.  Raises UnavailableError if that cannot be known."""
        ledger = self._first()
        conflicts = 0
        while True:
            try:
                ending = self._command(ledger) if self._is_mine(ledger) else self._look(ledger)
            except LedgerConflictError as conflict:
                conflicts += 1
                if conflicts > 1 and not self._wait():  # the first only tells that the call is known already
                    raise errors.UnavailableError("the ledger of this call is written by too many at once") from None
                if conflict.current is None and self._must_hurry():
                    raise errors.UnavailableError("the ledger's answer was lost, and a pause must be sent") from None
                ledger = conflict.current or self._load()
            else:
                if ending is not None:
                    return ending._replace(reminded=not self.is_unreminded, found_running=self._found_running)
                ledger = self._load()

    def _must_hurry(self) -> bool:
        """Whether a pause is to be sent, and another wait for the store could take the time for it."""
        slow = self._clock.monotonic() - self._began >= SLOW_STORE_SECONDS
        is_pause = self._occurrence.opens is not None
        return is_pause and slow and self._deadline.remaining() < ATTEMPT_SECONDS + PROOF_SECONDS

    @property
    def is_unreminded(self) -> bool:
        """Whether the reminder of the pause could not be sent."""
        return self._reminded is False

    def _first(self) -> CallLedger:
        """Most pauses are the first that we hear of their call: the put tells, and nothing has to be loaded."""
        if self._occurrence.opens is not None:
            return CallLedger(account=self._occurrence.account, call=replace(self._occurrence.call, redirect_url=None))
        return self._load()

    def _load(self) -> CallLedger:
        return self._ledgers.load(self._occurrence.account, self._occurrence.call)

    def _is_mine(self, ledger: CallLedger) -> bool:
        """Whether we hold the lease: the answer to our own put was lost."""
        lease = ledger.lease
        return lease is not None and lease.holder == self._holder and ledger.leased(self._clock.now())

    def _look(self, ledger: CallLedger) -> Ending | None:
        """Write the occurrence into *ledger* and do what is to be done; None: time has passed, look again."""
        now = self._clock.now()
        self._first_sight = self._first_sight or ledger.noted
        applied = self._occurrence.apply(ledger.relieved(now), now)
        if applied is not ledger:  # with whatever is written, whose call it is
            applied = applied.of(self._conversation.vendor.name, self._occurrence.call.channel_id)
        if applied.leased(now):
            return self._defer(self._saved(applied, ledger))
        if self._is_early(applied, ledger, now):
            return Ending(ledger, idle=True)
        if not self._asks(applied, ledger, now):
            named = self._occurrence.named if self._occurrence.errand else None  # of an event that was another one
            shown = self._conversation.look(ledger.call, named) if named else None
            return Ending(self._saved(applied, ledger), shown)
        if not self._conversation.can_update():
            return Ending(self._saved(applied.forgotten(now), ledger))
        if applied.doubtful(now) and not self._occurrence.errand:
            return self._doubt(Ending(self._saved(applied, ledger)))
        self._paused_before = ledger.known.proven and ledger.known.shows(Action.PAUSE)
        taken = applied.taken(
            holder=self._holder,
            action=self._action(applied),
            ends_at=self._ends_at,
            now=now,
            by=self._occurrence.by,
            timing=self._timing,
        )
        return self._command(self._saved(taken, ledger))

    def _asks(self, applied: CallLedger, ledger: CallLedger, now: float) -> bool:
        """Whether there is anything to ask of the vendor."""
        if self._occurrence.errand:
            return self._occurrence.errand in applied.seen
        return applied.desired is not None and (not applied.matches or self._must_ask(applied, ledger, now))

    def _must_ask(self, applied: CallLedger, ledger: CallLedger, now: float) -> bool:
        """Whether the vendor is to be asked although the ledger knows it to be as desired."""
        if self._occurrence.opens is None:
            return applied.polls and now >= applied.look_at
        # a step entered is proven afresh, told again it is too; and that nothing is recorded is true of the moment of a read alone
        remembered = self._occurrence.opens.step in applied.pauses and not applied.answered_since(self._first_sight)
        none_live = applied.desired is Action.PAUSE and applied.known.shows_none_live
        return self._opens(applied, ledger) or remembered or none_live

    def _is_early(self, applied: CallLedger, ledger: CallLedger, now: float) -> bool:
        """Whether a reminder came too early, or a second time."""
        return self._occurrence.action is None and applied is ledger and now < (ledger.due_at or 0.0)

    def _opens(self, applied: CallLedger, ledger: CallLedger) -> bool:
        """Whether a pause is open that is not in *ledger*, or was entered again since."""
        mine = self._occurrence.opens
        if mine is None or mine.step is None or mine.step not in applied.pauses:
            return False
        return ledger.pauses.get(mine.step) != applied.pauses[mine.step]

    def _saved(self, applied: CallLedger, ledger: CallLedger) -> CallLedger:
        """Save what has changed; the reminder of a pause that it opens is sent beside that, before any vendor is asked."""
        if applied is ledger:
            return ledger
        opens = self._occurrence.opens
        if opens is None or opens.step is None or self._reminded or not self._opens(applied, ledger):
            return self._ledgers.save(applied)
        pause = applied.pauses[opens.step]
        reminder = opens._replace(pause_id=pause.pause_id, deadline=pause.deadline)
        reminded = self._aside(lambda: self._timers.remind(reminder, at=pause.deadline + SKEW))
        try:
            return self._ledgers.save(applied)
        finally:
            self._reminded = _succeeds(reminded)

    def _defer(self, ledger: CallLedger) -> Ending | None:
        """Somebody else commands: word is left, and the outcome waited for if somebody waits for ours."""
        assert ledger.lease is not None
        urgent = self._occurrence.action is Action.PAUSE or self._occurrence.urgent
        if urgent and ledger.desired is Action.PAUSE and self._is_stuck(ledger.lease):
            return self._pause_unleased(ledger)
        if self._occurrence.action is not None and self._wait():
            return None
        return Ending(ledger, busy=True)

    def _is_stuck(self, lease: Lease) -> bool:
        """Whether the holder is dead for certain, and its lease outlasts our answer."""
        now = self._clock.now()
        return lease.ends_at + SKEW < now and lease.until > now + self._deadline.remaining()

    def _pause_unleased(self, ledger: CallLedger) -> Ending:
        """Send the pause all the same: the safe direction waits for nobody.  It proves nothing."""
        now, by = self._clock.now(), self._occurrence.by
        noted = ledger.pausing_unleased(ends_at=self._ends_at, now=now, by=by, timing=self._timing)
        saved = self._ledgers.save(noted)
        return Ending(saved, self._carry_out(saved, Action.PAUSE))

    def _doubt(self, ending: Ending) -> Ending | None:
        """Nothing is to be sent, and only time can prove what the vendor shows: wait if it does so soon enough."""
        doubt = ending.ledger.doubt
        pausing = self._occurrence.action is Action.PAUSE and ending.ledger.desired is Action.PAUSE
        if doubt is None or not pausing:
            return ending
        seconds = max(0.0, doubt - self._clock.now()) + TICK
        if seconds + PROOF_SECONDS > self._deadline.remaining():
            return ending
        self._clock.sleep(seconds)
        return None

    def _wait(self) -> bool:
        """Wait a little; False, at once, if there is no time to look again."""
        return self._conversation.waited(next(self._waits))

    def _action(self, ledger: CallLedger) -> Action:
        """What the lease holder asks for next."""
        if self._occurrence.errand:
            return Action.STOP
        assert ledger.desired is not None
        return ledger.desired

    def _command(self, ledger: CallLedger) -> Ending | None:
        """I hold the lease: make the vendor match, and give the lease up with the outcome."""
        if ledger.desired is None and not self._occurrence.errand:
            return Ending(self._ledgers.save(ledger.released()))
        while True:
            action = self._action(ledger)
            report = self._carry_out(ledger, action)
            saved = self._record(ledger, report, action)
            if saved is None:
                return Ending(ledger, report, recorded=False)
            if saved.lease is None:
                break
            ledger = saved
        ending = Ending(saved, report, looked=True)
        return self._doubt(ending) if saved.doubtful(self._clock.now()) else ending

    def _carry_out(self, ledger: CallLedger, action: Action) -> Report:
        given = self._occurrence.call
        call = replace(
            ledger.call,
            # where it goes on is checked of a stop alone
            redirect_url=given.redirect_url if self._occurrence.action is Action.STOP else None,
        )
        named = self._occurrence.named if action is self._occurrence.action else None
        report = Command(self._conversation, call, action).carry_out(named)
        # a read may show for a while what was before our pause
        if self._paused_before and report.asked_at > ledger.doubts.pause:
            self._found_running = any(each.is_as_asked(Action.RESUME) for each in report.found or ())
        self._paused_before = False
        return report

    def _record(self, ledger: CallLedger, report: Report, action: Action) -> CallLedger | None:
        """Save the outcome, the comparison with what is desired by now, and the release of the lease, in one put.

        None if it cannot be: then the lease lapses, and whoever comes next looks at the vendor.
        """
        changes = ledger.changes
        while True:
            now = self._clock.now()
            may_go_on = self._conversation.can_update()
            if self._occurrence.errand:
                recorded = ledger.ran_errand(report, action, now=now, timing=self._timing)
            else:
                recorded = ledger.recorded(
                    report, action, changes=changes, now=now, timing=self._timing, may_go_on=may_go_on
                )
            if recorded.given_up and not _succeeds(lambda: self._timers.surrender(self._reminder())):
                recorded = replace(recorded, given_up=False)  # the next try will tell
            try:
                return self._ledgers.save(recorded)
            except errors.UnavailableError:
                return None
            except LedgerConflictError as conflict:
                if now > self._ends_at - RECORD_SECONDS:
                    return None
                try:
                    ledger = conflict.current or self._load()
                except errors.UnavailableError:
                    return None
            if ledger.lease is None or ledger.lease.holder != self._holder:
                return None

    def _reminder(self) -> Reminder:
        return Reminder(self._occurrence.account, self._occurrence.call)


def _succeeds(work: Callable[[], None]) -> bool:
    try:
        work()
    except errors.UnavailableError:
        return False
    return True
