"""HTTP to the vendors: over in time whatever the other side does, once, and with nothing carried over."""

import socket
import ssl
from collections.abc import Sequence
from typing import Any

import certifi
import httpcore
import httpx
import pytest

from call_recording.vendors import _exchange
from call_recording.vendors._exchange import (
    CONNECT_SECONDS,
    KEEPALIVE_SECONDS,
    MAX_ANSWER_BYTES,
    DeadlineBackend,
    DeadlineStream,
    DeadlineTransport,
    Until,
    create_client,
    exchange,
    tls_context,
)
from tests.unit.vendors.fakes import Clock

URL = "http://vendor.example.com:8080/calls"
SECRET = "Basic c2VjcmV0OnNlY3JldA=="

#: Seconds that pass, then what is read.
Step = tuple[float, bytes | Exception]


def reply(body: bytes = b"", *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """Make a whole answer."""
    length = b"content-length: %d" % len(body)
    return b"\r\n".join([b"HTTP/1.1 " + status, length, *headers, b"", body])


class FakeStream(httpcore.NetworkStream):
    """A connection on which each operation takes as long as it is told, or as its timeout lets it."""

    def __init__(self, clock: Clock, *steps: Step, write_takes: float = 0.0, tls_takes: float = 0.0) -> None:
        self._clock = clock
        self._steps = list(steps)
        self._write_takes = write_takes
        self._tls_takes = tls_takes
        self.timeouts: list[tuple[str, float | None]] = []
        self.written = b""
        self.server_hostname: str | None = None
        self.closed = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what comes next."""
        seconds, got = self._steps.pop(0) if self._steps else (0.0, b"")
        self._pass("read", seconds, timeout, httpcore.ReadTimeout)
        if isinstance(got, Exception):
            raise got
        return got

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Keep what is written."""
        self._pass("write", self._write_takes, timeout, httpcore.WriteTimeout)
        self.written += buffer

    def close(self) -> None:
        """Be closed."""
        self.closed = True

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Shake hands."""
        self.server_hostname = server_hostname
        self._pass("tls", self._tls_takes, timeout, httpcore.ConnectTimeout)
        return self

    def get_extra_info(self, info: str) -> Any:
        """Say what httpcore wants to know."""
        return {"is_readable": False, "who": self}.get(info)

    def _pass(self, operation: str, seconds: float, timeout: float | None, too_late: type[Exception]) -> None:
        self.timeouts.append((operation, timeout))
        assert timeout is not None
        self._clock.now += min(seconds, timeout)
        if seconds > timeout:
            raise too_late(operation)


class FakeBackend(httpcore.NetworkBackend):
    """A network on which connecting takes as long as it is told."""

    def __init__(self, clock: Clock, *outcomes: FakeStream | Exception, takes: float = 0.0) -> None:
        self._clock = clock
        self._outcomes = list(outcomes)
        self._takes = takes
        self.connects: list[tuple[str, int, float | None]] = []

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """Connect to whatever is next."""
        self.connects.append((host, port, timeout))
        assert timeout is not None
        self._clock.now += min(self._takes, timeout)
        if self._takes > timeout:
            raise httpcore.ConnectTimeout("connect")
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Resolver:
    """Stands in for the module `socket`: names have the addresses that they are given."""

    SOCK_STREAM = socket.SOCK_STREAM

    def __init__(self, *addresses: str, failure: Exception | None = None) -> None:
        self.addresses = addresses
        self.failure = failure

    def getaddrinfo(self, host: str, port: int, *, type: int) -> Sequence[Any]:  # noqa: A002 -- the real one's name
        """Resolve a name."""
        assert type is socket.SOCK_STREAM
        if self.failure is not None:
            raise self.failure
        return [(socket.AF_INET, type, 6, "", (address, port)) for address in self.addresses]


@pytest.fixture(name="clock")
def _clock(monkeypatch) -> Clock:
    clock = Clock()
    clock.tell(monkeypatch, _exchange)
    return clock


@pytest.fixture(name="resolver", autouse=True)
def _resolver(monkeypatch) -> Resolver:
    resolver = Resolver("192.0.2.1")
    monkeypatch.setattr(_exchange, "socket", resolver)
    return resolver


def client_of(backend: httpcore.NetworkBackend) -> httpx.Client:
    """Make the client of production on another network."""
    return create_client(DeadlineTransport(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), backend))


def send(client: httpx.Client, url: str = URL, *, timeout: float = 2.0) -> tuple[httpx.Response, bytes]:
    """Send one command."""
    return exchange(client, client.build_request("POST", url, headers={"authorization": SECRET}, content="x"), timeout)


class TestUntil:
    def test_it_knows_its_end(self, clock):
        """A timeout is a number of seconds, and knows when it ends however long it is handed on."""
        until = Until(2.0)
        clock.now += 5

        assert until == 2.0
        assert until.ends_at == 1_002.0

    @pytest.mark.parametrize("plain", [None, 5, 5.0])
    def test_a_plain_timeout_is_a_mistake(self, clock, plain):
        """A timeout that does not know its end would start anew with each byte: every operation refuses it."""
        network = FakeBackend(clock, FakeStream(clock))
        stream = DeadlineStream(FakeStream(clock))
        for operation in (
            lambda: stream.read(1, plain),
            lambda: stream.write(b"x", plain),
            lambda: stream.start_tls(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "x", plain),
            lambda: DeadlineBackend(network).connect_tcp("vendor.example.com", 443, plain),
        ):
            with pytest.raises(TypeError, match="needs a timeout of type Until"):
                operation()

        assert network.connects == []

    def test_nothing_goes_round_the_exchange(self, clock):
        """A request with httpx's own timeouts cannot be sent at all."""
        with pytest.raises(TypeError, match="needs a timeout of type Until"):
            client_of(FakeBackend(clock, FakeStream(clock))).get(URL)


class TestTime:
    def test_an_answer_in_time(self, clock):
        """Each operation gets what is left of the exchange's time, and no more."""
        stream = FakeStream(clock, (0.25, reply(b"paused")), write_takes=0.125)
        backend = FakeBackend(clock, stream, takes=0.5)
        response, body = send(client_of(backend))

        assert (response.status_code, body) == (200, b"paused")
        assert backend.connects == [("192.0.2.1", 8080, CONNECT_SECONDS)]
        writes = len(stream.timeouts) - 1
        assert stream.timeouts == [
            *(("write", 1.5 - 0.125 * each) for each in range(writes)),
            ("read", 1.5 - 0.125 * writes),
        ]

    def test_a_header_that_drips(self, clock):
        """A header that comes byte by byte is cut off when the time is over."""
        stream = FakeStream(clock, *[(0.3, bytes([each])) for each in reply(b"paused")])
        with pytest.raises(httpx.ReadTimeout):
            send(client_of(FakeBackend(clock, stream)))

        assert clock.now == pytest.approx(1_002.0)
        assert len(stream.timeouts) < 12
        assert stream.closed

    def test_a_body_that_drips(self, clock):
        """A body that comes byte by byte is cut off when the time is over."""
        head, body = reply(b"paused" * 10).split(b"\r\n\r\n")
        stream = FakeStream(clock, (0.1, head + b"\r\n\r\n"), *[(0.3, bytes([each])) for each in body])
        with pytest.raises(httpx.ReadTimeout):
            send(client_of(FakeBackend(clock, stream)))

        assert clock.now == pytest.approx(1_002.0)
        assert stream.closed

    def test_provisional_answers_that_drip(self, clock):
        """A vendor that says 100 again and again is cut off when the time is over."""
        stream = FakeStream(clock, *[(0.3, b"HTTP/1.1 100 Continue\r\n\r\n")] * 50)
        with pytest.raises(httpx.ReadTimeout):
            send(client_of(FakeBackend(clock, stream)))

        assert clock.now == pytest.approx(1_002.0)

    def test_a_vendor_that_does_not_listen(self, clock):
        """A request that cannot be written in time is given up."""
        stream = FakeStream(clock, write_takes=3.0)
        with pytest.raises(httpx.WriteTimeout):
            send(client_of(FakeBackend(clock, stream)))

        assert clock.now == pytest.approx(1_002.0)

    def test_no_time_at_all(self, clock):
        """An exchange that begins too late does not touch the network."""
        backend = FakeBackend(clock, FakeStream(clock))
        with pytest.raises(httpx.ConnectTimeout):
            send(client_of(backend), timeout=0.0)
        with pytest.raises(httpx.ConnectTimeout):
            send(client_of(backend), timeout=-1.0)

        assert backend.connects == []

    @pytest.mark.parametrize(
        ("operation", "too_late"),
        [
            (lambda stream, until: stream.read(1, until), httpcore.ReadTimeout),
            (lambda stream, until: stream.write(b"x", until), httpcore.WriteTimeout),
            (
                lambda stream, until: stream.start_tls(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "x", until),
                httpcore.ConnectTimeout,
            ),
        ],
    )
    def test_too_late(self, clock, operation, too_late):
        """Once the time is over no operation is begun, and each fails as what it is."""
        inner = FakeStream(clock)
        until = Until(2.0)
        clock.now += 2.0
        with pytest.raises(too_late):
            operation(DeadlineStream(inner), until)

        assert inner.timeouts == []
        assert inner.written == b""

    def test_tls(self, clock):
        """TLS is started with what is left, for the vendor's name, and goes on keeping time."""
        stream = FakeStream(clock, *[(0.3, bytes([each])) for each in reply(b"paused")], tls_takes=0.25)
        backend = FakeBackend(clock, stream, takes=0.5)
        with pytest.raises(httpx.ReadTimeout):
            send(client_of(backend), "https://vendor.example.com/calls")

        assert backend.connects == [("192.0.2.1", 443, CONNECT_SECONDS)]
        assert stream.server_hostname == "vendor.example.com"
        assert stream.timeouts[:2] == [("tls", 1.5), ("write", 1.25)]
        assert clock.now == pytest.approx(1_002.0)

    def test_tls_that_takes_too_long(self, clock):
        """A handshake that does not end is cut off: nothing of the request was sent."""
        stream = FakeStream(clock, tls_takes=9.0)
        with pytest.raises(httpx.ConnectTimeout):
            send(client_of(FakeBackend(clock, stream)), "https://vendor.example.com/calls")

        assert clock.now == pytest.approx(1_002.0)
        assert stream.written == b""

    def test_the_stream_is_asked_what_it_is(self, clock):
        """What httpcore wants to know of a connection is told by the connection itself."""
        inner = FakeStream(clock)
        stream = DeadlineStream(inner)

        assert stream.get_extra_info("who") is inner
        assert stream.get_extra_info("ssl_object") is None

        stream.close()

        assert inner.closed


class TestAddresses:
    def test_the_first_that_answers(self, clock, resolver):
        """The addresses of a name are tried in order until one answers."""
        resolver.addresses = ("192.0.2.1", "192.0.2.2", "192.0.2.3")
        backend = FakeBackend(clock, httpcore.ConnectError("no"), FakeStream(clock, (0.0, reply(b"ok"))))

        assert send(client_of(backend))[1] == b"ok"
        assert [host for host, _, _ in backend.connects] == ["192.0.2.1", "192.0.2.2"]

    def test_they_share_the_time(self, clock, resolver):
        """Each address gets a second at most, and all of them together no more than there is."""
        resolver.addresses = tuple(f"192.0.2.{each}" for each in range(9))
        backend = FakeBackend(clock, takes=10.0)
        with pytest.raises(httpx.ConnectTimeout):
            send(client_of(backend), timeout=2.5)

        assert [timeout for _, _, timeout in backend.connects] == [1.0, 1.0, 0.5]
        assert clock.now == pytest.approx(1_002.5)

    def test_an_address_is_tried_once(self, clock, resolver):
        """An address that a name has twice is tried once."""
        resolver.addresses = ("192.0.2.1", "192.0.2.1", "192.0.2.2")
        backend = FakeBackend(clock, httpcore.ConnectError("first"), httpcore.ConnectError("last"))
        with pytest.raises(httpx.ConnectError, match="last"):
            send(client_of(backend))

        assert [host for host, _, _ in backend.connects] == ["192.0.2.1", "192.0.2.2"]

    def test_no_address(self, clock, resolver):
        """A name without an address is not reached."""
        resolver.addresses = ()
        with pytest.raises(httpx.ConnectError, match="the name has no address"):
            send(client_of(FakeBackend(clock)))

    def test_no_such_name(self, clock, resolver):
        """A name that cannot be resolved is not reached."""
        resolver.failure = socket.gaierror(-2, "Name or service not known")
        with pytest.raises(httpx.ConnectError, match="Name or service not known"):
            send(client_of(FakeBackend(clock)))

    def test_a_name_that_cannot_be(self, clock, resolver):
        """A name that no resolver would take, a..b say, is not reached."""
        resolver.failure = UnicodeError("encoding with 'idna' codec failed")
        with pytest.raises(httpx.ConnectError):
            send(client_of(FakeBackend(clock)))

    def test_resolving_takes_time(self, clock, resolver, monkeypatch):
        """Time that the resolver takes is gone: with none left, no address is tried."""
        backend = FakeBackend(clock, FakeStream(clock))

        def slowly(*_: Any, **__: Any) -> Sequence[Any]:
            clock.now += 3.0
            return [(socket.AF_INET, 1, 6, "", ("192.0.2.1", 8080))]

        monkeypatch.setattr(resolver, "getaddrinfo", slowly)
        with pytest.raises(httpx.ConnectTimeout):
            send(client_of(backend))

        assert backend.connects == []

    def test_the_real_network(self):
        """Without another network, the system's is used."""
        assert isinstance(DeadlineBackend()._backend, httpcore.SyncBackend)


class TestOnce:
    def test_a_connection_that_dies(self, clock):
        """A request whose answer never came is not sent again."""
        stream = FakeStream(clock, (0.0, b""))
        backend = FakeBackend(clock, stream, FakeStream(clock, (0.0, reply())))
        with pytest.raises(httpx.RemoteProtocolError):
            send(client_of(backend))

        assert stream.written.count(b"POST ") == 1
        assert len(backend.connects) == 1

    @pytest.mark.parametrize("failure", [httpcore.ConnectError("no"), httpcore.ConnectTimeout("late")])
    def test_a_connection_that_fails(self, clock, failure):
        """A connection that could not be made is not tried again."""
        backend = FakeBackend(clock, failure, FakeStream(clock, (0.0, reply())))
        with pytest.raises((httpx.ConnectError, httpx.ConnectTimeout)):
            send(client_of(backend))

        assert len(backend.connects) == 1

    def test_a_kept_connection_that_dies(self, clock):
        """A kept connection that turns out dead after the request was written is not replaced by a second try."""
        stream = FakeStream(clock, (0.0, reply()), (0.0, httpcore.ReadError("reset")))
        backend = FakeBackend(clock, stream, FakeStream(clock, (0.0, reply())))
        client = client_of(backend)
        send(client)
        with pytest.raises(httpx.ReadError):
            send(client)

        assert stream.written.count(b"POST ") == 2
        assert len(backend.connects) == 1

    @pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"303 See Other", b"307 Again", b"308 Moved"])
    def test_a_redirect(self, clock, status):
        """A redirect is not followed: it would carry the credentials to somebody else."""
        stream = FakeStream(clock, (0.0, reply(b"", b"location: /elsewhere", status=status)), (0.0, reply()))
        backend = FakeBackend(clock, stream)
        response, _ = send(client_of(backend))

        assert response.is_redirect
        assert stream.written.count(b"POST ") == 1
        assert len(backend.connects) == 1


