"""What a Bird flow's HTTP step sends: the integrator writes its body, in Bird's own words or in ours.

https://docs.bird.com/api/voice-api/voice-webhooks
"""

from collections.abc import Mapping

# Map Bird's field: ours
FIELDS: Mapping[str, str] = {"callId": "call_id", "recordingId": "recording_id", "channelId": "channel_id"}
ACCOUNT_FIELD = "workspaceId", "workspace_id"
