"""``new``: a job to start from."""

import keyword
import os
import re
import sys
from pathlib import Path

from dagsync.errors import ExistsError, PackagesRootError, TargetWriteError
from dagsync.model import MAX_DAG_ID_BYTES, MAX_PACKAGE_LENGTH, name_problem
from dagsync.outcome import DEFAULT_SKIPPED_PACKAGES

JOB_TEMPLATE = '''"""{docstring}"""

import argparse
import logging

log = logging.getLogger(__name__)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=10, help="how many rows to handle at most")
    arguments = parser.parse_args(argv)

    log.info("handling at most %d rows", arguments.limit)
    return 0


JOB = (main, {description})
'''


def create_job(root: Path, package: str, name: str, description: str | None) -> list[Path]:
    """Write ``package.name`` below ``root`` and return the files that were made.

    Raises ``ExistsError`` if there is such a job, or cannot be; ``PackagesRootError`` and ``TargetWriteError``.
    """
    if not root.is_dir():
        raise PackagesRootError(f"{root}: expected the folder of packages, found none", "make it, or give --packages-root")
    _check_names(package, name)
    path = root / package / "jobs" / f"{name}.py"
    text = description if description is not None else name.replace("_", " ").strip().capitalize()
    source = JOB_TEMPLATE.format(docstring=_docstring(text), description=_literal(text))
    made: list[Path] = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for each in (root / package / "__init__.py", path.parent / "__init__.py"):
            if not each.exists():
                each.touch()
                made.append(each)
        _write_new(path, source)
    except FileExistsError:
        raise ExistsError(f"{path}: expected no such file, found one", "choose another name, or change that file") from None
    except OSError as error:
        raise TargetWriteError(f"{path}: cannot be written: {error.strerror}", "give a folder by --packages-root") from error
    return [*made, path]


def _check_names(package: str, name: str) -> None:
    for kind, text in (("package", package), ("module", name)):
        if problem := name_problem(kind, text):
            raise ExistsError(problem, f"write it as {_identifier(text)}")
    if package in DEFAULT_SKIPPED_PACKAGES or package in sys.stdlib_module_names or package == "airflow":
        raise ExistsError(f"package {package!r} is a module of Python, Airflow or shared code", "choose another name")
    if len(package) > MAX_PACKAGE_LENGTH or len(f"{package}_{name}".encode()) > MAX_DAG_ID_BYTES:
        raise ExistsError(f"{package}_{name}: expected at most {MAX_DAG_ID_BYTES} bytes of DAG id", "choose shorter names")


def _write_new(path: Path, source: str) -> None:
    # Whole or not at all, and never over a file that came in between: a link cannot replace anything.
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(source, encoding="utf-8")
        path.hardlink_to(temporary)
    finally:
        temporary.unlink(missing_ok=True)


def _docstring(text: str) -> str:
    escaped = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text.replace("\\", "\\\\")
    )
    line = escaped.replace('"', '\\"') or "What it does."
    return line if line.endswith((".", "!", "?")) else f"{line}."


def _literal(text: str) -> str:
    """Return a literal with double quotes, as formatters write it."""
    single = repr(text)
    return single if single.startswith('"') or '"' in text else f'"{single[1:-1]}"'


def _identifier(name: str) -> str:
    cleaned = re.sub(r"\W", "_", name) or "job"
    return f"{cleaned}_" if keyword.iskeyword(cleaned) else cleaned if cleaned.isidentifier() else f"job_{cleaned}"
