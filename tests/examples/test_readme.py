"""The jobs are those the README lists, and dagsync finds each of them without a remark."""

import ast
import json
import re
import subprocess
import sys

from tests.examples.conftest import IN_ORDER, PACKAGES

MODULES = {
    f"{path.parts[-3]}.{path.stem}": ast.parse(path.read_text())
    for path in sorted(PACKAGES.glob("*/jobs/*.py"))
    if path.name != "__init__.py"
}


def declares_job(module: ast.Module) -> bool:
    return any(isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "JOB" for node in module.body)


def options(module: ast.Module) -> list[str]:
    return [
        next((f"{ast.literal_eval(keyword.value)} ..." for keyword in node.keywords if keyword.arg == "metavar"), name)
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "parser.add_argument"
        and isinstance(name := ast.literal_eval(node.args[0]), str)
    ]


def test_table_lists_every_job_with_its_options() -> None:
    lines = (PACKAGES.parent / "README.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if re.match(r"\| `\w+\.\w+`", line)]
    assert {row[0].strip("`"): re.findall(r"`([^`]+)`", row[-1]) for row in cells} == {
        job: options(module) for job, module in MODULES.items()
    }


def test_every_module_below_jobs_is_a_job_and_etl_core_has_none() -> None:
    assert [job for job, module in MODULES.items() if not declares_job(module)] == []
    assert not (PACKAGES / "etl_core" / "jobs").exists()
    assert len(MODULES) >= 12
    assert len({job.partition(".")[0] for job in MODULES}) >= 4


def test_every_job_but_the_one_that_cannot_run_is_run_by_these_tests() -> None:
    assert {command.split()[0] for command in IN_ORDER} | {"customers.predict_churn"} == set(MODULES)


def test_dagsync_finds_every_job_with_its_description_and_no_remark() -> None:
    command = [sys.executable, "-m", "dagsync", "discover", "--json", "--packages-root", str(PACKAGES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    after = {f"{job['package']}.{job['job']}": job["after"] for job in found["jobs"]}
    assert set(after) == set(MODULES)
    assert {upstream for names in after.values() for upstream in names} <= set(MODULES)
    assert [job for job in found["jobs"] if job["notes"] or not job["description"]] + found["problems"] == []
