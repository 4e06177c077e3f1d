"""The bare call: one POST of httpx, with credentials from the environment. What is warm beyond this is our own."""

import json
import os
from typing import Any

import httpx

client = httpx.Client(auth=(os.environ["ACCOUNT_SID"], os.environ["AUTH_TOKEN"]))
url = os.environ["VENDOR_URL"] + "/2010-04-01/Accounts/" + os.environ["ACCOUNT_SID"]


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Pause the recording of a call."""
    call_id = json.loads(event["body"])["call_id"]
    answer = client.post(f"{url}/Calls/{call_id}/Recordings/Twilio.CURRENT.json", data={"Status": "paused"})
    return {"statusCode": answer.status_code, "body": answer.text}
