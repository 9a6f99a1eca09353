"""Lets contenders take turns, so that a busy moment of the machine falls on all of them alike."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.measuring import Cost


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One way to do the work of a benchmark."""

    name: str
    run: Callable[[], Cost]
    """Does the work once."""

    prepare: Callable[[], None] = lambda: None
    """Brings about what ``run`` starts from; its cost does not count."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The costs of one contender, one per round."""

    costs: list[Cost] = field(default_factory=list[Cost])

    @property
    def cpu(self) -> "Spread":
        return Spread.of([cost.cpu_seconds for cost in self.costs])

    @property
    def wall(self) -> "Spread":
        return Spread.of([cost.wall_seconds for cost in self.costs])

    @property
    def peak_bytes(self) -> int:
        return max(cost.peak_bytes for cost in self.costs)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Median, least and largest of some figures."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        return cls(median=statistics.median(figures), least=min(figures), most=max(figures))


def alternate(
    contenders: Sequence[Contender], *, rounds: int, warm_ups: int, report: Callable[[str], None] = lambda _: None
) -> dict[str, Sample]:
    """Run every contender once per round and return what each cost by name, without the ``warm_ups`` rounds before.

    Each round starts with another contender and every second one goes backwards, so that none always follows the same one.
    """
    samples = {contender.name: Sample() for contender in contenders}
    for turn in range(warm_ups + rounds):
        first = turn % len(contenders)
        order = [*contenders[first:], *contenders[:first]]
        if turn % 2:
            order.reverse()
        for contender in order:
            label = "warm-up" if turn < warm_ups else f"round {turn - warm_ups + 1} of {rounds}"
            report(f"{label}: {contender.name}")
            contender.prepare()
            cost = contender.run()
            if turn >= warm_ups:
                samples[contender.name].costs.append(cost)
    return samples
