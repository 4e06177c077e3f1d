"""What Twilio's platform sends.

https://www.twilio.com/docs/voice/twiml#request-parameters
https://www.twilio.com/docs/studio/widget-library/http-request
"""

from collections.abc import Mapping
from html import escape

from ..model import Action

# Map Twilio's field: ours
FIELDS: Mapping[str, str] = {"CallSid": "call_id", "RecordingSid": "recording_id"}
ACCOUNT_FIELD = "AccountSid", "account_sid"

# https://www.twilio.com/docs/voice/twiml/redirect
CONTENT_TYPE = "text/xml"


def redirect(url: str, _done: Action | None) -> str:
    """Write TwiML that goes on at *url*."""
    return f'<Response><Redirect method="POST">{escape(url)}</Redirect></Response>'
