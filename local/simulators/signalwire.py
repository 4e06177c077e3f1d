"""
SignalWire's Compatibility API (LaML), as far as recordings of calls go.

https://developer.signalwire.com/compatibility-api/client-sdks/methods/recordings/update and the OpenAPI document
https://github.com/signalwire/docs/blob/main/fern/apis/compatibility/openapi.yaml
"""

# ruff: noqa: ARG002, D102 -- a vendor fills in the hooks that vendor.py documents

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from local.simulators import laml
from local.simulators.exchange import Answer, Ask, Asked, Exchange, Received, Refusal, Route, reading
from local.simulators.faults import Action
from local.simulators.laml import rfc2822
from local.simulators.vendor import Vendor
from local.simulators.webhooks.base import CALLED, CALLER
from local.simulators.webhooks.signalwire import SCRIPT, SCRIPTS, SignalWireWebhooks
from local.simulators.world import Call, Recording, Status, TapeEvent

#: Our status: SignalWire's (`RecordingStatus` in the OpenAPI document).
WORDS: Final = {
    Status.IN_PROGRESS: "in-progress",
    Status.PAUSED: "paused",
    Status.STOPPED: "stopped",
    Status.COMPLETED: "completed",
}

#: The extra field of a new call in the control API: the word for a recording that goes on after a pause.
#: [unverified] Which of the two SignalWire uses, and when; `in-progress` where the call does not say.
RESUMED_WORD: Final = "resumed_word"
RESUMED_WORDS: Final = ("in-progress", "resumed")

#: https://signalwire.com/docs/compatibility-api/rest/error-codes . [unverified] The HTTP status of 21220, which code a bad form field has
#: (20001 is Twilio's), and the message texts.
AUTHENTICATE: Final = (401, 20003, "Authentication failed")
NOT_FOUND: Final = (404, 20404, "The requested resource was not found")
METHOD_NOT_ALLOWED: Final = (405, 20004, "Method not allowed")
INVALID_FIELD: Final = (422, 20001, "{why}")
INVALID_CALL_STATE: Final = (400, 21220, "Recording cannot be changed: call is not in-progress")

#: The second is what the old SDK (signalwire 2.1.1 on PyPI) sends. [unverified] That SignalWire itself answers there.
_PREFIXES: Final = (f"/api/laml/{laml.API_VERSION}/Accounts/", f"/{laml.API_VERSION}/Accounts/")
#: The OpenAPI document writes paths without it, the older reference and the SDK with it.
_SUFFIX: Final = r"(?:\.json)?"


