"""What Twilio's platform sends.

https://www.twilio.com/docs/voice/twiml#request-parameters
https://www.twilio.com/docs/studio/widget-library/http-request
"""

from collections.abc import Mapping

# Map Twilio's field: ours
FIELDS: Mapping[str, str] = {"CallSid": "call_id", "RecordingSid": "recording_id"}
ACCOUNT_FIELD = "AccountSid", "account_sid"
