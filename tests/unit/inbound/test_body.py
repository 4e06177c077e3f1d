"""Bodies: which are read, and the card itself, which never is."""

import json
from urllib.parse import urlencode

import pytest

from call_recording.errors import BodyTooLargeError, CardDataError, UnreadableBodyError, UnsupportedMediaTypeError
from call_recording.inbound.body import Twice, has_card, parse_body
from call_recording.inbound.request import MAX_BODY_BYTES, MAX_FIELDS, InboundRequest
from tests.unit.fakes import CARD, flow_event

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def brought(content_type: str | None, body: bytes) -> InboundRequest:
    """Bring a body as API Gateway does."""
    return InboundRequest.of(flow_event(body, content_type=content_type), now=0.0)


def read(content_type: str | None, body: bytes) -> dict:
    """Read a body as a request brings it."""
    return parse_body(brought(content_type, body))


class TestMediaTypes:
    """Which bodies are read."""

    @pytest.mark.parametrize(
        "content_type",
        [
            JSON,
            "Application/JSON",
            "application/json;charset=utf-8",
            'application/json; charset="UTF-8"',
            "application/json ; charset=us-ascii; x=y",
        ],
    )
    def test_json_is_read(self, content_type):
        """A body that is said to be JSON is read as JSON, in UTF-8."""
        assert read(content_type, '{"call_id": "ü"}'.encode()) == {"call_id": "ü"}

    @pytest.mark.parametrize("content_type", [FORM, FORM + "; charset=UTF-8", FORM.upper()])
    def test_a_form_is_read(self, content_type):
        """A body that is said to be a form is read as a form, empty fields included."""
        assert read(content_type, b"CallSid=a%20b+c&Digits=&u=%C3%BC") == {
            "CallSid": "a b c",
            "Digits": "",
            "u": "ü",
        }
        assert read(content_type, b"") == {}

    @pytest.mark.parametrize(
        "content_type",
        [
            "",
            ";",
            "text/plain",
            "text/json",
            "application/xml",
            "application/jsonx",
            "application/json, text/plain",
            "multipart/form-data; boundary=x",
            "application/json; charset=utf-16",
            "application/x-www-form-urlencoded; charset=ISO-8859-1",
        ],
    )
    def test_any_other_content_type_is_refused(self, content_type):
        """A body of another type, of none, or in another charset is refused."""
        with pytest.raises(UnsupportedMediaTypeError) as caught:
            read(content_type, b"{}")

        assert caught.value.field == "content-type"

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"not json",
            b"\xff{}",
            b'{"call_id": "\xff"}',
            '{"call_id": "x"}'.encode("utf-16"),
            b"[" * 30_000,
            b'{"a":' * 10_000,
            b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
            b'{"max_pause_seconds": 1' + b"0" * 5_000 + b"}",
        ],
    )
    def test_json_that_cannot_be_read_is_refused(self, body):
        """Malformed JSON, invalid UTF-8 or endless nesting is refused and not quoted."""
        with pytest.raises(UnreadableBodyError) as caught:
            read(JSON, body)

        assert (caught.value.field, str(caught.value)) == ("body", "body is not JSON")

    @pytest.mark.parametrize("body", [b"[]", b'[{"call_id": "x"}]', b'"x"', b"5", b"null", b"true", b"NaN"])
    def test_json_must_be_an_object(self, body):
        """JSON that is no object is refused."""
        with pytest.raises(UnreadableBodyError) as caught:
            read(JSON, body)

        assert str(caught.value) == "body must be a JSON object"

    @pytest.mark.parametrize(
        "body",
        [
            b"CallSid",
            b"CallSid=a&b",
            b'{"CallSid": "a"}',
            b"CallSid=\xff",
            b"CallSid=%ff",
            urlencode([(f"f{number}", "") for number in range(MAX_FIELDS + 1)]).encode(),
        ],
    )
    def test_a_form_that_cannot_be_read_is_refused(self, body):
        """A malformed form, invalid UTF-8 or far too many fields are refused and not quoted."""
        with pytest.raises(UnreadableBodyError) as caught:
            read(FORM, body)

        assert (caught.value.field, str(caught.value)) == ("body", "body is not a form")

    def test_no_content_type_is_none(self):
        """A body that says nothing of its type is refused."""
        with pytest.raises(UnsupportedMediaTypeError):
            read(None, b"{}")

    @pytest.mark.parametrize("content_type", [JSON, FORM])
    def test_a_body_that_is_too_large_is_refused(self, content_type):
        """A body of more than 64 KiB is not read, whatever it is."""
        with pytest.raises(BodyTooLargeError):
            read(content_type, b"a" * (MAX_BODY_BYTES + 1))


