"""From a tree of packages to jobs, problems and notes. Reads sources; imports and runs none of them."""

import gc
import os
import sys
import warnings
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from dagsync.blocks import Blocks
from dagsync.chains import cycles, shared_dag_ids, unknown_upstreams
from dagsync.defaults import Defaults, read_defaults, with_defaults
from dagsync.dividing import divided
from dagsync.groups import disagreements, waiting_groups
from dagsync.model import MAX_PACKAGE_LENGTH, JobSpec, name_problem
from dagsync.outcome import DEFAULT_SKIPPED_PACKAGES, Finding
from dagsync.reading import MAX_SOURCE_BYTES, Reading, read_job
from dagsync.walking import Listing, ModuleFile, list_modules

_READ_BYTES = 65536
_package_and_name = attrgetter("package", "name")
_SHADOWED = frozenset({"airflow", "dagsync"}) | sys.stdlib_module_names


@dataclass(frozen=True, slots=True)
class Discovery:
    """What the tree declares."""

    jobs: tuple[JobSpec, ...]
    """Jobs without a problem, by package and name."""

    problems: tuple[Finding, ...]
    notes: tuple[Finding, ...]

    broken_jobs: frozenset[str]
    """``package.job`` of modules that exist and have a problem: no ground to remove their DAGs."""

    broken_packages: frozenset[str]
    """Packages of which it cannot be told what jobs they have."""

    empty_modules: frozenset[str]
    """``package.job`` of modules without a single byte: an editor or a copy may be about to fill them."""


def discover(root: Path, skipped: Collection[str] = DEFAULT_SKIPPED_PACKAGES) -> Discovery:
    """Read every job below ``root``. Raises ``PackagesRootError``."""
    listing = list_modules(root, skipped)
    return assemble(listing, read_modules(root, listing.modules), read_defaults(root, listing.settings))


def read_modules(root: Path, modules: Iterable[ModuleFile]) -> dict[str, Reading]:
    """Return the reading of each module by its path."""

    def read(some: Sequence[ModuleFile]) -> dict[str, Reading]:
        blocks = Blocks()
        return {module.path: _read(root, module, blocks) for module in some}

    with collections_paused(), warnings.catch_warnings():
        # Invalid escapes in a job's source are its author's business, not this command's output.
        warnings.simplefilter("ignore")
        parts = divided(read, list(modules))
    return {path: reading for part in parts for path, reading in part.items()}


@contextmanager
def collections_paused() -> Generator[None]:
    """Pause the search for cycles of objects: none are made here, and among so many objects it takes a tenth of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _read(root: Path, module: ModuleFile, blocks: Blocks) -> Reading:
    if module.size > MAX_SOURCE_BYTES:
        return Reading(problems=(Finding(module.path, 0, f"is larger than {MAX_SOURCE_BYTES} bytes", "split the module"),))
    try:
        data = _content(f"{root}/{module.path}", module.size)
    except OSError as error:
        return Reading(problems=(Finding(module.path, 0, f"cannot be read: {error.strerror}", "make it readable"),))
    return read_job(data, module.package, module.module_path.rpartition("/")[2], module.path, blocks)


def _content(path: str, size: int) -> bytes:
    # Half of what ``open`` and ``read`` of a file object cost, which shows at ten thousand files.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.read(descriptor, size + 1)
        # As large as when it was listed, and one byte more was asked for: there is none.
        if len(data) == size:
            return data
        while more := os.read(descriptor, _READ_BYTES):
            data += more
    finally:
        os.close(descriptor)
    return data


def assemble(listing: Listing, readings: Mapping[str, Reading], defaults: Mapping[str, Defaults]) -> Discovery:
    """Put the readings of all modules together with what they inherit, and check what only shows across them."""
    problems = list(listing.problems)
    notes: list[Finding] = []
    broken_jobs: set[str] = set()
    broken_packages = set(listing.unreadable_packages)
    specs: list[JobSpec] = []
    package_problems: dict[str, Finding | None] = {}
    without_init = frozenset(listing.packages_without_init)

    for module in listing.modules:
        reading = readings[module.path]
        if reading.spec is None and not reading.problems:
            continue
        package = module.package
        if package not in package_problems:
            package_problems[package] = _package_problem(package, without_init)
        if package_problems[package] is not None:
            broken_packages.add(package)
            continue
        notes.extend(reading.notes)
        if "/" in module.module_path:
            if reading.spec is not None:
                problems.append(_nested(module, reading.spec))
        elif reading.spec is not None:
            specs.append(reading.spec)
        else:
            problems.extend(reading.problems)
            broken_jobs.add(f"{package}.{module.module_path}")

    problems.extend(problem for problem in package_problems.values() if problem is not None)
    known = {spec.ref for spec in specs} | broken_jobs
    known |= {ref for spec in specs for ref in spec.after if ref.partition(".")[0] in broken_packages}
    problems.extend(problem for each in defaults.values() for problem in each.problems)
    specs, unclear = with_defaults(specs, defaults)
    related = disagreements(specs) | waiting_groups(specs) | cycles(specs) | unknown_upstreams(specs, known)
    related |= shared_dag_ids(specs) | unclear
    problems.extend(related.values())
    good = [spec for spec in specs if spec.ref not in related] if related else specs
    return Discovery(
        jobs=tuple(sorted(good, key=_package_and_name)),
        problems=tuple(sorted(problems, key=lambda finding: (finding.path, finding.line))),
        notes=tuple(sorted(notes, key=lambda finding: (finding.path, finding.line))),
        broken_jobs=frozenset(broken_jobs | related.keys()),
        broken_packages=frozenset(broken_packages),
        empty_modules=frozenset(f"{each.package}.{each.module_path}" for each in listing.modules if not each.size),
    )


def _package_problem(package: str, without_init: Collection[str]) -> Finding | None:
    if problem := name_problem("package", package):
        return Finding(package, 0, f"{problem}; its jobs are left out", "rename the folder")
    if len(package) > MAX_PACKAGE_LENGTH:
        message = f"package name is longer than {MAX_PACKAGE_LENGTH} characters, which Airflow's tags may have"
        return Finding(package, 0, message, "rename the folder")
    if package in _SHADOWED:
        return Finding(package, 0, f"{package!r} is also a module of Python or Airflow", "rename the folder")
    if package in without_init:
        return Finding(package, 0, "has jobs and no __init__.py; they are left out", f"create an empty {package}/__init__.py")
    return None


def _nested(module: ModuleFile, spec: JobSpec) -> Finding:
    fix = f"move it to {module.package}/jobs/"
    return Finding(module.path, spec.line, "declares a JOB in a folder below jobs, where jobs are not looked for", fix)
