"""The requests that a platform makes while it plays a flow, by way of the one signed POST that every vendor has."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from local.simulators.outgoing import Basic, Outgoing, form_body, form_pairs, without_fragment
from local.simulators.players.play import UnplayableError
from local.simulators.signatures import with_body_sha256
from local.simulators.vendor import Vendor

#: What markup may ask for.
METHODS: Final = frozenset({"GET", "POST"})


def in_markup(
    vendor: Vendor, method: str | None, url: str, fields: Mapping[str, Any], *, basic: Basic | None = None
) -> Outgoing:
    """The request for the next document: a POST unless the markup says GET, which has the fields in the query."""
    method = (method or "POST").upper()
    if method not in METHODS:
        raise UnplayableError("a method in the flow must be GET or POST")
    if method == "POST":
        return vendor.callback(url, fields, basic=basic)
    return get(vendor, with_query(url, fields), basic=basic)


def get(vendor: Vendor, url: str, *, basic: Basic | None = None) -> Outgoing:
    """A GET, signed as a vendor signs one: over the URL with its query."""
    return with_body(vendor.callback(url, {}, basic=basic), method="GET", body=b"", content_type=None)


def post_json_signed_by_url(vendor: Vendor, url: str, body: bytes, content_type: str) -> Outgoing:
    """
    A POST of what is no form: the URL gains the body's digest, and is all that is signed.

    https://www.twilio.com/docs/usage/webhooks/webhooks-security
    """
    outgoing = vendor.callback(with_body_sha256(url, body), {})
    return with_body(outgoing, method="POST", body=body, content_type=content_type)


def with_body(outgoing: Outgoing, *, method: str, body: bytes, content_type: str | None) -> Outgoing:
    """The same request with another method and body. None: there is no body that would have a type."""
    headers = {name: value for name, value in outgoing.headers.items() if name.lower() != "content-type"}
    if content_type is not None:
        headers["Content-Type"] = content_type
    return dataclasses.replace(outgoing, method=method, headers=headers, body=body)


def with_query(url: str, fields: Mapping[str, Any]) -> str:
    """The URL with these fields after those that it has; the rest of it stays as it was written."""
    url = without_fragment(url)
    query = form_body(form_pairs(fields)).decode()
    if not query:
        return url
    return f"{url}{'&' if urlsplit(url).query else '?'}{query}"
