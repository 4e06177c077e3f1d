"""What Bandwidth's platform sends.

https://dev.bandwidth.com/docs/voice/webhooks/
"""

from collections.abc import Callable, Mapping
from html import escape

from ..account import Account
from ..model import Action, Happening

# Map Bandwidth's field: ours
FIELDS: Mapping[str, str] = {"callId": "call_id", "recordingId": "recording_id"}
ACCOUNT_FIELDS = ("accountId",), "account_id"

# https://dev.bandwidth.com/docs/voice/bxml/redirect
CONTENT_TYPE = "application/xml"
# https://dev.bandwidth.com/docs/voice/bxml/pauseRecording and its neighbours.  There is no <ResumeRecording/>: it would
# be carried out whenever the document arrives, after another step's pause was confirmed even; a resume is sent under
# the ledger's lease alone.
_VERBS = {Action.PAUSE: "<PauseRecording/>", Action.STOP: "<StopRecording/>"}

#: A stop at Bandwidth replaces the call's BXML, which must not happen while Bandwidth waits for ours.
DONE_BY_DOCUMENT = frozenset({Action.STOP})


def redirect(url: str, done: Action | None, account: Account) -> str:
    """Write BXML that goes on at *url*; before that it says once more what was *done*, unless that was a resume.

    Bandwidth signs nothing: where the company's own server asks for Basic, the verb carries what to answer it.
    """
    verb = "" if done is None else _VERBS.get(done, "")
    credentials = account.redirect_credentials(url)
    basic = f' username="{escape(credentials[0])}" password="{escape(credentials[1])}"' if credentials else ""
    return f'<Response>{verb}<Redirect redirectUrl="{escape(url)}" redirectMethod="POST"{basic}/></Response>'


def happenings(word: Callable[[str], str]) -> list[Happening]:
    """Return what a callback tells.  Bandwidth sends none when a recording starts, is paused or resumed."""
    match word("eventType"):
        case "disconnect":
            return [Happening.CALL_OVER]
        case "recordingAvailable" | "recordComplete":
            failed = word("status") == "error"
            return [Happening.RECORDING_FAILED if failed else Happening.RECORDING_ENDED]
    return []
