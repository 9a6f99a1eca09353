"""Stack files, Pulumi.yaml, the schema, the documentation and the code say the same."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from rendering.program import as_engine_gives, stack_file, stack_names
from settings import PROJECT, Settings, load_settings
from settings.reference import GENERATED

ROOT = Path(__file__).parents[2]
PROJECT_FILE: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
SCHEMA: dict[str, Any] = json.loads((ROOT / "Pulumi.schema.json").read_text())


@pytest.mark.parametrize("name", GENERATED)
def test_generated_files_are_fresh(name: str):
    assert (ROOT / name).read_text() == GENERATED[name](), f"{name} is stale: make docs"


def test_pulumi_declares_every_key_and_no_other():
    declared = PROJECT_FILE["config"]
    assert set(declared) == {field.alias for field in Settings.model_fields.values()}
    for key, declaration in declared.items():
        assert declaration["type"] in ("string", "integer", "boolean", "array", "object"), key
        assert declaration["description"], key


def test_defaults_in_pulumi_yaml_mean_what_the_code_means():
    declared = {f"{PROJECT}:{key}": value["default"] for key, value in PROJECT_FILE["config"].items()}
    declared[f"{PROJECT}:image"]["reference"] = "registry.example.com/airflow:1"
    bare = {f"{PROJECT}:image": {"reference": "registry.example.com/airflow:1"}}
    assert load_settings(as_engine_gives(declared), stack="x") == load_settings(as_engine_gives(bare), stack="x")


def test_there_are_three_stacks():
    assert stack_names() == ["dev", "local", "prod"]


@pytest.mark.parametrize("stack", stack_names())
def test_a_stack_file_is_valid_for_the_code_and_for_editors(stack: str):
    load_settings(as_engine_gives(stack_file(stack)), stack=stack)
    jsonschema.validate(yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text()), SCHEMA)


@pytest.mark.parametrize("stack", stack_names())
def test_a_stack_file_holds_only_what_differs_from_the_defaults(stack: str):
    for key, value in stack_file(stack).items():
        namespace, _, name = key.partition(":")
        if namespace == PROJECT:
            assert not repeated(value, PROJECT_FILE["config"][name]["default"]), key


def repeated(value: Any, default: Any) -> bool:
    """Return whether any leaf of ``value`` says what ``default`` says already."""
    if isinstance(value, dict) and isinstance(default, dict):
        return any(repeated(item, default[key]) for key, item in value.items() if key in default)
    return value == default


def test_the_schema_refuses_a_misspelt_key():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"config": {f"{PROJECT}:airflow": {"paralelism": 1}}}, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"config": {f"{PROJECT}:airflo": {}}}, SCHEMA)
