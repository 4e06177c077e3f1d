"""The REST dialect that Twilio introduced and that SignalWire's compatibility API shares."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import httpx

from ..model import Action, Call, CallState, Recording
from ._answers import Json, require_same, rows
from .base import BaseVendor, require

#: A call with more recordings than this, ended ones included, is not shown whole and so not proven.
PAGE_SIZE: Final = "1000"


class LamlVendor(BaseVendor):
    """A vendor whose accounts, calls and recordings are addressed as Twilio's are."""

    #: the credential that is the account's id in paths
    account_credential: ClassVar[str]
    #: what stands before `/Accounts`
    version_path: ClassVar[str]
    # Map our action: the vendor's Status.  https://www.twilio.com/docs/voice/api/recording#update-a-recording-resource
    words: ClassVar[Mapping[Action, str]] = {
        Action.PAUSE: "paused",
        Action.RESUME: "in-progress",
        Action.STOP: "stopped",
    }
    # https://www.twilio.com/docs/voice/api/call-resource#call-status-values, and CallStatus in SignalWire's OpenAPI
    call_statuses = {
        "queued": True,
        "initiated": True,
        "ringing": True,
        "in-progress": True,
        "canceled": False,
        "completed": False,
        "busy": False,
        "failed": False,
        "no-answer": False,
    }

    def update_request(self, call: Call, recording_id: str | None, action: Action) -> httpx.Request:
        form = {"Status": self.words[action]}
        if action is Action.PAUSE:
            form["PauseBehavior"] = self.settings.pause_behavior
        return self._request("POST", "/Calls/{}/Recordings/{}.json", call.call_id, recording_id or "", data=form)

    def call_request(self, call: Call) -> httpx.Request:
        return self._request("GET", "/Calls/{}.json", call.call_id)

    def parse_recording(self, body: Json, call: Call) -> Recording:
        return self.observed(body["sid"], body["call_sid"], body["status"])

    def parse_list(self, body: Json, call: Call) -> Sequence[Recording]:
        if body.get("next_page_uri"):
            raise ValueError("more recordings than one page shows")
        return [self.parse_recording(each, call) for each in rows(body, "recordings")]

    def parse_call(self, body: Json, call: Call) -> CallState:
        require_same(body["sid"], call.call_id)
        parent = body.get("parent_call_sid")
        if parent in (None, ""):
            parent = None
        else:
            require(self.call_id_pattern, "parent_call_sid", parent)
        return CallState(live=self.call_statuses[body["status"]], parent_call_id=parent)

    def _request(self, method: str, path: str, *ids: str, **content: object) -> httpx.Request:
        return self.request(
            method,
            self.version_path + "/Accounts/{}" + path,
            self.credentials[self.account_credential],
            *ids,
            **content,
        )
