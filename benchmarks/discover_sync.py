"""Finding the jobs of a tree and writing their DAG files: from nothing, and again with nothing changed."""

import marshal
import shutil
from collections.abc import Mapping
from pathlib import Path

from benchmarks.alternating import Contender, Sample
from benchmarks.measuring import BenchmarkError
from benchmarks.report import MIB, Report, Table, Target, cost_table, ratio, wall_ratio
from benchmarks.settings import Run, script, sync, take_turns
from benchmarks.tree import Tree, forget_bytecode, make_tree

NAME = "discover-sync"
DAGSYNC, SCANNER, PARSE_FLOOR, STAT_FLOOR = "dagsync", "importing scanner", "parse and write", "walk and stat"
ONE_PROCESSOR = "dagsync, one processor"
PEAK_LIMIT_MIB = 150


def run(settings: Run) -> Report:
    """Measure trees of 100, 1,000 and 10,000 jobs."""
    tables: list[Table] = []
    targets: list[Target] = []
    sizes = settings.jobs or (100, 1_000, 10_000)
    for number in sizes:
        folder = settings.folder / str(number)
        tree = make_tree(folder / "packages", number)
        lost = tree.missing + tree.broken
        rounds = _rounds(number)
        cold = take_turns(settings, _cold(tree, folder), rounds)
        unchanged = take_turns(settings, _unchanged(tree, folder), rounds)
        tables += [
            cost_table(f"{number:,} jobs, cold (no DAG files, no bytecode of jobs)", cold, PARSE_FLOOR),
            cost_table(f"{number:,} jobs, nothing changed", unchanged, STAT_FLOOR),
        ]
        # The promises are about large trees: in a small one, the start of Python is most of everything.
        targets = _targets(number, cold, unchanged)
        found = len(list((folder / "scanner").glob("*_dag.py")))
        if found != number - lost:
            raise BenchmarkError(f"importing scanner: expected {number - lost} DAG files, found {found}")
    tables.append(_unlike(settings, settings.folder / "unlike", sizes[-1]))
    notes = (
        "5 % of the jobs import what is not installed and 1 % have a syntax error. The importing scanner loses both; dagsync "
        "loses the latter and says so. All jobs import the standard library only, the best case for a scanner that imports.",
        f"*{PARSE_FLOOR}* reads and `ast.parse`s every job file and writes dagsync's bytes, plainly; *{STAT_FLOOR}* is one "
        "`stat` per job file. Neither does any of the work in between; each includes the start of Python.",
        "Functions that several jobs have at the same lines are parsed once by dagsync, and by the floor as often as they are "
        "there: six tenths of the bytes of these trees, whose jobs are made after one pattern. The last table is of a tree "
        "without any; it has no target.",
        f"*{DAGSYNC}* reads two thousand jobs and more in a process per processor; *{ONE_PROCESSOR}* is what a container has "
        "that is limited to one, as in `dev` and `prod`, and what compares by CPU with contenders of one process. Peak memory "
        "is that of the largest process.",
    )
    return Report(name=NAME, tables=tuple(tables), targets=tuple(targets), notes=notes)


def _cold(tree: Tree, folder: Path) -> list[Contender]:
    blob = folder / "floor.marshal"
    first = folder / "first"
    sync(tree.root, first)
    blob.write_bytes(marshal.dumps({path.name: path.read_bytes() for path in first.glob("*.py")}))

    def nothing_in(out: Path) -> None:
        forget_bytecode(tree.root)
        shutil.rmtree(out, ignore_errors=True)

    ours, scanner, floor = folder / "dagsync", folder / "scanner", folder / "floor"
    return [
        Contender(name=DAGSYNC, run=lambda: sync(tree.root, ours), prepare=lambda: nothing_in(ours)),
        Contender(name=ONE_PROCESSOR, run=lambda: sync(tree.root, ours, one_processor=True), prepare=lambda: nothing_in(ours)),
        Contender(
            name=SCANNER,
            run=lambda: script("importing_scanner.py", tree.root, scanner),
            prepare=lambda: nothing_in(scanner),
        ),
        Contender(
            name=PARSE_FLOOR,
            run=lambda: script("floor.py", "parse", tree.root, blob, floor),
            prepare=lambda: nothing_in(floor),
        ),
    ]


def _rounds(number: int) -> int:
    return 7 if number > 1_000 else 9


def _unlike(settings: Run, folder: Path, number: int) -> Table:
    """Return what a tree costs of which no two jobs have a function in common."""
    taking_part = {ONE_PROCESSOR, PARSE_FLOOR}
    contenders = _cold(make_tree(folder / "packages", number, alike=False), folder)
    taken = take_turns(settings, [each for each in contenders if each.name in taking_part], _rounds(number))
    return cost_table(f"{number:,} jobs of which no two have a function in common, cold", taken, PARSE_FLOOR)


def _unchanged(tree: Tree, folder: Path) -> list[Contender]:
    # What the cold rounds left is not trusted: each has synced once before, and bytecode of jobs is warm.
    sync(tree.root, folder / "dagsync")
    script("importing_scanner.py", tree.root, folder / "scanner")
    return [
        Contender(name=DAGSYNC, run=lambda: sync(tree.root, folder / "dagsync")),
        Contender(name=SCANNER, run=lambda: script("importing_scanner.py", tree.root, folder / "scanner")),
        Contender(name=STAT_FLOOR, run=lambda: script("floor.py", "stat", tree.root)),
    ]


def _targets(jobs: int, cold: Mapping[str, Sample], unchanged: Mapping[str, Sample]) -> list[Target]:
    size = f"{jobs:,} jobs"
    peak = max(cold[DAGSYNC].peak_bytes, cold[ONE_PROCESSOR].peak_bytes, unchanged[DAGSYNC].peak_bytes) / MIB
    return [
        Target(
            what=f"{size}, cold: {ONE_PROCESSOR} / {PARSE_FLOOR}", measured=ratio(cold, ONE_PROCESSOR, PARSE_FLOOR), limit=1.5
        ),
        Target(
            what=f"{size}, cold, wall: {SCANNER} / dagsync", measured=wall_ratio(cold, SCANNER, DAGSYNC), limit=3, at_least=True
        ),
        Target(what=f"{size}, unchanged: dagsync / {STAT_FLOOR}", measured=ratio(unchanged, DAGSYNC, STAT_FLOOR), limit=2),
        Target(
            what=f"{size}, unchanged: {SCANNER} / dagsync", measured=ratio(unchanged, SCANNER, DAGSYNC), limit=20, at_least=True
        ),
        Target(what=f"{size}: peak memory of dagsync", measured=peak, limit=PEAK_LIMIT_MIB, unit="MiB"),
    ]
