"""API Gateway's event, and the bytes that were sent."""

import pytest

from call_recording.errors import BodyTooLargeError, UnreadableBodyError
from call_recording.inbound.request import MAX_AGE_SECONDS, MAX_BODY_BYTES, InboundRequest
from tests.unit.fakes import CARD, TOKEN, flow_event

NOW = 1_790_000_001.0


def read(**changed) -> InboundRequest:
    """Read an event in which some fields are other than usual."""
    return InboundRequest.of(flow_event(**changed), now=NOW)


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
