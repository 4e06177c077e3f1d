"""What holds for every flow, whatever its language: what may be asked, how long it may take, and how it may end."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import secrets
import threading

import pytest

from local.simulators.outgoing import NO_ANSWER
from local.simulators.players.expressions import holds
from local.simulators.players.play import Play, Start, UnplayableError, perform
from local.simulators.plays import LANGUAGES
from local.simulators.server import VENDORS
from local.simulators.world import World
from tests.simulators.conftest import Control, fresh_credentials
from tests.simulators.customer import did, play, serving

DOCUMENTS = {
    "twiml": "<Response><Redirect>{url}</Redirect></Response>",
    "cxml": "<Response><Redirect>{url}</Redirect></Response>",
    "bxml": '<Bxml><Redirect redirectUrl="{url}"/></Bxml>',
    "studio": {
        "states": [
            {"name": "Trigger", "transitions": [{"event": "incomingCall", "next": "a"}]},
            {"name": "a", "type": "make-http-request", "properties": {"method": "POST", "url": "{url}"}},
        ]
    },
    "swml": '{{"sections": {{"main": [{{"request": {{"url": "{url}", "method": "POST"}}}}]}}}}',
    "bird": {"steps": [{"name": "a", "type": "http-request", "url": "{url}"}]},
}


def asking(language, url):
    """A flow that asks one URL and ends."""

    def filled(value):
        if isinstance(value, dict):
            return {name: filled(each) for name, each in value.items()}
        if isinstance(value, list):
            return [filled(each) for each in value]
        return value.replace("{url}", url)

    document = DOCUMENTS[language]
    return document.format(url=url) if isinstance(document, str) else filled(document)


@pytest.mark.integration
class TestRequest:
    """What the control API takes."""

    @pytest.mark.parametrize(
        ("asked", "named"),
        [
            ({}, "language"),
            ({"language": "bxml", "document": ""}, "twiml, studio"),
            ({"language": "twiml"}, "url"),
            ({"language": "twiml", "url": "http://127.0.0.1/", "document": ""}, "exactly one"),
            ({"language": "twiml", "url": "https://example.com/user"}, "'url'"),
            ({"language": "twiml", "document": "", "fallback_url": "http://example.com/"}, "'fallback_url'"),
            ({"language": "twiml", "document": ["a"]}, "document"),
            ({"language": "twiml", "document": "", "caller": "1"}, "caller"),
            ({"language": "twiml", "document": "", "caller": [1]}, "caller"),
            ({"language": "twiml", "document": "", "caller": ["1"] * 101}, "caller"),
            ({"language": "twiml", "document": "", "speed": 2}, "speed"),
            ({"language": "studio", "url": "http://127.0.0.1/"}, "url"),
            ({"language": "studio", "document": {}, "fallback_url": "http://127.0.0.1/"}, "fallback_url"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, control, asked, named):
        """And repeats no value."""
        call = control.start_call("twilio")
        answer = control.post(f"/calls/{call['call_id']}/play", asked)

        assert answer.status == 400
        assert named in answer.json["error"]
        assert "example.com" not in answer.json["error"]

    def test_plays_nothing_on_a_call_that_is_over_or_unknown(self, control):
        """409, and 404."""
        call = control.start_call("twilio", status="completed")
        asked = {"language": "twiml", "document": "<Response/>"}

        assert control.post(f"/calls/{call['call_id']}/play", asked).status == 409
        assert control.post("/calls/nobody/play", asked).status == 404

    def test_plays_one_flow_at_a_time_on_a_call(self, control):
        """A second one is refused, and everything else is served meanwhile."""
        call, other = control.start_call("twilio"), control.start_call("twilio")
        asked = {"language": "twiml", "document": "<Response/>"}
        answers = []

        def meanwhile(_):
            answers.append(control.post(f"/calls/{call['call_id']}/play", asked).status)
            answers.append(control.post(f"/calls/{other['call_id']}/play", asked).status)
            answers.append(control.say(call, "hello").status)
            return 200, "text/xml", "<Response/>"

        with serving() as customer:
            told = play(control, call, "twiml", url=customer.url("/meanwhile", meanwhile))

        assert (told["error"], answers) == (None, [409, 200, 200])
        assert control.post(f"/calls/{call['call_id']}/play", asked).status == 409

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_a_call_may_end_while_its_flow_waits(self, control, language):
        """The caller hangs up during a request: nothing more is played."""
        call = control.start_call(LANGUAGES[language].vendor)

        def hang_up(_):
            control.end(call)
            return 200, "text/xml", "<Response><Say>Hello?</Say></Response>"

        with serving() as customer:
            told = play(control, call, language, document=asking(language, customer.url("/slow", hang_up)))

        assert "fetched /slow 200" in did(told)
        assert not any(entry["did"] == "said" for entry in told["transcript"])
        assert told["ended"]

    def test_ends_with_the_simulators(self, start_simulators, credentials):
        """A flow that still waits does not hold them up."""
        process = start_simulators({"credentials": credentials})
        control = Control(json.loads(process.stdout.readline())["control"])
        call = control.start_call("twilio")
        waiting, release = threading.Event(), threading.Event()

        def stall(_):
            waiting.set()
            release.wait(20)
            return 200, "text/xml", "<Response/>"

        def start(url):
            # The connection ends with the simulators, in whatever way.
            with contextlib.suppress(OSError, http.client.HTTPException):
                control.post(f"/calls/{call['call_id']}/play", {"language": "twiml", "url": url})

        with serving() as customer:
            player = threading.Thread(target=start, args=(customer.url("/stall", stall),))
            player.start()
            assert waiting.wait(20)
            process.terminate()
            ended = process.wait(timeout=10)
            release.set()
            player.join()

        assert (ended, process.stderr.read()) == (0, "")


@pytest.mark.integration
@pytest.mark.parametrize(
    ("language", "document"),
    [
        ("studio", {"states": [{"name": "Trigger", "transitions": 1}]}),
        ("swml", {"sections": {"main": [{"request": {"url": "http://127.0.0.1/", "method": "GET", "headers": 1}}]}}),
        ("swml", {"sections": {"main": [{"request": {"url": "http://127.0.0.1/", "method": "GET", "timeout": "x"}}]}}),
        ("bird", {"steps": [{"name": "a", "type": "http-request", "url": 1}]}),
    ],
)
def test_a_malformed_flow_is_told_apart(control, language, document):
    """The player says that the flow is at fault, rather than break; the call stays as it is."""
    told = play(control, control.start_call(LANGUAGES[language].vendor), language, document=document)

    assert told["error"].startswith("the flow is not of its language's form")
    assert not told["ended"]


class Line:
    """Stands for the network: keeps how long the platform would have waited, and answers nothing."""

    def __init__(self, *, stuck: bool = False) -> None:
        self.timeouts: list[float] = []
        self.stuck = stuck

    async def __call__(self, outgoing, *, timeout_seconds):
        """Send nothing."""
        self.timeouts.append(timeout_seconds)
        if self.stuck:
            await asyncio.Event().wait()
        return NO_ANSWER


def performed(language, line, **limits):
    """Play a flow that asks one URL, without a network."""
    world, vendor = World(), VENDORS[LANGUAGES[language].vendor]
    platform = vendor(world, fresh_credentials()[vendor.name])
    options = {"channel_id": "channel"} if vendor.name == "bird" else {}
    call = world.start_call(vendor=vendor.name, call_id=secrets.token_hex(4), options=options)
    played = Play(world=world, vendor=platform, call=call, caller=[], send=line)
    start = Start(document=asking(language, "http://127.0.0.1/asked"))
    return call, asyncio.run(perform(LANGUAGES[language].player, played, start, **limits))


class TestTime:
    """How long things may take."""

    @pytest.mark.parametrize(
        ("language", "seconds"),
        [("twiml", 15), ("cxml", 5), ("bxml", 15), ("studio", 10), ("swml", 60), ("bird", 10)],
    )
    def test_each_platform_waits_as_long_as_it_does(self, language, seconds):
        """SWML's request waits for ever if it says nothing, which ends with the play."""
        line = Line()
        performed(language, line)

        assert line.timeouts == [seconds]

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_a_play_that_takes_too_long_is_given_up(self, language):
        """The call stays as it is."""
        call, error = performed(language, Line(stuck=True), seconds=0.02)

        assert error == "more than 0.02 seconds"
        assert not call.over


