"""Stands before a server of the local stack: counts what is asked of it, and speaks TLS in its place."""

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from typing import Final

CHUNK_BYTES: Final = 65536


class Relay:
    """Passes bytes on, and counts phrases in those that go to the server."""

    def __init__(self, port: int, *, phrases: tuple[bytes, ...] = (), tls: ssl.SSLContext | None) -> None:
        self._port = port
        self._phrases = phrases
        self._tls = tls
        self.counts: Counter[bytes] = Counter()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Listen, and give the URL."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0, ssl=self._tls)
        try:
            yield f"{'https' if self._tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._port)
        await asyncio.gather(self._pass_on(reader, server_writer, self._phrases), self._pass_on(server_reader, writer))

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, phrases: tuple[bytes, ...] = ()
    ) -> None:
        tails = dict.fromkeys(phrases, b"")
        # A process that is killed ends its connections as it likes.
        with contextlib.suppress(OSError), contextlib.closing(writer):
            while chunk := await reader.read(CHUNK_BYTES):
                for phrase, tail in tails.items():
                    seen = tail + chunk
                    self.counts[phrase] += seen.count(phrase)
                    tails[phrase] = seen[1 - len(phrase) :]  # too short to hold it, long enough for all but its end
                writer.write(chunk)
                await writer.drain()
