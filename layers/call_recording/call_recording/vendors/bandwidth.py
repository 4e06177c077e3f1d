"""Bandwidth, Voice v2.

https://dev.bandwidth.com/apis/voice-apis/voice/#operation/updateCallRecordingState
https://dev.bandwidth.com/apis/voice-apis/voice/#operation/getCallState
https://github.com/Bandwidth/python-sdk/blob/main/bandwidth.yml
https://dev.bandwidth.com/docs/voice/bxml/pauseRecording

Bandwidth acts on the call, answers 200 with no body, and shows nowhere that a recording is paused: its yes is all
the proof there is, and may be a yes to nothing at all when nothing is being recorded.
"""

import json
import math
import re
import time
from collections.abc import Mapping
from html import escape  # of XML's five characters; xml.sax would cost each cold start 2.5 ms
from typing import ClassVar, Final

import httpx

from .. import errors, redirects
from ..account import Account
from ..model import ACKNOWLEDGED_AS, Action, Call, CallState, Proof, Recording, Trigger
from ._answers import Json, require_same
from .base import BaseVendor, basic

#: The host of the token endpoint.  In bandwidth.yml: securitySchemes.OAuth2
TOKEN_ORIGIN: Final = "https://api.bandwidth.com"  # noqa: S105 -- an address
#: A token is not used in the last seconds of its life: it could end on the way.
TOKEN_MARGIN_SECONDS: Final = 60

# What ends after these verbs ends the call: a Redirect must follow.
_STOP_DOCUMENT = (
    '<?xml version="1.0" encoding="UTF-8"?><Bxml><StopRecording/><Redirect redirectUrl="{redirect_url}"{basic}/></Bxml>'
)


class Bandwidth(BaseVendor):
    """Recordings at Bandwidth."""

    name = "bandwidth"
    origin = "https://voice.bandwidth.com"
    credential_sets = (("account_id", "username", "password"), ("account_id", "client_id", "client_secret"))
    credential_patterns = {"account_id": re.compile(r"[0-9]{1,20}")}
    # the SDK's own tests expect 47 characters; no document gives a pattern
    call_id_pattern = re.compile(r"c-[0-9a-f-]{36,64}")
    recording_id_pattern = re.compile(r"r-[0-9a-f-]{36,64}")
    reads = False
    statuses = {}
    # Map Bandwidth's state of a call: whether it is live.  In bandwidth.yml: callState, which may get more words
    call_statuses = {"queued": True, "initiated": True, "answered": True, "disconnected": False}

    # Map our action: Bandwidth's state, a word of requests only.  A stop is not among them: see update_request
    words: ClassVar[Mapping[Action, str]] = {Action.PAUSE: "paused", Action.RESUME: "recording"}
    # Map our action: the HTTP status of Bandwidth's yes.  In bandwidth.yml: updateCallRecordingState, updateCallBxml
    yes: ClassVar[Mapping[Action, int]] = {Action.PAUSE: 200, Action.RESUME: 200, Action.STOP: 204}

    def __init__(self, account: Account, client: httpx.Client) -> None:
        super().__init__(account, client)
        if self.settings.on_deadline == "stop":
            raise errors.ConfigurationError(
                "settings.on_deadline", "cannot be stop: at a deadline no redirect_url is known"
            )
        self._token: str | None = None
        self._token_ends_at = 0.0

    def check(self, trigger: Trigger) -> None:
        super().check(trigger)
        if trigger.action is Action.STOP:
            if trigger.call.redirect_url is None:
                raise errors.InvalidTriggerError("redirect_url", "is missing: without one, a stop would end the call")
            if not redirects.is_allowed(trigger.call.redirect_url, self.settings.allowed_redirects):
                raise errors.InvalidTriggerError("redirect_url", "is not below one of the account's allowed_redirects")

    def authorization(self, timeout: float) -> str:
        if "username" in self.credentials:
            return basic(self.credentials["username"], self.credentials["password"])
        if self._token is None or time.monotonic() >= self._token_ends_at:
            self._fetch_token(timeout)
        return f"Bearer {self._token}"

    def update_request(self, call: Call, recording_id: str | None, action: Action) -> httpx.Request:
        path = "/api/v2/accounts/{}/calls/{}/"
        ids = self.credentials["account_id"], call.call_id
        if action is Action.STOP:
            if call.redirect_url is None:  # a stop that is tried again: the ledger keeps no URL
                raise errors.VendorResponseError("no redirect_url is known, and without it a stop would end the call")
            credentials = self.account.redirect_credentials(call.redirect_url)
            basic = ' username="{}" password="{}"'.format(*map(escape, credentials)) if credentials else ""
            document = _STOP_DOCUMENT.format(redirect_url=escape(call.redirect_url), basic=basic)
            return self.request(
                "PUT", path + "bxml", *ids, content=document.encode(), headers={"content-type": "application/xml"}
            )
        return self.request("PUT", path + "recording", *ids, json={"state": self.words[action]})

    def call_request(self, call: Call) -> httpx.Request:
        return self.request("GET", "/api/v2/accounts/{}/calls/{}", self.credentials["account_id"], call.call_id)

    def parse_update(self, response: httpx.Response, body: bytes, call: Call, action: Action) -> Recording:
        if response.status_code != self.yes[action] or body.strip():
            raise ValueError("Bandwidth documents one status and an empty body: this is not known to be its yes")
        return Recording(
            recording_id=None, call_id=call.call_id, status=ACKNOWLEDGED_AS[action], proof=Proof.ACKNOWLEDGED
        )

    def parse_call(self, body: Json, call: Call) -> CallState:
        require_same(body["callId"], call.call_id)
        return CallState(live=self.call_statuses[body["state"]])

    def parse_error_code(self, body: Json) -> object:
        return body["type"]

    def renew(self) -> None:
        self._token = None

    def _fetch_token(self, timeout: float) -> None:
        """Fetch a token by client credentials.  Until there is one, no command has been sent."""
        url = f"{self.url if self.settings.api_url else TOKEN_ORIGIN}/api/v1/oauth2/token"
        request = self.client.build_request("POST", url, data={"grant_type": "client_credentials"})
        request.headers["authorization"] = basic(self.credentials["client_id"], self.credentials["client_secret"])
        try:
            token, seconds = self._send(request, timeout, lambda _, body: _token(body), sign=False)
        except errors.OutcomeUnknownError as exc:
            raise errors.VendorUnreachableError("no token, so nothing was sent", vendor=self.name) from exc
        except (errors.AuthenticationError, errors.RateLimitedError):
            raise
        except errors.VendorResponseError as exc:  # of the client, whatever its status: the call was never asked about
            raise errors.AuthenticationError(
                "no token", vendor=self.name, http_status=exc.http_status, vendor_code=exc.vendor_code
            ) from exc
        self._token = token
        self._token_ends_at = time.monotonic() + seconds - TOKEN_MARGIN_SECONDS


def _token(body: bytes) -> tuple[str, float]:
    """Read a token and the seconds that it lives (RFC 6749 section 5.1)."""
    answer = json.loads(body)
    token, seconds = answer["access_token"], float(answer["expires_in"])
    if not (isinstance(token, str) and re.fullmatch(r"[!-~]+", token)):
        raise ValueError("the token is not one that a header can carry")
    if not 0 < seconds < math.inf:
        raise ValueError("nobody knows when the token ends")
    return token, seconds
