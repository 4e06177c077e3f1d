"""The requests that the simulated platforms make: their keys, what they say of a call, and how they are sent."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from local.simulators import outgoing
from local.simulators.outgoing import ForeignUrlError, Outgoing, send
from local.simulators.server import VENDORS
from local.simulators.world import World

pytestmark = pytest.mark.integration

URL = "http://127.0.0.1:8080/told?account=demo"
NOON = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture(name="world")
def _world():
    return World(clock=lambda: NOON)


@pytest.fixture(name="vendors")
def _vendors(world, credentials):
    """Each vendor by itself, without a socket."""
    return {name: vendor(world, credentials[name]) for name, vendor in VENDORS.items()}


class TestKeys:
    """The keys that sign."""

    @pytest.mark.parametrize("vendor", ["signalwire", "bird"])
    def test_without_a_key_nothing_is_signed(self, world, credentials, vendor):
        """A configuration that names no key still does: its requests carry no signature."""
        without = {name: value for name, value in credentials[vendor].items() if name != "signing_key"}
        requests = [
            getattr(VENDORS[vendor](world, without), make)(URL, {"a": "b"}) for make in ("callback", "json_callback")
        ]

        assert [list(request.headers) for request in requests] == [["Content-Type"], ["Content-Type"]]

    @pytest.mark.parametrize("vendor", ["signalwire", "bird"])
    def test_stay_when_the_credentials_rotate(self, vendors, credentials, vendor):
        """A signing key is no key of the API, and is replaced only by another."""
        before = vendors[vendor].callback(URL, {}).headers
        keys = {name: value for name, value in credentials[vendor].items() if name != "signing_key"}
        vendors[vendor].rotate(keys)
        kept = vendors[vendor].callback(URL, {}).headers
        vendors[vendor].rotate(keys | {"signing_key": "another"})

        assert kept == before
        assert vendors[vendor].callback(URL, {}).headers != before

    @pytest.mark.parametrize("value", ["", 1, None])
    def test_one_that_is_named_must_be_one(self, vendors, credentials, value):
        """What is no key is refused by its name, and not repeated."""
        with pytest.raises(ValueError, match="credentials of bird: 'signing_key' must be a string that is not empty"):
            vendors["bird"].rotate(credentials["bird"] | {"signing_key": value})


class TestCommonFields:
    """What every request about a call says of it."""

    @pytest.fixture(name="legs")
    def _legs(self, world):
        def legs(vendor):
            options = vendor.call_options({})
            parent = world.start_call(vendor=vendor.name, call_id="parent", options=options)
            return parent, world.start_call(vendor=vendor.name, call_id="child", parent=parent, options=options)

        return legs

    @pytest.mark.parametrize(("vendor", "account", "dialled"), [
        ("twilio", "account_sid", "outbound-dial"), ("signalwire", "project_id", "outbound")
    ])  # fmt: skip
    def test_of_twilio_and_of_cxml(self, vendors, credentials, legs, world, vendor, account, dialled):
        """The fields of TwiML's requests; a child leg names its parent."""
        parent, child = legs(vendors[vendor])
        fields = {
            "CallSid": "parent",
            "AccountSid": credentials[vendor][account],
            "From": "+15005550100",
            "To": "+15005550199",
            "CallStatus": "in-progress",
            "ApiVersion": "2010-04-01",
            "Direction": "inbound",
        }

        assert vendors[vendor].common_fields(parent) == fields
        assert vendors[vendor].common_fields(child) == fields | {
            "CallSid": "child",
            "Direction": dialled,
            "ParentCallSid": "parent",
        }
        world.end(parent)
        assert vendors[vendor].common_fields(parent)["CallStatus"] == "completed"

    def test_of_bandwidth(self, vendors, credentials, legs):
        """All that its callbacks share, but not what kind of event it is."""
        parent, child = legs(vendors["bandwidth"])
        account = credentials["bandwidth"]["account_id"]
        fields = vendors["bandwidth"].common_fields(parent)

        assert fields == {
            "accountId": account,
            "applicationId": "04e88489-df02-4e34-a0ee-27a91849555f",
            "from": "+15005550100",
            "to": "+15005550199",
            "direction": "inbound",
            "callId": "parent",
            "callUrl": f"https://voice.bandwidth.com/api/v2/accounts/{account}/calls/parent",
            "startTime": "2030-01-01T00:00:00.000Z",
            "answerTime": "2030-01-01T00:00:00.000Z",
        }
        assert (
            vendors["bandwidth"].common_fields(child).items() >= {"parentCallId": "parent", "callId": "child"}.items()
        )

    def test_of_bird(self, vendors, credentials, legs):
        """The call with its channel and its workspace."""
        parent, _ = legs(vendors["bird"])
        keys = credentials["bird"]

        assert vendors["bird"].common_fields(parent).items() >= {
            "id": "parent", "channelId": keys["channel_id"], "workspaceId": keys["workspace_id"], "status": "ongoing",
        }.items()  # fmt: skip


