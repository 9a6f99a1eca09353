"""Every job of a tree is found whatever its module does, and what is wrong is said with its place and its fix."""

from pathlib import Path

import pytest

from dagsync.discovery import Discovery, discover
from dagsync.model import JobSpec
from dagsync.outcome import DEFAULT_SKIPPED_PACKAGES
from tests.dagsync.tree import JOB, Monorepo


def found(monorepo: Monorepo) -> Discovery:
    return discover(monorepo.packages)


def only_job(monorepo: Monorepo) -> JobSpec:
    discovery = found(monorepo)
    assert discovery.problems == ()
    (spec,) = discovery.jobs
    return spec


def only_problem(monorepo: Monorepo) -> str:
    """Return the one problem as it is printed, without the folder in front."""
    (problem,) = found(monorepo).problems
    return f"{problem.location}: {problem.message}\n{problem.fix}"


@pytest.mark.parametrize(
    "at_import",
    [
        "import a_library_nobody_has",
        "import sys; sys.exit(3)",
        "import sys; sys.exit(0)",
        "import time; time.sleep(3600)",
        "raise RuntimeError",
        "from ..elsewhere import what",
        "open('/tmp/dagsync-was-imported', 'w')",
    ],
)
def test_job_is_found_whatever_its_module_does_at_import(monorepo: Monorepo, at_import: str) -> None:
    Path("/tmp/dagsync-was-imported").unlink(missing_ok=True)
    monorepo.job("sales.load", f"{at_import}\n{JOB}")
    assert only_job(monorepo).description == "A job"
    assert not Path("/tmp/dagsync-was-imported").exists()
    assert not list(monorepo.packages.rglob("__pycache__"))


