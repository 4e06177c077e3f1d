"""What every vendor has in common: send once, and turn each answer and each failure into one of ours.

A vendor's own file says only how to ask and how to read the answer.  docs/adding-a-vendor.md leads through one.
"""

import re
import time
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, TypeVar
from urllib.parse import quote

import httpx

from .. import errors
from ..account import Account
from ..model import Action, Call, CallState, Proof, Recording, RecordingStatus, Trigger
from ._answers import UNREADABLE, Json, error_for, json_object, retry_after, same_id
from ._exchange import exchange

T = TypeVar("T")

UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

# A word of a vendor's, fit to be shown and logged.
_WORD = re.compile(r"[A-Za-z][A-Za-z_-]{0,31}")
# A vendor's error code: a short number or a word, and nothing that could hold the digits of a card.
_CODE = re.compile(r"[0-9]{1,6}|[A-Za-z][A-Za-z_.-]{0,63}")

#: The failures in which not one byte of the request can have reached the vendor.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class BaseVendor(ABC):
    """Base class of the vendors: see `ports.Vendor` for what each method promises."""

    # Subclasses must set these.
    name: ClassVar[str]
    #: scheme and host; an account's `api_url` replaces it
    origin: ClassVar[str]
    #: the fields of `credentials`, one tuple for each way to sign in
    credential_sets: ClassVar[Sequence[tuple[str, ...]]]
    #: what the ids that a trigger carries look like
    call_id_pattern: ClassVar[re.Pattern[str]]
    recording_id_pattern: ClassVar[re.Pattern[str]]
    #: map the vendor's status: ours; what is not in here is unknown, and so never proof
    statuses: ClassVar[Mapping[str, RecordingStatus]]
    #: map the vendor's call status: whether the call is live
    call_statuses: ClassVar[Mapping[str, bool]]
    # Subclasses may narrow these.
    actions: frozenset[Action] = frozenset(Action)
    reads: bool = True
    current_recording: str | None = None
    #: the HTTP statuses with which the vendor says that it has acted; with any other 2xx it only promises to
    final_statuses: frozenset[int] = frozenset({200})
    #: credentials that become part of a path must look like this
    credential_patterns: ClassVar[Mapping[str, re.Pattern[str]]] = {}
    errors_by_code: ClassVar[Mapping[str, type[errors.VendorResponseError]]] = {}

    def __init__(self, account: Account, client: httpx.Client) -> None:
        self.account = account
        self.settings = account.settings
        self.client = client
        self.url = (account.settings.api_url or self._origin_of(account)).rstrip("/")
        self.credentials = self._fitting_credentials(account.credentials)

    # How to ask.

    @abstractmethod
    def authorization(self, timeout: float) -> str:
        """Return the value of the Authorization header."""

    @abstractmethod
    def update_request(self, call: Call, recording_id: str | None, action: Action) -> httpx.Request:
        """Return the request that asks for *action*.  Sends nothing."""

    def read_request(self, call: Call, recording_id: str) -> httpx.Request:
        """Return the request that reads one recording."""
        raise NotImplementedError

    def list_request(self, call: Call) -> httpx.Request:
        """Return the request that lists the recordings of a call."""
        raise NotImplementedError

    def call_request(self, call: Call) -> httpx.Request:
        """Return the request that reads a call."""
        raise NotImplementedError

    # How to read the answer.

    def parse_recording(self, body: Json, call: Call) -> Recording:
        """Return the recording that *body* describes."""
        raise NotImplementedError

    def parse_list(self, body: Json, call: Call) -> Sequence[Recording]:
        """Return the recordings that *body* lists.  Raises ValueError if it does not show all of them."""
        raise NotImplementedError

    def parse_call(self, body: Json, call: Call) -> CallState:
        """Return the state of the call that *body* describes.  Raises ValueError if that is another one."""
        raise NotImplementedError

    def parse_error_code(self, body: Json) -> object:
        """Return the vendor's own error code in the body of a refusal.  Raises LookupError if it has none."""
        return body["code"]

    def parse_update(self, response: httpx.Response, body: bytes, call: Call, action: Action) -> Recording:
        """Return what the answer to an update says; where it is not final, whatever it names is not yet proof."""
        recording = self.parse_recording(json_object(body), call)
        if response.status_code in self.final_statuses:
            return recording
        return Recording(
            recording_id=recording.recording_id, call_id=recording.call_id, vendor_status=recording.vendor_status
        )

    # Subclasses should not need to override what follows.

    @property
    def final(self) -> bool:
        """Whether a yes may tell that the vendor has acted."""
        return bool(self.final_statuses)

    def check_ids(self, call: Call, recording_id: str | None) -> None:
        """Raise if these are no ids of this vendor."""
        require(self.call_id_pattern, "call_id", call.call_id)
        if recording_id is not None:
            require(self.recording_id_pattern, "recording_id", recording_id)

    def check(self, trigger: Trigger) -> None:
        """Raise if *trigger* cannot be asked of this vendor."""
        if trigger.action not in self.actions:
            raise errors.UnsupportedActionError(f"{self.name} cannot {trigger.action} a recording")
        self.check_ids(trigger.call, trigger.recording_id)

    def renew(self) -> None:
        """Forget a refused token.  Most vendors have none."""
        return

    def update(self, call: Call, recording_id: str | None, action: Action, *, timeout: float) -> Recording:
        """Ask for *action*, once."""
        request = self.update_request(call, recording_id, action)
        recording = self._send(request, timeout, lambda answer, body: self.parse_update(answer, body, call, action))
        asked_by_id = recording_id is not None and recording_id != self.current_recording
        if asked_by_id and not same_id(recording.recording_id, recording_id):
            raise self._unreadable("the answer is about another recording")
        if not same_id(recording.call_id, call.call_id):
            raise self._unreadable("the answer is about another call")
        return recording

    def read(self, call: Call, recording_id: str, *, timeout: float) -> Recording:
        """Read one recording."""
        request = self.read_request(call, recording_id)
        recording = self._read(request, timeout, lambda body: self.parse_recording(body, call))
        if not same_id(recording.recording_id, recording_id):
            raise self._unreadable("the answer is about another recording")
        if not same_id(recording.call_id, call.call_id):
            raise self._unreadable("the answer is about another call")
        return recording

    def recordings(self, call: Call, *, timeout: float) -> Sequence[Recording]:
        """List the recordings of a call."""
        return self._read(self.list_request(call), timeout, lambda body: self.parse_list(body, call))

    def call_state(self, call: Call, *, timeout: float) -> CallState:
        """Read a call."""
        return self._read(self.call_request(call), timeout, lambda body: self.parse_call(body, call))

    def observed(self, recording_id: object, call_id: object, word: object) -> Recording:
        """Return a recording whose status the vendor has named *word*."""
        if not (isinstance(recording_id, str) and isinstance(call_id, str) and isinstance(word, str)):
            raise TypeError("an id or a status is not text")
        require(self.recording_id_pattern, "recording_id", recording_id)
        require(self.call_id_pattern, "call_id", call_id)
        if not _WORD.fullmatch(word):
            raise ValueError("the status is not a word")
        return Recording(
            recording_id=recording_id,
            call_id=call_id,
            status=self.statuses.get(word, RecordingStatus.UNKNOWN),
            # a word that is in no table of ours is not repeated: nobody knows what the vendor has put there
            vendor_status=word if word in self.statuses else None,
            proof=Proof.OBSERVED,
        )

    def request(self, method: str, path: str, *ids: str, **content: Any) -> httpx.Request:
        """Build a request; each *ids* goes into a `{}` of *path*, quoted.  Raises VendorResponseError for what is no id."""
        if not {".", ".."}.isdisjoint(ids):  # quoting leaves them, and httpx would ask for what lies above
            raise errors.VendorResponseError("an id is none", vendor=self.name)
        return self.client.build_request(
            method, self.url + path.format(*(quote(each, safe="") for each in ids)), **content
        )

    def _read(self, request: httpx.Request, timeout: float, parse: Callable[[Json], T]) -> T:
        """Send a request that reads, once.  Only a 200 shows how things are: every vendor documents that alone."""

        def parse_shown(response: httpx.Response, body: bytes) -> T:
            if response.status_code != httpx.codes.OK:
                raise ValueError("the answer to a read is no 200")
            return parse(json_object(body))

        return self._send(request, timeout, parse_shown)

    def _send(
        self, request: httpx.Request, timeout: float, parse: Callable[[httpx.Response, bytes], T], *, sign: bool = True
    ) -> T:
        """Send *request*, once, and return what *parse* makes of a 2xx."""
        ends_at = time.monotonic() + timeout
        if sign:
            request.headers["authorization"] = self.authorization(timeout)  # may take an exchange of its own
        try:
            response, body = exchange(self.client, request, ends_at - time.monotonic())
        except _NEVER_SENT as exc:
            raise errors.VendorUnreachableError(type(exc).__name__, vendor=self.name) from exc
        except httpx.HTTPError as exc:
            raise errors.OutcomeUnknownError(type(exc).__name__, vendor=self.name) from exc
        if not response.is_success:
            raise self._error_for(response, body)
        try:
            return parse(response, body)
        except (*UNREADABLE, errors.InvalidTriggerError) as exc:
            raise self._unreadable(f"unreadable answer: {type(exc).__name__}", response.status_code) from exc

    def _error_for(self, response: httpx.Response, body: bytes) -> errors.VendorError:
        code = self._error_code(body)
        kind = error_for(response)
        if response.is_client_error:  # with any other status nothing is refused, whatever code comes with it
            kind = self.errors_by_code.get(code or "", kind)
        return kind(
            "refused" if issubclass(kind, errors.VendorResponseError) else "no definite answer",
            vendor=self.name,
            http_status=response.status_code,
            vendor_code=code,
            retry_after=retry_after(response),
        )

    def _error_code(self, body: bytes) -> str | None:
        try:
            code = self.parse_error_code(json_object(body))
        except UNREADABLE:
            return None
        return str(code) if isinstance(code, str | int) and _CODE.fullmatch(str(code)) else None

    def _unreadable(self, message: str, http_status: int = 200) -> errors.OutcomeUnknownError:
        return errors.OutcomeUnknownError(message, vendor=self.name, http_status=http_status)

    def _origin_of(self, account: Account) -> str:
        return self.origin

    def _fitting_credentials(self, given: Mapping[str, str]) -> Mapping[str, str]:
        """Return the credentials of the first way to sign in that is complete."""
        for names in self.credential_sets:
            if all(name in given for name in names):
                for name, pattern in self.credential_patterns.items():
                    if name in given and not pattern.fullmatch(given[name]):
                        raise errors.ConfigurationError(f"credentials.{name}", f"is not an id of {self.name}")
                return {name: given[name] for name in names}
        nearest = min(self.credential_sets, key=lambda names: sum(name not in given for name in names))
        missing = next(name for name in nearest if name not in given)
        raise errors.ConfigurationError(f"credentials.{missing}", "is missing")


def basic(username: str, password: str) -> str:
    """Return the value of an Authorization header of the scheme Basic."""
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


def require(pattern: re.Pattern[str], field: str, value: str) -> None:
    """Raise InvalidTriggerError unless *value* is an id of this vendor."""
    if not pattern.fullmatch(value):
        raise errors.InvalidTriggerError(field, "is not an id of this vendor")
