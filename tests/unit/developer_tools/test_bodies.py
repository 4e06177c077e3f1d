"""The body that came, and the one that was signed."""

import json
from base64 import b64decode, b64encode
from urllib.parse import quote, urlencode

import pytest
from twilio.request_validator import RequestValidator

from tests.unit.developer_tools.signed import (
    AUTH_TOKEN,
    FIELDS,
    FORM,
    JSON,
    MARKER,
    PATH,
    PUBLIC,
    SECRET,
    SIGNING_KEY,
    URL,
    bird,
    changed,
    document,
    event,
    found,
    hmac_base64,
    signalwire_json,
    standard,
    twilio_form,
    twilio_json,
    with_body,
)

MADE = [
    (twilio_form, document()),
    (twilio_json, document()),
    (signalwire_json, document("signalwire")),
    (bird, document("bird")),
    (standard, document("bird", webhook_secrets=[SECRET])),
]
TEXT = json.dumps(FIELDS)
COMPACT = json.dumps(FIELDS, separators=(",", ":"))


@pytest.mark.parametrize(("make", "secret"), MADE)
class TestBase64:
    def test_the_mark_is_lost(self, make, secret):
        """A body in base64 that is not marked so is told."""
        assert found({**make(), "isBase64Encoded": False}, secret).names == ("base64-unmarked",)

    def test_the_mark_is_lost_and_the_lines_are_wrapped(self, make, secret):
        """Base64 that was wrapped when it was copied is read."""
        given = make()
        given["body"] = given["body"][:40] + "\n" + given["body"][40:]

        assert found({**given, "isBase64Encoded": False}, secret).names == ("base64-unmarked",)

    def test_the_mark_is_wrong(self, make, secret):
        """A plain body that is marked as base64 is told."""
        given = make()
        plain = with_plain_body(given)
        assert found(plain, secret).admitted_by

        assert found({**plain, "isBase64Encoded": True}, secret).names == ("base64-marked",)

    def test_it_is_encoded_twice(self, make, secret):
        """A proxy that encodes what API Gateway encodes again is told."""
        given = make()

        assert found(with_body(given, given["body"]), secret).names == ("base64-twice",)


def with_plain_body(given):
    """*given* with its body as text."""
    return {**given, "body": b64decode(given["body"]).decode(), "isBase64Encoded": False}


@pytest.mark.parametrize(("make", "secret"), MADE[1:])
class TestJson:
    @pytest.mark.parametrize(
        "rewritten",
        [
            COMPACT,
            json.dumps(FIELDS, indent=2),
            json.dumps(FIELDS, ensure_ascii=False),
            json.dumps(dict(reversed(FIELDS.items()))),
        ],
    )
    def test_it_is_serialised_anew(self, make, secret, rewritten):
        """JSON that was parsed and written again is told from another body."""
        signed = dict(sorted(FIELDS.items()))
        given = with_body(make(body=json.dumps(signed)), rewritten)

        assert found(given, secret).names == ("json-reserialised",)

    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_it_ends_in_a_line_break(self, make, secret, end):
        """An editor's line break at the end is told."""
        assert found(with_body(make(), TEXT + end), secret).names == ("line-ends",)


def test_line_ends_inside():
    """Line breaks of another system are told."""
    given = signalwire_json(body='{"a": "b",\r\n"c": "' + MARKER + '"}')

    assert found(with_body(given, '{"a": "b",\n"c": "' + MARKER + '"}'), document("signalwire")).names == ("line-ends",)


class TestCharset:
    SAID = '{"a": "é", "b": "' + MARKER + '"}'

    @pytest.mark.parametrize("broken", [SAID.encode().decode("latin-1").encode(), SAID.encode("latin-1")])
    def test_it_was_read_in_another(self, broken):
        """UTF-8 read as Latin-1, and Latin-1 that came as it is, are told."""
        assert found(with_body(signalwire_json(body=self.SAID), broken), document("signalwire")).names == ("charset",)

    def test_it_was_read_as_that_of_windows(self):
        """What Windows reads where others find nothing is told."""
        said = '{"a": "\u2013", "b": "' + MARKER + '"}'
        given = with_body(signalwire_json(body=said), said.encode().decode("cp1252").encode())

        assert found(given, document("signalwire")).names == ("charset",)


