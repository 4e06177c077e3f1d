"""What SignalWire's platform sends.

https://developer.signalwire.com/compatibility-api/xml/voice/
"""

from collections.abc import Mapping

from . import twilio

# Map SignalWire's field: ours
FIELDS: Mapping[str, str] = {"CallSid": "call_id", "RecordingSid": "recording_id"}
ACCOUNT_FIELD = "AccountSid", "project_id"

# https://developer.signalwire.com/compatibility-api/xml/voice/redirect/: the same words as TwiML's
CONTENT_TYPE, redirect = twilio.CONTENT_TYPE, twilio.redirect
