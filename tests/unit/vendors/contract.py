"""What every vendor promises: written once, inherited by the tests of each."""

import base64
import re
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from email.utils import formatdate
from typing import Any, ClassVar
from urllib.parse import quote

import httpx
import pytest

from call_recording import errors
from call_recording.model import Action, Call, Proof, Recording, RecordingStatus
from call_recording.vendors import _answers, _exchange, base
from call_recording.vendors.base import BaseVendor
from tests.unit.vendors.fakes import Clock, Wire, account_of, answer, connect, trigger_of

CARD = "4111111111111111"

UNREADABLE_BODIES: Mapping[str, bytes] = {
    "HTML": b"<html><body>paused</body></html>",
    "half of a document": b'{"status": "paused", "sid": "R',
    "a list": b'[{"status": "paused"}]',
    "a number": b"7",
    "a word": b'"paused"',
    "true": b"true",
    "null": b"null",
    "nested too deeply": b'{"status":' * 100_000,
    "no Unicode": b"\xff\xfe\x00",
    "another Unicode": '{"status": "paused"}'.encode("utf-16"),
    "in two minds": b'{"status": "in-progress", "status": "paused"}',
    "fields of others": b'{"state": "paused", "ok": true}',
}


def failures(kind: type[Exception]) -> Iterator[type[Exception]]:
    """Every kind of failure in httpx below *kind*."""
    for each in kind.__subclasses__():
        yield each
        yield from failures(each)


NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
MAY_BE_SENT = [each for each in failures(httpx.RequestError) if each not in NEVER_SENT]


