"""The pins: complete, checked by hash, and good for any package index."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted([*ROOT.glob("requirements/*.txt"), *ROOT.glob("layers/*/requirements.txt")])


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
class TestLocks:
    def test_each_requirement_is_one_version_with_its_hashes(self, lock):
        """Nothing is installed that was not there when the pins were made."""
        entries = re.sub(r"#[^\n]*", "", lock.read_text()).replace("\\\n", " ").split("\n")
        unpinned = [entry for entry in entries if entry.strip() and not re.match(r"\S+.*==\S+.*--hash=sha256:", entry)]

        assert unpinned == []

    def test_no_index_is_named(self, lock):
        """Whoever installs it uses the index that their pip is set to."""
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links|file:", lock.read_text())


def test_tests_run_on_the_layers_versions():
    """What the layer pins is what the development environment pins."""
    pinned = {path: set(re.findall(r"^([\w.-]+==\S+)", path.read_text(), re.MULTILINE)) for path in LOCKS}

    assert pinned[ROOT / "layers/call_recording/requirements.txt"] <= pinned[ROOT / "requirements/dev.txt"]
