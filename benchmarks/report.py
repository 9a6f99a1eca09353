"""What a benchmark found: tables of figures, and how they compare with what was promised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.alternating import Sample, Spread

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Table:
    """Figures of one comparison, as text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Target:
    """A promise and what was measured. A missed one is said, never enforced: the machine may be busy."""

    what: str
    measured: float
    limit: float
    at_least: bool = False
    """Whether ``limit`` is the least, not the most, that keeps the promise."""

    unit: str = "x"

    @property
    def is_met(self) -> bool:
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    @property
    def row(self) -> tuple[str, ...]:
        bound = f"{'at least' if self.at_least else 'at most'} {self.limit:.3g} {self.unit}"
        off = abs(self.measured / self.limit - 1)
        return self.what, f"{self.measured:.3g} {self.unit}", bound, "met" if self.is_met else f"missed by {off:.0%}"


@dataclass(frozen=True, kw_only=True)
class Report:
    """All of one benchmark."""

    name: str
    tables: tuple[Table, ...]
    targets: tuple[Target, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def all_tables(self) -> tuple[Table, ...]:
        if not self.targets:
            return self.tables
        columns = ("promise", "measured", "target", "")
        return (*self.tables, Table(title="Targets", columns=columns, rows=tuple(target.row for target in self.targets)))


def milliseconds(spread: Spread) -> str:
    """Return ``median (least to most)`` in milliseconds."""
    return f"{_figure(spread.median)} ({_figure(spread.least)} to {_figure(spread.most)})"


def _figure(seconds: float) -> str:
    value = seconds * 1000
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def cost_table(title: str, samples: Mapping[str, Sample], reference: str) -> Table:
    """Return CPU, wall and peak memory of each contender, and the ratio of its median CPU to that of ``reference``."""
    base = samples[reference].cpu.median
    rows = tuple(
        (
            name,
            milliseconds(sample.cpu),
            milliseconds(sample.wall),
            f"{sample.peak_bytes / MIB:.0f}",
            f"{sample.cpu.median / base:.2f}",
        )
        for name, sample in samples.items()
    )
    return Table(title=title, columns=("", "CPU ms", "wall ms", "peak MiB", f"CPU / {reference}"), rows=rows)


def ratio(samples: Mapping[str, Sample], over: str, under: str) -> float:
    """Return the median CPU of ``over`` divided by that of ``under``."""
    return samples[over].cpu.median / samples[under].cpu.median


def wall_ratio(samples: Mapping[str, Sample], over: str, under: str) -> float:
    """Return the median time until ``over`` is done divided by that of ``under``."""
    return samples[over].wall.median / samples[under].wall.median


def markdown(table: Table) -> str:
    """Return the table as GitHub shows it."""
    rows: Sequence[Sequence[str]] = (table.columns, ["---"] * len(table.columns), *table.rows)
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return f"**{table.title}**\n\n" + "\n".join(lines)