class VendorContract:
    """Subclass as `TestXxx`, and say what the vendor is asked and how it answers."""

    vendor: ClassVar[str]
    #: each way to sign in; the first is used throughout
    ways_in: ClassVar[Sequence[Mapping[str, str]]]
    #: fields of the credentials that go into URLs, each with a value that must not
    ill_credentials: ClassVar[Sequence[tuple[str, str]]]
    #: what must never be shown
    secrets: ClassVar[Sequence[str]]
    origin: ClassVar[str]
    call: ClassVar[Call]
    #: the id by which updates address the recording; None if they address the call
    recording_id: ClassVar[str | None]
    #: an id that a trigger may name
    named_recording_id: ClassVar[str]
    #: what the documented answer to an update proves
    update_proof: ClassVar[Proof]
    #: which requests there are: actions, `read`, `recordings`, `call_state`
    operations: ClassVar[Sequence[str]]
    #: a documented refusal, and the code in it
    refusal: ClassVar[Mapping[str, object]]
    refusal_code: ClassVar[str]
    unreadable_bodies: ClassVar[Mapping[str, bytes]] = {**UNREADABLE_BODIES, "nothing": b"", "an empty object": b"{}"}

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a test once for each thing that the vendor's class lists."""
        cls = metafunc.cls
        for name in {"operation", "action"} & set(metafunc.fixturenames):
            values = [each for each in cls.operations if name == "operation" or each in Action.__members__.values()]
            metafunc.parametrize(name, values)
        if "unreadable" in metafunc.fixturenames:
            bodies = cls.unreadable_bodies
            metafunc.parametrize("unreadable", list(bodies.values()), ids=list(bodies))
        if "ill_credential" in metafunc.fixturenames:
            metafunc.parametrize("ill_credential", cls.ill_credentials, ids=[f for f, _ in cls.ill_credentials])

    def connect(self, wire: Wire, **settings: Any) -> BaseVendor:
        """Make the vendor, talking to *wire*."""
        return connect(account_of(self.vendor, self.ways_in[0], **settings), wire)

    def ask(self, vendor: BaseVendor, operation: str) -> Any:
        """Send the one request of *operation*."""
        if operation == "read":
            return vendor.read(self.call, self.named_recording_id, timeout=2.0)
        if operation == "recordings":
            return vendor.recordings(self.call, timeout=2.0)
        if operation == "call_state":
            return vendor.call_state(self.call, timeout=2.0)
        return vendor.update(self.call, self.recording_id, Action(operation), timeout=2.0)

    def documented(self, operation: str) -> httpx.Response:
        """Return the answer that the vendor documents."""
        raise NotImplementedError

    def refused(self, operation: str, response: httpx.Response | Exception) -> errors.VendorError:
        """Ask, and return the error that *response* is raised as."""
        with pytest.raises(errors.VendorError) as caught:
            self.ask(self.connect(Wire(response)), operation)
        return caught.value

    # What is asked, and what is believed.

    def test_a_documented_answer(self, action):
        """The documented answer to an update proves as much as the vendor can prove, and no more."""
        recording = self.ask(self.connect(Wire(self.documented(action))), action)

        assert recording.proof is self.update_proof
        assert recording.is_as_asked(Action(action)) is (self.update_proof is not Proof.NONE)
        assert recording.call_id == self.call.call_id
        assert recording.recording_id == self.recording_id

    def test_one_request(self, operation):
        """Each method sends exactly one request."""
        wire = Wire(self.documented(operation))
        self.ask(self.connect(wire), operation)

        assert len(wire.requests) == 1

    @pytest.mark.parametrize(
        "response",
        [
            answer(500),
            answer(503, retry_after="0"),
            answer(429, retry_after="0"),
            answer(401),
            answer(409),
            answer(307, location="https://elsewhere.example.com/"),
            answer(200, b"<html>"),
            httpx.ConnectError("refused"),
            httpx.ReadTimeout("late"),
            httpx.RemoteProtocolError("closed"),
        ],
        ids=lambda each: type(each).__name__ if isinstance(each, Exception) else str(each.status_code),
    )
    def test_one_request_whatever_comes(self, operation, response):
        """Whatever the answer, nothing is repeated and no redirect is followed: that is decided elsewhere."""
        wire = Wire(response)
        with pytest.raises(errors.VendorError):
            self.ask(self.connect(wire), operation)

        assert len(wire.requests) == 1

    def test_everybody_is_told_who_asks(self, operation):
        """Each request asks for JSON, says who sends it and carries no cookie."""
        wire = Wire(self.documented(operation))
        self.ask(self.connect(wire), operation)

        assert wire.request.headers["accept"] == "application/json"
        assert wire.request.headers["user-agent"] == "offtape"
        assert "cookie" not in wire.request.headers

    def test_the_exchange_ends_in_time(self, operation, monkeypatch):
        """Connecting, waiting for a connection, writing and reading all end when the given time is over."""
        clock = Clock()
        clock.tell(monkeypatch, _exchange, base)
        wire = Wire(self.documented(operation))
        self.ask(self.connect(wire), operation)
        timeouts = wire.request.extensions["timeout"]

        assert set(timeouts) == {"connect", "read", "write", "pool"}
        assert {timeout.ends_at for timeout in timeouts.values()} == {clock.now + 2.0}

    def test_another_origin(self, operation):
        """An account's `api_url` replaces the vendor's origin, and nothing of the path."""
        usual, moved = Wire(self.documented(operation)), Wire(self.documented(operation))
        self.ask(self.connect(usual), operation)
        self.ask(self.connect(moved, api_url="https://127.0.0.1:8443/"), operation)

        assert str(usual.request.url).startswith(self.origin + "/")
        assert str(moved.request.url) == str(usual.request.url).replace(self.origin, "https://127.0.0.1:8443")
        assert moved.request.headers["authorization"] == usual.request.headers["authorization"]

    def test_ids_are_quoted(self, action):
        """An id never becomes more than one segment of a path, whatever is in it."""
        strange = "../a/b?c=d&e#f%2f g"
        vendor = self.connect(Wire(answer()))
        plain = vendor.update_request(self.call, self.recording_id, Action(action)).url
        url = vendor.update_request(replace(self.call, call_id=strange), self.recording_id, Action(action)).url

        assert url.raw_path == plain.raw_path.replace(self.call.call_id.encode(), quote(strange, safe="").encode())

    # What may not be believed.

    def test_unreadable(self, operation, unreadable):
        """A 2xx whose body is not as documented leaves the outcome unknown."""
        error = self.refused(operation, answer(200, unreadable))

        assert type(error) is errors.OutcomeUnknownError
        assert error.http_status == 200

    def test_an_answer_in_an_unknown_coding(self, operation):
        """A body that cannot be unpacked leaves the outcome unknown."""
        broken = httpx.Response(
            200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"this is no gzip at all")
        )

        assert type(self.refused(operation, broken)) is errors.OutcomeUnknownError

    def test_an_answer_without_end(self, operation):
        """A body larger than any documented one leaves the outcome unknown."""
        error = self.refused(operation, answer(200, b" " * (_exchange.MAX_ANSWER_BYTES + 1)))

        assert type(error) is errors.OutcomeUnknownError

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b"null"], ids=repr)
    @pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 408, 500, 501, 502, 503, 504, 520, 599])
    def test_no_definite_answer(self, operation, status, body):
        """A redirect, a 408 and every 5xx leave the outcome unknown."""
        error = self.refused(operation, answer(status, body))

        assert type(error) is errors.OutcomeUnknownError
        assert error.http_status == status
        assert error.vendor_code is None

    @pytest.mark.parametrize("location", ["https://elsewhere.example.com/", "//", "https://[::1", "/\x7f"])
    def test_a_redirect(self, operation, location):
        """A redirect is no answer, wherever it points."""
        wire = Wire(answer(302, b"", location=location))
        with pytest.raises(errors.OutcomeUnknownError):
            self.ask(self.connect(wire), operation)

        assert len(wire.requests) == 1

    @pytest.mark.parametrize("location", ["mailto:x", "https://xn--/"])
    def test_a_redirect_to_nowhere(self, operation, location):
        """A redirect to what is no address is no answer either."""
        assert type(self.refused(operation, answer(302, b"", location=location))) is errors.OutcomeUnknownError

    # Refusals.

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"code"', b"\xff"], ids=repr)
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (400, errors.VendorResponseError),
            (401, errors.AuthenticationError),
            (403, errors.AuthenticationError),
            (404, errors.RecordingNotFoundError),
            (405, errors.VendorResponseError),
            (409, errors.ConflictError),
            (415, errors.VendorResponseError),
            (422, errors.VendorResponseError),
            (429, errors.RateLimitedError),
        ],
    )
    def test_a_refusal(self, operation, status, kind, body):
        """A 4xx is a definite no, of the kind that its status says, whatever its body."""
        error = self.refused(operation, answer(status, body))

        assert type(error) is kind
        assert (error.vendor, error.http_status, error.vendor_code) == (self.vendor, status, None)

    @pytest.mark.parametrize("status", [400, 422, 500, 503])
    def test_the_code_of_a_refusal(self, operation, status):
        """The vendor's own code is kept beside its HTTP status, and both are told; its message is not."""
        error = self.refused(operation, answer(status, {**self.refusal, "message": CARD, "description": CARD}))

        assert (error.http_status, error.vendor_code) == (status, self.refusal_code)
        assert f"HTTP {status}" in str(error)
        assert f"code {self.refusal_code}" in str(error)
        assert str(error).startswith(f"{self.vendor}: ")
        assert CARD not in str(error)

    @pytest.mark.parametrize(
        "code",
        [
            "",
            "4111111111111111",
            "E4111111111111111",
            4111111111111111,
            "two words",
            "<b>",
            "a\nb",
            "x" * 65,
            {"a": 1},
            ["a"],
            {},
            [],
            1.5e99,
            "ä",
        ],
        ids=repr,
    )
    def test_a_code_that_is_none(self, operation, code):
        """What is not fit to be logged as a code is dropped."""
        error = self.refused(operation, answer(400, dict.fromkeys(self.refusal, code)))

        assert type(error) is errors.VendorResponseError
        assert error.vendor_code is None

    def test_a_code_that_is_null(self, operation):
        """A refusal whose code is null has no code."""
        assert self.refused(operation, answer(400, dict.fromkeys(self.refusal))).vendor_code is None

    @pytest.mark.parametrize("status", [429, 503])
    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            ("0", 0.0),
            ("7", 7.0),
            ("999999999", 999_999_999.0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
            ("", None),
            ("soon", None),
            ("-1", None),
            ("1.5", None),
            ("1 2", None),
            ("7\t7", None),
            ("9999999999", None),
        ],
    )
    def test_retry_after(self, operation, status, header, seconds):
        """The seconds that the vendor asks us to wait are passed on, if it names any that make sense."""
        error = self.refused(operation, answer(status, b"", retry_after=header))

        assert error.retry_after == seconds

    @pytest.mark.parametrize("year", ["9" * 20, "9" * 30])
    def test_retry_after_an_impossible_date(self, operation, year):
        """A date that cannot be is no date."""
        error = self.refused(operation, answer(503, b"", retry_after=f"Fri, 31 Dec {year} 23:59:59 GMT"))

        assert error.retry_after is None

    def test_retry_after_a_date(self, operation, monkeypatch):
        """A date to wait for is passed on as seconds."""
        clock = Clock()
        clock.now = float(int(time.time()))
        clock.tell(monkeypatch, _answers)
        error = self.refused(operation, answer(429, b"", retry_after=formatdate(clock.now + 30, usegmt=True)))

        assert error.retry_after == 30.0

    def test_no_retry_after(self, operation):
        """A vendor that asks us to slow down need not say for how long."""
        assert self.refused(operation, answer(429)).retry_after is None

    # No answer at all.

    @pytest.mark.parametrize("failure", NEVER_SENT)
    def test_never_sent(self, operation, failure):
        """Only a request of which not one byte was sent is reported as safe to repeat."""
        error = self.refused(operation, failure("no luck"))

        assert type(error) is errors.VendorUnreachableError
        assert error.vendor == self.vendor

    @pytest.mark.parametrize("failure", MAY_BE_SENT)
    def test_may_be_sent(self, operation, failure):
        """After every other failure the vendor may have acted."""
        error = self.refused(operation, failure("no luck"))

        assert type(error) is errors.OutcomeUnknownError
        assert error.vendor == self.vendor

    # Secrets.

    @pytest.mark.parametrize(
        "response",
        [
            answer(200, b"<html>"),
            answer(302, b"", location="/"),
            answer(400),
            answer(401),
            answer(500),
            httpx.ConnectError("refused"),
            httpx.ReadTimeout("late"),
        ],
        ids=lambda each: type(each).__name__ if isinstance(each, Exception) else str(each.status_code),
    )
    def test_credentials_are_never_shown(self, operation, response, caplog):
        """No credential is in the text of an error, in what led to it, or in a log at any level."""
        caplog.set_level(0)
        wire = Wire(response)
        vendor = self.connect(wire)
        with pytest.raises(errors.VendorError) as caught:
            self.ask(vendor, operation)
        header = wire.request.headers["authorization"]
        shown = [caplog.text, str(caught.value), repr(caught.value), repr(vendor), repr(vendor.account)]
        shown.append("".join(traceback.format_exception(caught.value)))

        for secret in (header, header.split()[-1], *self.secrets):
            assert secret not in "\n".join(shown)

    def test_every_way_in_is_enough(self):
        """Each documented set of credentials signs in by itself."""
        for credentials in self.ways_in:
            vendor = connect(account_of(self.vendor, credentials), Wire(answer()))

            assert vendor.credentials == credentials

    def test_a_credential_is_missing(self):
        """An incomplete set of credentials is refused with the name of the field that is missing."""
        for credentials in self.ways_in:
            for left_out in credentials:
                given = {name: value for name, value in credentials.items() if name != left_out}
                with pytest.raises(errors.ConfigurationError) as caught:
                    connect(account_of(self.vendor, given), Wire(answer()))

                assert caught.value.field.removeprefix("credentials.") in {name for w in self.ways_in for name in w}
                assert caught.value.field.removeprefix("credentials.") not in given
                assert not [value for value in given.values() if value in str(caught.value)]

    def test_no_credentials(self):
        """An account without credentials is refused."""
        with pytest.raises(errors.ConfigurationError, match=r"^credentials\.\w+ is missing$"):
            connect(account_of(self.vendor, {}), Wire(answer()))

    def test_an_ill_credential(self, ill_credential):
        """A credential that goes into a URL must look like one; the refusal names the field and never the value."""
        field, value = ill_credential
        with pytest.raises(errors.ConfigurationError) as caught:
            connect(account_of(self.vendor, {**self.ways_in[0], field: value}), Wire(answer()))

        assert caught.value.field == f"credentials.{field}"
        assert not value or value not in str(caught.value)

    # Triggers.

    def test_a_trigger(self):
        """A trigger with the vendor's ids passes, with or without a recording."""
        wire = Wire(answer())
        vendor = self.connect(wire)
        vendor.check(trigger_of(self.call))
        vendor.check(trigger_of(self.call, self.named_recording_id))

        assert wire.requests == []

    @pytest.mark.parametrize("field", ["call_id", "recording_id"])
    @pytest.mark.parametrize(
        "change",
        [
            lambda _: "",
            lambda _: "..",
            lambda _: "../",
            lambda _: "*",
            lambda _: "Twilio.CURRENT",
            lambda _: "0" * 10_000,
            lambda good: good + "/..",
            lambda good: good + " ",
            lambda good: " " + good,
            lambda good: good + "\n",
            lambda good: good + "\x00",
            lambda good: "\x1b" + good,
            lambda good: good + "%20",
            lambda good: good + "?x=1",
            lambda good: good * 200,
            lambda good: good[:-1] + "٣",
            lambda good: good[:-1] + "G",
            lambda good: good[1:],
        ],
    )
    def test_an_ill_id(self, field, change):
        """An id that is not of the vendor's pattern is refused by the name of its field, and nothing is sent."""
        wire = Wire(answer())
        good = self.call.call_id if field == "call_id" else self.named_recording_id
        value = change(good)
        trigger = trigger_of(
            replace(self.call, call_id=value) if field == "call_id" else self.call,
            value if field == "recording_id" else None,
        )
        with pytest.raises(errors.InvalidTriggerError) as caught:
            self.connect(wire).check(trigger)

        assert caught.value.field == field
        assert not value or value not in str(caught.value)
        assert len(str(caught.value)) < 200
        assert wire.requests == []

    def test_an_action_that_the_vendor_has_not(self):
        """An action outside the vendor's own is refused before anything is sent."""
        wire = Wire(answer())
        vendor = self.connect(wire)
        vendor.actions = frozenset({Action.RESUME})
        with pytest.raises(errors.UnsupportedActionError, match=f"^{self.vendor} cannot pause a recording$"):
            vendor.check(trigger_of(self.call))

        assert wire.requests == []

    def test_a_token_is_forgotten(self):
        """Being told that the credentials were refused sends nothing."""
        wire = Wire(answer())
        self.connect(wire).renew()

        assert wire.requests == []


