"""
Twilio's Programmable Voice REST API, as far as recordings of calls go.

https://www.twilio.com/docs/voice/api/recording and the OpenAPI document
https://github.com/twilio/twilio-oai/blob/main/spec/json/twilio_api_v2010.json
"""

# ruff: noqa: ARG002, D102 -- a vendor fills in the hooks that vendor.py documents

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final

from local.simulators import laml
from local.simulators.exchange import Answer, Asked, Exchange, Received, Refusal, Route, reading
from local.simulators.faults import Action
from local.simulators.laml import rfc2822
from local.simulators.vendor import Vendor
from local.simulators.webhooks.base import CALLED, CALLER
from local.simulators.webhooks.twilio import TwilioWebhooks
from local.simulators.world import Call, Recording, Status

#: Our status: Twilio's. https://www.twilio.com/docs/voice/api/recording
#: [unverified] How long `stopped` lasts before `processing` and `completed`: here it lasts until the call ends.
WORDS: Final = {
    Status.IN_PROGRESS: "in-progress",
    Status.PAUSED: "paused",
    Status.STOPPED: "stopped",
    Status.COMPLETED: "completed",
}

#: Instead of a recording's sid, in an update only: the one active recording of the call.
CURRENT: Final = "Twilio.CURRENT"

#: https://www.twilio.com/docs/api/errors
#: [unverified] The HTTP status of 16108, 20001 and 21220, and the message texts.
AUTHENTICATE: Final = (401, 20003, "Authenticate")
NOT_FOUND: Final = (404, 20404, "The requested resource {path} was not found")
METHOD_NOT_ALLOWED: Final = (405, 20004, "Method not allowed")
BAD_REQUEST: Final = (400, 20001, "Invalid request: {why}")
SEVERAL_ACTIVE: Final = (400, 16108, "More than one active recording for the call, name one by its sid")
INVALID_CALL_STATE: Final = (400, 21220, "Unable to update record. Call is not in-progress. Cannot change recording.")

_ACCOUNT: Final = f"/{laml.API_VERSION}/Accounts/{{account}}"


