"""Whatever is in a job file, a sync ends in a DAG, a problem or neither: never in a crash, a lost DAG or code of the job's."""

import ast
import io
import keyword
import random
import re
import time
import tokenize
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dagsync import storage
from dagsync.log_records import report_records
from dagsync.outcome import Finding, Report
from dagsync.reading import Reading, read_job
from dagsync.rendering import render_file
from dagsync.reporting import report_line, report_notes
from docs.reliability import Row
from tests.dagsync.tree import JOB, Monorepo
from tests.torture import MUTANTS

PACKAGES, MUTANTS_IN_EACH = 5, 10
EXAMPLES = Path(__file__).parents[2] / "examples" / "packages"
# What they try to be in a DAG file is an argument, a statement, a replacement field, a line.
BREAKING_OUT = [
    "\"', doc_md=BROKEN_OUT, owner='\"",
    '\'"""\\nimport BROKEN_OUT\\n"""\'',
    "'\\\\'",
    '"\\\\\', BROKEN_OUT()) #"',
    "'{BROKEN_OUT}'",
    "'\\u2028import BROKEN_OUT\\r'",
    "'x.md'",
    "'\\x00'",
    "'\\ud800'",
]
SEEDS = [
    'import x\nfrom dagsync import Job\nNAME = "a"\ndef f(argv):\n    return 0\n'
    'JOB = Job(f, f"{NAME!r:>10} b", retries=2, args=["x"])\n',
    '"""Docs."""\nOPTS = {"schedule": "*/5 * * * *", **{"retries": 1}}\n'
    'JOB: tuple = (main, __doc__.strip() or "%s" % (1,), OPTS)\n',
    'import dagsync\nA = "x" + "y"\nJOB = dagsync.Job(lambda a: 0, description=", ".join(["a", A]), after=["a.b"])\n',
    'try:\n    JOB = (main, "{} {b}".format(1, b=-2.5), {"args": ("a",) + ("b",)})\nexcept E:\n    JOB = None\n',
    *(f"\"\"\"D\"\"\"\nJOB = (main, {text}, {{'docs': {text}, 'tags': [{text}], 'pool': {text}}})\n" for text in BREAKING_OUT),
    "from dagsync import *\nfrom datetime import timedelta\nJOB = Job(main, 'x', schedule=Cron('0 4 * * *', 'Europe/Berlin'),\n"
    "    owner='o', deadline=timedelta(hours=1), on_failure=[Slack('#etl'), Webhook('c', '/p', 'text')],\n"
    "    resources=Resources(cpu='1', memory='1Gi'), executor='KubernetesExecutor', produces=[Asset('s3://a/b')])\n",
    *(
        "import argparse\ndef main(argv):\n    p = argparse.ArgumentParser(description='d', epilog='e')\n"
        f"    g = p.add_argument_group({text})\n    g.add_argument('--a', '-b', type=int, default=3, help={text})\n"
        f"    g.add_argument('--c', choices=[{text}, 'd'], nargs='*', default=[{text}], metavar={text})\n"
        f"    s = p.add_subparsers(dest='cmd')\n    q = s.add_parser('run', help={text})\n"
        "    q.add_argument('path', nargs='?', default='.')\n    q.add_argument('--v', action='count')\n"
        f"    p.set_defaults(a=5)\n    return p.parse_args(argv)\nJOB = (main, {text})\n"
        for text in BREAKING_OUT[:4]
    ),
    *(path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("*/jobs/[a-z]*.py"))),
]
# What may stand where another of them stood without a syntax error.
ATOMS = [
    *(
        "0",
        "-1",
        "2.5",
        "1e999",
        "0x" + "f" * 5000,
        "'{:99999}'",
        "'%*d'",
        "f'{JOB}'",
        "b'x'",
        "'*'",
        "'store_true'",
        "'count'",
    ),
    *(
        "None",
        "True",
        "__doc__",
        "JOB",
        "Job",
        "main",
        "argv",
        "int",
        "str",
        "Path",
        "p",
        "x",
        "retries",
        "after",
        "nargs",
        "type",
    ),
    *BREAKING_OUT,
]
OPERATORS = [
    "=",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ".",
    "*",
    "**",
    "+",
    "%",
    "or",
    "lambda",
    "if",
    "else",
    "\n",
    "\\",
    "await",
]

