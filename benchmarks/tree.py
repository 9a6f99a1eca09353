"""Makes monorepos of jobs: the same seed makes the same bytes."""

import random
import shutil
from dataclasses import dataclass
from pathlib import Path

JOBS_PER_PACKAGE = 20
MISSING_SHARE = 0.05
BROKEN_SHARE = 0.01
SEED = 20

# Standard library only: the best case there is for whoever imports jobs to find them.
_LIBRARIES = ("csv", "decimal", "gzip", "hashlib", "itertools", "json", "re", "sqlite3", "statistics", "tempfile", "textwrap")
_ABSENT = ("absent_dataframes", "absent_warehouse", "absent_cluster")

_JOB = '''"""{title} into the warehouse.

Rows come from the {feed} feed, are cleaned and appended to {table}; a second run of a day replaces what the first wrote.
"""

import argparse
import datetime
import logging
{imports}

log = logging.getLogger(__name__)

FEED = "{feed}"
TABLE = "{table}"
FIELDS = ("id", "placed_at", "amount", "currency")
BATCH_ROWS = {batch}


def clean(row: dict[str, object]) -> dict[str, str]:
    """Return the known fields of a row{own} as stripped text."""
    return {{name: str(row.get(name, "")).strip() for name in FIELDS}}


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="{module}{own}", description=__doc__)
    parser.add_argument("--date", type=datetime.date.fromisoformat, help="day to load, YYYY-MM-DD")
    parser.add_argument("--batch-rows", type=int, default=BATCH_ROWS)
    parser.add_argument("--dry-run", action="store_true")
    return parser.parse_args(argv)


def entrypoint(argv: list[str]) -> int:
    options = parse(argv)
    rows = [clean({{"id": number, "amount": number * {price}}}) for number in range(options.batch_rows)]
    log.info("%s: %d rows{own} into %s", options.date, 0 if options.dry_run else len(rows), TABLE)
    return 0{tail}


JOB = (entrypoint, "{title}")
'''


@dataclass(frozen=True, kw_only=True)
class Tree:
    """What was made."""

    root: Path
    """The packages root."""

    jobs: int
    missing: int
    """Jobs that import a library nobody has."""

    broken: int
    """Jobs that do not compile."""


def make_tree(root: Path, jobs: int, *, healthy: bool = False, alike: bool = True, seed: int = SEED) -> Tree:
    """Write ``jobs`` jobs below ``root``, replacing what is there, twenty to a package.

    5 % of them import what is not installed and 1 % have a syntax error, unless ``healthy``. They have functions in common, as
    jobs made after one pattern do, if ``alike``.
    """
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    dice = random.Random(seed)
    missing, broken = (0, 0) if healthy else (round(jobs * MISSING_SHARE), round(jobs * BROKEN_SHARE))
    picked = dice.sample(range(jobs), missing + broken)
    without, wrong = set(picked[:missing]), set(picked[missing:])
    for number in range(jobs):
        package, module = f"team_{number // JOBS_PER_PACKAGE:04d}", f"load_{number % JOBS_PER_PACKAGE:02d}"
        folder = root / package / "jobs"
        if number % JOBS_PER_PACKAGE == 0:
            folder.mkdir(parents=True)
            (root / package / "__init__.py").touch()
            (folder / "__init__.py").touch()
        imports = [f"import {name}" for name in sorted(dice.sample(_LIBRARIES, 3))]
        if number in without:
            imports += ["", f"import {dice.choice(_ABSENT)}"]
        source = _JOB.format(
            title=f"Load orders of shop {number}",
            feed=f"orders_{number}",
            table=f"raw.orders_{number}",
            imports="\n".join(imports),
            batch=dice.randrange(100, 5000),
            price=dice.randrange(2, 99),
            module=module,
            own="" if alike else f" of shop {number}",
            tail="\n    return ((1]" if number in wrong else "",
        )
        (folder / f"{module}.py").write_text(source)
    return Tree(root=root, jobs=jobs, missing=missing, broken=broken)


def forget_bytecode(root: Path) -> None:
    """Remove the bytecode that importing the jobs left below ``root``."""
    for folder in root.glob("*/**/__pycache__"):
        shutil.rmtree(folder)
