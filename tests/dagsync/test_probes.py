"""What an importing scanner that writes its files in place does wrong: each probe of it, and what a sync does instead."""

import ast
import re
import subprocess
import threading
from pathlib import Path

import pytest

from dagsync.calling import call_job
from dagsync.errors import JobFailedError
from tests.dagsync.tree import JOB, Monorepo


def sync(monorepo: Monorepo, *arguments: str) -> subprocess.CompletedProcess[str]:
    return monorepo.cli("sync", *arguments)


def test_probe_jobs_lost_to_missing_libraries_and_syntax_errors(monorepo: Monorepo) -> None:
    for number in range(100):
        broken = "import a_library_nobody_has\n" if number % 20 == 0 else "def f(:\n" if number == 50 else ""
        monorepo.job(f"p{number % 10}.j{number}", broken + JOB)
    done = sync(monorepo)
    # The one that is no Python is told, and everything else is there.
    assert len(monorepo.dag_ids()) == 99
    assert (done.returncode, done.stderr.count("problem: ")) == (1, 1)
    assert f"{monorepo.packages}/p0/jobs/j50.py:1: syntax error" in done.stderr
    assert "99 jobs: 99 DAGs written" in done.stdout


def test_probe_descriptions_that_are_no_literals(monorepo: Monorepo) -> None:
    declared = {
        '"""From the module\'s docs.\nMore."""\nimport flask\nJOB = (main, __doc__.splitlines()[0])': "From the module's docs.",
        'import django\nWHAT = "orders"\nTEXT = f"Load {WHAT}"\nJOB = (main, TEXT)\n': "Load orders",
        'from ..shared import x\nJOB = (x, ("" or "Load") + " all")\n': "Load all",
    }
    for number, source in enumerate(declared):
        monorepo.job(f"shop.j{number}", source)
    assert sync(monorepo).returncode == 0
    (content,) = monorepo.files().values()
    assert [eval(each) for each in re.findall(r"description=(.*),\n", content.decode())] == list(declared.values())


def test_probe_files_rewritten_though_nothing_changed(monorepo: Monorepo) -> None:
    for package in "abc":
        monorepo.job(f"{package}.load")
    sync(monorepo)
    before = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in monorepo.dags.glob("*.py")}
    assert "3 unchanged" in sync(monorepo).stdout
    assert before == {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in monorepo.dags.glob("*.py")}