# Everything a DAG file may name, beside what is at its top: a value of a job that became code would be another name.
NAMES = {
    *("requested", "DAG", "JobOperator", "Param", "RAW", "Asset", "notify", "pod_of", "timedelta", "datetime", "timezone"),
    *("CronTriggerTimetable", "DeadlineAlert", "DeadlineReference", "AsyncCallback"),
}
KEYWORDS = {
    *("dag_id", "description", "schedule", "start_date", "catchup", "max_active_runs", "tags", "deadline", "params", "doc_md"),
    *("task_id", "job", "isolation", "options", "outlets", "inlets", "retries", "retry_delay", "max_retry_delay"),
    *("execution_timeout", "pool", "priority_weight", "owner", "queue", "executor", "executor_config", "resources_of_job"),
    *(
        "on_failure_callback",
        "on_success_callback",
        "reference",
        "interval",
        "callback",
        "kwargs",
        "timezone",
        "tzinfo",
        "seconds",
    ),
    *("type", "items", "title", "description_md", "section", "enum", "examples", "format", "minimum", "maximum", "minItems"),
    *("maxItems", "values_display", "minLength", "maxLength", "pattern", "const", "anyOf", "default"),
}
NODES = (
    *(ast.With, ast.withitem, ast.Expr, ast.Call, ast.keyword, ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple, ast.Dict),
    *(ast.UnaryOp, ast.USub, ast.Attribute),
)

# What is invalid in a mutated source is not this test's business.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")


def mutated_bytes(source: str, chance: random.Random) -> bytes:
    data = bytearray(source.encode())
    # Printable ones, as other bytes seldom get past the tokenizer, and now and then any.
    kinds = range(32, 127) if chance.random() < 0.8 else range(256)
    for _ in range(chance.randint(1, 2)):
        position = chance.randrange(len(data))
        match chance.randrange(3):
            case 0:
                data[position] = chance.choice(kinds)
            case 1:
                del data[position : position + chance.randint(1, 8)]
            case _:
                data[position:position] = bytes(chance.choices(kinds, k=chance.randint(1, 4)))
    return bytes(data)


def mutated_tokens(tokens: list[tuple[int, str]], chance: random.Random) -> bytes:
    mutated = list(tokens)
    for _ in range(chance.randint(1, 3)):
        position = chance.randrange(len(mutated) - 1)
        kind, text = mutated[position]
        if kind in {tokenize.STRING, tokenize.NUMBER} or (kind == tokenize.NAME and not keyword.iskeyword(text)):
            mutated[position] = kind, chance.choice(ATOMS)
        elif kind == tokenize.OP and chance.random() < 0.3:
            mutated[position : position + chance.randrange(2)] = [(kind, chance.choice(OPERATORS))]
        elif chance.random() < 0.1:
            del mutated[position]
    try:
        return tokenize.untokenize(mutated).encode()
    except (ValueError, IndexError):
        # Their indentation does not add up; then they are only words.
        return " ".join(text for _, text in mutated).encode()


def mutants(chance: random.Random) -> Iterator[bytes]:
    """Yield job files for ever: half of them with mutated bytes, half with mutated tokens."""
    tokens = [[each[:2] for each in tokenize.generate_tokens(io.StringIO(source).readline)] for source in SEEDS]
    while True:
        yield mutated_bytes(chance.choice(SEEDS), chance)
        yield mutated_tokens(chance.choice(tokens), chance)


def blocks(content: bytes) -> dict[str, str]:
    """Return the text of each DAG of a file by its id."""
    parts = re.split(r"^if requested in \(None, '(\w+)'\):\n", content.decode(), flags=re.MULTILINE)
    return {dag_id: text.rstrip() for dag_id, text in zip(parts[1::2], parts[2::2], strict=True)}


