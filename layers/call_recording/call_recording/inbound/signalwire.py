"""What SignalWire's platform sends.

https://signalwire.com/docs/compatibility-api/cxml/voice
"""

from collections.abc import Mapping

# Map SignalWire's field: ours
FIELDS: Mapping[str, str] = {"CallSid": "call_id", "RecordingSid": "recording_id"}
ACCOUNT_FIELD = "AccountSid", "project_id"
