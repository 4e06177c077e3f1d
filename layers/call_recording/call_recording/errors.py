"""Everything this package raises.

* CallRecordingError
  x UnknownAccountError           nobody may know why: no account, no key, the wrong key
  x UnavailableError              something that we need ourselves is down
  x UnsupportedActionError        the vendor has no such action
  x InvalidTriggerError           a field is missing or ill-formed
    + UnreadableBodyError
    + BodyTooLargeError
    + UnsupportedMediaTypeError
    + CardDataError
  x NotRecordingError             a live call on which nothing is being recorded
  x VendorError
    + VendorUnreachableError      nothing was sent: safe to repeat
    + OutcomeUnknownError         sent, but no readable answer: the vendor may have acted
    + UnconfirmedError            it said yes, but the recording is not shown to be as asked
    + VendorResponseError         it answered, and the answer is no
      - AuthenticationError
      - RecordingNotFoundError
        . CallNotFoundError         not even the call itself
      - ConflictError
        . CallOverError             the vendor shows that the call has ended
        . RecordingBusyError      it asks us to try again
      - RateLimitedError
* ConfigurationError
"""


class CallRecordingError(Exception):
    """Base of every error that a caller may handle."""


class UnknownAccountError(CallRecordingError):
    """The caller proved nothing.  Carries no reason, so that none can leak."""


class UnavailableError(CallRecordingError):
    """A service that Offtape needs (its secrets, its ledger, its queue) does not answer."""


class UnsupportedActionError(CallRecordingError):
    """The vendor has no such action.  Raised before anything is sent."""


class InvalidTriggerError(CallRecordingError):
    """A field of the trigger does not fit.  Names the field and never its value."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field} {problem}")
        self.field = field


class UnreadableBodyError(InvalidTriggerError):
    """The body is not what its content type says."""


class BodyTooLargeError(InvalidTriggerError):
    """The body is larger than any trigger needs to be."""


class CardDataError(InvalidTriggerError):
    """The body has a card's number and its code: nothing of it is kept."""


class UnsupportedMediaTypeError(InvalidTriggerError):
    """The body is neither JSON nor a form."""


class NotRecordingError(CallRecordingError):
    """The call is live, and nothing on it is being recorded."""


class VendorError(CallRecordingError):
    """A vendor did not do as asked, or did not say so.

    Carries the vendor, its HTTP status and its own code, and never a request,
    a header or a body: those can hold keys.
    """

    def __init__(
        self,
        message: str,
        *,
        vendor: str = "",
        http_status: int | None = None,
        vendor_code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.vendor = vendor
        self.http_status = http_status
        self.vendor_code = vendor_code
        self.retry_after = retry_after  #: seconds that the vendor asks us to wait

    def __str__(self) -> str:
        details = [
            f"HTTP {self.http_status}" if self.http_status else "",
            f"code {self.vendor_code}" if self.vendor_code else "",
        ]
        prefix = f"{self.vendor}: " if self.vendor else ""
        return " ".join(filter(None, [prefix + super().__str__(), *details]))


class VendorUnreachableError(VendorError):
    """Nothing was sent, so the request is safe to repeat."""


class OutcomeUnknownError(VendorError):
    """The vendor may have acted, and nobody said so in a way that we can read."""


class UnconfirmedError(VendorError):
    """The vendor said yes, but the recording is not shown to be as asked."""


class VendorResponseError(VendorError):
    """The vendor answered, and the answer is no."""


class AuthenticationError(VendorResponseError):
    """The vendor refused our credentials."""


class RecordingNotFoundError(VendorResponseError):
    """The vendor knows no such call or recording."""


class CallNotFoundError(RecordingNotFoundError):
    """The vendor, asked for the call itself, does not know it: it never was, or was long ago."""


class ConflictError(VendorResponseError):
    """The call is over, or the recording cannot change."""


class CallOverError(ConflictError):
    """The call has ended: nothing will ever be recorded on it again."""


class RecordingBusyError(ConflictError):
    """The recording cannot change just now, and the vendor asks us to try again."""


class RateLimitedError(VendorResponseError):
    """The vendor did nothing and asks us to slow down."""


class ConfigurationError(Exception):
    """An account's secret or this deployment is wrong.

    Deliberately not a CallRecordingError: nobody who retries or maps those may
    swallow it.  Names the field and never its value.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field} {problem}")
        self.field = field
