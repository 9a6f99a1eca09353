"""Whatever is in a job file, reading it ends in a job, a problem or neither: never in a crash."""

import ast
import io
import random
import tokenize

import pytest

from dagsync.model import Finding
from dagsync.reading import Reading, read_job
from dagsync.rendering import render_file

SEEDS = [
    'import x\nfrom dagsync import Job\nNAME = "a"\ndef f(argv):\n    return 0\n'
    'JOB = Job(f, f"{NAME!r:>10} b", retries=2, args=["x"])\n',
    '"""Docs."""\nOPTS = {"schedule": "*/5 * * * *", **{"retries": 1}}\n'
    'JOB: tuple = (main, __doc__.strip() or "%s" % (1,), OPTS)\n',
    'import dagsync\nA = "x" + "y"\nJOB = dagsync.Job(lambda a: 0, description=", ".join(["a", A]), after=["a.b"])\n',
    'try:\n    JOB = (main, "{} {b}".format(1, b=-2.5), {"args": ("a",) + ("b",)})\nexcept E:\n    JOB = None\n',
]
TOKENS = [
    *(
        "JOB",
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
        "None",
        "True",
    ),
    *(
        "0",
        "-1",
        "1e999",
        "0x" + "f" * 5000,
        "'{:99999}'",
        "'%*d'",
        "f'{JOB}'",
        "b'x'",
        "__doc__",
        "Job",
        "\n",
        "\\",
        '"""',
        "await",
    ),
]
ROUNDS = 1500

# What is invalid in a mutated source is not this test's business.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")


def is_sound(reading: Reading) -> bool:
    """Return whether a reading can be rendered and reported."""
    assert all(isinstance(finding, Finding) and finding.message for finding in reading.problems + reading.notes)
    assert not (reading.spec and reading.problems)
    if reading.spec:
        ast.parse(render_file([reading.spec], ()).encode())
    return True


@pytest.mark.parametrize("source", SEEDS)
def test_mutated_bytes_never_crash_the_reader(source: str) -> None:
    chance = random.Random(source)
    for _ in range(ROUNDS):
        data = bytearray(source.encode())
        for _ in range(chance.randint(1, 4)):
            position = chance.randrange(len(data))
            match chance.randrange(3):
                case 0:
                    data[position] = chance.randrange(256)
                case 1:
                    del data[position : position + chance.randint(1, 8)]
                case _:
                    data[position:position] = bytes(chance.choices(range(256), k=chance.randint(1, 4)))
        assert is_sound(read_job(bytes(data), "p", "j", "p/jobs/j.py"))


@pytest.mark.parametrize("source", SEEDS)
def test_mutated_tokens_never_crash_the_reader(source: str) -> None:
    chance = random.Random(source)
    tokens = [token.string for token in tokenize.generate_tokens(io.StringIO(source).readline)]
    for _ in range(ROUNDS):
        mutated = list(tokens)
        for _ in range(chance.randint(1, 3)):
            position = chance.randrange(len(mutated))
            if chance.random() < 0.5:
                mutated[position] = chance.choice(TOKENS)
            else:
                mutated.insert(position, chance.choice(TOKENS))
        text = " ".join(mutated).replace("\n ", "\n")
        assert is_sound(read_job(text.encode(), "p", "j", "p/jobs/j.py"))


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
    ],
)
def test_odd_declarations_never_crash_the_reader(declaration: str) -> None:
    assert is_sound(read_job(declaration.encode(), "p", "j", "p/jobs/j.py"))
