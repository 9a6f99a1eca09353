"""Report orders and revenue in euros per day and country."""

import argparse
import logging

from dagsync import Job

from etl_core.files import euros, write_report
from etl_core.job import day, reports_data_errors
from etl_core.warehouse import require_table, warehouse

log = logging.getLogger(__name__)

QUERY = """
SELECT substr(ordered_at, 1, 10) AS day, coalesce(country, 'unknown') AS country,
       count(*) AS orders, sum(amount_cents) AS revenue
FROM orders_in_euros
WHERE status <> 'cancelled' AND (:day IS NULL OR substr(ordered_at, 1, 10) = :day)
GROUP BY 1, 2 ORDER BY 1, 2
"""


@reports_data_errors
def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="sales.daily_revenue", description=__doc__)
    parser.add_argument("--date", type=day, help="report this day only (YYYY-MM-DD)")
    parser.add_argument("--format", choices=["csv", "json"], default="csv", help="format of the report")
    options = parser.parse_args(argv)

    only = options.date and options.date.isoformat()
    with warehouse() as connection:
        require_table(connection, "orders_in_euros", made_by="finance.convert_orders")
        found = connection.execute(QUERY, {"day": only}).fetchall()
    rows = [{**row, "revenue": euros(row["revenue"])} for row in found]
    path = write_report("_".join(["daily_revenue", *([only] if only else [])]), rows, options.format)
    log.info("%s: %d rows, %s euros", path, len(rows), euros(sum(row["revenue"] for row in found)))
    return 0


JOB = Job(main, (__doc__ or "").strip().rstrip("."), after=["finance.convert_orders"])
