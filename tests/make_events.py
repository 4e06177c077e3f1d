"""Write the signed events below events/.

    PYTHONPATH=layers/call_recording .venvs/dev/bin/python -m tests.make_events [--now]

With --now they are of now, and go to .local/events/ instead: a signature with a time in it is good for five minutes.
"""

import argparse
import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from tests.event_files import AGENTS, FORM, Sent, flows, webhooks
from tests.unit.fakes import DOMAIN

ROOT = Path(__file__).parents[1]
#: When the events are of: 21 September 2026, 14:13:20 UTC.
EPOCH = 1_790_000_000

#: Map a folder of events/: what is sent there, and the number of its first request.
FOLDERS: Mapping[str, tuple[Callable[[int], Iterator[Sent]], int]] = {
    "flow_callback": (flows, 1001),
    "vendor_webhook": (webhooks, 2001),
}


def texts(at: int = EPOCH) -> dict[str, str]:
    """Return what each file has in it, by its path below events/."""
    return {
        f"{folder}/{sent.name}.json": json.dumps(event_of(sent, at=at, number=number), indent=2) + "\n"
        for folder, (sends, first) in FOLDERS.items()
        for number, sent in enumerate(sends(at), first)
    }


def event_of(sent: Sent, *, at: int, number: int) -> dict[str, Any]:
    """Return API Gateway's event, payload format 2.0, for one request."""
    if sent.word is None:
        route, path, parameters = "POST /webhooks/{account}", f"/webhooks/{sent.account}", {"account": sent.account}
    else:
        route = f"POST /flows/{{account}}/{{step}}/{sent.word}"
        path = f"/flows/{sent.account}/card-entry/{sent.word}"
        parameters = {"account": sent.account, "step": "card-entry"}
    headers = {
        "accept": "*/*",
        "content-length": str(len(sent.body)),
        "content-type": sent.content_type,
        "host": DOMAIN,
        "user-agent": AGENTS[sent.vendor] if "webhook-id" not in sent.headers else "third-party/1.0",
        "x-amzn-trace-id": f"Root=1-{at:08x}-{number:024d}",
        "x-forwarded-for": "192.0.2.10",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
        **sent.headers,
    }
    is_form = sent.content_type == FORM  # API Gateway takes only some types for text
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": sent.query,
        "headers": dict(sorted(headers.items())),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": DOMAIN.partition(".")[0],
            "domainName": DOMAIN,
            "domainPrefix": DOMAIN.partition(".")[0],
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.10",
                "userAgent": headers["user-agent"],
            },
            "requestId": f"TestRequest{number:05d}=",
            "routeKey": route,
            "stage": "$default",
            "time": datetime.fromtimestamp(at, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": at * 1000,
        },
        "pathParameters": parameters,
        "body": b64encode(sent.body).decode() if is_form else sent.body.decode(),
        "isBase64Encoded": is_form,
    }
    if sent.query:
        event["queryStringParameters"] = dict(parse_qsl(sent.query))
    return event


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(prog="python -m tests.make_events", description="Write the signed events.")
    parser.add_argument("--now", action="store_true", help="of now, below .local/events/")
    of_now = parser.parse_args().now
    folder = ROOT / (".local/events" if of_now else "events")
    for name, text in texts(int(time.time()) if of_now else EPOCH).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
