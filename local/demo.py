"""`make demo`: one card-entry call at each vendor, through HTTP, on a local stack of its own; then what goes wrong.

Two steps overlap on one call, a flow forgets to leave its step, two calls are played entirely by markup, and a vendor lies; the last
call is taken care of by the workflow card_capture, whose history is printed.

Ends with exit code 1 if a digit of the card is on any tape, if anything else that was said is not, or if the flow
would have asked for the card while the tape may have been running.
"""

import functools
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from local import stack
from local.demo_calls import PAYLOADS, Json, Played, play, play_forgotten, play_liar, play_nested
from local.demo_markup import play_markup
from local.demo_workflow import history_table, play_workflow


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
                seconds = (at - paused_at).total_seconds()
                drawn.append(f"[bold]▮▮ {seconds:.{1 if seconds >= 0.1 else 2}f} s ▮▮[/bold]")
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
            f"{each.result['elapsed_ms']} ms" if "elapsed_ms" in each.result else "-",
        )
    return drawn


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
                played += [
                    play_markup(local, vendor, functools.partial(say_of, vendor)) for vendor in ("twilio", "bandwidth")
                ]
                liar = play_liar(local, "bird", functools.partial(say_of, "bird"))
                workflow, history = play_workflow(local, "twilio", functools.partial(say_of, "twilio"))
        except (stack.StackError, OSError) as problem:
            console.print(f"[bold]The demo could not run:[/bold] {problem}")
            return 1
    console.print(table([*played, liar, workflow]))
    console.print("(To proof: from the trigger on; the first call waited for a cold start.)\nWhat the tapes heard:")
    for each in [*played, workflow]:
        for tape in each.tapes:
            console.print(f"  {each.vendor:<18}{draw(tape)}", soft_wrap=True)
    console.print(
        "\nOne call's vendor lied: Bird answered 202 to the pause and went on recording.\n"
        "Offtape read that back, and the flow was told not to collect the card.\n"
    )
    console.print(history_table(history))
    faults = [f"{each.vendor}: {fault}" for each in [*played, liar, workflow] for fault in each.faults]
    console.print()
    for fault in faults:
        console.print(f"[bold]FAILED[/bold] {fault}")
    if not faults:
        console.print("No digit of the card is on any tape, and everything else that was said is.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
