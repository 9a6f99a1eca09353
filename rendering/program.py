"""Runs the program of the repository for one stack file, under mocks."""

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime import mocks

from rendering.recorder import RecordedResource, Recorder
from settings import PROJECT

ROOT = Path(__file__).parent.parent


class UnknownStackError(LookupError):
    """There is no ``Pulumi.<stack>.yaml``."""


def stack_names() -> list[str]:
    """Return the stacks that have a file."""
    return sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))


def stack_file(stack: str) -> dict[str, Any]:
    """Return the ``config:`` of ``Pulumi.<stack>.yaml``. Raises UnknownStackError."""
    path = ROOT / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        raise UnknownStackError(f"no stack {stack!r}: there is no Pulumi.{stack}.yaml; stacks: {', '.join(stack_names())}")
    return yaml.safe_load(path.read_text())["config"]


def as_engine_gives(values: Mapping[str, Any]) -> dict[str, str]:
    """Return configuration values as the engine hands them to a program: text, or JSON text."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def render_stack(stack: str, values: Mapping[str, Any] | None = None) -> list[RecordedResource]:
    """Return every resource that ``__main__.py`` declares for ``stack``: namespaces first, as applying needs them, then by URN.

    The program registers what does not depend on one another in an order that varies from run to run.
    ``values`` replaces the stack file's configuration. Raises SettingsError as a preview would, and UnknownStackError.
    """
    recorder = Recorder()
    mocks.set_mocks(recorder, project=PROJECT, stack=stack, monitor=recorder.monitor)
    pulumi.runtime.set_all_config(as_engine_gives(stack_file(stack) if values is None else values))

    @pulumi.runtime.test
    def program() -> None:
        runpy.run_path(str(ROOT / "__main__.py"))

    program()
    return sorted(recorder.resources, key=lambda resource: (not resource.type.endswith(":Namespace"), resource.urn))
