"""``environments``: what packages bring for themselves, made before a job needs it."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from dagsync.console import remark, tell
from dagsync.environments import UNUSED_DAYS, build, folders, name_of, prune, ready
from dagsync.errors import EXIT_PROBLEMS, VirtualenvError
from dagsync.outcome import Finding
from dagsync.requirements import Lock, lock_of
from dagsync.walking import list_modules


def run(parsed: argparse.Namespace, environment: Mapping[str, str], skipped: Sequence[str]) -> int:
    """Do ``parsed.action`` and return the exit code. Raises ``PackagesRootError``."""
    if parsed.action == "prune":
        days = UNUSED_DAYS if parsed.unused_days is None else parsed.unused_days
        tell(f"removed {folder / name}" for folder in folders(environment) if folder.is_dir() for name in prune(folder, days))
        return 0
    locks, problems = read_locks(parsed.packages_root, skipped)
    if parsed.action == "build":
        for lock in locks:
            try:
                built = build(lock, environment, lambda _level, _name, text: remark([text]))
            except VirtualenvError as error:
                problems.append(Finding(str(lock.path), 0, str(error).removeprefix(f"{lock.path}: "), error.fix))
            else:
                tell([f"{lock.package}: {built}"])
    elif parsed.json:
        tell([json.dumps([document(lock, environment) for lock in locks], indent=2)])
    else:
        tell(f"{lock.package}\t{ready(lock, environment) or 'not made'}\t{lock.path}" for lock in locks)
    for problem in problems:
        remark([f"problem: {problem.location}: {problem.message}", f"  fix: {problem.fix}"])
    return EXIT_PROBLEMS if problems else 0


def read_locks(root: Path, skipped: Sequence[str]) -> tuple[list[Lock], list[Finding]]:
    """Return the lock of each package that brings one, and what is wrong with any. Raises ``PackagesRootError``."""
    locks: list[Lock] = []
    problems: list[Finding] = []
    for package in sorted({module.package for module in list_modules(root, skipped).modules}):
        try:
            lock = lock_of(root, package)
        except VirtualenvError as error:
            location, _, message = str(error).partition(": ")
            problems.append(Finding(location, 0, message, error.fix))
        else:
            locks += [lock] if lock else []
    return locks, problems


def document(lock: Lock, environment: Mapping[str, str]) -> dict[str, object]:
    """Return what there is to say about one environment, as JSON has it."""
    found = ready(lock, environment)
    return {
        "package": lock.package,
        "lock": str(lock.path),
        "name": name_of(lock),
        "path": None if found is None else str(found),
        "pinned": lock.pinned,
    }
