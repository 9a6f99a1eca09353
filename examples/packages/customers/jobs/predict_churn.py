"""Score how likely each customer is to stop buying.

Needs scikit-learn, which is not installed here: the job is a DAG all the same, and a run fails with the job's own
``ModuleNotFoundError``.
"""
# pyright: basic

import argparse
import logging

from sklearn.linear_model import LogisticRegression  # pyright: ignore[reportMissingImports] - absent on purpose

from etl_core.files import write_report
from etl_core.job import positive, reports_data_errors
from etl_core.warehouse import require_table, warehouse

log = logging.getLogger(__name__)

QUERY = """
SELECT customer_id, orders, spent_cents / 100.0 AS spent,
       julianday(max(last_order) OVER ()) - julianday(last_order) AS idle_days
FROM customers ORDER BY customer_id
"""


@reports_data_errors
def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="customers.predict_churn", description=__doc__)
    parser.add_argument("--churned-after", type=positive, default=14, help="days without an order that count as gone")
    options = parser.parse_args(argv)

    with warehouse() as connection:
        require_table(connection, "customers", made_by="customers.update_customers")
        customers = connection.execute(QUERY).fetchall()
    features = [[row["orders"], row["spent"]] for row in customers]
    model = LogisticRegression().fit(features, [row["idle_days"] > options.churned_after for row in customers])
    scores = [
        {"customer_id": row["customer_id"], "churn": round(float(score), 4)}
        for row, (_, score) in zip(customers, model.predict_proba(features), strict=True)
    ]
    path = write_report("churn", scores)
    log.info("%s: %d customers scored", path, len(scores))
    return 0


JOB = (main, "Score how likely each customer is to stop buying")