def test_probe_hand_written_dag_in_the_folder(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    sync(monorepo)
    by_hand = monorepo.dags / "handwritten_dag.py"
    by_hand.write_text("from airflow.sdk import DAG\n")
    (monorepo.packages / "sales/jobs/load.py").unlink()
    assert sync(monorepo, "--allow-mass-removal").returncode == 0
    assert list(monorepo.files()) == [by_hand.name]


def test_probe_import_that_is_missing_for_a_while(monorepo: Monorepo) -> None:
    path = monorepo.job("sales.load")
    sync(monorepo)
    before = monorepo.files()
    path.write_text("import not_there_today\n" + JOB)
    assert sync(monorepo).returncode == 0
    assert monorepo.files() == before


def test_probe_no_jobs_found_at_all(monorepo: Monorepo) -> None:
    for number in range(3):
        monorepo.job(f"sales.j{number}")
    sync(monorepo)
    for path in (monorepo.packages / "sales/jobs").glob("*.py"):
        path.unlink()
    refused = sync(monorepo)
    assert (refused.returncode, len(monorepo.dag_ids())) == (4, 3)
    assert "--allow-mass-removal" in refused.stderr
    assert sync(monorepo, "--allow-mass-removal").returncode == 0
    assert monorepo.files() == {}


def test_probe_reader_during_a_write(monorepo: Monorepo) -> None:
    for number in range(200):
        monorepo.job(f"sales.j{number}")
    monorepo.sync()
    stop, seen = threading.Event(), set[int]()

    def read() -> None:
        while not stop.is_set():
            content = (monorepo.dags / "sales_dags.py").read_bytes()
            # Not ast.parse: two threads in that at once confuse CPython 3.11.
            compile(content, "sales_dags.py", "exec")
            seen.add(content.count(b"with DAG("))

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(20):
        for number in range(200):
            monorepo.job(f"sales.j{number}", JOB.replace("A job", f"Turn {turn}"))
        monorepo.sync()
    stop.set()
    reader.join()
    assert seen == {200}


@pytest.mark.parametrize("code", [0, 3])
def test_probe_exit_at_import(monorepo: Monorepo, code: int) -> None:
    monorepo.job("sales.exits", f"import sys\nsys.exit({code})\n{JOB}")
    monorepo.job("sales.load")
    assert sync(monorepo).returncode == 0
    assert monorepo.dag_ids() == {"sales_exits", "sales_load"}


def test_probe_blocking_at_import(monorepo: Monorepo) -> None:
    monorepo.job("sales.blocks", f"import time\ntime.sleep(3600)\n{JOB}")
    assert sync(monorepo).returncode == 0
    assert monorepo.dag_ids() == {"sales_blocks"}


def test_probe_two_jobs_of_one_name(monorepo: Monorepo) -> None:
    for ref in ("a.b_c", "a_b.c", "a.other"):
        monorepo.job(ref)
    done = sync(monorepo)
    assert (done.returncode, monorepo.dag_ids()) == (1, {"a_other"})
    assert "DAG id 'a_b_c' is also that of a_b/jobs/c.py" in done.stderr
    assert "DAG id 'a_b_c' is also that of a/jobs/b_c.py" in done.stderr


def test_probe_package_that_cannot_be_imported(monorepo: Monorepo) -> None:
    monorepo.job("my-pkg.load")
    monorepo.job("sales.load")
    done = sync(monorepo)
    assert (done.returncode, monorepo.dag_ids()) == (1, {"sales_load"})
    assert "package 'my-pkg' is not a Python identifier" in done.stderr


def test_probe_package_without_init_and_nested_job_are_told(monorepo: Monorepo) -> None:
    monorepo.job("bare.load")
    (monorepo.packages / "bare/__init__.py").unlink()
    monorepo.job("sales.load").rename(monorepo.packages / "sales/jobs/load.py")
    (monorepo.packages / "sales/jobs/sub").mkdir()
    (monorepo.packages / "sales/jobs/sub/deep.py").write_text(JOB)
    done = sync(monorepo)
    assert (done.returncode, monorepo.dag_ids()) == (1, {"sales_load"})
    assert "bare: has jobs and no __init__.py" in done.stderr
    assert "sales/jobs/sub/deep.py:4: declares a JOB in a folder below jobs" in done.stderr


@pytest.mark.parametrize("error", ["ImportError('not today')", "RuntimeError", "SystemExit(0)"])
def test_probe_jobs_init_that_raises(monorepo: Monorepo, error: str) -> None:
    for number in range(10):
        monorepo.job(f"sales.j{number}")
    (monorepo.packages / "sales/jobs/__init__.py").write_text(f"raise {error}\n")
    assert sync(monorepo).returncode == 0
    assert len(monorepo.dag_ids()) == 10


@pytest.mark.parametrize("description", ["It's", "two\nlines", "back\\slash", 'three """ quotes', "', doc_md='injected"])
def test_probe_description_that_is_no_plain_text(monorepo: Monorepo, description: str) -> None:
    monorepo.job("sales.load", f"JOB = (main, {description!r})\n")
    assert sync(monorepo).returncode == 0
    (content,) = monorepo.files().values()
    found = {node.arg: node.value for node in ast.walk(ast.parse(content)) if isinstance(node, ast.keyword)}
    assert ast.literal_eval(found["description"]) == description
    assert "doc_md" not in found


def test_probe_side_effects_of_imports(monorepo: Monorepo, tmp_path: Path) -> None:
    written = tmp_path / "written"
    monorepo.job("sales.load", f"import os\nos.environ['LEAKED'] = '1'\nopen({str(written)!r}, 'w')\n{JOB}")
    tree = sorted(monorepo.packages.rglob("*"))
    assert sync(monorepo).returncode == 0
    assert not written.exists()
    assert sorted(monorepo.packages.rglob("*")) == tree


def test_probe_exit_code_in_the_failure(monorepo: Monorepo) -> None:
    monorepo.job("probed.fails", 'JOB = (lambda argv: 3, "Fails")\n')
    with pytest.raises(JobFailedError, match=r"^job probed\.fails returned exit code 3$"):
        call_job("probed.fails", [], str(monorepo.packages))
