"""What makes two ``add_argument`` calls mean the same: the jobs of a tree have ``--date`` and ``--dry-run`` in common."""

import ast

from dagsync.parsers import Call, DeclaredArgument

Key = tuple[object, ...]


def key_of(declared: DeclaredArgument) -> Key | None:
    """Return what decides all about an argument, or ``None`` if some of it would have to be evaluated first."""
    call, section, rivals = declared
    if rivals is not None:
        return None
    found: list[object] = [section, len(call.names)]
    for node in call.names:
        if type(node) is not ast.Constant:
            return None
        found.append(node.value)
    for keyword, node in call.keywords.items():
        if type(node) is ast.Constant:
            meaning = _of_constant(node)
        elif type(node) is ast.Name:
            meaning = _of_name(call, keyword, node)
        elif type(node) is ast.Attribute:
            meaning = _of_attribute(call, node)
        else:
            return None
        if meaning is None:
            return None
        found.append(keyword)
        found.append(meaning)
    return tuple(found)


_Meaning = tuple[object, object] | None


_SCALARS = frozenset({int, float, bool, type(None)})
_LONGEST = 1000


def _of_constant(node: ast.Constant) -> _Meaning:
    value = node.value
    if type(value) is str:
        return (str, value) if len(value) <= _LONGEST else None
    if type(value) not in _SCALARS:
        return None
    # 1, 1.0 and True are equal, and so are 0.0 and -0.0.
    return type(value), repr(value) if type(value) is float else value


def _of_name(call: Call, keyword: str, node: ast.Name) -> _Meaning:
    if (name := call.scope.of_argparse(node)) is not None:
        return "argparse", name
    if keyword == "type":
        return None if node.id in call.scope.functions else ("name", node.id)
    found = call.scope.constants.resolve(node)
    return _of_constant(found) if type(found) is ast.Constant else None


def _of_attribute(call: Call, node: ast.Attribute) -> _Meaning:
    if (name := call.scope.of_argparse(node)) is not None:
        return "argparse", name
    parts: list[str] = []
    inner: ast.expr = node
    while type(inner) is ast.Attribute:
        parts.append(inner.attr)
        inner = inner.value
    return ("attribute", (*parts, inner.id)) if type(inner) is ast.Name else None