def request_to(url: str, **changes) -> Outgoing:
    """A request with something to lose on the way."""
    return Outgoing(**{"method": "POST", "url": url, "headers": {"X-Of-Ours": "1"}, "body": b"{}"} | changes)


@contextlib.asynccontextmanager
async def customer(answer):
    """A customer's server on this machine, by its URL; afterwards our connections are closed, too."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(application, host="127.0.0.1") as server:
        try:
            yield str(server.make_url("")).rstrip("/")
        finally:
            await outgoing.close()


class TestSend:
    """Sending one request."""

    def test_arrives_as_it_is(self):
        """Method, URL, headers and body arrive byte for byte, and the answer comes back."""
        came = []

        async def answer(request):
            came.append((request.method, request.raw_path, request.headers["X-Of-Ours"], await request.read()))
            return web.Response(status=202, body=b"<Response/>", content_type="text/xml")

        async def scenario():
            async with customer(answer) as url:
                return await send(request_to(f"{url}/a%2fb/%41?x=%7e+%20&y=;"), timeout_seconds=5)

        sent = asyncio.run(scenario())

        assert came == [("POST", "/a%2fb/%41?x=%7e+%20&y=;", "1", b"{}")]
        assert (sent.status, sent.content_type, sent.body) == (202, "text/xml", b"<Response/>")

    def test_does_not_follow_a_redirect(self):
        """A redirect is an answer like any other."""
        asked = []

        async def answer(request):
            asked.append(request.path)
            return web.Response(status=307, headers={"Location": "/other"})

        async def scenario():
            async with customer(answer) as url:
                return await send(request_to(f"{url}/first"), timeout_seconds=5)

        assert asyncio.run(scenario()).status == 307
        assert asked == ["/first"]

    def test_waits_no_longer_than_it_is_told(self):
        """One who does not answer in time has not answered."""

        async def answer(_):
            await asyncio.sleep(0.3)
            return web.Response()

        async def scenario():
            async with customer(answer) as url:
                return await send(request_to(url), timeout_seconds=0.05)

        assert asyncio.run(scenario()).status == 0

    def test_nobody_there_is_no_answer(self):
        """A connection that is refused is no answer, and no error."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{taken.getsockname()[1]}/"

            async def scenario():
                sent = await send(request_to(url), timeout_seconds=5)
                await outgoing.close()
                return sent

            assert asyncio.run(scenario()).status == 0

    @pytest.mark.parametrize("url", [
        "https://127.0.0.1/", "http://127.0.0.2/", "http://example.com/", "http://127.0.0.1.example.com/", "//127.0.0.1/",
        "http://127.0.0.1@example.com/", "http://example.com#@127.0.0.1/", "http://[::1/", "http://127.0.0.1:99999/",
        "http://127.0.0.1/a b", "http://127.0.0.1/\n", "http://127.0.0.1/é", "ftp://127.0.0.1/", "",
        "http://127.0.0.1\\@example.com/",
    ])  # fmt: skip
    def test_never_leaves_the_machine(self, url):
        """Every URL but one of this machine's loopback is refused, without repeating it."""
        with pytest.raises(ForeignUrlError) as refused:
            asyncio.run(send(request_to(url), timeout_seconds=5))

        assert str(refused.value) == "must be a URL of http://127.0.0.1 or http://localhost"

    def test_says_nothing_of_what_it_carries(self, vendors):
        """Neither a request's keys nor its body are in its repr, nor are an answer's."""
        request = vendors["twilio"].callback("http://demo:secret@127.0.0.1/", {"Digits": "4111"})
        shown = repr((request, outgoing.Sent(status=200, body=b"4111")))

        assert all(each not in shown for each in ("secret", "4111", request.headers["X-Twilio-Signature"]))
