"""
Bandwidth's Voice API v2 and its OAuth2 token endpoint, as far as recordings of calls go.

https://dev.bandwidth.com/apis/voice/ and the OpenAPI document
https://github.com/Bandwidth/python-sdk/blob/main/bandwidth.yml . Both endpoints are on one origin here, so that one
address replaces both.
"""

# ruff: noqa: ARG002, D102 -- a vendor fills in the hooks that vendor.py documents

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from xml.etree.ElementTree import Element

from local.simulators.bxml import HANDS_ON, HANGS_UP, VERBS, parse
from local.simulators.exchange import Answer, Asked, Exchange, Received, Refusal, Route, reading
from local.simulators.faults import Action
from local.simulators.vendor import Vendor
from local.simulators.webhooks.bandwidth import APPLICATION_ID, BandwidthWebhooks
from local.simulators.webhooks.base import CALLED, CALLER
from local.simulators.world import Call, Recording, Status, World, iso_milliseconds

#: Our status: Bandwidth's. A request says `recording` and `paused`, the metadata of a finished one `complete`; no
#: answer of the API ever says that a recording is paused.
WORDS: Final = {
    Status.IN_PROGRESS: "recording",
    Status.PAUSED: "paused",
    Status.STOPPED: "complete",
    Status.COMPLETED: "complete",
}

#: `recordingStateEnum` in the OpenAPI document.
ACTIONS: Final = {"paused": Action.PAUSE, "recording": Action.RESUME}

#: [unverified] How long a token lives; the control API can set it.
TOKEN_SECONDS: Final = 3600

_API: Final = "/api/v2/accounts/"
_TOKEN_PATH: Final = "/api/v1/oauth2/token"
_CALL: Final = f"{_API}{{account}}/calls/{{call}}"


