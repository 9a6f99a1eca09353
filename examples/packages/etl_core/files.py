"""Files below the data folder, each written whole or not at all."""

import csv
import io
import json
import os
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import IO

from etl_core.job import DataError


def data_dir() -> Path:
    """Folder every job reads and writes below: ``ETL_DATA_DIR``, or ``etl-data`` in the temporary folder."""
    return Path(os.environ.get("ETL_DATA_DIR") or Path(tempfile.gettempdir()) / "etl-data")


@contextmanager
def replacing(path: Path) -> Generator[IO[bytes]]:
    """Yield a file that becomes ``path`` when the block ends well; after an error ``path`` is what it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            yield file
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def read_csv(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield ``("file:line", row)`` for each line below the header.

    Raises:
        DataError: the file is missing, its header is not ``columns``, or a line has too many or too few fields.
    """
    if not path.is_file():
        raise DataError(f"{path}: expected a CSV file, found none")
    with path.open(newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        header = next(lines, None) or []
        if header != list(columns):
            raise DataError(f"{path.name}:1: expected columns {', '.join(columns)}; found {', '.join(header) or 'nothing'}")
        for fields in lines:
            where = f"{path.name}:{lines.line_num}"
            if len(fields) != len(columns):
                raise DataError(f"{where}: expected {len(columns)} fields, found {len(fields)}")
            yield where, dict(zip(columns, fields, strict=True))


def write_report(name: str, rows: Sequence[Mapping[str, object]], file_format: str = "csv") -> Path:
    """Write ``rows``, which share their keys, to ``reports/{name}.csv`` or ``.json`` and return the path."""
    path = data_dir() / "reports" / f"{name}.{file_format}"
    text = io.StringIO()
    if file_format == "json":
        json.dump([dict(row) for row in rows], text, indent=2)
        text.write("\n")
    else:
        writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    with replacing(path) as file:
        file.write(text.getvalue().encode())
    return path


def euros(cents: int) -> str:
    """``1234`` as ``"12.34"``: amounts leave as decimal text, so that no reader rounds them."""
    return str(Decimal(cents).scaleb(-2))
