"""The stacks beside Amazon MWAA, and where the prices come from, as rows of tables."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from costs.charges import Usage
from costs.estimate import Estimate, estimate
from costs.nodes import GIB, quantity
from costs.prices import HOURS_PER_MONTH, Prices
from costs.stacks import declared
from rendering import RecordedResource
from rendering.program import as_engine_gives, stack_file
from settings import load_settings

NETWORK = "Network"
USAGE = Usage()


@dataclass(frozen=True, kw_only=True)
class Environment:
    """An environment of MWAA. Source: Amazon MWAA user guide, "Amazon MWAA environment class"."""

    size: str
    worker: str
    worker_gib: Decimal
    """Memory of the one worker that is part of it."""

    tasks: int
    """At once, by default, in that worker."""

    gateways: int
    """NAT gateways of the two private subnets it needs: as many as the stack beside it has, two at most."""

    storage_gib: Decimal = Decimal(10)
    """Of its metadata database, which is charged apart."""


SMALL = Environment(size="small", worker="1 vCPU, 2 GB", worker_gib=Decimal(2), tasks=5, gateways=1)
MEDIUM = Environment(size="medium", worker="2 vCPU, 4 GB", worker_gib=Decimal(4), tasks=10, gateways=2)


def comparison_rows() -> Iterator[Sequence[str]]:
    """Yield ``dev`` and ``prod``, each beside the environment of MWAA it is compared with."""
    prices, dev = _estimate("dev", Decimal(0))
    gib = _task_gib("prod")
    hours = HOURS_PER_MONTH * MEDIUM.worker_gib / gib
    _, prod = _estimate("prod", hours)
    yield _stack_row("`dev`", dev, "in the scheduler's pod")
    yield _mwaa_row(SMALL, prices)
    yield _stack_row("`prod`", prod, f"{hours:,.0f} hours of pods with {gib:.0f} GiB each, the memory of the worker below")
    yield _mwaa_row(MEDIUM, prices)


def component_rows() -> Iterator[Sequence[str]]:
    """Yield what each component costs, in ``dev`` and in ``prod``, and all together."""
    found = [_estimate(stack, Decimal(0))[1] for stack in ("dev", "prod")]
    for name in sorted({name for one in found for name in one.components}):
        yield name, *(f"{one.components[name]:,.2f}" if name in one.components else "" for one in found)
    yield "all", *(f"{one.monthly:,.2f}" for one in found)


def source_rows() -> Iterator[Sequence[str]]:
    """Yield each source of the prices in the stacks' region, with the items it is of."""
    prices, _ = _estimate("dev", Decimal(0))
    for name, source in prices.sources.items():
        if items := [item for item, price in prices.items.items() if price.source == name]:
            yield ", ".join(f"`{item}`" for item in items), source.seen, "yes" if source.looked_up else "no", source.page


def _estimate(stack: str, task_hours: Decimal) -> tuple[Prices, Estimate]:
    prices, resources = _declared(stack)
    return prices, estimate(resources, prices, replace(USAGE, task_hours=task_hours))


@functools.cache
def _declared(stack: str) -> tuple[Prices, list[RecordedResource]]:
    return declared(stack)


def _task_gib(stack: str) -> Decimal:
    """Return the memory that a task's pod requests."""
    settings = load_settings(as_engine_gives(stack_file(stack)), stack=stack)
    return quantity(settings.airflow.task_pod.memory) / GIB


def _stack_row(name: str, found: Estimate, tasks: str) -> Sequence[str]:
    return _row(name, found.monthly, found.components[NETWORK], tasks)


def _mwaa_row(environment: Environment, prices: Prices) -> Sequence[str]:
    network = (
        prices.of("nat.gateway").monthly(Decimal(environment.gateways))
        + prices.of("ipv4.address").monthly(Decimal(environment.gateways))
        + prices.of("nat.traffic").monthly(USAGE.nat_gib)
    )
    rest = (
        prices.of(f"mwaa.environment.{environment.size}").monthly(Decimal(1))
        + prices.of("mwaa.storage").monthly(environment.storage_gib)
        + prices.of("cloudwatch.logs").monthly(2 * USAGE.logs_gib)
        + prices.of("s3.standard").monthly(USAGE.bucket_gib)
    )
    tasks = f"{environment.tasks} at once, in the one worker included ({environment.worker})"
    return _row(f"MWAA `mw1.{environment.size}`", rest + network, network, tasks)


def _row(name: str, total: Decimal, network: Decimal, tasks: str) -> Sequence[str]:
    # Rounded apart, two parts may miss their sum by one.
    rounded, part = round(total), round(network)
    return name, f"{rounded - part:,}", f"{part:,}", f"{rounded:,}", tasks
