"""The URL: which host, scheme, port and path the platform has signed.

https://www.twilio.com/docs/usage/webhooks/webhooks-security: a proxy that ends TLS or names another host changes it.
https://github.com/twilio/twilio-python/issues/402: ports.  https://www.rfc-editor.org/rfc/rfc7239: `Forwarded`.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-custom-domain-names.html: paths before the route.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from call_recording.account import Inbound

from .cases import Case, Place, Variation

#: More hosts than these no chain of proxies has.
MAX_HOSTS: Final = 8
#: Headers by which proxies pass on under which name they were asked.
HOST_HEADERS: Final = ("host", "x-forwarded-host", "x-original-host")

_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?")
_FORWARDED_HOST = re.compile(r"""\bhost="?([^";,\s]+)""", re.IGNORECASE)
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]{1,64}){1,4}")
_LOOPBACK = re.compile(r"http://(localhost|127\.[0-9.]+)(:[0-9]+)?(/.*)?")
_STANDARD_PORTS: Mapping[str, str] = {"https": ":443", "http": ":80"}


def variations(event: Mapping[str, Any], inbound: Inbound, public_urls: Sequence[str]) -> list[Variation]:
    """Return what may be wrong with the URL."""
    hosts, prefixes = list(_hosts(event, public_urls)), list(_prefixes(event, public_urls))
    return [
        Variation(
            name="port",
            group="origin",
            why="The signature is over {url}: the port is not the one that API Gateway names.",
            advice="{mend_url}",
            apply=lambda case: _at(case, lambda origin: _ports(origin, event)),
        ),
        Variation(
            name="scheme",
            group="origin",
            why="The signature is over {url}: the platform asks by another scheme than API Gateway.",
            advice="{mend_url}",
            apply=lambda case: _at(case, lambda origin: [_other_scheme(origin)]),
        ),
        Variation(
            name="origin",
            group="origin",
            why="The signature is over {url}: the platform asks another host than the one that API Gateway names.",
            advice="{mend_url}",
            apply=lambda case: _elsewhere(case, event, hosts),
        ),
        Variation(
            name="path-prefix",
            group="path",
            why="The signature is over {url}: the path is without a stage or mapping key that the event has.",
            advice="{mend_url}",
            apply=lambda case: _below(case, lambda path: _shortened(path, event)),
        ),
        Variation(
            name="stage",
            group="path",
            why="The signature is over {url}: the path has a stage, a mapping key or a proxy's folder before it that the "
            "event has not.",
            advice="{mend_url}",
            apply=lambda case: _below(case, lambda path: [each + route(event, path) for each in prefixes]),
        ),
        Variation(
            name="trailing-slash",
            group="slash",
            why="The signature is over {url}: with the event it differs by a slash at the end of the path.",
            advice="Give the platform the URL without a slash at its end, and look for what adds or removes one on the way.",
            apply=lambda case: _below(case, lambda path: [path[:-1] if path.endswith("/") else path + "/"]),
        ),
        *_userinfos(inbound),
    ]


def route(event: Mapping[str, Any], path: str) -> str:
    """Return the end of *path* that is the route's: what stands before it is API Gateway's or a proxy's."""
    segments = str(event.get("routeKey", "")).count("/")
    return "/" + "/".join(path.split("/")[-segments:]) if segments else path


def mending(event: Mapping[str, Any], place: Place) -> str:
    """Say what to do so that a signature over *place* is verified."""
    expected = route(event, str(event.get("rawPath") or "/"))
    if not place.path.endswith(expected):
        return f"Give the platform a URL that ends in {expected}: no value of PublicUrls leads to the one it has."
    base = place.origin + place.path.removesuffix(expected)
    if base.startswith("http:") and not _LOOPBACK.fullmatch(base):
        return f"Give the platform the https URL. If it cannot be had, there is no way: PublicUrls takes no {base}."
    return f"Add {base} to the parameter PublicUrls (comma-separated), and deploy."


