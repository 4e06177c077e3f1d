"""
Bandwidth's requests to its customers: JSON, with Basic authentication and no signature.

https://dev.bandwidth.com/docs/voice/webhooks/ and the `...Callback` schemas of the OpenAPI document
https://github.com/Bandwidth/python-sdk/blob/main/bandwidth.yml
"""

# ruff: noqa: D102 -- a vendor fills in the hooks that base.py documents

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from local.simulators import outgoing
from local.simulators.outgoing import Basic, Outgoing
from local.simulators.webhooks.base import CALLED, CALLER, Delivery, Push, Webhooks, unless_answered
from local.simulators.world import Call, Happened, Happening, Recording, iso_milliseconds

APPLICATION_ID: Final = "04e88489-df02-4e34-a0ee-27a91849555f"
_CALLS: Final = "https://voice.bandwidth.com/api/v2/accounts/{account}/calls/{call}"


class BandwidthWebhooks(Webhooks):
    """What Bandwidth asks."""

    #: `callbackTimeout` is 15 seconds unless set. [unverified] That it tries once more when it got no answer: an older
    #: page of the documentation says so of a failed connection.
    delivery = Delivery(timeout_seconds=15, attempts=2, tries_again=unless_answered)

    def callback(self, url: str, fields: Mapping[str, Any], *, basic: Basic | None = None) -> Outgoing:
        return outgoing.post(url, body=outgoing.json_body(fields), content_type=outgoing.JSON, basic=basic)

    def common_fields(self, call: Call) -> dict[str, Any]:
        """Without `eventType` and `eventTime`: they are the request's own."""
        parent = {} if call.parent is None else {"parentCallId": call.parent.call_id}
        ended = {} if call.ended_at is None else {"endTime": iso_milliseconds(call.ended_at)}
        return {
            "accountId": self._credentials["account_id"],
            "applicationId": APPLICATION_ID,
            "from": CALLER,
            "to": CALLED,
            "direction": "inbound" if call.parent is None else "outbound",
            "callId": call.call_id,
            "callUrl": self._url(call),
            **parent,
            "startTime": iso_milliseconds(call.started_at),
            "answerTime": iso_milliseconds(call.started_at),
            **ended,
        }

    def pushes(self, happening: Happening) -> Iterator[Push]:
        """Nothing of a recording until it has ended: https://dev.bandwidth.com/docs/voice/bxml/pauseRecording/"""
        match happening.what, happening.recording:
            case Happened.RECORDING_STOPPED, Recording() as recording:
                yield self._push("recordingAvailable", happening.call, self._of_recording(recording))
            case Happened.CALL_ENDED, None:
                yield self._push("disconnect", happening.call, {"cause": "hangup"})

    def _push(self, event: str, call: Call, fields: Mapping[str, Any]) -> Push:
        head = {"eventType": event, "eventTime": iso_milliseconds(self._clock())}
        return Push(event=event, fields=head | self.common_fields(call) | dict(fields))

    def _of_recording(self, recording: Recording) -> Mapping[str, Any]:
        ended = recording.ended_at or recording.updated_at
        return {
            "recordingId": recording.recording_id,
            "channels": 1,
            "startTime": iso_milliseconds(recording.started_at),
            "endTime": iso_milliseconds(ended),
            "duration": f"PT{(ended - recording.started_at).total_seconds():.2f}S",
            "fileFormat": "wav",
            "mediaUrl": f"{self._url(recording.call)}/recordings/{recording.recording_id}/media",
            "status": "complete",
        }

    def _url(self, call: Call) -> str:
        return _CALLS.format(account=self._credentials["account_id"], call=call.call_id)
