"""HTTP to the vendors: one exchange, over within a given time whatever the other side does.

httpx has no total timeout.  Its read timeout starts anew with every byte, so an answer that drips
one byte a second never times out, be it in the headers, which httpcore reads in one go, or in the
body.  Here every socket operation gets only what is left of the whole exchange's time.
"""

import socket
import ssl
import time
from collections.abc import Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any, Final, Self

import httpcore
import httpx

#: No vendor's answer about recordings comes near this size, in bytes.
MAX_ANSWER_BYTES: Final = 1024 * 1024

#: Connecting takes one round trip: a vendor that needs longer per address, in seconds, is not reached.
CONNECT_SECONDS: Final = 1.0

#: An idle connection is used again for this long, in seconds: within one command, but not for the resume after a card
#: entry.  A resume is never sent twice, so it must not be lost to a connection that died while the caller typed.
KEEPALIVE_SECONDS: Final = 5.0

#: certifi's roots, one file each under its OpenSSL subject hash: OpenSSL then parses the one root that it
#: needs instead of all (about a tenth of each cold start, `make bench`).  Made by build_layer.py; a plain checkout has none.
CA_FOLDER: Final = Path(__file__).parents[1] / "ca"

SocketOptions = Iterable[tuple[Any, ...]]


class Until(float):
    """A timeout in seconds that knows when it ends, wherever it has been handed on to."""

    ends_at: float

    def __new__(cls, seconds: float) -> Self:
        self = super().__new__(cls, seconds)
        self.ends_at = time.monotonic() + seconds
        return self


def _left(timeout: float | None, too_late: type[Exception]) -> float:
    """Seconds left of *timeout*; raises *too_late* when there are none."""
    if not isinstance(timeout, Until):
        raise TypeError("every exchange with a vendor needs a timeout of type Until")
    if (left := timeout.ends_at - time.monotonic()) <= 0:
        raise too_late("the time for the whole exchange is over")
    return left


class DeadlineStream(httpcore.NetworkStream):
    """A connection on which every operation ends when the exchange must, and that is used again only if it is clean.

    What came behind an answer would be taken for the next one: the yes to one call as the yes to another.
    """

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._received = bytearray()
        self._retired = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        received = self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))
        self._received += received
        return received

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._received.clear()
        self._stream.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def retire_unless(self, body_length: int) -> None:
        """Retire the connection unless it has brought one head and a body of that many bytes, and nothing more.

        A chunked body has more: a vendor that sends those gets a connection for each exchange.
        """
        _, blank_line, rest = bytes(self._received).partition(b"\r\n\r\n")
        if not blank_line or len(rest) != body_length:
            self._retired = True

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable" and self._retired:
            return True  # to httpcore, an idle connection with something to read is one that has ended
        return self._stream.get_extra_info(info)


class DeadlineBackend(httpcore.NetworkBackend):
    """Connects inside the time of the exchange, however many addresses a name has."""

    def __init__(self, backend: httpcore.NetworkBackend | None = None) -> None:
        self._backend = backend or httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> httpcore.NetworkStream:
        """Try the addresses of *host* in order, each for `CONNECT_SECONDS` at most.

        The system's resolver has no timeout that Python could set: see docs/architecture.md.
        """
        try:
            addresses = dict.fromkeys(info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as exc:
            raise httpcore.ConnectError(str(exc)) from exc
        failure: Exception = httpcore.ConnectError("the name has no address")
        for address in addresses:
            left = min(CONNECT_SECONDS, _left(timeout, httpcore.ConnectTimeout))
            try:
                stream = self._backend.connect_tcp(str(address), port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                failure = exc
            else:
                return DeadlineStream(stream)
        raise failure


class DeadlineTransport(httpx.HTTPTransport):
    """httpx's transport on connections that keep to the exchange's time."""

    def __init__(self, context: ssl.SSLContext, backend: httpcore.NetworkBackend | None = None) -> None:
        super().__init__(verify=context)
        # httpx offers no way to hand over a network backend; httpcore does.  A test holds this to the pinned versions.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=8,
            keepalive_expiry=KEEPALIVE_SECONDS,
            retries=0,  # nothing below us repeats a command
            network_backend=DeadlineBackend(backend),
        )


def tls_context(*, ca_folder: Path = CA_FOLDER, own_ca: bool = False) -> ssl.SSLContext:
    """Return what vendors' certificates are checked against.

    *own_ca* says that SSL_CERT_FILE or SSL_CERT_DIR names a company's own roots, which httpx reads by itself.
    """
    if own_ca or not ca_folder.is_dir():
        return httpx.create_ssl_context()
    return ssl.create_default_context(capath=str(ca_folder))


def create_client(transport: httpx.BaseTransport | None = None, *, own_ca: bool = False) -> httpx.Client:
    """Return the one client that all vendors of all accounts share."""
    return httpx.Client(
        transport=transport or DeadlineTransport(tls_context(own_ca=own_ca)),
        # answers are small: compression would only hide how large one becomes
        headers={"user-agent": "offtape", "accept": "application/json", "accept-encoding": "identity"},
        # a cookie that one account's vendor sets must never travel with another account's request
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        follow_redirects=False,
    )


def exchange(client: httpx.Client, request: httpx.Request, timeout: float) -> tuple[httpx.Response, bytes]:
    """Send *request* once and return the whole answer, or raise an httpx.HTTPError within *timeout* seconds."""
    until = Until(timeout)
    request.extensions["timeout"] = {"connect": until, "read": until, "write": until, "pool": until}
    try:
        response = client.send(request, stream=True)
    except (httpx.InvalidURL, ValueError) as exc:
        # httpx follows no redirect, but looks at where one points, and trips over some addresses
        raise httpx.RemoteProtocolError("the answer redirects to what is no address") from exc
    try:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise httpx.RemoteProtocolError("the answer is encoded in a way that was not asked for")
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise httpx.RemoteProtocolError("the answer is larger than any that is documented")
        stream = response.extensions.get("network_stream")
        if isinstance(stream, DeadlineStream):
            stream.retire_unless(len(body))
    finally:
        response.close()
    return response, bytes(body)
