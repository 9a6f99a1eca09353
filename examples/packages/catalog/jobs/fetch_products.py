"""Fetch the supplier's products over HTTP, page by page."""

import argparse
import json
import logging
from contextlib import nullcontext

from dagsync import Job

from etl_core.fetching import pages
from etl_core.files import data_dir, replacing
from etl_core.job import reports_data_errors
from etl_core.partner_api import partner_api

log = logging.getLogger(__name__)


@reports_data_errors
def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="catalog.fetch_products", description=__doc__)
    parser.add_argument("--base-url", help="address of the API; by default one is played on this machine")
    options = parser.parse_args(argv)

    path = data_dir() / "raw" / "products.jsonl"
    count = 0
    with nullcontext(options.base_url) if options.base_url else partner_api() as base_url, replacing(path) as file:
        for number, page in enumerate(pages(f"{base_url}/products"), start=1):
            file.writelines(json.dumps(product).encode() + b"\n" for product in page)
            count += len(page)
            log.info("page %d: %d products", number, len(page))
    log.info("%s: %d products", path, count)
    return 0


JOB = Job(main, "Fetch the supplier's products over HTTP", schedule="15 */6 * * *", retries=3)
