"""``run``: one job, here, as its task would run it."""

import argparse
import difflib
import sys
from collections.abc import Mapping
from pathlib import Path

from dagsync.errors import DagsyncError, JobFailedError, UnknownJobError
from dagsync.isolation import run_in_environment
from dagsync.reading import Reading, read_job
from dagsync.reporting import finding_lines
from dagsync.stream import INFO
from dagsync.walking import list_modules


def run(parsed: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run the job and return 0.

    Raises ``JobFailedError``, ``VirtualenvError``, ``UnknownJobError`` and ``PackagesRootError``, and with ``--source`` what
    ``add_version`` does.
    """
    root: Path = _fetched(parsed) if parsed.source else parsed.packages_root
    spec = _reading(root, parsed.job).spec
    given: list[str] | None = parsed.arguments
    argv = given if given is not None else list(spec.args) if spec else []
    try:
        run_in_environment(parsed.job, argv, {**environment, "ETL_PACKAGES_ROOT": str(root.absolute())}, _print)
    except JobFailedError as failure:
        # Its last lines stand right above.
        message = str(failure).partition("\nits last lines:")[0]
        raise JobFailedError(message, failure.fix, failure.exit_code) from failure
    return 0


def _fetched(parsed: argparse.Namespace) -> Path:
    """Return the folder of the version that was asked for."""
    from dagsync.cache import Cache
    from dagsync.fetching import add_version
    from dagsync.s3 import S3Store

    cache = Cache(parsed.cache)
    with cache.locked():
        add_version(S3Store(parsed.source), cache, parsed.version)
    return cache.path(parsed.version)


def _print(level: int, _: str, text: str) -> None:
    # Line by line as it comes, so that a pipe sees it too.
    stream = sys.stdout if level <= INFO else sys.stderr
    stream.write(text + "\n")
    stream.flush()


def _reading(root: Path, job: str) -> Reading:
    package, _, name = job.partition(".")
    path = f"{package}/jobs/{name}.py"
    try:
        reading = read_job((root / path).read_bytes(), package, name, path)
    except OSError as error:
        raise _unknown(root, job, error) from None
    if reading.spec is None and not reading.problems:
        raise UnknownJobError(f"{root / path}: expected a module-level JOB, found none", 'add JOB = (main, "what it does")')
    if reading.problems:
        # It cannot have a DAG, but may run: trying it is how one finds out.
        sys.stderr.writelines(line + "\n" for line in finding_lines("problem", reading.problems, root))
    return reading


def _unknown(root: Path, job: str, error: OSError) -> DagsyncError:
    modules = list_modules(root, ()).modules
    known = [f"{module.package}.{module.module_path}" for module in modules if "/" not in module.module_path]
    close = difflib.get_close_matches(job, known, 1)
    fix = f"did you mean {close[0]}?" if close else "discover lists the jobs; name one as PACKAGE.JOB"
    return UnknownJobError(f"{root}: expected job {job}, found: {error.strerror}", fix)
