"""The company's own IVR web server."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from local.accounts import twilio
from tests.simulators.conftest import Client, basic

pytestmark = pytest.mark.integration

XML = "application/xml; charset=utf-8"


@pytest.fixture(name="ivr")
def _ivr(addresses):
    return Client(addresses["ivr"])


class TestDocuments:
    """What it serves."""

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_serves_a_document_as_it_was_put_there(self, control, ivr, method):
        """To GET and to POST, with its content type, whatever the query and the body say."""
        document = {"path": "/served", "content_type": XML, "body": "<Response>£</Response>"}
        assert control.put("/ivr/documents", document).status == 204
        answer = ivr.send(method, "/served?Digits=1", form={"Digits": "1"} if method == "POST" else None)

        assert (answer.status, answer.headers["Content-Type"], answer.body.decode()) == (200, XML, document["body"])

    def test_a_second_document_replaces_the_first(self, control, ivr):
        """The last that was put under a path is served."""
        for body in ("one", "two"):
            control.put("/ivr/documents", {"path": "/replaced", "content_type": "text/plain", "body": body})

        assert ivr.get("/replaced").body == b"two"

    def test_has_nothing_where_nothing_was_put(self, control, ivr):
        """Another path is not found, another method not allowed."""
        control.put("/ivr/documents", {"path": "/there", "content_type": XML, "body": ""})

        assert (ivr.get("/elsewhere").status, ivr.put("/there").status) == (404, 405)

    def test_lets_in_only_who_has_the_password(self, control, ivr):
        """A document with a user and a password is served to nobody else."""
        secret = {"username": "ivr", "password": "pässword"}
        control.put("/ivr/documents", {"path": "/private", "content_type": XML, "body": "in", "basic": secret})
        tries = [{}, {"Authorization": basic("ivr", "wrong")}, {"Authorization": basic("ivr", "pässword")}]
        answers = [ivr.get("/private", headers=headers) for headers in tries]

        assert [answer.status for answer in answers] == [401, 401, 200]
        assert answers[0].headers["WWW-Authenticate"].startswith("Basic ")
        assert b"in" not in answers[1].body

    @pytest.mark.parametrize(
        ("wrong", "named"),
        [
            ({"path": "card"}, "path"),
            ({"path": "/card?a=b"}, "path"),
            ({"path": None}, "path"),
            ({"content_type": "text/xml\r\nX: y"}, "content_type"),
            ({"body": {}}, "body"),
            ({"basic": "a:b"}, "basic"),
            ({"basic": {"username": "a"}}, "password"),
            ({"basic": {"username": "a", "password": "b", "realm": "c"}}, "realm"),
            ({"status": 500}, "status"),
        ],
    )
    def test_refuses_a_document_that_cannot_be(self, control, wrong, named):
        """The wrong field is named."""
        document = {"path": "/wrong", "content_type": XML, "body": "x"} | wrong
        answer = control.put("/ivr/documents", document)

        assert answer.status == 400
        assert named in answer.json["error"]


class TestRequests:
    """What it remembers."""

    def test_remembers_who_came_for_what(self, control, ivr):
        """Method, path and status, in order; neither a query nor a body, where digits may be."""
        before = len(control.get("/ivr/requests").json["requests"])
        ivr.get("/nothing?Digits=4111111111111111")
        ivr.post("/nothing/more", {"digits": "4111111111111111"})
        told = control.get("/ivr/requests")

        assert told.json["requests"][before:] == [
            {"method": "GET", "path": "/nothing", "status": 404},
            {"method": "POST", "path": "/nothing/more", "status": 404},
        ]
        assert b"4111" not in told.body


def test_has_a_port_of_its_own(addresses):
    """It is told of beside the vendors, and is none of them."""
    origins = [addresses["control"], addresses["ivr"], *addresses["vendors"].values()]

    assert len(set(origins)) == len(origins)
    assert urlsplit(addresses["ivr"]).hostname == "127.0.0.1"


def test_demo_accounts_may_send_calls_there():
    """Of the stack's IVR server every path is allowed, and without one nothing is but the example's."""
    account = twilio()
    without = account.secret("http://127.0.0.1:1")["settings"]["allowed_redirects"]

    assert account.secret("http://127.0.0.1:1", ivr="http://127.0.0.1:2")["settings"]["allowed_redirects"] == [
        *without,
        "http://127.0.0.1:2/",
    ]