def foreign(content: bytes) -> list[str]:
    """Return what is in the DAGs of a file that no value of a job may be: code that dagsync does not write."""
    found: list[str] = []
    for text in blocks(content).values():
        for node in ast.walk(ast.parse("if True:\n" + text).body[0]):
            match node:
                case (
                    ast.If() | ast.Attribute(value=ast.Name("DeadlineReference" | "timezone"), attr="DAGRUN_QUEUED_AT" | "utc")
                ):
                    pass
                case ast.Attribute() | ast.If():
                    found.append(ast.unparse(node))
                case ast.Name(name) if name not in NAMES:
                    found.append(name)
                case ast.keyword(arg=str(name)) if name not in KEYWORDS:
                    found.append(f"{name}=")
                case _ if not isinstance(node, NODES):
                    found.append(f"{type(node).__name__}: {ast.unparse(node)}")
                case _:
                    pass
    return found


def check_told(report: Report, root: Path) -> None:
    """Everything a report says can be said, in every form it has."""
    assert all(isinstance(finding, Finding) and finding.message for finding in report.problems + report.notes)
    lines = [*report_notes(report, root), report_line(report), *report_records(report, root, datetime.now(UTC))]
    # One line is one line, or a text of a job could look like something a sync says.
    assert not [line for line in lines if "Traceback" in line or not line.isprintable()]


