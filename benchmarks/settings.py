"""What every benchmark is told."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.alternating import Contender, Sample, alternate
from benchmarks.measuring import Cost, cost_of

DAGSYNC = Path(sys.executable).with_name("dagsync")
CONTENDERS = Path(__file__).parent / "contenders"
# Bytecode of what is installed is warm for everybody, whatever the shell says.
ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONUNBUFFERED": "", "PYTHONHASHSEED": "0"}


@dataclass(frozen=True, kw_only=True)
class Run:
    """How much to measure, and where."""

    folder: Path
    """Where trees and DAG files are made; empty at first."""

    rounds: int | None = None
    """Rounds that count, instead of the benchmark's own number."""

    warm_ups: int = 1
    jobs: tuple[int, ...] = ()
    """Sizes of trees, instead of the benchmark's own."""

    dag_factory: str | None = None
    """Version of dag-factory to measure as well; ``None`` leaves it out."""

    file_per_dag: bool = True
    """Whether the dag-processor also passes over a file per DAG, which is two thirds of that benchmark's time."""

    report: Callable[[str], None] = lambda _: None
    """Told what is being run."""


def sync(root: Path, out: Path, *, one_processor: bool = False) -> Cost:
    """Run ``dagsync sync`` as a user does, or as in a container with one processor; problems of jobs are part of the work."""
    command = [DAGSYNC, "sync", "--packages-root", root, "--dags-dir", out]
    if one_processor:
        # Not the first, which serves the devices as well.
        command = ["taskset", "--cpu-list", str(max(os.sched_getaffinity(0))), *command]
    return cost_of(command, environment=ENVIRONMENT, exit_codes=(0, 1))


def script(
    name: str, *arguments: str | Path, python: str | Path = sys.executable, environment: Mapping[str, str] | None = None
) -> Cost:
    """Run a script of ``benchmarks/contenders``."""
    return cost_of([python, CONTENDERS / name, *arguments], environment={**ENVIRONMENT, **(environment or {})})


def python_pass() -> Cost:
    """Run ``python -c pass``, what any command in Python starts from."""
    return cost_of([sys.executable, "-c", "pass"], environment=ENVIRONMENT)


def take_turns(run: Run, contenders: Sequence[Contender], rounds: int) -> dict[str, Sample]:
    """Let ``contenders`` alternate for ``rounds`` rounds, or as many as the run was told."""
    return alternate(contenders, rounds=run.rounds or rounds, warm_ups=run.warm_ups, report=run.report)
