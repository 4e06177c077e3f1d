"""
SignalWire's requests to its customers: forms for cXML, JSON for SWML, signed with the project's Signing Key.

https://github.com/signalwire/docs/blob/main/fern/apis/compatibility/openapi.yaml (`webhooks`) and, for the signatures,
https://github.com/signalwire/signalwire-python/blob/main/signalwire/core/security/webhook_validator.py . A project whose
configuration here names no key signs nothing.
"""

# ruff: noqa: D102 -- a vendor fills in the hooks that base.py documents

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final

from local.simulators import outgoing, signatures
from local.simulators.laml import API_VERSION
from local.simulators.outgoing import Basic, Outgoing
from local.simulators.webhooks import laml
from local.simulators.webhooks.base import Delivery, Push, Webhooks, unless_success
from local.simulators.world import Call, Happened, Happening, Recording

#: The option of a call that says in which language its script is written, and the two there are.
SCRIPT: Final = "script"
SCRIPTS: Final = ("cxml", "swml")

#: The state that SWML's `record_call` tells of.
#: https://signalwire.com/docs/swml/reference/record-call ; [unverified] That a resumed one is `recording` again.
STATES: Final = {
    Happened.RECORDING_STARTED: "recording",
    Happened.RECORDING_PAUSED: "paused",
    Happened.RECORDING_RESUMED: "recording",
    Happened.RECORDING_STOPPED: "finished",
}

RECORD_EVENT: Final = "calling.call.record"

#: [unverified] What a node is called.
_NODE_ID: Final = "5f2a1c1e-6f0e-4c39-9c55-2f2f6f1c7a10@us-east"


class SignalWireWebhooks(Webhooks):
    """What SignalWire asks."""

    #: https://signalwire.com/docs (platform/core/webhooks): a status callback is tried three times.
    #: [unverified] After which answers.
    delivery = Delivery(timeout_seconds=5, attempts=3, tries_again=unless_success)

    def callback(self, url: str, fields: Mapping[str, Any], *, basic: Basic | None = None) -> Outgoing:
        # [unverified] That cXML callbacks are forms: the guides say so, the OpenAPI document says JSON.
        pairs = outgoing.form_pairs(fields)
        headers = {} if self._key is None else signatures.signalwire_form(self._key, _signed(url), pairs)
        body = outgoing.form_body(pairs)
        return outgoing.post(url, body=body, content_type=outgoing.FORM, headers=headers, basic=basic)

    def json_callback(self, url: str, value: Any, *, basic: Basic | None = None) -> Outgoing:
        """As SWML and RELAY send JSON. [unverified] That SWML's `request` signs like the rest."""
        body = outgoing.json_body(value)
        headers = {} if self._key is None else signatures.signalwire_body(self._key, _signed(url), body)
        return outgoing.post(url, body=body, content_type=outgoing.JSON, headers=headers, basic=basic)

    def common_fields(self, call: Call) -> dict[str, Any]:
        return laml.common_fields(call, account_sid=self._credentials["project_id"], of_child="outbound")

    def pushes(self, happening: Happening) -> Iterator[Push]:
        """A cXML call tells what Twilio's would; an SWML call tells everything that happens to a recording."""
        if happening.call.options.get(SCRIPT) == "swml":
            if happening.recording is not None:
                yield self._record_event(happening.recording, STATES[happening.what])
            return
        if happening.recording is not None and (status := laml.recording_status(happening)) is not None:
            yield Push(event=f"recording {status}", fields=self._of_recording(happening.recording, status))
        if happening.what is Happened.CALL_ENDED:
            # [unverified] The duration, which the OpenAPI document's webhook does not have.
            duration = {"CallDuration": laml.seconds(happening.call)}
            yield Push(event="call completed", fields=self.common_fields(happening.call) | duration)

    @property
    def _key(self) -> str | None:
        return self._credentials.get("signing_key")

    def _of_recording(self, recording: Recording, status: str) -> Mapping[str, Any]:
        project_id = self._credentials["project_id"]
        # [unverified] The address of a recording; the space is the documentation's example.
        url = f"https://example.signalwire.com/api/laml/{API_VERSION}/Accounts/{project_id}/Recordings/{recording.recording_id}"
        return {
            **laml.recording_fields(recording, status, account_sid=project_id, url=url),
            "RecordingChannels": 1,
            "RecordingSource": "StartCallRecordingApi",
        }

    @staticmethod
    def _record_event(recording: Recording, state: str) -> Push:
        # A recording's control id is not the id by which the Compatibility API knows it.
        control_id = str(uuid.uuid5(uuid.NAMESPACE_OID, recording.recording_id))
        ids = {"call_id": recording.call.call_id, "node_id": _NODE_ID, "control_id": control_id}
        fields = {"event_type": RECORD_EVENT, "params": ids | {"state": state}}
        return Push(event=f"{RECORD_EVENT} {state}", fields=fields, as_json=True)


def _signed(url: str) -> str:
    """
    What is signed of a configured URL: all that is asked, which a user is no part of.

    [unverified] The user: the SDK's documentation lists scheme, host, port, path and query, and does not name it.
    """
    asked, _ = outgoing.split_user(outgoing.without_fragment(url))
    return asked
