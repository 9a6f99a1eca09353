"""What the names of a module stand for, told from its statements in one pass: every job of a tree goes through it."""

import ast
from ast import Assign, Call, Expr, FunctionDef, Import, Name
from collections.abc import Iterable, Iterator

from dagsync.declarations import CALLS, ORIGINS

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

_BLOCKS = (ast.If, ast.Try, ast.With, ast.For, ast.While, ast.TryStar)
_OTHER_PARSERS = frozenset({"absl", "click", "docopt", "fire", "getopt", "jsonargparse", "optparse", "tap", "typer"})
_PARSERS = _OTHER_PARSERS | {"argparse"}
_JOB_ORIGINS = ORIGINS | {"dagsync.job"}


class ModuleNames:
    """The names that are bound when a module is imported."""

    def __init__(self, body: list[ast.stmt]) -> None:
        self.body = body
        self.docstring = _docstring(body)

        self.bindings: dict[str, ast.expr | None] = {}
        """What each name is assigned, ``None`` where that cannot be told; without ``JOB``."""

        self.job: tuple[int, ast.expr | None] | None = None
        """The last assignment to ``JOB``, with its line."""

        self.functions: dict[str, Function] = {}

        self.argparse_names: dict[str, str] = {}
        """Names for ``argparse`` itself (``""``) and for what was imported from it."""

        self.other_parser: str | None = None
        """A library besides ``argparse`` that reads command lines."""

        self.job_names = {"Job"}
        """Names of ``dagsync.Job``."""

        self.aliases: dict[str, str] = {}
        """Other names of the calls that options may be made of."""

        self.made_by: list[ast.expr] = []
        """Functions of which results are assigned to names."""

    def add_import(self, statement: ast.Import | ast.ImportFrom) -> None:
        """Take note of what ``argparse`` and its parts are called."""
        if isinstance(statement, ast.Import):
            for each in statement.names:
                if each.name == "argparse":
                    self.argparse_names[each.asname or each.name] = ""
                elif each.name in _OTHER_PARSERS:
                    self.other_parser = each.name
        elif statement.module == "argparse":
            for each in statement.names:
                self.argparse_names[each.asname or each.name] = each.name
        elif statement.module in _OTHER_PARSERS:
            self.other_parser = statement.module


def _docstring(body: list[ast.stmt]) -> str | None:
    # What ast.get_docstring does, which asks for nodes of Python 3.7 too: a hundredth of a cold sync.
    first = body[0] if body else None
    if type(first) is ast.Expr and type(first.value) is ast.Constant and isinstance(first.value.value, str):
        return first.value.value
    return None


def names_of(body: list[ast.stmt]) -> ModuleNames:
    """Return the names of a module of these statements."""
    names = ModuleNames(body)
    # By type and not by pattern, which tries one class after the other; the most frequent first.
    bindings = names.bindings
    for statement in body:
        if type(statement) is Import:
            for each in statement.names:
                if each.name in _PARSERS:
                    names.add_import(statement)
        elif type(statement) is Assign:
            value = statement.value
            if type(value) is Call:
                names.made_by.append(value.func)
            target = statement.targets[0]
            if type(target) is Name and target.id != "JOB" and len(statement.targets) == 1:
                bindings[target.id] = None if target.id in bindings else value
            else:
                _assign(names, statement, certain=True)
        elif type(statement) is FunctionDef:
            names.functions[statement.name] = statement
        elif type(statement) is Expr:
            pass
        else:
            _less_frequent(names, statement)
    if names.job is None and (line := _bound_otherwise(body)):
        names.job = line, None
    return names


def _less_frequent(names: ModuleNames, statement: ast.stmt) -> None:
    if isinstance(statement, ast.ImportFrom):
        names.add_import(statement)
        if statement.module in _JOB_ORIGINS:
            _name_calls(names, statement)
    elif isinstance(statement, ast.AnnAssign):
        if type(statement.value) is ast.Call:
            names.made_by.append(statement.value.func)
        _assign(names, statement, certain=True)
    elif isinstance(statement, ast.AsyncFunctionDef):
        names.functions[statement.name] = statement
    elif isinstance(statement, ast.AugAssign):
        _assign(names, statement, certain=True)
    elif isinstance(statement, _BLOCKS):
        for inner in _within(statement):
            if isinstance(inner, ast.Assign | ast.AnnAssign | ast.AugAssign):
                _assign(names, inner, certain=False)


def _bound_otherwise(body: list[ast.stmt]) -> int | None:
    """Return the line where ``JOB`` becomes a name of the module in another way than by an assignment that is read."""
    nodes: list[ast.AST] = list(body)
    for node in nodes:
        match node:
            case ast.Name(id="JOB", ctx=ast.Store()):
                return node.lineno
            case ast.Import(names=imported) | ast.ImportFrom(names=imported):
                if any((each.asname or each.name) == "JOB" for each in imported):
                    return node.lineno
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                if name == "JOB":
                    return node.lineno
                # What is assigned inside is no name of the module, unless it says so.
                nodes += [each for each in ast.walk(node) if isinstance(each, ast.Global)]
            case ast.Global(names=declared):
                if "JOB" in declared:
                    return node.lineno
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                pass
            case _:
                nodes += ast.iter_child_nodes(node)
    return None


def _name_calls(names: ModuleNames, statement: ast.ImportFrom) -> None:
    for alias in statement.names:
        if alias.name == "Job" and alias.asname:
            names.job_names.add(alias.asname)
        elif alias.name in CALLS and alias.asname:
            names.aliases[alias.asname] = alias.name


def _within(block: ast.stmt) -> Iterator[ast.stmt]:
    """Yield the statements of a block, those of the blocks in it included."""
    for field_of_block in ("body", "handlers", "orelse", "finalbody"):
        for each in getattr(block, field_of_block, ()):
            yield from _statements(each.body if isinstance(each, ast.ExceptHandler) else [each])


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        if isinstance(statement, _BLOCKS):
            yield from _within(statement)


def _assign(names: ModuleNames, statement: ast.Assign | ast.AnnAssign | ast.AugAssign, *, certain: bool) -> None:
    value = None if isinstance(statement, ast.AugAssign) else statement.value
    if value is None and isinstance(statement, ast.AnnAssign):
        return
    for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
        if type(target) is ast.Name:
            if target.id == "JOB":
                if certain or names.job is None or not _is_none(value):
                    names.job = statement.lineno, value
            else:
                names.bindings[target.id] = value if certain and target.id not in names.bindings else None
        elif isinstance(target, ast.Tuple | ast.List):
            bound = {element.id for element in target.elts if isinstance(element, ast.Name)}
            names.bindings |= dict.fromkeys(bound)
            names.job = (statement.lineno, None) if "JOB" in bound else names.job
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            # A dict or list that is filled element by element.
            names.bindings[target.value.id] = None


def _is_none(value: ast.expr | None) -> bool:
    """Return whether a module says by this value that it has no job, as where a library cannot be imported."""
    return isinstance(value, ast.Constant) and value.value is None
