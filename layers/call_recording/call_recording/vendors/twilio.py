"""Twilio.

https://www.twilio.com/docs/voice/api/recording#update-a-recording-resource
https://github.com/twilio/twilio-oai/blob/main/spec/json/twilio_api_v2010.json

Regions and edges (https://www.twilio.com/docs/global-infrastructure) are another host each: an account's `api_url`.
"""

import re

import httpx

from .. import errors
from ..model import Call, RecordingStatus
from ._laml import PAGE_SIZE, LamlVendor
from .base import basic


class Twilio(LamlVendor):
    """Recordings at Twilio."""

    name = "twilio"
    origin = "https://api.twilio.com"
    version_path = "/2010-04-01"
    account_credential = "account_sid"
    # https://www.twilio.com/docs/iam/api-keys: an API key signs in for the account that the path names
    credential_sets = (("account_sid", "api_key", "api_secret"), ("account_sid", "auth_token"))
    credential_patterns = {"account_sid": re.compile(r"AC[0-9a-fA-F]{32}")}
    call_id_pattern = re.compile(r"CA[0-9a-fA-F]{32}")
    recording_id_pattern = re.compile(r"RE[0-9a-fA-F]{32}")
    #: the call's one active recording; refused with 16108 if there are several
    current_recording = "Twilio.CURRENT"

    # Map Twilio status: our status.  In twilio-oai: call_recording_enum_status
    statuses = {
        "in-progress": RecordingStatus.IN_PROGRESS,
        "paused": RecordingStatus.PAUSED,
        "stopped": RecordingStatus.STOPPED,
        "processing": RecordingStatus.STOPPED,
        "completed": RecordingStatus.COMPLETED,
        "absent": RecordingStatus.FAILED,
    }
    # Map Twilio error code: our error.  https://www.twilio.com/docs/api/errors
    errors_by_code = {
        "16108": errors.ConflictError,  # several active recordings
        "16114": errors.RecordingBusyError,  # being modified: Twilio says to try again
        "20003": errors.AuthenticationError,
        "20404": errors.RecordingNotFoundError,
        "20429": errors.RateLimitedError,
        "21220": errors.ConflictError,  # the call is not in progress
    }

    def authorization(self, timeout: float) -> str:
        if "api_key" in self.credentials:
            return basic(self.credentials["api_key"], self.credentials["api_secret"])
        return basic(self.credentials["account_sid"], self.credentials["auth_token"])

    def read_request(self, call: Call, recording_id: str) -> httpx.Request:
        return self._request("GET", "/Calls/{}/Recordings/{}.json", call.call_id, recording_id)

    def list_request(self, call: Call) -> httpx.Request:
        return self._request("GET", "/Calls/{}/Recordings.json", call.call_id, params={"PageSize": PAGE_SIZE})
