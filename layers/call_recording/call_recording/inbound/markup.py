"""Answers to flows that fetch call markup: a document that sends the call on.

A flow adds `?next=<url>&otherwise=<url>`.  Once it is authenticated, the answer is a document that sends the call to
`next` if what was asked for holds, and to `otherwise` if not: markup has no status that a flow could branch on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl

from .. import redirects
from ..account import Account
from ..errors import InvalidTriggerError
from ..model import Action
from . import bandwidth, signalwire, twilio
from .answers import Answer, answer_of

#: A query with more parameters than this is not a flow's.
MAX_PARAMETERS = 100

#: Map a vendor: its content type, and how it writes "go on there", after *action* was carried out (None: it was not).
DOCUMENTS: Mapping[str, tuple[str, Callable[[str, Action | None, Account], str]]] = {
    "bandwidth": (bandwidth.CONTENT_TYPE, bandwidth.redirect),
    "signalwire": (signalwire.CONTENT_TYPE, signalwire.redirect),
    "twilio": (twilio.CONTENT_TYPE, twilio.redirect),
}


#: Map a vendor: what its document itself does, so that the vendor must not be asked while it waits for the document.
DONE_BY_DOCUMENT: Mapping[str, frozenset[Action]] = {"bandwidth": bandwidth.DONE_BY_DOCUMENT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Where a call may go on; both are allowed by the account."""

    next: str | None  #: None: it was none that is allowed
    otherwise: str | None  #: None: only where `next` is certain, as the step is left


def targets_of(query: str, account: Account, action: Action) -> Targets | None:
    """Return where the call is to go on, or None if the flow asked for no markup.  Raises InvalidTriggerError."""
    given = _parameters(query)
    if not given:
        return None
    if account.vendor not in DOCUMENTS:
        raise InvalidTriggerError(next(iter(given)), f"cannot be used: {account.vendor} has no call markup")
    allowed = {
        name: url if redirects.is_allowed(url, account.settings.allowed_redirects) else None
        for name, url in given.items()
    }
    if action is Action.RESUME and allowed.get("next") and "otherwise" not in given:
        return Targets(next=allowed["next"], otherwise=None)
    if not allowed.get("otherwise"):
        raise InvalidTriggerError("otherwise", "is missing, or not below one of the account's allowed_redirects")
    return Targets(next=allowed.get("next"), otherwise=allowed["otherwise"])


def done_by_document(vendor: str) -> frozenset[Action]:
    """Return what the vendor's document does by itself."""
    return DONE_BY_DOCUMENT.get(vendor, frozenset())


def of_target(account: Account, url: str, done: Action | None) -> Answer:
    """Answer with a document that sends the call to *url*."""
    content_type, redirect = DOCUMENTS[account.vendor]
    document = '<?xml version="1.0" encoding="UTF-8"?>' + redirect(url, done, account)
    return answer_of(HTTPStatus.OK, content_type, document)


def _parameters(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise InvalidTriggerError("query", "cannot be read") from None
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in ("next", "otherwise"):
            continue
        if name in given:
            raise InvalidTriggerError(name, "is given twice")
        given[name] = value
    return given
