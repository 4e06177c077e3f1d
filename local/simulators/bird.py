"""
Bird's Channels voice API, as far as recordings of calls go.

https://docs.bird.com/api/voice-api/voice-calls-api ; the pages carry their OpenAPI definitions.
"""

# ruff: noqa: ARG002, D102 -- a vendor fills in the hooks that vendor.py documents

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from local.simulators.exchange import Answer, Asked, Exchange, Received, Refusal, Route, reading
from local.simulators.faults import Action
from local.simulators.vendor import Vendor
from local.simulators.webhooks.base import CALLED, CALLER
from local.simulators.webhooks.bird import BirdWebhooks
from local.simulators.world import Call, Recording, Status, iso_milliseconds

#: Our status: Bird's (`CallRecordingStatus`,
#: https://docs.bird.com/api/voice-api/voice-calls-api/update-a-call-recording).
WORDS: Final = {
    Status.IN_PROGRESS: "ongoing",
    Status.PAUSED: "paused",
    Status.STOPPED: "completed",
    Status.COMPLETED: "completed",
}

#: What a PATCH may ask for (`PatchCallRecording`, same page).
ACTIONS: Final = {"paused": Action.PAUSE, "ongoing": Action.RESUME, "completed": Action.STOP}

#: What the answer to a PATCH says, whatever was asked: it is a 202, and the documented example of it says so.
ACCEPTED: Final = "accepted"
#: [unverified] How long after its 202 Bird acts. Long enough that a client that does not read back is caught. Until
#: then a read says what was before.
SETTLES_AFTER_MS: Final = 120

#: https://docs.bird.com/api/voice-api/voice-calls-api/list-call-recordings-of-a-call
DEFAULT_LIMIT: Final = 10
MAX_LIMIT: Final = 1000

#: The option in which a call keeps the channel that it came in by.
CHANNEL: Final = "channel_id"

#: [unverified] The codes; documented is only that there is one, a string, beside the message.
UNAUTHORIZED: Final = (401, "Unauthorized", "The access key is missing or not valid")
FORBIDDEN: Final = (403, "Forbidden", "The access key has no access to this workspace")
NOT_FOUND: Final = (404, "NotFound", "The requested resource does not exist: {what} not found")
METHOD_NOT_ALLOWED: Final = (405, "MethodNotAllowed", "The method is not allowed")
BAD_REQUEST: Final = (400, "BadRequest", "The body is not JSON")
UNPROCESSABLE: Final = (422, "InvalidPayload", "The request did not pass validation: {why}")

_CALL: Final = "/workspaces/{workspace}/channels/{channel}/calls/{call}"


