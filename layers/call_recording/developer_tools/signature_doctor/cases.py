"""A request beside the keys that it is held against, what may be varied of both, and the search among that."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

from call_recording.account import Inbound
from call_recording.inbound.authentication import prove
from call_recording.inbound.request import InboundRequest

#: Which of the account's keys sign, beside the auth token.
SIGNING: Final = ("signing_keys", "webhook_secrets")
#: With them, those that a flow presents.
LISTS: Final = ("bearer_tokens", "basic", *SIGNING)


class Place(NamedTuple):
    """A URL without its query."""

    origin: str  #: `https://voice.example.com`
    path: str

    @property
    def url(self) -> str:
        """The URL itself."""
        return self.origin + self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A request and keys, as they are or varied."""

    request: InboundRequest
    inbound: Inbound
    places: tuple[Place, ...]  #: where the platform may have asked, to be joined with the request's query
    userinfo: str | None = None  #: what Bird may have had in its URL; others have the request's own tried by the layer
    in_place_of_url: str | None = None  #: what Bird has signed where a URL would be

    @classmethod
    def of(cls, event: Mapping[str, Any], inbound: Inbound, *, now: float, public_urls: Sequence[str]) -> "Case":
        """Read *event* as the functions do."""
        request = InboundRequest.of(event, now=now, public_urls=public_urls)
        plain = InboundRequest.of({**event, "rawQueryString": ""}, now=now, public_urls=public_urls)
        return cls(request=request, inbound=inbound, places=tuple(map(_place, plain.urls)))

    def urls(self) -> tuple[str, ...]:
        """Return what the platform may have signed as the URL."""
        if self.in_place_of_url is not None:
            return (self.in_place_of_url,) if self.inbound.vendor == "bird" else ()
        suffix = f"?{self.request.query}" if self.request.query else ""
        urls = [each.url + suffix for each in self.places] if suffix.isascii() else []
        in_url = self.userinfo is not None and self.inbound.vendor == "bird"
        return tuple(_with_userinfo(urls, self.userinfo or "") if in_url else urls)

    def holds(self) -> bool:
        """Whether a signature holds: what flows prove themselves with does not count."""
        return self.proves(replace(self.inbound, bearer_tokens=(), basic=()))

    def proves(self, inbound: Inbound) -> bool:
        """Whether the layer lets the request in with the keys of *inbound*."""
        return prove(replace(self.request, urls=self.urls()), inbound) is not None

    def key(self, lists: Sequence[str] = LISTS) -> str:
        """Return the name of the key by which the request proves itself, which it has to, by one of *lists*."""
        return next(name for name, inbound in _one_by_one(self.inbound, lists) if self.proves(inbound))

    def place(self) -> Place | None:
        """Return the URL that was signed, or None if the signature covers none."""
        if replace(self, places=()).holds():
            return None
        return next((each for each in self.places if replace(self, places=(each,)).holds()), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """One thing that may have gone wrong.

    Of *why* and *advice*, `{url}` becomes the URL that was signed, without its query, and `{mend_url}` what to do that
    this URL be verified.
    """

    name: str
    group: str  #: of one group only one is tried at a time
    why: str
    advice: str
    apply: Callable[[Case], Iterable[Case]]  #: the cases as they would be had it not gone wrong; none if it cannot have


class Match(NamedTuple):
    """What has to be undone so that the signature holds."""

    variations: tuple[Variation, ...]
    case: Case


def search(case: Case, variations: Sequence[Variation]) -> Match | None:
    """Return the first single variation that makes the signature hold, or else the first pair."""
    for count in (1, 2):
        for chosen in combinations(variations, count):
            if len({each.group for each in chosen}) < count:
                continue
            for varied in _varied(case, chosen):
                if varied.holds():
                    return Match(chosen, varied)
    return None


def _varied(case: Case, variations: Sequence[Variation]) -> Iterator[Case]:
    if not variations:
        yield case
        return
    for each in variations[0].apply(case):
        yield from _varied(each, variations[1:])


def _one_by_one(inbound: Inbound, lists: Sequence[str]) -> Iterator[tuple[str, Inbound]]:
    """Yield each key's name, with an account that has no other."""
    nothing: dict[str, Any] = dict.fromkeys(LISTS, ())
    for name in lists:
        for index, key in enumerate(getattr(inbound, name)):
            yield f"inbound.{name}[{index}]", replace(inbound, **{**nothing, name: (key,), "auth_token": None})
    yield "credentials.auth_token", replace(inbound, **nothing)


def _place(url: str) -> Place:
    parts = urlsplit(url)
    return Place(f"{parts.scheme}://{parts.netloc}", parts.path)


def _with_userinfo(urls: Iterable[str], userinfo: str) -> Iterator[str]:
    username, _, password = userinfo.partition(":")
    for url in urls:
        scheme, _, rest = url.partition("://")
        yield f"{scheme}://{userinfo}@{rest}"
        yield f"{scheme}://{quote(username, safe='')}:{quote(password, safe='')}@{rest}"
