"""Every benchmark runs on a tiny tree, and its figures are of the work it says it measures."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks import dag_processor, watch
from benchmarks.airflow_side import DagFiles
from benchmarks.alternating import Contender, Sample
from benchmarks.cli import BENCHMARKS, Name, app
from benchmarks.measuring import BenchmarkError, Cost
from benchmarks.report import Report
from benchmarks.settings import Run

CONTENDERS = {
    Name.START_UP: ("python -c pass", "dagsync --help", "dagsync sync of an empty tree"),
    Name.DISCOVER_SYNC: ("dagsync", "dagsync, one processor", "importing scanner", "parse and write", "walk and stat"),
    Name.WATCH: ("dagsync", "watchfiles alone"),
    Name.TASK_START: ("dagsync, file per package", "by hand, file per DAG"),
    Name.PARSE: ("dagsync, file per package", "by hand, file per package", "by hand, file per DAG"),
    Name.DAG_PROCESSOR: ("empty folder", "dagsync, file per package", "by hand, file per DAG"),
    Name.RENDER: ("python -m rendering prod", "trivial resources"),
    Name.PREVIEW: ("pulumi preview --stack prod", "trivial resources", "trivial resources, same SDKs imported"),
}
SLOW = (Name.PARSE, Name.DAG_PROCESSOR, Name.RENDER, Name.PREVIEW)
"""These start Airflow or Pulumi many times, which only the gate waits for."""

TRIED = [name for name in CONTENDERS if name not in SLOW or os.environ.get("REQUIRE_TOOLS") == "1"]


def run(name: Name, folder: Path, rounds: int = 1) -> Report:
    return BENCHMARKS[name](Run(folder=folder, rounds=rounds, warm_ups=0, jobs=(20,)))


@pytest.mark.parametrize("name", TRIED)
def test_each_benchmark_gives_a_figure_for_each_contender(name: Name, tmp_path: Path) -> None:
    report = run(name, tmp_path)
    rows = {row[0]: row for table in report.tables for row in table.rows}
    assert set(CONTENDERS[name]) <= set(rows)
    for row in rows.values():
        figures = [float(figure.replace(",", "")) for cell in row[1:] for figure in re.findall(r"[\d.,]+", cell)]
        assert all(0 <= figure < 120_000 for figure in figures), row
        assert max(figures) > 0, row
    assert all(target.measured > 0 for target in report.targets)
    assert all(len(row) == len(table.columns) for table in report.all_tables for row in table.rows)


def test_a_contender_that_skips_work_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scanner that finds nothing would be the fastest of all."""
    nothing = Cost(cpu_seconds=0.01, wall_seconds=0.01, peak_bytes=1, exit_code=0)

    def script(*_: object) -> Cost:
        return nothing

    monkeypatch.setattr("benchmarks.discover_sync.script", script)
    with pytest.raises(BenchmarkError, match="importing scanner: expected 19 DAG files, found 0"):
        run(Name.DISCOVER_SYNC, tmp_path)


def test_a_watcher_that_ends_is_no_figure_and_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "DAGSYNC", "false")
    with pytest.raises(BenchmarkError, match="does not watch; its exit code is 1"):
        run(Name.WATCH, tmp_path)


def test_the_command_prints_tables_and_conditions_and_never_fails_on_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.start_up.ALLOWANCE_SECONDS", -1.0)
    result = CliRunner().invoke(app, ["start-up", "--rounds", "1", "--warm-ups", "0"])
    assert result.exit_code == 0, result.output
    for words in ("python -c pass", "dagsync heartbeat --help", "load average", "commit", "missed by"):
        assert words in result.output


@pytest.mark.parametrize("file_per_dag", [True, False])
def test_dag_processor_passes_over_a_file_per_dag_unless_told_not_to(
    file_per_dag: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file per DAG is most of that benchmark's time; the rest can then have more rounds."""
    names = ("dagsync, file per package", "by hand, file per package", "by hand, file per DAG")
    files = [DagFiles(name=name, folder=tmp_path) for name in names]

    def costs(_: Run, contenders: Sequence[Contender], __: int) -> dict[str, Sample]:
        seconds = {each.name: 1.0 if each.name == dag_processor.EMPTY else 2.0 for each in contenders}
        cost = {name: Cost(cpu_seconds=each, wall_seconds=1, peak_bytes=1, exit_code=0) for name, each in seconds.items()}
        return {name: Sample(costs=[each]) for name, each in cost.items()}

    def made(_: Run) -> tuple[list[DagFiles], int, tuple[str, ...]]:
        return files, 20, ()

    def migrated(*_: object) -> Path:
        return tmp_path

    monkeypatch.setattr(dag_processor, "dag_files", made)
    monkeypatch.setattr(dag_processor, "_migrated", migrated)
    monkeypatch.setattr(dag_processor, "take_turns", costs)
    report = dag_processor.run(Run(folder=tmp_path, file_per_dag=file_per_dag))
    rows = {row[0] for table in report.all_tables for row in table.rows}
    assert ("by hand, file per DAG" in rows) is file_per_dag
    assert {"empty folder", *names[:2]} <= rows
    assert any("file per DAG" in target.what for target in report.targets) is file_per_dag
