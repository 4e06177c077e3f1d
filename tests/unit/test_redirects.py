"""Where a call may be sent on to."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_recording.redirects import MAX_URL_LENGTH, is_allowed, parse

BASE = "https://ivr.example.com/cards/"

PIECES = [
    "https", "http", "HTTPS", "ftp", "javascript", ":", "//", "/", "\\", "@", "?", "#", ":443", ":80", ":8443", "..", ".",
    "%2e", "%2E%2e", "%2f", "%5C", "%00", "%252e", "ivr.example.com", "IVR.example.com", "ivr.example.com.", "evil.example",
    "cards", "cards/", "cardsx", "[::1]", "127.0.0.1", "user:pass", "\n", "\t", " ", "\u2024", "x", ";", "&", "=",
]  # fmt: skip


class TestParse:
    """Which URLs may be compared at all, and what they say."""

    @pytest.mark.parametrize(
        ("url", "port"),
        [
            ("https://ivr.example.com", 443),
            ("https://ivr.example.com:/", 443),
            ("https://ivr.example.com:443/", 443),
            ("https://ivr.example.com:8443/", 8443),
            ("http://ivr.example.com/", 80),
            ("http://ivr.example.com:8080/", 8080),
        ],
    )
    def test_a_missing_port_is_the_scheme_s_own(self, url, port):
        """A URL without a port means the port that its scheme has by default."""
        target = parse(url)

        assert target is not None
        assert target.port == port

    def test_scheme_and_host_are_compared_in_lower_case(self):
        """Neither the scheme nor the host of a URL depends on case."""
        assert parse("HTTPS://IVR.Example.COM/A") == parse("https://ivr.example.com/A")
        assert parse("https://ivr.example.com/A") != parse("https://ivr.example.com/a")

    @pytest.mark.parametrize(
        ("path", "resolved"),
        [
            ("", "/"),
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/./b", "/a/b"),
            ("/a/../b", "/b"),
            ("/a/b/..", "/a/"),
            ("/a/b/.", "/a/b/"),
            ("/../../a", "/a"),
            ("/..", "/"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/.%2e/b", "/b"),
            ("/a/%2e/b", "/a/b"),
            ("/a/...", "/a/..."),
            ("/a/%252e%252e/b", "/a/%252e%252e/b"),
        ],
    )
    def test_dot_segments_are_resolved(self, path, resolved):
        """Dot segments are resolved before paths are compared, encoded ones too."""
        target = parse(f"https://ivr.example.com{path}")

        assert target is not None
        assert target.path == resolved

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "/cards/",
            "//ivr.example.com/",
            "ivr.example.com/",
            "https:ivr.example.com/",
            "https:///cards/",
            "ftp://ivr.example.com/",
            "javascript:alert(1)",
            "data:text/xml,x",
            "https://user@ivr.example.com/",
            "https://user:pass@ivr.example.com/",
            "https://@ivr.example.com/",
            "https://ivr.example.com\\@evil.example/",
            "https:\\\\ivr.example.com/",
            "https://ivr.example.com/a\\..\\b",
            "https://ivr.example.com/a%2fb",
            "https://ivr.example.com/a%2F..%2Fb",
            "https://ivr.example.com/a%5cb",
            "https://ivr.example.com/a%00",
            "https://ivr.example.com/cards//../admin",
            "https://ivr.example.com/cards/..;/admin",
            "https://ivr.example.com/cards/%2e%2e;x=1/admin",
            "https://ivr.example.com/cards/.;/admin",
            "https://ivr.example.com/a b",
            "https://ivr.example.com/\n",
            "https://ivr.example.com/\t",
            "https://ivr.example.com/\r\nx: y",
            "https://ivr.example.com/\x00",
            "https://ivr.example.com/\x7f",
            " https://ivr.example.com/",
            "https://ivr.example.com/ü",
            "https://ivr\u2024example.com/",
            "https://ivr.example.com:99999/",
            "https://ivr.example.com:0/",
            "https://-.x..y/",
            "https://exa{mple}.com/",
            "https://{}/",
            "https://%41.com/",
            "https://ivr_1.example.com/",
            "https://" + "a" * 64 + ".com/",
            "https://" + "a." * 130 + "com/",
            "https://ivr.example.com:x/",
            "https://[::1/",
            "https://ivr.example.com/" + "a" * MAX_URL_LENGTH,
        ],
    )
    def test_what_might_be_read_in_two_ways_is_not_compared(self, url):
        """A URL that is not absolute, hides user information or a separator, or is too long, is none that we compare."""
        assert parse(url) is None

    def test_the_longest_url_is_still_read(self):
        """A URL of exactly the greatest length is compared."""
        assert parse("https://h/".ljust(MAX_URL_LENGTH, "a")) is not None

    @pytest.mark.parametrize(
        ("url", "bare"),
        [("https://h/a", True), ("https://h/a?b=c", False), ("https://h/a#b", False)],
    )
    def test_a_query_and_a_fragment_are_noticed(self, url, bare):
        """A URL with a query or a fragment is not bare."""
        target = parse(url)

        assert target is not None
        assert target.bare is bare

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("https://ivr.example.com/", True),
            ("http://localhost/", True),
            ("http://127.0.0.1:8080/", True),
            ("http://127.1.2.3/", True),
            ("http://[::1]:8080/", True),
            ("http://ivr.example.com/", False),
            ("http://localhost.example.com/", False),
            ("http://127.0.0.1.example.com/", False),
            ("http://[::2]/", False),
            ("http://128.0.0.1/", False),
        ],
    )
    def test_plain_http_is_for_this_machine_only(self, url, expected):
        """Unencrypted HTTP counts only on loopback."""
        target = parse(url)

        assert target is not None
        assert target.encrypted_or_local is expected


class TestIsAllowed:
    """Which redirects lie below what an account allows."""

    @pytest.mark.parametrize(
        "url",
        [
            BASE,
            "https://ivr.example.com/cards/next?step=1#here",
            "https://ivr.example.com:443/cards/next",
            "HTTPS://IVR.EXAMPLE.COM/cards/next",
            "https://ivr.example.com/other/../cards/next",
            "https://ivr.example.com/cards/a/../b",
        ],
    )
    def test_what_lies_below_is_allowed(self, url):
        """A URL of the same origin whose resolved path lies below the allowed one is allowed."""
        assert is_allowed(url, (BASE,))

    @pytest.mark.parametrize(
        "url",
        [
            "http://ivr.example.com/cards/next",
            "http://ivr.example.com:443/cards/next",
            "https://ivr.example.com:8443/cards/next",
            "https://ivr.example.com.evil.example/cards/",
            "https://ivr.example.com.:443/cards/",
            "https://ivr.example.com@evil.example/cards/",
            "https://user:pass@ivr.example.com/cards/",
            "https://evil.example/https://ivr.example.com/cards/",
            "https://ivr.example.com/cards",
            "https://ivr.example.com/cardsx/",
            "https://ivr.example.com/Cards/",
            "https://ivr.example.com/cards/../admin",
            "https://ivr.example.com/cards/..",
            "https://ivr.example.com/cards/%2e%2e/admin",
            "https://ivr.example.com/cards/..%2fadmin",
            "https://ivr.example.com/cards/..\\admin",
            "https://ivr.example.com/cards/\n",
            "",
        ],
    )
    def test_what_does_not_is_refused(self, url):
        """Another origin, user information, or a path that leaves the allowed one is refused."""
        assert not is_allowed(url, (BASE,))

    def test_no_base_allows_nothing(self):
        """An account that allows no redirects allows none, and neither does a base that cannot be read."""
        assert not is_allowed(BASE, ())
        assert not is_allowed(BASE, ("not a url",))

    def test_each_base_counts(self):
        """A URL below any one of several bases is allowed."""
        assert is_allowed("https://b.example/x", (BASE, "https://b.example/"))

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
    def test_plain_http_is_allowed_on_loopback(self, host):
        """On loopback an account may allow unencrypted HTTP; its port must be equal all the same."""
        assert is_allowed(f"http://{host}:8080/ivr/x", (f"http://{host}:8080/ivr/",))
        assert not is_allowed(f"http://{host}:8081/ivr/x", (f"http://{host}:8080/ivr/",))

    def test_plain_http_elsewhere_is_not_allowed_even_if_a_base_says_so(self):
        """A base with unencrypted HTTP, had it come past the check of the settings, allows nothing."""
        assert not is_allowed("http://ivr.example.com/x", ("http://ivr.example.com/",))

    @given(
        st.lists(st.sampled_from(PIECES), max_size=10).map("".join)
        | st.lists(st.sampled_from(PIECES), max_size=8).map(lambda pieces: BASE + "".join(pieces))
        | st.text().map(lambda text: BASE + text)
    )
    def test_an_allowed_url_always_has_the_origin_and_the_prefix(self, url):
        """Whatever the URL, if it is allowed then it has the base's origin and, resolved, its path."""
        if not is_allowed(url, (BASE,)):
            return
        parts = urlsplit(url)

        assert parts.scheme == "https"
        assert parts.netloc.lower() in {"ivr.example.com", "ivr.example.com:443", "ivr.example.com:"}
        assert url.isascii()
        assert "\\" not in unquote(parts.path)
        assert below_base(parts.path)

    @given(st.lists(st.sampled_from(["a", ".", "..", "%2e", "%2E%2e", "cards", ""]), max_size=8))
    def test_below_the_base_means_below_it_however_it_is_spelt(self, segments):
        """A path is allowed exactly if a walk along its segments ends below the allowed folder."""
        path = "/" + "/".join(segments)

        assert is_allowed("https://ivr.example.com" + path, (BASE,)) <= below_base(path)


def below_base(path: str) -> bool:
    """Walk *path* segment by segment, as a server would, and say whether the walk ends below /cards/."""
    walked: list[str] = []
    for segment in path.split("/")[1:]:
        if unquote(segment) == "..":
            walked = walked[:-1]
        elif unquote(segment) != ".":
            walked.append(segment)
    return walked[:1] == ["cards"]
