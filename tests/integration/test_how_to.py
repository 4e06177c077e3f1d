"""What the pages of docs/how-to say to paste, pasted: filled in as they say, and played by the simulated platforms."""

import json
import re
import secrets as random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.integration.calls import NO_ROOTS, Json, SimulatedCall, eventually

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
CARD = "4111 1111 1111 1111#"
GREETING, THANKS = "Hello. This call is recorded.", "Thank you, goodbye."
#: A flow of several slow answers.
PLAY_SECONDS = 45.0

BLOCK = re.compile(r"^<!-- played: ([a-z ]+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"https://(?:USER:PASSWORD@)?HOST|https(?:://|%3A%2F%2F)IVR|ACCOUNT|USER|PASSWORD|TOKEN|AGENT")

REFUSED = {"status": 500, "apply": False}
NEVER_APPLIED = {"apply": False}


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a page is about."""

    vendor: str
    language: str
    #: Whether what it says to paste starts the recording; elsewhere the company's server has.
    records: bool = False
    #: Which of its documents the platform asks for when it cannot have another.
    fallback: str | None = None


PAGES: Mapping[str, Page] = {
    "bandwidth-bxml": Page(vendor="bandwidth", language="bxml", records=True),
    "bird-flow": Page(vendor="bird", language="bird"),
    "signalwire-cxml": Page(vendor="signalwire", language="cxml", fallback="agent"),
    "signalwire-swml": Page(vendor="signalwire", language="swml"),
    "twilio-studio": Page(vendor="twilio", language="studio", records=True),
    "twilio-twiml": Page(vendor="twilio", language="twiml", records=True, fallback="agent"),
}


class Pasted:
    """One page, followed by somebody who has an account and a server of their own."""

    def __init__(self, name: str, stack: Json, manager: Any) -> None:
        self.page = PAGES[name]
        self.account = f"how-to-{random.token_hex(6)}"
        self._stack = stack
        self._home = f"{stack['ivr']}/{self.account}"
        self._basic = {"username": "ivr", "password": random.token_hex(24)}
        self._token = random.token_hex(24)
        self._blocks = dict(BLOCK.findall((HOW_TO / f"{name}.md").read_text()))
        manager.create_secret(Name=f"call-recording/{self.account}", SecretString=json.dumps(self._secret(manager)))

    def start_call(self, **options: Any) -> SimulatedCall:
        """A call comes in, whose events go where the page says."""
        callbacks: Json = {"url": self._filled("webhook").strip(), **(self._basic if self._needs_basic else {})}
        recordings = 0 if self.page.records else 1
        options = {"recordings": recordings, "callbacks": callbacks, **options}
        return SimulatedCall(self._stack, self.page.vendor, account=(self.account, self._token), **options)

    def play(self, call: SimulatedCall, *caller: str, account: str | None = None) -> Json:
        """The platform plays what was pasted. *account*: what stands where its name should."""
        asked: Json = {"language": self.page.language, "caller": caller}
        if "flow" in self._blocks:
            flow = self._filled("flow", account)
            asked["document"] = flow if self.page.language == "swml" else json.loads(flow)
        else:
            for name in self._blocks.keys() - {"secret", "webhook"}:
                self._serve(name, self._filled(name, account))
            # this document is the server's to choose
            if "keyed with digits" in self._blocks:
                self._serve("keyed", self._filled("keyed with digits" if caller else "unpaid", account))
            asked["url"] = f"{self._home}/start"
        if self.page.fallback:
            asked["fallback_url"] = f"{self._home}/{self.page.fallback}"
        return self._control("POST", f"/calls/{call.call_id}/play", asked).json()

    @property
    def _needs_basic(self) -> bool:
        """Bandwidth signs nothing."""
        return self.page.vendor == "bandwidth"

    def _serve(self, name: str, document: str) -> None:
        served = {"path": f"/{self.account}/{quote(name)}", "content_type": "application/xml", "body": document}
        self._control("PUT", "/ivr/documents", served)

    def _control(self, method: str, path: str, body: Json) -> httpx.Response:
        url = self._stack["control"] + path
        answer = httpx.request(method, url, json=body, timeout=PLAY_SECONDS, verify=NO_ROOTS)
        assert answer.is_success, answer.text
        return answer

    def _filled(self, block: str, account: str | None = None) -> str:
        api, userinfo = self._stack["api"], ":".join(self._basic.values())
        places = {
            "https://HOST": api,
            "https://USER:PASSWORD@HOST": api.replace("://", f"://{userinfo}@"),
            "https://IVR": self._home,
            "https%3A%2F%2FIVR": quote(self._home, safe=""),
            "ACCOUNT": account or self.account,
            "USER": self._basic["username"],
            "PASSWORD": self._basic["password"],
            "TOKEN": self._token,
            "AGENT": "+15005550100",
        }
        return PLACE.sub(lambda place: places[place[0]], self._blocks[block])

    def _secret(self, manager: Any) -> Json:
        """What the page says to store, with the vendor's own keys, and the simulated vendor's address."""
        stored = manager.get_secret_value(SecretId=f"call-recording/demo-{self.page.vendor}")["SecretString"]
        document, demo = json.loads(self._filled("secret")), json.loads(stored)
        document["credentials"] = {name: demo["credentials"][name] for name in document["credentials"]}
        named = document["inbound"].get("signing_keys", [])
        document["inbound"]["signing_keys"] = demo["inbound"]["signing_keys"][: len(named)]
        document.setdefault("settings", {})["api_url"] = demo["settings"]["api_url"]
        return document


@pytest.fixture(name="manager", scope="module")
def _manager(aws):
    return aws("secretsmanager")


@pytest.fixture(name="pasted", params=list(PAGES))
def _pasted(request, stack, manager):
    return Pasted(request.param, stack, manager)


def did(told: Json) -> list[str]:
    """The transcript in short: what was asked of Offtape and what it answered, whether the caller was asked, how it ended."""
    short = []
    for each in told["transcript"]:
        event = each.get("path", "").rpartition("/")[2]
        if each["did"] == "fetched" and event in {"entered", "left"}:
            short.append(f"{event} {each['status']}")
        elif each["did"] == "asked":
            short.append("answered" if each["answered"] else "asked")
        elif each["did"] in {"hung up", "handed on"}:
            short.append(each["did"])
    return short


def heard_again(call: SimulatedCall) -> bool:
    """Whether a tape hears what is said from now on."""
    return eventually(lambda: call.say("can you hear me?") != [], 20)


def markup(pasted: Pasted) -> bool:
    """Whether the answers are documents, whose status says nothing."""
    return pasted.page.language in {"bxml", "cxml", "twiml"}


def test_each_page_is_played():
    """No page tells somebody to paste what nobody has tried."""
    pages = {path.stem for path in HOW_TO.glob("*.md")} - {"README"}

    assert pages == set(PAGES)
    for name in pages:
        blocks = BLOCK.findall((HOW_TO / f"{name}.md").read_text())
        assert len(blocks) == len(dict(blocks)) == (HOW_TO / f"{name}.md").read_text().count("<!-- played: ")


class TestPasted:
    """What is pasted."""

    def test_the_card_is_asked_for_while_the_tape_is_paused(self, pasted):
        """And not before; afterwards the tape runs again, and the vendor's events are let in."""
        call = pasted.start_call()
        told = pasted.play(call, CARD)

        assert (did(told), told["error"]) == (["entered 200", "answered", "left 200", "hung up"], None)
        (heard,) = call.heard()
        assert heard == [GREETING, THANKS]
        assert eventually(lambda: len(call.shown()["callbacks"]) > 1)
        assert {each["status"] // 100 for each in call.shown()["callbacks"]} == {2}

    def test_a_caller_who_gives_no_card_gets_an_agent(self, pasted):
        """The step is left all the same, and the tape runs again."""
        call = pasted.start_call()
        told = pasted.play(call)

        assert (did(told), told["error"]) == (["entered 200", "asked", "left 200", "handed on"], None)
        assert heard_again(call)

    @pytest.mark.parametrize("effect", [REFUSED, NEVER_APPLIED])
    def test_without_proof_nobody_is_asked(self, pasted, effect):
        """The call goes to the agent; a vendor that shows nothing is not found out, but its document pauses as well."""
        call = pasted.start_call()
        call.fault("pause", times=100, **effect)
        told = pasted.play(call, CARD)

        if (pasted.page.vendor, effect) == ("bandwidth", NEVER_APPLIED):
            assert did(told) == ["entered 200", "answered", "left 200", "hung up"]
            assert call.heard() == [[GREETING, THANKS]]
            return
        # while a pause may yet be carried out no resume is proven: `left` is unknown then, and the flow goes on
        assert (did(told)[1] in {"left 200", "left 504"}, did(told)[2:], told["error"]) == (True, ["handed on"], None)
        assert (did(told)[0] == "entered 200") is markup(pasted)
        assert heard_again(call)
        assert not any(character.isdigit() for text in call.heard()[0] for character in text)

    def test_the_flow_goes_on_if_leaving_fails(self, pasted):
        """The caller does not wait for a resume that Offtape repeats."""
        call = pasted.start_call()
        call.fault("resume", times=100, **REFUSED)
        told = pasted.play(call, CARD)

        assert did(told)[:2] == ["entered 200", "answered"]
        assert did(told)[-1] == "hung up"
        assert {"did": "said", "text": THANKS} in told["transcript"]
        assert (told["error"], call.heard()) == (None, [[GREETING]])

    def test_whoever_is_not_let_in_asks_nobody(self, pasted):
        """A wrong name of the account is a 401, in markup too: the call goes to the agent, by the fallback where there is one."""
        call = pasted.start_call()
        told = pasted.play(call, CARD, account="nobody")

        assert did(told)[0] == "entered 401"
        assert did(told)[-1] == "handed on"
        assert not {"asked", "answered"} & set(did(told))
        assert (told["ended"], told["error"]) == (False, None)
        assert heard_again(call)

    @pytest.mark.parametrize("pasted", [name for name, page in PAGES.items() if not page.records], indirect=True)
    def test_a_call_without_a_recording_goes_to_the_agent(self, pasted):
        """Nothing that could be seen is being recorded: as with SWML's own recordings, which run unseen."""
        call = pasted.start_call(recordings=0)
        told = pasted.play(call, CARD)

        assert did(told)[0] == ("entered 200" if markup(pasted) else "entered 409")
        assert did(told)[-1] == "handed on"
        assert not {"asked", "answered"} & set(did(told))
