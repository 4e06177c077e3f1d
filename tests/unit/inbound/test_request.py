"""API Gateway's event, and the bytes that were sent."""

import pytest

from call_recording.errors import BodyTooLargeError, UnreadableBodyError
from call_recording.inbound.request import MAX_AGE_SECONDS, MAX_BODY_BYTES, MAX_FIELDS, InboundRequest, form_pairs
from tests.unit.fakes import CARD, DOMAIN, TOKEN, flow_event, webhook_event

NOW = 1_790_000_001.0


def read(*, public_urls=(), **changed) -> InboundRequest:
    """Read an event in which some fields are other than usual."""
    return InboundRequest.of(flow_event(**changed), now=NOW, public_urls=public_urls)


class TestEvent:
    """What is taken from the event."""

    def test_the_route_comes_by_its_key(self):
        """The route is known by its key and parameters, whatever the stage makes of the path."""
        request = read(rawPath="/v1/flows/other/other/stop", rawQueryString="a=b")

        assert request.route_key == "POST /flows/{account}/{step}/entered"
        assert request.parameters == {"account": "demo-twilio", "step": "card-entry"}
        assert request.query == "a=b"

    def test_an_event_with_next_to_nothing_is_read(self):
        """What an event lacks is empty, and no error."""
        request = InboundRequest.of({}, now=NOW)

        assert (request.route_key, request.parameters, request.headers, request.query) == ("", {}, {}, "")
        assert request.body() == b""
        assert request.received_at == NOW

    def test_nulls_are_read_as_absent(self):
        """Fields that are null count as absent."""
        nulls = dict.fromkeys(("headers", "pathParameters", "body", "rawQueryString", "isBase64Encoded"))
        request = InboundRequest.of(flow_event() | nulls, now=NOW)

        assert (request.parameters, request.headers, request.query, request.body()) == ({}, {}, "", b"")

    def test_headers_are_found_in_any_case(self):
        """A header is found by its name in lower case, however an event spells it."""
        assert read(headers={"Content-Type": "text/plain"}).headers == {"content-type": "text/plain"}

    @pytest.mark.parametrize(
        ("epoch", "received_at"),
        [
            (1_790_000_000_500, 1_790_000_000.5),
            ((NOW - MAX_AGE_SECONDS) * 1000, NOW - MAX_AGE_SECONDS),
            ((NOW - MAX_AGE_SECONDS) * 1000 - 1, NOW),
            (NOW * 1000 + 1, NOW),
            (0, NOW),
            (float("nan"), NOW),
            (None, NOW),
            ("1790000000500", NOW),
        ],
    )
    def test_the_budget_counts_from_api_gateway_s_time(self, epoch, received_at):
        """The time of receipt is API Gateway's, but for events that are replayed or come from the future."""
        assert read(requestContext={"timeEpoch": epoch}).received_at == received_at

    def test_it_shows_neither_headers_nor_query_nor_body(self):
        """A request that is printed shows no key and nothing of what a caller may have typed."""
        shown = repr(read(body={"Digits": CARD}, rawQueryString=f"Digits={CARD}"))

        assert TOKEN not in shown
        assert CARD not in shown


