"""The shortcut for parsers that are written straight down finds what following the job statement by statement finds."""

import ast
import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagsync import following
from dagsync.evaluation import Constants
from dagsync.forms import Form, form_of
from dagsync.module_names import names_of
from dagsync.parsers import NotFollowedError, Scope
from dagsync.plain_parsers import plain_parser

STRAIGHT = '''
import argparse

LIMIT = 5


def parse(argv: list[str]) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(prog="load", description=__doc__)
    parser.add_argument("--limit", type=int, default=LIMIT)
    parser.add_argument("--dry-run", action="store_true")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    options = parse(argv)
    return 0 if options.dry_run else 1


JOB = (main, "")
'''

STARTS = ("parser = argparse.ArgumentParser()", "parser = ArgumentParser(prog='load')", "parser = arg.ArgumentParser()")
ADDS = ("parser.add_argument('--limit', type=int, default=LIMIT)", "parser.add_argument('--all', action='store_true')")
ENDS = ("options = parser.parse_args(argv)", "return parser.parse_args(argv)", "options = parser.parse_args()")
ANYWHERE = (
    *STARTS,
    *ADDS,
    *ENDS,
    '"""What it does."""',
    "parser = argparse.ArgumentParser(prefix_chars='+')",
    "parser = argparse.ArgumentParser(parents=[parser])",
    "argv = argparse.ArgumentParser()",
    "LIMIT = argparse.ArgumentParser()",
    "other = argparse.ArgumentParser()",
    "a = b = argparse.ArgumentParser()",
    "parser.add_argument('--limit', default=other)",
    "parser.add_argument(*NAMES)",
    "parser.add_argument('--a', **MORE)",
    "x = parser.add_argument('--b')",
    "return parser.add_argument('--c')",
    "other.add_argument('--d')",
    "parser.error('no')",
    "parser.description = 'more'",
    "parser.prefix_chars = '+'",
    "group = parser.add_argument_group('Which')",
    "group.add_argument('--e')",
    "parser.set_defaults(limit=7)",
    "options, rest = parser.parse_known_args(argv)",
    "first = second = parser.parse_args(argv)",
    "argv.options = parser.parse_args(argv)",
    "options = parser.parse_args(argv[1:])",
    "options = parser.parse_args(args=argv)",
    "options = parser.parse_args(argv, namespace=other)",
    "parser.parse_args(argv).limit",
    "other.parse_args(argv)",
    "options = parse(argv)",
    "argv.options = parse(argv)",
    "first = second = parse(argv)",
    "options = parse()",
    "options = parse(argv, 1)",
    "options = parse(argv=argv)",
    "options = parse(list(argv))",
    "parser = parse(argv)",
    "return parse(argv)",
    "return main(argv)",
    "argv = argv[1:]",
    "log.info('started')",
    "log.info(parser)",
    "return 0",
    "return",
    "if argv:\n        parser.add_argument('--f')",
    "with open('x') as argv:\n        pass",
    "del parser",
)
PARAMETERS = (
    *(
        "argv=None",
        "argv, more=1",
        "argv, LIMIT=3",
        "argv, LIMIT",
        "argv, *, LIMIT",
        "argv, *, LIMIT=3",
        "argv, /",
        "LIMIT, /, argv",
    ),
    *("*argv", "*, argv", "self, argv", "argv, **LIMIT", "", ""),
)
NAMES = ("LIMIT", "parse", "argparse", "parser", "argv", "log")
MODULE = """
import argparse
import argparse as arg
import logging
from argparse import ArgumentParser

log = logging.getLogger(__name__)
LIMIT = 5
NAMES = ("--n",)
MORE = {{}}
{module}

def parse({parse_parameters}):
    {parse}

{decorator}
{kind}def main({main_parameters}):
    {main}

JOB = (main, "")
"""


def seldom(others: Sequence[str], usual: str = "") -> st.SearchStrategy[str]:
    return st.integers(0, 4).flatmap(lambda number: st.sampled_from(others) if number == 0 else st.just(usual))


@st.composite
def bodies(draw: st.DrawFn) -> str:
    """Of a function: often straight, often with one statement that is not, and sometimes anything at all."""
    if draw(st.integers(0, 9)) == 0:
        return "\n    ".join(draw(st.lists(st.sampled_from(ANYWHERE), min_size=1, max_size=7)))
    adds = draw(st.lists(st.sampled_from(ADDS), max_size=2, unique=True))
    statements = [draw(st.sampled_from(STARTS)), *adds, draw(st.sampled_from(ENDS))]
    if draw(st.integers(0, 2)) == 0:
        statements.insert(draw(st.integers(0, len(statements))), draw(st.sampled_from(ANYWHERE)))
    return "\n    ".join(statements)


