"""What depends on what, read from the source itself."""

import ast
from collections.abc import Iterator
from pathlib import Path
from sys import stdlib_module_names

import pytest

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "call_recording" / "call_recording"
TOOLS = LAYER.parent / "developer_tools"
FUNCTIONS = ROOT / "functions"

#: Modules that know nothing of AWS, HTTP or any vendor.
DOMAIN = (
    "account",
    "announcements",
    "awaiting",
    "clock",
    "command",
    "conversation",
    "doubts",
    "errors",
    "ledger",
    "ledger_json",
    "ledger_parts",
    "ledger_state",
    "looks",
    "model",
    "occurrences",
    "outcome",
    "ports",
    "reconcile",
    "redirects",
    "reminders",
    "service",
    "upkeep",
)
POWERTOOLS = "aws_lambda_powertools"

SOURCES = sorted(
    [*LAYER.rglob("*.py"), *TOOLS.rglob("*.py"), *FUNCTIONS.rglob("*.py"), *(ROOT / "local").rglob("*.py")]
)
OURS = [path for path in SOURCES if not path.is_relative_to(ROOT / "local")]


def named(path: Path) -> str:
    """What a test case is called."""
    return str(path.relative_to(ROOT))


def imports_of(path: Path) -> Iterator[str]:
    """Yield each imported module with its full name, relative imports resolved; of `from x import y`, x.y too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                package = path.relative_to(LAYER.parent).parts[: -node.level]
                source = ".".join([*package, *filter(None, [source])])
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def imports(path: Path, package: str) -> bool:
    """Whether *path* imports *package* or a part of it."""
    return any(each == package or each.startswith(package + ".") for each in imports_of(path))


def test_there_is_something_to_look_at():
    """The folders that these tests read exist and are not empty."""
    assert {named(LAYER / "service.py"), "functions/flow_callback/app.py"} <= {named(path) for path in SOURCES}
    assert set(imports_of(LAYER / "aws" / "secrets.py")) >= {"call_recording.account", "call_recording.ports.Clock"}


@pytest.mark.parametrize("path", OURS, ids=named)
def test_http_is_spoken_in_vendors_only(path):
    """Only the vendors' modules import the HTTP library."""
    allowed = path.is_relative_to(LAYER / "vendors")

    assert allowed or not any(imports(path, package) for package in ("httpx", "httpcore", "requests", "urllib3"))


@pytest.mark.parametrize("path", OURS, ids=named)
def test_aws_is_known_in_aws_only(path):
    """Only aws/ imports AWS's packages; the functions may take powertools' types too."""
    allowed = path.is_relative_to(LAYER / "aws")

    assert allowed or not any(imports(path, package) for package in ("boto3", "botocore"))
    assert allowed or path.is_relative_to(FUNCTIONS) or not imports(path, POWERTOOLS)


@pytest.mark.parametrize("path", OURS, ids=named)
def test_the_environment_is_read_in_one_place(path):
    """Nothing but aws/settings.py looks at the process's environment."""
    tree = ast.parse(path.read_text())
    looks = [
        node
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv", "putenv"})
        or (isinstance(node, ast.ImportFrom) and node.module == "os")
    ]

    assert path == LAYER / "aws" / "settings.py" or not looks


@pytest.mark.parametrize("name", DOMAIN)
def test_the_domain_imports_the_standard_library_only(name):
    """A module of the domain imports the standard library and other modules of the domain."""
    allowed = {f"call_recording.{other}" for other in DOMAIN}
    foreign = [
        each
        for each in imports_of(LAYER / f"{name}.py")
        if each.split(".")[0] not in stdlib_module_names
        and each != "call_recording"
        and not any(each == module or each.startswith(module + ".") for module in allowed)
    ]

    assert foreign == []


def test_every_module_beside_the_domain_is_known():
    """A module at the top of the package is the domain's, or the wiring."""
    assert {path.stem for path in LAYER.glob("*.py")} == {*DOMAIN, "bootstrap", "__init__"}


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("aws", ("inbound", "vendors", "bootstrap", "service")),
        ("inbound", ("aws", "vendors", "bootstrap")),
        ("vendors", ("aws", "inbound", "bootstrap", "service")),
    ],
)
def test_neighbours_do_not_know_each_other(folder, forbidden):
    """aws/, inbound/ and vendors/ import the domain, and neither each other nor the wiring."""
    found = [
        (named(path), other)
        for path in (LAYER / folder).rglob("*.py")
        for other in forbidden
        if imports(path, f"call_recording.{other}")
    ]

    assert found == []


@pytest.mark.parametrize("path", sorted(LAYER.rglob("*.py")), ids=named)
def test_only_the_functions_import_the_wiring(path):
    """Nothing in the layer imports bootstrap."""
    assert not imports(path, "call_recording.bootstrap")


@pytest.mark.parametrize("path", sorted([*LAYER.rglob("*.py"), *FUNCTIONS.rglob("*.py")]), ids=named)
def test_nothing_that_is_deployed_imports_the_tools(path):
    """The tools of developers, which are not deployed, are imported by nothing that is."""
    assert not imports(path, "developer_tools")


@pytest.mark.parametrize("path", sorted(TOOLS.rglob("*.py")), ids=named)
def test_the_tools_need_no_package(path):
    """The tools import the standard library, and of the layer what reads an account and verifies a request."""
    allowed = ("developer_tools", "call_recording.account", "call_recording.errors", "call_recording.inbound")
    foreign = [
        each
        for each in imports_of(path)
        if each.split(".")[0] not in stdlib_module_names and not any(f"{each}.".startswith(f"{ok}.") for ok in allowed)
    ]

    assert foreign == []


@pytest.mark.parametrize("path", sorted(FUNCTIONS.glob("*/app.py")), ids=named)
def test_a_handler_is_short_and_handles_no_errors(path):
    """A function's file has at most fifty lines and no `try`: it makes one call inwards."""
    assert len(path.read_text().splitlines()) <= 50
    assert not [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Try)]


#: What may be longer than others, with the number of lines.
LONG = {
    LAYER / "ledger.py": 360,  # the one aggregate: the rules of what may happen to a call belong together
}


@pytest.mark.parametrize("path", OURS, ids=named)
def test_no_file_is_long(path):
    """No source file has more than three hundred lines, but for those that have a reason."""
    assert len(path.read_text().splitlines()) <= LONG.get(path, 300)


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_errors_are_caught_by_name(path):
    """No source file catches whatever comes."""
    handlers = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ExceptHandler)]

    assert not [node.lineno for node in handlers if node.type is None]


@pytest.mark.parametrize("path", OURS, ids=named)
def test_ours_catches_nothing_as_wide_as_exception(path):
    """In the layer and the functions no `except Exception` swallows what nobody thought of."""
    caught = [node.type for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ExceptHandler)]
    wide = [kind.id for kind in caught if isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"}]

    assert wide == []


@pytest.mark.parametrize("path", sorted((ROOT / "local").rglob("*.py")), ids=named)
def test_the_local_stack_shares_no_code_with_the_layer(path):
    """The simulators import nothing of the layer: sharing code with the client would share its mistakes."""
    names = [
        alias.name if isinstance(node, ast.Import) else node.module or ""
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    ]

    assert not [name for name in names if name.split(".")[0] == "call_recording"]
