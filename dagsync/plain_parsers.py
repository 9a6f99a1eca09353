"""The parser of a job that is written straight down, as most are: told in one pass over the statements that build it.

A shortcut past ``following``, which must be ready for anything and takes a tenth of a cold sync for it. Any statement of
another kind than those here is left to it, and what is found here is what it would find.
"""

from ast import Assign, Attribute, Call, Constant, Expr, Name, Return, expr

from dagsync.module_names import Function, ModuleNames
from dagsync.parser_calls import PARSE
from dagsync.parsers import DeclaredArgument, DeclaredParser, Scope, new_parser, noted

_MAX_CALLS = 4


def plain_parser(names: ModuleNames, entrypoint: expr, scope: Scope) -> DeclaredParser | None:
    """Return the parser that ``entrypoint`` gives its arguments to, or ``None`` if it takes a closer look to tell.

    ``names`` and ``scope`` are those of its module, which has no parser of its own. Raises ``NotFollowedError``.
    """
    name = entrypoint.id if type(entrypoint) is Name else ""
    found = None if name in names.bindings else names.functions.get(name)
    is_given = True
    for _ in range(_MAX_CALLS):
        if found is None or isinstance(found, DeclaredParser):
            return found
        found, is_given = _followed(found, names, scope, is_given=is_given)
    return None


_Next = tuple[DeclaredParser | Function | None, bool]


def _followed(function: Function, names: ModuleNames, scope: Scope, *, is_given: bool) -> _Next:
    """Return the parser that parses in ``function``, or the function of the module that it calls before it has one.

    With it, whether that function is given the arguments of the job; ``is_given`` says so of this one.
    """
    declared = function.args
    if len(declared.args) > 1 or declared.posonlyargs or declared.kwonlyargs:
        return _UNCLEAR
    argument = declared.args[0].arg if declared.args else ""
    if _means_more(argument, names):
        return _UNCLEAR
    parser, parser_name = None, ""
    for statement in function.body:
        target = ""
        if type(statement) is Assign:
            if len(statement.targets) != 1 or type(statement.targets[0]) is not Name:
                return _UNCLEAR
            target = statement.targets[0].id
        elif type(statement) is Expr:
            if type(statement.value) is Constant:
                continue
        elif type(statement) is not Return:
            return _UNCLEAR
        call = statement.value
        if type(call) is not Call:
            return _UNCLEAR
        called = call.func
        if parser is not None:
            if type(called) is not Attribute or type(called.value) is not Name or called.value.id != parser_name:
                return _UNCLEAR
            if called.attr == "add_argument" and type(statement) is Expr:
                parser.arguments.append(DeclaredArgument(call, scope))
            elif called.attr in PARSE and (_is_bare(call) or (is_given and _is_of(call, argument))):
                return parser, True
            else:
                return _UNCLEAR
        elif target and scope.of_argparse(called) == "ArgumentParser":
            made = noted(call, scope)
            if target == argument or _means_more(target, names) or "parents" in made.keywords:
                return _UNCLEAR
            parser, parser_name = new_parser(made, []), target
        elif type(called) is Name and _is_bare(call):
            return names.functions.get(called.id), False
        elif type(called) is Name and _is_of(call, argument):
            return names.functions.get(called.id), is_given
        else:
            return _UNCLEAR
    return _UNCLEAR


_UNCLEAR: _Next = (None, False)


def _means_more(name: str, names: ModuleNames) -> bool:
    """Return whether a local name hides one of the module."""
    return name in names.bindings or name in names.functions


def _is_bare(call: Call) -> bool:
    return not call.args and not call.keywords


def _is_of(call: Call, argument: str) -> bool:
    """Return whether all that a call is given is the argument."""
    if len(call.args) != 1 or call.keywords:
        return False
    given = call.args[0]
    return type(given) is Name and given.id == argument
