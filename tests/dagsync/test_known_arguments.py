"""Arguments that are understood once: two calls that differ in anything never share what is remembered."""

import ast
import itertools

import pytest

from dagsync import parameters
from dagsync.forms import form_of
from dagsync.module_names import names_of
from dagsync.params import Parameter

MODULE = """
import argparse
import datetime
from argparse import SUPPRESS
from pathlib import Path as path

LIMIT = {limit}
{before}

def entrypoint(argv):
    parser = argparse.ArgumentParser()
    group = parser.add_argument_group("Which")
    {call}
    return parser.parse_args(argv)

JOB = (entrypoint, "")
"""

CALLS = (
    'parser.add_argument("--a")',
    'parser.add_argument("--b")',
    'parser.add_argument("-a", "--a")',
    'parser.add_argument("--a", "-a")',
    'parser.add_argument("a")',
    'group.add_argument("--a")',
    'parser.add_argument("--a", dest="b")',
    *(
        f'parser.add_argument("--a", default={each})'
        for each in ("0", "1", "1.0", "True", "False", "-0.0", "'1'", "''", "None")
    ),
    *(f'parser.add_argument("--a", default={each})' for each in ("0.0", "[]", "[1]", "LIMIT", "'LIMIT'", "SUPPRESS", "None")),
    *(f'parser.add_argument("--a", type={each})' for each in ("int", "float", "str", "path", "datetime.date.fromisoformat")),
    'parser.add_argument("--a", type=datetime.datetime.fromisoformat)',
    *(f'parser.add_argument("--a", type=int, default={each})' for each in ("1", "2", "'1'", "LIMIT")),
    *(f'parser.add_argument("--a", nargs={each})' for each in ("1", "2", "'?'", "'*'", "'+'", "argparse.ONE_OR_MORE")),
    *(f'parser.add_argument("--a", action={each})' for each in ("'store_true'", "'store_false'", "'append'", "'count'")),
    'parser.add_argument("--a", action=argparse.BooleanOptionalAction)',
    *(f'parser.add_argument("--a", required={each})' for each in ("True", "False", "1")),
    *(f'parser.add_argument("--a", help={each})' for each in ("'one'", "'two'", "SUPPRESS", "'SUPPRESS'")),
    *(f'parser.add_argument("--a", choices={each})' for each in ("['x']", "['x', 'y']", "('y', 'x')")),
    'parser.add_argument("--a", metavar="X", help="one")',
)
LIMITS = ("5", "6", "5.0", "True", "'5'")


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parameters, "_known", {})


def form(call: str, limit: str = "5", before: str = "") -> tuple[tuple[Parameter, ...], tuple[str, ...]]:
    names = names_of(ast.parse(MODULE.format(call=call, limit=limit, before=before)).body)
    assert names.job is not None
    declared = names.job[1]
    assert isinstance(declared, ast.Tuple)
    found = form_of(names, declared.elts[0], {}, 1, "p/jobs/j.py")
    return found.parameters, tuple(note.message for note in found.notes)


def alone(call: str, limit: str = "5", before: str = "") -> str:
    """Return, with all types, the form of a job before which no other was read."""
    parameters._known.clear()  # pyright: ignore[reportPrivateUsage] - what is tested
    return repr(form(call, limit, before))


def test_two_calls_that_differ_in_anything_never_share_what_is_remembered() -> None:
    variants = [(call, limit) for call in CALLS for limit in (LIMITS if "LIMIT" in call else ("5",))]
    expected = {variant: alone(*variant) for variant in variants}

    for first, second in itertools.permutations(variants, 2):
        alone(*first)
        assert repr(form(*second)) == expected[second], f"{second} after {first}"


@pytest.mark.parametrize(
    ("call", "before"),
    [
        ('parser.add_argument("--a", type=int)', "def int(text): return text"),
        ('parser.add_argument("--a", help=SUPPRESS)', 'SUPPRESS = "shown"'),
        ('parser.add_argument("--a", default=LIMIT)', "LIMIT = 7"),
        ('parser.add_argument("--a", default="1")', "FORMS = 1"),
    ],
)
def test_what_a_name_stands_for_in_its_own_module_decides(call: str, before: str) -> None:
    expected = alone(call, before=before)

    alone(call)

    assert repr(form(call, before=before)) == expected


def test_equal_calls_of_two_jobs_share_one_param() -> None:
    call = 'parser.add_argument("--a", type=int, default=1, help="one")'

    (first,), _ = form(call)
    (second,), _ = form(call)

    assert first is second


def test_what_is_remembered_does_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parameters, "_MAX_KNOWN", 10)

    for number in range(50):
        form(f'parser.add_argument("--a", default={number})')

    assert 0 < len(parameters._known) <= 10  # pyright: ignore[reportPrivateUsage] - what is tested
