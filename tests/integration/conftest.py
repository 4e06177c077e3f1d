"""What the integration tests share: one local stack for the whole run, and leave to talk to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import stack as local_stack

#: Long enough to be a cache, short enough to wait for.
SECRET_TTL_SECONDS = 1
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests in this folder, and no others, reach 127.0.0.1."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.integration)
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1"]))


@pytest.fixture(name="stack", scope="session")
def _stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Run a local stack on free ports, whose functions may do what template.yaml grants them; give its stack.json."""
    state, env = tmp_path_factory.mktemp("stack"), {"ENFORCE_IAM": "1"}
    with local_stack.running(state=state, secret_ttl=SECRET_TTL_SECONDS, env=env) as described:
        yield described
