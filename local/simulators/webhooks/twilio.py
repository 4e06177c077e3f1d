"""
Twilio's requests to its customers: forms, signed with the account's auth token.

https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

# ruff: noqa: D102 -- a vendor fills in the hooks that base.py documents

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from local.simulators import outgoing, signatures
from local.simulators.laml import API_VERSION, rfc2822
from local.simulators.outgoing import Basic, Outgoing
from local.simulators.webhooks import laml
from local.simulators.webhooks.base import Delivery, Push, Webhooks, unless_answered
from local.simulators.world import Call, Happened, Happening, Recording

_HEADER: Final = "X-Twilio-Signature"


class TwilioWebhooks(Webhooks):
    """What Twilio asks."""

    #: [unverified] The 15 seconds, and that it tries once more when it got no answer.
    delivery = Delivery(timeout_seconds=15, attempts=2, tries_again=unless_answered)

    def callback(self, url: str, fields: Mapping[str, Any], *, basic: Basic | None = None) -> Outgoing:
        pairs = outgoing.form_pairs(fields)
        # [unverified] Whether the URL is signed with or without a user in it: here as it was configured.
        signature = signatures.twilio_form(self._credentials["auth_token"], outgoing.without_fragment(url), pairs)
        body = outgoing.form_body(pairs)
        return outgoing.post(url, body=body, content_type=outgoing.FORM, headers={_HEADER: signature}, basic=basic)

    def json_callback(self, url: str, value: Any, *, basic: Basic | None = None) -> Outgoing:
        """As Studio's "Make HTTP Request" sends JSON. [unverified] That this widget signs: users say that it does."""
        body = outgoing.json_body(value)
        asked = signatures.with_body_sha256(outgoing.without_fragment(url), body)
        signature = signatures.twilio_url(self._credentials["auth_token"], asked)
        return outgoing.post(asked, body=body, content_type=outgoing.JSON, headers={_HEADER: signature}, basic=basic)

    def common_fields(self, call: Call) -> dict[str, Any]:
        return laml.common_fields(call, account_sid=self._credentials["account_sid"], of_child="outbound-dial")

    def pushes(self, happening: Happening) -> Iterator[Push]:
        """https://www.twilio.com/docs/usage/webhooks/voice-webhooks ; nothing when a recording is paused or resumed."""
        if happening.recording is not None and (status := laml.recording_status(happening)) is not None:
            yield Push(event=f"recording {status}", fields=self._of_recording(happening.recording, status))
        if happening.what is Happened.CALL_ENDED:
            yield Push(event="call completed", fields=self._of_ended(happening.call))

    def _of_recording(self, recording: Recording, status: str) -> Mapping[str, Any]:
        # [unverified] The exact list, and that an absent recording has neither URL nor duration.
        account_sid = self._credentials["account_sid"]
        url = f"https://api.twilio.com/{API_VERSION}/Accounts/{account_sid}/Recordings/{recording.recording_id}"
        return {
            **laml.recording_fields(recording, status, account_sid=account_sid, url=url),
            "RecordingChannels": 2,
            "RecordingStartTime": rfc2822(recording.started_at),
            "RecordingSource": "StartCallRecordingAPI",
            "RecordingTrack": "both",
            "ErrorCode": 0,
        }

    def _of_ended(self, call: Call) -> Mapping[str, Any]:
        # [unverified] What comes with the common fields.
        return self.common_fields(call) | {"CallDuration": laml.seconds(call), "Timestamp": rfc2822(call.ended_at)}
