"""The query, and how URL-encoded text may have been written before something wrote it anew.

https://url.spec.whatwg.org/#application/x-www-form-urlencoded: a blank is `+` or `%20`, and a digit of `%2F` in either case.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html: of a query there is
the text, `rawQueryString`, and a map that joins several values of a name with commas.
https://www.twilio.com/docs/usage/webhooks/webhooks-security: `bodySHA256` stands for a body that is no form.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlencode

from call_recording.errors import InvalidTriggerError

from .cases import Case, Variation

#: A text with more fields than this is left alone.
MAX_FIELDS: Final = 1000

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")


def variations(event: Mapping[str, Any]) -> list[Variation]:
    """Return what may be wrong with the query."""
    map_of_query = {
        name: value
        for name, value in (event.get("queryStringParameters") or {}).items()
        if isinstance(name, str) and isinstance(value, str)
    }
    return [
        Variation(
            name="query-missing",
            group="query",
            why="The signature is over {url} with the query of queryStringParameters, and not with rawQueryString.",
            advice="Let nothing on the way to the function drop or change rawQueryString; in an event written by hand, "
            "write the query there as the URL has it.",
            apply=lambda case: _with_queries(case, _written(map_of_query)),
        ),
        Variation(
            name="query-reencoded",
            group="query",
            why="The signature is over {url} with its query percent-encoded in another way.",
            advice="Something on the way decodes the query and encodes it anew: have it pass the URL on as it is, or give "
            "the platform a URL without blanks and signs that need encoding.",
            apply=lambda case: _with_queries(case, respelt(case.request.query)),
        ),
        Variation(
            name="query-reordered",
            group="query",
            why="The signature is over {url} with the fields of its query in another order.",
            advice="Something on the way sorts the query: have it pass the URL on as it is, or give the platform the URL "
            "with its fields in alphabetical order.",
            apply=lambda case: _with_queries(case, reordered(case.request.query)),
        ),
        Variation(
            name="query-added",
            group="query",
            why="The signature is over {url} without any query.",
            advice="Something on the way adds a query to the URL: have it pass the URL on as it is.",
            apply=lambda case: _with_queries(case, iter([""] if case.request.query else [])),
        ),
        Variation(
            name="bodySHA256-lost",
            group="query",
            why="The signature is over {url} with a bodySHA256 that the event's query has not, or not so.",
            advice="Let nothing on the way to the function drop or change the query; in an event written by hand, write "
            "the whole query into rawQueryString.",
            apply=_with_digest,
        ),
    ]


def respelt(text: str) -> Iterator[str]:
    """Yield the same fields in other encodings."""
    yield text.replace("+", "%20")
    yield text.replace("%20", "+")
    yield _ESCAPE.sub(lambda found: found[0].lower(), text)
    yield _ESCAPE.sub(lambda found: found[0].upper(), text)
    if (pairs := _pairs(text)) is not None:
        yield urlencode(pairs)
        yield urlencode(pairs, quote_via=quote, safe="")
        yield urlencode(pairs, quote_via=quote_plus, safe="*").replace("~", "%7E")  # as browsers write forms
        yield urlencode(pairs, quote_via=quote, safe="/:@,;!$'()*?")
    yield unquote(text)


def reordered(text: str) -> Iterator[str]:
    """Yield the same fields in other orders, each as it was written."""
    fields = text.split("&")
    yield "&".join(sorted(fields))
    yield "&".join(reversed(fields))


def _pairs(text: str) -> list[tuple[str, str]] | None:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        return None


def _written(values: Mapping[str, str]) -> Iterator[str]:
    """Yield queries of which API Gateway would have made *values*."""
    if not values:
        return
    split = [(name, each) for name, value in values.items() for each in value.split(",")]
    for pairs in (list(values.items()), split):
        yield urlencode(pairs)
        yield urlencode(pairs, quote_via=quote, safe="")
        yield urlencode(pairs, quote_via=quote, safe="/:@,;!$'()*?")


def _with_queries(case: Case, queries: Iterator[str]) -> Iterator[Case]:
    for query in dict.fromkeys(queries):
        if query != case.request.query:
            yield replace(case, request=replace(case.request, query=query))


def _with_digest(case: Case) -> Iterator[Case]:
    try:
        digest = sha256(case.request.body()).hexdigest()
    except InvalidTriggerError:
        return
    rest = [each for each in case.request.query.split("&") if each and not each.startswith("bodySHA256=")]
    yield from _with_queries(case, iter(["&".join([*rest, f"bodySHA256={digest}"]), f"bodySHA256={digest}"]))
