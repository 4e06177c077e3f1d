"""What Bandwidth's platform sends.

https://dev.bandwidth.com/docs/voice/webhooks/
"""

from collections.abc import Mapping

# Map Bandwidth's field: ours
FIELDS: Mapping[str, str] = {"callId": "call_id", "recordingId": "recording_id"}
ACCOUNT_FIELD = "accountId", "account_id"
