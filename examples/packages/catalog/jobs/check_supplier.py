"""Ask the supplier's API for one page of products, to see whether it answers before the night does."""

import argparse
import logging
import time
from contextlib import nullcontext

from etl_core.fetching import get_json
from etl_core.job import reports_data_errors
from etl_core.partner_api import partner_api

log = logging.getLogger(__name__)


@reports_data_errors
def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="catalog.check_supplier", description=__doc__)
    parser.add_argument("--base-url", help="address of the API; by default one is played on this machine")
    parser.add_argument("--page", type=int, default=1, help="page to ask for")
    options = parser.parse_args(argv)

    with nullcontext(options.base_url) if options.base_url else partner_api() as base_url:
        began = time.monotonic()
        products = get_json(f"{base_url}/products?page={options.page}")["items"]
    log.info("page %d: %d products in %.0f ms", options.page, len(products), (time.monotonic() - began) * 1000)
    return 0


JOB = (main, "Ask the supplier's API whether it answers")