def _hosts(event: Mapping[str, Any], public_urls: Sequence[str]) -> Iterator[str]:
    """Yield the names under which the platform may have asked."""
    headers = {name.lower(): value for name, value in event["headers"].items()}
    named = [each.strip() for name in HOST_HEADERS for each in headers.get(name, "").split(",")]
    named += _FORWARDED_HOST.findall(headers.get("forwarded", ""))
    named += [urlsplit(url).netloc for url in public_urls]
    yield from list(dict.fromkeys(each for each in named if _HOST.fullmatch(each)))[:MAX_HOSTS]


def _prefixes(event: Mapping[str, Any], public_urls: Sequence[str]) -> Iterator[str]:
    """Yield what may stand before the route."""
    headers = {name.lower(): value for name, value in event["headers"].items()}
    stage = str(event.get("requestContext", {}).get("stage") or "$default")
    candidates = [f"/{stage}", headers.get("x-forwarded-prefix", "").rstrip("/")]
    candidates += [urlsplit(url).path for url in public_urls]
    yield from dict.fromkeys(each for each in candidates if _PREFIX.fullmatch(each))


def _at(case: Case, others: Callable[[str], Iterable[str]]) -> Iterator[Case]:
    """Yield *case* at other origins, its paths unchanged."""
    places = [Place(origin, each.path) for each in case.places for origin in others(each.origin)]
    yield replace(case, places=tuple(dict.fromkeys(places)))


def _below(case: Case, others: Callable[[str], Iterable[str]]) -> Iterator[Case]:
    """Yield *case* at other paths, its origins unchanged."""
    places = [Place(each.origin, path) for each in case.places for path in others(each.path) if path != each.path]
    yield replace(case, places=tuple(dict.fromkeys(places)))


def _elsewhere(case: Case, event: Mapping[str, Any], hosts: Sequence[str]) -> Iterator[Case]:
    origins = [f"{scheme}://{host}" for host in hosts for scheme in ("https", "http")]
    origins = [each for origin in origins for each in [origin, *_ports(origin, event)]]
    paths = {each.path for each in case.places} or {str(event.get("rawPath") or "/")}
    places = [Place(origin, path) for origin in origins for path in sorted(paths) if path.isascii()]
    yield replace(case, places=tuple(each for each in places if each not in case.places))


def _ports(origin: str, event: Mapping[str, Any]) -> Iterator[str]:
    """Yield *origin* with the ports that it may have had."""
    parts = urlsplit(origin)
    bare = f"{parts.scheme}://{parts.hostname}"
    headers = {name.lower(): value for name, value in event["headers"].items()}
    named = [headers.get("x-forwarded-port", ""), headers.get("host", "").rpartition(":")[2]]
    ports = [f":{each}" for each in named if each.isascii() and each.isdigit() and len(each) <= 5]
    for port in ("", _STANDARD_PORTS[parts.scheme], *ports):
        if bare + port != origin:
            yield bare + port


def _other_scheme(origin: str) -> str:
    scheme, _, rest = origin.partition("://")
    return f"{'http' if scheme == 'https' else 'https'}://{rest}"


def _shortened(path: str, event: Mapping[str, Any]) -> list[str]:
    return [route(event, path), "/" + path.lstrip("/").partition("/")[2]]


def _userinfos(inbound: Inbound) -> Iterator[Variation]:
    """Yield for each pair of the account that it is in the URL that was signed, though not in the event."""
    advice = (
        "If Authorization is blanked in this copy of the event, put it back. If it is not, let your proxy pass it on."
    )
    if inbound.vendor == "bird":
        advice = "Give Bird the URL without user:password@: Bird signs the URL as it was typed in."
    for index, pair in enumerate(inbound.basic):
        userinfo = f"{pair.username}:{pair.password}"
        yield Variation(
            name="userinfo",
            group="userinfo",
            why=f"The signature is over a URL that has the user name and password of inbound.basic[{index}] in it, and "
            "the event's Authorization has not.",
            advice=advice,
            apply=partial(_with_userinfo, userinfo=userinfo),
        )


def _with_userinfo(case: Case, userinfo: str) -> Iterator[Case]:
    authorization = f"Basic {b64encode(userinfo.encode()).decode()}"
    request = replace(case.request, headers={**case.request.headers, "authorization": authorization})
    yield replace(case, request=request, userinfo=userinfo)
