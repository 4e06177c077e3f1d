"""Requests as platforms sign them, by code that is not Offtape's, and the look at what the doctor says of them."""

import hmac
import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from standardwebhooks import Webhook
from twilio.request_validator import RequestValidator

from developer_tools.signature_doctor.diagnosis import Diagnosis, diagnose, report

NOW = 1790000000
DOMAIN = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
PATH = "/flows/acme/card-entry/entered"
URL = f"https://{DOMAIN}{PATH}"
PUBLIC = "https://voice.example.com"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

AUTH_TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
SIGNING_KEY = "PSK_placeholder_signing_key_0001"
BIRD_KEY = "placeholder-bird-signing-key-01"
SECRET_BYTES = b"placeholder-secret-of-a-webhook-"
SECRET = "whsec_" + b64encode(SECRET_BYTES).decode()
SHARED_KEY = "placeholder-shared-key-secret-01"
PASSWORD = "placeholder-password-01"

#: In every body, query and header: it must never be shown.
MARKER = "marker-Zq7"
CARD = "4111111111111111"
FIELDS = {"CallSid": "CA01", "Digits": CARD, "Said": f"{MARKER} é+~*", "AccountSid": "AC01"}


def document(vendor: str = "twilio", **inbound: Any) -> dict[str, Any]:
    """An account's secret that fits the vendor's signatures below."""
    credentials = {
        "bandwidth": {"account_id": "5500001", "username": "api-user", "password": "placeholder-api-password"},
        "bird": {"workspace_id": "placeholder-workspace", "access_key": "placeholder-access-key"},
        "signalwire": {
            "project_id": "placeholder-project",
            "api_token": "PT_placeholder_api_token",
            "space": "example",
        },
        "twilio": {"account_sid": "AC01", "auth_token": AUTH_TOKEN},
    }[vendor]
    keys = {"bird": {"signing_keys": [BIRD_KEY]}, "signalwire": {"signing_keys": [SIGNING_KEY]}}.get(vendor, {})
    return {"vendor": vendor, "credentials": credentials, "inbound": {**keys, **inbound}, "settings": {}}


def event(body: str | bytes = "", content_type: str | None = FORM, query: str = "", **headers: str) -> dict[str, Any]:
    """API Gateway's event of a request to URL; in the names of *headers* underscores are hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {
        "version": "2.0",
        "routeKey": "POST /flows/{account}/{step}/entered",
        "rawPath": PATH,
        "rawQueryString": query,
        "headers": {
            "host": DOMAIN,
            "x-forwarded-proto": "https",
            "x-forwarded-port": "443",
            "x-marker": MARKER,
            **({} if content_type is None else {"content-type": content_type}),
            **named,
        },
        "requestContext": {"domainName": DOMAIN, "stage": "$default", "timeEpoch": NOW * 1000},
        "pathParameters": {"account": "acme", "step": "card-entry"},
        "body": b64encode(body if isinstance(body, bytes) else body.encode()).decode(),
        "isBase64Encoded": True,
    }


def twilio_form(
    url: str = URL, *, token: str = AUTH_TOKEN, query: str = "", algorithm: str | None = None
) -> dict[str, Any]:
    """A form that Twilio has posted to *url*."""
    signature = RequestValidator(token).compute_signature(url + (query and f"?{query}"), FIELDS, algorithm)
    return event(urlencode(FIELDS), query=query, **{"x-twilio-signature": signature})


def twilio_json(url: str = URL, *, token: str = AUTH_TOKEN, body: str | None = None, query: str = "") -> dict[str, Any]:
    """JSON that Twilio has posted to *url*."""
    text = json.dumps(FIELDS) if body is None else body
    validator = RequestValidator(token)
    query += f"{query and '&'}bodySHA256={validator.compute_hash(text)}"
    signature = validator.compute_signature(f"{url}?{query}", {})
    return event(text, JSON, query, **{"x-twilio-signature": signature})


def hmac_base64(key: str | bytes, message: bytes, digest: str) -> str:
    """An HMAC in base64."""
    return b64encode(hmac.new(key.encode() if isinstance(key, str) else key, message, digest).digest()).decode()


def signalwire_json(url: str = URL, *, key: str | bytes = SIGNING_KEY, body: str | None = None) -> dict[str, Any]:
    """JSON that SignalWire has posted to *url*: hexadecimal, over the URL and the body."""
    text = json.dumps(FIELDS) if body is None else body
    message = (url + text).encode()
    signature = hmac.new(key.encode() if isinstance(key, str) else key, message, "sha1").hexdigest()
    return event(text, JSON, **{"x-signalwire-signature": signature})


def bird(
    url: str = URL, *, key: str | bytes = BIRD_KEY, timestamp: str = str(NOW), body: str | None = None
) -> dict[str, Any]:
    """An event that Bird has posted to *url*, in Bird's present scheme."""
    text = json.dumps(FIELDS) if body is None else body
    message = f"{timestamp}\n{url}\n".encode() + sha256(text.encode()).digest()
    signature = hmac_base64(key, message, "sha256")
    return event(text, JSON, messagebird_signature=signature, messagebird_request_timestamp=timestamp)


