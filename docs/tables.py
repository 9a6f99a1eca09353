"""Writes tables in README.md and docs/*.md that are made of code; with ``--check``, only says which are stale.

A table begins with its header, which tells it from others of its page, and ends where a line is empty.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from costs.comparison import comparison_rows, component_rows, source_rows
from policy.rules import RULES

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Table:
    page: str
    """Path in the repository."""

    header: Sequence[str]
    rows: Callable[[], Iterator[Sequence[str]]]


def policy_rows() -> Iterator[Sequence[str]]:
    for rule in RULES:
        yield f"`{rule.name}`", rule.description.rstrip("."), "advisory" if rule.advisory else "mandatory"


COMPARISON = ("USD a month", "without network", "network", "all", "tasks")

TABLES = (
    Table(page="docs/policy.md", header=("rule", "what holds", "level"), rows=policy_rows),
    Table(page="README.md", header=COMPARISON, rows=comparison_rows),
    Table(page="docs/cost.md", header=("component", "`dev`", "`prod`"), rows=component_rows),
    Table(page="docs/cost.md", header=("price of", "taken from", "looked up", "to be checked at"), rows=source_rows),
)


def fresh(table: Table, text: str) -> str:
    """Return the page with the table as it should be. Raises ValueError if it has none with that header."""
    head = f"| {' | '.join(table.header)} |\n"
    before, found, rest = text.partition(head)
    if not found:
        raise ValueError(f"{table.page}: no table begins with {head.strip()}")
    _, ended, after = rest.partition("\n\n")
    lines = [f"|{'---|' * len(table.header)}", *(f"| {' | '.join(row)} |" for row in table.rows())]
    return before + head + "\n".join(lines) + "\n" + (f"\n{after}" if ended else "")


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the tables in docs/ that are made of code.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a table is stale")
    check: bool = parser.parse_args().check
    stale: list[str] = []
    for table in TABLES:
        page = ROOT / table.page
        text = page.read_text(encoding="utf-8")
        if (new := fresh(table, text)) != text:
            stale.append(table.page)
            if not check:
                page.write_text(new, encoding="utf-8")
    if stale:
        sys.stdout.write(f"{'stale' if check else 'written'}: {', '.join(stale)}{'; run: make docs' if check else ''}\n")
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main())
