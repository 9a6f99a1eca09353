"""``python docs/reliability.py``: write the tables of ``docs/reliability.md``, or with ``--check`` say that they are stale.

A suite that breaks things on purpose gives what it saw to the fixture ``reliability`` (``tests/conftest.py``), which keeps it
as one ``Row`` in ``docs/reliability/<name>.json``. The tables are those files and nothing else.
"""

import argparse
import json
import os
import platform
import re
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).with_name("reliability.md")
ROWS = Path(__file__).with_name("reliability")
TABLE = re.compile(r"(<!-- begin ([a-z-]+) -->)\n.*?(<!-- end \2 -->)", re.DOTALL)


def _machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}"


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one suite tried, and what came of it."""

    table: str
    """Name of the table in the page."""

    fault: str
    """What was done to it."""

    tried: str
    """How often, with how many of them at work when it struck."""

    seen: str
    """What was looked at meanwhile and afterwards."""

    lost: int
    """Of what is to survive (DAGs, runs, versions): how many were missing, partial or changed."""

    doubled: int
    """How many were there, or happened, twice."""

    recovery_seconds: Sequence[float] = ()
    """From a fault's end until all was right again: ``median_and_longest`` of all, or nothing where nothing is to be mended."""

    command: str
    """What measures it again."""

    measured: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d}")
    machine: str = field(default_factory=_machine)

    def save(self, folder: Path, name: str) -> None:
        """Keep the row as ``<name>.json``."""
        (folder / f"{name}.json").write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Row":
        """Raises ``TypeError`` for a file that has other fields."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def cells(self) -> list[str]:
        took = "" if not self.recovery_seconds else ", at most ".join(map(_seconds, dict.fromkeys(self.recovery_seconds)))
        made = f"`{self.command}`, {self.measured}, {self.machine}"
        return [self.fault, self.tried, self.seen, str(self.lost), str(self.doubled), took, made]


def _seconds(value: float) -> str:
    """Return two digits that tell something: ``0.46 s``, ``1.8 s``, ``142 s``."""
    return f"{value:.0f} s" if value >= 10 else f"{value:.2g} s"


def median_and_longest(seconds: Sequence[float]) -> Sequence[float]:
    return [round(statistics.median(seconds), 3), round(max(seconds), 3)]


def table(name: str) -> Iterator[str]:
    """Yield the lines of one table. Raises ``KeyError`` if no row is kept for it."""
    rows = [row for row in map(Row.load, sorted(ROWS.glob("*.json"))) if row.table == name]
    if not rows:
        raise KeyError(f"{PAGE}: no file in {ROWS} has a row for table {name!r}")
    yield "| what was done | how often | what was looked at | lost | doubled | until all was right | measured by |"
    yield "|---|---|---|---|---|---|---|"
    yield from (f"| {' | '.join(cell.replace('|', '&#124;') for cell in row.cells())} |" for row in rows)


def fresh_page(text: str) -> str:
    """Return the page with its tables as they should be."""
    return TABLE.sub(lambda found: f"{found[1]}\n{chr(10).join(table(found[2]))}\n{found[3]}", text)


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the tables of docs/reliability.md from docs/reliability/*.json.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if the page is stale")
    check: bool = parser.parse_args().check
    text = PAGE.read_text(encoding="utf-8")
    named = {found[2] for found in TABLE.finditer(text)}
    unshown = [path.name for path in sorted(ROWS.glob("*.json")) if Row.load(path).table not in named]
    if unshown:
        sys.stderr.write(f"docs/reliability.md has no table for {', '.join(unshown)}; it has {', '.join(sorted(named))}\n")
        return 1
    fresh = fresh_page(text)
    if fresh == text:
        return 0
    if check:
        sys.stderr.write("stale: docs/reliability.md; run: make docs\n")
        return 1
    PAGE.write_text(fresh, encoding="utf-8")
    sys.stdout.write("written: docs/reliability.md\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