class TestTwice:
    """A field that is given twice."""

    @pytest.mark.parametrize(("content_type", "body"), [(FORM, b"a=1&b=2&a=3"), (JSON, b'{"a": 1, "b": "2", "a": 3}')])
    def test_two_values_are_none(self, content_type, body):
        """Nobody can know which of two different values is meant: neither is taken, in a form as in JSON."""
        given = read(content_type, body)

        assert isinstance(given["a"], Twice)
        assert given["b"] == "2"

    @pytest.mark.parametrize(
        ("content_type", "body"), [(FORM, b"a=1&a=2&a=1"), (JSON, b'{"a": "1", "a": "2", "a": "1"}')]
    )
    def test_a_third_does_not_mend_it(self, content_type, body):
        """Nor does it help if one of the two comes again."""
        assert isinstance(read(content_type, body)["a"], Twice)

    @pytest.mark.parametrize(("content_type", "body"), [(FORM, b"a=1&a=1"), (JSON, b'{"a": "1", "a": "1"}')])
    def test_the_same_value_is_one(self, content_type, body):
        """A field that says the same twice says it."""
        assert read(content_type, body) == {"a": "1"}


#: What a payment connector sends, however its fields are called and written.
CARDS = [
    {"cardnumber": CARD, "cvv": "123"},
    {"CardNumber": CARD, "CVV": "123"},
    {"card_number": "4111 1111 1111 1111", "security-code": "1234"},
    {"creditCardNumber": "4111-1111-1111-1111", "csc": " 123 "},
    {"PaymentCardNumber": CARD, "SecurityCode": "123", "ExpirationDate": "1299"},
    {"pan": CARD, "cvc": "123"},
    {"number": CARD, "cvc2": "123"},
    {"number": CARD[:12], "cvv2": "123"},
    {"number": CARD + "111", "card_code": "123"},
    {"number": CARD, "payment_card_code": "123"},
    {"card[number]": CARD, "card[cvc]": "123"},
    {"payment.card.number": CARD, "payment.card.cvc": "123"},
    {"payment[card_number]": CARD, "cvv": "123"},
    {"card_number": CARD, "cardNumber": "", "cvv": "", "CVV": "123"},
]


class TestScenario35:
    """Card data was sent here: a payment connector is pointed at Offtape."""

    @pytest.mark.parametrize("given", CARDS, ids=" ".join)
    @pytest.mark.parametrize("content_type", [JSON, FORM])
    def test_scenario_35_a_card_is_refused(self, content_type, given):
        """A body with a card's number and its code is refused, and nothing of it is repeated."""
        given = {"call_id": "c"} | given
        body = json.dumps(given) if content_type == JSON else urlencode(given)
        with pytest.raises(CardDataError) as caught:
            read(content_type, body.encode())

        assert caught.value.field == "body"
        assert str(caught.value) == "body has a card's number and its code: never point a payment connector at Offtape"
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            (FORM, f"cardnumber={CARD}&cardnumber=4222222222222222&cvv=123&cvv=124"),
            (JSON, f'{{"cardnumber": "{CARD}", "cardnumber": "4222222222222222", "cvv": "123"}}'),
        ],
    )
    def test_scenario_35_a_card_that_is_given_twice(self, content_type, body):
        """A card is one also where its number is given twice with different values."""
        with pytest.raises(CardDataError):
            read(content_type, body.encode())

    @pytest.mark.parametrize(
        "given", [{"card": {"number": CARD}, "cvv": "123"}, {"a": [{"pan": CARD}], "b": {"c": {"cvc": 123}}}], ids=str
    )
    def test_scenario_35_a_card_that_is_spread(self, given):
        """A card is one also where its number and its code lie in different objects."""
        with pytest.raises(CardDataError):
            read(JSON, json.dumps(given).encode())

    def test_scenario_35_a_card_in_a_list(self):
        """A body that is no object may have a card in it all the same, and that comes first."""
        with pytest.raises(CardDataError):
            read(JSON, json.dumps([CARDS[0]]).encode())

    def test_scenario_35_numbers_are_digits_too(self):
        """A card whose number and code are JSON numbers is one."""
        with pytest.raises(CardDataError):
            read(JSON, f'{{"number": {CARD}, "cvc": 123}}'.encode())

    @pytest.mark.parametrize("body", ['{{"payment": {}}}', '{{"cards": [{}]}}', '{{"a": {{"b": [[{}]]}}}}'])
    def test_scenario_35_a_card_further_in(self, body):
        """A card is found however deep it lies."""
        with pytest.raises(CardDataError):
            read(JSON, body.format(json.dumps(CARDS[0])).encode())

    @pytest.mark.parametrize(
        "given",
        [
            {"cardnumber": CARD},
            {"cvv": "123"},
            {"cardnumber": "xxxxxxxxxxxx1111", "cvv": "123"},
            {"cardnumber": CARD, "cvv": "xxx"},
            {"cardnumber": CARD, "cvv": ""},
            {"cardnumber": "", "cvv": "123"},
            {"cardnumber": "4" * 11, "cvv": "123"},
            {"cardnumber": "4" * 20, "cvv": "123"},
            {"cardnumber": CARD, "cvv": "12"},
            {"cardnumber": CARD, "cvv": "12345"},
            {"cardnumber": CARD + "x", "cvv": "123"},
            {"cardnumber": None, "cvv": "123"},
            {"Digits": CARD, "digits": "123"},
            {"To": "+441111111111", "code": "123"},
            {"number.of": CARD, "cvv": "123"},
            {"cardnumberx": CARD, "cvv": "123"},
        ],
        ids=str,
    )
    def test_masked_or_half_of_it_is_none(self, given):
        """What a payment's own callback sends (a masked number), or a number alone, is read, and dropped later on."""
        assert read(JSON, json.dumps({"call_id": "c"} | given).encode())["call_id"] == "c"

    def test_true_is_no_digit(self):
        """What is neither text nor a number is no card."""
        given = {"number": True, "cvc": [123], "pan": {"a": CARD}}

        assert read(JSON, json.dumps(given).encode()) == given


