"""What makes two ``add_argument`` calls mean the same: the jobs of a tree have ``--date`` and ``--dry-run`` in common."""

from ast import Attribute, Constant, Name, expr

from dagsync.parsers import DeclaredArgument, Scope

Key = tuple[object, ...]


def key_of(declared: DeclaredArgument) -> Key | None:
    """Return what decides all about an argument, or ``None`` if some of it would have to be evaluated first."""
    call, scope, section, rivals = declared
    if rivals is not None:
        return None
    found: list[object] = [section, len(call.args)]
    for node in call.args:
        if type(node) is not Constant:
            return None
        found.append(node.value)
    for each in call.keywords:
        keyword, node = each.arg, each.value
        if keyword is None:
            return None
        if type(node) is Constant:
            meaning = _of_value(node.value)
        elif type(node) is Name:
            meaning = _of_name(scope, keyword, node)
        elif type(node) is Attribute:
            meaning = _of_attribute(scope, node)
        else:
            return None
        if meaning is None:
            return None
        found += keyword, meaning
    return tuple(found)


_Meaning = tuple[object, object] | None


_SCALARS = frozenset({int, float, bool, type(None)})
_LONGEST = 1000


def _of_value(value: object) -> object:
    if type(value) is str:
        # As it is: equal to no value of another type.
        return value if len(value) <= _LONGEST else None
    if type(value) not in _SCALARS:
        return None
    # 1, 1.0 and True are equal, and so are 0.0 and -0.0.
    return type(value), repr(value) if type(value) is float else value


def _of_name(scope: Scope, keyword: str, node: Name) -> object:
    if name := scope.argparse_names.get(node.id):
        return "argparse", name
    if keyword == "type":
        return None if node.id in scope.functions else ("name", node.id)
    found = scope.constants.resolve(node)
    return _of_value(found.value) if type(found) is Constant else None


def _of_attribute(scope: Scope, node: Attribute) -> _Meaning:
    if (name := scope.of_argparse(node)) is not None:
        return "argparse", name
    parts: list[str] = []
    inner: expr = node
    while type(inner) is Attribute:
        parts.append(inner.attr)
        inner = inner.value
    return ("attribute", (*parts, inner.id)) if type(inner) is Name else None
