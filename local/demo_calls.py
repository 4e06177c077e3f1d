"""The calls of the demo: a company's flow talks to Offtape as each vendor's platform would, and the caller pays by card."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from local import stack

#: A published test number, with an expiry date and a security code: what must be on no tape.
CARD_NUMBER: Final = "4111 1111 1111 1111"
CARD: Final = f"{CARD_NUMBER}, expires 12 30, code 123"
GREETING: Final = "Hello, I want to pay my bill."
GOODBYE: Final = "Thanks, goodbye."
#: What identifies the caller is nobody's business either.
IDENTITY: Final = "born on 1 April 1970, passphrase 007"
#: How long a flow that forgets its step may keep the tape paused, and how long the demo waits for its end; in seconds.
FORGOTTEN_SECONDS: Final = 1
PATIENCE_SECONDS: Final = 30.0
#: A caller takes a moment to talk, so that the gap on the tape shows; in seconds.
TALKING_SECONDS: Final = 0.3
TIMEOUT_SECONDS: Final = 15.0

Json = dict[str, Any]

# What each vendor's platform sends at the step: its content type, and the fields that matter.
PAYLOADS: Final[dict[str, tuple[str, Callable[[Json], Json]]]] = {
    "twilio": ("application/x-www-form-urlencoded", lambda call: {"CallSid": call["call_id"]}),
    "signalwire": ("application/json", lambda call: {"call_id": call["call_id"]}),
    "bandwidth": ("application/json", lambda call: {"eventType": "redirect", "callId": call["call_id"]}),
    "bird": (
        "application/json",
        lambda call: {"callId": call["call_id"], "channelId": call["channel_id"]},
    ),
}


@dataclass(frozen=True, kw_only=True)
class Played:
    """One call as it went."""

    vendor: str
    http_status: int
    result: Json
    tapes: list[list[Json]]
    faults: list[str]  #: what must not have happened and did


class Flow:
    """A company's call flow: it talks to Offtape as a vendor's platform would, and plays the caller."""

    def __init__(self, local: Json, vendor: str) -> None:
        self._local = local
        self._vendor = vendor
        self._token = local["accounts"][f"demo-{vendor}"]["bearer_token"]
        self.call = self.control("POST", "/calls", {"vendor": vendor})

    def say(self, text: str) -> None:
        """Let the caller say something."""
        self.control("POST", f"/calls/{self.call['call_id']}/say", {"text": text})
        time.sleep(TALKING_SECONDS)

    def trigger(self, event: str, step: str = "card-entry", **more: Any) -> tuple[int, Json]:
        """Tell Offtape that the flow enters or leaves a step."""
        content_type, fields = PAYLOADS[self._vendor]
        payload = fields(self.call) | more
        body = urlencode(payload) if content_type.endswith("urlencoded") else json.dumps(payload)
        return _send(
            "POST",
            f"{self._local['api']}/flows/demo-{self._vendor}/{step}/{event}",
            body.encode(),
            {"content-type": content_type, "authorization": f"Bearer {self._token}"},
        )

    def lie(self) -> None:
        """Make the vendor say yes to a pause and do nothing, from now on."""
        fault = {
            "vendor": self._vendor,
            "call_id": self.call["call_id"],
            "action": "pause",
            "times": 100,
            "effect": {"apply": False},
        }
        self.control("POST", "/faults", fault)

    def is_recorded(self) -> bool:
        """Whether the tape runs."""
        shown = self.control("GET", f"/calls/{self.call['call_id']}", None)
        return all(recording["status"] == "in-progress" for recording in shown["recordings"])

    def hang_up(self) -> list[list[Json]]:
        """End the call, and return what is on its tapes."""
        self.control("POST", f"/calls/{self.call['call_id']}/end", {})
        shown = self.control("GET", f"/calls/{self.call['call_id']}", None)
        return [recording["tape"] for recording in shown["recordings"]]

    def control(self, method: str, path: str, body: Json | None) -> Json:
        """Ask the simulators for something."""
        content = None if body is None else json.dumps(body).encode()
        status, answer = _send(method, self._local["control"] + path, content, {"content-type": "application/json"})
        if status >= 300:
            raise stack.StackError(f"the simulators' control API answered {status} to {method} {path}: {answer}")
        return answer


def play(local: Json, vendor: str, say: Callable[[str], None]) -> Played:
    """Play one call whose caller pays by card."""
    flow = Flow(local, vendor)
    say("the caller talks; the flow enters card-entry")
    flow.say(GREETING)
    status, result = flow.trigger("entered")
    faults = []
    if status == 200 and result["safe_to_collect"]:
        say(f"{result['verdict']} in {result['elapsed_ms']} ms: the caller says the card number")
        flow.say(CARD)
    else:
        faults.append(f"the flow was told not to collect: {status} {result.get('verdict') or result.get('title')}")
    say("the flow leaves card-entry; the caller talks, and hangs up")
    left, _ = flow.trigger("left")
    if left != 200:
        faults.append(f"leaving the step was answered with {left}")
    flow.say(GOODBYE)
    tapes = flow.hang_up()
    return Played(vendor=vendor, http_status=status, result=result, tapes=tapes, faults=faults + faults_of(tapes))


def play_nested(local: Json, vendor: str, say: Callable[[str], None]) -> Played:
    """Play one call on which the card is asked for inside another step that must not be recorded either."""
    flow = Flow(local, vendor)
    flow.say(GREETING)
    say("the flow enters identity-check, and card-entry inside it")
    outer, _ = flow.trigger("entered", "identity-check")
    flow.say(IDENTITY)
    status, result = flow.trigger("entered")
    faults = [] if (outer, status) == (200, 200) else [f"the flow was told not to collect: {outer}, {status}"]
    flow.say(CARD)
    _, inner = flow.trigger("left")
    say(f"it leaves card-entry: {inner.get('verdict')}; the tape stays paused for identity-check")
    if inner.get("verdict") != "held":
        faults.append(f"leaving the inner step was answered with {inner.get('verdict')}, not held")
    flow.say(IDENTITY)
    _, last = flow.trigger("left", "identity-check")
    say(f"it leaves identity-check: {last.get('verdict')}")
    flow.say(GOODBYE)
    tapes = flow.hang_up()
    return Played(
        vendor="nested steps", http_status=status, result=result, tapes=tapes, faults=faults + faults_of(tapes)
    )


def play_forgotten(local: Json, vendor: str, say: Callable[[str], None]) -> Played:
    """Play one call whose flow never leaves its step: the pause's deadline ends it."""
    flow = Flow(local, vendor)
    flow.say(GREETING)
    status, result = flow.trigger("entered", max_pause_seconds=FORGOTTEN_SECONDS)
    faults = [] if status == 200 else [f"the flow was told not to collect: {status}"]
    flow.say(CARD)
    say(f"the flow never leaves card-entry, whose pause may last {FORGOTTEN_SECONDS} s")
    began = time.monotonic()
    while not (resumed := flow.is_recorded()) and time.monotonic() < began + PATIENCE_SECONDS:
        time.sleep(0.1)
    if resumed:
        say(f"its deadline has ended it: the tape runs again, {time.monotonic() - began:.1f} s later")
    else:
        faults.append("the tape is still paused though the deadline has passed")
    flow.say(GOODBYE)
    tapes = flow.hang_up()
    return Played(
        vendor="forgotten step", http_status=status, result=result, tapes=tapes, faults=faults + faults_of(tapes)
    )


def play_liar(local: Json, vendor: str, say: Callable[[str], None]) -> Played:
    """Play one call whose vendor says yes to the pause and never pauses."""
    flow = Flow(local, vendor)
    flow.lie()
    say("its 202 is never applied; the flow enters card-entry, Offtape reads back")
    flow.say(GREETING)
    status, result = flow.trigger("entered")
    tapes = flow.hang_up()
    safe = status == 200 or result["safe_to_collect"]
    faults = ["the flow was told to collect the card while the tape was running"] if safe else []
    return Played(vendor="lying vendor", http_status=status, result=result, tapes=tapes, faults=faults)


def faults_of(tapes: list[list[Json]]) -> list[str]:
    """Hold the tapes against what they must and must not have heard."""
    faults = [] if tapes else ["there is no tape"]
    for tape in tapes:
        heard = [entry["text"] for entry in tape if "text" in entry]
        if any(character.isdigit() for text in heard for character in text):
            faults.append("a digit of the card is on the tape")
        faults += [f"{text!r} is missing from the tape" for text in (GREETING, GOODBYE) if text not in heard]
    return faults


def _send(method: str, url: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, Json]:
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.loads(refusal.read() or b"{}")
