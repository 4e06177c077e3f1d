"""What API Gateway hands over: an HTTP API's event, payload format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from ..errors import BodyTooLargeError, UnreadableBodyError

#: No vendor's callback and no flow's request comes near this size, in bytes.
MAX_BODY_BYTES: Final = 64 * 1024

#: API Gateway gives up after this time, seconds: an older event is not live but replayed, from a file say.
MAX_AGE_SECONDS: Final = 30.0
#: A query or a form with more fields than this is nobody's that we know.
MAX_FIELDS: Final = 1000

FORM: Final = "application/x-www-form-urlencoded"

# A domain name, with a port where the API runs on one's own machine.
_DOMAIN = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundRequest:
    """One request, unread: whoever verifies it sees the bytes that were sent."""

    route_key: str
    parameters: Mapping[str, str]
    urls: tuple[str, ...] = field(repr=False)  #: under which we may have been asked: one of them is what was signed
    headers: Mapping[str, str] = field(repr=False)  #: names in lower case, as API Gateway makes them
    query: str = field(repr=False)
    raw_body: str = field(repr=False)
    is_base64: bool
    received_at: float  #: seconds since the epoch, by API Gateway's clock

    @classmethod
    def of(cls, event: Mapping[str, Any], *, now: float, public_urls: Sequence[str] = ()) -> "InboundRequest":
        """Read API Gateway's event.  Routes come by `routeKey`: `rawPath` carries the stage or a mapping key.

        *public_urls* are those under which a proxy or a domain of the company's reaches the API.
        """
        context = event.get("requestContext") or {}
        epoch = context.get("timeEpoch")
        received_at = epoch / 1000 if isinstance(epoch, int | float) else now
        if not 0 <= now - received_at <= MAX_AGE_SECONDS:
            received_at = now
        return cls(
            route_key=str(event.get("routeKey", "")),
            parameters=event.get("pathParameters") or {},
            urls=tuple(_urls(event, context.get("domainName"), public_urls)),
            headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
            query=event.get("rawQueryString") or "",
            raw_body=event.get("body") or "",
            is_base64=bool(event.get("isBase64Encoded")),
            received_at=received_at,
        )

    def body(self) -> bytes:
        """Return the bytes that were sent.  Raises BodyTooLargeError and UnreadableBodyError."""
        # base64 makes four characters of three bytes: what is too long stays undecoded
        if len(self.raw_body) > MAX_BODY_BYTES * (4 / 3 if self.is_base64 else 1) + 4:
            raise BodyTooLargeError("body", f"must not be larger than {MAX_BODY_BYTES} bytes")
        try:
            body = b64decode(self.raw_body, validate=True) if self.is_base64 else self.raw_body.encode()
        except (binascii.Error, ValueError):
            raise UnreadableBodyError("body", "is not what its encoding says") from None
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLargeError("body", f"must not be larger than {MAX_BODY_BYTES} bytes")
        return body

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def query_values(self, name: str) -> list[str]:
        """Return every value that the query has for *name*.  `queryStringParameters` joins them with commas."""
        try:
            pairs = parse_qsl(self.query, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
        except ValueError:
            return []
        return [value for each, value in pairs if each == name]


def form_pairs(body: bytes) -> list[tuple[str, str]]:
    """Return the fields of a form, in their order.  Raises ValueError if it is none."""
    return parse_qsl(
        body.decode(), keep_blank_values=True, strict_parsing=bool(body), errors="strict", max_num_fields=MAX_FIELDS
    )


def _urls(event: Mapping[str, Any], domain: object, public_urls: Sequence[str]) -> Iterator[str]:
    """Yield the URLs that whoever sent this may have meant: never by the Host header, which is the sender's word."""
    path, query = str(event.get("rawPath") or "/"), event.get("rawQueryString") or ""
    suffix = f"?{query}" if query else ""
    if not (path.startswith("/") and (path + suffix).isascii()):
        return  # no platform asks for such a URL
    if isinstance(domain, str) and _DOMAIN.fullmatch(domain):
        yield f"https://{domain}{path}{suffix}"
    # what stands before the route in the path, a stage say, is API Gateway's: a public URL has its own
    segments = str(event.get("routeKey", "")).count("/")
    route = "/" + "/".join(path.split("/")[-segments:]) if segments else path
    for public_url in public_urls:
        yield f"{public_url}{route}{suffix}"
