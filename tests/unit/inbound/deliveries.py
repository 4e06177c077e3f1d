"""Requests as their senders make and sign them, and whether an account lets them in."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from call_recording.account import AccountSecret
from call_recording.inbound.authentication import Proven, prove
from call_recording.inbound.request import InboundRequest
from tests.unit.fakes import CREDENTIALS, DOMAIN, SIGNING_KEY, WEBHOOK_SECRET, document, flow_event

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
NOW = 1_790_000_000.0
ORIGIN = f"https://{DOMAIN}"


def url_of(vendor: str, query: str = "", *, origin: str = ORIGIN) -> str:
    """Return the URL of an account's webhooks."""
    return f"{origin}/webhooks/demo-{vendor}{'?' if query else ''}{query}"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One request as it is sent: API Gateway makes an event of it."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = FORM
    route: str = "POST /webhooks/{account}"

    @classmethod
    def of_form(cls, url: str, pairs: Sequence[tuple[str, str]], headers: Mapping[str, str]) -> "Delivery":
        """Send a form."""
        return cls(url=url, body=urlencode(pairs).encode(), headers=headers)

    @classmethod
    def of_json(cls, url: str, body: bytes, headers: Mapping[str, str]) -> "Delivery":
        """Send JSON."""
        return cls(url=url, body=body, headers=headers, content_type=JSON)

    def with_header(self, name: str, value: str) -> "Delivery":
        """Return the same with another header."""
        return replace(self, headers={**self.headers, name: value})

    def event(self, *, before: str = "", encode: bool = True, **changed: Any) -> dict[str, Any]:
        """Return API Gateway's event; *before* is what it puts before the route: a stage, a mapping key."""
        _, _, rest = self.url.partition("://")
        host, _, rest = rest.partition("/")
        path, _, query = rest.partition("?")
        event = flow_event(
            self.body if encode else self.body.decode(),
            authorization=None,
            content_type=self.content_type,
            routeKey=self.route,
            rawPath=f"{before}/{path}",
            rawQueryString=query,
            pathParameters={
                "account": re.split(r"(?:^|/)(?:flows|webhooks)/", path)[1].split("/")[0],
                "step": "card-entry",
            },
        )
        event["headers"] |= {"host": host, **self.headers}
        return event | changed

    def request(
        self, *, public_urls: Sequence[str] = (), now: float = NOW, event: Mapping[str, Any] | None = None
    ) -> InboundRequest:
        """Return the request as it is read."""
        return InboundRequest.of(event or self.event(), now=now, public_urls=public_urls)


def keys_of(vendor: str, /, **inbound: Any) -> dict[str, Any]:
    """Return the sections of a secret that lets in by signature alone."""
    keys = {"signing_keys": [SIGNING_KEY] if vendor != "twilio" else [], "webhook_secrets": [WEBHOOK_SECRET]}
    return {"inbound": keys | inbound}


def proven(request: InboundRequest, vendor: str, /, **sections: Any) -> Proven | None:
    """Return what *request* proves to an account of *vendor* whose secret has these sections."""
    secret = json.dumps(document(vendor) | keys_of(vendor) | sections)
    return prove(request, AccountSecret(f"demo-{vendor}", secret).inbound)


def is_let_in(request: InboundRequest, vendor: str, /, **sections: Any) -> bool:
    """Whether *request* is let in by signature."""
    return proven(request, vendor, **sections) is not None


def credentials_of(vendor: str, **changed: str) -> dict[str, str]:
    """Return a vendor's credentials, some changed."""
    return {**CREDENTIALS[vendor], **changed}


def basic_header(userinfo: str) -> str:
    """Return the header that a client makes of the `user:password@` of a URL."""
    return "Basic " + b64encode(userinfo.encode()).decode()
