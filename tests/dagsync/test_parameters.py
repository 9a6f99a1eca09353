"""What the trigger form of a job is, told from its source; and that whatever cannot be told falls back to raw arguments."""

from textwrap import dedent, indent
from typing import Any

import pytest

from dagsync.argv import argv_from
from dagsync.outcome import Finding
from dagsync.params import Parameter
from dagsync.reading import read_job


def reading(source: str, job: str = '(main, "A job")') -> tuple[list[Parameter], tuple[Finding, ...]]:
    text = f"{dedent(source)}\nJOB = {job}\n"
    found = read_job(text.encode(), "p", "job", "p/jobs/job.py")
    assert found.spec is not None, found.problems
    return list(found.spec.parameters), found.notes


def built(calls: str, job: str = '(main, "A job")', before: str = "") -> list[Parameter]:
    """Return the params of a job whose entrypoint makes these calls on its parser."""
    body = indent(dedent(calls).strip(), "    ")
    source = "import argparse\nimport datetime\nfrom pathlib import Path\n\n" + dedent(before)
    source += f"\ndef main(argv):\n    parser = argparse.ArgumentParser()\n{body}\n    args = parser.parse_args(argv)\n"
    found, notes = reading(source, job)
    assert notes == ()
    return found


def only(calls: str, **changed: str) -> Parameter:
    (parameter,) = built(calls, **changed)
    return parameter


def refused(source: str, job: str = '(main, "A job")') -> str:
    found, (note,) = reading("import argparse\n" + dedent(source), job)
    assert found == []
    assert note.message.startswith("the trigger form has no typed fields, only raw args: ")
    assert note.fix
    return f"{note.line}: {note.message.partition('raw args: ')[2]}"


XY: dict[str, Any] = {"type": ["string", "null"], "enum": ["x", "y", None]}
DAY: dict[str, Any] = {"type": ["string", "null"], "format": "date"}
WORDS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}


