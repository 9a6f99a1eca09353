"""Sort customers into segments by how lately and how much they bought."""

import argparse
import logging
from collections import Counter
from datetime import date

from dagsync import Job

from etl_core.files import euros, write_report
from etl_core.job import day, positive, reports_data_errors
from etl_core.warehouse import require_table, warehouse

log = logging.getLogger(__name__)

SEGMENTS = ("champion", "active", "lapsing")
DESCRIPTION = "Sort customers into the segments " + ", ".join(SEGMENTS)


@reports_data_errors
def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="customers.segment_customers", description=__doc__)
    parser.add_argument("--as-of", type=day, help="day to look back from (default: that of the last order)")
    parser.add_argument("--recent-days", type=positive, default=10, help="days without an order after which a customer lapses")
    parser.add_argument("--champion-euros", type=positive, default=1000, help="what a champion has spent at least")
    parser.add_argument("--only", nargs="+", choices=SEGMENTS, default=SEGMENTS, help="segments to list")
    options = parser.parse_args(argv)

    with warehouse() as connection:
        require_table(connection, "customers", made_by="customers.update_customers")
        customers = connection.execute("SELECT * FROM customers ORDER BY customer_id").fetchall()
    as_of: date = options.as_of or max((date.fromisoformat(row["last_order"][:10]) for row in customers), default=date.max)
    rows: list[dict[str, object]] = []
    for row in customers:
        idle_days = (as_of - date.fromisoformat(row["last_order"][:10])).days
        if idle_days > options.recent_days:
            segment = "lapsing"
        else:
            segment = "champion" if row["spent_cents"] >= options.champion_euros * 100 else "active"
        if segment in options.only:
            rows.append(
                {
                    "customer_id": row["customer_id"],
                    "segment": segment,
                    "idle_days": idle_days,
                    "spent": euros(row["spent_cents"]),
                }
            )
    path = write_report("customer_segments", rows)
    counts = Counter(row["segment"] for row in rows)
    log.info("%s: %s", path, ", ".join(f"{counts[segment]} {segment}" for segment in options.only))
    return 0


JOB = Job(main, DESCRIPTION, after=["customers.update_customers"])