class TestNothingIsCarriedOver:
    def test_the_connection_is(self, clock):
        """Later exchanges use the connection of the first: a handshake is saved."""
        stream = FakeStream(clock, (0.0, reply(b"one")), (0.0, reply(b"two")), (0.0, reply(b"three")))
        backend = FakeBackend(clock, stream)
        client = client_of(backend)

        assert [send(client)[1] for _ in range(3)] == [b"one", b"two", b"three"]
        assert len(backend.connects) == 1
        assert not stream.closed

    @pytest.mark.parametrize(
        "answers",
        [
            [reply(b"yes") + reply(b"yes")],
            [reply() + reply()],
            [reply(b"yes") + b"HTTP/1.1 2"],
            [b"HTTP/1.1 100 Continue\r\n\r\n" + reply(b"yes")],
            [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n" + reply(b"yes")],
            [reply(b"yes")[:-2], b"es" + reply(b"yes")],
        ],
        ids=["doubled", "doubled and empty", "half of another", "interim", "chunked and doubled", "in two parts"],
    )
    def test_what_comes_behind_an_answer(self, clock, answers):
        """What came behind an answer is never taken for the next one: that goes over a connection of its own."""
        old, new = FakeStream(clock, *[(0.0, part) for part in answers]), FakeStream(clock, (0.0, reply(b"no")))
        client = client_of(FakeBackend(clock, old, new))
        first, second = send(client)[1], send(client)[1]

        assert (first in (b"yes", b""), second) == (True, b"no")
        assert old.written.count(b"POST ") == 1

    def test_an_idle_connection(self, clock, monkeypatch):
        """A connection that was idle for a minute is closed and not trusted with a command."""
        monkeypatch.setattr("httpcore._sync.http11.time", clock)
        old, new = FakeStream(clock, (0.0, reply(b"old"))), FakeStream(clock, (0.0, reply(b"new")))
        backend = FakeBackend(clock, old, new)
        client = client_of(backend)
        send(client)
        clock.now += KEEPALIVE_SECONDS + 1

        assert send(client)[1] == b"new"
        assert old.closed

    def test_the_time_of_the_first_is_not(self, clock):
        """On a kept connection the second exchange has a time of its own."""
        stream = FakeStream(clock, (1.5, reply(b"one")), (1.5, reply(b"two")))
        client = client_of(FakeBackend(clock, stream))
        send(client)

        assert send(client)[1] == b"two"

    def test_cookies(self, clock):
        """A cookie is never kept, and so never sent with another account's request."""
        cookie = b"set-cookie: session=1; Path=/; Max-Age=9999"
        stream = FakeStream(clock, (0.0, reply(b"", cookie)), (0.0, reply()))
        client = client_of(FakeBackend(clock, stream))
        send(client)
        send(client)

        assert list(client.cookies.jar) == []
        assert stream.written.count(b"POST ") == 2
        assert b"cookie" not in stream.written.lower()

    def test_credentials_are_not_logged(self, clock, caplog):
        """At no level does a log of httpx or httpcore show a credential."""
        for library in ("httpx", "httpcore"):
            caplog.set_level(1, logger=library)  # aws/observability.py holds them at WARNING
        send(client_of(FakeBackend(clock, FakeStream(clock, (0.0, reply(b"paused"))))))

        assert "send_request_headers" in caplog.text
        assert SECRET not in caplog.text
        assert SECRET.rsplit(maxsplit=1)[-1] not in caplog.text

    def test_the_environment_is_not_asked(self, clock, monkeypatch):
        """A proxy in the environment is not used: it would see every command."""
        monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.com:3128")
        monkeypatch.setenv("ALL_PROXY", "http://proxy.example.com:3128")
        backend = FakeBackend(clock, FakeStream(clock, (0.0, reply(b"ok"))))
        send(client_of(backend))

        assert backend.connects[0][1] == 8080


class TestSize:
    @pytest.mark.parametrize("encoding", [b"gzip", b"gzip, gzip", b"deflate", b"br", b"zstd"])
    def test_encoded(self, clock, encoding):
        """An answer that is encoded though nobody asked for that is not unpacked: it may be of any size."""
        stream = FakeStream(clock, (0.0, reply(b"\x1f\x8b", b"content-encoding: " + encoding)))
        with pytest.raises(httpx.RemoteProtocolError, match="not asked for"):
            send(client_of(FakeBackend(clock, stream)))

        assert b"accept-encoding: identity" in stream.written.lower()

    def test_the_largest(self, clock):
        """An answer of the largest size is read whole."""
        body = b"x" * MAX_ANSWER_BYTES
        client = client_of(FakeBackend(clock, FakeStream(clock, (0.0, reply(body)))))

        assert send(client)[1] == body

    def test_too_large(self, clock):
        """A larger answer is given up, and its connection closed."""
        chunk = b"x" * 65_536
        head = b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n"
        stream = FakeStream(clock, (0.0, head), *[(0.0, chunk)] * 100)
        with pytest.raises(httpx.RemoteProtocolError, match="larger than any"):
            send(client_of(FakeBackend(clock, stream)))

        assert stream.closed
        assert len(stream.timeouts) < 25


class TestTrust:
    def test_certifi(self, tmp_path, monkeypatch):
        """Without a folder of roots, a plain checkout say, certifi's are trusted."""
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        monkeypatch.delenv("SSL_CERT_DIR", raising=False)
        context = tls_context(ca_folder=tmp_path / "none")
        ours = ssl.create_default_context(cafile=certifi.where())

        assert context.cert_store_stats() == ours.cert_store_stats()
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname

    def test_a_folder(self, tmp_path):
        """With a folder of roots none is read before it is needed."""
        context = tls_context(ca_folder=tmp_path)

        assert context.cert_store_stats()["x509"] == 0
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname

    def test_a_companys_own(self, tmp_path, monkeypatch):
        """A company's own roots go before the folder."""
        bundle = tmp_path / "own.pem"
        certificate = ssl.create_default_context(cafile=certifi.where()).get_ca_certs(binary_form=True)[0]
        bundle.write_text(ssl.DER_cert_to_PEM_cert(certificate))
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))

        assert tls_context(ca_folder=tmp_path, own_ca=True).get_ca_certs(binary_form=True) == [certificate]

    def test_the_folder_of_the_layer(self):
        """The folder is looked for beside the code, where the layer's build puts it."""
        assert _exchange.CA_FOLDER.parts[-2:] == ("call_recording", "ca")


