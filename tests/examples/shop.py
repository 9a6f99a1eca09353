"""What the jobs should find, computed a second time by other means: dictionaries and fractions, no SQL."""

import csv
import json
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from tests.examples.conftest import PACKAGES


@dataclass(frozen=True)
class Order:
    order_id: str
    ordered_at: str
    customer_id: str
    country: str
    sku: str
    quantity: int
    euro_cents: int
    cancelled: bool

    @property
    def day(self) -> str:
        return self.ordered_at[:10]


def _rows(name: str) -> list[dict[str, str]]:
    with (PACKAGES / name).open(newline="") as file:
        return list(csv.DictReader(file))


def _rate(currency: str, day: date) -> Fraction:
    if currency == "EUR":
        return Fraction(1)
    while (str(day), currency) not in RATES:
        day -= timedelta(days=1)
    return RATES[str(day), currency]


def _order(row: dict[str, str]) -> Order:
    exact = (
        int(row["quantity"])
        * Fraction(row["unit_price"])
        * 100
        * _rate(row["currency"], date.fromisoformat(row["ordered_at"][:10]))
    )
    return Order(
        order_id=row["order_id"],
        ordered_at=row["ordered_at"],
        customer_id=row["customer_id"],
        country=row["country"] or "unknown",
        sku=row["sku"],
        quantity=int(row["quantity"]),
        euro_cents=int(exact + Fraction(1, 2)),
        cancelled=row["status"] == "cancelled",
    )


RATES = {(row["day"], row["currency"]): Fraction(row["euros_per_unit"]) for row in _rows("finance/data/rates.csv")}
PRODUCTS = {product["sku"]: product for product in json.loads((PACKAGES / "etl_core/data/products.json").read_text())}
ORDERS = [_order(row) for row in {row["order_id"]: row for row in _rows("sales/data/orders.csv")}.values()]
SOLD = [order for order in ORDERS if not order.cancelled]


def money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
