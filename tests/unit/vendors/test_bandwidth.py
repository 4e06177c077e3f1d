"""Bandwidth, Voice v2.

https://github.com/Bandwidth/python-sdk/blob/main/bandwidth.yml (ba8d1570)
The requests are those that the official SDK (bandwidth-sdk 23.3.1) sends.
"""

import xml.etree.ElementTree as ET
from collections.abc import Callable

import httpx
import pytest

from call_recording import errors
from call_recording.model import Action, Call, Proof, Recording, RecordingStatus
from call_recording.vendors import _exchange, bandwidth, base
from call_recording.vendors.base import BaseVendor
from tests.unit.vendors.contract import UNREADABLE_BODIES, VendorContract, assert_sent, basic
from tests.unit.vendors.fakes import Clock, Wire, account_of, answer, connect, trigger_of

ACCOUNT = "9900000"
CALL = "c-15ac29a2-1331029c-2cb0-4a07-b215-b22865662d85"
RECORDING = "r-fbe05094-9fd2afe9-bf5b-4c68-820a-41a01c1c5833"
PASSWORD = "bandwidth-password"
SECRET = "bandwidth-client-secret"
TOKEN = "bandwidth.access-token"
NEXT = "https://ivr.example.com/continue?call=1&step=card"
ORIGIN = "https://voice.bandwidth.com"
URL = f"{ORIGIN}/api/v2/accounts/{ACCOUNT}/calls/{CALL}"
TOKEN_URL = "https://api.bandwidth.com/api/v1/oauth2/token"
ALLOWED = ("https://ivr.example.com/",)


class TestBandwidth(VendorContract):
    vendor = "bandwidth"
    ways_in = (
        {"account_id": ACCOUNT, "username": "api-user", "password": PASSWORD},
        {"account_id": ACCOUNT, "client_id": "oauth-client-7", "client_secret": SECRET},
    )
    ill_credentials = (
        ("account_id", "AC1"),
        ("account_id", "../1"),
        ("account_id", "99/00"),
        ("account_id", ACCOUNT + "\n"),
        ("account_id", "9" * 21),
        ("account_id", "٣٣"),
    )
    secrets = (PASSWORD, SECRET)
    origin = ORIGIN
    call = Call(call_id=CALL, redirect_url=NEXT)
    recording_id = None
    named_recording_id = RECORDING
    update_proof = Proof.ACKNOWLEDGED
    operations = ("pause", "resume", "stop")
    refusal = {"type": "validation", "description": "The call is not active", "id": None}
    refusal_code = "validation"
    unreadable_bodies = {**UNREADABLE_BODIES, "one letter": b".", "a word of a request": b'{"state":"paused"}'}

    def documented(self, operation: str) -> httpx.Response:
        """Return the answer that Bandwidth documents: no body."""
        return answer(204 if operation == "stop" else 200)

    @pytest.mark.parametrize(
        ("asked", "body"), [(Action.PAUSE, '{"state":"paused"}'), (Action.RESUME, '{"state":"recording"}')]
    )
    @pytest.mark.parametrize("behavior", ["silence", "skip"])
    def test_the_update_that_is_sent(self, asked, body, behavior):
        """A pause and a resume put the state of the call's recording, and name no behaviour: Bandwidth has only one."""
        wire = Wire(self.documented(asked))
        self.connect(wire, pause_behavior=behavior).update(self.call, None, asked, timeout=2.0)

        assert_sent(
            wire.request,
            "PUT",
            f"{URL}/recording",
            authorization=basic("api-user", PASSWORD),
            body=body,
            content_type="application/json",
        )

    def test_the_stop_that_is_sent(self):
        """A stop replaces the call's BXML by one that stops the recording and then sends the call on."""
        wire = Wire(self.documented("stop"))
        self.ask(self.connect(wire), "stop")

        assert_sent(
            wire.request,
            "PUT",
            f"{URL}/bxml",
            authorization=basic("api-user", PASSWORD),
            body=(
                '<?xml version="1.0" encoding="UTF-8"?><Bxml><StopRecording/>'
                '<Redirect redirectUrl="https://ivr.example.com/continue?call=1&amp;step=card"/></Bxml>'
            ),
            content_type="application/xml",
        )

    @pytest.mark.parametrize(
        "url", [NEXT, "https://ivr.example.com/?a='\"<>&amp;", "https://ivr.example.com/{0}{redirect_url}%7B"]
    )
    def test_the_document_of_a_stop(self, url):
        """Whatever the URL, the document is well-formed, stops first and redirects to just that URL."""
        wire = Wire(self.documented("stop"))
        self.connect(wire).update(Call(call_id=CALL, redirect_url=url), None, Action.STOP, timeout=2.0)
        document = ET.fromstring(wire.request.content.decode())  # noqa: S314 -- our own

        assert [each.tag for each in document] == ["StopRecording", "Redirect"]
        assert [each.attrib for each in document] == [{}, {"redirectUrl": url}]

    @pytest.mark.parametrize(
        ("asked", "status"),
        [
            (Action.PAUSE, RecordingStatus.PAUSED),
            (Action.RESUME, RecordingStatus.IN_PROGRESS),
            (Action.STOP, RecordingStatus.STOPPED),
        ],
    )
    def test_a_yes_is_an_acknowledgement(self, asked, status):
        """Bandwidth's yes is all the proof there is, names no recording and is never called an observation."""
        recording = self.ask(self.connect(Wire(self.documented(asked))), asked)

        assert recording == Recording(recording_id=None, call_id=CALL, status=status, proof=Proof.ACKNOWLEDGED)
        assert recording.vendor_status is None

    @pytest.mark.parametrize("asked", ["pause", "resume", "stop"])
    @pytest.mark.parametrize("body", [b"\r\n", b" "])
    def test_a_body_with_nothing_in_it(self, asked, body):
        """A body of white space is as good as none."""
        status = self.documented(asked).status_code

        assert self.ask(self.connect(Wire(answer(status, body))), asked).proof is Proof.ACKNOWLEDGED

    @pytest.mark.parametrize(("asked", "status"), [("pause", 204), ("resume", 204), ("stop", 200), ("pause", 202)])
    def test_a_yes_in_another_way(self, asked, status):
        """Another 2xx than the documented one is not known to be Bandwidth's yes."""
        assert type(self.refused(asked, answer(status))) is errors.OutcomeUnknownError

    def test_nothing_can_be_read(self):
        """Bandwidth shows nowhere that a recording is paused."""
        vendor = self.connect(Wire(answer()))

        assert not vendor.reads
        assert vendor.current_recording is None
        for ask in (
            lambda: vendor.read(self.call, RECORDING, timeout=2.0),
            lambda: vendor.recordings(self.call, timeout=2.0),
            lambda: vendor.parse_recording({}, self.call),
            lambda: vendor.parse_list({}, self.call),
            lambda: BaseVendor.call_request(vendor, self.call),  # what a vendor has that shows no calls
            lambda: BaseVendor.parse_call(vendor, {}, self.call),
        ):
            with pytest.raises(NotImplementedError):
                ask()

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
            (429, errors.RateLimitedError),
        ],
    )
    def test_a_documented_error(self, operation, status, kind):
        """Bandwidth's code is the type of its error, and the HTTP status says what is meant."""
        body = {"type": "error", "description": f"Call [{CALL}] not found", "id": None}
        error = self.refused(operation, answer(status, body))

        assert type(error) is kind
        assert error.vendor_code == "error"

    @pytest.mark.parametrize("call_id", [CALL, "c-2a913f94-7fa9-4b4f-8a6e-29ad1a1a1b2c"])
    def test_ids_of_either_length(self, call_id):
        """Older ids are shorter, and as good."""
        self.connect(Wire(answer())).check(trigger_of(Call(call_id=call_id)))


