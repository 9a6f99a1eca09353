"""Each job's result is the one computed by other means from the same input."""

import csv
import gzip
import json
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

from tests.examples.conftest import Run
from tests.examples.shop import ORDERS, PRODUCTS, SOLD, money


def query(data_dir: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(data_dir / "warehouse.db")) as connection:
        return connection.execute(sql).fetchall()


def report(data_dir: Path, name: str) -> list[dict[str, Any]]:
    text = (data_dir / "reports" / name).read_text()
    return json.loads(text) if name.endswith(".json") else list(csv.DictReader(text.splitlines()))


def test_orders_delivered_twice_are_loaded_once_as_last_delivered(worked: Path) -> None:
    rows = query(worked, "SELECT order_id, quantity, status = 'cancelled' FROM orders ORDER BY order_id")
    assert rows == [(order.order_id, order.quantity, order.cancelled) for order in ORDERS]
    assert query(worked, "SELECT count(*) FROM orders WHERE status = 'placed'") == [(0,)]


def test_conversion_takes_the_rate_of_the_day_or_the_last_before(worked: Path) -> None:
    rows = query(worked, "SELECT order_id, amount_cents FROM orders_in_euros ORDER BY order_id")
    assert rows == [(order.order_id, order.euro_cents) for order in ORDERS]


def test_daily_revenue_is_the_sum_of_what_was_not_cancelled(worked: Path) -> None:
    revenue: dict[tuple[str, str], list[int]] = defaultdict(list)
    for order in SOLD:
        revenue[order.day, order.country].append(order.euro_cents)
    assert report(worked, "daily_revenue.csv") == [
        {"day": day, "country": country, "orders": str(len(cents)), "revenue": money(sum(cents))}
        for (day, country), cents in sorted(revenue.items())
    ]
    assert len(revenue) == 176
    assert money(sum(order.euro_cents for order in SOLD)) == "294259.17"


def test_archive_holds_every_order_of_the_month(worked: Path) -> None:
    with gzip.open(worked / "archive" / "orders_2026-01.jsonl.gz", "rt") as lines:
        archived = [json.loads(line) for line in lines]
    assert [row["order_id"] for row in archived] == [order.order_id for order in ORDERS]
    assert [row["customer_id"] for row in archived] == [order.customer_id for order in ORDERS]


def test_products_of_every_page_are_fetched_and_loaded(worked: Path) -> None:
    fetched = [json.loads(line) for line in (worked / "raw" / "products.jsonl").read_text().splitlines()]
    assert fetched == list(PRODUCTS.values())
    rows = query(worked, "SELECT sku, stock, listed FROM products ORDER BY sku")
    assert rows == sorted((sku, product["stock"], 1) for sku, product in PRODUCTS.items())


def test_low_stock_lists_what_lasts_less_than_fourteen_days(worked: Path) -> None:
    sold = Counter[str]()
    for order in SOLD:
        sold[order.sku] += order.quantity
    days_left = {sku: PRODUCTS[sku]["stock"] * 31 // count for sku, count in sold.items()}
    low = sorted((days, sku) for sku, days in days_left.items() if days < 14)
    assert [(int(row["days_left"]), row["sku"]) for row in report(worked, "low_stock.csv")] == low
    assert len(low) == 7


def test_margin_is_revenue_less_cost_best_first(worked: Path) -> None:
    margins = {
        sku: sum(order.euro_cents - order.quantity * product["cost_cents"] for order in SOLD if order.sku == sku)
        for sku, product in PRODUCTS.items()
    }
    best = sorted(margins.items(), key=lambda entry: (-entry[1], entry[0]))[:10]
    assert [(row["sku"], row["margin"]) for row in report(worked, "product_margin.json")] == [
        (sku, money(margin)) for sku, margin in best
    ]


def test_customers_add_up_to_their_orders_and_segments_to_customers(worked: Path) -> None:
    by_customer: dict[str, list[Any]] = defaultdict(list)
    for order in SOLD:
        by_customer[order.customer_id].append(order)
    assert query(worked, "SELECT customer_id, orders, spent_cents, last_order FROM customers ORDER BY customer_id") == [
        (customer, len(orders), sum(order.euro_cents for order in orders), max(order.ordered_at for order in orders))
        for customer, orders in sorted(by_customer.items())
    ]
    today = date.fromisoformat(max(order.day for order in SOLD))
    expected: dict[str, str] = {}
    for customer, orders in sorted(by_customer.items()):
        idle = (today - date.fromisoformat(max(order.day for order in orders))).days
        spent = sum(order.euro_cents for order in orders)
        expected[customer] = "lapsing" if idle > 10 else "champion" if spent >= 100_000 else "active"
    assert {row["customer_id"]: row["segment"] for row in report(worked, "customer_segments.csv")} == expected
    assert Counter(expected.values()) == {"champion": 84, "active": 283, "lapsing": 32}


def test_checks_count_the_orders_without_a_country(worked: Path) -> None:
    missing = sum(order.country == "unknown" for order in ORDERS)
    assert report(worked, "order_checks.json")[0] == {"check": "country", "orders": 3000, "bad": missing}


def test_profile_counts_rows_missing_and_distinct_values(worked: Path) -> None:
    rows = {(row["table"], row["column"]): row for row in report(worked, "profile.json")}
    assert rows["orders", "country"] == {"table": "orders", "column": "country", "rows": 3000, "missing": 29, "distinct": 5}
    assert rows["products", "sku"]["distinct"] == 24
    assert {table for table, _ in rows} == {"customers", "orders", "orders_in_euros", "products", "watermarks"}


def test_date_option_narrows_load_and_report_to_one_day(run: Run, tmp_path: Path) -> None:
    for command in ("sales.load_orders --date 2026-01-05", "finance.convert_orders"):
        assert run(command).returncode == 0
    day = [order for order in ORDERS if order.day == "2026-01-05"]
    assert query(tmp_path, "SELECT count(*) FROM orders") == [(len(day),)]
    assert run("sales.daily_revenue --date 2026-01-05 --format json").returncode == 0
    rows = report(tmp_path, "daily_revenue_2026-01-05.json")
    assert sum(row["orders"] for row in rows) == sum(not order.cancelled for order in day)


def test_limit_option_reads_that_many_lines(run: Run, tmp_path: Path) -> None:
    assert "100 lines" in run("sales.load_orders --limit 100").stderr
    assert query(tmp_path, "SELECT count(*), max(order_id) FROM orders") == [(100, "O-00100")]
