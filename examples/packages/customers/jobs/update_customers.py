"""Keep one row per customer up to date, looking only at customers with new or changed orders.

The watermark is the last batch of orders seen; it moves in the same transaction as the rows, so a failed run loses
and repeats nothing.
"""

import argparse
import logging

from dagsync import Job

from etl_core.job import reports_data_errors
from etl_core.warehouse import require_table, warehouse

log = logging.getLogger(__name__)

TABLES = (
    """
CREATE TABLE IF NOT EXISTS customers (
    customer_id TEXT PRIMARY KEY, first_order TEXT NOT NULL, last_order TEXT NOT NULL,
    orders INTEGER NOT NULL, spent_cents INTEGER NOT NULL
)
""",
    "CREATE TABLE IF NOT EXISTS watermarks (job TEXT PRIMARY KEY, batch INTEGER NOT NULL)",
)
TOUCHED = "SELECT DISTINCT customer_id FROM orders_in_euros WHERE batch > ?"
RECOMPUTE = """
INSERT INTO customers
SELECT customer_id, min(ordered_at), max(ordered_at), count(*), sum(amount_cents)
FROM orders_in_euros WHERE customer_id = ? AND status <> 'cancelled' GROUP BY customer_id
"""


@reports_data_errors
def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="customers.update_customers", description=__doc__)
    parser.add_argument("--full", action="store_true", help="recompute every customer, as after a correction of rates")
    options = parser.parse_args(argv)

    with warehouse() as connection:
        require_table(connection, "orders_in_euros", made_by="finance.convert_orders")
        for table in TABLES:
            connection.execute(table)
        mark = connection.execute("SELECT batch FROM watermarks WHERE job = ?", [parser.prog]).fetchone()
        seen = mark["batch"] if mark and not options.full else 0
        touched = [tuple(row) for row in connection.execute(TOUCHED, [seen])]
        connection.executemany("DELETE FROM customers WHERE customer_id = ?", touched)
        connection.executemany(RECOMPUTE, touched)
        (batch,) = connection.execute("SELECT coalesce(max(batch), 0) FROM orders_in_euros").fetchone()
        connection.execute("INSERT OR REPLACE INTO watermarks VALUES (?, ?)", [parser.prog, batch])
    log.info("watermark %d to %d: %d customers recomputed", seen, batch, len(touched))
    return 0


JOB = Job(
    main, "Bring customers up to date, looking only at those with new or changed orders", after=["finance.convert_orders"]
)