class TestStopping:
    """Where the call goes on after its recording was stopped."""

    def check(
        self, redirect_url: str | None, *, action: Action = Action.STOP, allowed: tuple[str, ...] = ALLOWED
    ) -> None:
        """Check a trigger."""
        account = account_of("bandwidth", TestBandwidth.ways_in[0], allowed_redirects=allowed)
        wire = Wire(answer())
        try:
            connect(account, wire).check(trigger_of(Call(call_id=CALL, redirect_url=redirect_url), action=action))
        finally:
            assert wire.requests == []

    def test_a_target_that_is_allowed(self):
        """A stop needs a redirect_url below one of the account's allowed_redirects."""
        self.check(NEXT)

    @pytest.mark.parametrize("action", [Action.PAUSE, Action.RESUME])
    def test_no_target_is_needed(self, action):
        """A pause and a resume need none, and do not look at one."""
        self.check(None, action=action)
        self.check("https://evil.example.net/", action=action)

    @pytest.mark.parametrize(
        "url",
        [
            None,
            "",
            "https://evil.example.net/",
            "https://ivr.example.com.evil.example.net/",
            "http://ivr.example.com/",
            "https://ivr.example.com:8443/",
            "https://user@ivr.example.com/",
            "https://ivr.example.com/\n",
            'https://ivr.example.com/"/><Hangup/> ',
            "//ivr.example.com/",
            "javascript:alert(1)",
        ],
    )
    def test_a_target_that_is_not(self, url):
        """A stop without a target, or to anywhere else, is refused by the name of the field."""
        with pytest.raises(errors.InvalidTriggerError) as caught:
            self.check(url)

        assert caught.value.field == "redirect_url"
        assert not url or url not in str(caught.value)

    def test_no_targets_are_allowed(self):
        """By default no target is allowed, and so no stop."""
        with pytest.raises(errors.InvalidTriggerError):
            self.check(NEXT, allowed=())

    def test_an_ill_call(self):
        """The call's id is checked for a stop as well."""
        vendor = connect(account_of("bandwidth", TestBandwidth.ways_in[0]), Wire(answer()))
        with pytest.raises(errors.InvalidTriggerError, match=r"^call_id "):
            vendor.check(trigger_of(Call(call_id="c-1", redirect_url=NEXT), action=Action.STOP))

    def test_a_stop_at_the_deadline(self):
        """An account may not ask for a stop at the deadline: nobody would say where the call goes on."""
        with pytest.raises(errors.ConfigurationError) as caught:
            connect(account_of("bandwidth", TestBandwidth.ways_in[0], on_deadline="stop"), Wire(answer()))

        assert caught.value.field == "settings.on_deadline"

    @pytest.mark.parametrize("choice", ["resume", "keep"])
    def test_another_deadline(self, choice):
        """The other choices are fine."""
        connect(account_of("bandwidth", TestBandwidth.ways_in[0], on_deadline=choice), Wire(answer()))