class ReadingVendorContract(VendorContract):
    """The contract of a vendor that shows where a recording is."""

    answers_are_final = True  #: whether a 200 that names the status is proof

    other_recording_id: ClassVar[str]
    other_call_id: ClassVar[str]
    #: the vendor's word after each action
    words: ClassVar[Mapping[Action, str]]
    #: the vendor's table of statuses, and ours
    statuses: ClassVar[Mapping[str, RecordingStatus]]
    #: the words that mean that it is as asked
    words_as_asked: ClassVar[Mapping[Action, Sequence[str]]]
    #: the vendor's table of call statuses, and whether the call is live
    call_statuses: ClassVar[Mapping[str, bool]]
    #: the status of an answer to an update
    update_status: ClassVar[int] = 200
    operations = ("pause", "resume", "stop", "read", "recordings", "call_state")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a test once for each word in the vendor's tables too."""
        super().pytest_generate_tests(metafunc)
        for table in ("statuses", "call_statuses"):
            if f"row_of_{table}" in metafunc.fixturenames:
                rows = getattr(metafunc.cls, table).items()
                metafunc.parametrize(f"row_of_{table}", rows, ids=[word for word, _ in rows])

    def recording(self, status: object, **changes: object) -> dict[str, object]:
        """Return the vendor's description of the recording."""
        raise NotImplementedError

    def page(self, *recordings: object) -> dict[str, object]:
        """Return the vendor's list."""
        raise NotImplementedError

    def described_call(self, status: object) -> dict[str, object]:
        """Return the vendor's description of the call."""
        raise NotImplementedError

    def next_page(self) -> Mapping[str, object]:
        """Return what a list that is not whole has in it."""
        raise NotImplementedError

    def about(self, recording_id: object, call_id: object) -> dict[str, object]:
        """Return the description of another recording, paused."""
        raise NotImplementedError

    def documented(self, operation: str) -> httpx.Response:
        """Return the answer that the vendor documents."""
        if operation == "read":
            return answer(200, self.recording(self.words[Action.PAUSE]))
        if operation == "recordings":
            return answer(200, self.page(self.recording(self.words[Action.PAUSE])))
        if operation == "call_state":
            return answer(200, self.described_call("completed"))
        return answer(self.update_status, self.recording(self.words[Action(operation)]))

    def read(self, body: object) -> Recording:
        """Read the recording, described by *body*."""
        return self.connect(Wire(answer(200, body))).read(self.call, self.named_recording_id, timeout=2.0)

    def listed(self, body: object) -> Sequence[Recording]:
        """List the recordings of the call, described by *body*."""
        return self.connect(Wire(answer(200, body))).recordings(self.call, timeout=2.0)

    def test_a_word_of_the_vendor(self, row_of_statuses):
        """Each status of the vendor's table is one of ours, observed, and kept as the vendor spelt it."""
        word, status = row_of_statuses
        expected = Recording(
            recording_id=self.named_recording_id,
            call_id=self.call.call_id,
            status=status,
            vendor_status=word,
            proof=Proof.OBSERVED,
        )

        assert self.read(self.recording(word)) == expected
        assert self.listed(self.page(self.recording(word))) == [expected]

    def test_the_table_is_whole(self):
        """The vendor's file knows the words of the vendor's table and no others."""
        vendor = self.connect(Wire(answer()))

        assert vendor.statuses == self.statuses
        assert vendor.call_statuses == self.call_statuses

    @pytest.mark.parametrize("word", ["PAUSED", "Paused", "pausing", "pause", "suspended", "unpaused", "a" * 32])
    def test_a_word_of_nobody(self, word):
        """A status that is in no table is unknown, repeated nowhere, counts as live and is no proof of anything."""
        for recording in (self.read(self.recording(word)), *self.listed(self.page(self.recording(word)))):
            assert (recording.status, recording.vendor_status) == (RecordingStatus.UNKNOWN, None)
            assert recording.live
            assert not any(map(recording.is_as_asked, Action))

    @pytest.mark.parametrize(
        "word",
        ["", " ", "paused ", "paused\n", "pa\x00used", "paused; ok", CARD, "a" * 33, "päused", None, True, 1, []],
    )
    def test_no_word(self, operation, word):
        """A status that is no word leaves the outcome unknown."""
        body = self.recording(word)
        if operation == "recordings":
            body = self.page(body)
        elif operation == "call_state":
            body = self.described_call(word)
        error = self.refused(operation, answer(200, body))

        assert type(error) is errors.OutcomeUnknownError
        assert CARD not in str(error)

    def test_another_status(self, action):
        """An update whose answer names any other status is not as asked."""
        for word in self.statuses:
            recording = self.ask(self.connect(Wire(answer(200, self.recording(word)))), action)

            assert recording.is_as_asked(Action(action)) is (
                self.answers_are_final and word in self.words_as_asked[Action(action)]
            )
        assert self.connect(Wire(answer())).final is self.answers_are_final

    @pytest.mark.parametrize("status", [201, 202, 203, 204, 206, 226])
    @pytest.mark.parametrize("asked_to_read", ["read", "recordings", "call_state"])
    def test_a_read_that_is_no_200(self, asked_to_read, status):
        """Only a 200 shows how things are: with another 2xx not even the whole documented answer to a read is believed."""
        documented = {
            "read": self.recording("paused"),
            "recordings": self.page(self.recording("paused")),
            "call_state": self.described_call(next(iter(self.call_statuses))),
        }[asked_to_read]

        self.ask(self.connect(Wire(answer(200, documented))), asked_to_read)
        assert type(self.refused(asked_to_read, answer(status, documented))) is errors.OutcomeUnknownError

    @pytest.mark.parametrize("status", [201, 202, 203, 206, 226])
    def test_accepted_is_not_done(self, action, status):
        """A 2xx other than 200 is never proof, even if it names the very status that was asked for."""
        word = self.words[Action(action)]
        recording = self.ask(self.connect(Wire(answer(status, self.recording(word)))), action)

        assert recording == Recording(
            recording_id=self.named_recording_id, call_id=self.call.call_id, vendor_status=word
        )
        assert (recording.status, recording.proof) == (RecordingStatus.UNKNOWN, Proof.NONE)
        assert not any(map(recording.is_as_asked, Action))

    def test_no_content(self, operation):
        """A 204 says nothing about a recording."""
        assert type(self.refused(operation, answer(204))) is errors.OutcomeUnknownError

    @pytest.mark.parametrize("status", [200, 202])
    def test_an_update_of_another_recording(self, action, status):
        """An answer about another recording is no answer about ours."""
        error = self.refused(action, answer(status, self.about(self.other_recording_id, self.call.call_id)))

        assert type(error) is errors.OutcomeUnknownError

    @pytest.mark.parametrize("status", [200, 202])
    def test_an_update_on_another_call(self, action, status):
        """An answer about another call is no answer about ours."""
        error = self.refused(action, answer(status, self.about(self.named_recording_id, self.other_call_id)))

        assert type(error) is errors.OutcomeUnknownError

    def test_reading_another_recording(self):
        """What is read of another recording is no answer about ours."""
        error = self.refused("read", answer(200, self.about(self.other_recording_id, self.call.call_id)))

        assert type(error) is errors.OutcomeUnknownError

    def test_reading_a_recording_of_another_call(self):
        """What is read of another call's recording is no answer about ours."""
        error = self.refused("read", answer(200, self.about(self.named_recording_id, self.other_call_id)))

        assert type(error) is errors.OutcomeUnknownError

    @pytest.mark.parametrize("dots", [".", ".."])
    def test_ids_that_would_climb(self, dots):
        """What is no id is not asked for: the path would be that of all recordings of the account."""
        wire = Wire()
        with pytest.raises(errors.VendorResponseError):
            self.connect(wire).read(replace(self.call, call_id=dots), dots, timeout=1.0)

        assert wire.requests == []

    def test_ids_in_the_other_case(self, action):
        """Ids are the same in upper and in lower case."""
        head, tail = self.named_recording_id[:2], self.named_recording_id[2:]
        body = self.about(head + tail.swapcase(), self.call.call_id[:2] + self.call.call_id[2:].swapcase())
        recording = self.ask(self.connect(Wire(answer(200, body))), action)

        assert recording.recording_id == head + tail.swapcase()

    @pytest.mark.parametrize("ill", ["", "..", "a/b", "Twilio.CURRENT", 7, None, [], {}], ids=repr)
    def test_ill_ids_of_the_vendor(self, operation, ill):
        """An id that is not of the vendor's own pattern makes an answer unreadable: it would go into a path."""
        if operation == "call_state":
            return
        for body in (self.about(ill, self.call.call_id), self.about(self.named_recording_id, ill)):
            if operation == "recordings" and self.ignored_in_a_list(body):
                continue
            response = answer(200, self.page(body) if operation == "recordings" else body)

            assert type(self.refused(operation, response)) is errors.OutcomeUnknownError

    def ignored_in_a_list(self, body: Mapping[str, object]) -> bool:
        """Whether the vendor's list may have this in it, for another call."""
        return False

    def test_several_recordings(self):
        """All recordings that the vendor lists come back, in its order."""
        word = self.words[Action.PAUSE]
        one = self.about(self.named_recording_id, self.call.call_id)
        other = self.about(self.other_recording_id, self.call.call_id)
        listed = self.listed(self.page(one, other))

        assert [each.recording_id for each in listed] == [self.named_recording_id, self.other_recording_id]
        assert {each.vendor_status for each in listed} == {word}

    def test_no_recordings(self):
        """An empty list says that nothing is being recorded."""
        assert list(self.listed(self.page())) == []

    def test_a_list_of_which_there_is_more(self):
        """A list that is not whole is not believed: the recording that goes on may be on the next page."""
        for recordings in ([], [self.recording(self.words[Action.PAUSE])]):
            error = self.refused("recordings", answer(200, {**self.page(*recordings), **self.next_page()}))

            assert type(error) is errors.OutcomeUnknownError

    def test_a_list_with_one_that_is_unreadable(self):
        """One recording that cannot be read makes the whole list unreadable: it may be the one that goes on."""
        readable = self.recording(self.words[Action.PAUSE])
        others: tuple[object, ...] = ({}, [], None, 7, "paused", {**readable, "status": None})
        for unreadable in others:
            error = self.refused("recordings", answer(200, self.page(readable, unreadable)))

            assert type(error) is errors.OutcomeUnknownError

    @pytest.mark.parametrize("listed", [None, 7, True, {"a": 1}, "paused"], ids=repr)
    def test_a_list_that_is_none(self, listed):
        """What stands where the list should be must be a list."""
        [name] = [name for name, value in self.page().items() if value == []]
        error = self.refused("recordings", answer(200, {**self.page(), name: listed}))

        assert type(error) is errors.OutcomeUnknownError

    @pytest.mark.parametrize("listed", [{}, ""], ids=repr)
    def test_nothing_is_no_list(self, listed):
        """That nothing is being recorded is only believed of a list."""
        [name] = [name for name, value in self.page().items() if value == []]

        assert (
            type(self.refused("recordings", answer(200, {**self.page(), name: listed}))) is errors.OutcomeUnknownError
        )

    def test_another_call(self):
        """Whether another call is live says nothing about ours."""
        body = self.described_call("completed")
        [name] = [name for name, value in body.items() if value == self.call.call_id]

        assert type(self.refused("call_state", answer(200, {**body, name: self.other_call_id}))) is (
            errors.OutcomeUnknownError
        )

    @pytest.mark.parametrize("ill", [7, True, ["a"], {"a": 1}], ids=repr)
    def test_a_call_whose_id_is_no_text(self, ill):
        """A call whose id is no text is not ours."""
        body = self.described_call("completed")
        [name] = [name for name, value in body.items() if value == self.call.call_id]

        assert type(self.refused("call_state", answer(200, {**body, name: ill}))) is errors.OutcomeUnknownError

    @pytest.mark.parametrize("ill", ["", "..", "a/b", None, [], {}], ids=repr)
    def test_a_call_without_an_id(self, ill):
        """A call whose id is none is not ours."""
        body = self.described_call("completed")
        [name] = [name for name, value in body.items() if value == self.call.call_id]

        assert type(self.refused("call_state", answer(200, {**body, name: ill}))) is errors.OutcomeUnknownError

    def test_a_call_that_is_not_named(self):
        """A call that does not say which it is may be another."""
        body = {name: value for name, value in self.described_call("completed").items() if value != self.call.call_id}

        assert type(self.refused("call_state", answer(200, body))) is errors.OutcomeUnknownError

    def test_a_call(self, row_of_call_statuses):
        """Each status of the vendor's table says whether the call is live."""
        word, live = row_of_call_statuses
        state = self.connect(Wire(answer(200, self.described_call(word)))).call_state(self.call, timeout=2.0)

        assert state.live is live
        assert state.parent_call_id is None

    @pytest.mark.parametrize("word", ["COMPLETED", "over", "paused"])
    def test_a_call_somewhere_else(self, word):
        """Whether a call is live is not known from a word that is in no table."""
        error = self.refused("call_state", answer(200, self.described_call(word)))

        assert type(error) is errors.OutcomeUnknownError


def basic(username: str, password: str) -> str:
    """Return an Authorization header by the book (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def assert_sent(
    request: httpx.Request,
    method: str,
    url: str,
    *,
    authorization: str,
    body: str = "",
    content_type: str | None = None,
) -> None:
    """Assert that *request* is, to the byte, the one that the vendor documents."""
    assert request.method == method
    assert str(request.url) == url
    assert request.headers["authorization"] == authorization
    assert request.headers.get("content-type") == content_type
    assert request.content.decode() == body
    assert not re.search(r"[^ -~]", str(request.url))