@pytest.mark.parametrize(
    ("call", "default", "schema"),
    [
        ("'--a'", None, {"type": ["string", "null"]}),
        ("'--a', default='x'", "x", {"type": "string"}),
        ("'--a', type=int, default=5", 5, {"type": "integer"}),
        ("'--a', type=int, default='5'", 5, {"type": "integer"}),
        ("'--a', type=float, default=1", 1, {"type": "number"}),
        ("'--a', default=8080", "8080", {"type": "string"}),
        ("'--a', type=Path, default=HERE / 'x'", None, {"type": ["string", "null"]}),
        ("'--a', type=Path, default=Path('x')", None, {"type": ["string", "null"]}),
        ("'--a', type=checked, default=5", 5, {"type": "integer"}),
        ("'--a', type=checked, default=0.5", 0.5, {"type": "number"}),
        ("'--a', type=checked, default='x'", "x", {"type": "string"}),
        ("'--a', type=whole", None, {"type": ["integer", "null"]}),
        ("'--a', type=bool, default=True", True, {"type": "boolean"}),
        ("'--a', type=bool", None, {"type": ["boolean", "null"]}),
        ("'--a', type=bool, default='False'", True, {"type": "boolean"}),
        ("'--a', type=bool, default=HERE", None, {"type": ["boolean", "null"], "description": "(default: HERE)"}),
        ("'--a', type=float, default=1e999", None, {"type": ["number", "null"]}),
        ("'--a', default='a\\0'", None, {"type": ["string", "null"], "description": "(default: a)"}),
        ("'--a', default='\\ud800'", None, {"type": ["string", "null"]}),
        ("'--a', type=datetime.date.fromisoformat", None, {"type": ["string", "null"], "format": "date"}),
        ("'--a', type=datetime.date.fromisoformat, default='x'", None, {"type": ["string", "null"], "format": "date"}),
        ("'--a', type=lambda text: datetime.datetime.strptime(text, '%Y-%m-%d').date()", None, DAY),
        ("'--a', type=lambda text: datetime.datetime.strptime(text, '%d.%m.%Y')", None, {"type": ["string", "null"]}),
        ("'--a', type=day", None, DAY),
        ("'--a', type=day, default='2026-01-31'", "2026-01-31", {"type": "string", "format": "date"}),
        ("'--a', type=day_or_today", None, {"type": ["string", "null"]}),
        ("'--a', choices=['x', 'y'], default='x'", "x", {"type": "string", "enum": ["x", "y"]}),
        ("'--a', choices=['x', 'y']", None, {"type": ["string", "null"], "enum": ["x", "y", None]}),
        ("'--a', choices=['x', 'y'], default='z'", None, {"type": ["string", "null"], "enum": ["x", "y", None]}),
        ("'--a', choices=CHOICES, default='x'", "x", {"type": "string", "enum": ["x", "y"]}),
        ("'--a', choices=CHOICES.keys(), default='x'", "x", {"type": "string", "enum": ["x", "y"]}),
        ("'--a', choices=sorted(CHOICES), default='x'", "x", {"type": "string", "enum": ["x", "y"]}),
        ("'--a', choices={'x', 'y'}, default='x'", "x", {"type": "string", "enum": ["x", "y"]}),
        ("'--a', choices=unknown(), default='x'", "x", {"type": "string"}),
        ("'--a', choices=range(10**9), type=int", None, {"type": ["integer", "null"]}),
        ("'--a', choices=range(1, 4), type=int, default=2", 2, {"type": "integer", "enum": [1, 2, 3]}),
        ("'--a', action='store_true'", False, {"type": "boolean"}),
        ("'--a', action='store_true', default=True", False, {"type": "boolean"}),
        ("'--a', action='store_false'", True, {"type": "boolean"}),
        ("'--a', action='store_const', const=3", False, {"type": "boolean"}),
        ("'--a', action=argparse.BooleanOptionalAction", None, {"type": ["boolean", "null"]}),
        ("'--a', action=argparse.BooleanOptionalAction, default=True", True, {"type": "boolean"}),
        ("'-a', action='count', default=0", 0, {"type": "integer", "minimum": 0}),
        ("'-a', action='count'", None, {"type": ["integer", "null"], "minimum": 1}),
        ("'--a', action='append', type=int", [], {"type": "array", "items": {"type": "integer"}}),
        ("'--a', nargs='?', const='c', default='d'", "d", {"type": ["string", "boolean"]}),
        (
            "'--a', nargs=2, type=int",
            None,
            {"type": ["array", "null"], "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
        ),
        (
            "'--a', nargs=argparse.ONE_OR_MORE, default=('x',)",
            ["x"],
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
        ),
        (
            "'--a', nargs='+', choices=['x', 'y']",
            None,
            {"type": ["array", "null"], "items": {"type": "string", "enum": ["x", "y"]}, "examples": ["x", "y"], "minItems": 1},
        ),
        ("'a'", None, {"type": ["string", "null"], "description": "Required."}),
        ("'a', nargs='?', default='x'", "x", {"type": "string"}),
        ("'a', nargs='*'", [], {"type": "array", "items": {"type": "string"}}),
        ("'a', nargs='*', default=['x']", ["x"], {"type": "array", "items": {"type": "string"}, "minItems": 1}),
        ("'--a', help='100 %% of %(default)s', default='x'", "x", {"type": "string", "description": "100 % of x"}),
        ("'--a', required=True, help='Which'", None, {"type": ["string", "null"], "description": "Required. Which"}),
        (
            "'--a', type=Path, default=HERE, help='Where'",
            None,
            {"type": ["string", "null"], "description": "Where (default: HERE)"},
        ),
        ("'--a', required=not HERE", None, {"type": ["string", "null"], "description": "Required if not HERE."}),
        ("'--a', default=[1, 2]", None, {"type": ["string", "null"], "description": "(default: [1, 2])"}),
        ("'--a', type=float, default='nan'", None, {"type": ["number", "null"], "description": "(default: nan)"}),
        ("'--a', choices='xy', default='z'", None, {**XY, "description": "(default: z)"}),
        ("'--a', action='append', default=['x']", [], {**WORDS, "description": "(default: ['x'])"}),
    ],
)
def test_field_shows_what_the_argument_takes(call: str, default: Any, schema: dict[str, Any]) -> None:
    before = """
        HERE = Path(__file__)
        CHOICES = {"x": 1, "y": 2}

        def checked(text):
            return text

        def whole(text) -> int:
            return int(text)

        def day(text: str) -> datetime.date:
            "A day."
            try:
                return datetime.date.fromisoformat(text)
            except ValueError as error:
                raise argparse.ArgumentTypeError("no day") from error

        def day_or_today(text):
            try:
                return datetime.date.fromisoformat(text)
            except ValueError:
                return datetime.date.today()
    """
    parameter = only(f"parser.add_argument({call})", before=before)
    assert parameter.key == "a"
    assert parameter.default == default
    assert type(parameter.default) is type(default)
    shown = {name: value for name, value in parameter.schema.items() if name != "title"}
    if "description" not in schema:
        shown.pop("description", None)
    assert shown == schema


WAYS = """
def main(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("--a")
    parser.parse_args(argv)
---
def main(argv):
    print(_parser().parse_args(argv).a)

def _parser():
    parser = argparse.ArgumentParser()
    parser.add_argument("--a")
    return parser
---
def main(argv=None):
    options = _options(argv)

def _options(given):
    parser = argparse.ArgumentParser()
    _add(parser, "a")
    return parser.parse_args(given)

def _add(target, name, prefix="--"):
    target.add_argument(prefix + name)
---
PARSER = argparse.ArgumentParser()
PARSER.add_argument("--a")

def main(argv):
    PARSER.parse_args(argv)
---
def main(argv):
    parser = argparse.ArgumentParser()
    for name in ["a"]:
        parser.add_argument(f"--{name}")
    args, rest = parser.parse_known_args(argv)
---
NAMES = (("a", "Help"),)

def main(argv):
    parser = argparse.ArgumentParser()
    for name, text in NAMES:
        parser.add_argument("--" + name)
    try:
        parser.parse_args(argv)
    except SystemExit:
        return 2
---
def main(argv):
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument("--a")
    parser = argparse.ArgumentParser(parents=[parent])
    parser.parse_args(argv or None)
---
def main(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("--a")
    args = parser.parse_args(argv)
    if not args.a:
        parser.error("give --a")
---
def main(argv):
    parser = argparse.ArgumentParser()
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--a")
    parser.set_defaults(run=print)
    parser.parse_args()
---
def main(argv):
    flag = "--a"
    parser = argparse.ArgumentParser()
    parser.add_argument(flag)
    flag = "--b"
    parser.parse_args(args=argv)
---
from argparse import ArgumentParser as P

def main(argv):
    import sys
    parser = P()
    parser.description = "x"
    parser.add_argument("--a")
    parser.parse_args(sys.argv[1:])

if __name__ == "__main__":
    main(None)
---
def run(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("--a")
    with open("x") as file:
        parser.parse_args(argv)

main = lambda argv: run(argv)
---
parser = argparse.ArgumentParser()
parser.add_argument("--a")
arguments = parser.parse_args()

def main(argv):
    print(arguments.a)
---
class Copy:
    @staticmethod
    def parse(argv=None):
        parser: argparse.ArgumentParser = argparse.ArgumentParser()
        parser.add_argument("--a")
        known, _ = parser.parse_known_args(argv)

main = Copy.parse
---
class Copy:
    @classmethod
    def run(cls, argv):
        parser = argparse.ArgumentParser()
        parser.add_argument("--a")
        parser.parse_args(argv)

main = Copy.run
---
class Copy:
    def run(self, argv):
        parser = _parser()
        parser.parse_args(argv)

def _parser():
    parser = argparse.ArgumentParser()
    parser.add_argument("--a")
    return parser

copy = Copy("x")
main = copy.run
---
async def main(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("--a")
    arguments = parser.parse_args(argv)
    await load(arguments)
---
import asyncio

def main(argv):
    return asyncio.run(_main(argv))

async def _main(argv):
    arguments = await _arguments(argv)

async def _arguments(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("--a")
    return parser.parse_args(argv)
"""


@pytest.mark.parametrize("source", WAYS.split("---\n"))
def test_parser_is_followed_wherever_the_module_builds_it(source: str) -> None:
    found, notes = reading("import argparse\n" + source)
    assert notes == ()
    assert [(each.key, each.option) for each in found] == [("a", ["a", "--a", "value", None])]


def test_a_name_of_the_function_hides_that_of_the_module() -> None:
    calls = "LIMIT = load()\nparser.add_argument('--a', type=int, default=LIMIT)"
    assert only(calls, before="LIMIT = 5").default is None
    assert only("parser.add_argument('--a', type=int, default=LIMIT)", before="LIMIT = 5").default == 5


def test_names_of_a_function_that_are_built_of_each_other_twice_are_followed_as_far_as_they_are_small() -> None:
    doubling = "\n".join(f"n{number} = (n{number - 1}, n{number - 1})" for number in range(1, 40))
    assert only(f"n0 = 1\n{doubling}\nparser.add_argument('--a', default=n39)").default is None


PARSER = "parser = argparse.ArgumentParser()"
PARSE = "parser.parse_args(argv)"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (f"{PARSER}\nadd_common(parser)\n{PARSE}", "4: the parser is given to add_common, which is not in this module"),
        (f"{PARSER}\nif argv:\n    parser.add_argument('--a')\n{PARSE}", "5: parser is used under a condition"),
        (f"{PARSER}\nfor name in names():\n    parser.add_argument(name)\n{PARSE}", "5: parser is used under a condition"),
        (f"if argv:\n    {PARSER}\n{PARSE}", "4: the parser is built under a condition"),
        (f"{PARSER}\nparser.add_argument(*names())\n{PARSE}", "4: * in a call that builds the parser"),
        (f"{PARSER}\nparser.add_argument('--a', **more)\n{PARSE}", "4: ** in a call that builds the parser"),
        (
            f"{PARSER}\nparser.add_argument(name())\n{PARSE}",
            "4: the name of an argument is not a constant: name() is not a constant",
        ),
        (
            f"{PARSER}\nparser.add_argument('--a', action=Special)\n{PARSE}",
            "4: action= is not a constant: 'Special' is not a constant",
        ),
        (f"{PARSER}\nparser.add_argument('--a', nargs=argparse.REMAINDER)\n{PARSE}", "4: nargs= is not a constant"),
        (f"{PARSER}\nparser.add_argument('--a', dest=name())\n{PARSE}", "4: dest= is not a constant"),
        (f"{PARSER}\nparser.add_argument('--a')\nparser.add_argument('--a')\n{PARSE}", "5: --a is added twice"),
        (f"{PARSER}\nparser.add_argument('-1')\n{PARSE}", "4: the option '-1'"),
        (
            f"{PARSER}\nparser.add_argument('a', nargs='*')\nparser.add_argument('b', nargs='*')\n{PARSE}",
            "5: b comes after a positional",
        ),
        ("parser = argparse.ArgumentParser(prefix_chars='+')\n" + PARSE, "3: prefix_chars= of the parser"),
        ("parser = argparse.ArgumentParser(fromfile_prefix_chars='@')\n" + PARSE, "3: fromfile_prefix_chars= of the parser"),
        (
            "parser = argparse.ArgumentParser(parents=[common()])\n" + PARSE,
            "3: parents= is not a list of parsers of this module",
        ),
        (f"{PARSER}\nparser.register('type', 'x', int)\n{PARSE}", "4: register of the parser is called"),
        (f"{PARSER}\nself.parser = parser\n{PARSE}", "4: the parser is kept in self.parser"),
        (
            f"{PARSER}\nparser.parse_args(argv[1:])",
            "4: parser.parse_args(argv[1:]) does not parse the job's arguments as they are",
        ),
        (f"{PARSER}\nargv = split(argv)\n{PARSE}", "5: parser.parse_args(argv) does not parse the job's arguments as they are"),
        (f"{PARSER}\nparser.add_argument('--a')", "3: the parser is not seen to parse the job's arguments"),
        (
            f"{PARSER}\nfor n in {list(range(101))}:\n    parser.add_argument(f'--a{{n}}')\n{PARSE}",
            "3: the parser has more than 100",
        ),
        # Looked at no further than that: of commands that share parents=, as many as there are would be.
        (
            f"{PARSER}\nfor n in {list(range(101))}:\n    parser.add_argument(f'--a{{n}}')\n"
            f"parser.add_subparsers().add_parser('c').add_argument('--b', action=Special)\n{PARSE}",
            "3: the parser has more than 100",
        ),
    ],
)
def test_what_cannot_be_followed_falls_back_to_raw_arguments_and_says_where(body: str, reason: str) -> None:
    assert refused("def main(argv):\n" + indent(body, "    ")).startswith(reason)


