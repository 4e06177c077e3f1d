"""The keys: one that was mistaken for another, or not stored as it was given.

https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys: SharedKeys.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#symmetric: `whsec_` and base64.
https://pypi.org/project/messagebird/ (signed_request.py): what MessageBird, now Bird, signed before.
"""

import binascii
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlencode

from call_recording.account import WEBHOOK_SECRET_PREFIX, AccountSecret, Inbound
from call_recording.errors import ConfigurationError
from call_recording.inbound.authentication import SIGNATURES

from .cases import Case, Variation

#: More values than these of a secret are not tried.
MAX_VALUES: Final = 32
#: Where each vendor's key belongs.
BELONGS: Mapping[str, str] = {
    "bird": "inbound.signing_keys",
    "signalwire": "inbound.signing_keys",
    "twilio": "credentials.auth_token",
}
#: Names the SharedKey that has signed.
SHARED_KEY_HEADER: Final = "x-twilio-webhooks-signature-settings"

_NAME = re.compile(r"[a-z_]{1,32}")
_QUOTES = "\"'`\u2018\u2019\u201c\u201d"


class Raw(str):
    """A key that is not text: what it is encoded to is given."""

    __slots__ = ("raw",)

    raw: bytes

    def __new__(cls, raw: bytes) -> Self:
        """Make a key of *raw*."""
        made = super().__new__(cls)
        made.raw = raw
        return made

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:  # noqa: ARG002 -- str's own
        """Return the key's bytes."""
        return self.raw


def read(document: Mapping[str, Any]) -> Inbound:
    """Read the account's keys as the layer does.  Raises ConfigurationError."""
    return AccountSecret("doctor", json.dumps(document)).inbound


