"""Whom the user name and the password of the company's own server are told: Bandwidth, for that server alone."""

from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from call_recording.account import Account
from call_recording.inbound.bandwidth import redirect
from call_recording.model import Action, Call
from tests.unit.vendors.fakes import Wire, account_of, answer, connect

OWN = "https://ivr.example.com/flow/"
ALLOWED = (OWN, "https://partner.example.net/", "http://127.0.0.1:8080/", "https://ivr.example.com:8443/")
PAIR = {"redirect_username": 'ivr&"<', "redirect_password": "p'>&amp;\""}
CALL = "c-15ac29a2-1331029c-2cb0-4a07-b215-b22865662d85"
OTHERS = [
    "https://partner.example.net/x",
    "http://127.0.0.1:8080/x",
    "https://ivr.example.com:8443/flow/x",
    "https://ivr.example.com/other",
    "https://ivr.example.com/flow/../other",
    "http://ivr.example.com/flow/",
    "https://ivr.example.com@partner.example.net/flow/",
]


def account(*allowed: str, **credentials: str) -> Account:
    """An account at Bandwidth."""
    basic = {"account_id": "9900000", "username": "u", "password": "placeholder"}
    return account_of("bandwidth", {**basic, **credentials}, allowed_redirects=allowed)


def by_markup(url: str, owner: Account) -> Element:
    """The verb of the document that sends a call on."""
    return fromstring(redirect(url, Action.PAUSE, owner))[-1]


def by_stop(url: str, owner: Account) -> Element:
    """The verb of the document with which a stop replaces the call's."""
    wire = Wire(answer(204))
    connect(owner, wire).update(Call(call_id=CALL, redirect_url=url), None, Action.STOP, timeout=2.0)
    return fromstring(wire.request.content)[-1]


WAYS = pytest.mark.parametrize("way", [by_markup, by_stop])


@WAYS
@pytest.mark.parametrize("url", [OWN, f"{OWN}next?call=1&step=card"])
def test_the_company_s_own_server_gets_them(way, url):
    """Below the first of allowed_redirects the verb carries the pair, whatever characters it has."""
    verb = way(url, account(*ALLOWED, **PAIR))

    assert (verb.tag, verb.attrib["redirectUrl"]) == ("Redirect", url)
    assert (verb.attrib["username"], verb.attrib["password"]) == tuple(PAIR.values())


@WAYS
@pytest.mark.parametrize("url", OTHERS)
def test_nobody_else_gets_them(way, url):
    """Wherever else a call may be sent on, the verb has no pair."""
    verb = way(url, account(*ALLOWED, **PAIR))

    assert verb.attrib["redirectUrl"] == url
    assert verb.attrib.keys().isdisjoint({"username", "password"})


@WAYS
@pytest.mark.parametrize(
    "credentials", [{}, *({name: value} for name, value in PAIR.items()), {**PAIR, "redirect_password": ""}]
)
def test_half_a_pair_is_none(way, credentials):
    """Without a user name or a password the verb has neither."""
    assert way(OWN, account(*ALLOWED, **credentials)).attrib.keys() <= {"redirectUrl", "redirectMethod"}


def test_without_allowed_redirects_there_is_no_first():
    """An account that allows no redirects has no server of its own."""
    assert account(**PAIR).redirect_credentials(OWN) is None