def test_job_without_a_parser_has_raw_arguments_and_no_note() -> None:
    assert reading("import argparse\n\ndef main(argv):\n    raise argparse.ArgumentTypeError('x')") == ([], ())


@pytest.mark.parametrize(
    "library", ["import click", "from click import command", "import typer as t", "from absl import flags"]
)
def test_arguments_that_argparse_does_not_read_are_noted(library: str) -> None:
    found, (note,) = reading(f"{library}\n\ndef main(argv): ...")
    assert found == []
    name = library.split()[1]
    why = f"{name} is imported, and only parsers of argparse are read"
    assert note.message == f"the trigger form has no typed fields, only raw args: {why}"


def test_parser_that_the_entrypoint_does_not_use_is_noted() -> None:
    source = "from p import other\n\ndef unused():\n    return argparse.ArgumentParser()"
    assert refused(source, "(other, 'A job')").startswith("6: the entrypoint is not seen to use the parser of this module")


def test_names_that_would_clash_are_kept_apart() -> None:
    found = built(
        """
        parser.add_argument("--args")
        parser.add_argument("--fast", dest="speed", action="store_const", const=9)
        parser.add_argument("--slow", dest="speed", action="store_const", const=1)
        parser.add_argument("speeds", metavar="SPEED", nargs="*")
        """
    )
    assert [each.key for each in found] == ["args_", "speed", "slow", "speeds"]
    values = {"args_": "x", "speed": False, "slow": True, "speeds": ["y"]}
    assert argv_from([each.option for each in found], values) == ["--args=x", "--slow", "y"]