def test_jobs_are_found_whatever_their_package_does_at_import(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    for init in (monorepo.packages / "sales/__init__.py", monorepo.packages / "sales/jobs/__init__.py"):
        init.write_text("raise ImportError('not today')\n")
    assert only_job(monorepo).dag_id == "sales_load"


@pytest.mark.parametrize(
    "declaration",
    [
        'JOB = (main, "Load")',
        "JOB = main, 'Load'",
        'JOB = (main, "Load", {})',
        'JOB: tuple = (main, "Load")',
        'JOB: "Final" = (main, "Load")',
        'JOB = Job(main, "Load")',
        'JOB = Job(entrypoint=main, description="Load")',
        'import dagsync\nJOB: "Final" = dagsync.Job(main, "Load")',
        'from dagsync import Job as Declared\nJOB = Declared(main, "Load")',
        'TEXT = "Load"\nJOB = (main, TEXT)',
        '_job = (main, "Load")\nJOB = _job',
        'try:\n    JOB = (main, "Load")\nexcept Exception:\n    raise',
        'try:\n    import spark\n    JOB = (main, "Load")\nexcept ImportError:\n    JOB = None',
        'JOB = (lambda argv: 0, "Load")',
        'JOB = (module.main, ("Lo"\n       "ad"))',
        'OPTIONS = {"retries": 0}\nJOB = (main, "Load", OPTIONS)',
        'x = JOB = (main, "Load")',
    ],
)
def test_every_form_of_the_declaration_is_read(monorepo: Monorepo, declaration: str) -> None:
    monorepo.job("sales.load", f"def main(argv): ...\n{declaration}\n")
    assert only_job(monorepo).description == "Load"


def test_options_are_read(monorepo: Monorepo) -> None:
    monorepo.job("sales.extract")
    monorepo.job("sales.load", 'JOB = (main, "x", {"retries": 2, "after": ["sales.extract"], "args": ("-v",)})')
    monorepo.job("sales.report", 'from dagsync import Job\nJOB = Job(main, "x", schedule="@daily", args=["--full"])')
    _, load, report = found(monorepo).jobs
    assert (load.retries, load.after, load.args, load.schedule) == (2, ("sales.extract",), ("-v",), None)
    assert (report.retries, report.after, report.args, report.schedule) == (1, (), ("--full",), "@daily")


def test_description_that_cannot_be_evaluated_costs_a_note_and_not_the_dag(monorepo: Monorepo) -> None:
    monorepo.job("sales.load", "\nJOB = (main, describe())\n")
    discovery = found(monorepo)
    assert [spec.dag_id for spec in discovery.jobs] == ["sales_load"]
    assert discovery.problems == ()
    (note,) = discovery.notes
    assert (note.location, note.message) == (
        "sales/jobs/load.py:2",
        "description left empty: describe() is not a constant expression",
    )


def test_dict_filled_element_by_element_is_not_taken_for_a_constant(monorepo: Monorepo) -> None:
    monorepo.job("sales.load", "WORDS = {'what': 'Load'}\nWORDS['what'] = 'Unload'\nJOB = (main, WORDS['what'])")
    discovery = found(monorepo)
    assert discovery.jobs[0].description == ""
    assert "'WORDS' is not assigned exactly once" in discovery.notes[0].message


def test_name_assigned_more_than_once_is_not_taken_for_a_constant(monorepo: Monorepo) -> None:
    monorepo.job("sales.load", 'TEXT = "a"\nif True:\n    TEXT = "b"\nJOB = (main, TEXT)\n')
    discovery = found(monorepo)
    assert discovery.jobs[0].description == ""
    assert "'TEXT' is not assigned exactly once" in discovery.notes[0].message


def test_characters_a_database_cannot_store_are_removed_from_a_description(monorepo: Monorepo) -> None:
    monorepo.job("sales.load", r'JOB = (main, "nul \0 and half a pair \ud800")')
    discovery = found(monorepo)
    assert discovery.jobs[0].description == "nul  and half a pair ?"
    assert "no database stores" in discovery.notes[0].message


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(:\n    JOB", "load.py:1: syntax error: invalid syntax\nwrite what Python 3."),
        ("JOB = (main, 'x') if y else z", "JOB is an expression, (main, 'x') if y else z, expected a tuple or Job(...)"),
        ("JOB = (main,)", "JOB has 1 elements, expected 2 or 3\nwrite JOB = (entrypoint"),
        ("JOB = [main, 'x']", "JOB is a list, expected a tuple or Job(...)"),
        ("JOB = make()", "JOB is a call, expected a tuple or Job(...)"),
        ("JOB = None", "JOB is the constant None"),
        ("for JOB, x in y: pass\nJOB, x = y", "JOB is assigned in a way that cannot be read"),
        ("from shop.jobs import JOB", "load.py:1: JOB is assigned in a way that cannot be read"),
        ("import job as JOB", "load.py:1: JOB is assigned in a way that cannot be read"),
        ("\n(JOB := (main, 'x'))", "load.py:2: JOB is assigned in a way that cannot be read"),
        ("match 1:\n    case 1:\n        JOB = (main, 'x')", "load.py:3: JOB is assigned in a way that cannot be read"),
        ("with declared() as JOB: ...", "load.py:1: JOB is assigned in a way that cannot be read"),
        ("def declare():\n    global JOB\n    JOB = (main, 'x')", "load.py:2: JOB is assigned in a way that cannot be read"),
        ("class JOB: ...", "load.py:1: JOB is assigned in a way that cannot be read"),
        ("JOB = ('main', 'x')", "the entrypoint is the constant 'main', expected a function"),
        ("JOB = Job(description='x')", "Job(...) has no entrypoint"),
        ("JOB = Job(main, 'x', **options)", "Job(**...) cannot be read"),
        ("JOB = (main, 'x', 3)", "the third element of JOB is the constant 3, expected a dict"),
        ("JOB = (main, 'x', {'schedul': '@daily'})", "load.py:1: unknown option 'schedul'\ndid you mean 'schedule'?"),
        ("JOB = Job(main, 'x',\n retires=1)", "load.py:2: unknown option 'retires'\ndid you mean 'retries'?"),
        ("JOB = Job(main, 'x', zzz=1)", "unknown option 'zzz'\noptions are after, args, catchup, consumes"),
        ("JOB = Job(main, 'x', retries=-1)", "retries: expected a whole number from 0 to 100, found -1"),
        ("JOB = Job(main, 'x', retries=True)", "retries: expected a whole number from 0 to 100, found True"),
        ("JOB = Job(main, 'x', retries=many())", "retries: many() is not a constant expression\noptions may be"),
        ("JOB = Job(main, 'x', schedule='@dayly')", "schedule: unknown preset '@dayly'"),
        ("JOB = Job(main, 'x', schedule='1 2 3')", "schedule: expected a cron expression of 5 fields"),
        ("JOB = Job(main, 'x', schedule=5)", "schedule: expected a preset, a cron expression, Cron("),
        ("JOB = Job(main, 'x', args='--full')", "args: expected a list of strings such as [\"--full\"], found '--full'"),
        ("JOB = Job(main, 'x', args=[1])", "args: expected a list of strings"),
        (r"JOB = Job(main, 'x', args=['\0'])", "args: found a NUL or half a surrogate pair"),
        (r"JOB = Job(main, 'x', args=['\ud800'])", "args: found a NUL or half a surrogate pair"),
        ("JOB = Job(main, 'x', after='sales.load')", 'after: expected a list of jobs such as ["sales.load"]'),
        ("JOB = Job(main, 'x', after=['sales.lod'])", "after: there is no job 'sales.lod'\ndid you mean 'sales.load'?"),
        ("JOB = Job(main, 'x', after=['sales.load'])", "jobs wait for each other: sales.load → sales.load"),
        (
            "JOB = Job(main, 'x', after=['a.b'], schedule='@daily')",
            "schedule='@daily' and after=['a.b'] cannot be combined\nkeep one",
        ),
    ],
)
def test_problem_names_the_place_what_was_found_and_the_fix(monorepo: Monorepo, source: str, expected: str) -> None:
    monorepo.job("sales.load", source)
    assert only_problem(monorepo).startswith("sales/jobs/load.py:")
    assert expected in only_problem(monorepo)


