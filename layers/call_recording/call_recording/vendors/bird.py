"""Bird.

https://docs.bird.com/api/voice-api/voice-calls-api/update-a-call-recording
https://docs.bird.com/api/voice-api/voice-calls-api/get-a-call-recording
https://docs.bird.com/api/voice-api/voice-calls-api/list-call-recordings-of-a-call
https://docs.bird.com/api/voice-api/voice-calls-api/get-a-call

Bird answers 202 before it acts: only a read shows whether the recording is paused.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import httpx

from .. import errors
from ..model import Action, Call, CallState, Recording, RecordingStatus, Trigger
from ._answers import Json, require_same, rows
from .base import UUID, BaseVendor, require

#: A call with more active recordings than this is not shown whole and so not proven.
LIMIT: Final = "1000"

_CALL = "/workspaces/{}/channels/{}/calls/{}"


class Bird(BaseVendor):
    """Recordings at Bird."""

    name = "bird"
    origin = "https://api.bird.com"
    credential_sets = (("workspace_id", "access_key"),)
    credential_patterns = {"workspace_id": UUID, "channel_id": UUID}
    call_id_pattern = UUID
    recording_id_pattern = UUID
    #: Bird documents 202 alone, and answers before it acts
    final_statuses = frozenset()

    # Map our action: Bird's status in PatchCallRecording
    words: ClassVar[Mapping[Action, str]] = {
        Action.PAUSE: "paused",
        Action.RESUME: "ongoing",
        Action.STOP: "completed",
    }
    # Map Bird's CallRecordingStatus: our status
    statuses = {
        "accepted": RecordingStatus.UNKNOWN,
        "ongoing": RecordingStatus.IN_PROGRESS,
        "paused": RecordingStatus.PAUSED,
        "completed": RecordingStatus.STOPPED,
        "available": RecordingStatus.COMPLETED,
        "absent": RecordingStatus.FAILED,
        "failed": RecordingStatus.FAILED,
    }
    # https://docs.bird.com/api/voice-api/voice-webhooks
    call_statuses = {
        "accepted": True,
        "starting": True,
        "ringing": True,
        "ongoing": True,
        "completed": False,
        "no-answer": False,
        "busy": False,
        "failed": False,
    }

    def check_ids(self, call: Call, recording_id: str | None) -> None:
        super().check_ids(call, recording_id)
        if call.channel_id is not None:
            require(UUID, "channel_id", call.channel_id)

    def check(self, trigger: Trigger) -> None:
        super().check(trigger)
        if trigger.call.channel_id is None and "channel_id" not in self.account.credentials:
            raise errors.InvalidTriggerError("channel_id", "is missing, and the account's credentials name none")

    def authorization(self, timeout: float) -> str:
        return f"AccessKey {self.credentials['access_key']}"

    def update_request(self, call: Call, recording_id: str | None, action: Action) -> httpx.Request:
        return self._request("PATCH", "/recordings/{}", call, recording_id or "", json={"status": self.words[action]})

    def read_request(self, call: Call, recording_id: str) -> httpx.Request:
        return self._request("GET", "/recordings/{}", call, recording_id)

    def list_request(self, call: Call) -> httpx.Request:
        return self._request("GET", "/recordings", call, params={"limit": LIMIT})

    def call_request(self, call: Call) -> httpx.Request:
        return self._request("GET", "", call)

    def parse_recording(self, body: Json, call: Call) -> Recording:
        # an example in Bird's own page leaves out callId, though its schema requires it
        require_same(body.get("callId", call.call_id), call.call_id)
        return self.observed(body["id"], call.call_id, body["status"])

    def parse_list(self, body: Json, call: Call) -> Sequence[Recording]:
        if body.get("nextPageToken"):
            raise ValueError("more recordings than one page shows")
        return [self.parse_recording(each, call) for each in rows(body, "results")]

    def parse_call(self, body: Json, call: Call) -> CallState:
        require_same(body["id"], call.call_id)
        return CallState(live=self.call_statuses[body["status"]])

    def _request(self, method: str, path: str, call: Call, *ids: str, **content: object) -> httpx.Request:
        channel_id = call.channel_id or self.account.credentials.get("channel_id")
        if channel_id is None:  # a call that is looked at again, of an account that no longer names its channel
            raise errors.VendorResponseError("no channel_id is known", vendor=self.name)
        return self.request(
            method, _CALL + path, self.credentials["workspace_id"], channel_id, call.call_id, *ids, **content
        )
