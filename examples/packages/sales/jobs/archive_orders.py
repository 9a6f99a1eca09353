"""Archive a month of orders as compressed JSON lines.

The archive of unchanged orders is the same to the byte, so that storage and backups see nothing new.
"""

import argparse
import gzip
import json
import logging
import re

from dagsync import Job

from etl_core.files import data_dir, replacing
from etl_core.job import DataError, reports_data_errors
from etl_core.warehouse import require_table, warehouse

log = logging.getLogger(__name__)

DESCRIPTION = "Archive a month of orders as JSON lines, compressed"


@reports_data_errors
def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="sales.archive_orders", description=__doc__)
    parser.add_argument("--month", type=month, required=True, help="month to archive (YYYY-MM)")
    parser.add_argument("--level", type=int, choices=range(1, 10), default=6, help="compression, 9 is smallest")
    options = parser.parse_args(argv)

    with warehouse() as connection:
        require_table(connection, "orders", made_by="sales.load_orders")
        rows = connection.execute(
            "SELECT * FROM orders WHERE substr(ordered_at, 1, 7) = ? ORDER BY order_id", [options.month]
        ).fetchall()
    if not rows:
        raise DataError(f"orders: expected some in {options.month}, found none")
    path = data_dir() / "archive" / f"orders_{options.month}.jsonl.gz"
    with replacing(path) as file, gzip.GzipFile(path.stem, "wb", options.level, file, mtime=0) as archive:
        for row in rows:
            archive.write(json.dumps(dict(row)).encode() + b"\n")
    log.info("%s: %d orders, %d bytes", path, len(rows), path.stat().st_size)
    return 0


def month(text: str) -> str:
    """argparse type: a month as ``YYYY-MM``."""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        raise argparse.ArgumentTypeError(f"expected a month such as 2026-01, got {text!r}")
    return text


JOB = Job(main, DESCRIPTION, schedule="0 4 1 * *", args=["--month", "2026-01"])
