"""Puts the tables of a run into ``benchmarks/README.md``, between the marks of that benchmark."""

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measuring import BenchmarkError
from benchmarks.report import Report, markdown

README = Path(__file__).with_name("README.md")


def section(report: Report, command: str, conditions: Sequence[str]) -> str:
    """Return what is written between the marks."""
    parts = [f"`{command}`", "\n".join(f"- {line}" for line in conditions), *map(markdown, report.all_tables), *report.notes]
    return "\n\n".join(parts)


def replaced(text: str, name: str, content: str) -> str:
    """Return ``text`` with what stands between the marks of ``name`` replaced.

    Raises ``BenchmarkError`` if the marks are not there exactly once.
    """
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise BenchmarkError(f"README.md: expected one section between {begin} and {end}")
    return pattern.sub(lambda _: f"{begin}\n\n{content}\n\n{end}", text)


def write(report: Report, command: str, conditions: Sequence[str], path: Path = README) -> None:
    """Replace the section of ``report`` in the file at ``path``."""
    text = replaced(path.read_text(), report.name, section(report, command, conditions))
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".README", delete=False) as stream:
        stream.write(text)
        os.fchmod(stream.fileno(), path.stat().st_mode)
    Path(stream.name).replace(path)
