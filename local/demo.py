"""`make demo`: one card-entry call at each vendor, through HTTP, on a local stack of its own; then what goes wrong.

Two steps overlap on one call, a flow forgets to leave its step, and a vendor lies.

Ends with exit code 1 if a digit of the card is on any tape, if anything else that was said is not, or if the flow
would have asked for the card while the tape may have been running.
"""

import functools
import json
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from rich import box
from rich.console import Console
from rich.table import Table

from local import stack

#: A published test number, with an expiry date and a security code: what must be on no tape.
CARD: Final = "4111 1111 1111 1111, expires 12 30, code 123"
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
        self.call = self._control("POST", "/calls", {"vendor": vendor})

    def say(self, text: str) -> None:
        """Let the caller say something."""
        self._control("POST", f"/calls/{self.call['call_id']}/say", {"text": text})
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
        self._control("POST", "/faults", fault)

    def is_recorded(self) -> bool:
        """Whether the tape runs."""
        shown = self._control("GET", f"/calls/{self.call['call_id']}", None)
        return all(recording["status"] == "in-progress" for recording in shown["recordings"])

    def hang_up(self) -> list[list[Json]]:
        """End the call, and return what is on its tapes."""
        self._control("POST", f"/calls/{self.call['call_id']}/end", {})
        shown = self._control("GET", f"/calls/{self.call['call_id']}", None)
        return [recording["tape"] for recording in shown["recordings"]]

    def _control(self, method: str, path: str, body: Json | None) -> Json:
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
    return Played(vendor=vendor, http_status=status, result=result, tapes=tapes, faults=faults + _faults_of(tapes))


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
        vendor="nested steps", http_status=status, result=result, tapes=tapes, faults=faults + _faults_of(tapes)
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
        vendor="forgotten step", http_status=status, result=result, tapes=tapes, faults=faults + _faults_of(tapes)
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


def _faults_of(tapes: list[list[Json]]) -> list[str]:
    """Hold the tapes against what they must and must not have heard."""
    faults = [] if tapes else ["there is no tape"]
    for tape in tapes:
        heard = [entry["text"] for entry in tape if "text" in entry]
        if any(character.isdigit() for text in heard for character in text):
            faults.append("a digit of the card is on the tape")
        faults += [f"{text!r} is missing from the tape" for text in (GREETING, GOODBYE) if text not in heard]
    return faults


def draw(tape: list[Json]) -> str:
    """Draw a tape, with its gap."""
    drawn = []
    paused_at = None
    for entry in tape:
        at = datetime.fromisoformat(entry["at"])
        match entry.get("event"):
            case None:
                drawn.append(f"“{entry['text']}”")
            case "paused":
                paused_at = at
            case "resumed" if paused_at:
                drawn.append(f"[bold]▮▮ {(at - paused_at).total_seconds():.1f} s ▮▮[/bold]")
                paused_at = None
    return "  ".join(drawn)


def table(played: list[Played]) -> Table:
    """Draw what the flows were told."""
    drawn = Table(box=box.SIMPLE_HEAD)
    for column in ("vendor", "HTTP", "verdict", "proof", "collect?"):
        drawn.add_column(column, no_wrap=True)
    drawn.add_column("to proof", justify="right", no_wrap=True)
    for each in played:
        drawn.add_row(
            each.vendor,
            str(each.http_status),
            each.result.get("verdict", "-"),
            each.result.get("proof", "-"),
            "yes" if each.result.get("safe_to_collect") else "NO",
            f"{each.result.get('elapsed_ms', '-')} ms",
        )
    return drawn


def _send(method: str, url: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, Json]:
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.loads(refusal.read() or b"{}")


def main() -> int:
    """Play the calls, and print what came of them."""
    started = time.monotonic()
    console = Console(highlight=False)

    def say(line: str) -> None:
        console.print(f"[dim]{time.monotonic() - started:5.1f} s[/dim]  {line}", soft_wrap=True)

    def say_of(vendor: str, line: str) -> None:
        say(f"{vendor:<13}{line}")

    say("starting the local stack: emulator, functions, vendor simulators (the first start builds the layer)")
    with tempfile.TemporaryDirectory(prefix="offtape-demo-") as folder:
        state = Path(folder)
        try:
            with stack.running(state=state) as local:
                played = [play(local, vendor, functools.partial(say_of, vendor)) for vendor in PAYLOADS]
                played.append(play_nested(local, "twilio", functools.partial(say_of, "twilio")))
                played.append(play_forgotten(local, "signalwire", functools.partial(say_of, "signalwire")))
                liar = play_liar(local, "bird", functools.partial(say_of, "bird"))
        except (stack.StackError, OSError) as problem:
            console.print(f"[bold]The demo could not run:[/bold] {problem}")
            return 1
    console.print(table([*played, liar]))
    console.print("(To proof: from the trigger on; the first call waited for a cold start.)\nWhat the tapes heard:")
    for each in played:
        for tape in each.tapes:
            console.print(f"  {each.vendor:<15}{draw(tape)}", soft_wrap=True)
    console.print(
        "\nThe last call's vendor lied: Bird answered 202 to the pause and went on recording.\n"
        "Offtape read that back, and the flow was told not to collect the card."
    )
    faults = [f"{each.vendor}: {fault}" for each in [*played, liar] for fault in each.faults]
    console.print()
    for fault in faults:
        console.print(f"[bold]FAILED[/bold] {fault}")
    if not faults:
        console.print("No digit of the card is on any tape, and everything else that was said is.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
