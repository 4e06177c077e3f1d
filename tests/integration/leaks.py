"""What must be nowhere, in every spelling, and a search for it."""

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

#: Published test numbers, as callers' keypads, speech recognition and forms spell them.
CARDS = (
    "4111111111111111",
    "5555 5555 5555 4444",
    "3782-822463-10005",
    "6011 1111-1111.1117",
    "30569309025904",
    "3530111333300000",
    "four one one one, two two two two",
)
#: Stands for a card's code: three digits alone would be found in every time stamp.
CODES = ("737Zq737", "Zq-737-Zq")
#: The same, as a word: what a vendor may call a status.
WORD = "ZqSevenThreeSeven"
MARKERS = (*CARDS, *CODES, WORD)

#: What platforms call what a caller has typed or said, and a payment's connector what it sends on.
CARD_FIELDS = (
    "Digits",
    "SpeechResult",
    "UnstableSpeechResult",
    "StableSpeechResult",
    "TranscriptionText",
    "cardnumber",
    "cvv",
    "expiry_month",
    "expiry_year",
    "postal_code",
    "digits",
    "digit",
    "terminatingDigit",
    "tag",
    "speech",
    "keys",
    "StoredCustomerInput",
    "RecordingUrl",
    "mediaUrl",
)
#: Where platforms put it deeper.
NESTED_FIELDS = (
    "payload.digits",
    "payload.digit",
    "dtmf.digits",
    "speech.results",
    "Details.ContactData.Attributes.pan",
)
#: A name that says that a payload was written down, whatever its value: one digit alone cannot be searched for.
_CARD_FIELD = re.compile(
    rf"\b({'|'.join(name for name in CARD_FIELDS if name not in {'speech', 'keys', 'tag'})})\b[\"'\\ ]*[:=]"
)

#: Of what a secret has, these are no secrets: vendors' own payloads and URLs name them.
PUBLIC = frozenset({"account_sid", "project_id", "account_id", "workspace_id", "channel_id", "space"})

_BETWEEN_DIGITS = re.compile(r"(?<=\d)[ \-_.,+]{1,2}(?=\d)")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


class Found(NamedTuple):
    """A hit."""

    marker: str
    where: str
    around: str


def secrets_in(document: Any) -> Iterator[str]:
    """Yield every credential that a secret of Secrets Manager has."""
    yield from (value for name, value in document["credentials"].items() if name not in PUBLIC)
    inbound = document["inbound"]
    keys = [key for name in ("bearer_tokens", "signing_keys", "webhook_secrets") for key in inbound[name]]
    pairs = [pair for pair in inbound["basic"] if isinstance(pair, dict)]
    yield from (*keys, *(pair["password"] for pair in pairs))


class Search:
    """Looks for markers as they are, encoded, and between signs that somebody put among their digits."""

    def __init__(self, markers: Iterable[str]) -> None:
        self._markers = sorted(markers)
        self._encoded = {needle: marker for marker in self._markers for needle in _encoded(marker)}
        self._digits = {
            digits: marker for marker in self._markers for digits in _backwards_too(_BETWEEN_DIGITS.sub("", marker))
        }

    def hits(self, where: str, text: str) -> list[Found]:
        """Find what must not be in *text*."""
        unescaped = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text.replace('\\"', '"'))
        plain = unquote_plus(unescaped)
        digits = _BETWEEN_DIGITS.sub("", plain)
        found = [_found(marker, where, plain, plain.index(marker)) for marker in self._markers if marker in plain]
        for needles, read in ((self._encoded, text), (self._digits, digits)):
            found += [
                _found(marker, where, read, read.index(needle)) for needle, marker in needles.items() if needle in read
            ]
        match = _CARD_FIELD.search(plain)
        return found if match is None else [*found, _found(match[1], where, plain, match.start())]


def _found(marker: str, where: str, text: str, at: int) -> Found:
    return Found(marker, where, text[max(0, at - 150) : at + 80])


def _backwards_too(digits: str) -> set[str]:
    return {digits, digits[::-1]}


def _encoded(marker: str) -> Iterator[str]:
    for each in {marker, _BETWEEN_DIGITS.sub("", marker)}:
        yield each.encode().hex()
        # at each of the three places at which it can begin in a group of base64, without the signs that others share
        for before in range(3):
            for encode in (b64encode, urlsafe_b64encode):
                encoded = encode(b"\0" * before + each.encode()).decode().rstrip("=")
                yield encoded[4 if before else 0 : len(encoded) - 1]