class TestClient:
    def test_the_transport_of_production(self, monkeypatch):
        """By default connections keep to the exchange's time, nothing below repeats, and TLS is checked."""
        transport = create_client()._transport

        assert isinstance(transport, DeadlineTransport)

        pool = transport._pool

        assert isinstance(pool, httpcore.ConnectionPool)
        assert isinstance(pool._network_backend, DeadlineBackend)
        assert (pool._retries, pool._keepalive_expiry) == (0, KEEPALIVE_SECONDS)
        assert pool._ssl_context is not None
        assert pool._ssl_context.verify_mode is ssl.CERT_REQUIRED

    def test_httpx_still_has_a_pool(self):
        """The pinned httpx keeps its pool where `DeadlineTransport` replaces it."""
        assert isinstance(httpx.HTTPTransport()._pool, httpcore.ConnectionPool)

    @pytest.mark.parametrize("own_ca", [True, False])
    def test_a_companys_own_roots(self, monkeypatch, own_ca):
        """The client trusts a company's own roots where, and only where, the deployment names some."""
        asked = []

        def trusted(*, own_ca: bool) -> ssl.SSLContext:
            asked.append(own_ca)
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

        monkeypatch.setattr(_exchange, "tls_context", trusted)
        create_client(own_ca=own_ca)

        assert asked == [own_ca]

    def test_an_answer_is_closed(self):
        """The answer is closed even if reading it fails."""

        class Broken(httpx.SyncByteStream):
            closed = False

            def __iter__(self):
                yield b"x"
                raise httpx.ReadError("reset")

            def close(self) -> None:
                self.closed = True

        broken = Broken()
        client = create_client(httpx.MockTransport(lambda _: httpx.Response(200, stream=broken)))
        with pytest.raises(httpx.ReadError):
            send(client)

        assert broken.closed