def test_hidden_and_informative_options_are_no_fields() -> None:
    assert built("parser.add_argument('--version', action='version')\nparser.add_argument('--x', help=argparse.SUPPRESS)") == []


def test_groups_are_sections() -> None:
    parameter = only("group = parser.add_argument_group('Filters')\ngroup.add_argument('--day')")
    assert parameter.schema["section"] == "Filters"


@pytest.mark.parametrize(("required", "how_many"), [("", "at most"), ("required=True", "exactly")])
def test_options_that_exclude_each_other_say_so(required: str, how_many: str) -> None:
    one, other, free = built(
        f"""
        group = parser.add_mutually_exclusive_group({required})
        group.add_argument("--day", help="Which")
        group.add_argument("--all", action="store_true")
        parser.add_argument("--shop")
        """
    )
    assert one.schema["description"] == f"Which ({how_many} one of --day, --all)"
    assert other.schema["description"] == f"({how_many} one of --day, --all)"
    assert "description" not in free.schema


def test_set_defaults_are_defaults() -> None:
    assert only("parser.add_argument('--a', type=int)\nparser.set_defaults(a=3)").default == 3
    assert only("parser.set_defaults(a=3)\nparser.add_argument('--a', type=int, default=4)").default == 4


COMMANDS = """
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--only", nargs="+")
    parser.add_argument("shop")
    commands = parser.add_subparsers(dest="command", required=True, help="what to do")
    load = commands.add_parser("load", help="load it")
    dump = commands.add_parser("dump", aliases=["d"])
    for each in (load, dump):
        each.add_argument("--day", required=True)
    load.add_argument("files", nargs="+")
    dump.add_argument("--format", choices=["csv", "json"], default="csv")
"""


