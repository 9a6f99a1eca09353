"""Constant expressions have the value Python would give them, and nothing else is guessed or run."""

import ast
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagsync.evaluation import Constants, NotConstantError
from dagsync.texts import MAX_LENGTH, Value


def evaluate(expression: str, constants: str = "", docstring: str | None = "The docs.") -> Value:
    bindings: dict[str, ast.expr | None] = {}
    for statement in ast.parse(constants).body:
        assert isinstance(statement, ast.Assign)
        assert isinstance(statement.targets[0], ast.Name)
        bindings[statement.targets[0].id] = statement.value
    return Constants(bindings, docstring).evaluate(ast.parse(expression, mode="eval").body)


@pytest.mark.parametrize(
    "expression",
    [
        "'text'",
        "('in ' 'parts ' 'and lines')",
        "NAME",
        "NAME + ' of ' + OTHER",
        "__doc__",
        "__doc__.strip()",
        "'' or NAME or OTHER",
        "None or 'x'",
        "f'{NAME!r:>12} {COUNT:03d} {RATE:.1f} {{}}'",
        "f'{NAME:{COUNT}}'",
        "'%s: %d' % (NAME, COUNT)",
        "'%s' % NAME",
        "'{} {name}'.format(NAME, name=OTHER)",
        "', '.join([NAME, OTHER])",
        "NAME.replace('a', 'b').title()",
        "(NAME, [OTHER, 1], {'k': (True, None, -2.5)})",
        "(1,) + (2,)",
        "{**OPTIONS, 'retries': COUNT + 1}",
        "(__doc__ or '').strip().splitlines()[0]",
        "__doc__.partition('.')[0]",
        "NAME[0] + NAME[-1] + NAME[1:3] + NAME[::-1] + NAME[:-1] + NAME[COUNT:]",
        "OPTIONS['retries']",
        "(1, 2, 3)[1:] + ([4], [5])[:1]",
        "[60 * 60 * 24, 10 ** 6, -2 ** 10, COUNT - 1, COUNT // 2, 1 / 4, 2 * RATE, 2 ** -1, COUNT * 1e3]",
    ],
)
def test_expression_has_the_value_python_gives_it(expression: str) -> None:
    constants = "NAME = 'sales'\nOTHER = NAME + '2'\nCOUNT = 7\nRATE = 0.25\nOPTIONS = {'retries': 1}"
    names: dict[str, object] = {"__doc__": "The docs."}
    exec(constants, names)
    assert evaluate(expression, constants) == eval(expression, names)


@pytest.mark.parametrize(
    "expression",
    [
        "open('/etc/passwd').read()",
        "__import__('os').system('true')",
        "UNKNOWN",
        "[x for x in 'abc']",
        "lambda: 1",
        "LOOP",
        "'x' * 1000000000",
        "''.__class__",
        "'{0.__class__}'.format('')",
        "'{:>99999999999}'.format('')",
        "'{:{}}'.format('', 99999999999)",
        "'%99999999999d' % 1",
        "'%*d' % (99999999999, 1)",
        "f'{1:99999999999}'",
        "'%s' % (DEEP,)",
        "f'{DEEP}'",
        "''.encode()",
        "'a' + 1",
        "'a'.strip(1)",
        "{[]: 1}",
        "''.splitlines()[0]",
        "'abc'[7]",
        "'abc'['a']",
        "'abc'[1.0]",
        "'abc'['a':]",
        "'abc'[::0]",
        "{'a': 1}['b']",
        "{'a': 1}[[]]",
        "{'a': 1}[([],)]",
        "{'a': 1}[:1]",
        "None[0]",
        "'abc'[UNKNOWN]",
        "'abc'[0, 1]",
        "1 / 0",
        "2 ** 1000000000",
        "(2 ** 200) ** 200 * 2",
        "1e300 ** 3",
        "(-8) ** 0.5",
        "[1] * 1000000000",
        "'a' - 'b'",
    ],
)
def test_anything_else_is_refused_without_being_run(expression: str) -> None:
    deep = "\n".join(["A0 = (1,)", *(f"A{n} = (A{n - 1}, A{n - 1})" for n in range(1, 60)), "DEEP = A59", "LOOP = LOOP + 'x'"])
    started = time.monotonic()
    with pytest.raises(NotConstantError):
        evaluate(expression, deep)
    assert time.monotonic() - started < 5


def test_short_source_cannot_make_a_long_text() -> None:
    doubling = "\n".join(["A0 = 'xxxxxxxx'", *(f"A{n} = A{n - 1} + A{n - 1}" for n in range(1, 40))])
    with pytest.raises(NotConstantError, match=str(MAX_LENGTH)):
        evaluate("A39", doubling)
    with pytest.raises(NotConstantError, match=str(MAX_LENGTH)):
        evaluate("A10.replace('x', A10)", doubling)
    with pytest.raises(NotConstantError, match=str(MAX_LENGTH)):
        evaluate("A10.join([A10, A10, A10, A10, A10, A10, A10, A10, A10, A10, A10, A10, A10])", doubling)


@pytest.mark.parametrize("doubled", ["({0}, {0})", "[{0}, {0}]", "{{'a': {0}, 'b': [{0}]}}"])
def test_short_source_cannot_make_many_elements(doubled: str) -> None:
    doubling = "\n".join(["A0 = 1", *(f"A{n} = {doubled.format(f'A{n - 1}')}" for n in range(1, 40))])
    with pytest.raises(NotConstantError, match=f"'A1[0-9]' has more than {MAX_LENGTH} elements"):
        evaluate("A39", doubling)
    assert evaluate("A10", doubling)


def test_short_source_cannot_make_a_long_number() -> None:
    squares = "\n".join(["A0 = 10", *(f"A{n} = A{n - 1} * A{n - 1}" for n in range(1, 60))])
    with pytest.raises(NotConstantError, match="too large"):
        evaluate("A59", squares)


def test_nesting_beyond_what_python_parses_is_refused() -> None:
    with pytest.raises(NotConstantError, match="deep"):
        evaluate(" + ".join(["'x'"] * 900))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_every_literal_is_its_own_value(value: Value) -> None:
    assert evaluate(repr(value)) == value
