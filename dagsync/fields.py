"""What a form can show of an argument: the JSON type of its value, its choices and its default."""

import ast
import re
from typing import Any, Literal

from dagsync.evaluation import NotConstantError
from dagsync.module_names import Function
from dagsync.parsers import Call
from dagsync.texts import Value, is_storable, storable

Kind = Literal["string", "integer", "number"]
Json = Any

MAX_CHOICES = 200
"""More are not offered; the job itself still refuses others."""

MAX_INTEGER = 2**63

_LISTS = frozenset({"frozenset", "list", "set", "sorted", "tuple"})


class UnfitError(Exception):
    """A value the form cannot hold."""


def kind_of_type(call: Call) -> tuple[Kind, bool]:
    """Return the JSON type that ``type=`` takes, and whether that is certain; a converter may take any text."""
    node = call.keywords.get("type")
    if node is None:
        return "string", True
    if isinstance(node, ast.Name):
        function = call.scope.functions.get(node.id)
        if function is None:
            return _CONVERTERS.get(node.id, ("string", False))
        returned = function.returns
        kind = _CONVERTERS.get(returned.id, ("string", True))[0] if isinstance(returned, ast.Name) else "string"
        return kind, False
    return "string", isinstance(node, ast.Constant) and node.value is None


_CONVERTERS: dict[str, tuple[Kind, bool]] = {"int": ("integer", True), "float": ("number", True), "str": ("string", True)}


def is_truth(call: Call) -> bool:
    """Return whether ``type=`` is Python's ``bool``."""
    node = call.keywords.get("type")
    return isinstance(node, ast.Name) and node.id == "bool" and "bool" not in call.scope.functions


def is_date(call: Call) -> bool:
    """Return whether ``type=`` reads a day as ISO 8601 writes it and refuses all else."""
    match call.keywords.get("type"):
        case ast.Attribute(attr="fromisoformat", value=ast.Name(id="date") | ast.Attribute(attr="date")):
            return True
        case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=text)]), body=body):
            return _is_day_of(body, text)
        case ast.Name(id=name) if function := call.scope.functions.get(name):
            return _returns_day(function)
        case _:
            return False


def _returns_day(function: Function) -> bool:
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    match function.args, body:
        case ast.arguments(args=[ast.arg(arg=text)]), [ast.Return(value=ast.expr() as value)]:
            return _is_day_of(value, text)
        case ast.arguments(args=[ast.arg(arg=text)]), [
            ast.Try(body=[ast.Return(value=ast.expr() as value)], handlers=handlers, finalbody=[])
        ]:
            refuses = all(isinstance(each.body[-1], ast.Raise) for each in handlers)
            return refuses and _is_day_of(value, text)
        case _:
            return False


def _is_day_of(node: ast.expr, text: str) -> bool:
    """Return whether an expression is the day that the name ``text`` holds."""
    match node:
        case ast.Call(func=ast.Attribute(attr="date", value=value), args=[], keywords=[]):
            return _is_day_of(value, text)
        case ast.Call(func=ast.Attribute(attr="strptime"), args=[ast.Name(id=given), ast.Constant(value="%Y-%m-%d")]):
            return given == text
        case ast.Call(
            func=ast.Attribute(attr="fromisoformat", value=ast.Name(id="date") | ast.Attribute(attr="date")),
            args=[ast.Name(id=given)],
        ):
            return given == text
        case _:
            return False


def kind_of_values(kind: Kind, certain: bool, values: list[Value]) -> Kind:
    """Return the JSON type of an argument, told from its default or choices where its converter does not tell."""
    if certain or kind != "string" or not values:
        return kind
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return "integer"
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return "number"
    return kind


def as_json(kind: Kind, value: Value) -> Json:
    """Return a constant as the form holds it. Raises ``UnfitError``."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnfitError
    if isinstance(value, int) and abs(value) >= MAX_INTEGER:
        # Python makes neither a text nor a float of one that is very large.
        raise UnfitError
    if kind == "string":
        text = str(value)
        if not is_storable(text):
            raise UnfitError
        return text
    # argparse converts a default that is a text.
    try:
        number = value if not isinstance(value, str) else int(value) if kind == "integer" else float(value)
    except ValueError:
        raise UnfitError from None
    if kind == "integer" and isinstance(number, float):
        raise UnfitError
    if not abs(number) < MAX_INTEGER:
        raise UnfitError
    return number


def choices_of(call: Call) -> list[Value] | None:
    """Return the values that ``choices=``, which is there, allows, or ``None`` if that cannot be told."""
    try:
        found = _choices(call, call.scope.constants.resolve(call.keywords["choices"]))
    except NotConstantError:
        return None
    return found if found and len(found) <= MAX_CHOICES else None


def _choices(call: Call, node: ast.expr) -> list[Value] | None:
    match node:
        case ast.Set(elts=elements):
            return [call.scope.constants.evaluate(element) for element in elements]
        case ast.Call(func=ast.Name(id="range"), args=arguments, keywords=[]):
            bounds = [call.scope.constants.evaluate(argument) for argument in arguments]
            whole = [bound for bound in bounds if isinstance(bound, int)]
            if not 1 <= len(whole) == len(bounds) <= 3 or whole[2:] == [0]:
                return None
            numbers = range(*whole)
            return list(numbers) if len(numbers) <= MAX_CHOICES else None
        case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in _LISTS:
            return _choices(call, call.scope.constants.resolve(inner))
        case ast.Call(func=ast.Attribute(value=inner, attr="keys"), args=[], keywords=[]):
            return _choices(call, call.scope.constants.resolve(inner))
        case _:
            value = call.scope.constants.evaluate(node)
            return list(value) if isinstance(value, tuple | list | dict | str) else None


def fits(schema: dict[str, Any], value: Json) -> bool:
    """Return whether a value is valid by the part of JSON Schema that is used here."""
    if "enum" in schema and not any(type(value) is type(each) and value == each for each in schema["enum"]):
        return False
    types: list[str] = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]  # pyright: ignore[reportUnknownVariableType] - JSON
    match value:
        case None:
            return "null" in types
        case bool():
            return "boolean" in types
        case str():
            return "string" in types and (schema.get("format") != "date" or _is_day(value))
        case int():
            return "integer" in types or "number" in types
        case float():
            return "number" in types
        case list():
            length = len(value)  # pyright: ignore[reportUnknownArgumentType] - JSON
            if "array" not in types or not schema.get("minItems", 0) <= length <= schema.get("maxItems", length):
                return False
            return all(fits(schema["items"], each) for each in value)  # pyright: ignore[reportUnknownVariableType] - JSON
        case _:
            return False


def _is_day(text: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return False
    from datetime import date

    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


_FIELD = re.compile(r"%%|%\((\w+)\)[a-z]")


def help_text(call: Call, default: str | None) -> str:
    """Return the help of an argument with its default filled in, empty if it cannot be told."""
    try:
        text = call.constant("help")
    except NotConstantError:
        return ""
    if not isinstance(text, str):
        return ""

    def filled(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        return default if match[1] == "default" and default is not None else match[0]

    return storable(_FIELD.sub(filled, text) if "%" in text else text).strip()
