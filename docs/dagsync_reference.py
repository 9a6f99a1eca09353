"""``python docs/dagsync_reference.py``: write the tables of ``docs/dagsync.md``, or with ``--check`` say that they are stale.

Not in the wheel: the tables are made from what ``dagsync`` knows of itself, and only this repository has the page.
"""

import argparse
import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dagsync import declarations, job
from dagsync.arguments import parser
from dagsync.checks import CHECKS, OF_THE_JOB_ALONE
from dagsync.manual import ENVIRONMENT, MANUAL, Page, command_line, exit_codes, page_exit_codes
from dagsync.metrics import METRICS

PAGE = Path(__file__).with_name("dagsync.md")


def fresh_page(text: str) -> str:
    """Return the page with its tables as they should be. Raises ``KeyError`` for a table nobody makes."""

    def section(found: re.Match[str]) -> str:
        return f"{found[1]}\n{chr(10).join(SECTIONS[found[2]]())}\n{found[3]}"

    return re.sub(r"(<!-- begin ([a-z-]+) -->)\n.*?(<!-- end \2 -->)", section, text, flags=re.DOTALL)


def commands() -> Iterator[str]:
    yield "| command | what it does |"
    yield "|---|---|"
    for name, (summary, _) in _commands().items():
        yield f"| [`{name}`](#{name}) | {_cell(summary)} |"


def command_pages() -> Iterator[str]:
    for name, (summary, made) in _commands().items():
        page = MANUAL.get(name, Page())
        yield from ("", f"### {name}", "", _sentence(f"{summary} {page.text}"), "")
        yield from _options(made)
        if page.examples:
            yield from ("", "```console")
            for purpose, arguments in page.examples:
                yield from (f"# {purpose}", f"$ {command_line(arguments, 'dagsync')}")
            yield "```"
        own = {code: meaning for code, meaning in page_exit_codes(page).items() if page.exit_codes.get(code)}
        codes = ", ".join(str(code) for code in page_exit_codes(page))
        told = "; ".join(f"{code}: {meaning.rstrip('.')}" for code, meaning in own.items())
        yield from ("", f"Exit codes: {codes}.{f' Here {told}.' if told else ''}")


def exit_code_table() -> Iterator[str]:
    yield "| exit code | meaning |"
    yield "|---|---|"
    yield from (f"| {code} | {_cell(meaning)} |" for code, meaning in exit_codes().items())


def environment() -> Iterator[str]:
    yield "| variable | meaning |"
    yield "|---|---|"
    yield from (f"| `{name}` | {_cell(meaning)} |" for name, meaning in ENVIRONMENT.items())


def metrics() -> Iterator[str]:
    yield "| metric | type | meaning |"
    yield "|---|---|---|"
    yield from (f"| `{name}` | {kind} | {_cell(meaning)} |" for name, (kind, meaning) in METRICS.items())


def job_options() -> Iterator[str]:
    yield "| option | may be | default | meaning |"
    yield "|---|---|---|---|"
    for name, _, default, meaning in _documented(job, "Job"):
        if name in CHECKS:
            alone = " Each job has its own: it cannot be a default." if name in OF_THE_JOB_ALONE else ""
            yield f"| `{name}` | {_cell(_code_words(CHECKS[name].expected))} | {_cell(default)} | {_cell(meaning)}{alone} |"


def declared_objects() -> Iterator[str]:
    for name in ("Cron", "Asset", "Resources", "Slack", "Sns", "Email", "Webhook"):
        yield from ("", f"**`{name}`**: {_sentence(getattr(declarations, name).__doc__)}", "")
        yield from _fields(declarations, name)


SECTIONS: dict[str, Callable[[], Iterator[str]]] = {
    "commands": commands,
    "command-pages": command_pages,
    "exit-codes": exit_code_table,
    "environment": environment,
    "metrics": metrics,
    "job-options": job_options,
    "declared-objects": declared_objects,
}
"""What stands between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``."""


def _commands() -> dict[str, tuple[str, argparse.ArgumentParser]]:
    top = parser({}, "dagsync")
    actions: list[Any] = top._actions  # pyright: ignore[reportPrivateUsage] - argparse has no public way to ask
    (commands,) = (action for action in actions if isinstance(action, argparse._SubParsersAction))  # pyright: ignore[reportPrivateUsage, reportUnknownVariableType]
    made: dict[str, argparse.ArgumentParser] = commands.choices  # pyright: ignore[reportUnknownVariableType]
    summaries: dict[str, str] = {each.dest: each.help or "" for each in commands._choices_actions}  # pyright: ignore[reportPrivateUsage, reportUnknownVariableType]
    return {name: (summaries[name], each) for name, each in made.items()}


def _options(made: argparse.ArgumentParser) -> Iterator[str]:
    actions: list[argparse.Action] = made._actions  # pyright: ignore[reportPrivateUsage]
    yield "| argument | meaning |"
    yield "|---|---|"
    for action in actions:
        if "--help" in action.option_strings:
            continue
        names = ", ".join(f"`{name}`" for name in action.option_strings)
        choices = "|".join(map(str, action.choices)) if action.choices and not action.metavar else ""
        value = "" if action.nargs == 0 else str(action.metavar or choices or action.dest.upper())
        shown = f"`{value}`" if not names else f"{names} `{value}`" if value else names
        text = (action.help or "") % {"default": action.default, "prog": made.prog}
        yield f"| {_cell(shown)} | {_cell(text)} |"


def _fields(module: Any, name: str) -> Iterator[str]:
    yield "| name | type | default | meaning |"
    yield "|---|---|---|---|"
    for field, annotation, default, meaning in _documented(module, name):
        yield f"| `{field}` | `{_cell(annotation)}` | {_cell(default)} | {_cell(meaning)} |"


def _documented(module: Any, name: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield name, type, default and meaning of a dataclass's fields, from its source: the text below a field is its meaning."""
    source = Path(module.__file__).read_text(encoding="utf-8")
    (made,) = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == name)
    for field, below in zip(made.body, made.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=target), annotation=annotation), ast.Expr(
                value=ast.Constant(value=str(text))
            ):
                default = f"`{ast.unparse(field.value)}`" if field.value else ""
                yield target, ast.unparse(annotation), default, _sentence(text)
            case _:
                pass


def _code_words(text: str) -> str:
    """Return a text with what is Python in it as code."""
    return re.sub(r"""(\[[^\]]*\]|\w+\([^)]*\)|"[^"]*"|'[^']*')""", r"`\1`", text)


def _sentence(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: list[str]) -> int:
    text = PAGE.read_text(encoding="utf-8")
    fresh = fresh_page(text)
    if arguments == ["--check"]:
        if fresh != text:
            sys.stderr.write(f"{PAGE}: is stale\n  fix: make docs\n")
        return int(fresh != text)
    if fresh != text:
        PAGE.write_text(fresh, encoding="utf-8")
        sys.stdout.write(f"wrote {PAGE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
