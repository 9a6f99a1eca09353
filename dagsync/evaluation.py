"""Evaluates the constant expressions a job's declaration may be made of, without running anything.

Follows names of module constants, ``__doc__``, literals, tuples, lists and dicts of them, string methods, ``or``, ``+``,
``%``, arithmetic of numbers, f-strings, ``[...]`` and ``[:]``, and the calls of ``dagsync.declarations``. Everything else,
and everything that would grow beyond what ``texts`` and ``arithmetic`` allow, raises ``NotConstantError``.
"""

import ast
from collections.abc import Mapping, Sequence

from dagsync.arithmetic import computed
from dagsync.declarations import CALLS, declared
from dagsync.texts import MAX_LENGTH, METHODS, Value, called, element_of, formatted, joined, slice_of


class NotConstantError(Exception):
    """The expression is not one the evaluator follows."""

    def __init__(self, node: ast.AST, reason: str) -> None:
        super().__init__(reason)
        self.line: int = getattr(node, "lineno", 0)


class Constants:
    """The module-level names of one module and the docstring, evaluated when asked for."""

    def __init__(
        self, bindings: Mapping[str, ast.expr | None], docstring: str | None, aliases: Mapping[str, str] | None = None
    ) -> None:
        """``bindings`` maps a name to the expression it is bound to, or ``None`` where that cannot be told; ``aliases`` names
        to the calls of ``CALLS`` that were imported under them."""
        self.bindings = bindings
        self._aliases = aliases or {}
        self._docstring = docstring
        self._resolving: set[str] = set()
        self._known: dict[str, Value] = {}

    def bound(self, name: str, node: ast.expr | None) -> "Constants":
        """Return these with ``name`` bound to ``node`` instead."""
        return Constants({**self.bindings, name: node}, self._docstring, self._aliases)

    def resolve(self, node: ast.expr) -> ast.expr:
        """Follow plain names to the expression they stand for."""
        if type(node) is not ast.Name:
            return node
        bound = self.bindings.get(node.id)
        if type(bound) is not ast.Name:
            return node if bound is None else bound
        seen: set[str] = set()
        while isinstance(node, ast.Name) and node.id not in seen:
            seen.add(node.id)
            bound = self.bindings.get(node.id)
            if bound is None:
                return node
            node = bound
        return node

    def evaluate(self, node: ast.expr) -> Value:
        """Return the value of an expression, or raise ``NotConstantError``."""
        # What most of them are; patterns are tried one after the other.
        if type(node) is ast.Constant and type(node.value) is str and len(node.value) <= MAX_LENGTH:
            return node.value
        try:
            value = self._evaluate(node)
        except RecursionError:
            raise NotConstantError(node, "the expression is nested too deeply") from None
        except (ValueError, ArithmeticError) as error:
            # Too long, too large, or a number Python does not print.
            raise NotConstantError(node, str(error)) from None
        if isinstance(value, str) and len(value) > MAX_LENGTH:
            raise NotConstantError(node, f"the text is longer than {MAX_LENGTH} characters")
        return value

    def _evaluate(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=str() | int() | float() | None as value):
                return value
            case ast.Name(id="__doc__") if "__doc__" not in self.bindings:
                return self._docstring
            case ast.Name(id=name):
                return self._name(node, name)
            case ast.Tuple(elts=elements):
                return tuple(self.evaluate(element) for element in elements)
            case ast.List(elts=elements):
                return [self.evaluate(element) for element in elements]
            case ast.Dict(keys=keys, values=values):
                return self._dict(node, keys, values)
            case ast.BoolOp(op=ast.Or(), values=values):
                return self._first_truthy(values)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._sum(node, self.evaluate(left), self.evaluate(right))
            case ast.BinOp(left=left, op=ast.Mod(), right=right):
                return self._percent(node, self.evaluate(left), self.evaluate(right))
            case ast.BinOp(left=left, op=operation, right=right):
                number = computed(operation, self.evaluate(left), self.evaluate(right))
                if number is not None:
                    return number
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value = self.evaluate(operand)
                if isinstance(value, int | float):
                    return -value
            case ast.Subscript(value=target, slice=index):
                return self._part(node, self.evaluate(target), index)
            case ast.JoinedStr(values=values):
                return joined([self._fragment(value) for value in values])
            case ast.Call(func=ast.Name(id=name)) if (call := self._aliases.get(name, name)) in CALLS:
                return self._declared(node, call)
            case ast.Call(func=ast.Attribute(value=ast.Name(), attr=call)) if call in CALLS:
                return self._declared(node, call)
            case ast.Call(func=ast.Attribute(value=target, attr=method), args=arguments, keywords=keywords):
                return self._method(node, target, method, arguments, keywords)
            case _:
                pass
        raise NotConstantError(node, f"{source_of(node)} is not a constant expression")

    def _name(self, node: ast.expr, name: str) -> Value:
        bound = self.bindings.get(name)
        if bound is None:
            known = name in self.bindings
            raise NotConstantError(
                node, f"{name!r} is {'not assigned exactly once' if known else 'not a constant of this module'}"
            )
        # Remembered, because names built on each other twice would cost 2**depth.
        if name in self._known:
            return self._known[name]
        if name in self._resolving:
            raise NotConstantError(node, f"{name!r} is defined by itself")
        self._resolving.add(name)
        try:
            value = self.evaluate(bound)
        finally:
            self._resolving.discard(name)
        if _is_large(value):
            # Names for what is built of names twice would stand for 2**depth elements.
            raise NotConstantError(node, f"{name!r} has more than {MAX_LENGTH} elements")
        self._known[name] = value
        return value

    def _dict(self, node: ast.expr, keys: Sequence[ast.expr | None], values: Sequence[ast.expr]) -> Value:
        result: dict[Value, Value] = {}
        for key_node, value_node in zip(keys, values, strict=True):
            value = self.evaluate(value_node)
            if key_node is None:
                if not isinstance(value, dict):
                    raise NotConstantError(node, "** of something that is not a dict")
                result |= value
                continue
            key = self.evaluate(key_node)
            if not isinstance(key, str | int | float | None):
                raise NotConstantError(key_node, "a dict key that is not a string or a number")
            result[key] = value
        return result

    def _first_truthy(self, nodes: Sequence[ast.expr]) -> Value:
        value: Value = None
        for node in nodes:
            value = self.evaluate(node)
            if value:
                break
        return value

    def _sum(self, node: ast.expr, left: Value, right: Value) -> Value:
        match left, right:
            case str(), str():
                return joined([left, right])
            case ((int() | float()), (int() | float())):
                return left + right
            case tuple(), tuple() if len(left) + len(right) <= MAX_LENGTH:
                return (*left, *right)
            case list(), list() if len(left) + len(right) <= MAX_LENGTH:
                return [*left, *right]
            case _:
                raise NotConstantError(node, f"+ of {type(left).__name__} and {type(right).__name__}")

    def _part(self, node: ast.expr, whole: Value, index: ast.expr) -> Value:
        try:
            if isinstance(index, ast.Slice):
                bounds = [None if each is None else self.evaluate(each) for each in (index.lower, index.upper, index.step)]
                return slice_of(whole, bounds)
            return element_of(whole, self.evaluate(index))
        except (LookupError, TypeError) as error:
            raise NotConstantError(node, f"{source_of(node)}: {type(error).__name__}: {error}") from None

    def _percent(self, node: ast.expr, left: Value, right: Value) -> Value:
        if not isinstance(left, str):
            raise NotConstantError(node, f"% on {type(left).__name__}")
        return self._call(node, left, "__mod__", [right], {})

    def _fragment(self, node: ast.expr) -> str:
        if not isinstance(node, ast.FormattedValue):
            return str(self.evaluate(node))
        spec = "" if node.format_spec is None else str(self.evaluate(node.format_spec))
        return formatted(self.evaluate(node.value), chr(node.conversion) if node.conversion > 0 else "", spec)

    def _declared(self, node: ast.Call, call: str) -> Value:
        names = CALLS[call]
        if len(node.args) > len(names):
            raise NotConstantError(node, f"{call}(...) takes {', '.join(names)}")
        given = {name: self.evaluate(argument) for name, argument in zip(names, node.args, strict=False)}
        for keyword in node.keywords:
            if keyword.arg not in names or keyword.arg in given:
                raise NotConstantError(keyword.value, f"{call}(...) takes {', '.join(names)}, each once; found {keyword.arg}")
            given[keyword.arg] = self.evaluate(keyword.value)
        return declared(call, given)

    def _method(
        self, node: ast.expr, target: ast.expr, method: str, arguments: Sequence[ast.expr], keywords: Sequence[ast.keyword]
    ) -> Value:
        if method not in METHODS:
            raise NotConstantError(node, f"{source_of(node)} is not a constant expression")
        subject = self.evaluate(target)
        if not isinstance(subject, str):
            raise NotConstantError(node, f".{method}() on {type(subject).__name__}")
        named: dict[str, Value] = {}
        for keyword in keywords:
            if keyword.arg is None:
                raise NotConstantError(node, "** in a call")
            named[keyword.arg] = self.evaluate(keyword.value)
        return self._call(node, subject, method, [self.evaluate(argument) for argument in arguments], named)

    def _call(self, node: ast.expr, subject: str, method: str, arguments: list[Value], named: dict[str, Value]) -> Value:
        try:
            return called(subject, method, arguments, named)
        except (TypeError, LookupError, AttributeError) as error:
            raise NotConstantError(node, str(error)) from None


def _is_large(value: Value) -> bool:
    """Return whether a value has more than ``MAX_LENGTH`` elements, with those of its elements."""
    found = [value]
    for each in found:
        if isinstance(each, tuple | list):
            found += each
        elif isinstance(each, dict):
            found += each.values()
        if len(found) > MAX_LENGTH:
            return True
    return False


def source_of(node: ast.expr) -> str:
    """Return an expression as messages quote it."""
    try:
        text = ast.unparse(node)
    except (RecursionError, ValueError):
        return "the expression"
    return text if len(text) <= 60 else text[:57] + "..."
