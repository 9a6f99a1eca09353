"""Convert every order to euros at the rate of its day.

There are no rates at weekends: the last one before counts.
"""

import argparse
import logging
from bisect import bisect_right
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from dagsync import Job

from etl_core.files import read_csv
from etl_core.job import DataError, reports_data_errors
from etl_core.warehouse import require_table, warehouse

log = logging.getLogger(__name__)

RATES = Path(__file__).parents[1] / "data" / "rates.csv"
Rates = dict[str, list[tuple[str, Decimal]]]

TABLE = """
CREATE TABLE IF NOT EXISTS orders_in_euros (
    order_id TEXT PRIMARY KEY, ordered_at TEXT NOT NULL, customer_id TEXT NOT NULL, country TEXT, sku TEXT NOT NULL,
    quantity INTEGER NOT NULL, amount_cents INTEGER NOT NULL, status TEXT NOT NULL, batch INTEGER NOT NULL
)
"""
UPSERT = """
INSERT OR REPLACE INTO orders_in_euros
VALUES (:order_id, :ordered_at, :customer_id, :country, :sku, :quantity, :amount_cents, :status, :batch)
"""


@reports_data_errors
def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="finance.convert_orders", description=__doc__)
    parser.add_argument("--rates", type=Path, default=RATES, help="CSV file of daily rates")
    options = parser.parse_args(argv)

    rates: Rates = defaultdict(list)
    for _, row in read_csv(options.rates, ("day", "currency", "euros_per_unit")):
        rates[row["currency"]].append((row["day"], Decimal(row["euros_per_unit"])))
    with warehouse() as connection:
        require_table(connection, "orders", made_by="sales.load_orders")
        connection.execute(TABLE)
        orders = connection.execute("SELECT *, quantity * unit_cents AS cents FROM orders").fetchall()
        converted = [
            {**order, "amount_cents": in_euro_cents(order["cents"], order["currency"], order["ordered_at"][:10], rates)}
            for order in orders
        ]
        connection.executemany(UPSERT, converted)
    log.info("%d orders in euros, %d of them converted", len(orders), sum(order["currency"] != "EUR" for order in orders))
    return 0


def in_euro_cents(cents: int, currency: str, day: str, rates: Rates) -> int:
    """Return ``cents`` of ``currency`` in euro cents, halves rounded up, at the last rate on or before ``day``."""
    if currency == "EUR":
        return cents
    known = sorted(rates.get(currency, []))
    position = bisect_right(known, day, key=lambda entry: entry[0])
    if position == 0:
        raise DataError(f"rates: expected one for {currency} on or before {day}, found none")
    return int((cents * known[position - 1][1]).quantize(Decimal(1), ROUND_HALF_UP))


JOB = Job(main, "Convert orders to euros at the rate of their day", after=["sales.load_orders"], retries=1)
