"""``python -m settings.reference``: write what is generated from the settings, or with ``--check`` say what is stale.

``Pulumi.yaml`` gets every key with type, default and description; ``Pulumi.schema.json`` is for editors; the table of
``docs/configuration.md`` is for people.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, cast

import typer
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from settings.loading import PROJECT
from settings.model import Settings

ROOT = Path(__file__).parent.parent

PULUMI_HEADER = f"""\
# Written by `make docs` from settings/: change that.
name: {PROJECT}
description: Apache Airflow 3 on Kubernetes, with DAGs made from a monorepo's jobs
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: .venv
"""

DOCS_HEADER = """\
# Configuration

Written by `make docs` from `settings/`. A stack file holds only what differs from these defaults; what it does not
name keeps its default, also inside a section. Set a nested key with
`pulumi config set --path airflow-control-plane:airflow.parallelism 16`.

"""


def project_file() -> str:
    """Return the text of ``Pulumi.yaml``."""
    config = {name: _declaration(field) for name, field in _fields(Settings)}
    body = yaml.safe_dump({"config": config}, sort_keys=False, width=120, allow_unicode=True)
    return PULUMI_HEADER + body


def stack_schema() -> str:
    """Return the JSON Schema of a stack file, draft 2020-12."""
    schema = Settings.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs")
    properties = {f"{PROJECT}:{name}": value for name, value in schema["properties"].items()}
    stack: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Stack of {PROJECT}",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": properties,
                # Other namespaces belong to providers; in ours, a key that is not listed is a mistake.
                "patternProperties": {f"^(?!{PROJECT}:)": {}},
                "additionalProperties": False,
            }
        },
        "$defs": definitions,
    }
    return json.dumps(stack, indent=2) + "\n"


def configuration_page() -> str:
    """Return ``docs/configuration.md``."""
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{path}` | {kind} | {default} | {description.replace('|', chr(92) + '|')} |"
        for path, kind, default, description in _rows(Settings, "")
    ]
    return DOCS_HEADER + "\n".join(rows) + "\n"


PULUMI_TYPES = {bool: "boolean", str: "string", int: "integer"}
"""Bool first: in Python it is an int."""

GENERATED = {
    "Pulumi.yaml": project_file,
    "Pulumi.schema.json": stack_schema,
    "docs/configuration.md": configuration_page,
}


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        yield field.alias or name, field


def _description(field: FieldInfo) -> str:
    return " ".join((field.description or "").split())


def _default(field: FieldInfo) -> Any:
    default = field.get_default(call_default_factory=True)
    return default.model_dump(mode="json", by_alias=True) if isinstance(default, BaseModel) else default


def _declaration(field: FieldInfo) -> dict[str, Any]:
    """Return a key as Pulumi's project schema wants it; its types are string, integer, boolean, array and object."""
    default = _default(field)
    kind = next((word for type_, word in PULUMI_TYPES.items() if isinstance(default, type_)), "object")
    return {"type": kind, "description": _description(field), "default": default}


def _rows(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str, str]]:
    properties: Mapping[str, Any] = model.model_json_schema(by_alias=True)["properties"]
    for name, field in _fields(model):
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            default = cast(BaseModel, field.default)
            for path, kind, text, description in _rows(annotation, f"{prefix}{name}."):
                value = default.model_dump(mode="json", by_alias=True).get(path.removeprefix(f"{prefix}{name}."), None)
                yield path, kind, text if value is None else _text(value), description
        else:
            yield f"{prefix}{name}", _kind(properties[name]), _text(_default(field)), _description(field)


def _kind(node: Mapping[str, Any]) -> str:
    if "enum" in node:
        return " or ".join(f"`{value}`" for value in node["enum"])
    if "const" in node:
        return f"`{node['const']}`"
    if "anyOf" in node:
        return " or ".join(_kind(option) for option in node["anyOf"] if option.get("type") != "null")
    if node.get("type") == "array":
        return f"list of {_kind(node['items'])}"
    limits = [str(node[key]) for key in ("minimum", "maximum") if key in node]
    return f"{node.get('type', 'object')} {' to '.join(limits)}".strip()


def _text(value: Any) -> str:
    return "" if value is None else f"`{value if isinstance(value, str) else json.dumps(value)}`"


def write(check: Annotated[bool, typer.Option(help="Write nothing; exit 1 if a file is stale.")] = False) -> None:
    """Write every file that is generated from the settings."""
    stale = [name for name, text in GENERATED.items() if not _is(ROOT / name, text())]
    for name in stale:
        if not check:
            (ROOT / name).write_text(GENERATED[name]())
        sys.stdout.write(f"{'stale' if check else 'wrote'}: {name}\n")
    raise typer.Exit(1 if check and stale else 0)


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text() == text


if __name__ == "__main__":
    typer.run(write)
