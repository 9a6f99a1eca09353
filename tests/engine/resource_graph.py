"""A stack's resources as lines a person can review: type, name, what it belongs to, what it waits for."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode


class GraphSnapshot(SingleFileSnapshotExtension):
    """One text file per graph."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


def reviewed_graph(stack: str) -> list[str]:
    """Return the lines of a whole stack's graph as ``test_stacks`` has it for review."""
    file = (
        Path(__file__).parent
        / "__snapshots__"
        / "test_stacks"
        / f"test_the_resources_are_those_that_were_reviewed[{stack}].txt"
    )
    return file.read_text().splitlines()


def resource_graph(resources: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return one line per resource of a state, sorted: ``type name ^ parent < dependency, dependency``.

    Providers that the engine adds by itself are named without their version. A parent or dependency is written as ``Type
    name``, the last part of its type alone.
    """
    return sorted(_line(resource) for resource in resources if resource["type"] != "pulumi:pulumi:Stack")


def _line(resource: Mapping[str, Any]) -> str:
    parts = [resource["type"], _name(resource["urn"])]
    if "pulumi:pulumi:Stack" not in resource.get("parent", "pulumi:pulumi:Stack"):
        parts.append(f"^ {_short(resource['parent'])}")
    if dependencies := sorted({_short(urn) for urn in resource.get("dependencies", [])}):
        parts.append(f"< {', '.join(dependencies)}")
    return " ".join(parts)


def _name(urn: str) -> str:
    name = urn.rpartition("::")[2]
    return "default" if name.startswith("default_") else name


def _short(urn: str) -> str:
    token = urn.split("::")[2].rpartition("$")[2]
    return f"{token.rpartition(':')[2]} {_name(urn)}"
