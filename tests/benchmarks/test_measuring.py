"""Costs are of the command and its children alone, and contenders take turns."""

import sys
import time

import pytest

from benchmarks.alternating import Contender, Sample, alternate
from benchmarks.measuring import BenchmarkError, Cost, cost_of

BURN = "import time; end = time.process_time() + 0.2\nwhile time.process_time() < end: pass"


def cost(cpu: float) -> Cost:
    return Cost(cpu_seconds=cpu, wall_seconds=cpu, peak_bytes=1, exit_code=0)


def test_cpu_of_children_counts_and_sleep_does_not() -> None:
    burning = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN!r}]); import time; time.sleep(0.3)"
    measured = cost_of([sys.executable, "-c", burning])
    assert 0.2 <= measured.cpu_seconds < measured.wall_seconds


def test_memory_of_whoever_measures_is_not_counted() -> None:
    ballast = bytearray(300 * 2**20)
    ballast[:: 2**12] = b"\1" * len(ballast[:: 2**12])
    assert cost_of([sys.executable, "-c", "pass"]).peak_bytes < 60 * 2**20
    assert cost_of([sys.executable, "-c", "x = b'x' * (100 << 20)"]).peak_bytes > 100 * 2**20


def test_a_contender_that_fails_is_no_figure() -> None:
    with pytest.raises(BenchmarkError, match=r"expected exit code \(0,\), found 3: out of luck"):
        cost_of([sys.executable, "-c", "import sys; print('out of luck', file=sys.stderr); sys.exit(3)"])
    with pytest.raises(BenchmarkError, match="could not be started"):
        cost_of(["there-is-no-such-command"])


def test_a_contender_that_hangs_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(BenchmarkError, match=r"still running after 0\.5 s"):
        cost_of([sys.executable, "-c", "import time; time.sleep(60)"], timeout_seconds=0.5)
    assert time.monotonic() - began < 30


def test_contenders_take_turns_and_none_always_follows_the_same() -> None:
    ran: list[str] = []

    def contender(name: str) -> Contender:
        return Contender(name=name, prepare=lambda: ran.append(f"+{name}"), run=lambda: (ran.append(name), cost(1))[1])

    samples = alternate([contender(name) for name in "abc"], rounds=5, warm_ups=1)
    order = "".join(name for name in ran if not name.startswith("+"))
    rounds = [order[at : at + 3] for at in range(0, len(order), 3)]
    assert all(sorted(each) == ["a", "b", "c"] for each in rounds)
    assert {each[0] for each in rounds} == {"a", "b", "c"}
    assert {"ab", "ba", "bc", "cb", "ac", "ca"} == {each[at : at + 2] for each in rounds for at in (0, 1)}
    assert [ran[at] for at in range(0, len(ran), 2)] == [f"+{name}" for name in order], "each is prepared right before"
    assert all(len(sample.costs) == 5 for sample in samples.values()), "the warm-up does not count"


def test_figures_are_medians_with_their_spread() -> None:
    spread = Sample(costs=[cost(each) for each in (9.0, 1.0, 2.0)]).cpu
    assert (spread.median, spread.least, spread.most) == (2.0, 1.0, 9.0)
