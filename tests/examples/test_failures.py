"""What cannot work ends with a code other than 0 and one message that says why."""

import gzip
import http.server
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.examples.conftest import PACKAGES, Run

HEADER = "order_id,ordered_at,customer_id,country,currency,sku,quantity,unit_price,status\n"
ROW = "O-1,2026-{day}T00:00,C-1,DE,EUR,MUG-BL,{quantity},{price},shipped\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("order,day\n", "orders.csv:1: expected columns order_id, ordered_at"),
        ("", "found nothing"),
        (HEADER + "O-1,2026-01-01T00:00\n", "orders.csv:2: expected 9 fields, found 2"),
        (HEADER + ROW.format(day="01-01", quantity="two", price="1.00"), "quantity 'two'"),
        (HEADER + ROW.format(day="01-01", quantity=0, price="1.00"), "orders.csv:2: expected an ISO time, a quantity from 1"),
        (HEADER + ROW.format(day="01-01", quantity=1, price="1.005"), "in whole cents, found"),
        (HEADER + ROW.format(day="01-01", quantity=1, price="-1"), "unit_price '-1'"),
        (HEADER + ROW.format(day="01-01", quantity=1, price="NaN"), "unit_price 'NaN'"),
        (HEADER + ROW.format(day="01-01", quantity=1, price="Infinity"), "unit_price 'Infinity'"),
        (
            HEADER + ROW.format(day="01-01", quantity=1, price="1") + ROW.format(day="02-30", quantity=1, price="1"),
            "orders.csv:3:",
        ),
    ],
)
def test_a_bad_export_is_refused_where_it_is_bad_and_loads_nothing(text: str, message: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(text)
    done = run("sales.load_orders --source orders.csv")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert message in done.stderr
    assert not (tmp_path / "warehouse.db").exists()


@pytest.mark.parametrize(
    ("command", "first"),
    [
        ("finance.convert_orders", "sales.load_orders"),
        ("quality.check_orders", "sales.load_orders"),
        ("sales.archive_orders --month 2026-01", "sales.load_orders"),
        ("catalog.low_stock", "sales.load_orders"),
        ("sales.daily_revenue", "finance.convert_orders"),
        ("finance.product_margin", "finance.convert_orders"),
        ("customers.update_customers", "finance.convert_orders"),
        ("customers.segment_customers", "customers.update_customers"),
        ("catalog.load_products", "catalog.fetch_products"),
    ],
)
def test_a_job_run_too_early_names_the_one_to_run_first(command: str, first: str, run: Run) -> None:
    done = run(command)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert done.stderr.endswith(f"run {first} first\n")


def test_check_fails_with_its_own_message_when_asked_to_allow_nothing(run: Run) -> None:
    assert run("sales.load_orders").returncode == 0
    done = run("quality.check_orders --max-bad-percent 0")
    assert done.returncode == 1
    assert "orders.country: expected at most 0 % bad, found 29 of 3000 (0.97 %)" in done.stderr


def test_an_empty_table_does_not_pass_the_check(run: Run, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(HEADER)
    assert run("sales.load_orders --source orders.csv").returncode == 0
    done = run("quality.check_orders")
    assert (done.returncode, "orders: expected at least 1, found 0" in done.stderr) == (1, True)


def test_a_currency_without_rates_converts_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text("day,currency,euros_per_unit\n2026-01-20,USD,0.9\n")
    assert run("sales.load_orders").returncode == 0
    done = run("finance.convert_orders --rates rates.csv")
    assert done.returncode == 1
    assert "rates: expected one for " in done.stderr
    assert "expected table orders_in_euros, found none" in run("sales.daily_revenue").stderr


def test_a_month_without_orders_leaves_no_archive(run: Run, tmp_path: Path) -> None:
    assert run("sales.load_orders").returncode == 0
    done = run("sales.archive_orders --month 2025-12")
    assert (done.returncode, "expected some in 2025-12, found none" in done.stderr) == (1, True)
    assert not (tmp_path / "archive").exists()
    assert run("sales.archive_orders --month 2026-01 --level 9").returncode == 0
    assert gzip.decompress((tmp_path / "archive" / "orders_2026-01.jsonl.gz").read_bytes()).count(b"\n") == 3000


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("sales.load_orders --date 05.01.2026", "expected a day such as 2026-01-31, got '05.01.2026'"),
        ("sales.load_orders --limit 0", "expected a whole number above 0, got '0'"),
        ("sales.archive_orders", "--month"),
        ("sales.archive_orders --month 2026-13", "expected a month such as 2026-01, got '2026-13'"),
        ("sales.daily_revenue --format xml", "invalid choice: 'xml'"),
        ("sales", "usage:"),
    ],
)
def test_wrong_arguments_end_with_two(command: str, message: str, run: Run) -> None:
    done = run(command)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_job_without_its_library_fails_with_its_own_error(run: Run) -> None:
    done = run("customers.predict_churn")
    assert done.returncode == 1
    assert done.stderr.endswith("ModuleNotFoundError: No module named 'sklearn'\n")


def test_profile_refuses_a_table_that_is_not_there(run: Run) -> None:
    done = run("quality.profile_warehouse orders;--")
    assert (done.returncode, "found orders;--" in done.stderr) == (1, True)


class Outage(http.server.BaseHTTPRequestHandler):
    seen: list[str]

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_error(404 if self.path.startswith("/gone") else 503)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own signature
        pass


@pytest.fixture
def outage() -> Generator[tuple[str, list[str]]]:
    """An API that is down: its address, and the requests it saw."""
    seen: list[str] = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Outage,), {"seen": seen}))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_outage_is_tried_four_times_and_keeps_what_was_fetched_before(
    run: Run, tmp_path: Path, outage: tuple[str, list[str]]
) -> None:
    address, seen = outage
    assert run("catalog.fetch_products").returncode == 0
    before = (tmp_path / "raw" / "products.jsonl").read_bytes()
    done = run(f"catalog.fetch_products --base-url {address}")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "503: Service Unavailable (attempt 4 of 4)" in done.stderr
    assert seen == ["/products"] * 4
    assert [path.read_bytes() for path in (tmp_path / "raw").iterdir()] == [before]


def test_a_refusal_is_not_tried_again(run: Run, outage: tuple[str, list[str]]) -> None:
    address, seen = outage
    assert "404: Not Found (attempt 1 of 4)" in run(f"catalog.fetch_products --base-url {address}/gone").stderr
    assert seen == ["/gone/products"]


def test_one_outage_of_the_played_api_is_survived_in_spite_of_a_proxy(run: Run) -> None:
    done = run(
        "catalog.fetch_products", http_proxy="http://127.0.0.1:9", HTTP_PROXY="http://127.0.0.1:9", no_proxy="", NO_PROXY=""
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("503: Service Unavailable, attempt 1 of 4, trying again") == 1
    assert "24 products" in done.stderr


def test_only_web_addresses_are_fetched(run: Run) -> None:
    done = run(f"catalog.fetch_products --base-url file://{PACKAGES}")
    assert (done.returncode, "expected an http or https address" in done.stderr) == (1, True)
