"""Make the data the example jobs work on: products, exchange rates and a month of orders.

The result is committed; run ``python examples/make_fixtures.py`` after changing this script.
"""

import csv
import io
import json
import random
import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

Row = Sequence[object]
SEED = 20260101
ORDERS = 3000
FIRST_DAY, DAYS = date(2026, 1, 1), 31
CURRENCIES = {"DE": "EUR", "FR": "EUR", "US": "USD", "GB": "GBP", "PL": "PLN"}
EUROS_PER_UNIT = {"GBP": 1.1500, "PLN": 0.2350, "USD": 0.8600}
NAMES = ("kettle", "teapot", "mug", "grinder", "scale", "filter", "tamper", "tray")
COLORS = ("black", "steel", "white")


class Dice(random.Random):
    """Draws through ``random()`` alone, the only method whose sequence Python promises to keep between versions."""

    def below(self, count: int) -> int:
        """A whole number from 0 to ``count - 1``."""
        return int(self.random() * count)


def make_fixtures() -> dict[str, str]:
    """Return each file's text by its path below ``examples/packages``; the same on every machine and Python."""
    dice = Dice(SEED)
    products = [
        {
            "sku": f"{name[:3].upper()}-{color[:2].upper()}",
            "name": f"{name}, {color}",
            "cost_cents": (cost := 300 + dice.below(4000)),
            "list_price_cents": cost * 16 // 10,
            "stock": dice.below(400),
        }
        for name in NAMES
        for color in COLORS
    ]
    return {
        "etl_core/data/products.json": json.dumps(products, indent=1) + "\n",
        "finance/data/rates.csv": _csv(_rates(dice)),
        "sales/data/orders.csv": _csv(_orders(dice, [(str(p["sku"]), int(p["list_price_cents"])) for p in products])),
    }


def _rates(dice: Dice) -> list[Row]:
    """Rates of working days only, as central banks publish them, from the day before the first order."""
    days = [FIRST_DAY + timedelta(days=offset) for offset in range(-1, DAYS)]
    rates = [
        (day, currency, f"{rate * (0.98 + 0.04 * dice.random()):.4f}")
        for day in days
        if day.weekday() < 5
        for currency, rate in EUROS_PER_UNIT.items()
    ]
    return [("day", "currency", "euros_per_unit"), *rates]


def _orders(dice: Dice, prices: list[tuple[str, int]]) -> list[Row]:
    """Orders in time, with what real exports have: cancellations, missing countries, orders delivered twice."""
    header = ["order_id", "ordered_at", "customer_id", "country", "currency", "sku", "quantity", "unit_price", "status"]
    minutes = sorted(dice.below(DAYS * 24 * 60) for _ in range(ORDERS))
    rows: list[Row] = []
    for number, minute in enumerate(minutes, start=1):
        country = list(CURRENCIES)[dice.below(len(CURRENCIES))]
        currency = CURRENCIES[country]
        sku, cents = prices[dice.below(len(prices))]
        local_cents = int(cents / EUROS_PER_UNIT.get(currency, 1))
        row: list[object] = [
            f"O-{number:05d}",
            (datetime.combine(FIRST_DAY, datetime.min.time()) + timedelta(minutes=minute)).isoformat(timespec="minutes"),
            f"C-{1 + dice.below(400):04d}",
            "" if dice.below(100) == 0 else country,
            currency,
            sku,
            1 + dice.below(4),
            f"{local_cents // 100}.{local_cents % 100:02d}",
            "cancelled" if dice.below(25) == 0 else "shipped",
        ]
        if dice.below(60) == 0:
            rows.append([*row[:-1], "placed"])
        rows.append(row)
    return [header, *rows]


def _csv(rows: list[Row]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


if __name__ == "__main__":
    for name, text in make_fixtures().items():
        path = Path(__file__).parent / "packages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        sys.stdout.write(f"{path.name}: {len(text):,} bytes\n")
