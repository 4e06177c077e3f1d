"""Runs a function as Lambda does: an awslambdaric process that asks a Runtime API for work.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

The emulator of the local stack has a Runtime API too. This one is smaller and keeps its connections open, and so adds
half a millisecond to an invocation, always the same one.
"""

import asyncio
import contextlib
import json
import os
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

PREFIX: Final = "/2018-06-01/runtime"
ARN: Final = "arn:aws:lambda:eu-west-1:000000000000:function:bench"
#: As template.yaml has it.
TIMEOUT_SECONDS: Final = 10.0
#: A machine that is busy with something else may take this long to start a process.
INIT_SECONDS: Final = 30.0


class FunctionFailedError(Exception):
    """The function did not answer; the message is what it reported, or what it logged last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """What is deployed."""

    #: An interpreter that has awslambdaric and nothing else.
    python: Path
    #: The folder that becomes /var/task.
    task: Path
    #: What becomes /opt/python, and after it what the managed runtime brings.
    packages: tuple[Path, ...]
    handler: str
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Invocation:
    """An event on its way to the process, and the place for its answer."""

    request_id: str
    event: bytes
    answer: asyncio.Future[bytes]


class ExecutionEnvironment:
    """One process of a function."""

    def __init__(self, function: Function, log: Path) -> None:
        self._function = function
        self._log = log
        self._asked_for_work: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._work: asyncio.Queue[Invocation | None] = asyncio.Queue()
        self._current: Invocation | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["ExecutionEnvironment"]:
        """Start the process, and wait until it asks for work: the end of its init."""
        # asyncio sets TCP_NODELAY on every connection: small answers leave at once.
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        variables = self._variables(server.sockets[0].getsockname()[1])
        command = [str(self._function.python), "-m", "awslambdaric", self._function.handler]
        with self._log.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=self._function.task,
                env=variables,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            await self._within(INIT_SECONDS, self._asked_for_work)
            yield self
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            self._work.put_nowait(None)  # Nobody waits for more.
            server.close()

    async def invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Hand over an event, and return the answer."""
        invocation = Invocation(
            str(uuid.uuid4()), json.dumps(event).encode(), asyncio.get_running_loop().create_future()
        )
        self._work.put_nowait(invocation)
        answer = json.loads(await self._within(TIMEOUT_SECONDS, invocation.answer))
        assert isinstance(answer, dict)
        return answer

    async def _within(self, seconds: float, awaited: asyncio.Future[Any]) -> Any:
        try:
            return await asyncio.wait_for(awaited, seconds)
        except TimeoutError:
            logged = "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])
            raise FunctionFailedError(f"no answer within {seconds:.0f} s; the function logged:\n{logged}") from None

    def _variables(self, port: int) -> dict[str, str]:
        """Give the process the variables of Lambda, none of this machine's but PATH."""
        return {
            "PATH": os.environ["PATH"],
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": os.pathsep.join(map(str, self._function.packages)),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's file system is read-only.
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
            "AWS_LAMBDA_FUNCTION_NAME": "bench",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_LEVEL": "INFO",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "LAMBDA_TASK_ROOT": str(self._function.task),
            "_HANDLER": self._function.handler,
            **self._function.variables,
        }

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection of the process, request after request."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError), contextlib.closing(writer):
            while request_line := await reader.readline():
                method, path, _ = request_line.decode().split()
                body = await _body(reader, await _headers(reader))
                if (method, path) == ("GET", f"{PREFIX}/invocation/next"):
                    answer = await self._next()
                    if not answer:
                        return
                else:
                    answer = self._take(path.removeprefix(PREFIX), body)
                writer.write(answer)
                await writer.drain()

    async def _next(self) -> bytes:
        if not self._asked_for_work.done():
            self._asked_for_work.set_result(None)
        self._current = await self._work.get()
        if self._current is None:
            return b""
        headers = {
            "Lambda-Runtime-Aws-Request-Id": self._current.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + TIMEOUT_SECONDS) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
        }
        return _answer("200 OK", self._current.event, headers)

    def _take(self, path: str, body: bytes) -> bytes:
        """Take an answer, or an error of the function or of its init."""
        if path == "/init/error":
            self._asked_for_work.set_exception(FunctionFailedError(body.decode()))
        elif self._current is None or not path.startswith(f"/invocation/{self._current.request_id}/"):
            return _answer("400 Bad Request", b'{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}')
        elif path.endswith("/response"):
            self._current.answer.set_result(body)
        else:
            self._current.answer.set_exception(FunctionFailedError(body.decode()))
        return _answer("202 Accepted", b'{"status":"OK"}')


async def _headers(reader: asyncio.StreamReader) -> dict[str, str]:
    headers = {}
    while line := (await reader.readline()).decode().strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return headers


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await _headers(reader)  # of the trailer
    return body


def _answer(status: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body
