"""Looks at code of a job that may or may not run, or may run more than once."""

import ast
from collections.abc import Iterator

from dagsync.frames import Frame
from dagsync.parser_calls import HARMLESS, PARSE, SHOWN_ONLY
from dagsync.parsers import NotFollowedError


def refuse_building(node: ast.AST, frame: Frame, *, in_function: bool) -> Iterator[ast.Call]:
    """Yield the calls that parse with a parser.

    Raises ``NotFollowedError`` where a parser is made, changed or handed on, or a function that makes one is called, which
    outside of any function is for when the module is run as a script.
    """
    allowed: set[int] = set()
    for each in ast.walk(node):
        match each:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name) as used, attr=method)) if frame.is_tracked(name):
                if method in PARSE:
                    yield each
                if method in HARMLESS:
                    allowed.add(id(used))
            case ast.Attribute(value=ast.Name() as used, attr=attribute) if attribute in SHOWN_ONLY:
                allowed.add(id(used))
            case ast.Name(id=name) if id(each) not in allowed and frame.is_tracked(name):
                raise NotFollowedError(each.lineno, f"{name} is used under a condition")
            case ast.Call(func=function) if frame.scope.of_argparse(function) == "ArgumentParser":
                raise NotFollowedError(each.lineno, "the parser is built under a condition")
            case ast.Call(func=ast.Name(id=name)) if in_function and frame.scope.leads_to_parser(name):
                raise NotFollowedError(each.lineno, f"{name}() is called under a condition")
            case _:
                pass
