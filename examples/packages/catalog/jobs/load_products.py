"""Load the fetched products into the warehouse and mark those the supplier no longer lists."""

import argparse
import json
import logging

from dagsync import Job

from etl_core.files import data_dir
from etl_core.job import DataError, reports_data_errors
from etl_core.warehouse import warehouse

log = logging.getLogger(__name__)

TABLE = """
CREATE TABLE IF NOT EXISTS products (
    sku TEXT PRIMARY KEY, name TEXT NOT NULL, cost_cents INTEGER NOT NULL, list_price_cents INTEGER NOT NULL,
    stock INTEGER NOT NULL, listed INTEGER NOT NULL
)
"""


@reports_data_errors
def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="catalog.load_products", description=__doc__)
    parser.add_argument("--keep-listed", action="store_true", help="the fetched file is partial: mark nothing as gone")
    options = parser.parse_args(argv)

    path = data_dir() / "raw" / "products.jsonl"
    if not path.is_file():
        raise DataError(f"{path}: expected fetched products, found no file\nrun catalog.fetch_products first")
    products = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with warehouse() as connection:
        connection.execute(TABLE)
        if not options.keep_listed:
            connection.execute("UPDATE products SET listed = 0")
        connection.executemany(
            "INSERT OR REPLACE INTO products VALUES (:sku, :name, :cost_cents, :list_price_cents, :stock, 1)", products
        )
        (gone,) = connection.execute("SELECT count(*) FROM products WHERE NOT listed").fetchone()
    log.info("%d products loaded, %d no longer listed", len(products), gone)
    return 0


JOB = Job(main, "Load the fetched products into the warehouse", after=["catalog.fetch_products"])