class Bird(Vendor):
    """Bird, of one workspace with one voice channel."""

    name = "bird"
    credential_fields = ("workspace_id", "access_key", "channel_id")
    optional_fields = ("signing_key",)
    webhooks_class = BirdWebhooks

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", _CALL, self._read_call),
            Route("GET", f"{_CALL}/recordings", self._list_recordings),
            Route("GET", f"{_CALL}/recordings/{{recording}}", self._read_recording),
            Route("PATCH", f"{_CALL}/recordings/{{recording}}", self._update_recording),
        )

    def refuse_stranger(self, received: Received) -> Answer | None:
        """https://docs.bird.com/api/api-access/common-api-usage : `AccessKey`, not `Bearer`."""
        if not self._is(received.token("AccessKey"), "access_key"):
            return _error(UNAUTHORIZED)
        # [unverified] Another workspace is refused rather than not found.
        workspace = received.path.removeprefix("/workspaces/").partition("/")[0]
        return None if workspace == self._credentials["workspace_id"] else _error(FORBIDDEN)

    def not_found(self, received: Received) -> Answer:
        return _error(NOT_FOUND, what="page")

    def method_not_allowed(self, received: Received) -> Answer:
        return _error(METHOD_NOT_ALLOWED)

    def new_call_id(self) -> str:
        return str(uuid.uuid4())

    def new_recording_id(self) -> str:
        return str(uuid.uuid4())

    def call_options(self, asked: Mapping[str, str]) -> dict[str, str]:
        return super().call_options(asked) | {CHANNEL: self._credentials["channel_id"]}

    def shown_with_call(self, call: Call) -> dict[str, str]:
        return {"channel_id": call.options[CHANNEL]}

    def word_for(self, recording: Recording) -> str:
        return WORDS[recording.status]

    def _update_recording(self, received: Received) -> Asked:
        wanted = _status_of(received)
        action = None if isinstance(wanted, Answer) else wanted

        def carry_out() -> Exchange:
            recording = self._recording(received)
            if isinstance(wanted, Answer):
                raise Refusal(wanted)
            answer = self._accepting(recording)
            if wanted is None:
                return Exchange(answer=answer)
            # [unverified] A recording that has ended refuses every change; one that is asked for the status that it has
            # accepts.
            if not recording.live:
                raise Refusal(_error(UNPROCESSABLE, why="the recording has ended"))
            change = {Action.PAUSE: recording.pause, Action.RESUME: recording.resume, Action.STOP: recording.stop}
            return Exchange(
                act=lambda: change[wanted](self._world.clock()), answer=answer, settles_after_ms=SETTLES_AFTER_MS
            )

        return Asked(action=action, carry_out=carry_out)

    def _accepting(self, recording: Recording) -> Callable[[], Answer]:
        return lambda: Answer.of_json(202, self._recording_resource(recording) | {"status": ACCEPTED})

    def _list_recordings(self, received: Received) -> Asked:
        def answer() -> Answer:
            call = self._call(received)
            limit, start = _page(received)
            if call.over:
                raise Refusal(_error(NOT_FOUND, what="call"))
            active = call.live_recordings
            more = {"nextPageToken": str(start + limit)} if start + limit < len(active) else {}
            shown = active[start : start + limit]
            return Answer.of_json(200, {"results": [self._recording_resource(each) for each in shown], **more})

        return reading(Action.LIST, answer)

    def _read_recording(self, received: Received) -> Asked:
        # [unverified] One that has ended can still be read here; the page says "active".
        return reading(Action.READ, lambda: Answer.of_json(200, self._recording_resource(self._recording(received))))

    def _read_call(self, received: Received) -> Asked:
        return reading(Action.READ, lambda: Answer.of_json(200, self._call_resource(self._call(received))))

    def _call(self, received: Received) -> Call:
        call = self._world.call(received.names["call"], vendor=self.name)
        if call is None or call.options[CHANNEL] != received.names["channel"]:
            raise Refusal(_error(NOT_FOUND, what="call"))
        return call

    def _recording(self, received: Received) -> Recording:
        call = self._call(received)
        recording = self._world.recording(received.names["recording"], vendor=self.name)
        if recording is None or recording.call is not call:
            raise Refusal(_error(NOT_FOUND, what="recording"))
        return recording

    def _recording_resource(self, recording: Recording) -> dict[str, Any]:
        """`CallRecording`, https://docs.bird.com/api/voice-api/voice-calls-api/get-a-call-recording"""
        ended = (
            {}
            if recording.ended_at is None
            else {"duration": recording.seconds, "endedAt": iso_milliseconds(recording.ended_at)}
        )
        return {
            "id": recording.recording_id,
            "callId": recording.call.call_id,
            "channelId": recording.call.options[CHANNEL],
            "status": self.word_for(recording),
            "origin": "call-command-record",
            "stereo": False,
            "createdAt": iso_milliseconds(recording.started_at),
            "updatedAt": iso_milliseconds(recording.updated_at),
            "startedAt": iso_milliseconds(recording.started_at),
            **ended,
        }

    def _call_resource(self, call: Call) -> dict[str, Any]:
        """`Call`, https://docs.bird.com/api/voice-api/voice-calls-api/get-a-call"""
        parent = {} if call.parent is None else {"parentId": call.parent.call_id}
        ended = (
            {}
            if call.ended_at is None
            else {
                "duration": int((call.ended_at - call.started_at).total_seconds()),
                "endedAt": iso_milliseconds(call.ended_at),
            }
        )
        return {
            "id": call.call_id,
            "channelId": call.options[CHANNEL],
            "from": CALLER,
            "to": CALLED,
            **parent,
            "direction": "incoming",
            "status": "completed" if call.over else "ongoing",
            "type": "pstn",
            "createdAt": iso_milliseconds(call.started_at),
            "updatedAt": iso_milliseconds(call.updated_at),
            "answeredAt": iso_milliseconds(call.started_at),
            **ended,
        }


def _status_of(received: Received) -> Action | Answer | None:
    """What a PATCH asks for (it may ask for nothing), or what is wrong with it."""
    # [unverified] Another content type is a bad request: no 415 is declared.
    if received.media_type != "application/json":
        return _error(BAD_REQUEST)
    try:
        body = received.json()
    except ValueError:
        return _error(BAD_REQUEST)
    match body:
        case {"status": str(status)} if status in ACTIONS and len(body) == 1:
            return ACTIONS[status]
        case {} if not body:
            return None
        case {"status": _} if len(body) == 1:
            return _error(UNPROCESSABLE, why="status must be one of paused, ongoing, completed")
    return _error(UNPROCESSABLE, why="the body must be an object with no property but status")


def _page(received: Received) -> tuple[int, int]:
    """How many are asked for, and from where on."""
    try:
        limit = int(received.query.get("limit", str(DEFAULT_LIMIT)))
        start = int(received.query.get("pageToken", "0"))
    except ValueError as exc:
        raise Refusal(_error(UNPROCESSABLE, why="limit or pageToken")) from exc
    if not 1 <= limit <= MAX_LIMIT or start < 0:
        raise Refusal(_error(UNPROCESSABLE, why="limit or pageToken"))
    return limit, start


def _error(error: tuple[int, str, str], **details: str) -> Answer:
    """`RequestError`, https://docs.bird.com/api/voice-api/voice-calls-api/update-a-call-recording"""
    status, code, message = error
    return Answer.of_json(status, {"code": code, "message": message.format(**details)})
