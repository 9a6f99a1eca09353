"""What the Python SDKs know of a resource type: the names of its inputs, their nested types and enums, its outputs."""

import enum
import functools
import importlib
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pulumi import _types as pulumi_types  # pyright: ignore[reportPrivateUsage]

from doubles.wire import UNKNOWN, is_list, is_object


@functools.cache
def _classes(token: str) -> tuple[type, type]:
    """Return the resource class and the class of its arguments of a token such as ``aws:s3/bucket:Bucket``."""
    package, module, name = token.split(":")
    parts = [part for part in module.split("/") if part != "index"]
    # The package's module, not the type's: one imported by itself leaves the lazy one above it half made.
    parts = [parts[0].split(".")[0], *parts[1:]] if package == "kubernetes" else parts[:-1]
    source = importlib.import_module(".".join([f"pulumi_{package.replace('-', '_')}", *parts]))
    # Where a nested type is called the same, the resource's own arguments are the InitArgs.
    return getattr(source, name), getattr(source, f"{name}InitArgs", None) or getattr(source, f"{name}Args")


def output_types(token: str) -> dict[str, Any]:
    return pulumi_types.resource_types(_classes(token)[0])


def input_names(token: str) -> frozenset[str]:
    return frozenset(pulumi_types.input_type_types(_classes(token)[1]))


def unknown_inputs(token: str, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield path and reason of every name and enum value in ``inputs`` that the SDK's types do not have, at any depth."""
    yield from _unknown(_classes(token)[1], inputs, "")


def _unknown(cls: type, value: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    known = pulumi_types.input_type_types(cls)
    for key, item in value.items():
        where = f"{path}.{key}" if path else key
        if key not in known:
            yield where, f"unknown property, expected one of {', '.join(sorted(known))}"
            continue
        yield from _unlisted(known[key], item, where)
        for inner, inner_path in _children(known[key], item, where):
            yield from _unknown(inner[0], inner[1], inner_path)


def _unlisted(annotation: Any, item: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield path and reason of every value that is none of an enum's, unless the type takes any other text beside them."""
    values = {str(member.value) for one in _enums(annotation) for member in one}
    if not values or str in _parts(annotation):
        return
    for value in item if is_list(item) else [item]:
        if isinstance(value, str) and value not in values and value != UNKNOWN:
            yield path, f"{value!r} is none of {', '.join(sorted(values))}"


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in typing.get_args(annotation):
        yield from _parts(part)


def _enums(annotation: Any) -> Iterator[type[enum.Enum]]:
    yield from (part for part in _parts(annotation) if isinstance(part, type) and issubclass(part, enum.Enum))


def _children(annotation: Any, item: Any, path: str) -> Iterator[tuple[tuple[type, Mapping[str, Any]], str]]:
    cls = _argument_class(annotation)
    if is_list(item) and typing.get_origin(annotation) is not None:
        for index, element in enumerate(item):
            if cls is not None and is_object(element):
                yield (cls, element), f"{path}[{index}]"
    elif is_object(item) and cls is not None and not _is_mapping(annotation):
        yield (cls, item), path


def _is_mapping(annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _argument_class(annotation: Any) -> type | None:
    if isinstance(annotation, type) and pulumi_types.is_input_type(annotation):
        return annotation
    return next((found for part in typing.get_args(annotation) if (found := _argument_class(part))), None)


def blank(annotation: Any) -> Any:
    """Return an empty value of a type of output, ``None`` where only the provider could know one."""
    origin = typing.get_origin(annotation)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {}
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return []
    return {bool: False, int: 0, float: 0}.get(annotation)


def unknown_outputs(token: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return every output that only a finished resource has, as the engine's mark for not known yet."""
    return {name: UNKNOWN for name in output_types(token) if name not in inputs and name not in {"id", "urn"}}