@st.composite
def sources(draw: st.DrawFn) -> str:
    source = draw(modules)
    # A name that stands for something else as well.
    if draw(st.integers(0, 4)) == 0:
        head, line, functions = source.partition("def parse(")
        old, new = draw(st.sampled_from(["parser", "argv"])), draw(st.sampled_from(NAMES))
        return head + line + re.sub(rf"\b{old}\b", new, functions)
    return source


modules = st.builds(
    MODULE.format,
    module=seldom([*ANYWHERE[:5], *ANYWHERE[9:18], "parse = main", "main = parse", "ArgumentParser = None"]),
    parse_parameters=seldom(PARAMETERS, "argv"),
    main_parameters=seldom(PARAMETERS, "argv"),
    decorator=seldom(["@log.timed"]),
    kind=seldom(["async "]),
    parse=bodies(),
    main=bodies() | st.sampled_from(["return parse(argv)", "options = parse(argv)", "options = parse()"]),
)


def form(source: str) -> Form:
    names = names_of(ast.parse(source))
    return form_of(names, ast.Name("main", ast.Load(), lineno=1), {}, 1, "shop/jobs/load.py")


def told(source: str) -> bool:
    """Return whether the shortcut finds the parser, or what is wrong with it."""
    names = names_of(ast.parse(source))
    scope = Scope(Constants(names.bindings, names.docstring), names.argparse_names, names.functions)
    try:
        return plain_parser(names, ast.Name("main", ast.Load(), lineno=1), scope) is not None
    except NotFollowedError:
        return True


def followed(source: str, monkeypatch: pytest.MonkeyPatch) -> Form:
    with monkeypatch.context() as patched:
        patched.setattr(following, "plain_parser", lambda *_: None)
        return form(source)


@pytest.mark.parametrize(
    "source",
    [
        STRAIGHT,
        STRAIGHT.replace("main(argv: list[str])", "main(argv: list[str] | None = None)"),
        STRAIGHT.replace("main(argv: list[str])", "main()")
        .replace("parse(argv)", "parse()")
        .replace("parse_args(argv)", "parse_args()"),
    ],
)
def test_a_parser_that_is_written_straight_down_is_told_at_once(source: str, monkeypatch: pytest.MonkeyPatch):
    assert told(source)
    found = form(source)
    assert [each.key for each in found.parameters] == ["limit", "dry_run"]
    assert found == followed(source, monkeypatch)


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("parser.parse_args(argv)", "parser.parse_args(argv[1:])"),
        ("parser.parse_args(argv)", "parser.parse_args(argv, None)"),
        ("options = parse(argv)", "options = other = parse(argv)"),
        ("options = parse(argv)", "argv.options = parse(argv)"),
        ("options = parse(argv)", "argv = argv[1:]\n    options = parse(argv)"),
        ("options = parse(argv)", "options = parse(argv, 1)"),
        ("parser.parse_args(argv)", "parser.parse_args(namespace=LIMIT)"),
        ("options = parse(argv)", "options = parse(LIMIT)"),
        ("options = parse(argv)", "options = parse()"),
        ("def parse(argv: list[str])", "def parse(LIMIT: int)"),
        ("def parse(argv: list[str])", "def parse(argv: list[str], limit: int = 1)"),
        ("parser = argparse", "argv = argparse"),
        ("parser = argparse", "LIMIT = argparse"),
        ('parser.add_argument("--dry-run"', 'more = parser.add_argument("--dry-run"'),
        ('parser.add_argument("--dry-run"', 'return parser.add_argument("--dry-run"'),
        ('parser.add_argument("--dry-run"', 'other.add_argument("--dry-run"'),
        ('prog="load"', "parents=[]"),
        ("return parser.parse_args", "if argv:\n        parser.exit()\n    return parser.parse_args"),
    ],
)
def test_what_is_not_written_straight_down_is_left_to_who_follows_it(written: str, instead: str):
    assert STRAIGHT.count(written) == 1
    assert not told(STRAIGHT.replace(written, instead))


def test_arguments_that_are_lost_on_the_way_are_not_taken_for_given():
    onwards = "def main(argv):\n    return onwards({})\n\n\ndef onwards(argv):\n    return parse(argv)\n"
    before, _, after = STRAIGHT.partition("def main(")
    assert told(f"{before}{onwards.format('argv')}{after[after.index('JOB') :]}")
    assert not told(f"{before}{onwards.format('')}{after[after.index('JOB') :]}")


@settings(max_examples=2000)
@given(source=sources())
def test_the_shortcut_finds_what_following_finds(source: str):
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert form(source) == followed(source, monkeypatch)


def test_the_shortcut_is_taken_by_some_generated_modules_and_not_by_all():
    seen: set[bool] = set()

    @settings(max_examples=100, derandomize=True, database=None)
    @given(source=sources())
    def look(source: str) -> None:
        seen.add(told(source))

    look()
    assert seen == {True, False}
