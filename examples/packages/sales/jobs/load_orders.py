"""Load the shop's order export into the warehouse.

An order delivered twice is kept once, as its last line says. Lines already loaded change nothing: running again is safe.
"""

import argparse
import logging
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path

from etl_core.files import read_csv
from etl_core.job import DataError, day, positive, reports_data_errors
from etl_core.warehouse import warehouse

log = logging.getLogger(__name__)

EXPORT = Path(__file__).parents[1] / "data" / "orders.csv"
COLUMNS = ("order_id", "ordered_at", "customer_id", "country", "currency", "sku", "quantity", "unit_price", "status")
# ``batch`` numbers the load that brought or last changed an order, so that later jobs can ask for what is new.
TABLE = """
CREATE TABLE IF NOT EXISTS orders (
    order_id TEXT PRIMARY KEY, ordered_at TEXT NOT NULL, customer_id TEXT NOT NULL, country TEXT, currency TEXT NOT NULL,
    sku TEXT NOT NULL, quantity INTEGER NOT NULL, unit_cents INTEGER NOT NULL, status TEXT NOT NULL, batch INTEGER NOT NULL
)
"""
UPSERT = """
INSERT INTO orders
VALUES (:order_id, :ordered_at, :customer_id, :country, :currency, :sku, :quantity, :unit_cents, :status, :batch)
ON CONFLICT (order_id) DO UPDATE SET
    (ordered_at, customer_id, country, currency, sku, quantity, unit_cents, status, batch)
    = (:ordered_at, :customer_id, :country, :currency, :sku, :quantity, :unit_cents, :status, :batch)
WHERE (ordered_at, customer_id, country, currency, sku, quantity, unit_cents, status)
    IS NOT (:ordered_at, :customer_id, :country, :currency, :sku, :quantity, :unit_cents, :status)
"""


@reports_data_errors
def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="sales.load_orders", description=__doc__)
    parser.add_argument("--source", type=Path, default=EXPORT, help="CSV file to load")
    parser.add_argument("--date", type=day, help="load the orders of this day only (YYYY-MM-DD)")
    parser.add_argument("--limit", type=positive, help="read at most this many lines")
    options = parser.parse_args(argv)

    rows = [order(where, row) for where, row in islice(read_csv(options.source, COLUMNS), options.limit)]
    if options.date:
        rows = [row for row in rows if str(row["ordered_at"]).startswith(options.date.isoformat())]
    latest = {row["order_id"]: row for row in rows}
    with warehouse() as connection:
        connection.execute(TABLE)
        (batch,) = connection.execute("SELECT coalesce(max(batch), 0) + 1 FROM orders").fetchone()
        before = connection.total_changes
        connection.executemany(UPSERT, [{**row, "batch": batch} for row in latest.values()])
        changed = connection.total_changes - before
    log.info("%s: %d lines, %d orders, %d new or changed", options.source.name, len(rows), len(latest), changed)
    return 0


def order(where: str, row: dict[str, str]) -> dict[str, object]:
    """Return ``row`` typed: amounts in cents, a missing country as ``None``."""
    try:
        datetime.fromisoformat(row["ordered_at"])
        quantity, unit_cents = int(row["quantity"]), Decimal(row["unit_price"]).scaleb(2)
        if quantity >= 1 and unit_cents >= 0 and unit_cents == int(unit_cents):
            return {**row, "country": row["country"] or None, "quantity": quantity, "unit_cents": int(unit_cents)}
    except (ValueError, ArithmeticError):
        # Not numbers, or NaN and Infinity, which Decimal takes and int does not.
        pass
    found = ", ".join(f"{name} {row[name]!r}" for name in ("ordered_at", "quantity", "unit_price"))
    raise DataError(f"{where}: expected an ISO time, a quantity from 1 and a price in whole cents, found {found}")


JOB = (main, "Load the shop's order export (CSV) into the warehouse", {"schedule": "@daily", "retries": 2})