class SignalWire(Vendor):
    """SignalWire, of one project in one space."""

    name = "signalwire"
    credential_fields = ("project_id", "api_token")
    optional_fields = ("signing_key",)
    webhooks_class = SignalWireWebhooks

    def routes(self) -> Sequence[Route]:
        # No list under a call: the Compatibility API documents only POST there, and `Twilio.CURRENT` nowhere.
        operations: tuple[tuple[str, str, Ask], ...] = (
            ("GET", "/Calls/{call}", self._read_call),
            ("POST", "/Calls/{call}/Recordings/{recording}", self._update_recording),
            ("GET", "/Recordings", self._list_recordings),
            ("GET", "/Recordings/{recording}", self._read_recording),
        )
        return tuple(
            Route(method, f"{prefix}{{account}}{path}", ask, _SUFFIX)
            for prefix in _PREFIXES
            for method, path, ask in operations
        )

    def refuse_stranger(self, received: Received) -> Answer | None:
        """https://developer.signalwire.com/compatibility-api : project id and API token."""
        if not self._are(received.basic(), "project_id", "api_token"):
            return _error(AUTHENTICATE)
        # [unverified] Another project's path is not found rather than refused.
        prefix = next((prefix for prefix in _PREFIXES if received.path.startswith(prefix)), "")
        account = received.path.removeprefix(prefix).partition("/")[0]
        return None if prefix and account == self._credentials["project_id"] else self.not_found(received)

    def not_found(self, received: Received) -> Answer:
        return _error(NOT_FOUND)

    def method_not_allowed(self, received: Received) -> Answer:
        return _error(METHOD_NOT_ALLOWED)

    def new_call_id(self) -> str:
        return str(uuid.uuid4())

    def new_recording_id(self) -> str:
        return str(uuid.uuid4())

    def call_options(self, asked: Mapping[str, str]) -> dict[str, str]:
        allowed = {RESUMED_WORD: RESUMED_WORDS, SCRIPT: SCRIPTS}
        super().call_options({name: value for name, value in asked.items() if name not in allowed})
        for name, values in allowed.items():
            if asked.get(name, values[0]) not in values:
                raise ValueError(f"{name!r} must be one of {', '.join(values)}")
        return dict(asked)

    def word_for(self, recording: Recording) -> str:
        if recording.status is Status.IN_PROGRESS and recording.tape.last_event is TapeEvent.RESUMED:
            return recording.call.options.get(RESUMED_WORD, RESUMED_WORDS[0])
        return WORDS[recording.status]

    def _update_recording(self, received: Received) -> Asked:
        form = received.form()
        action = laml.ACTIONS.get(form.get("Status", ""))

        def carry_out() -> Exchange:
            call, recording = self._call(received), self._recording(received)
            # A recording is its parent leg's: [unverified] under a child leg it is not found.
            if recording.call is not call:
                raise Refusal(self.not_found(received))
            if action is None:
                raise Refusal(_error(INVALID_FIELD, why="Status must be one of paused, in-progress, stopped"))
            if form.get("PauseBehavior", "silence") not in laml.PAUSE_BEHAVIORS:
                raise Refusal(_error(INVALID_FIELD, why="PauseBehavior must be one of skip, silence"))
            # [unverified] A recording that was stopped while its call goes on is refused like one whose call is over;
            # asking for the status that it has is no error.
            if not recording.live:
                raise Refusal(_error(INVALID_CALL_STATE))
            return Exchange(
                act=laml.change_of(action, recording, self._world.clock),
                answer=lambda: Answer.of_json(200, self._recording_resource(recording)),
            )

        return Asked(action=action, carry_out=carry_out)

    def _list_recordings(self, received: Received) -> Asked:
        def answer() -> Answer:
            # [unverified] The most recent first. A CallSid that does not exist has no recordings: the OpenAPI document
            # declares no 404 here.
            call_sid = received.query.get("CallSid")
            recordings = [
                recording
                for recording in self._world.recordings_of(self.name)[::-1]
                if call_sid in (None, recording.call.call_id)
            ]
            shown, page = laml.page_of(
                recordings,
                path=f"{self._account_uri()}/Recordings",
                query=received.query,
                refusal=lambda why: Refusal(_error(INVALID_FIELD, why=why)),
            )
            # `RecordingListResponse` has neither of these two of Twilio's.
            del page["start"], page["end"]
            return Answer.of_json(200, page | {"recordings": [self._recording_resource(each) for each in shown]})

        return reading(Action.LIST, answer)

    def _read_recording(self, received: Received) -> Asked:
        return reading(Action.READ, lambda: Answer.of_json(200, self._recording_resource(self._recording(received))))

    def _read_call(self, received: Received) -> Asked:
        return reading(Action.READ, lambda: Answer.of_json(200, self._call_resource(self._call(received))))

    def _call(self, received: Received) -> Call:
        call = self._world.call(received.names["call"], vendor=self.name)
        if call is None:
            raise Refusal(self.not_found(received))
        return call

    def _recording(self, received: Received) -> Recording:
        recording = self._world.recording(received.names["recording"], vendor=self.name)
        if recording is None:
            raise Refusal(self.not_found(received))
        return recording

    def _account_uri(self) -> str:
        return f"{_PREFIXES[0]}{self._credentials['project_id']}"

    def _recording_resource(self, recording: Recording) -> dict[str, Any]:
        """`Recording` and `CallRecordingResponse` in the OpenAPI document."""
        uri = f"{self._account_uri()}/Recordings/{recording.recording_id}"
        return {
            "sid": recording.recording_id,
            "account_sid": self._credentials["project_id"],
            "api_version": laml.API_VERSION,
            "call_sid": recording.call.call_id,
            "conference_sid": None,
            "channel": "1",
            "channels": "1",
            "date_created": rfc2822(recording.started_at),
            "date_updated": rfc2822(recording.updated_at),
            "start_time": rfc2822(recording.started_at),
            "end_time": rfc2822(recording.ended_at),
            "duration": recording.seconds or 0,
            "price": None,
            "price_unit": "USD",
            "source": "StartCallRecordingApi",
            "status": self.word_for(recording),
            "error_code": None,
            "uri": f"{uri}.json",
            "subresource_uris": {"transcriptions": f"{uri}/Transcriptions.json"},
            "encryption_details": None,
            "trim": "do-not-trim",
        }

    def _call_resource(self, call: Call) -> dict[str, Any]:
        """`CallResponse` in the OpenAPI document."""
        uri = f"{self._account_uri()}/Calls/{call.call_id}"
        return {
            "sid": call.call_id,
            "account_sid": self._credentials["project_id"],
            "parent_call_sid": None if call.parent is None else call.parent.call_id,
            "status": "completed" if call.over else "in-progress",
            "direction": "inbound" if call.parent is None else "outbound",
            "from": CALLER,
            "formatted_from": "(500) 555-0100",
            "from_formatted": "(500) 555-0100",
            "to": CALLED,
            "formatted_to": "(500) 555-0199",
            "to_formatted": "(500) 555-0199",
            "date_created": rfc2822(call.started_at),
            "date_updated": rfc2822(call.updated_at),
            "start_time": rfc2822(call.started_at),
            "end_time": rfc2822(call.ended_at),
            "duration": int(((call.ended_at or call.started_at) - call.started_at).total_seconds()),
            "api_version": laml.API_VERSION,
            "price": None,
            "price_unit": "USD",
            "uri": f"{uri}.json",
            "subresource_uris": {"notifications": None, "recordings": f"{uri}/Recordings.json"},
            **dict.fromkeys(_UNKNOWN_OF_A_CALL),
        }


#: Fields that a call always has, and of which we know nothing.
_UNKNOWN_OF_A_CALL: Final = (
    "phone_number_sid",
    "answered_by",
    "forwarded_from",
    "caller_name",
    "annotation",
    "group_sid",
    "sip_result_code",
    "audio_in_mos",
    "audio_rtt_avg",
    "audio_rtt_min",
    "audio_rtt_max",
    "audio_out_jitter_min",
    "audio_out_jitter_max",
    "audio_out_jitter_avg",
    "audio_out_lost",
)


def _error(error: tuple[int, int, str], **details: str) -> Answer:
    """`CompatibilityErrorResponse` in the OpenAPI document."""
    status, code, message = error
    return laml.error(
        status, code, message.format(**details), "https://signalwire.com/docs/compatibility-api/rest/error-codes"
    )
