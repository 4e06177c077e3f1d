"""docs/signature-doctor.md says what the program does."""

import ast
import io
import json
import re
from pathlib import Path

from developer_tools.signature_doctor import command

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "signature-doctor.md").read_text()
PACKAGE = ROOT / "layers" / "call_recording" / "developer_tools" / "signature_doctor"
NAMING = {"Symptom", "Variation", "_of_body", "_of_type", "_reading"}


def blocks(language):
    """The page's code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def names():
    """What the program calls what it finds, read from its source."""
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMING):
                continue
            given = [each.value for each in node.keywords if each.arg == "name"] or node.args[:1]
            if given and isinstance(given[0], ast.Constant):
                yield given[0].value
            elif given and isinstance(given[0], ast.JoinedStr):
                yield ast.unparse(given[0].values[0]).strip("'")


def test_the_example_is_what_the_program_prints(tmp_path):
    """The page's event and secret, as they stand there, give the page's output."""
    event, secret = blocks("json")
    (tmp_path / "event.json").write_text(event)
    (tmp_path / "acme.json").write_text(secret)
    shown = io.StringIO()
    code = command.main([str(tmp_path / "event.json"), "--secret", str(tmp_path / "acme.json")], stdout=shown)

    assert (code, [shown.getvalue()]) == (1, blocks("text"))
    assert json.loads(secret)["vendor"] == "twilio"


def test_every_finding_is_in_the_table():
    """The table has each name that may be printed, and no other."""
    table = PAGE.partition("## What it finds")[2]
    listed = {
        name
        for row in table.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`([^`]+)`", row.split("|")[1])
    }
    found = set(names())
    open_ended = {name for name in found if name.endswith("-")}

    assert open_ended == {"key-decoded-", "webhook-secret-as-"}
    assert {name for name in listed if not name.startswith(tuple(open_ended))} == found - open_ended
    assert {name for name in listed if name.startswith(tuple(open_ended))} == {
        "key-decoded-base64",
        "key-decoded-hex",
        "webhook-secret-as-hex",
        "webhook-secret-as-text",
    }


def test_every_option_is_on_the_page():
    """The page explains each option of the command line."""
    options = re.findall(r"add_argument\(\s*\"(--[a-z-]+)\"", (PACKAGE / "command.py").read_text())

    assert len(options) == 3
    assert [option for option in options if f"`{option}" not in PAGE] == []