class Twilio(Vendor):
    """Twilio, of one account in region us1."""

    name = "twilio"
    credential_fields = ("account_sid", "auth_token", "api_key", "api_secret")
    webhooks_class = TwilioWebhooks

    def routes(self) -> Sequence[Route]:
        # Without `.json` Twilio answers XML, https://www.twilio.com/docs/usage/twilios-response : here, nothing.
        return (
            Route("GET", f"{_ACCOUNT}/Calls/{{call}}.json", self._read_call),
            Route("GET", f"{_ACCOUNT}/Calls/{{call}}/Recordings.json", self._list_recordings),
            Route("GET", f"{_ACCOUNT}/Calls/{{call}}/Recordings/{{recording}}.json", self._read_recording_of_call),
            Route("POST", f"{_ACCOUNT}/Calls/{{call}}/Recordings/{{recording}}.json", self._update_recording),
            Route("GET", f"{_ACCOUNT}/Recordings/{{recording}}.json", self._read_recording),
        )

    def refuse_stranger(self, received: Received) -> Answer | None:
        """https://www.twilio.com/docs/usage/requests-to-twilio : the account's sid and token, or an API key."""
        given = received.basic()
        if not self._are(given, "account_sid", "auth_token") and not self._are(given, "api_key", "api_secret"):
            return _error(AUTHENTICATE)
        # [unverified] Another account's path is not found rather than refused.
        account = received.path.removeprefix(f"/{laml.API_VERSION}/Accounts/").partition("/")[0]
        return None if account == self._credentials["account_sid"] else self.not_found(received)

    def not_found(self, received: Received) -> Answer:
        return _error(NOT_FOUND, path=received.path)

    def method_not_allowed(self, received: Received) -> Answer:
        return _error(METHOD_NOT_ALLOWED)

    def new_call_id(self) -> str:
        return f"CA{secrets.token_hex(16)}"

    def new_recording_id(self) -> str:
        return f"RE{secrets.token_hex(16)}"

    def word_for(self, recording: Recording) -> str:
        return WORDS[recording.status]

    def _update_recording(self, received: Received) -> Asked:
        form = received.form()
        action = laml.ACTIONS.get(form.get("Status", ""))

        def carry_out() -> Exchange:
            call = self._call(received)
            if action is None:
                raise Refusal(_error(BAD_REQUEST, why="Status must be one of in-progress, paused, stopped"))
            if form.get("PauseBehavior", "silence") not in laml.PAUSE_BEHAVIORS:
                raise Refusal(_error(BAD_REQUEST, why="PauseBehavior must be one of silence, skip"))
            recording = self._recording_to_update(call, received)
            # [unverified] A recording that was stopped while its call goes on is refused like one whose call is over;
            # asking for the status that it has is no error.
            if not recording.live:
                raise Refusal(_error(INVALID_CALL_STATE))
            return Exchange(
                act=laml.change_of(action, recording, self._world.clock),
                answer=lambda: Answer.of_json(200, self._recording_of_call(recording)),
            )

        return Asked(action=action, carry_out=carry_out)

    def _recording_to_update(self, call: Call, received: Received) -> Recording:
        if received.names["recording"] != CURRENT:
            return self._recording(received, of=call)
        if call.over:
            raise Refusal(_error(INVALID_CALL_STATE))
        # A paused recording is an active one. [unverified] With none active: not found.
        match call.live_recordings:
            case []:
                raise Refusal(self.not_found(received))
            case [recording]:
                return recording
            case _:
                raise Refusal(_error(SEVERAL_ACTIVE))

    def _list_recordings(self, received: Received) -> Asked:
        def answer() -> Answer:
            # The most recent first, those that have ended included.
            recordings = self._call(received).recordings[::-1]
            shown, page = laml.page_of(
                recordings,
                path=received.path,
                query=received.query,
                refusal=lambda why: Refusal(_error(BAD_REQUEST, why=why)),
            )
            return Answer.of_json(200, page | {"recordings": [self._recording_of_call(each) for each in shown]})

        return reading(Action.LIST, answer)

    def _read_recording_of_call(self, received: Received) -> Asked:
        def answer() -> Answer:
            recording = self._recording(received, of=self._call(received))
            return Answer.of_json(200, self._recording_of_call(recording))

        return reading(Action.READ, answer)

    def _read_recording(self, received: Received) -> Asked:
        def answer() -> Answer:
            recording = self._recording(received, of=None)
            uri = f"{self._account_uri()}/Recordings/{recording.recording_id}"
            # `api.v2010.account.recording` in the OpenAPI document: other links, and no track.
            resource = self._recording_of_call(recording) | {
                "uri": f"{uri}.json",
                "subresource_uris": {
                    "add_on_results": f"{uri}/AddOnResults.json",
                    "transcriptions": f"{uri}/Transcriptions.json",
                },
                "media_url": f"https://api.twilio.com{uri}",
            }
            del resource["track"]
            return Answer.of_json(200, resource)

        return reading(Action.READ, answer)

    def _read_call(self, received: Received) -> Asked:
        return reading(Action.READ, lambda: Answer.of_json(200, self._call_resource(self._call(received))))

    def _call(self, received: Received) -> Call:
        call = self._world.call(received.names["call"], vendor=self.name)
        if call is None:
            raise Refusal(self.not_found(received))
        return call

    def _recording(self, received: Received, *, of: Call | None) -> Recording:
        recording = self._world.recording(received.names["recording"], vendor=self.name)
        # A recording is its parent leg's: [unverified] under a child leg it is not found.
        if recording is None or of not in (None, recording.call):
            raise Refusal(self.not_found(received))
        return recording

    def _account_uri(self) -> str:
        return f"/{laml.API_VERSION}/Accounts/{self._credentials['account_sid']}"

    def _recording_of_call(self, recording: Recording) -> dict[str, Any]:
        """`api.v2010.account.call.call_recording` in the OpenAPI document."""
        call_id = recording.call.call_id
        return {
            "account_sid": self._credentials["account_sid"],
            "api_version": laml.API_VERSION,
            "call_sid": call_id,
            "conference_sid": None,
            "channels": 2,
            "date_created": rfc2822(recording.started_at),
            "date_updated": rfc2822(recording.updated_at),
            "start_time": rfc2822(recording.started_at),
            "price": None,
            "price_unit": None,
            "duration": None if recording.seconds is None else str(recording.seconds),
            "sid": recording.recording_id,
            "source": "StartCallRecordingAPI",
            "status": self.word_for(recording),
            "error_code": None,
            "encryption_details": None,
            "track": "both",
            "uri": f"{self._account_uri()}/Calls/{call_id}/Recordings/{recording.recording_id}.json",
        }

    def _call_resource(self, call: Call) -> dict[str, Any]:
        """`api.v2010.account.call` in the OpenAPI document."""
        uri = f"{self._account_uri()}/Calls/{call.call_id}"
        ended = call.ended_at
        return {
            "sid": call.call_id,
            "account_sid": self._credentials["account_sid"],
            "parent_call_sid": None if call.parent is None else call.parent.call_id,
            "status": "completed" if call.over else "in-progress",
            "direction": "inbound" if call.parent is None else "outbound-dial",
            "from": CALLER,
            "from_formatted": "(500) 555-0100",
            "to": CALLED,
            "to_formatted": "(500) 555-0199",
            "date_created": rfc2822(call.started_at),
            "date_updated": rfc2822(call.updated_at),
            "start_time": rfc2822(call.started_at),
            "end_time": rfc2822(ended),
            "duration": None if ended is None else str(int((ended - call.started_at).total_seconds())),
            "answered_by": None,
            "api_version": laml.API_VERSION,
            "caller_name": None,
            "forwarded_from": None,
            "group_sid": None,
            "phone_number_sid": None,
            "price": None,
            "price_unit": "USD",
            "queue_time": "0",
            "trunk_sid": None,
            "uri": f"{uri}.json",
            "subresource_uris": {"recordings": f"{uri}/Recordings.json"},
        }


def _error(error: tuple[int, int, str], **details: str) -> Answer:
    """https://www.twilio.com/docs/usage/twilios-response#response-formats-exceptions"""
    status, code, message = error
    return laml.error(status, code, message.format(**details), f"https://www.twilio.com/docs/errors/{code}")