class TestBody:
    """The bytes that were sent."""

    def test_text_and_base64_are_the_same_bytes(self):
        """Whether API Gateway encodes a body makes no difference."""
        assert read(body="a=ü").body() == read(body="a=ü", encode=True).body() == "a=ü".encode()

    @pytest.mark.parametrize("encode", [False, True])
    def test_sixty_four_kib_are_read(self, encode):
        """A body of exactly 64 KiB is not too large."""
        assert read(body="a" * MAX_BODY_BYTES, encode=encode).body() == b"a" * MAX_BODY_BYTES

    @pytest.mark.parametrize("encode", [False, True])
    @pytest.mark.parametrize("body", ["a" * (MAX_BODY_BYTES + 1), "ü" * (MAX_BODY_BYTES // 2 + 1), "a" * 1_000_000])
    def test_one_byte_more_is_refused(self, body, encode):
        """A body larger than 64 KiB, counted in bytes, is refused."""
        with pytest.raises(BodyTooLargeError) as caught:
            read(body=body, encode=encode).body()

        assert caught.value.field == "body"

    def test_what_is_too_long_stays_undecoded(self):
        """A body that must be too large is refused by its length, valid or not."""
        with pytest.raises(BodyTooLargeError):
            read(body="!" * 100_000, isBase64Encoded=True).body()

    @pytest.mark.parametrize("body", ["a", "ab!d", "YWJj\n", "ü", "\ud800"])
    def test_base64_that_does_not_decode_is_refused(self, body):
        """A body that is said to be base64, and is not, is refused and not quoted."""
        with pytest.raises(UnreadableBodyError) as caught:
            InboundRequest.of(flow_event() | {"body": body, "isBase64Encoded": True}, now=NOW).body()

        assert str(caught.value) == "body is not what its encoding says"

    def test_text_that_cannot_be_bytes_is_refused(self):
        """Half of a surrogate pair, which JSON can hold, is no body."""
        with pytest.raises(UnreadableBodyError):
            InboundRequest.of(flow_event() | {"body": "\ud800"}, now=NOW).body()


class TestUrls:
    """Under which URLs somebody may have asked us: one of them is what was signed."""

    def test_it_is_the_domain_s_by_api_gateway_s_word(self):
        """Without a proxy it is the API's own domain, with path and query as they came."""
        asked = read(rawQueryString="a=b%20c&a")

        assert asked.urls == (f"https://{DOMAIN}/flows/demo-twilio/card-entry/entered?a=b%20c&a",)

    @pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"x-forwarded-host": "evil.example"}, {}])
    def test_scenario_20_never_the_sender_s_word(self, headers):
        """What the Host header says is the sender's word, and no part of any URL."""
        asked = read(headers=headers, public_urls=("https://calls.example.com",))

        assert not [url for url in asked.urls if "evil" in url]
        assert asked.urls == read(public_urls=("https://calls.example.com",)).urls

    def test_scenario_21_a_public_url_stands_before_the_route(self):
        """Behind a proxy the URL is the public one and the route, whatever stage or mapping stands in our own path."""
        urls = "https://calls.example.com/voice", "http://127.0.0.1:3000"
        asked = read(public_urls=urls, rawPath="/prod/flows/demo-twilio/card-entry/entered", rawQueryString="a=1")

        assert asked.urls == (
            f"https://{DOMAIN}/prod/flows/demo-twilio/card-entry/entered?a=1",
            "https://calls.example.com/voice/flows/demo-twilio/card-entry/entered?a=1",
            "http://127.0.0.1:3000/flows/demo-twilio/card-entry/entered?a=1",
        )

    def test_scenario_21_the_route_of_a_webhook_is_shorter(self):
        """A webhook's route has two parts, and a stage may stand before it as well."""
        event = webhook_event(rawPath="/prod/webhooks/demo-twilio")
        asked = InboundRequest.of(event, now=NOW, public_urls=("https://calls.example.com",))

        assert asked.urls[1] == "https://calls.example.com/webhooks/demo-twilio"

    @pytest.mark.parametrize(
        "domain", [None, 5, "", "a b", "evil.example/x", "evil.example@api.example", "x:1234567", "ü.example", "a\n"]
    )
    def test_a_domain_that_is_none_makes_no_url(self, domain):
        """Where API Gateway names no domain there is only what the company says."""
        context = {"domainName": domain}

        assert read(requestContext=context).urls == ()
        assert len(read(requestContext=context, public_urls=("https://calls.example.com",)).urls) == 1

    def test_a_domain_may_have_a_port(self):
        """On one's own machine the API has a port."""
        asked = read(requestContext={"domainName": "localhost:3000"}, rawPath="/x")

        assert asked.urls == ("https://localhost:3000/x",)

    @pytest.mark.parametrize(
        "changed", [{"rawPath": "/flows/ü"}, {"rawQueryString": "a=ü"}, {"rawPath": "x"}, {"rawPath": "@evil.example/"}]
    )
    def test_a_url_that_could_not_be_sent_is_nobody_s(self, changed):
        """No platform signs a URL that is not ASCII, or whose path does not begin where the host ends."""
        assert read(**changed, public_urls=("https://calls.example.com",)).urls == ()

    def test_an_event_without_a_route_keeps_its_path(self):
        """Where an event names no route the whole path is the route's."""
        asked = InboundRequest.of({"rawPath": "/a/b"}, now=NOW, public_urls=("https://calls.example.com",))

        assert asked.urls == ("https://calls.example.com/a/b",)
        assert InboundRequest.of({}, now=NOW, public_urls=("https://x.example",)).urls == ("https://x.example/",)

    def test_urls_are_not_shown(self):
        """A URL names the account, and its query may carry anything: it is not printed."""
        assert CARD not in repr(read(rawQueryString=f"Digits={CARD}", public_urls=("https://calls.example.com",)))


class TestContent:
    """What a signature and a body are made of."""

    @pytest.mark.parametrize(
        ("content_type", "expected"),
        [
            ("application/json", "application/json"),
            (" Application/JSON ; charset=utf-8", "application/json"),
            (";", ""),
            (None, ""),
        ],
    )
    def test_the_media_type_is_the_bare_one(self, content_type, expected):
        """The content type counts without its parameters, in lower case."""
        assert read(content_type=content_type).media_type == expected

    def test_every_value_of_a_query_is_read(self):
        """A parameter that comes several times has several values, empty ones too."""
        asked = read(rawQueryString="a=1&b=x&a=&a=2%2C3&A=4")

        assert (asked.query_values("a"), asked.query_values("c")) == (["1", "", "2,3"], [])

    @pytest.mark.parametrize("query", ["a=%ff", "&".join("a=1" for _ in range(MAX_FIELDS + 1))])
    def test_a_query_that_cannot_be_read_has_no_values(self, query):
        """A query of invalid UTF-8, or with far too many fields, has none."""
        assert read(rawQueryString=query).query_values("a") == []

    def test_a_form_keeps_its_order(self):
        """Fields of a form come as they were sent: names again and again, empty ones too."""
        assert form_pairs(b"b=1&a=%C3%BC&b=&a=+") == [("b", "1"), ("a", "ü"), ("b", ""), ("a", " ")]
        assert form_pairs(b"") == []

    @pytest.mark.parametrize(
        "body", [b"a", b"a=1&b", b"a=\xff", b"a=%ff", b"&".join(b"a=1" for _ in range(MAX_FIELDS + 1))]
    )
    def test_what_is_no_form_is_refused(self, body):
        """A malformed form is none, and neither is one with far too many fields."""
        with pytest.raises(ValueError, match=r"."):
            form_pairs(body)

    def test_scenario_22_a_body_is_the_bytes_that_were_sent(self):
        """Whether API Gateway hands a body on as text or as base64, what is verified are the same bytes."""
        text, encoded = read(body='{"a": "ü"}'), read(body='{"a": "ü"}', encode=True)

        assert (text.raw_body == encoded.raw_body, text.body()) == (False, encoded.body())