def standard(secret: str | bytes = SECRET, timestamp: int = NOW, body: str | None = None) -> dict[str, Any]:
    """A message of a third party, as Standard Webhooks has it."""
    text = json.dumps(FIELDS) if body is None else body
    signature = Webhook(secret).sign("msg_01", datetime.fromtimestamp(timestamp, tz=UTC), text)
    return event(text, JSON, webhook_id="msg_01", webhook_timestamp=str(timestamp), webhook_signature=signature)


def changed(
    given: Mapping[str, Any], *, headers: Mapping[str, str | None] | None = None, **fields: Any
) -> dict[str, Any]:
    """*given* with other headers (None: without) and other fields."""
    merged = {**given["headers"], **(headers or {})}
    return {**given, "headers": {name: value for name, value in merged.items() if value is not None}, **fields}


def with_body(given: Mapping[str, Any], body: str | bytes) -> dict[str, Any]:
    """*given* with another body."""
    raw = b64encode(body if isinstance(body, bytes) else body.encode()).decode()
    return {**given, "body": raw, "isBase64Encoded": True}


def found(given: Mapping[str, Any], secret: Mapping[str, Any] | None = None, **options: Any) -> Diagnosis:
    """What the doctor finds, once its report has been looked through for what must not be in it."""
    secret = document() if secret is None else secret
    diagnosis = diagnose(given, secret, **{"now": float(NOW), **options})
    shown = report(diagnosis, given, secret, as_of="the event's own time")
    for text in hidden(given, secret):
        assert text not in shown
    assert "{" not in shown
    return diagnosis


def hidden(given: Mapping[str, Any], secret: Mapping[str, Any]) -> list[str]:
    """What must not be shown: keys, the body, values of headers and of the query."""
    inbound = secret.get("inbound", {})
    keys = [value for name, value in dict(secret.get("credentials", {})).items() if not name.endswith("_sid")]
    keys += [each for name in ("signing_keys", "webhook_secrets", "bearer_tokens") for each in inbound.get(name, [])]
    keys += [pair["password"] for pair in inbound.get("basic", [])]
    bare = [each.strip().removeprefix("whsec_") for each in keys]
    known = {
        "host",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-port",
        "x-forwarded-prefix",
        "x-original-host",
        "forwarded",
    }
    headers = [value for name, value in given["headers"].items() if name not in known and len(value) > 5]
    query = [each.partition("=")[2] for each in given.get("rawQueryString", "").split("&")]
    everything = [*keys, *bare, *headers, *query, given.get("body", ""), MARKER, CARD]
    return [each for each in everything if len(each) > 3]
