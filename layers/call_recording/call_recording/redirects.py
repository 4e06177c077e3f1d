"""Where a call may be sent on to: URLs compared part by part, never as text."""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

#: Longer URLs than this are refused by common clients and proxies.
MAX_URL_LENGTH = 2048

# Printable ASCII without the backslash, which browsers and some clients read as a slash.
_PLAIN = re.compile(r"[!-\[\]-~]+")
# A slash or backslash that only shows after decoding could climb out of the allowed path.
_HIDDEN_SEPARATOR = re.compile(r"%(2f|5c|00)", re.IGNORECASE)
_LOOPBACK = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|::1")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$)({_LABEL}\.)*{_LABEL}|[0-9a-f:.]*:[0-9a-f:.]*")
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be compared: an absolute one, without user information."""

    scheme: str
    host: str
    port: int
    path: str  #: dot segments resolved
    bare: bool  #: whether it has neither query nor fragment

    @property
    def encrypted_or_local(self) -> bool:
        """Whether it is https, or http on this very machine."""
        return self.scheme == "https" or bool(_LOOPBACK.fullmatch(self.host))


def parse(url: str) -> Target | None:
    """Return the parts of *url*, or None if it is not one that we would compare."""
    if len(url) > MAX_URL_LENGTH or not _PLAIN.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or port == 0 or "@" in parts.netloc:
        return None
    if not _HOST.fullmatch(parts.hostname or ""):
        return None
    path = _resolve(parts.path)
    if path is None:
        return None
    return Target(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=_DEFAULT_PORTS[parts.scheme] if port is None else port,
        path=path,
        bare=not (parts.query or parts.fragment),
    )


def is_allowed(url: str, allowed: tuple[str, ...]) -> bool:
    """Whether *url* lies below one of the *allowed* origins and paths."""
    target = parse(url)
    if target is None or not target.encrypted_or_local:
        return False
    return any(
        base is not None
        and (target.scheme, target.host, target.port) == (base.scheme, base.host, base.port)
        and target.path.startswith(base.path)
        for base in map(parse, allowed)
    )


def _resolve(path: str) -> str | None:
    """Resolve dot segments, encoded ones too, as RFC 3986 section 5.2.4 does."""
    if _HIDDEN_SEPARATOR.search(path) or "//" in path:
        return None  # some servers merge slashes before they resolve dots, others do not
    segments: list[str] = []
    for segment in path.split("/")[1:]:
        plain = unquote(segment)
        if plain.startswith((".;", "..;")):
            return None  # some servers cut parameters off before they resolve dots
        if plain == "..":
            del segments[-1:]
        elif plain != ".":
            segments.append(segment)
    if path.endswith(("/.", "/..")):
        segments.append("")
    return "/" + "/".join(segments)
