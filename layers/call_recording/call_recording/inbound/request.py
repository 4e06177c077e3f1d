"""What API Gateway hands over: an HTTP API's event, payload format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..errors import BodyTooLargeError, UnreadableBodyError

#: No vendor's callback and no flow's request comes near this size, in bytes.
MAX_BODY_BYTES: Final = 64 * 1024

#: API Gateway gives up after this time, seconds: an older event is not live but replayed, from a file say.
MAX_AGE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundRequest:
    """One request, unread: whoever verifies it sees the bytes that were sent."""

    route_key: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)  #: names in lower case, as API Gateway makes them
    query: str = field(repr=False)
    raw_body: str = field(repr=False)
    is_base64: bool
    received_at: float  #: seconds since the epoch, by API Gateway's clock

    @classmethod
    def of(cls, event: Mapping[str, Any], *, now: float) -> "InboundRequest":
        """Read API Gateway's event.  Routes come by `routeKey`: `rawPath` carries the stage or a mapping key."""
        epoch = event.get("requestContext", {}).get("timeEpoch")
        received_at = epoch / 1000 if isinstance(epoch, int | float) else now
        if not 0 <= now - received_at <= MAX_AGE_SECONDS:
            received_at = now
        return cls(
            route_key=str(event.get("routeKey", "")),
            parameters=event.get("pathParameters") or {},
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
