"""From the declaration of a parser to typed params: what Airflow's trigger form shows, and how each becomes arguments."""

from collections.abc import Iterator, Sequence
from itertools import islice

from dagsync.declared_arguments import Argument, argument_of
from dagsync.fields import Json, help_text
from dagsync.known_arguments import Key, key_of
from dagsync.params import Parameter
from dagsync.parsers import Call, DeclaredArgument, DeclaredCommands, DeclaredParser, NotFollowedError, Rivals, noted
from dagsync.schemas import typed
from dagsync.texts import Value, shown, storable

MAX_PARAMETERS = 100
MAX_DESCRIPTION = 1000

RAW = "args"
"""Key of the param that holds a whole command line."""

Pair = tuple[Parameter, Argument | None]
"""A param and its argument; ``None``: it chooses a command."""

_Known = tuple[Parameter, Argument]
_Found = tuple[DeclaredArgument, Argument, Key | None, _Known | None]
"""A declaration, what it declares, the key of that, and what is remembered under the key."""


def parameters_of(parser: DeclaredParser) -> list[Pair]:
    """Return the params of a parser, in the order of its arguments. Raises ``NotFollowedError``."""
    # No further than it takes to know: commands that share parents= multiply their arguments.
    found = list(islice(_level(parser, [], {RAW}), MAX_PARAMETERS + 1))
    if len(found) > MAX_PARAMETERS:
        raise NotFollowedError(parser.call.line, f"the parser has more than {MAX_PARAMETERS} arguments")
    return found


def _level(parser: DeclaredParser, path: list[str], keys: set[str]) -> Iterator[Pair]:
    """Yield the params of a parser and of its commands; ``path`` leads to it, ``keys`` are taken."""
    found: list[_Found] = []
    dests: list[str] = []
    strings: list[str] = []
    has_positionals = False
    is_simple = not path and not parser.defaults
    for declared in parser.arguments:
        key = key_of(declared) if is_simple else None
        known = None if key is None else _known.get(key)
        if known is not None:
            argument = known[1]
        else:
            argument = argument_of(parser, noted(declared.node, declared.scope), declared.section)
            if argument is None:
                continue
        found.append((declared, argument, key, known))
        names = argument.names
        dests.append(names.dest)
        strings += names.flags
        has_positionals = has_positionals or not names.flags
    if has_positionals:
        _check_positionals(found, parser.commands)
    if len(set(strings)) < len(strings):
        _refuse_twice(found)
    are_distinct = len(set(dests)) == len(dests)
    rivals = _rivals(found)
    for declared, argument, remembered_as, known in found:
        dest = argument.names.dest
        if known is not None and are_distinct and dest not in keys:
            keys.add(dest)
            yield known
            continue
        call = noted(declared.node, declared.scope)
        if call.scope.of_argparse(call.keywords.get("help")) == "SUPPRESS" and not argument.required:
            continue
        key = _key(argument, path, keys)
        is_shared = not are_distinct and dests.count(dest) > 1
        pair = _parameter(argument, call, key, path, rivals.get(id(declared), ""), is_shared=is_shared), argument
        if remembered_as is not None and are_distinct and key == dest:
            _remember(remembered_as, pair)
        yield pair
    if parser.commands is not None:
        yield from _commands(parser.commands, path, keys)


def _rivals(found: Sequence[_Found]) -> dict[int, str]:
    """Return what is said of each declaration, by its identity, that is not given together with others."""
    groups: dict[Rivals, dict[int, str]] = {}
    for declared, argument, *_ in found:
        if declared.rivals is not None:
            titles = groups.setdefault(declared.rivals, {})
            titles[id(declared)] = argument.names.flag or argument.names.dest
    said: dict[int, str] = {}
    for group, titles in groups.items():
        if group.required or len(titles) > 1:
            how_many = "exactly" if group.required else "at most"
            said |= dict.fromkeys(titles, f"{how_many} one of {', '.join(titles.values())}")
    return said


_MAX_KNOWN = 20_000
_known: dict[Key, _Known] = {}
"""Params of arguments of the top level that share neither name nor key with another."""


def _remember(key: Key, pair: _Known) -> None:
    if len(_known) >= _MAX_KNOWN:
        _known.clear()
    _known[key] = pair