def test_commands_choose_among_their_fields() -> None:
    found = built(COMMANDS)
    assert [each.key for each in found] == ["dry_run", "only", "shop", "command", "day", "files", "dump_day", "format"]
    command = found[3]
    assert command.schema["enum"] == ["load", "dump", None]
    assert [each.schema.get("section") for each in found[4:]] == ["load", "load", "dump", "dump"]
    options = [each.option for each in found]
    values = {
        "shop": "s",
        "command": "load",
        "day": "2026-01-01",
        "files": ["a", "-b"],
        "dump_day": "2025-01-01",
        "format": "json",
    }
    assert argv_from(options, values) == ["s", "load", "--day=2026-01-01", "--", "a", "-b"]
    values |= {"command": "dump", "dry_run": True, "only": ["x"]}
    assert argv_from(options, values) == ["--dry-run", "--only=x", "s", "dump", "--day=2025-01-01", "--format=json"]
    assert argv_from(options, values | {"only": ["x", "y"]})[:4] == ["--only", "x", "y", "--dry-run"]
    with pytest.raises(ValueError, match="'--only' cannot be given before the command 'dump'"):
        argv_from(options, values | {"only": ["x", "y"], "dry_run": False})


def test_declared_arguments_are_what_the_form_shows() -> None:
    calls = """
        parser.add_argument("-m", "--month", required=True)
        parser.add_argument("--level", type=int, default=6)
        parser.add_argument("-v", action="count", default=0)
        parser.add_argument("--clean", action=argparse.BooleanOptionalAction, default=True)
        parser.add_argument("tables", nargs="*")
    """
    found = built(calls, job="(main, 'A job', {'args': ['-m', '2026-01', '-vv', '--no-clean', '--lev', '7', 'a', 'b']})")
    assert [each.default for each in found] == ["2026-01", 7, 2, False, ["a", "b"]]
    given = {each.key: each.default for each in found}
    argv = ["--month=2026-01", "--level=7", "-v", "-v", "--no-clean", "a", "b"]
    assert argv_from([each.option for each in found], given) == argv


