"""The table of prices, ``prices.toml``: one price a line, each with where it comes from."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from costs.errors import NoPriceError

TABLE = Path(__file__).with_name("prices.toml")
SHOWN_AS = "costs/prices.toml"
HOURS_PER_MONTH = 730
"""As AWS's own calculator counts: 8760 hours a year, in twelve."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Model):
    """Where figures come from."""

    page: str
    """AWS's own page, where they can be checked."""

    seen: str
    """Where they were taken from, and when."""

    looked_up: bool
    """Whether that was something published of this region. Otherwise it is memory, or worked out from other prices."""


class Price(_Model):
    """What one unit costs."""

    usd: Decimal
    per: Literal["hour", "month", "GB", "GB-month", "USD of instances"]
    source: str

    def monthly(self, quantity: Decimal) -> Decimal:
        """Return what ``quantity`` units cost in a month; those priced by the hour are there all the time."""
        return quantity * self.usd * (HOURS_PER_MONTH if self.per == "hour" else 1)


class NodeType(_Model):
    """An EC2 instance type that nodes may be of."""

    cpus: int
    memory_gib: int
    architecture: Literal["amd64", "arm64"]


class _Table(_Model):
    gone_through: date
    sources: Mapping[str, Source]
    node_types: Mapping[str, NodeType]
    prices: Mapping[str, Mapping[str, Price]]


@dataclass(frozen=True, kw_only=True)
class Prices:
    """The prices of one region."""

    region: str
    gone_through: date
    """When the table was last gone through."""

    items: Mapping[str, Price]
    sources: Mapping[str, Source]
    node_types: Mapping[str, NodeType]

    def of(self, item: str) -> Price:
        """Return the price of an item, such as ``rds.postgresql.db.m7g.large``. Raises NoPriceError."""
        if item in self.items:
            return self.items[item]
        family = item.split(".")[0]
        known = ", ".join(sorted(name for name in self.items if name.split(".")[0] == family)) or "nothing like it"
        raise NoPriceError(
            f"{item} has no price in {self.region}, table {SHOWN_AS}", f"Add it there with its source. It has: {known}"
        )

    def source(self, price: Price) -> Source:
        """Return where a price comes from."""
        return self.sources[price.source]


def read_prices(region: str, table: Path = TABLE) -> Prices:
    """Return the prices of a region. Raises NoPriceError where the table has none of it."""
    read = _Table.model_validate(tomllib.loads(table.read_text(encoding="utf-8"), parse_float=Decimal))
    if region not in read.prices:
        known = ", ".join(read.prices)
        raise NoPriceError(
            f"region {region} has no prices, table {SHOWN_AS}", f"Add them there with their sources. It has: {known}"
        )
    return Prices(
        region=region,
        gone_through=read.gone_through,
        items=read.prices[region],
        sources=read.sources,
        node_types=read.node_types,
    )