SIGNED = document("bandwidth", webhook_secrets=[SECRET])


class TestForm:
    @pytest.mark.parametrize("rewritten", [urlencode(FIELDS, quote_via=quote), urlencode(FIELDS).replace("%C3", "%c3")])
    def test_it_is_encoded_anew(self, rewritten):
        """A form whose bytes were signed, in another encoding, is told."""
        assert found(with_body(standard(body=urlencode(FIELDS)), rewritten), SIGNED).names == ("form-reencoded",)

    @pytest.mark.parametrize("signed", [sorted(FIELDS.items()), sorted(FIELDS.items(), reverse=True)])
    def test_it_is_in_another_order(self, signed):
        """A form whose bytes were signed, in another order, is told."""
        came = list(reversed(signed)) if signed == sorted(signed, reverse=True) else [signed[1], signed[0], *signed[2:]]
        given = with_body(standard(body=urlencode(signed)), urlencode(came))

        assert found(given, SIGNED).names == ("form-reordered",)


class TestContentType:
    @pytest.mark.parametrize("content_type", [None, JSON, "text/plain"])
    def test_a_form_is_not_said_to_be_one(self, content_type):
        """A form without its content type is told, and the type that it has is not shown."""
        assert found(changed(twilio_form(), headers={"content-type": content_type})).names == ("content-type-form",)

    def test_json_is_said_to_be_a_form(self):
        """JSON with a form's content type is told."""
        given = changed(twilio_json(), headers={"content-type": FORM})

        assert found(given).names == ("content-type-json",)

    def test_a_form_became_json(self):
        """A form of which a proxy has made JSON is told; or a test tool signed JSON as a form."""
        given = with_body(changed(twilio_form(), headers={"content-type": JSON}), TEXT)

        assert found(given).names == ("signed-as-form",)

    def test_fields_that_are_no_text(self):
        """A number in that JSON is what a form would have of it."""
        signature = RequestValidator(AUTH_TOKEN).compute_signature(URL, {"a": "1", "b": MARKER})
        given = event(json.dumps({"a": 1, "b": MARKER}), JSON, x_twilio_signature=signature)

        assert found(given).names == ("signed-as-form",)


class TestDigest:
    def test_there_is_none(self):
        """A signature over the URL alone leaves the body open, and is told from a wrong key."""
        signature = RequestValidator(AUTH_TOKEN).compute_signature(URL, {})
        diagnosis = found(event(TEXT, JSON, x_twilio_signature=signature))

        assert diagnosis.names == ("bodySHA256-missing",)
        assert diagnosis.key == "credentials.auth_token"

    def test_there_is_none_at_signalwire(self):
        """The same holds of SignalWire's scheme for cXML."""
        given = event(TEXT, JSON, x_signalwire_signature=hmac_base64(SIGNING_KEY, URL.encode(), "sha1"))
        diagnosis = found(given, document("signalwire"))

        assert (diagnosis.names, diagnosis.key) == (("bodySHA256-missing",), "inbound.signing_keys[0]")

    @pytest.mark.parametrize("body", [b'{"another": "body"}', b"\xff\xfe", b"[1]", b"{}", b""])
    def test_it_is_that_of_another_body(self, body):
        """A digest that is signed, and is not the body's, shows that the body was changed."""
        assert found(with_body(twilio_json(), body)).names == ("bodySHA256-other-body",)

    def test_without_a_body(self):
        """A body that is not there hides no wrong key."""
        assert found(with_body(twilio_form(token="another-token-than-the-accounts"), "")).names == ("wrong-key",)


def test_host_and_body_may_both_be_wrong():
    """Two things that are wrong at once are both told."""
    given = changed(twilio_form(PUBLIC + PATH), headers={"host": "voice.example.com"}, isBase64Encoded=False)

    assert found(given).names == ("origin", "base64-unmarked")


@pytest.mark.parametrize("body", ["", "====", "no base64 at all", b64encode(b"x" * 70_000).decode(), "[" * 50_000])
@pytest.mark.parametrize("marked", [True, False])
def test_a_body_that_nobody_signed(body, marked):
    """A body that is none, too long or nonsense breaks nothing."""
    assert not found({**twilio_form(), "body": body, "isBase64Encoded": marked}).admitted_by
