"""Check the loaded orders and fail when they are worse than allowed."""

import argparse
import logging

from dagsync import Job

from etl_core.files import write_report
from etl_core.job import DataError, positive, reports_data_errors
from etl_core.warehouse import require_table, warehouse

log = logging.getLogger(__name__)

CHECKS = {
    "country": "SELECT count(*) FROM orders WHERE country IS NULL",
    "customer": "SELECT count(*) FROM orders WHERE customer_id = ''",
    "status": "SELECT count(*) FROM orders WHERE status NOT IN ('placed', 'shipped', 'cancelled')",
}


@reports_data_errors
def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="quality.check_orders", description=__doc__)
    parser.add_argument("--max-bad-percent", type=float, default=2.0, help="share of orders a check may find bad")
    parser.add_argument("--min-orders", type=positive, default=1, help="how many orders there must be at least")
    options = parser.parse_args(argv)

    with warehouse() as connection:
        require_table(connection, "orders", made_by="sales.load_orders")
        (total,) = connection.execute("SELECT count(*) FROM orders").fetchone()
        bad = {check: connection.execute(query).fetchone()[0] for check, query in CHECKS.items()}
    write_report("order_checks", [{"check": check, "orders": total, "bad": count} for check, count in bad.items()], "json")
    problems = [
        f"orders.{check}: expected at most {options.max_bad_percent:g} % bad, "
        f"found {count} of {total} ({100 * count / total:.2f} %)"
        for check, count in bad.items()
        if count > total * options.max_bad_percent / 100
    ]
    if total < options.min_orders:
        problems.insert(0, f"orders: expected at least {options.min_orders}, found {total}")
    if problems:
        raise DataError("\n".join(problems))
    log.info("%d orders passed %d checks", total, len(CHECKS))
    return 0


# Bad data does not get better by trying again.
JOB = Job(main, "Check the loaded orders and fail when too many are bad", after=["sales.load_orders"], retries=0)
