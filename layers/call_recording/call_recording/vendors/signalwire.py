"""SignalWire, compatibility API.

https://developer.signalwire.com/compatibility-api/client-sdks/methods/recordings/update
https://github.com/signalwire/docs/blob/main/fern/apis/compatibility/openapi.yaml
"""

import re
from collections.abc import Sequence

import httpx

from .. import errors
from ..account import Account
from ..model import Call, Recording, RecordingStatus
from ._answers import Json, rows, same_id
from ._laml import PAGE_SIZE, LamlVendor
from .base import UUID, basic, require


class SignalWire(LamlVendor):
    """Recordings at SignalWire."""

    name = "signalwire"
    origin = "https://{space}"
    version_path = "/api/laml/2010-04-01"
    account_credential = "project_id"
    credential_sets = (("space", "project_id", "api_token"),)
    credential_patterns = {
        "space": re.compile(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)*\.signalwire\.com"),
        "project_id": UUID,
    }
    call_id_pattern = UUID
    recording_id_pattern = UUID

    # Map SignalWire status: our status.  In the OpenAPI description: RecordingStatus
    statuses = {
        "queued": RecordingStatus.UNKNOWN,
        "in-progress": RecordingStatus.IN_PROGRESS,
        "resumed": RecordingStatus.IN_PROGRESS,
        "paused": RecordingStatus.PAUSED,
        "stopped": RecordingStatus.STOPPED,
        "completed": RecordingStatus.COMPLETED,
        "absent": RecordingStatus.FAILED,
    }
    # Map SignalWire error code: our error.  https://signalwire.com/docs/compatibility-api/rest/error-codes
    errors_by_code = {
        "20003": errors.AuthenticationError,
        "20404": errors.RecordingNotFoundError,
        "20429": errors.RateLimitedError,
        "21220": errors.ConflictError,
    }

    def authorization(self, timeout: float) -> str:
        return basic(self.credentials["project_id"], self.credentials["api_token"])

    def read_request(self, call: Call, recording_id: str) -> httpx.Request:
        return self._request("GET", "/Recordings/{}.json", recording_id)

    def list_request(self, call: Call) -> httpx.Request:
        return self._request("GET", "/Recordings.json", params={"CallSid": call.call_id, "PageSize": PAGE_SIZE})

    def parse_list(self, body: Json, call: Call) -> Sequence[Recording]:
        # the list is the account's, filtered: another call's recording must never be paused for this one
        listed = rows(body, "recordings")
        for each in listed:
            require(UUID, "call_sid", each["call_sid"])  # without it nobody knows whose recording that is
        own = [each for each in listed if same_id(each["call_sid"], call.call_id)]
        return super().parse_list({**body, "recordings": own}, call)

    def _origin_of(self, account: Account) -> str:
        return self.origin.format(space=account.credentials.get("space", ""))
