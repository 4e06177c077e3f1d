"""Prints, as JSON, where every used operation would be sent: run on the layer's botocore and on a whole one, to compare.

A process of its own because botocore treats data that is not its own differently (a Loader with another path would not do).
Arguments: the services and operations, as JSON; the regions, as JSON. Sends nothing.
"""

import io
import json
import re
import sys
from typing import Any

import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import BotoCoreError

#: Enough for botocore to send a request; the operations that are added later have their own.
REQUIRED: dict[str, dict[str, Any]] = {
    "ChangeMessageVisibility": {
        "QueueUrl": "https://sqs.example/123456789012/timers",
        "ReceiptHandle": "handle",
        "VisibilityTimeout": 1,
    },
    "GetItem": {"TableName": "ledgers", "Key": {"call": {"S": "acme/CA1"}}},
    "GetSecretValue": {"SecretId": "call-recording/acme"},
    "PutEvents": {"Entries": [{"Source": "offtape", "DetailType": "Recording Paused", "Detail": "{}"}]},
    "PutItem": {"TableName": "ledgers", "Item": {"call": {"S": "acme/CA1"}}},
    "Query": {"TableName": "ledgers"},
    "SendTaskFailure": {"taskToken": "token"},
    "SendTaskSuccess": {"taskToken": "token", "output": "{}"},
    "SendMessage": {"QueueUrl": "https://sqs.example/123456789012/timers", "MessageBody": "{}"},
}
WAYS = [(fips, dual) for fips in (False, True) for dual in (False, True)]


class Empty(io.BytesIO):
    """Stands in for urllib3's response: an empty JSON object."""

    def stream(self) -> list[bytes]:
        """Give the body."""
        return [b"{}"]


def address(session: Any, service: str, operation: str, region: str, way: tuple[bool, bool]) -> list[str]:
    """Say where a request goes, and for which region and service it is signed."""
    sent = []

    def keep(request: Any, **_: Any) -> AWSResponse:
        sent.append(request)
        return AWSResponse(request.url, 200, HTTPHeaders(), Empty())

    config = Config(use_fips_endpoint=way[0], use_dualstack_endpoint=way[1])
    try:
        client = session.create_client(service, region_name=region, config=config)
        client.meta.events.register(f"before-send.{service}.{operation}", keep)
        method = next(name for name, mapped in client.meta.method_to_api_mapping.items() if mapped == operation)
        getattr(client, method)(**REQUIRED[operation])
    except BotoCoreError as error:
        return [type(error).__name__, str(error)]
    scope = re.search(r"Credential=AKIDEXAMPLE/\d+/([^,]+)", sent[0].headers["Authorization"].decode())
    return [sent[0].url, scope[1] if scope else ""]


def main() -> None:
    """Print an address for every operation, region and way."""
    operations, regions = map(json.loads, sys.argv[1:])
    session = botocore.session.Session()
    session.set_credentials("AKIDEXAMPLE", "secret")
    addresses = {
        f"{operation} {region} {way}": address(session, service, operation, region, way)
        for service, names in operations.items()
        for operation in names
        for region in regions
        for way in WAYS
    }
    print(json.dumps({"botocore": botocore.session.__file__, "addresses": addresses}))


if __name__ == "__main__":
    main()
