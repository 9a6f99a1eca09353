"""Generated files are the same bytes everywhere, and a job's strings stay data in them."""

import ast
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from dagsync.model import JobSpec
from dagsync.rendering import MARKER, render_file, render_files

TEXT = st.text() | st.sampled_from(["'", '"""', "\\", "', doc_md='injected", "\n    import os\n", "{x}", "%s", "\u2028", "\r"])


def calls(text: str, name: str) -> list[dict[str, ast.expr]]:
    """Return the keyword arguments of every call of ``name`` in generated code."""
    return [
        {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]


@given(description=TEXT, args=st.lists(TEXT, max_size=3))
def test_strings_of_a_job_are_data_in_the_generated_code(description: str, args: list[str]) -> None:
    text = render_file([JobSpec("sales", "load", description, args=tuple(args))], ())
    # What a reader of the file gets, encoding included.
    text = text.encode().decode()
    (dag,) = calls(text, "DAG")
    assert ast.literal_eval(dag["description"]) == description
    assert set(dag) == {"dag_id", "description", "schedule", "catchup", "max_active_runs", "tags", "params"}
    params = dag["params"]
    assert isinstance(params, ast.Dict)
    assert isinstance(params.values[0], ast.Call)
    assert ast.literal_eval(params.values[0].args[0]) == args
    assert len(ast.parse(text).body) == 5


def test_names_follow_from_package_and_module() -> None:
    spec = JobSpec("sales", "load")
    assert (spec.dag_id, spec.all_tags) == ("sales_load", ["sales", "etl", "auto-generated"])
    assert list(render_files([spec], "package")) == ["sales_dags.py"]
    assert list(render_files([spec], "job")) == ["sales_load_dag.py"]


def test_generated_file_reads_as_plain_airflow() -> None:
    specs = [
        JobSpec("sales", "load", "Load", after=("sales.extract", "crm.sync"), retries=3, args=("--full",)),
        JobSpec("sales", "extract", "It's here", schedule="@daily"),
    ]
    (name, content), *_ = render_files(specs, "package").items()
    expected = Path(__file__).with_name("golden") / f"{name}.txt"
    assert content.decode() == expected.read_text()


def test_only_airflow_sdk_is_imported_when_a_file_is_parsed() -> None:
    specs = [JobSpec("a", "b", retries=1, after=("a.c",)), JobSpec("a", "c")]
    for content in render_files(specs, "package").values():
        imported = [node for node in ast.parse(content).body if isinstance(node, ast.Import | ast.ImportFrom)]
        assert {node.module for node in imported if isinstance(node, ast.ImportFrom)} == {"airflow.sdk", "datetime"}
        assert all(isinstance(node, ast.ImportFrom) for node in imported)


def test_files_are_recognised_by_airflow_and_by_us() -> None:
    content = render_file([JobSpec("a", "b")], ())
    assert content.startswith(MARKER)
    # What Airflow's safe mode looks for before it parses a file.
    assert "airflow" in content
    assert "dag" in content


def test_bytes_do_not_depend_on_order_or_hash_seed() -> None:
    code = (
        "import sys\nfrom dagsync.model import JobSpec\nfrom dagsync.rendering import render_files\n"
        "specs = [JobSpec(p, j, after=('z.z', 'y.y')) for p in ('b', 'a') for j in ('y', 'x')]\n"
        "if sys.argv[1] == '1': specs.reverse()\n"
        "sys.stdout.buffer.write(b''.join(render_files({s: 0 for s in specs}, 'package').values()))"
    )
    outputs = {
        subprocess.run([sys.executable, "-c", code, seed], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1


def test_a_group_of_one_job_is_told_as_a_group() -> None:
    alone = JobSpec("sales", "load", "Loads", group="nightly", schedule="@daily", tags=("a",))
    (dag,) = calls(render_file([alone], ()), "DAG")
    described = {name: ast.literal_eval(dag[name]) for name in ("dag_id", "description", "schedule", "tags")}
    assert described == {
        "dag_id": "sales_nightly",
        "description": "nightly: load",
        "schedule": "@daily",
        "tags": ["sales", "etl", "auto-generated", "a"],
    }