def values(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the texts of the secret that may be keys, each with its name."""
    found = [(f"credentials.{name}", value) for name, value in _section(document, "credentials").items()]
    for name in ("signing_keys", "webhook_secrets", "bearer_tokens"):
        texts = _section(document, "inbound").get(name)
        found += [(f"inbound.{name}[{at}]", text) for at, text in enumerate(texts if isinstance(texts, list) else [])]
    known = [(name, value) for name, value in found if _NAME.fullmatch(name.split(".")[1].split("[")[0])]
    return [(name, value) for name, value in known if isinstance(value, str) and value][:MAX_VALUES]


def variations(
    document: Mapping[str, Any], inbound: Inbound, headers: Mapping[str, str], *, fits: bool
) -> list[Variation]:
    """Return what may be wrong with the keys; of a secret that does not fit, what keeps it from fitting."""
    found = [*_cleaned(document), *_webhook_secrets(document)]
    if not fits:
        return found
    belongs = "inbound.signing_keys" if SHARED_KEY_HEADER in headers else BELONGS.get(inbound.vendor or "", "")
    found += [*schemes(inbound), *_readings(inbound)]
    for name, value in values(document):
        found += _misplaced(name, value, inbound, belongs)
    return [*found, *_other_vendors(document, inbound)]


def schemes(inbound: Inbound) -> list[Variation]:
    """Return which other scheme of the same vendor may have signed."""
    if inbound.vendor == "bird":
        return [
            Variation(
                name="messagebird-legacy",
                group="scheme",
                why="The signature is that of the old MessageBird platform: over the query and the body, without the URL.",
                advice="Make the subscription at Bird (service channels, with a signingKey), not at MessageBird; the old "
                "signature is not accepted, for it holds at any path.",
                apply=_legacy,
            )
        ]
    if inbound.vendor != "twilio":
        return []
    return [
        Variation(
            name="shared-key-not-allowed",
            group="scheme",
            why="The signature is made with a SharedKey, and the account does not allow that.",
            advice="Set settings.allow_shared_keys to true, if Twilio's terms for SharedKeys in PCI workflows let you; "
            "otherwise have the webhook signed with the auth token.",
            apply=lambda case: [] if case.inbound.allow_shared_keys else _shared(case, with_header=True),
        ),
        Variation(
            name="shared-key-header-lost",
            group="scheme",
            why=f"The signature is made with a SharedKey, and the event has no {SHARED_KEY_HEADER.title()}.",
            advice="Let your proxy pass that header on.",
            apply=lambda case: [] if SHARED_KEY_HEADER in case.request.headers else _shared(case, with_header=True),
        ),
        Variation(
            name="shared-key-sha1",
            group="scheme",
            why="The signature is made with a SharedKey by HMAC_SHA1.",
            advice="Set the algorithm of the webhook's configuration at Twilio to HMAC_SHA256: nothing less is accepted.",
            apply=lambda case: _shared(case, with_header=False) if SHARED_KEY_HEADER in case.request.headers else [],
        ),
    ]


def _shared(case: Case, *, with_header: bool) -> Iterator[Case]:
    headers = {name: value for name, value in case.request.headers.items() if name != SHARED_KEY_HEADER}
    headers |= {SHARED_KEY_HEADER: ""} if with_header else {}
    inbound = replace(case.inbound, allow_shared_keys=with_header, auth_token=None)
    yield replace(case, request=replace(case.request, headers=headers), inbound=inbound)


def _legacy(case: Case) -> Iterator[Case]:
    pairs = parse_qsl(case.request.query, keep_blank_values=True)
    yield replace(case, in_place_of_url=urlencode(sorted(pairs)))


def _cleaned(document: Mapping[str, Any]) -> Iterator[Variation]:
    """Yield that a key has around it what no key has: blanks, line breaks, quotes."""
    cleaned = deepcopy(dict(document))
    unclean = []
    for name, value in values(document):
        if (clean := "".join(value.split()).strip(_QUOTES)) != value:
            unclean.append(name)
            section, _, rest = name.partition(".")
            field, _, index = rest.rstrip("]").partition("[")
            if index:
                cleaned[section][field][int(index)] = clean
            else:
                cleaned[section][field] = clean
    if unclean:
        yield from _reading(
            "key-blanks",
            f"The signature holds once blanks, line breaks and quotes are taken off {', '.join(unclean)}.",
            "Store the bare key. A file written by echo, or by an editor, ends in a line break; quotes of a shell or an .env "
            "file are no part of the key.",
            _read_or_none(cleaned),
        )


def _webhook_secrets(document: Mapping[str, Any]) -> Iterator[Variation]:
    """Yield that a sender of Standard Webhooks signs with something else than what its secret is the base64 of."""
    for name, text in values(document):
        if not name.startswith("inbound.webhook_secrets"):
            continue
        bare = text.removeprefix(WEBHOOK_SECRET_PREFIX)
        for kind, raw in (("text", bare.encode()), ("text", text.encode()), ("hex", _from_hex(bare))):
            yield from _reading(
                f"webhook-secret-as-{kind}",
                f"The signature is made with {name} taken as {kind}, and not with what it is the base64 of.",
                f"Have the sender decode it, as Standard Webhooks asks for; or store {WEBHOOK_SECRET_PREFIX} and the base64 of "
                "the bytes that it signs with.",
                Inbound(webhook_secrets=(raw,)) if raw else None,
            )


def _readings(inbound: Inbound) -> Iterator[Variation]:
    """Yield that a vendor signs with what its key is an encoding of, or with an encoding of it."""
    named = [(f"inbound.signing_keys[{index}]", key) for index, key in enumerate(inbound.signing_keys)]
    named += [("credentials.auth_token", inbound.auth_token)] if inbound.auth_token else []
    for name, key in named[:MAX_VALUES]:
        encoded = b64encode(key.encode()).decode()
        for kind, other in (("base64", _raw(_from_base64(key))), ("hex", _raw(_from_hex(key)))):
            yield from _reading(
                f"key-decoded-{kind}",
                f"The signature is made with what {name} is the {kind} of.",
                f"Store the key itself in {name.partition('[')[0]}, decoded, as the vendor shows it.",
                _with_key(inbound, other) if other is not None else None,
            )
        yield from _reading(
            "key-encoded",
            f"The signature is made with the base64 of {name}.",
            "Store the key as the vendor shows it: do not decode it.",
            _with_key(inbound, encoded),
        )


def _misplaced(name: str, value: str, inbound: Inbound, belongs: str) -> Iterator[Variation]:
    """Yield that the key is in the secret, but not where keys for signatures are."""
    if belongs and not name.startswith(belongs):
        yield from _reading(
            "key-misplaced",
            f"The signature is made with {name}.",
            f"Put that value into {belongs}.",
            _with_key(inbound, value),
        )
    secret = _from_base64(value.removeprefix(WEBHOOK_SECRET_PREFIX))
    if secret and not name.startswith("inbound.webhook_secrets"):
        yield from _reading(
            "key-misplaced",
            f"The signature is made with {name}.",
            "Put that value into inbound.webhook_secrets.",
            Inbound(webhook_secrets=(secret,)),
        )


def _other_vendors(document: Mapping[str, Any], inbound: Inbound) -> Iterator[Variation]:
    """Yield that another vendor has signed, with whatever key the secret has."""
    keys = tuple(value for name, value in values(document) if value.isascii())
    # Twilio before SignalWire, which takes Twilio's header for its own as well
    for vendor in sorted(SIGNATURES, reverse=True):
        if vendor == inbound.vendor:
            continue
        for shared in (False, True) if vendor == "twilio" else (False,):
            yield from _reading(
                "vendor",
                f"The signature is {vendor}'s, and the account's vendor is another one.",
                f'Set "vendor" to "{vendor}" in the secret, or give {vendor} the URL of an account of its own.',
                Inbound(vendor=vendor, signing_keys=keys, allow_shared_keys=shared),
            )


def _reading(name: str, why: str, advice: str, inbound: Inbound | None) -> Iterator[Variation]:
    """Yield a variation with the keys of *inbound*, if there are such."""
    if inbound is not None:
        yield Variation(
            name=name,
            group="key",
            why=why,
            advice=advice,
            apply=lambda case: [replace(case, inbound=inbound)],
        )


def _read_or_none(document: Mapping[str, Any]) -> Inbound | None:
    try:
        return read(document)
    except ConfigurationError:
        return None


def _with_key(inbound: Inbound, key: str) -> Inbound:
    """Return an account whose vendor signs with *key*."""
    return Inbound(
        vendor=inbound.vendor, signing_keys=(key,), auth_token=key, allow_shared_keys=inbound.allow_shared_keys
    )


def _section(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = document.get(name)
    return section if isinstance(section, dict) else {}


def _raw(key: bytes | None) -> str | None:
    return None if not key else Raw(key)


def _from_base64(text: str) -> bytes | None:
    try:
        return b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _from_hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None
