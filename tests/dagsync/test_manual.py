"""What is said about the command line, by --help, by shells and by docs/dagsync.md, is what the code does."""

import argparse
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from dagsync import cli, errors, source_errors
from dagsync.arguments import parser
from dagsync.completion import commands_of, completion_script
from dagsync.manual import ENVIRONMENT, MANUAL, exit_codes
from tests.dagsync.tree import Monorepo

ROOT = Path(__file__).parents[2]
COMMANDS = [command.name for command in commands_of(parser({}, "dagsync"))]


def test_docs_page_is_fresh() -> None:
    done = subprocess.run([sys.executable, ROOT / "docs/dagsync_reference.py", "--check"], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.returncode == 0


def test_docs_page_has_every_table_once() -> None:
    page = (ROOT / "docs/dagsync.md").read_text()
    tables = runpy.run_path(str(ROOT / "docs/dagsync_reference.py"))["SECTIONS"]
    assert sorted(re.findall(r"<!-- begin ([a-z-]+) -->", page)) == sorted(tables)


def test_links_within_the_docs_page_lead_somewhere() -> None:
    page = (ROOT / "docs/dagsync.md").read_text()
    anchors = {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= anchors


def test_every_command_does_something_and_has_its_page_of_the_manual() -> None:
    assert set(COMMANDS) == set(cli.COMMANDS)
    assert set(COMMANDS) <= set(MANUAL)
    assert all(MANUAL[name].examples for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_examples_that_parse_and_what_exit_codes_mean(command: str) -> None:
    environment = {"COLUMNS": "100"}
    arguments = [sys.executable, "-m", "dagsync", command, "--help"]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, cwd=ROOT)
    examples, _, codes = done.stdout.partition("\nexamples:\n")[2].partition("\nexit codes:\n")
    assert re.match(r"  0    \w", codes)
    assert re.search(r"^  2    The command line was not understood\.$", codes, re.MULTILINE)
    assert max(map(len, done.stdout.splitlines())) <= 100
    shown = [line for line in examples.splitlines() if not line.startswith("  #")]
    assert len([line for line in shown if line]) == len(MANUAL[command].examples)


@pytest.mark.parametrize(
    ("command", "example"),
    [(name, arguments) for name in COMMANDS for _, arguments in MANUAL[name].examples if "dagsync" not in arguments],
)
def test_examples_are_understood(command: str, example: str) -> None:
    import shlex

    from dagsync.arguments import parse

    words = shlex.split(example.partition(" > ")[0])
    assert parse(words, {"DAGSYNC_STORE": "s3://bucket/packages"}, "dagsync").command == command


def test_every_exit_code_is_documented_with_the_words_of_its_error() -> None:
    documented = exit_codes()
    for cause in errors.DagsyncError.__subclasses__():
        # A probe knows 0 and 1 only, and 1 has a meaning of its own.
        assert cause is errors.NoHeartbeatError or documented[cause.exit_code] == " ".join((cause.__doc__ or "").split())
    known = {code for page in MANUAL.values() for code in page.exit_codes}
    assert known <= documented.keys()
    assert source_errors.StoreError.exit_code in documented


def test_environment_variables_that_are_read_are_those_documented() -> None:
    read: set[str] = set()
    for path in (ROOT / "dagsync").glob("*.py"):
        if path.name != "manual.py":
            read |= set(re.findall(r'"((?:DAGSYNC|ETL|AIRFLOW)_[A-Z_]+[A-Z])"', path.read_text()))
    # Set for the processes dagsync starts, or for Airflow when it parses.
    ours = {"DAGSYNC_CHILD", "AIRFLOW_HOME"} | {
        name for name in read if name.startswith("AIRFLOW__") and name not in ENVIRONMENT
    }
    assert read - ours == ENVIRONMENT.keys() - {"NO_COLOR"}


def bash(*words: str) -> list[str]:
    """Return what bash offers for the last of some words."""
    script = completion_script("bash", parser({}, "dagsync"))
    quoted = " ".join(f"'{word}'" for word in words)
    ask = f'COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _dagsync; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "--norc", "-c", f"{script}\n{ask}"], capture_output=True, text=True, cwd=ROOT)
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_commands_options_choices_and_folders() -> None:
    assert bash("dagsync", "he") == ["heartbeat"]
    assert set(bash("dagsync", "")) == {"--help", *COMMANDS}
    assert bash("dagsync", "sync", "--health") == ["--health-port", "--health-host"]
    assert bash("dagsync", "sync", "--group-by", "") == ["package", "job"]
    assert bash("dagsync", "plan", "--health") == []
    assert bash("dagsync", "completion", "") == ["-h", "--help", "bash", "zsh", "fish"]
    assert bash("dagsync", "sync", "--packages-root", "dagsy") == ["dagsync"]
    assert bash("dagsync", "sync", "--interval", "3") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_option_of_every_command(shell: str, monorepo: Monorepo) -> None:
    # What the environment holds must not end up in a script that is made once.
    done = monorepo.cli("completion", shell, environment={"DAGSYNC_SOURCE": "s3://secret"})
    assert done.returncode == 0
    assert "s3://secret" not in done.stdout
    assert str(monorepo.packages) not in done.stdout
    for command in commands_of(parser({}, "dagsync")):
        for name in (name for option in command.options for name in option.names):
            fish = f"-l {name[2:]} " if name.startswith("--") else f"-s {name[1:]} "
            word = fish if shell == "fish" else name
            assert word in done.stdout, (command.name, name)


def test_completion_escapes_what_shells_would_read() -> None:
    made = argparse.ArgumentParser()
    made.add_subparsers().add_parser("go", help="it's $(rm) [a]: `b`").add_argument("--x", help="it's $(rm) [a]: `b`")
    assert "'--x[it'\\''s $(rm) \\[a\\]\\: `b`]:value: '" in completion_script("zsh", made)
    assert "-d 'it'\\''s $(rm) [a]: `b`'" in completion_script("fish", made)
