"""The cost of one command: CPU and wall time, peak memory."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launcher.py")
DEFAULT_TIMEOUT_SECONDS = 600.0


class BenchmarkError(Exception):
    """A contender that did not do its work, or a benchmark that cannot be run here; the text says which and why."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one run of a command took."""

    cpu_seconds: float
    """User and system time of the process and of the children it waited for."""

    wall_seconds: float
    peak_bytes: int
    """Largest resident set of any single one of these processes."""

    exit_code: int
    output: str = ""
    """What it wrote to stdout."""


def cost_of(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    exit_codes: Sequence[int] = (0,),
) -> Cost:
    """Run ``command`` and return its cost.

    ``environment`` is added to this process's own. Raises ``BenchmarkError`` if the command runs longer than
    ``timeout_seconds``, after ending its process group, or exits with a code not in ``exit_codes``.
    """
    reading, writing = os.pipe()
    words = [os.fspath(word) for word in command]
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", os.fspath(LAUNCHER), str(writing), *words],
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        pass_fds=(writing,),
        start_new_session=True,
    )
    os.close(writing)
    try:
        output, errors = process.communicate(timeout=timeout_seconds)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        os.close(reading)
        if isinstance(error, subprocess.TimeoutExpired):
            raise BenchmarkError(f"{' '.join(words)}: still running after {timeout_seconds:g} s") from None
        raise
    with os.fdopen(reading) as stream:
        told = stream.read()
    if not told:
        raise BenchmarkError(f"{' '.join(words)}: could not be started: {errors.strip()[-500:]}")
    cost = Cost(**json.loads(told), output=output)
    if cost.exit_code not in exit_codes:
        said = (errors or output).strip()[-1000:]
        raise BenchmarkError(f"{' '.join(words)}: expected exit code {exit_codes}, found {cost.exit_code}: {said}")
    return cost
