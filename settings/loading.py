"""From Pulumi's configuration to validated settings, or to one error that lists every problem."""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import pulumi
from pulumi.runtime import config
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from settings.model import Settings
from settings.relations import relation_problems

PROJECT = "airflow-control-plane"


class SettingsError(pulumi.RunError):
    """Configuration that cannot be used; its text lists every problem, and Pulumi prints it without a traceback."""


def load_settings(values: Mapping[str, str], *, stack: str) -> Settings:
    """Return the settings in ``values``: Pulumi's configuration as it hands it over, ``namespace:key`` to text.

    Objects, numbers and booleans arrive as JSON text. Raises SettingsError with every problem found.
    """
    problems: list[str] = []
    given: dict[str, Any] = {}
    for name, text in sorted(values.items()):
        namespace, _, key = name.partition(":")
        if namespace == PROJECT:
            given[key] = _decoded(key, text)
        elif difflib.get_close_matches(namespace, [PROJECT], cutoff=0.8):
            problems.append(_problem(f"{name}: unknown namespace {namespace!r}", PROJECT, f"write {PROJECT}:{key}"))

    failed: set[str] = set()
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        failed = {str(detail["loc"][0]) for detail in error.errors()}
        problems += [_explained(detail) for detail in error.errors()]
        settings = Settings.model_validate({key: value for key, value in given.items() if key not in failed})
    for relation in relation_problems(settings, region=values.get("aws:region", "")):
        if failed.isdisjoint(relation.keys):
            problems.append(f"{relation.where}; {relation.reason}\n      fix: {relation.fix}")

    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise SettingsError("\n  ".join([f"The configuration of stack {stack!r} cannot be used, {count}:", *problems]))
    return settings


def _decoded(key: str, text: str) -> Any:
    """Return one top-level value: as it is for keys that hold text, parsed JSON for the others."""
    field = next((field for field in Settings.model_fields.values() if field.alias == key), None)
    if field is None or isinstance(field.default, str):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _problem(found: str, allowed: str, fix: str) -> str:
    return f"{found}; allowed: {allowed}\n      fix: {fix}"


def _explained(detail: ErrorDetails) -> str:
    location = [str(part) for part in detail["loc"]]
    path, value = ".".join(location), detail["input"]
    if detail["type"] == "extra_forbidden":
        allowed = sorted(field.alias or name for name, field in _section(location[:-1]).model_fields.items())
        close = difflib.get_close_matches(location[-1], allowed, n=1)
        fix = f"did you mean {'.'.join([*location[:-1], *close])}?" if close else "remove it"
        return _problem(f"{path}: unknown key, value {value!r}", ", ".join(allowed), fix)
    examples = _examples(location)
    allowed = detail["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    if detail["type"] == "string_pattern_mismatch":
        allowed = f"{' or '.join(examples)}, in general {detail.get('ctx', {}).get('pattern')}"
    return _problem(f"{path}: {value!r}", allowed, f"pulumi config set --path {path} {examples[0] if examples else 'VALUE'}")


def _section(location: list[str]) -> type[BaseModel]:
    """Return the model of the section at ``location``."""
    section: type[BaseModel] = Settings
    for part in location:
        field = next((field for name, field in section.model_fields.items() if part in (field.alias, name)), None)
        # A part that is no field is the name of one section among several, or a place in a list.
        if field is not None:
            section = next(_models(field.annotation), section)
    return section


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the section that an annotation is, or that it holds by name."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _examples(location: list[str]) -> list[str]:
    """Return values that the key at ``location`` accepts: its default, then the examples of its type."""
    section = _section(location[:-1])
    field = next((field for name, field in section.model_fields.items() if location[-1] in (field.alias, name)), None)
    if field is None:
        return []
    candidates = [field.default, *(field.examples or ()), *_annotated_examples(field.annotation)]
    texts = [json.dumps(c) if isinstance(c, bool) else str(c) for c in candidates if isinstance(c, (str, int))]
    return list(dict.fromkeys(texts))


def _annotated_examples(annotation: Any) -> list[Any]:
    """Return the examples of the types in a union, which are not those of the field itself."""
    metadata = getattr(annotation, "__metadata__", ())
    own = [example for item in metadata if isinstance(item, FieldInfo) for example in item.examples or ()]
    return own + [example for part in get_args(annotation) for example in _annotated_examples(part)]


def stack_configuration() -> dict[str, str]:
    """Return every value the engine gave this program, ``namespace:key`` to text."""
    return {**config.get_config_env(), **config.CONFIG.get()}
