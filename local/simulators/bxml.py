"""
BXML, Bandwidth's call markup, as far as recordings and the life of a call go.

https://dev.bandwidth.com/docs/voice/bxml/
"""

from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from local.simulators.faults import Action

#: Verbs about the recording.
VERBS: Final = {
    "PauseRecording": Action.PAUSE,
    "ResumeRecording": Action.RESUME,
    "StopRecording": Action.STOP,
}
#: Verbs that hand the call on, so that what follows them in the document is not reached, and the attribute without
#: which they hand it on to nobody. A call whose document runs out ends: `disconnectCause` `hangup` means, among others,
#: that there was no more BXML. [unverified] That this holds for a document that came by PUT, and for these verbs.
HANDS_ON: Final = {
    "Redirect": "redirectUrl",
    "Gather": "gatherUrl",
    "Record": "recordCompleteUrl",
    "Transfer": None,
    "Bridge": None,
    "Conference": None,
    "Forward": None,
}
HANGS_UP: Final = "Hangup"
#: Both are in the documentation.
ROOTS: Final = frozenset({"Bxml", "Response"})


def parse(document: bytes) -> list[Element]:
    """Return the verbs of a document.  Raises ValueError, which says what is wrong with it."""
    try:
        root: Element = fromstring(document)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise ValueError("The body is not BXML") from None
    if root.tag not in ROOTS:
        raise ValueError("The root of BXML is Bxml or Response")
    return list(root)
