"""The signed events, and what makes them."""

import json
from pathlib import Path

import pytest

from tests import make_events
from tests.make_events import EPOCH, FOLDERS, texts
from tests.unit.fakes import CALLS, KEYS, USERNAME

EVENTS = Path(__file__).parents[2] / "events"
WRITTEN = texts()


@pytest.mark.parametrize("name", WRITTEN)
def test_each_file_is_as_it_is_made(name):
    """Each signed event is what `python -m tests.make_events` writes: nobody has edited it."""
    assert (EVENTS / name).read_text() == WRITTEN[name]


def test_every_webhook_is_made():
    """There is no event of a webhook that nobody makes, and of each vendor there are several."""
    names = {f"vendor_webhook/{path.name}" for path in (EVENTS / "vendor_webhook").glob("*.json")}

    assert names == {name for name in WRITTEN if name.startswith("vendor_webhook/")}
    for vendor in (*CALLS, "standard_webhooks"):
        assert len([name for name in names if name.startswith(f"vendor_webhook/{vendor}_")]) >= 4


@pytest.mark.parametrize("folder", ["flow_callback", "vendor_webhook", "workflow_task"])
def test_every_file_is_named_after_its_vendor(folder):
    """Each file says first of which vendor its account is, or that it is of a third party, whoever makes it."""
    names = [path.name for path in (EVENTS / folder).iterdir()]
    vendors = tuple(f"{vendor}_" for vendor in (*CALLS, "standard_webhooks"))

    assert len(names) > len(CALLS)
    assert [name for name in names if not name.startswith(vendors)] == []


@pytest.mark.parametrize("name", WRITTEN)
def test_each_has_a_trace_of_its_own(name):
    """No two events have the same request id."""
    ids = [json.loads(text)["requestContext"]["requestId"] for text in WRITTEN.values()]

    assert ids.count(json.loads(WRITTEN[name])["requestContext"]["requestId"]) == 1


def test_the_keys_are_told():
    """The page beside the events names every key that they are made with, and no other."""
    page = (EVENTS / "README.md").read_text()

    assert not [key for key in (*KEYS, USERNAME) if f"`{key}`" not in page]
    assert page.count("`placeholder-") == len([key for key in KEYS if key.startswith("placeholder-")])


def test_of_now_they_are_signed_anew():
    """Events made of another time have its signature where time is signed, and the same where it is not."""
    later = texts(EPOCH + 3600)
    signatures = ("x-twilio-signature", "x-signalwire-signature", "messagebird-signature", "webhook-signature")

    def signature_of(text):
        headers = json.loads(text)["headers"]
        return [headers[name] for name in signatures if name in headers]

    assert set(later) == set(WRITTEN)
    for name, text in later.items():
        assert json.loads(text)["requestContext"]["timeEpoch"] == (EPOCH + 3600) * 1000
        timed = bool({"webhook-id", "messagebird-signature"} & json.loads(text)["headers"].keys())
        assert (signature_of(text) != signature_of(WRITTEN[name])) is timed


def test_they_are_written_where_they_are_looked_for(monkeypatch, tmp_path, capsys):
    """The program writes the files below events/, or those of now below .local/, and names them."""
    monkeypatch.setattr(make_events, "ROOT", tmp_path)
    for arguments, folder in (([], "events"), (["--now"], ".local/events")):
        monkeypatch.setattr("sys.argv", ["make_events", *arguments])
        make_events.main()

        assert {path.relative_to(tmp_path / folder).parts[0] for path in (tmp_path / folder).rglob("*.json")} == set(
            FOLDERS
        )
        assert capsys.readouterr().out.splitlines() == [f"{folder}/{name}" for name in WRITTEN]
    assert (tmp_path / "events/vendor_webhook/bird_call_completed.json").read_text() in WRITTEN.values()
