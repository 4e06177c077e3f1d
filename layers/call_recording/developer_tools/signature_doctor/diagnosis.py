"""From an event and a secret to what is wrong, in words that give nothing of either away."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any, Final

from call_recording.account import AccountSecret
from call_recording.errors import ConfigurationError

from . import bodies, clocks, keys, queries, symptoms, urls
from .cases import SIGNING, Case, Match, Variation, search
from .symptoms import SIGNATURE_HEADERS

WIDTH: Final = 100
#: Vendors that may be named: another word in the secret may be anything.
VENDORS: Final = ("bandwidth", "bird", "signalwire", "twilio")

# Paths and hosts come from the event: a number of a card's length in one is shown to nobody.
_LONG_NUMBER = re.compile(r"[0-9](?:[ -]?[0-9]){11,}")
_UNUSUAL = re.compile(r"[^ -~…]")
#: Shorter texts than this are not looked for in what is shown: they are words.
_SHORTEST_KEY: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What was found."""

    admitted_by: str | None  #: the key, as deployed
    names: tuple[str, ...] = ()  #: of what is wrong with the signature, if anything
    why: tuple[str, ...] = ()
    to_do: tuple[str, ...] = ()
    key: str | None = None  #: with which the signature then holds
    url: str | None = None  #: that was signed, without its query


def diagnose(
    event: Mapping[str, Any],
    document: Mapping[str, Any],
    *,
    public_urls: Sequence[str] = (),
    now: float,
    real_clock: bool = False,
) -> Diagnosis:
    """Say whether the account lets *event* in, and if its signature does not hold, why."""
    problem = None
    try:
        inbound = keys.read(document)
    except ConfigurationError as exc:
        problem, inbound = exc, keys.read({"vendor": document.get("vendor")})  # nobody gets in
    case = Case.of(event, inbound, now=now, public_urls=public_urls)
    by = case.key() if case.proves(inbound) else None
    if case.holds():
        place = case.place()
        return Diagnosis(admitted_by=by, url=place.url if place else None)
    nothing = symptoms.before(case.request, inbound)
    if nothing is not None and problem is None:
        return Diagnosis(admitted_by=by) if by else _of_symptom(nothing, by)
    match = search(case, _variations(event, document, case, public_urls, fits=problem is None, real_clock=real_clock))
    if match is not None:
        return _of_match(match, event, by)
    return _of_symptom(symptoms.unfit(problem) if problem else symptoms.after(case.request, inbound, document), by)


def _variations(
    event: Mapping[str, Any],
    document: Mapping[str, Any],
    case: Case,
    public_urls: Sequence[str],
    *,
    fits: bool,
    real_clock: bool,
) -> list[Variation]:
    request = case.request
    return [
        *clocks.variations(request.headers, request.received_at, real_clock=real_clock),
        *urls.variations(event, case.inbound, public_urls),
        *bodies.variations(),
        *queries.variations(event),
        *keys.variations(document, case.inbound, request.headers, fits=fits),
        *bodies.last(),
    ]


def _of_match(match: Match, event: Mapping[str, Any], admitted_by: str | None) -> Diagnosis:
    place = match.case.place()
    url = f"{place.url}{'?…' if match.case.request.query else ''}" if place else "the URL"
    mending = urls.mending(event, place) if place else ""

    def told(text: str) -> str:
        return text.replace("{url}", url).replace("{mend_url}", mending)

    of_the_keys = {"key"} & {each.group for each in match.variations}
    return Diagnosis(
        admitted_by=admitted_by,
        names=tuple(each.name for each in match.variations),
        why=tuple(told(each.why) for each in match.variations),
        to_do=tuple(dict.fromkeys(told(each.advice) for each in match.variations)),
        key=None if of_the_keys else match.case.key(SIGNING),
    )


def _of_symptom(symptom: symptoms.Symptom, admitted_by: str | None) -> Diagnosis:
    return Diagnosis(admitted_by=admitted_by, names=(symptom.name,), why=(symptom.why,), to_do=(symptom.advice,))


def report(
    diagnosis: Diagnosis,
    event: Mapping[str, Any],
    document: Mapping[str, Any],
    *,
    as_of: str,
    notes: Sequence[str] = (),
) -> str:
    """Return *diagnosis* as text, without any key and without any number as long as a card's."""
    text = "\n".join(_lines(diagnosis, event, document, as_of, notes)) + "\n"
    for secret in _secrets(document):
        text = text.replace(secret, "…")
    return _LONG_NUMBER.sub("…", text)


def _lines(
    diagnosis: Diagnosis, event: Mapping[str, Any], document: Mapping[str, Any], as_of: str, notes: Sequence[str]
) -> Iterator[str]:
    signed = [name.title() for name in SIGNATURE_HEADERS if name in {each.lower() for each in event["headers"]}]
    vendor = document.get("vendor")
    yield _entry("Event", str(event.get("rawPath") or "/"))
    yield _entry("Signed", ", ".join(signed) or "no")
    yield _entry("Vendor", vendor if vendor in VENDORS else "none that Offtape knows")
    yield _entry("As of", as_of)
    if diagnosis.admitted_by is None:
        yield _entry("Result", "REFUSED as deployed")
    else:
        over = f", over {diagnosis.url}" if diagnosis.url else ""
        yield _entry("Result", f"VERIFIED as deployed, by {diagnosis.admitted_by}{over}")
    if diagnosis.names and diagnosis.admitted_by is not None:
        yield _entry("But", "its signature by itself does not hold.")
    for label, texts in (("Why", diagnosis.why), ("To do", diagnosis.to_do)):
        for text in texts:
            yield _entry(label, text)
    if diagnosis.key:
        yield _entry("Key", f"{diagnosis.key} is the right one.")
    if diagnosis.names:
        yield _entry("Name", " + ".join(diagnosis.names))
    for note in notes:
        yield _entry("Note", note)


def _entry(label: str, text: str) -> str:
    return fill(
        _UNUSUAL.sub("?", text),
        WIDTH,
        initial_indent=f"{label + ':':<8}",
        subsequent_indent=" " * 8,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _secrets(document: Mapping[str, Any]) -> list[str]:
    """Return whatever of the secret must not be shown, the longest first."""
    texts = [value for name, value in keys.values(document) if name != "credentials.account_sid"]
    section = document.get("inbound")
    pairs = section.get("basic") if isinstance(section, dict) else None
    texts += [
        str(pair.get("password", "")) for pair in (pairs if isinstance(pairs, list) else []) if isinstance(pair, dict)
    ]
    return sorted({each for each in texts if len(each) >= _SHORTEST_KEY}, key=len, reverse=True)


def misfit(document: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the rest of the secret, which whoever has proven itself is told with a 500."""
    try:
        _ = AccountSecret("doctor", json.dumps(document)).account
    except ConfigurationError as exc:
        return str(exc)
    return None