def test_one_broken_job_hides_no_other(monorepo: Monorepo) -> None:
    monorepo.job("sales.broken", "JOB = (")
    monorepo.job("sales.load")
    discovery = found(monorepo)
    assert [spec.ref for spec in discovery.jobs] == ["sales.load"]
    assert discovery.broken_jobs == {"sales.broken"}


def test_two_jobs_of_one_dag_id_are_refused_naming_both_and_no_other(monorepo: Monorepo) -> None:
    for ref in ("a.b_c", "a_b.c", "a.other"):
        monorepo.job(ref)
    discovery = found(monorepo)
    assert [spec.ref for spec in discovery.jobs] == ["a.other"]
    assert [(problem.path, problem.message) for problem in discovery.problems] == [
        ("a/jobs/b_c.py", "DAG id 'a_b_c' is also that of a_b/jobs/c.py"),
        ("a_b/jobs/c.py", "DAG id 'a_b_c' is also that of a/jobs/b_c.py"),
    ]


def test_cycle_is_named_by_its_path_and_jobs_beside_it_are_kept(monorepo: Monorepo) -> None:
    for name, after in (("a", ["p.c"]), ("b", ["p.a"]), ("c", ["p.b"]), ("d", ["p.c"]), ("e", [])):
        monorepo.job(f"p.{name}", f"JOB = (main, 'x', {{'after': {after}}})")
    discovery = found(monorepo)
    assert [spec.name for spec in discovery.jobs] == ["d", "e"]
    assert {problem.path for problem in discovery.problems} == {f"p/jobs/{name}.py" for name in "abc"}
    assert all("p.a → p.c → p.b → p.a" in problem.message for problem in discovery.problems)


def test_chain_longer_than_pythons_recursion_limit_is_no_cycle(monorepo: Monorepo) -> None:
    for number in range(1500):
        after = [f"p.j{number + 1}"] if number < 1499 else []
        monorepo.job(f"p.j{number}", f"JOB = (main, 'x', {{'after': {after}}})")
    assert len(found(monorepo).jobs) == 1500


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ("my-pkg", "package 'my-pkg' is not a Python identifier"),
        ("class", "package 'class' is a keyword of Python"),
        ("statistics", "'statistics' is also a module of Python or Airflow"),
        ("airflow", "'airflow' is also a module of Python or Airflow"),
        ("cafe\u0301", "has characters that Airflow does not take in a DAG id"),
        ("p" * 101, "package name is longer than 100 characters"),
    ],
)
def test_package_that_cannot_be_imported_is_a_problem(monorepo: Monorepo, package: str, expected: str) -> None:
    monorepo.job(f"{package}.load")
    assert expected in only_problem(monorepo)
    assert found(monorepo).jobs == ()


def test_module_that_cannot_be_imported_is_a_problem(monorepo: Monorepo) -> None:
    monorepo.job("sales.load-all")
    assert only_problem(monorepo) == (
        "sales/jobs/load-all.py:4: module 'load-all' is not a Python identifier, so it cannot be imported\n"
        "rename sales/jobs/load-all.py, for example to load_all.py"
    )


def test_module_named_by_a_keyword_is_told_a_name_it_can_have(monorepo: Monorepo) -> None:
    monorepo.job("sales.import")
    assert only_problem(monorepo).endswith("\nrename sales/jobs/import.py, for example to import_job.py")


def test_hidden_files_of_editors_are_nothing(monorepo: Monorepo) -> None:
    path = monorepo.job("sales.load")
    (path.parent / ".#load.py").symlink_to("ana@laptop.4711:1767225600")
    (path.parent / "._load.py").write_text(JOB)
    assert only_job(monorepo).ref == "sales.load"