#: Content types that no body is read with.
OTHER_TYPES = (
    None,
    "",
    "text/plain",
    "text/json; charset=utf-8",
    JSON + "; charset=iso-8859-1",
    FORM + ";charset=utf-16",
)


class TestRefusedCards:
    """Whether there was a card in what is refused."""

    @pytest.mark.parametrize("content_type", OTHER_TYPES)
    @pytest.mark.parametrize("write", [json.dumps, urlencode])
    def test_scenario_35_a_card_of_another_content_type(self, content_type, write):
        """A body that is refused for its content type has a card all the same if it is JSON or a form with one."""
        body = write({"call_id": "c"} | CARDS[0]).encode()

        assert has_card(brought(content_type, body))
        with pytest.raises(UnsupportedMediaTypeError) as caught:
            read(content_type, body)
        assert CARD not in repr(caught.value)

    @pytest.mark.parametrize("charset", ["utf-16", "utf-16-be", "utf-32", "iso-8859-1", "utf-8-sig"])
    def test_scenario_35_a_card_in_another_charset(self, charset):
        """A card is found in the charsets that write digits as ASCII does, zeros aside."""
        for body in (
            json.dumps(CARDS[0] | {"name": "M\u00fcller"}, ensure_ascii=False),
            f"name=M\u00fc&{urlencode(CARDS[0])}",
        ):
            assert has_card(brought(f"{JSON}; charset=x-{charset}", body.encode(charset)))

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            (JSON, json.dumps(CARDS[0]).encode()),
            (FORM, urlencode(CARDS[0]).encode()),
            (JSON, b'[{"pan": %s, "cvc": 123}]' % CARD.encode()),
        ],
    )
    def test_scenario_35_a_card_of_a_content_type_that_is_read(self, content_type, body):
        """Of what is refused for another reason, because it proves nothing say, the same holds."""
        assert has_card(brought(content_type, body))

    @pytest.mark.parametrize("content_type", [*OTHER_TYPES, JSON, FORM])
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"\xff\xfe",
            b"[" * 30_000,
            b"&" * (MAX_FIELDS + 1),
            json.dumps({"cardnumber": CARD}).encode(),
            b"cardnumber=xxxxxxxxxxxx1111&cvv=123",
            f"my card is {CARD}, its code 123".encode(),
            json.dumps(CARDS[0] | {"more": "x" * MAX_BODY_BYTES}).encode(),
        ],
        ids=lambda body: body[:20],
    )
    def test_anything_else_is_none(self, content_type, body):
        """Half of a card, what nobody can read, and what is too large are no card."""
        assert not has_card(brought(content_type, body))

    @pytest.mark.parametrize(("content_type", "other"), [(JSON, urlencode), (FORM, json.dumps)])
    def test_what_says_its_type_is_read_as_that_alone(self, content_type, other):
        """A body of a content type that is read is read once, as what it says."""
        assert not has_card(brought(content_type, other(CARDS[0]).encode()))
