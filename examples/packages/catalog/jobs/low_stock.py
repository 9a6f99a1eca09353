"""List products whose stock lasts for less than the given days at the pace they sell."""

import argparse
import logging

from dagsync import Job

from etl_core.files import write_report
from etl_core.job import positive, reports_data_errors
from etl_core.warehouse import require_table, warehouse

log = logging.getLogger(__name__)

DEFAULT_DAYS = 14
QUERY = """
WITH period AS (SELECT julianday(max(date(ordered_at))) - julianday(min(date(ordered_at))) + 1 AS days FROM orders),
     sold AS (SELECT sku, sum(quantity) AS quantity FROM orders WHERE status <> 'cancelled' GROUP BY sku)
SELECT sku, name, stock, CAST(stock * period.days / sold.quantity AS INTEGER) AS days_left
FROM products JOIN sold USING (sku), period
WHERE listed AND days_left < ?
ORDER BY days_left, sku
"""


@reports_data_errors
def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="catalog.low_stock", description=__doc__)
    parser.add_argument("--days", type=positive, default=DEFAULT_DAYS, help="warn below this many days of stock")
    options = parser.parse_args(argv)

    with warehouse() as connection:
        require_table(connection, "orders", made_by="sales.load_orders")
        require_table(connection, "products", made_by="catalog.load_products")
        rows = [dict(row) for row in connection.execute(QUERY, [options.days])]
    path = write_report("low_stock", rows)
    log.info("%s: %d products last for less than %d days", path, len(rows), options.days)
    return 0


JOB = Job(
    main, f"List products with less than {DEFAULT_DAYS} days of stock", after=["catalog.load_products", "sales.load_orders"]
)