@pytest.mark.timeout(300 + MUTANTS // 20)
def test_mutated_job_files_harm_nobody_and_stay_data(
    monorepo: Monorepo, monkeypatch: pytest.MonkeyPatch, reliability: Callable[[str, Row], None]
) -> None:
    # A power cut is no part of this, and waiting for the disk would be most of the time.
    monkeypatch.setattr(storage.os, "fsync", lambda _: None)
    healthy = {f"p{package}_healthy" for package in range(PACKAGES)}
    for package in range(PACKAGES):
        monorepo.job(f"p{package}.healthy", JOB.replace("A job", f"Healthy {package}"))
    monorepo.sync()
    whole = {dag_id: text for content in monorepo.files().values() for dag_id, text in blocks(content).items()}
    assert set(whole) == healthy
    source = mutants(random.Random(7))
    counted = Counter[str]()
    started = time.monotonic()
    while counted["mutants"] < MUTANTS:
        batch = {f"p{number % PACKAGES}.m{number // PACKAGES}": next(source) for number in range(PACKAGES * MUTANTS_IN_EACH)}
        for ref, data in batch.items():
            monorepo.job(ref).write_bytes(data)
        report = monorepo.sync(allow_mass_removal=True)
        check_told(report, monorepo.packages)
        files = monorepo.files()
        found = {dag_id: text for content in files.values() for dag_id, text in blocks(content).items()}
        assert {dag_id: found.get(dag_id) for dag_id in healthy} == whole
        for name, content in files.items():
            assert foreign(content) == [], name
        assert {problem.path for problem in report.problems}.isdisjoint({f"p{n}/jobs/healthy.py" for n in range(PACKAGES)})
        counted["mutants"] += len(batch)
        counted["jobs"] += report.jobs - PACKAGES
        counted["problems"] += len({problem.path for problem in report.problems})
        counted["kept"] += len(report.kept)
    neither = counted["mutants"] - counted["jobs"] - counted["problems"]
    row = Row(
        table="dagsync",
        fault=f"job files with mutated bytes or tokens, {PACKAGES * MUTANTS_IN_EACH} at a time beside {PACKAGES} healthy jobs",
        tried=f"{counted['mutants']:,} files in {time.monotonic() - started:,.0f} s: {counted['jobs']:,} still declared a job, "
        f"{counted['problems']:,} were told as problems, {neither:,} declared none",
        seen="every sync ended and could be told; the healthy DAGs, byte by byte; the syntax tree of every DAG file, in which "
        f"jobs are only constants; {counted['kept']:,} times the last good DAG of a broken file",
        lost=0,
        doubled=0,
        command="make torture",
    )
    reliability("dagsync-mutated-jobs", row)


def test_code_of_a_job_in_a_dag_file_would_be_noticed() -> None:
    spec = read_job(b"JOB = (main, 'x')", "p", "j", "p/jobs/j.py").spec
    assert spec is not None
    text = render_file([spec], ())
    assert foreign(text.encode()) == []
    for broken in (
        "description='x', doc_md=BROKEN_OUT",
        "description=(lambda: 0)()",
        "description='x', hook=1",
        "description=f'{a}'",
    ):
        assert foreign(text.replace("description='x'", broken).encode()) != [], broken


def is_sound(reading: Reading) -> bool:
    """Return whether a reading can be rendered and reported."""
    assert all(isinstance(finding, Finding) and finding.message for finding in reading.problems + reading.notes)
    assert not (reading.spec and reading.problems)
    if reading.spec:
        ast.parse(render_file([reading.spec], ()).encode())
    return True


@pytest.mark.parametrize(
    "declaration",
    [
        "JOB = (main, f'{0x" + "f" * 5000 + "}')",
        "JOB = (main, 'x', {'retries': 0x" + "f" * 5000 + "})",
        "JOB = 0x" + "f" * 5000,
        "JOB = (main, 'x', {0x" + "f" * 5000 + ": 1})",
        "JOB = (main, 1e308 + 0x" + "f" * 5000 + ")",
        "JOB = (main, 'x', {'args': [" + "['a'] + " * 500 + "[]]})",
        "JOB = (main, {{}: 1})",
        "JOB = (main, {**1})",
        "JOB = (main, ''.join([1]))",
        "JOB = (main, ''.join(1, 2, 3))",
        "JOB = (main, '%s %s' % 1)",
        "JOB = (main, '{}'.format())",
        "JOB = (main, ''.replace())",
        "JOB = (main, f'{1!r:{2}}')",
        "JOB = (main, f'{1:z}')",
        "JOB = Job",
        "JOB = Job()",
        "JOB = ()",
        "JOB: int",
        "JOB += 1",
        "A = A\nJOB = A",
        "A = B\nB = A\nJOB = (main, A)",
        "global JOB\nJOB = 1",
        "class JOB: pass",
        "from x import JOB",
        *(
            f"from dagsync import *\nfrom datetime import timedelta\nJOB = Job(main, 'x', {option})"
            for option in (
                "schedule=Cron('0 4 * * *', timezone=HUGE)",
                "schedule={'cron': '@once', 'timezone': HUGE}",
                "schedule={HUGE: 1}",
                "timeout={HUGE: 1}",
                "timeout=HUGE",
                "deadline=timedelta(hours=HUGE)",
                "on_failure=[{'via': 'email', 'to': [HUGE]}]",
                "on_failure=[{'via': HUGE}]",
                "on_failure=[{'via': 'slack', HUGE: 1}]",
                "on_failure=[Slack(HUGE)]",
                "resources={HUGE: '1'}",
                "resources={'cpu': HUGE}",
                "priority=HUGE",
                "start_date=HUGE",
                "start_date=date(HUGE, 1, 1)",
                "args=[HUGE]",
                "tags=[HUGE]",
                "after=[HUGE]",
                "after=HUGE",
                "group=HUGE",
                "isolation=HUGE",
                "catchup=HUGE",
                "docs=HUGE",
            )
        ),
        *(
            f"import argparse\ndef main(a):\n    p = argparse.ArgumentParser()\n    p.add_argument('--a', {option})\n"
            "    p.parse_args(a)\nJOB = (main, 'x')"
            for option in (
                "default=HUGE",
                "type=int, default=HUGE",
                "type=float, default=-HUGE",
                "choices=[HUGE]",
                "const=HUGE, nargs='?'",
                "nargs=HUGE",
                "nargs=HUGE, action='append'",
                "action='count', default=HUGE",
                "action=HUGE",
                "dest=HUGE",
                "help=HUGE",
                "metavar=HUGE",
                "help='%(default)s', default=[HUGE]",
            )
        ),
    ],
)
def test_odd_declarations_never_crash_the_reader(declaration: str) -> None:
    declaration = declaration.replace("HUGE", "0x" + "f" * 5000)
    assert is_sound(read_job(declaration.encode(), "p", "j", "p/jobs/j.py"))