class Bandwidth(Vendor):
    """Bandwidth, of one account with one API user and one OAuth2 client."""

    name = "bandwidth"
    credential_fields = ("account_id", "username", "password", "client_id", "client_secret")
    webhooks_class = BandwidthWebhooks

    def __init__(self, world: World, credentials: Mapping[str, str]) -> None:
        self.token_seconds = TOKEN_SECONDS
        self._tokens: Final[dict[str, datetime]] = {}
        super().__init__(world, credentials)

    def routes(self) -> Sequence[Route]:
        return (
            Route("POST", _TOKEN_PATH, self._issue_token),
            Route("PUT", f"{_CALL}/recording", self._update_recording),
            Route("PUT", f"{_CALL}/bxml", self._replace_bxml),
            Route("GET", f"{_CALL}/recordings", self._list_recordings),
            Route("GET", f"{_CALL}/recordings/{{recording}}", self._read_recording),
            Route("GET", _CALL, self._read_call),
            Route("POST", _CALL, self._update_call),
        )

    def rotate(self, credentials: Mapping[str, str]) -> None:
        """Take new keys. [unverified] What became of tokens of the old ones: here they end with them."""
        super().rotate(credentials)
        self._tokens.clear()

    def refuse_stranger(self, received: Received) -> Answer | None:
        """https://dev.bandwidth.com/docs/credentials/ : Basic, or a bearer token of the token endpoint."""
        if received.path == _TOKEN_PATH:
            if self._are(received.basic(), "client_id", "client_secret"):
                return None
            # [unverified] The error bodies of the token endpoint: those of RFC 6749, section 5.2.
            return Answer.of_json(401, {"error": "invalid_client"}, WWW_Authenticate="Basic")
        if not self._are(received.basic(), "username", "password") and not self._knows(received.token("Bearer")):
            return _error(401, "Invalid credentials")
        account = received.path.removeprefix(_API).partition("/")[0]
        if received.path.startswith(_API) and account != self._credentials["account_id"]:
            return _error(403, "Access is denied")
        return None

    def not_found(self, received: Received) -> Answer:
        return _error(404, "Not found")

    def method_not_allowed(self, received: Received) -> Answer:
        return _error(405, f"Method {received.method} is not allowed")

    def new_call_id(self) -> str:
        return f"c-{_long_id()}"

    def new_recording_id(self) -> str:
        return f"r-{_long_id()}"

    def word_for(self, recording: Recording) -> str:
        return WORDS[recording.status]

    def _knows(self, token: str | None) -> bool:
        ends = self._tokens.get(token or "")
        return ends is not None and self._world.clock() < ends

    def _issue_token(self, received: Received) -> Asked:
        token = secrets.token_urlsafe(32)

        def carry_out() -> Exchange:
            if received.form().get("grant_type") != "client_credentials":
                raise Refusal(Answer.of_json(400, {"error": "unsupported_grant_type"}))
            return Exchange(
                act=lambda: self._tokens.update({token: self._world.clock() + timedelta(seconds=self.token_seconds)}),
                answer=lambda: Answer.of_json(
                    200, {"access_token": token, "token_type": "Bearer", "expires_in": self.token_seconds}
                ),
            )

        return Asked(action=Action.TOKEN, carry_out=carry_out)

    def _update_recording(self, received: Received) -> Asked:
        wanted = _json_object(received)
        state = wanted.get("state") if isinstance(wanted, dict) else None
        action = ACTIONS.get(state) if isinstance(state, str) else None

        def carry_out() -> Exchange:
            if isinstance(wanted, Answer):
                raise Refusal(wanted)
            call = self._live_call(received)
            if action is None:
                raise Refusal(_error(400, "Invalid state: must be one of paused, recording", kind="validation"))
            # [unverified] With nothing being recorded, or the state as it is, the answer is the same empty 200.
            return Exchange(act=lambda: self._change(call, action), answer=Answer)

        return Asked(action=action, carry_out=carry_out)

    def _change(self, call: Call, action: Action) -> None:
        at = self._world.clock()
        # The API names no recording: it acts on what the call is recording.
        for recording in call.live_recordings:
            {Action.PAUSE: recording.pause, Action.RESUME: recording.resume, Action.STOP: recording.stop}[action](at)

    def _replace_bxml(self, received: Received) -> Asked:
        document = _bxml(received)
        verbs = [] if isinstance(document, Answer) else document
        action = next((VERBS[verb.tag] for verb in verbs if verb.tag in VERBS), None)

        def carry_out() -> Exchange:
            if isinstance(document, Answer):
                raise Refusal(document)
            call = self._live_call(received)
            return Exchange(act=lambda: self._run(call, verbs), answer=lambda: Answer(status=204))

        return Asked(action=action, carry_out=carry_out)

    def _run(self, call: Call, verbs: Sequence[Element]) -> None:
        """Do what the document says, in order, until a verb hands the call on; else the call ends with it."""
        for verb in verbs:
            if verb.tag in VERBS:
                self._change(call, VERBS[verb.tag])
            elif verb.tag == "StartRecording" and not call.live_recordings:
                self._world.start_recording(call, self.new_recording_id())
            elif verb.tag in HANDS_ON:
                needed = HANDS_ON[verb.tag]
                if needed is None or verb.get(needed):
                    return
            elif verb.tag == HANGS_UP:
                break
        self._world.end(call)

    def _update_call(self, received: Received) -> Asked:
        wanted = _json_object(received)

        def carry_out() -> Exchange:
            if isinstance(wanted, Answer):
                raise Refusal(wanted)
            call = self._live_call(received)
            match wanted.get("state", "active"), wanted.get("redirectUrl"):
                case "active", str():
                    return Exchange(answer=Answer)
                case "completed", None:
                    return Exchange(act=lambda: self._world.end(call), answer=Answer)
            raise Refusal(_error(400, "state active needs redirectUrl, completed must not have it", kind="validation"))

        return Asked(carry_out=carry_out)

    def _list_recordings(self, received: Received) -> Asked:
        def answer() -> Answer:
            # [unverified] One that has not finished is not listed.
            finished = [recording for recording in self._call(received).recordings if not recording.live]
            return Answer.of_json(200, [self._metadata(recording) for recording in finished])

        return reading(Action.LIST, answer)

    def _read_recording(self, received: Received) -> Asked:
        def answer() -> Answer:
            recording = self._world.recording(received.names["recording"], vendor=self.name)
            # [unverified] One that has not finished is not found either.
            if recording is None or recording.live or recording.call is not self._call(received):
                raise Refusal(_error(404, f"Recording [{received.names['recording']}] not found"))
            return Answer.of_json(200, self._metadata(recording))

        return reading(Action.READ, answer)

    def _read_call(self, received: Received) -> Asked:
        return reading(Action.READ, lambda: Answer.of_json(200, self._call_state(self._call(received))))

    def _call(self, received: Received) -> Call:
        call = self._world.call(received.names["call"], vendor=self.name)
        if call is None:
            raise Refusal(_error(404, f"Call [{received.names['call']}] not found"))
        return call

    def _live_call(self, received: Received) -> Call:
        # [unverified] A call that ended a moment ago may be 409 instead: declared for POST, not for the recording.
        call = self._call(received)
        if call.over:
            raise Refusal(_error(404, f"Call [{call.call_id}] not found"))
        return call

    def _of_call(self, call: Call) -> dict[str, Any]:
        parent = {} if call.parent is None else {"parentCallId": call.parent.call_id}
        return {
            "applicationId": APPLICATION_ID,
            "accountId": self._credentials["account_id"],
            "callId": call.call_id,
            **parent,
            "from": CALLER,
            "to": CALLED,
            "direction": "inbound",
        }

    def _metadata(self, recording: Recording) -> dict[str, Any]:
        """`callRecordingMetadata` in the OpenAPI document."""
        call_id, ended = recording.call.call_id, recording.ended_at or recording.updated_at
        base = f"https://voice.bandwidth.com{_API}{self._credentials['account_id']}/calls/{call_id}"
        return self._of_call(recording.call) | {
            "recordingId": recording.recording_id,
            "duration": f"PT{(ended - recording.started_at).total_seconds():.2f}S",
            "channels": 1,
            "startTime": iso_milliseconds(recording.started_at),
            "endTime": iso_milliseconds(ended),
            "fileFormat": "wav",
            "status": self.word_for(recording),
            "mediaUrl": f"{base}/recordings/{recording.recording_id}/media",
        }

    def _call_state(self, call: Call) -> dict[str, Any]:
        """`callState` in the OpenAPI document."""
        ended = (
            {} if call.ended_at is None else {"endTime": iso_milliseconds(call.ended_at), "disconnectCause": "hangup"}
        )
        return self._of_call(call) | {
            "state": "disconnected" if call.over else "answered",
            "startTime": iso_milliseconds(call.started_at),
            "answerTime": iso_milliseconds(call.started_at),
            **ended,
            "lastUpdate": iso_milliseconds(call.updated_at),
        }


def _long_id() -> str:
    """The later part of Bandwidth's ids: a group of eight, then a UUID."""
    return f"{secrets.token_hex(4)}-{uuid.uuid4()}"


def _json_object(received: Received) -> dict[str, Any] | Answer:
    """The body, or what is wrong with it."""
    if received.media_type != "application/json":
        return _error(415, "Content-Type must be application/json")
    try:
        value = received.json()
    except ValueError:
        return _error(400, "The body is not JSON", kind="validation")
    return value if isinstance(value, dict) else _error(400, "The body is not a JSON object", kind="validation")


def _bxml(received: Received) -> list[Element] | Answer:
    """The document's verbs, or what is wrong with it."""
    if received.media_type not in {"application/xml", "text/xml"}:
        return _error(415, "Content-Type must be application/xml")
    try:
        return parse(received.body)
    except ValueError as problem:
        return _error(400, str(problem), kind="validation")


def _error(status: int, description: str, *, kind: str = "error") -> Answer:
    """`voiceApiError` in the OpenAPI document."""
    return Answer.of_json(status, {"type": kind, "description": description, "id": None})
