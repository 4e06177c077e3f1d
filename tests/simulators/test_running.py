"""The process: what it reads, what it prints, when it ends."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from urllib.parse import urlsplit

import pytest

from local.simulators.server import VENDORS, serve

pytestmark = pytest.mark.integration

TIMEOUT_SECONDS = 20


def listening(process):
    """The one line that it prints when it is up."""
    return json.loads(process.stdout.readline())


def origins(addresses) -> list[str]:
    """All its addresses."""
    return [addresses["control"], *addresses["vendors"].values()]


class TestStart:
    """How it begins."""

    def test_prints_one_line_when_every_listener_is_up(self, start_simulators, credentials):
        """The addresses are all of 127.0.0.1, answer at once, and are all that is printed: no key, no log."""
        process = start_simulators({"credentials": credentials})
        addresses = listening(process)
        for origin in origins(addresses):
            socket.create_connection((urlsplit(origin).hostname, urlsplit(origin).port), timeout=20).close()
        output, errors = process.communicate(timeout=TIMEOUT_SECONDS)

        assert list(addresses["vendors"]) == list(VENDORS)
        assert {urlsplit(origin).hostname for origin in origins(addresses)} == {"127.0.0.1"}
        assert (output, errors, process.returncode) == ("", "", 0)

    def test_takes_the_ports_that_it_is_given(self, start_simulators, credentials):
        """A port that is named is used, and 0 and those that are not named are any free one."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            free = probe.getsockname()[1]
        process = start_simulators({"credentials": credentials, "ports": {"control": 0, "bird": free}})

        assert listening(process)["vendors"]["bird"] == f"http://127.0.0.1:{free}"

    def test_reads_an_object_that_comes_in_pieces(self, start_simulators, credentials):
        """It does not wait for the end of its input, nor for a line."""
        written = json.dumps({"credentials": credentials}, indent=1)
        process = start_simulators(written[:100])
        process.stdin.write(written[100:])
        process.stdin.flush()

        assert listening(process)["control"].startswith("http://127.0.0.1:")

    @pytest.mark.parametrize(
        ("configuration", "named"),
        [
            ("", "standard input"),
            ("{", "standard input"),
            ("[]", "credentials"),
            ({}, "credentials"),
            ({"credentials": {}}, "bandwidth"),
            ({"credentials": {}, "more": 1}, "more"),
            ({"credentials": {}, "ports": []}, "ports"),
            ("twilio without its token", "auth_token"),
            ("another vendor", "nobody"),
            ("port of nobody", "nobody"),
            ("port out of range", "twilio"),
            ("port taken", "address already in use"),
        ],
    )
    def test_refuses_what_it_cannot_use_and_repeats_no_value(self, start_simulators, credentials, configuration, named):
        """It ends with 2 and a line that names what is wrong, without printing a key."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            configuration = {
                "twilio without its token": {
                    "credentials": credentials | {"twilio": credentials["twilio"] | {"auth_token": ""}}
                },
                "another vendor": {"credentials": credentials | {"nobody": {}}},
                "port of nobody": {"credentials": credentials, "ports": {"nobody": 1}},
                "port out of range": {"credentials": credentials, "ports": {"twilio": 70000}},
                "port taken": {"credentials": credentials, "ports": {"twilio": taken.getsockname()[1]}},
            }.get(str(configuration), configuration)
            process = start_simulators(configuration)
            output, errors = process.communicate(timeout=TIMEOUT_SECONDS)

        assert (process.returncode, output) == (2, "")
        assert errors.startswith("simulators: ")
        assert errors.count("\n") == 1
        assert named in errors
        assert not any(value in errors for keys in credentials.values() for value in keys.values())


class TestBrokenRequests:
    """What is not even HTTP."""

    @pytest.mark.parametrize("target", ["control", "twilio"])
    def test_break_nothing_and_print_nothing(self, start_simulators, credentials, target):
        """Broken and unfinished requests leave it running, and what they carried, a key perhaps, is printed nowhere."""
        process = start_simulators({"credentials": credentials})
        addresses = listening(process)
        address = urlsplit({"control": addresses["control"], **addresses["vendors"]}[target])
        for request in (
            b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic c2VjcmV0\x00\r\n\r\n",
            b"\x16\x03\x01\x00\r\n\r\n",
            b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
            b"POST /calls HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{",
        ):
            with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
                connection.sendall(request)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
        with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
            connection.sendall(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")

            assert connection.recv(12) in {b"HTTP/1.1 404", b"HTTP/1.1 401"}
        assert process.communicate(timeout=TIMEOUT_SECONDS) == ("", "")


class TestEnd:
    """How it ends."""

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_ends_by_a_signal(self, start_simulators, credentials, number):
        """SIGTERM and SIGINT end it cleanly, and its ports are free again."""
        process = start_simulators({"credentials": credentials})
        addresses = listening(process)
        process.send_signal(number)
        assert process.wait(timeout=TIMEOUT_SECONDS) == 0
        for origin in origins(addresses):
            socket.create_server((urlsplit(origin).hostname, urlsplit(origin).port)).close()

        assert process.stderr.read() == ""

    def test_ends_when_nobody_holds_its_input_any_more(self, start_simulators, credentials):
        """It does not outlive the process that started it."""
        process = start_simulators({"credentials": credentials})
        listening(process)
        process.stdin.close()

        assert process.wait(timeout=TIMEOUT_SECONDS) == 0

    def test_ends_while_an_answer_still_drips(self, start_simulators, credentials):
        """A request that takes its time does not hold it up."""
        process = start_simulators({"credentials": credentials})
        addresses = listening(process)
        control, bird = urlsplit(addresses["control"]), urlsplit(addresses["vendors"]["bird"])
        fault = json.dumps({"vendor": "bird", "action": "any", "effect": {"drip_ms": 300_000}}).encode()
        with (
            socket.create_connection((control.hostname, control.port), timeout=20) as arming,
            socket.create_connection((bird.hostname, bird.port), timeout=20) as waiting,
        ):
            arming.sendall(b"POST /faults HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (len(fault), fault))
            arming.recv(1000)
            keys = credentials["bird"]
            path, key = f"/workspaces/{keys['workspace_id']}", keys["access_key"]
            waiting.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: AccessKey {key}\r\n\r\n".encode())
            waiting.recv(1)
            process.terminate()

            assert process.wait(timeout=TIMEOUT_SECONDS) == 0


def test_runs_inside_a_test_as_well(credentials):
    """`serve` starts them in the running loop, and `close` ends them."""

    async def session() -> tuple[bool, bool]:
        simulators = await serve(credentials)
        address = urlsplit(simulators.vendors["twilio"])
        _, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.close()
        await writer.wait_closed()
        await simulators.close()
        with socket.socket() as probe:
            return True, probe.connect_ex((address.hostname, address.port)) != 0

    assert asyncio.run(session()) == (True, True)
