"""
Bird's requests to its customers: JSON, signed with the key of the webhook subscription.

https://docs.bird.com/api/voice-api/voice-webhooks and, for the signature,
https://docs.bird.com/api/notifications-api/api-reference/webhooks/verifying-a-webhook . A subscription whose key is not
in the configuration here is not signed.
"""

# ruff: noqa: D102 -- a vendor fills in the hooks that base.py documents

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from local.simulators import outgoing, signatures
from local.simulators.outgoing import Basic, Outgoing
from local.simulators.webhooks.base import CALLED, CALLER, Delivery, Push, Webhooks, unless_success
from local.simulators.world import Call, Happened, Happening, iso_milliseconds

EVENT: Final = "voice.inbound"

#: The statuses of a call, of those that Bird has: a call of ours is answered from the start.
STATUSES: Final = {Happened.CALL_STARTED: "ongoing", Happened.CALL_ENDED: "completed"}


class BirdWebhooks(Webhooks):
    """What Bird asks."""

    #: https://docs.bird.com/api/notifications-api/retries : whatever is no 2xx is tried again for eight hours, which is
    #: cut short here. [unverified] How long it waits for an answer, and that it sends the same once more (rather than
    #: with a new timestamp).
    delivery = Delivery(timeout_seconds=10, attempts=4, tries_again=unless_success)

    def callback(self, url: str, fields: Mapping[str, Any], *, basic: Basic | None = None) -> Outgoing:
        body = outgoing.json_body(fields)
        key, timestamp = self._credentials.get("signing_key"), int(self._clock().timestamp())
        headers = {} if key is None else signatures.bird(key, url, body, timestamp=timestamp)
        return outgoing.post(url, body=body, content_type=outgoing.JSON, headers=headers, basic=basic)

    def common_fields(self, call: Call) -> dict[str, Any]:
        # [unverified] All of it: the documentation shows no delivered event. The names are those of the API's `Call`.
        return {
            "id": call.call_id,
            "channelId": call.options["channel_id"],
            "workspaceId": self._credentials["workspace_id"],
            "from": CALLER,
            "to": CALLED,
            "status": STATUSES[Happened.CALL_ENDED if call.over else Happened.CALL_STARTED],
            "createdAt": iso_milliseconds(call.started_at),
        }

    def pushes(self, happening: Happening) -> Iterator[Push]:
        """Of calls only: Bird has no webhook for recordings."""
        if (status := STATUSES.get(happening.what)) is not None:
            # [unverified] The body: the page shows the subscription where it promises an event.
            payload = self.common_fields(happening.call) | {"status": status}
            fields = {"service": "channels", "event": EVENT, "payload": payload}
            yield Push(event=f"{EVENT} {status}", fields=fields)