def test_declared_arguments_the_parser_refuses_are_noted() -> None:
    source = f"def main(argv):\n    {PARSER}\n    parser.add_argument('--a', type=int)\n    {PARSE}"
    job = "(main, 'A job', {'args': ['--a', 'x']})"
    assert refused(source, job).startswith("3: the parser does not take args=['--a', 'x']: argument --a: invalid int value")


@pytest.mark.parametrize(("options", "noted"), [("schedule='@daily'", True), ("after=['p.other']", True), ("retries=1", False)])
def test_required_argument_that_runs_of_their_own_lack_is_noted(options: str, noted: bool) -> None:
    source = f"import argparse\ndef main(argv):\n    {PARSER}\n    parser.add_argument('--a', required=True)\n    {PARSE}"
    found, notes = reading(source, f"Job(main, 'A job', {options})")
    assert len(found) == 1
    assert [note.message for note in notes] == ["--a: required, and runs that start by themselves are given none"] * noted


@pytest.mark.parametrize(
    ("option", "value", "argv"),
    [
        (["a", "--a", "list", None], [-1e-7, 2.0], ["--a", "-0.0000001", "2"]),
        (["a", "--a", "value", None], 5.0, ["--a=5"]),
        (["a", "--a", "value", None], "", ["--a="]),
        (["a", "--a", "optional", 1], True, ["--a"]),
        (["a", "--a", "append-list", []], [["x", "y"], ["z"], []], ["--a", "x", "y", "--a=z", "--a"]),
        (["a", "", "value", None], "-x", ["--", "-x"]),
    ],
)
def test_value_is_written_so_that_argparse_reads_it(option: list[Any], value: Any, argv: list[str]) -> None:
    assert argv_from([option], {"a": value}) == argv


@pytest.mark.parametrize(
    ("options", "values", "reason"),
    [
        ([["a", "--a", "list", None]], {"a": ["-x", "y"]}, "--a: '-x' begins with a dash, so it can only be given alone"),
        ([["a", "", "value", None]], {"a": "--"}, "'--' cannot be given as a value"),
        ([["a", "", "optional", None], ["b", "", "list", None]], {"b": ["x"]}, "b: can only be given together with a"),
        ([["a", "--a", "list", None]], {"a": "x"}, "a: expected a list, found 'x'"),
        ([["a", "--a", "value", None]], {"a": {"b": 1}}, "a: expected a text or a number, found {'b': 1}"),
        ([["a", "--a", "append-list", []]], {"a": "x"}, "a: expected a list of lists, found 'x'"),
    ],
)
def test_value_no_command_line_can_say_is_a_sentence(options: list[list[Any]], values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError) as refusal:
        argv_from(options, values)
    assert str(refusal.value).startswith(reason)
