"""The doctor as a program: what it takes, prints and returns, and what it is made of."""

import ast
import io
import json
import os
import runpy
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from sys import stdlib_module_names

import pytest

from developer_tools.signature_doctor import command
from developer_tools.signature_doctor.diagnosis import Diagnosis, report
from tests.unit.developer_tools.signed import (
    AUTH_TOKEN,
    CARD,
    NOW,
    PASSWORD,
    PATH,
    PUBLIC,
    SECRET,
    URL,
    bird,
    changed,
    document,
    found,
    hidden,
    standard,
    twilio_form,
)

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "layers" / "call_recording" / "developer_tools"
MOVED = changed(twilio_form(PUBLIC + PATH), headers={"host": "voice.example.com"})


@pytest.fixture(name="run")
def _run(tmp_path):
    """Run the program in this process, on files with what is given."""

    def run(given, secret, *arguments, stdin=None):
        for name, content in (("event.json", given), ("acme.json", secret)):
            (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content))
        where = "-" if stdin is not None else str(tmp_path / "acme.json")
        shown = io.StringIO()
        options = [str(tmp_path / "event.json"), "--secret", where, *arguments]
        code = command.main(options, stdin=io.StringIO(stdin), stdout=shown)
        return code, shown.getvalue()

    return run


class TestResult:
    def test_a_request_that_verifies(self, run):
        """What verifies is said to, with the key's name, and ends in 0."""
        code, shown = run(twilio_form(), document())

        assert code == 0
        assert f"VERIFIED as deployed, by credentials.auth_token, over {URL}" in " ".join(shown.split())
        assert "Why:" not in shown

    def test_a_request_that_does_not(self, run):
        """What does not is explained, and ends in 1."""
        code, shown = run(MOVED, document())

        assert code == 1
        assert "REFUSED as deployed" in shown
        assert f"To do:  Add {PUBLIC} to the parameter PublicUrls" in shown
        assert "Key:    credentials.auth_token is the right one." in shown
        assert "Name:   origin" in shown

    def test_public_urls_of_the_deployment(self, run):
        """The URLs of the command line are those of the deployment, once or several times."""
        assert run(MOVED, document(), "--public-urls", f"https://other.example,{PUBLIC}")[0] == 0
        assert run(MOVED, document(), "--public-urls", "https://other.example", "--public-urls", PUBLIC)[0] == 0

    def test_a_secret_from_stdin(self, run):
        """The secret may come from another program, and no file of it be written."""
        assert run(twilio_form(), "no JSON", stdin=json.dumps(document()))[0] == 0

    def test_the_real_clock(self, run):
        """With --now a replay is refused; without, it is verified at its own time, and that is said."""
        assert "the event's own time, 2026-09-21 14:13:20 UTC" in run(bird(), document("bird"))[1]

        code, shown = run(bird(timestamp="1000000000"), document("bird"), "--now")

        assert code == 1
        assert "Name:   clock" in shown
        assert "As of:  now, 20" in shown

    @pytest.mark.parametrize("epoch", [None, "1", True, -1, 10**18])
    def test_an_event_without_a_time(self, run, epoch):
        """Where the event does not say when it came, the clock is used, and that is said."""
        given = twilio_form()
        given["requestContext"]["timeEpoch"] = epoch
        code, shown = run(given, document())

        assert code == 0
        assert "no requestContext.timeEpoch" in shown

    def test_a_flow_that_is_let_in_all_the_same(self, run):
        """What Basic lets in ends in 0, with what is wrong with its signature."""
        header = "Basic " + b64encode(f"flow:{PASSWORD}".encode()).decode()
        secret = document(basic=[{"username": "flow", "password": PASSWORD}])
        code, shown = run(changed(MOVED, headers={"authorization": header}), secret)

        assert code == 0
        assert "by inbound.basic[0]" in shown
        assert "But:    its signature by itself does not hold." in shown
        assert PASSWORD not in shown

    def test_the_rest_of_the_secret_does_not_fit(self, run):
        """Who has proven itself and will be answered with 500 all the same is told."""
        code, shown = run(twilio_form(), {**document(), "settings": {"budget_ms": 1}})

        assert code == 0
        assert "settings.budget_ms must be an integer from 500 to 9000" in " ".join(shown.split())

    def test_a_message_that_covers_no_url(self, run):
        """No URL is named where none is signed."""
        code, shown = run(standard(), document("bandwidth", webhook_secrets=[SECRET]))

        assert code == 0
        assert "by inbound.webhook_secrets[0]\n" in shown
        assert "Signed: Webhook-Signature" in shown

    def test_nothing_of_the_secret_is_written_into_a_message(self, run):
        """A key that is written where a host or a path is does not come out either."""
        given = changed(twilio_form(f"https://{AUTH_TOKEN}.example{PATH}"), headers={"host": f"{AUTH_TOKEN}.example"})
        code, shown = run({**given, "rawPath": PATH}, document())

        assert code == 1
        assert AUTH_TOKEN not in shown
        assert "https://….example" in shown

    def test_no_long_number_and_no_control_character_is_shown(self):
        """A card's number in a path is masked, and a terminal gets printable characters only."""
        given = {"headers": {}, "rawPath": f"/flows/{CARD}/4111-1111 1111 1111/\x1b[31mé"}
        shown = report(
            Diagnosis(admitted_by=None), given, {"vendor": ["marker"], "inbound": {"basic": [1]}}, as_of="now"
        )

        assert "/flows/…/…/?[31m?" in shown
        assert "Vendor: none that Offtape knows" in shown


