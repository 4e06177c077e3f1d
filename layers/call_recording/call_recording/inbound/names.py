"""The names of our own fields, which every vendor's flows may use."""

from typing import Final

OUR_FIELDS: Final = frozenset(
    {
        "call_id",
        "recording_id",
        "channel_id",
        "pause_id",
        "event_id",
        "occurred_at",
        "max_pause_seconds",
        "redirect_url",
    }
)
