"""A call on the local stack: what the flow does and what the simulator knows, through HTTP alone."""

import time
from typing import Any

import httpx

VENDORS = ("twilio", "signalwire", "bandwidth", "bird")
#: More than any budget: an answer that takes longer is a failure of its own.
TIMEOUT_SECONDS = 12.0

Json = dict[str, Any]


class SimulatedCall:
    """One live call at one vendor, and the flow that handles it."""

    def __init__(self, stack: Json, vendor: str, *, recordings: int = 1, **options: object) -> None:
        self.stack = stack
        self.vendor = vendor
        self.account = f"demo-{vendor}"
        self.created = self.control("POST", "/calls", vendor=vendor, recordings=recordings, **options)
        self.call_id = self.created["call_id"]

    def control(self, method: str, path: str, **body: object) -> Json:
        """Ask the simulators' control API."""
        answer = httpx.request(method, self.stack["control"] + path, json=body or None, timeout=TIMEOUT_SECONDS)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else {}

    def fault(self, action: str, *, times: int = 1, **effect: object) -> None:
        """Arm a fault for this call only."""
        self.control(
            "POST",
            "/faults",
            vendor=self.vendor,
            call_id=self.call_id,
            action=action,
            times=times,
            effect=effect,
        )

    def say(self, text: str) -> None:
        """Let the caller say something."""
        self.control("POST", f"/calls/{self.call_id}/say", text=text)

    def end(self) -> None:
        """Hang up."""
        self.control("POST", f"/calls/{self.call_id}/end")

    def flow(
        self,
        event: str,
        *,
        account: str | None = None,
        token: str | None = None,
        query: Json | None = None,
        **fields: object,
    ) -> httpx.Response:
        """Tell Offtape what the flow does."""
        payload = {"call_id": self.call_id, **fields}
        if "channel_id" in self.created:
            payload["channel_id"] = self.created["channel_id"]
        bearer = token or self.stack["accounts"][self.account]["bearer_token"]
        return httpx.post(
            f"{self.stack['api']}/flows/{account or self.account}/card-entry/{event}",
            params=query,
            json=payload,
            headers={"authorization": f"Bearer {bearer}"},
            timeout=TIMEOUT_SECONDS,
        )

    def shown(self) -> Json:
        """What the simulator knows of the call."""
        return self.control("GET", f"/calls/{self.call_id}")

    def statuses(self) -> list[str]:
        """The recordings' statuses, in the vendor's words."""
        return [recording["status"] for recording in self.shown()["recordings"]]

    def heard(self) -> list[list[str]]:
        """What each tape heard."""
        return [
            [entry["text"] for entry in recording["tape"] if "text" in entry]
            for recording in self.shown()["recordings"]
        ]

    def requests(self, method: str) -> int:
        """How many requests of a method reached the vendor for this call."""
        return sum(request["method"] == method for request in self.shown()["requests"])


def eventually(condition: Any, seconds: float = 5.0) -> bool:
    """Whether *condition* becomes true before time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
