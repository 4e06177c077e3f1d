"""The query that came, and the one that was signed."""

from urllib.parse import quote

import pytest

from tests.unit.developer_tools.signed import MARKER, changed, found, twilio_form, twilio_json

QUERY = f"next=https://ivr.example.com/a b&said={MARKER}+x%2Fy&tag=1"


def test_it_is_missing():
    """A query that is only in queryStringParameters is found there."""
    given = changed(twilio_json(query=f"said={MARKER}"), rawQueryString="")
    digest = twilio_json(query=f"said={MARKER}")["rawQueryString"].partition("bodySHA256=")[2]
    parameters = {"said": MARKER, "bodySHA256": digest}

    assert found({**given, "queryStringParameters": parameters}).names == ("query-missing",)


@pytest.mark.parametrize("query", ["a=1,2", "a=1&a=2", "a=x%20y", "a=x+y", "a=/x", "a=%2Fx"])
def test_it_is_missing_and_has_to_be_written_anew(query):
    """Several values of a name and signs that may be encoded or not are written in each way."""
    values = {"a": {"a=1,2": "1,2", "a=1&a=2": "1,2"}.get(query) or ("x y" if "y" in query else "/x"), "b": 1}
    given = changed(twilio_form(query=query), rawQueryString="", queryStringParameters=values)

    assert found(given).names == ("query-missing",)


@pytest.mark.parametrize(
    ("signed", "came"),
    [
        (f"a={MARKER}%20y", f"a={MARKER}+y"),
        (f"a={MARKER}+y", f"a={MARKER}%20y"),
        (f"a={MARKER}%2fy", f"a={MARKER}%2Fy"),
        (f"a={MARKER}%2Fy", f"a={MARKER}%2fy"),
        (f"a={MARKER}%2Fy%3A", f"a={MARKER}/y:"),
        (f"a={MARKER}/y:,@", f"a={quote(MARKER + '/y:,@', safe='')}"),
        (f"a={MARKER}*%7E", f"a={MARKER}%2A~"),
    ],
)
def test_it_is_encoded_anew(signed, came):
    """A query that was decoded and encoded again is told, whichever way it was written."""
    given = changed(twilio_form(query=signed), rawQueryString=came)

    assert found(given).names == ("query-reencoded",)


def test_it_is_sorted():
    """A query whose fields were sorted is told, if it was sorted or reversed before."""
    given = changed(twilio_form(query=f"a=1&b={MARKER}&c=3"), rawQueryString=f"c=3&a=1&b={MARKER}")
    assert found(given).names == ("query-reordered",)

    given = changed(twilio_form(query=f"c=1&b={MARKER}&a=3"), rawQueryString=f"a=3&b={MARKER}&c=1")
    assert found(given).names == ("query-reordered",)


def test_it_was_added():
    """A query that a proxy has added is told."""
    assert found(changed(twilio_form(), rawQueryString=f"added={MARKER}")).names == ("query-added",)


@pytest.mark.parametrize("came", ["", f"said={MARKER}", f"said={MARKER}&bodySHA256=00"])
def test_the_digest_is_lost(came):
    """bodySHA256 that was dropped from the query, alone or with the rest, is made of the body."""
    signed = twilio_json(query=f"said={MARKER}" if came else "")

    assert found(changed(signed, rawQueryString=came)).names == ("bodySHA256-lost",)


def test_a_query_that_nobody_wrote():
    """A query with what is no UTF-8, or with too many fields, is left alone."""
    for query in ("a=%ff", "&".join(["a=1"] * 2000)):
        assert found(changed(twilio_form(token="another-token"), rawQueryString=query)).names == ("wrong-key",)