class TestConditions:
    """The part of JavaScript that SWML's conditions may use."""

    KNOWN = {
        "code": 200,
        "text": "200",
        "result": "success",
        "none": None,
        "yes": True,
        "list": ["a"],
        "deep": {"er": 1},
    }

    @pytest.mark.parametrize(
        ("condition", "true"),
        [
            ("result == 'success' && code == 200", True),
            ('result == "failed" || code === 200', True),
            ("text == 200", True),
            ("text === 200", False),
            ("text !== 200", True),
            ("result == 200", False),
            ("!(code != 200)", True),
            ("code >= 200 && code < 300", True),
            ("code > 200 || code <= 199", False),
            ("result < 3", False),
            ("none == null", True),
            ("unknown == undefined", True),
            ("unknown == 0", False),
            ("yes == true && !false", True),
            ("yes", True),
            ("unknown.path", False),
            ("deep.er == 1", True),
            ("list.0 == 'a'", True),
        ],
    )
    def test_computes_as_javascript_would(self, condition, true):
        """With texts, numbers and paths."""
        assert holds(condition, self.KNOWN) is true

    @pytest.mark.parametrize(
        "condition", ["", "code ==", "(code", "code code", "code + 1", "code == ${a}", "&& code", "'a"]
    )
    def test_refuses_what_it_does_not_know(self, condition):
        """Rather than guess which way a call goes."""
        with pytest.raises(UnplayableError):
            holds(condition, self.KNOWN)
