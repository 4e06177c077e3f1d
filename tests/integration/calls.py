"""A call on the local stack: what the flow does and what the simulator knows, through HTTP alone."""

import ssl
import time
from typing import Any

import httpx

VENDORS = ("twilio", "signalwire", "bandwidth", "bird")
#: What is to happen by itself, and what is answered, comes before this, however busy the machine is.
PATIENCE_SECONDS = 90.0
#: There is no TLS on the local stack: to load the roots of the web for each request would take longer than the request.
NO_ROOTS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

Json = dict[str, Any]


class SimulatedCall:
    """One live call at one vendor, and the flow that handles it."""

    def __init__(
        self,
        stack: Json,
        vendor: str,
        *,
        recordings: int = 1,
        account: tuple[str, str] | None = None,
        **options: object,
    ) -> None:
        self.stack = stack
        self.vendor = vendor
        demo = f"demo-{vendor}"
        self.account: str
        self.token: str
        self.account, self.token = account or (demo, stack["accounts"][demo]["bearer_token"])
        self.created = self.control("POST", "/calls", vendor=vendor, recordings=recordings, **options)
        self.call_id = self.created["call_id"]

    def control(self, method: str, path: str, **body: object) -> Json:
        """Ask the simulators' control API."""
        answer = httpx.request(
            method, self.stack["control"] + path, json=body or None, timeout=PATIENCE_SECONDS, verify=NO_ROOTS
        )
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

    def say(self, text: str) -> list[str]:
        """Let the caller say something; the answer is which recordings heard it."""
        heard_by: list[str] = self.control("POST", f"/calls/{self.call_id}/say", text=text)["heard_by"]
        return heard_by

    def runs(self) -> bool:
        """Whether each tape hears what is said now."""
        return self.say("can you hear me?") == self.created["recording_ids"]

    def is_silent(self) -> bool:
        """Whether no tape hears what is said now."""
        return self.say("can anybody hear me?") == []

    def end(self) -> None:
        """Hang up."""
        self.control("POST", f"/calls/{self.call_id}/end")

    def flow(
        self,
        event: str,
        *,
        step: str = "card-entry",
        account: str | None = None,
        token: str | None = None,
        query: Json | None = None,
        **fields: object,
    ) -> httpx.Response:
        """Tell Offtape what the flow does."""
        payload = {"call_id": self.call_id, **fields}
        if "channel_id" in self.created:
            payload["channel_id"] = self.created["channel_id"]
        bearer = token or self.token
        return httpx.post(
            f"{self.stack['api']}/flows/{account or self.account}/{step}/{event}",
            params=query,
            json=payload,
            headers={"authorization": f"Bearer {bearer}"},
            timeout=PATIENCE_SECONDS,
            verify=NO_ROOTS,
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

    def commands(self) -> int:
        """How many requests reached the vendor that ask for more than a look."""
        return sum(request["method"] != "GET" for request in self.shown()["requests"])


def eventually(condition: Any, seconds: float = 5.0) -> bool:
    """Whether *condition* becomes true before time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
