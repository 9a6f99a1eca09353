"""The options of a job as a table: what each is called, may be, is by default, and means.

Read from the class ``Job`` and its docstrings, so that there is one place to write them; for documentation and help.
"""

import ast
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from dagsync import model
from dagsync.checks import CHECKS, OF_THE_JOB_ALONE


class OptionRow(NamedTuple):
    """One option."""

    name: str
    type: str
    """As the class declares it."""

    default: str
    """The built-in default, as it would be written."""

    meaning: str
    """Sentences in one line, with names in double backquotes."""

    expected: str
    """What a value must be, as problems say it."""

    is_inherited: bool
    """Whether ``[tool.dagsync]`` of a package or of the tree can set it."""


def option_table() -> list[OptionRow]:
    """Return a row for each option, in the order in which they are declared."""
    module = ast.parse(Path(model.__file__).read_bytes())
    body = next(node.body for node in module.body if isinstance(node, ast.ClassDef) and node.name == "Job")
    rows: list[OptionRow] = []
    for field, text in pairwise(body):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=ast.expr() as default),
                ast.Expr(value=ast.Constant(value=str() as meaning)),
            ) if name in CHECKS:
                shown = "[]" if isinstance(default, ast.Tuple) else ast.unparse(default)
                row = OptionRow(
                    name,
                    ast.unparse(annotation),
                    shown,
                    " ".join(meaning.split()),
                    CHECKS[name].expected,
                    name not in OF_THE_JOB_ALONE,
                )
                rows.append(row)
            case _:
                pass
    return rows