def _key(argument: Argument, path: Sequence[str], keys: set[str]) -> str:
    dest = argument.names.dest
    if dest not in keys:
        keys.add(dest)
        return dest
    candidates = (dest, argument.names.flag.lstrip("-").replace("-", "_"), "_".join([*path[1::2], dest]))
    return _free(next((each for each in candidates if each and each not in keys), dest), keys)


def _free(key: str, keys: set[str]) -> str:
    while key in keys:
        key += "_"
    keys.add(key)
    return key


def _refuse_twice(found: Sequence[_Found]) -> None:
    """Refuse an option string that is added again."""
    strings: set[str] = set()
    for declared, argument, *_ in found:
        if not strings.isdisjoint(argument.names.flags):
            raise NotFollowedError(declared.node.lineno, f"{argument.names.flag} is added twice")
        strings.update(argument.names.flags)


def _check_positionals(found: Sequence[_Found], commands: DeclaredCommands | None) -> None:
    """Refuse positionals of which argparse, and not the value, decides where one ends and the next begins."""
    greedy = False
    for declared, argument, *_ in found:
        if argument.names.flags:
            continue
        line, dest, nargs = declared.node.lineno, argument.names.dest, argument.nargs
        if argument.action not in {"store", "extend", "append"}:
            raise NotFollowedError(line, f"action {argument.action!r} of a positional")
        if greedy and nargs in ("?", "*", "+"):
            raise NotFollowedError(line, f"{dest} comes after a positional of any number of values")
        if commands is not None and (nargs in ("?", "*", "+") or line > commands.call.line):
            raise NotFollowedError(line, f"{dest} stands before a command, and where it ends is not certain")
        greedy = greedy or nargs in ("*", "+")


def _commands(commands: DeclaredCommands, path: list[str], keys: set[str]) -> Iterator[Pair]:
    call = commands.call
    unknown = call.keywords.keys() - {"dest", "description", "help", "metavar", "prog", "required", "title"}
    if unknown or not commands.parsers:
        raise NotFollowedError(
            call.line, f"{', '.join(sorted(unknown))}= of add_subparsers" if unknown else "no command is added"
        )
    dest = call.decided("dest")
    key = _free(dest if isinstance(dest, str) and dest else "command", keys)
    required = call.decided("required", False) is True
    names: list[Json] = [*commands.parsers, None]
    schema: dict[str, Json] = {"type": ["string", "null"], "enum": names, "title": key}
    _describe(schema, help_text(call, None), required, path, "")
    yield Parameter(key, None, schema, [key, "", "command", None, *path]), None
    for name, parser in commands.parsers.items():
        yield from _level(parser, [*path, key, name], keys)


def _text(value: Value) -> str:
    try:
        return str(value)
    except ValueError:
        # Python prints no integer of more than 4300 digits.
        return shown(value)


def _parameter(argument: Argument, call: Call, key: str, path: list[str], rivals: str, *, is_shared: bool) -> Parameter:
    default, schema, shape, omitted = typed(argument, call, is_shared=is_shared)
    names, text = argument.names, _hidden_default(argument, default, is_shared=is_shared)
    title = names.flag or key
    if argument.action == "store_false" and omitted is True:
        title = names.dest
    schema["title"] = title
    description = ""
    if "help" in call.keywords:
        description = help_text(call, argument.default_text or _text(argument.default))
    if not default and not argument.required and text and text not in description:
        description = f"{description} (default: {text})".strip()
    if title != names.flag and names.flag:
        description = f"{description} (off: {names.flag})".strip()
    if rivals:
        description = f"{description} ({rivals})".strip()
    if argument.required_if:
        description = f"Required if {argument.required_if}. {description}".strip()
    _describe(schema, description, argument.required, path, argument.section)
    return Parameter(key, default, schema, [key, names.flag, shape, omitted, *path])


def _hidden_default(argument: Argument, first: Json, *, is_shared: bool) -> str | None:
    """Return the default as a text where the field, which begins with ``first``, does not show it."""
    has_values = argument.action in {"append", "extend", "store"}
    if argument.default_text is not None or is_shared or not has_values or not argument.default or first not in (None, []):
        return argument.default_text
    return storable(_text(argument.default))[:80]


def _describe(schema: dict[str, Json], description: str, required: bool, path: Sequence[str], section: str) -> None:
    text = f"Required. {description}".strip() if required else description
    if text:
        schema["description"] = text[:MAX_DESCRIPTION]
    if (path or section) and (shown := " ".join([*path[1::2], section]).strip()):
        schema["section"] = shown[:100].replace("\0", "")