UNUSABLE = {
    "not JSON": ("no JSON", document()),
    "not a JSON object": ([1], document()),
    "too deep": ("[" * 100_000, document()),
    "half a character": ({**twilio_form(), "rawPath": "/\ud800"}, document()),
    "a secret that is not JSON": (twilio_form(), f"{{{AUTH_TOKEN}"),
    "a secret that is no object": (twilio_form(), [AUTH_TOKEN]),
    "a REST API's event": ({**twilio_form(), "version": "1.0"}, document()),
    "an older event": ({"httpMethod": "POST", "path": "/"}, document()),
    "no path": ({"headers": {}}, document()),
    "a path without a slash": ({**twilio_form(), "rawPath": "marker-Zq7[]"}, document()),
    "no headers": ({"rawPath": "/"}, document()),
    "headers that are lists": ({"rawPath": "/", "headers": {"a": ["marker-Zq7"]}}, document()),
    "a context that is none": ({**twilio_form(), "requestContext": "marker-Zq7"}, document()),
    "parameters that are none": ({**twilio_form(), "queryStringParameters": ["marker-Zq7"]}, document()),
    "a body that was parsed": ({**twilio_form(), "body": {"marker-Zq7": CARD}}, document()),
    "a query that was parsed": ({**twilio_form(), "rawQueryString": {"marker-Zq7": CARD}}, document()),
}


class TestUnusable:
    @pytest.mark.parametrize("case", UNUSABLE)
    def test_input_that_cannot_be_used(self, run, case):
        """Input that cannot be used ends in 2, with a sentence that says what to do and quotes nothing."""
        code, shown = run(*UNUSABLE[case])

        assert code == 2
        assert shown.endswith(".\n")
        assert shown.count("\n") == 1
        assert not [each for each in (AUTH_TOKEN, CARD, "marker") if each in shown]

    def test_a_file_that_is_not_there(self, tmp_path, run):
        """A missing file, or a secret on the command line, is not quoted."""
        shown = io.StringIO()
        (tmp_path / "event.json").write_text(json.dumps(twilio_form()))
        for secret in (json.dumps(document()), str(tmp_path), "nowhere.json"):
            assert command.main([str(tmp_path / "event.json"), "--secret", secret], stdout=shown) == 2

        assert AUTH_TOKEN not in shown.getvalue()
        assert shown.getvalue().count("The secret cannot be read") == 3

    @pytest.mark.parametrize("urls", ["voice.example.com", "http://voice.example.com", f"{PUBLIC}/", f"{PUBLIC}?a=b"])
    def test_public_urls_that_are_none(self, run, urls):
        """What the parameter would not take is not taken here."""
        assert run(twilio_form(), document(), "--public-urls", urls)[0] == 2

    @pytest.mark.parametrize("arguments", [["--key", AUTH_TOKEN], [], ["event.json", "--secret"], ["a", AUTH_TOKEN]])
    def test_arguments_that_do_not_fit(self, arguments):
        """A key that is given as an argument is refused and not repeated."""
        shown = io.StringIO()

        assert command.main(arguments, stdout=shown) == 2
        assert AUTH_TOKEN not in shown.getvalue()


class TestSecrecy:
    def test_the_look_for_leaks_looks(self):
        """What the other tests look for in reports are the keys, the body, values of headers and of the query."""
        given = {**twilio_form(query="said=marker-Zq7"), "body": "body-of-it"}
        secret = document(basic=[{"username": "flow", "password": PASSWORD}])

        assert {AUTH_TOKEN, PASSWORD, "body-of-it", "marker-Zq7", CARD} <= {*hidden(given, secret)}
        assert given["headers"]["x-twilio-signature"] in hidden(given, secret)

    def test_an_event_that_says_nothing(self):
        """The least event that is one is answered."""
        assert found({"rawPath": "/", "headers": {}, "requestContext": {}}).names == ("no-signature",)


def sources():
    """Every module of the tools."""
    return sorted(PACKAGE.rglob("*.py"))


def imported(path):
    """The absolute imports of a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.name)
def test_it_needs_nothing_but_python(path):
    """A module imports the standard library, and of the layer what reads accounts and verifies requests."""
    ours = ("call_recording.account", "call_recording.errors", "call_recording.inbound")
    foreign = [each for each in imported(path) if each.split(".")[0] not in stdlib_module_names]

    assert not [each for each in foreign if not each.startswith(ours)]


def test_as_a_module(monkeypatch, capsys):
    """`python -m` ends with the program's own code."""
    monkeypatch.setattr(sys, "argv", ["signature_doctor"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("developer_tools.signature_doctor", run_name="__main__")

    assert ended.value.code == 2
    assert "--help" in capsys.readouterr().out


@pytest.mark.parametrize(("given", "code"), [(twilio_form(), 0), (MOVED, 1), ({}, 2)])
def test_from_a_fresh_clone(tmp_path, given, code):
    """With no package installed, the program runs from the repository's folder as documented."""
    (tmp_path / "event.json").write_text(json.dumps(given))
    options = [str(tmp_path / "event.json"), "--secret", "-"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": "layers/call_recording", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-S", "-m", "developer_tools.signature_doctor", *options],
        cwd=ROOT,
        env=environment,
        input=json.dumps(document()),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (code, "")
    assert not [each for each in (AUTH_TOKEN, CARD, str(NOW)) if each in done.stdout]


def test_an_event_of_the_repository(run):
    """The events that the repository has are read as they are."""
    text = (ROOT / "events" / "flow_callback" / "twilio_twiml_entered.json").read_text()

    assert run(text, document())[0] == 1
