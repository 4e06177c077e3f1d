"""
Lets the old official SDK (signalwire 2.1.1) drive the simulated SignalWire, and prints what it saw as one JSON object.

A script of its own because that SDK pins a `twilio` that cannot live beside the current one. By standard input:
`{"origin", "project_id", "api_token", "call_id", "recording_id", "ended_call_id", "ended_recording_id"}`.
"""

import json
import sys

from signalwire.rest import Client
from twilio.base.exceptions import TwilioRestException


def refusal(attempt):
    """The HTTP status and the code with which an attempt is refused."""
    try:
        attempt()
    except TwilioRestException as exc:
        return [exc.status, exc.code]
    return None


def client_of(asked, api_token):
    """The SDK, told to speak plain HTTP: it forces https on whatever address it is given."""
    client = Client(asked["project_id"], api_token, signalwire_space_url="simulated.invalid")
    client.api.base_url = asked["origin"]
    return client


def main():
    """One session."""
    asked = json.load(sys.stdin)
    client = client_of(asked, asked["api_token"])
    call = client.calls(asked["call_id"])
    recording = call.recordings(asked["recording_id"])
    ended = client.calls(asked["ended_call_id"]).recordings(asked["ended_recording_id"])
    seen = {
        "updated": [
            recording.update(status=status, pause_behavior="silence").status
            for status in ("paused", "in-progress", "stopped")
        ],
        "listed": [each.sid for each in client.recordings.list(call_sid=asked["call_id"], page_size=1)],
        "fetched": client.recordings(asked["recording_id"]).fetch().status,
        "wrong token": refusal(lambda: client_of(asked, "wrong").recordings(asked["recording_id"]).fetch()),
        "current": refusal(lambda: call.recordings("Twilio.CURRENT").update(status="paused")),
        "ended": refusal(lambda: ended.update(status="paused")),
    }
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main()
