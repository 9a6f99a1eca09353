"""Modules that have blocks in common parse to what each would parse to by itself, wherever one may be cut."""

import ast
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagsync import blocks
from dagsync.blocks import Blocks
from dagsync.discovery import discover
from tests.dagsync.tree import Monorepo

BLANK = "\n\n\n"
LONG = "This is said at a length that makes it worth its while to remember what it is, and not to read it again."

SHARED = f'''def clean(row):
    """{LONG}"""
    return row
'''

BEGINNINGS = (
    "",
    "# a comment",
    '"""What it does."""\n\nimport os\n',
    "# -*- coding: latin-1 -*-\n",
    "\n# coding: latin-1\n",
    "\ufeffimport os",
    "x = 1\r\ny = 2",
    "@cached\n",
    'x = """',
)

PIECES = (
    SHARED,
    SHARED.strip(),
    f"# {LONG}",
    f"@decorated\ndef main():\n    return '{LONG}'",
    f"if x:\n    y = '{LONG}'",
    f"else:\n    y = '{LONG}'",
    f"except ValueError:\n    y = '{LONG}'",
    f"    y = '{LONG}'",
    f"\ty = '{LONG}'",
    f"try:\n    y = '{LONG}'",
    f"class Loader:\n    '''{LONG}'''",
    f"x = '{LONG}' \\",
    f"x = '{LONG}' + (",
    f"y) + '{LONG}'",
    f"@({LONG!r}",
    f"({LONG!r})",
    f"{LONG!r})\ndef main(): pass",
    f'x = """{LONG}',
    f'{LONG}"""',
    f"x = f'''{{'{LONG}'",
    f"}}'''; y = '{LONG}'",
    f"match x:\n    case '{LONG}':\n        pass",
    f"    case '{LONG}!':\n        pass",
    f"case = '{LONG}'",
    f"{LONG.replace(' ', '_').rstrip('.').replace(',', '')} = 1",
    f"x = 1; y = '{LONG}';",
    f"x = '{LONG}'\rz = 1",
    f"\x0cx = '{LONG}'",
    f"x = '{LONG}\x00'",
    f"x = '{LONG} é'",
    f"\ufeffx = '{LONG}'",
    f"x = <> '{LONG}'",
    f"async def main():\n    await '{LONG}'\n\n\n    return 1",
    "x = 1",
    "",
    "# coding: latin-1",
    "JOB = (main, 'x')",
)

modules = st.builds(
    lambda first, pieces: first + "".join(border + piece for border, piece in pieces),
    st.sampled_from(BEGINNINGS),
    st.lists(
        st.tuples(st.sampled_from([BLANK, BLANK, BLANK, f"{BLANK}\n", "\n\n", "\n"]), st.sampled_from(PIECES)), max_size=6
    ),
)
encodings = st.sampled_from(["utf-8", "utf-8", "utf-8", "latin-1"])


def parsed(data: bytes, known: Blocks | None = None) -> str:
    """Return all that ``ast.parse`` says of a module, or who knows other modules."""
    try:
        statements = ast.parse(data).body if known is None else known.statements(data)
    except (SyntaxError, ValueError) as error:
        return repr((type(error), error.args))
    return "\n".join(ast.dump(each, include_attributes=True) for each in statements)


def shared(first: list[ast.stmt], second: list[ast.stmt]) -> list[ast.stmt]:
    return [each for each in first if any(each is other for other in second)]


def parsed_from_now(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return the list of what is given to ``ast.parse``."""
    texts: list[bytes] = []

    def noted(data: bytes) -> ast.Module:
        texts.append(data)
        return ast.parse(data)

    monkeypatch.setattr(blocks, "ast", SimpleNamespace(parse=noted))
    return texts


def module(number: int, *pieces: str) -> bytes:
    return BLANK.join([f"NUMBER = {number}", *pieces, f"JOB = (clean, 'job {number}')"]).encode()


@settings(max_examples=1500)
@given(sources=st.lists(st.tuples(modules, encodings), max_size=4))
def test_whatever_was_read_before_a_module_is_what_python_parses(sources: Sequence[tuple[str, str]]):
    known = Blocks()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Thrice, so that all that can be shared is.
        for source, encoding in [*sources, *sources, *sources]:
            data = source.encode(encoding, "replace")
            assert parsed(data, known) == parsed(data)


def test_what_several_modules_have_at_the_same_line_is_parsed_once(monkeypatch: pytest.MonkeyPatch):
    known = Blocks()
    for number in range(3):
        known.statements(module(number, SHARED))
    texts = parsed_from_now(monkeypatch)

    first, second = known.statements(module(3, SHARED)), known.statements(module(4, SHARED))

    assert [type(each) for each in shared(first, second)] == [ast.FunctionDef]
    assert not any(LONG.encode() in each for each in texts)


def test_a_block_at_another_line_has_positions_of_its_own():
    known = Blocks()
    for number in range(4):
        known.statements(module(number, SHARED))
    lower = module(4, "x = 1", SHARED)

    assert parsed(lower, known) == parsed(lower)
    assert shared(known.statements(module(5, SHARED)), known.statements(lower)) == []


@pytest.mark.parametrize(
    "numbered",
    [
        lambda number: module(number, SHARED.replace("clean", f"clean_{number}")),
        lambda number: module(number, "\n" * number, SHARED),
    ],
    ids=["its text", "its line"],
)
def test_what_no_other_module_has_there_costs_no_parse_of_its_own(
    numbered: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
):
    known = Blocks()
    texts = parsed_from_now(monkeypatch)

    for number in range(10):
        known.statements(numbered(number))

    assert len(texts) == 10


def test_a_block_that_is_no_statement_by_itself_is_tried_once(monkeypatch: pytest.MonkeyPatch):
    rest = f"select_all_that_is = 1 where {LONG}"
    known = Blocks()
    for number in range(4):
        known.statements(module(number, 'QUERY = """', rest, '"""'))
    texts = parsed_from_now(monkeypatch)

    known.statements(last := module(5, 'QUERY = """', rest, '"""'))

    assert texts == [last]


def test_what_is_kept_does_not_grow_without_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(blocks, "_MAX_SEEN", 50)
    monkeypatch.setattr(blocks, "_MAX_KEPT_BYTES", 10 * len(SHARED))
    known = Blocks()

    for number in range(100):
        others = (f"clean_{each:02d}" for each in range(number // 4, number // 4 + 20))
        many = module(number, *(SHARED.replace("clean", each) for each in others))
        assert parsed(many, known) == parsed(many)

    assert len(known._seen) <= 50  # pyright: ignore[reportPrivateUsage] - what is tested
    assert 0 < len(known._kept) <= 10  # pyright: ignore[reportPrivateUsage] - what is tested


def test_findings_in_shared_blocks_name_the_lines_of_each_module(tmp_path: Path):
    parse = f'''def parse(argv):
    """{LONG}"""
    parser = argparse.ArgumentParser()
    parser.add_argument(*NAMES)
    return parser.parse_args(argv)'''
    tree = Monorepo(tmp_path)
    expected: dict[str, int] = {}
    for number in range(8):
        source = f"import argparse\n{number % 2 * BLANK}x = 1{BLANK}{parse}{BLANK}JOB = (parse, 'Job {number}')"
        path = tree.job(f"shop.load_{number}", source)
        expected[str(path.relative_to(tree.packages))] = source[: source.index("*NAMES")].count("\n") + 1

    notes = discover(tree.packages).notes

    assert {note.path: note.line for note in notes} == expected
