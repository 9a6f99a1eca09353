"""The command line, and the only place of an estimate that prints or chooses an exit code."""

import json
import os
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from costs.charges import Usage
from costs.errors import CostError, NoStackError, SettingsProblemError
from costs.estimate import Estimate, estimate
from costs.prices import SHOWN_AS, Prices
from costs.stacks import declared
from rendering.program import UnknownStackError
from settings import SettingsError
from standalone import command_line

PIPED_WIDTH = 120

app = typer.Typer(add_completion=False, rich_markup_mode="markdown", pretty_exceptions_enable=False)
_USAGE = "What no stack file says"


def _gib(words: str) -> Any:
    return typer.Option(min=0, help=words, rich_help_panel=_USAGE)


@app.command()
def cost(
    stack: Annotated[str, typer.Argument(help="Stack, as `prod` in Pulumi.prod.yaml.")],
    task_hours: Annotated[float, typer.Option(min=0, help="Hours of task pods, all together.", rich_help_panel=_USAGE)] = float(
        Usage.task_hours
    ),
    nat_gib: Annotated[float, _gib("GiB through NAT gateways.")] = float(Usage.nat_gib),
    logs_gib: Annotated[float, _gib("GiB of logs from each of control plane and database.")] = float(Usage.logs_gib),
    bucket_gib: Annotated[float, _gib("GiB in each bucket.")] = float(Usage.bucket_gib),
    flows_gib: Annotated[float, _gib("GiB of flow logs.")] = float(Usage.flows_gib),
    registry_gib: Annotated[float, _gib("GiB of images and build cache.")] = float(Usage.registry_gib),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Estimate what STACK costs on AWS in a month, at on-demand list prices, by component.

    It reads the resources that the program declares for `Pulumi.STACK.yaml`, without engine or account, so what you change
    there changes the estimate: try `database.multiAz` or `network.nat`. Prices are in `costs/prices.toml`, with sources.

    Exit codes: 0; 3 there is no such stack; 13 settings; 19 something is declared that the table has no price for.
    """
    usage = Usage(
        task_hours=_decimal(task_hours),
        nat_gib=_decimal(nat_gib),
        logs_gib=_decimal(logs_gib),
        bucket_gib=_decimal(bucket_gib),
        flows_gib=_decimal(flows_gib),
        registry_gib=_decimal(registry_gib),
    )
    # An output that sneaks into a text would otherwise only warn.
    os.environ.setdefault("PULUMI_ERROR_OUTPUT_STRING", "true")
    try:
        prices, resources = declared(stack)
    except UnknownStackError as error:
        raise NoStackError(str(error), "Name one of these: make cost STACK=prod") from None
    except SettingsError as error:
        raise SettingsProblemError(str(error), f"Mend Pulumi.{stack}.yaml; docs/configuration.md has every key.") from None
    found = estimate(resources, prices, usage)
    if as_json:
        typer.echo(json.dumps(as_document(stack, prices, found), indent=2))
    else:
        show(stack, prices, found)


def as_document(stack: str, prices: Prices, found: Estimate) -> dict[str, Any]:
    """Return an estimate as JSON."""
    return {
        "stack": stack,
        "region": prices.region,
        "currency": "USD",
        "monthly": _cents(found.monthly),
        "components": {name: _cents(amount) for name, amount in found.components.items()},
        "lines": [
            {
                "component": line.component,
                "what": line.what,
                "item": line.item,
                "quantity": float(round(line.quantity, 3)),
                "per": line.price.per,
                "usd": float(line.price.usd),
                "monthly": _cents(line.monthly),
                "source": line.price.source,
            }
            for line in found.lines
        ],
        "assumed": list(found.assumed),
        "leftOut": list(found.left_out),
        "pricesGoneThrough": prices.gone_through.isoformat(),
    }


def show(stack: str, prices: Prices, found: Estimate) -> None:
    """Print an estimate for people."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPED_WIDTH)
    if not found.lines:
        console.print(f"The stack {escape(stack)} makes nothing on AWS: it costs nothing there.", highlight=False)
        return
    table = Table(title=f"{stack} in {prices.region}, a month", title_justify="left")
    for name in ("component", "what"):
        table.add_column(name)
    for name in ("quantity", "USD", "a month"):
        table.add_column(name, justify="right")
    last = ""
    for line in found.lines:
        if last and line.component != last:
            table.add_section()
        name = "" if line.component == last else f"{line.component} {dollars(found.components[line.component])}"
        mark = "" if prices.source(line.price).looked_up else "*"
        unit = f"{line.price.usd} / {line.price.per}{mark}"
        table.add_row(name, line.what, f"{float(round(line.quantity, 2)):g}", unit, dollars(line.monthly))
        last = line.component
    table.add_section()
    table.add_row("[bold]all", "", "", "", f"[bold]{dollars(found.monthly)}")
    console.print(table)
    for title, sentences in (("Assumed", found.assumed), ("Left out", found.left_out)):
        console.print(f"[bold]{title}[/]")
        for sentence in sentences:
            console.print(f"  {escape(sentence)}", highlight=False, soft_wrap=True)
    console.print(f"List prices as of {prices.gone_through}, from {SHOWN_AS}, which names the source of each.", highlight=False)
    if any(not prices.source(line.price).looked_up for line in found.lines):
        console.print("* is a price that nobody looked up for this table; see the page its source names.", highlight=False)


def dollars(amount: Decimal) -> str:
    """Return an amount as text."""
    return f"{amount:,.2f}"


def main() -> int:
    """Run the command line and return its exit code."""
    return command_line.run(app, CostError)


def _decimal(number: float) -> Decimal:
    return Decimal(f"{number:g}")


def _cents(amount: Decimal) -> float:
    return float(round(amount, 2))