def granted(token: object = TOKEN, seconds: object = 3600) -> httpx.Response:
    """Make the answer of the token endpoint (RFC 6749 section 5.1)."""
    return answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": seconds})


class TokenWire(Wire):
    """Answers at the token endpoint apart from the rest."""

    def __init__(self, *tokens: httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]) -> None:
        super().__init__(*tokens)
        self.commands: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        if request.url.path.endswith("/token"):
            return super().__call__(request)
        self.commands.append(request)
        return answer(200)


@pytest.fixture(name="clock")
def _clock(monkeypatch) -> Clock:
    clock = Clock()
    clock.tell(monkeypatch, bandwidth, base, _exchange)
    return clock


def sign_in(wire: Wire, **settings: object) -> BaseVendor:
    """Make a vendor that signs in by OAuth2."""
    return connect(account_of("bandwidth", TestBandwidth.ways_in[1], **settings), wire)


def pause(vendor: BaseVendor) -> Recording:
    """Ask for a pause."""
    return vendor.update(Call(call_id=CALL), None, Action.PAUSE, timeout=2.0)


class TestOAuth2:
    def test_the_token_request(self):
        """A token is asked for by client credentials, where Bandwidth documents it."""
        wire = TokenWire(granted())
        pause(sign_in(wire))

        assert_sent(
            wire.request,
            "POST",
            TOKEN_URL,
            authorization=basic("oauth-client-7", SECRET),
            body="grant_type=client_credentials",
            content_type="application/x-www-form-urlencoded",
        )

    def test_the_token_is_borne(self):
        """The command carries the token and is otherwise as with a password."""
        wire = TokenWire(granted())
        recording = pause(sign_in(wire))
        [command] = wire.commands

        assert_sent(
            command,
            "PUT",
            f"{URL}/recording",
            authorization=f"Bearer {TOKEN}",
            body='{"state":"paused"}',
            content_type="application/json",
        )
        assert recording.proof is Proof.ACKNOWLEDGED

    def test_another_origin(self):
        """An account's `api_url` replaces the origin of the token endpoint too."""
        wire = TokenWire(granted())
        pause(sign_in(wire, api_url="http://127.0.0.1:8080"))

        assert str(wire.request.url) == "http://127.0.0.1:8080/api/v1/oauth2/token"
        assert str(wire.commands[0].url) == f"{URL}/recording".replace(ORIGIN, "http://127.0.0.1:8080")

    def test_a_password_goes_first(self):
        """With both ways to sign in, no token is fetched."""
        wire = TokenWire(granted())
        pause(connect(account_of("bandwidth", {**TestBandwidth.ways_in[0], **TestBandwidth.ways_in[1]}), wire))

        assert wire.requests == []

    def test_a_token_is_used_again(self, clock):
        """A token is fetched once and used until 60 seconds before its end."""
        wire = TokenWire(granted(seconds=3600))
        vendor = sign_in(wire)
        pause(vendor)
        clock.now += 3600 - 60 - 0.001
        pause(vendor)

        assert (len(wire.requests), len(wire.commands)) == (1, 2)

    def test_a_token_that_is_about_to_end(self, clock):
        """In the last 60 seconds of its life a token could end on the way: another is fetched."""
        wire = TokenWire(granted(seconds=3600), granted("second"))
        vendor = sign_in(wire)
        pause(vendor)
        clock.now += 3600 - 60
        pause(vendor)

        assert len(wire.requests) == 2
        assert [each.headers["authorization"] for each in wire.commands] == [f"Bearer {TOKEN}", "Bearer second"]

    def test_a_token_that_was_refused(self, clock):
        """A token that the vendor has refused is forgotten, and another fetched for the next command only."""
        wire = TokenWire(granted(), granted("second"))
        vendor = sign_in(wire)
        pause(vendor)
        vendor.renew()

        assert len(wire.requests) == 1

        pause(vendor)
        pause(vendor)

        assert len(wire.requests) == 2
        assert wire.commands[-1].headers["authorization"] == "Bearer second"

    @pytest.mark.parametrize("seconds", ["3600", 3600.0])
    def test_a_lifetime_in_another_type(self, clock, seconds):
        """A lifetime may come as text or as a fraction."""
        wire = TokenWire(granted(seconds=seconds))
        vendor = sign_in(wire)
        pause(vendor)
        pause(vendor)

        assert len(wire.requests) == 1

    def test_one_time_for_both(self, clock):
        """Fetching a token does not make the exchange longer: the command gets what time is left."""

        def slowly(_: httpx.Request) -> httpx.Response:
            clock.now += 1.5
            return granted()

        wire = TokenWire(slowly)
        begun = clock.now
        pause(sign_in(wire))

        assert wire.request.extensions["timeout"]["read"].ends_at == begun + 2.0
        assert wire.commands[0].extensions["timeout"]["read"].ends_at == pytest.approx(begun + 2.0)

    @pytest.mark.parametrize(
        "lost",
        [
            httpx.ConnectError("refused"),
            httpx.ConnectTimeout("late"),
            httpx.ReadTimeout("late"),
            httpx.RemoteProtocolError("closed"),
            answer(408),
            answer(500),
            answer(503, retry_after="1"),
            answer(302, b"", location="https://elsewhere.example.com/"),
            answer(200),
            answer(200, b"<html>"),
            answer(200, b"[]"),
            answer(200, {"access_token": TOKEN}),
            answer(200, {"expires_in": 3600}),
            granted(""),
            granted(None),
            granted(7),
            granted("two words"),
            granted("line\nbreak"),
            granted("tökén"),
            granted(seconds="soon"),
            granted(seconds=None),
            granted(seconds=[]),
        ],
        ids=repr,
    )
    def test_no_token(self, lost):
        """Without a token no command was sent, so the request is safe to repeat, however the answer was lost."""
        wire = TokenWire(lost)
        with pytest.raises(errors.VendorUnreachableError) as caught:
            pause(sign_in(wire))

        assert len(wire.requests) == 1
        assert wire.commands == []
        assert caught.value.vendor == "bandwidth"

    @pytest.mark.parametrize(
        ("status", "kind"),
        [(401, errors.AuthenticationError), (403, errors.AuthenticationError), (429, errors.RateLimitedError)],
    )
    def test_a_refused_client(self, status, kind):
        """A refusal at the token endpoint is a refusal, and no command is sent."""
        wire = TokenWire(answer(status, {"error": "invalid_client"}, retry_after="9"))
        with pytest.raises(kind) as caught:
            pause(sign_in(wire))

        assert (caught.value.http_status, caught.value.retry_after) == (status, 9.0)
        assert wire.commands == []

    @pytest.mark.parametrize("status", [400, 404, 409, 422])
    def test_a_refusal_that_is_not_the_calls(self, status):
        """A refusal at the token endpoint says nothing of the call: it is about the credentials."""
        with pytest.raises(errors.AuthenticationError):
            pause(sign_in(TokenWire(answer(status, {"error": "invalid_client"}))))

    @pytest.mark.parametrize(
        "seconds", [10**400, float("inf"), float("nan"), "inf", "nan", 0, -1], ids=lambda s: str(s)[:9]
    )
    def test_a_lifetime_that_is_none(self, seconds):
        """A token of which nobody knows when it ends is no token."""
        with pytest.raises(errors.VendorUnreachableError):
            pause(sign_in(TokenWire(granted(seconds=seconds))))

    def test_a_failure_keeps_no_token(self):
        """After a failure the next command fetches a token of its own."""
        wire = TokenWire(answer(500), granted())
        vendor = sign_in(wire)
        with pytest.raises(errors.VendorUnreachableError):
            pause(vendor)
        pause(vendor)

        assert len(wire.requests) == 2
        assert wire.commands[0].headers["authorization"] == f"Bearer {TOKEN}"

    @pytest.mark.parametrize(
        "lost", [answer(401), answer(500), answer(200, {"access_token": TOKEN, "expires_in": "x"})]
    )
    def test_secrets_are_never_shown(self, lost, caplog):
        """Neither the client's secret nor a token is in the text of an error or in a log at any level."""
        caplog.set_level(0)
        with pytest.raises(errors.VendorError) as caught:
            pause(sign_in(TokenWire(lost)))
        shown = caplog.text + str(caught.value) + repr(caught.value) + repr(caught.value.__cause__)

        for secret in (SECRET, TOKEN, basic("oauth-client-7", SECRET).split()[-1]):
            assert secret not in shown
