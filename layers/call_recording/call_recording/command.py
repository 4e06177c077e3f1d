"""One action on every live recording of one call: ask, find out how it is, and stay inside the time given.

Nothing here knows a vendor.  What may be repeated, and after what, is decided here and nowhere else:

* a request that was never sent, or that the vendor says it did not process, is sent again;
* after an unclear answer only a *pause* is sent again, since pausing twice does no harm;
* a refusal is never sent again, but looked into: it may be that the recording is as asked already;
* before a resume the recordings are read: one that runs already is an incident to be told, not a thing to be asked for;
* where only reads prove anything they are read before a pause too, but no pause of a recording that is named waits for that.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from . import errors
from .conversation import Conversation, growing_waits
from .looks import call_state, live_recordings
from .model import Action, Call, Recording, RecordingStatus, Report

# What a recording was before that an action changes.
_BEFORE: Mapping[Action, RecordingStatus] = {
    Action.PAUSE: RecordingStatus.IN_PROGRESS,
    Action.RESUME: RecordingStatus.PAUSED,
}

# After these there is nothing to be gained by looking: the vendor did nothing.
_HOPELESS = (errors.AuthenticationError, errors.RateLimitedError)


class Command:
    """One action on one call."""

    def __init__(self, conversation: Conversation, call: Call, action: Action) -> None:
        self._conversation = conversation
        self._call = call
        self._action = action
        self._known: dict[str | None, Recording] = {}
        self._error: errors.VendorError | None = None
        self._ended = False  # whether a recording ended while we were at it
        self._found: tuple[Recording, ...] | None = None  # the live recordings as they were before anything was sent
        self._sent: Counter[str | None] = Counter()
        self._parent: str | None = None  # the leg that this one was made from
        self._unclear: set[str | None] = set()  # what the vendor may act on later, or a second time

    def carry_out(self, named: str | None = None) -> Report:
        """Ask for the action, the recording *named* first, and report on every live recording of the call.

        Naming one narrows only a stop.  Never raises a VendorError: the report carries it.
        """
        asked_at = self._conversation.now()
        try:
            if not self._conversation.vendor.reads:
                self._acknowledge()
            elif named is not None and self._action is Action.STOP:
                self._stop_only(named)
            else:
                self._cover(named)
        except errors.VendorError as exc:
            self._error = exc
        return Report(
            recordings=tuple(self._known.values()),
            error=self._error,
            asked_at=asked_at,
            in_doubt=bool(self._unclear),
            own_work=all(map(self._is_own_work, self._unclear)),
            found=self._found,
            parent=self._parent,
        )

    def _is_own_work(self, recording_id: str | None) -> bool:
        """Whether one request alone can have made a recording what it is: so nothing of it is still under way."""
        before = {recording.recording_id: recording.status for recording in self._found or ()}
        now = self._known.get(recording_id)
        return (
            self._sent[recording_id] == 1
            and recording_id in before
            and before[recording_id] is _BEFORE.get(self._action)
            and now is not None
            and now.is_as_asked(self._action)
        )

    def _acknowledge(self) -> None:
        """Ask a vendor that offers no read: its yes is all that there is."""
        waits = growing_waits()
        target = Recording(recording_id=None, call_id=self._call.call_id)
        while True:
            answer = self._send(target)
            if isinstance(answer, Recording):
                self._known[None] = answer
                return
            if isinstance(answer, errors.VendorResponseError) and not isinstance(answer, _HOPELESS):
                self._raise_if_over()
            if not (self._may_repeat(answer) and self._conversation.waited(next(waits))):
                raise answer

    def _raise_if_over(self) -> None:
        """Raise CallOverError if the vendor shows that the call has ended, CallNotFoundError if it does not know it."""
        try:
            call_state(self._conversation, self._call, once=True)
        except (errors.CallOverError, errors.CallNotFoundError):
            raise
        except errors.VendorError:
            return  # then what is known is the refusal

    def _stop_only(self, named: str) -> None:
        """Stop one recording."""
        target = Recording(recording_id=named, call_id=self._call.call_id)
        try:
            self._settle(target, self._send(target))
        except errors.RecordingNotFoundError:
            self._live_recordings()  # whether it may be of the leg that this one was made from
            raise

    def _cover(self, named: str | None) -> None:
        """Bring every live recording of the call to be as asked, the first in one request where that is possible."""
        vendor = self._conversation.vendor
        # where only reads prove anything, one comes first: who knows how it was before knows what our request has done
        hinted = named if vendor.final else None
        first = None if self._action is Action.RESUME else hinted or vendor.current_recording
        answer: Recording | errors.VendorError | None = None
        if first is not None:
            first, answer = self._ask_blindly(first)
            if isinstance(answer, _HOPELESS):
                raise answer
            if isinstance(answer, Recording) and named is None and answer.is_as_asked(self._action):
                self._note(answer)
                return  # the one active recording of the call: with several, the vendor would have refused
        self._cover_all(named, first, answer)

    def _ask_blindly(self, recording_id: str) -> tuple[str | None, Recording | errors.VendorError]:
        """Ask for the action on a recording that nobody has looked at; return which one it was, and what came of it."""
        answer = self._send(Recording(recording_id=recording_id, call_id=self._call.call_id))
        return (answer.recording_id if isinstance(answer, Recording) else recording_id), answer

    def _cover_all(self, named: str | None, first: str | None, answer: Recording | errors.VendorError | None) -> None:
        """Ask for the action on every recording that the vendor lists; *answer* is what asking for the *first* brought."""
        later = named if first is None and self._action is Action.PAUSE else None
        try:
            live = list(self._live_recordings(once=later is not None))
        except errors.VendorError:
            if later is None:
                raise
            first, answer = self._ask_blindly(later)  # a pause does no harm, and waits for no list
            live = list(self._live_recordings())
        if not self._sent:
            self._found = tuple(live)
            if later is not None and later.lower() not in {(each.recording_id or "").lower() for each in live}:
                first, answer = self._ask_blindly(later)
        if first not in {recording.recording_id for recording in live}:
            if isinstance(answer, Recording):
                live.append(answer)
            elif named is not None and answer is not None and self._parent is None:
                self._error = answer
        # all are asked before the first is waited for: while we wait, no other tape goes on
        asked = [(recording, self._ask_one(recording, first, answer)) for recording in live]
        for recording, answered in asked:
            self._settle_one(recording, answered)
        if self._ended:
            self._look_again()

    def _look_again(self) -> None:
        """A recording ended while others were asked: whether another one has taken its place is told by a new list."""
        for recording in self._live_recordings():
            if not recording.is_as_asked(self._action):
                self._known[recording.recording_id] = recording
                self._error = self._error or errors.UnconfirmedError(
                    "the recordings of the call changed meanwhile", vendor=self._conversation.vendor.name
                )

    def _ask_one(
        self, recording: Recording, first: str | None, answer: Recording | errors.VendorError | None
    ) -> Recording | errors.VendorError | None:
        """Ask for the action on a recording that the vendor lists, unless that was done when the *first* was asked for.

        Returns what is known to have come of it; None if the list shows it to be as asked.
        """
        self._known[recording.recording_id] = recording
        if recording.is_as_asked(self._action):
            return None
        if recording.recording_id == first:
            # the list is newer than a yes that it contradicts
            return recording if isinstance(answer, Recording) else answer
        may_be_this_one = first in (recording.recording_id, self._conversation.vendor.current_recording)
        if may_be_this_one and isinstance(answer, errors.OutcomeUnknownError):
            return answer  # the vendor may yet act on it, whichever leg it was asked on
        answer = self._send(recording)
        if isinstance(answer, errors.AuthenticationError):
            raise answer  # the others would be refused the same way
        return answer

    def _settle_one(self, recording: Recording, answer: Recording | errors.VendorError | None) -> None:
        """Prove one of several recordings, and note why it cannot be proven: the others are to be tried all the same."""
        if answer is None:
            return
        try:
            self._settle(recording, answer)
        except errors.VendorError as exc:
            self._error = self._error or exc

    def _settle(self, target: Recording, answer: Recording | errors.VendorError) -> None:
        """Bring one recording to be as asked, and prove it; *answer* is what asking for it has brought so far."""
        waits = growing_waits()
        while True:
            if isinstance(answer, _HOPELESS):
                raise answer
            if isinstance(answer, Recording) and answer.is_as_asked(self._action):
                self._note(answer)
                return
            repeat = self._may_repeat(answer)
            once = repeat or isinstance(answer, errors.VendorResponseError)
            seen = self._watch(target, waits, once=once) if self._conversation.waited(next(waits)) else None
            if seen is not None and (seen.is_as_asked(self._action) or not seen.live):
                self._note(seen)
                return
            if not (repeat and self._conversation.waited(next(waits))):
                raise self._failure(answer, seen)
            answer = self._send(target)

    def _failure(self, answer: Recording | errors.VendorError, seen: Recording | None) -> errors.VendorError:
        if isinstance(answer, errors.VendorError):
            return answer
        return errors.UnconfirmedError(
            f"asked to {self._action}, but the recording is shown as {(seen or answer).status}",
            vendor=self._conversation.vendor.name,
        )

    def _note(self, recording: Recording) -> None:
        """Remember how a recording is; one that has ended is no longer a live recording of the call."""
        if recording.live or recording.is_as_asked(self._action):
            self._known[recording.recording_id] = recording
        else:
            self._known.pop(recording.recording_id, None)
            self._ended = True

    def _may_repeat(self, answer: Recording | errors.VendorError) -> bool:
        """Whether the same may be asked again after an unclear answer, and there is time for it."""
        unclear = isinstance(answer, errors.OutcomeUnknownError)
        return unclear and self._action is Action.PAUSE and self._conversation.can_update()

    def _send(self, target: Recording) -> Recording | errors.VendorError:
        """Ask for the action on one recording.  Failures come back as values: what they mean depends on the rest."""
        call = replace(self._call, call_id=target.call_id)
        self._sent[target.recording_id] += 1
        try:
            answer = self._conversation.update(
                lambda vendor, timeout: vendor.update(call, target.recording_id, self._action, timeout=timeout)
            )
        except errors.VendorError as exc:
            if isinstance(exc, errors.OutcomeUnknownError):
                self._unclear.add(target.recording_id)
                if target.recording_id in self._known:
                    # what was known of it holds no longer: the vendor may have acted, or may yet
                    self._known[target.recording_id] = Recording(
                        recording_id=target.recording_id, call_id=target.call_id
                    )
            return exc
        if not answer.is_as_asked(self._action):
            self._unclear.add(target.recording_id)  # a yes that may be carried out later
        if target.recording_id in self._known:
            self._known[target.recording_id] = answer
        return answer

    def _watch(self, target: Recording, waits: Iterator[float], *, once: bool) -> Recording | None:
        """Read one recording until it is as asked or has ended, or time is up; return what was seen last."""
        call = replace(self._call, call_id=target.call_id)
        recording_id = target.recording_id or ""
        ask = self._conversation.glance if once else self._conversation.read
        seen = None
        while True:
            try:
                seen = ask(lambda vendor, timeout: vendor.read(call, recording_id, timeout=timeout))
            except errors.VendorError:
                return seen  # what was asked for stays unproven; why is told by the caller
            self._known[target.recording_id] = seen
            settled = seen.is_as_asked(self._action) or not seen.live
            if once or settled or not self._conversation.waited(next(waits)):
                return seen

    def _live_recordings(self, *, once: bool = False) -> Sequence[Recording]:
        """Return the live recordings of the call, and remember the leg that it was made from."""
        shown = live_recordings(self._conversation, self._call, once=once)
        self._parent = shown.parent or self._parent
        return shown.recordings
