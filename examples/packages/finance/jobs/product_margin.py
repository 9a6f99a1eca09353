"""Rank products by margin: what orders brought, less what the supplier charges."""

import argparse
import logging

from dagsync import Job

from etl_core.files import euros, write_report
from etl_core.job import positive, reports_data_errors
from etl_core.warehouse import require_table, warehouse

log = logging.getLogger(__name__)

QUERY = """
SELECT sku, name, sum(quantity) AS sold, sum(amount_cents) AS revenue, sum(quantity) * cost_cents AS cost
FROM orders_in_euros JOIN products USING (sku)
WHERE status <> 'cancelled'
GROUP BY sku ORDER BY sum(amount_cents) - sum(quantity) * cost_cents DESC, sku LIMIT ?
"""


@reports_data_errors
def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="finance.product_margin", description=__doc__)
    parser.add_argument("--top", type=positive, default=10, help="how many products to list")
    options = parser.parse_args(argv)

    with warehouse() as connection:
        require_table(connection, "orders_in_euros", made_by="finance.convert_orders")
        require_table(connection, "products", made_by="catalog.load_products")
        found = connection.execute(QUERY, [options.top]).fetchall()
    rows = [
        {
            **row,
            "revenue": euros(row["revenue"]),
            "cost": euros(row["cost"]),
            "margin": euros(row["revenue"] - row["cost"]),
        }
        for row in found
    ]
    path = write_report("product_margin", rows, "json")
    log.info("%s: %d products", path, len(rows))
    return 0


# Two names in ``after``: runs once both have finished since its last run.
JOB = Job(main, "Rank products by margin", after=["finance.convert_orders", "catalog.load_products"])
