"""Cuts botocore's data, in place, down to the operations that this project uses.

Creating a client reads botocore's models. Nearly all of that time goes into what is never used: 400 services' folders are
listed, and a table of every service's endpoints is parsed. With the table below a client is made in half the time, and
no code has to know: in a plain checkout botocore is whole and does the same, slower.
"""

import gzip
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

#: Every AWS operation that the functions call. One that is missing here is missing from the client, in AWS and in the
#: local stack alike: `AttributeError: 'SecretsManager' object has no attribute ...`.
USED_OPERATIONS: Final = {
    "dynamodb": ("GetItem", "PutItem", "Query"),
    "events": ("PutEvents",),
    "secretsmanager": ("GetSecretValue",),
    "sqs": ("ChangeMessageVisibility", "SendMessage"),
    "stepfunctions": ("SendTaskFailure", "SendTaskSuccess"),
}
#: What botocore reads whatever the service; kept as it is.
COMMON: Final = ("partitions.json", "_retry.json", "sdk-default-configuration.json")
#: What is kept of a service: how it is spoken to (what the SDKs add to that, too), and where. Not: paginators, waiters,
#: examples.
KEPT_MODELS: Final = ("service-2", "service-2.sdk-extras", "endpoint-rule-set-1")


def cut(data: Path) -> None:
    """Leave in botocore's data folder what USED_OPERATIONS needs."""
    for entry in sorted(data.iterdir()):
        if entry.is_dir():
            if entry.name in USED_OPERATIONS:
                cut_service(entry, USED_OPERATIONS[entry.name])
            else:
                shutil.rmtree(entry)
        elif entry.name.removesuffix(".gz") == "endpoints.json":
            rewrite(entry, cut_endpoints(load(entry)))
        elif entry.name.removesuffix(".gz") in COMMON:
            rewrite(entry, load(entry))
        else:
            entry.unlink()


def cut_service(folder: Path, operations: Iterable[str]) -> None:
    """Keep the newest version of a service, and of its model the given operations."""
    *older, newest = sorted(path for path in folder.iterdir() if path.is_dir())
    for version in older:
        shutil.rmtree(version)
    for path in sorted(newest.iterdir()):
        kind = path.name.removesuffix(".gz").removesuffix(".json")
        if kind not in KEPT_MODELS:
            path.unlink()
        elif kind == "service-2":
            rewrite(path, cut_model(load(path), operations))
        else:
            rewrite(path, load(path))


def cut_model(model: dict[str, Any], operations: Iterable[str]) -> dict[str, Any]:
    """Keep the operations and the shapes that they reach; drop the documentation."""
    kept = {name: model["operations"][name] for name in operations}
    shapes = reachable(kept, model["shapes"])
    model = model | {"operations": kept, "shapes": {name: model["shapes"][name] for name in sorted(shapes)}}
    undocumented = without_documentation(model)
    assert isinstance(undocumented, dict)
    return undocumented


def reachable(operations: dict[str, Any], shapes: dict[str, Any]) -> set[str]:
    """Name every shape that the operations' inputs, outputs and errors are made of."""
    found: set[str] = set()
    waiting = [reference["shape"] for operation in operations.values() for reference in references(operation)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [reference["shape"] for reference in references(shapes[name])]
    return found


def references(node: dict[str, Any]) -> list[dict[str, Any]]:
    """List what an operation or a shape refers to."""
    single = [node[key] for key in ("input", "output", "member", "key", "value") if key in node]
    return [*single, *node.get("errors", []), *node.get("members", {}).values()]


def without_documentation(node: Any) -> Any:
    """Drop every documentation text: most of a model's bytes."""
    if isinstance(node, dict):
        # A member may be called "documentation" too; only a text is one.
        kept = {key: value for key, value in node.items() if key != "documentation" or not isinstance(value, str)}
        return {key: without_documentation(value) for key, value in kept.items()}
    if isinstance(node, list):
        return [without_documentation(value) for value in node]
    return node


def cut_endpoints(endpoints: dict[str, Any]) -> dict[str, Any]:
    """Keep every partition and region, and of the services those that are used."""
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in USED_OPERATIONS if name in services}
    return endpoints


def load(path: Path) -> dict[str, Any]:
    """Read a JSON file of botocore's, compressed or not."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    loaded = json.loads(content)
    assert isinstance(loaded, dict)
    return loaded


def rewrite(path: Path, content: dict[str, Any]) -> None:
    """Replace a file by compact JSON, not compressed: that reads faster."""
    path.unlink()
    plain = path.with_name(path.name.removesuffix(".gz"))
    plain.write_text(json.dumps(content, separators=(",", ":"), sort_keys=False))
