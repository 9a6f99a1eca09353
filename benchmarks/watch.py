"""From a changed job to its changed DAG file, while ``sync --watch`` runs."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.alternating import Contender
from benchmarks.measuring import BenchmarkError, Cost
from benchmarks.report import Report, Target, cost_table
from benchmarks.settings import CONTENDERS, DAGSYNC, ENVIRONMENT, Run, take_turns
from benchmarks.tree import JOBS_PER_PACKAGE, SEED, make_tree

NAME = "watch"
FLOOR = "watchfiles alone"
DEADLINE_SECONDS = 60.0
POLL_SECONDS = 0.002
QUIET_SECONDS = 0.3
LIMIT_SECONDS = 0.5


class Watcher:
    """A process that keeps ``out`` up to date with the jobs below ``root``."""

    def __init__(self, root: Path, out: Path, jobs: int, process: subprocess.Popen[bytes]) -> None:
        self._root, self._out, self._jobs, self._process = root, out, jobs, process
        self._dice = random.Random(SEED)
        self._changes = 0

    def wait_until_watching(self) -> None:
        """Change jobs until a change is noticed. Raises ``BenchmarkError`` after a minute."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(list(self._out.glob("*_dags.py"))) < self._jobs / JOBS_PER_PACKAGE:
            self._pause(deadline)
        while not self._is_written(*self._change(), time.monotonic() + 1):
            self._pause(deadline)

    def change_one(self) -> Cost:
        """Change the description of one job and wait until its DAG file has it and the process is quiet again."""
        cpu = self._quiet_cpu_seconds()
        began = time.perf_counter()
        file, text = self._change()
        if not self._is_written(file, text, time.monotonic() + DEADLINE_SECONDS):
            raise BenchmarkError(f"{file.name}: not written {DEADLINE_SECONDS:g} s after the job changed")
        wall = time.perf_counter() - began
        peak = next(line for line in self._proc("status").read_text().splitlines() if line.startswith("VmHWM"))
        return Cost(
            cpu_seconds=self._quiet_cpu_seconds() - cpu,
            wall_seconds=wall,
            peak_bytes=int(peak.split()[1]) * 1024,
            exit_code=0,
        )

    def _change(self) -> tuple[Path, str]:
        number = self._dice.randrange(self._jobs)
        package = f"team_{number // JOBS_PER_PACKAGE:04d}"
        path = self._root / package / "jobs" / f"load_{number % JOBS_PER_PACKAGE:02d}.py"
        self._changes += 1
        text = f"Load orders, change {self._changes}"
        source = path.read_text()
        draft = path.with_name("draft.txt")
        draft.write_text(f'{source[: source.rindex("JOB = ")]}JOB = (entrypoint, "{text}")\n')
        draft.replace(path)
        return self._out / f"{package}_dags.py", text

    def _is_written(self, file: Path, text: str, deadline: float) -> bool:
        # The quote ends the number: change 1 is not change 10.
        wanted = {f"{text}{quote}".encode() for quote in "'\""}
        while time.monotonic() < deadline:
            content = file.read_bytes()
            if any(each in content for each in wanted):
                return True
            time.sleep(POLL_SECONDS)
        return False

    def _pause(self, deadline: float) -> None:
        if self._process.poll() is not None or time.monotonic() > deadline:
            raise BenchmarkError(f"{self._process.args!r}: does not watch; its exit code is {self._process.returncode}")
        time.sleep(POLL_SECONDS)

    def _quiet_cpu_seconds(self) -> float:
        """Return the CPU time of all threads so far, once it has not grown by a millisecond for a moment."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        before = self._cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(QUIET_SECONDS)
            now = self._cpu_seconds()
            if now - before < 0.001 * QUIET_SECONDS / 0.1:
                return now
            before = now
        raise BenchmarkError(f"{self._out.name}: still busy after {DEADLINE_SECONDS:g} s")

    def _cpu_seconds(self) -> float:
        return sum(int(path.read_text().split()[0]) for path in self._proc("task").glob("*/schedstat")) / 1e9

    def _proc(self, name: str) -> Path:
        return Path(f"/proc/{self._process.pid}/{name}")


@contextmanager
def watching(command: Sequence[str | Path], root: Path, out: Path, jobs: int) -> Generator[Watcher]:
    """Start ``command``, yield its watcher once it notices changes, and end its process group."""
    process = subprocess.Popen(
        command, env={**os.environ, **ENVIRONMENT}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        watcher = Watcher(root, out, jobs, process)
        watcher.wait_until_watching()
        yield watcher
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def run(settings: Run) -> Report:
    """Measure changes of single jobs in a tree of 1,000, beside a bare loop over ``watchfiles``."""
    jobs = settings.jobs[0] if settings.jobs else 1_000
    ours, bare = settings.folder / "dagsync", settings.folder / "bare"
    for folder in (ours, bare):
        make_tree(folder / "packages", jobs, healthy=True)
    roots = [folder / "packages" for folder in (ours, bare)]
    outs = [folder / "dags" for folder in (ours, bare)]
    settings.report("waiting for both to watch")
    with ExitStack() as stack:
        sync = [DAGSYNC, "sync", "--watch", "--packages-root", roots[0], "--dags-dir", outs[0]]
        watcher = stack.enter_context(watching(sync, roots[0], outs[0], jobs))
        command = [sys.executable, CONTENDERS / "watch_and_write.py", roots[1], outs[1]]
        floor = stack.enter_context(watching(command, roots[1], outs[1], jobs))
        contenders = [
            Contender(name="dagsync", run=watcher.change_one),
            Contender(name=FLOOR, run=floor.change_one),
        ]
        samples = take_turns(settings, contenders, 31)
    latency = samples["dagsync"].wall.median
    return Report(
        name=NAME,
        tables=(cost_table(f"One changed job of {jobs:,}", samples, FLOOR),),
        targets=(Target(what="change to DAG file written", measured=latency, limit=LIMIT_SECONDS, unit="s"),),
        notes=("Wall is from the rename of the job file to the DAG file's new text; CPU is until the process is quiet again.",),
    )