def test_docstring_that_is_not_there_is_named_as_the_reason_for_an_empty_description(monorepo: Monorepo) -> None:
    monorepo.job("sales.load", "JOB = (main, __doc__)")
    (note,) = found(monorepo).notes
    assert note.message == "description left empty: it is None, as __doc__ is in a module without a docstring"


def test_docstring_that_is_a_book_is_left_out_of_the_dag(monorepo: Monorepo) -> None:
    monorepo.job("sales.load", f'"""{"x" * 100_001}"""\n{JOB}')
    discovery = found(monorepo)
    assert discovery.jobs[0].docs == ""
    assert discovery.notes[0].message == "docs left empty: the docstring is longer than 100000 characters"


def test_dag_id_that_does_not_fit_is_a_problem_of_that_job_alone(monorepo: Monorepo) -> None:
    monorepo.job(f"{'p' * 100}.{'j' * 140}")
    monorepo.job("sales.load")
    assert only_problem(monorepo).endswith("DAG id would be longer than 240 bytes\nshorten the module's name")
    assert [spec.ref for spec in found(monorepo).jobs] == ["sales.load"]


def test_package_without_init_is_a_problem_that_names_the_file_to_make(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    (monorepo.packages / "sales/__init__.py").unlink()
    assert only_problem(monorepo) == (
        "sales: has jobs and no __init__.py; they are left out\ncreate an empty sales/__init__.py"
    )


def test_job_below_the_jobs_folder_is_a_problem(monorepo: Monorepo) -> None:
    path = monorepo.job("sales.load")
    (path.parent / "sub").mkdir()
    path.rename(path.parent / "sub" / "load.py")
    assert only_problem(monorepo) == (
        "sales/jobs/sub/load.py:4: declares a JOB in a folder below jobs, where jobs are not looked for\nmove it to sales/jobs/"
    )


def test_what_is_no_job_is_no_problem(monorepo: Monorepo) -> None:
    monorepo.job("sales.helper", "def shared(): ...")
    monorepo.job("sales.broken_helper", "def shared(: ...")
    monorepo.job("sales.mentions", "# a JOB is declared elsewhere\nJOBS = 1\ndef f():\n    JOB = 1\n[JOB for JOB in f()]")
    (monorepo.packages / "not-a-package").mkdir()
    (monorepo.packages / "README.md").touch()
    (monorepo.packages / ".git/jobs").mkdir(parents=True)
    (monorepo.packages / ".git/jobs/x.py").write_text(JOB)
    discovery = found(monorepo)
    assert (discovery.jobs, discovery.problems, discovery.notes) == ((), (), ())


def test_shared_packages_are_skipped_and_which_they_are_can_be_chosen(monorepo: Monorepo) -> None:
    for package in (*DEFAULT_SKIPPED_PACKAGES, "sales"):
        monorepo.job(f"{package}.load")
    assert [spec.package for spec in found(monorepo).jobs] == ["sales"]
    assert "sales" not in {spec.package for spec in discover(monorepo.packages, ["sales"]).jobs}


@pytest.mark.parametrize(
    "data",
    [
        b"JOB = (main, 'x')\0",
        b"\xff\xfeJOB",
        b"# -*- coding: no-such -*-\nJOB = 1",
        b"JOB = " + b"(" * 5000,
        b"JOB = " + b"-" * 100_000 + b"1",
        b"JOB = (main, " + b"'x' + " * 50_000 + b"'x')",
        b"\xff = 'JOB'",
    ],
)
def test_bytes_that_are_no_python_are_a_problem_and_no_crash(monorepo: Monorepo, data: bytes) -> None:
    monorepo.job("sales.load").write_bytes(data)
    monorepo.job("sales.healthy")
    discovery = found(monorepo)
    assert [spec.ref for spec in discovery.jobs] == ["sales.healthy"]
    assert len(discovery.problems) == 1


def test_source_in_another_encoding_is_read(monorepo: Monorepo) -> None:
    source = "# -*- coding: latin-1 -*-\nJOB = (main, 'Größe')\n"
    monorepo.job("sales.load").write_bytes(source.encode("latin-1"))
    assert only_job(monorepo).description == "Größe"


def test_what_is_no_regular_file_is_not_opened(monorepo: Monorepo) -> None:
    import os

    path = monorepo.job("sales.load")
    os.mkfifo(path.parent / "pipe.py")
    (path.parent / "folder.py").mkdir()
    (path.parent / "loop.py").symlink_to("loop.py")
    discovery = found(monorepo)
    assert [spec.ref for spec in discovery.jobs] == ["sales.load"]
    assert [problem.path for problem in discovery.problems] == ["sales/jobs/loop.py"]
