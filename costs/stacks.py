"""What the stacks that have a file declare, and the prices of their regions."""

from collections.abc import Mapping
from typing import Any

from costs.prices import Prices, read_prices
from rendering import RecordedResource, render_stack
from rendering.program import stack_file

DEFAULT_REGION = "eu-west-1"
"""Whose prices are read where a stack names no region, and so makes nothing on AWS."""


def declared(stack: str, values: Mapping[str, Any] | None = None) -> tuple[Prices, list[RecordedResource]]:
    """Return the prices of a stack's region and the stack's resources; ``values`` replaces the stack file's configuration.

    Raises NoPriceError; SettingsError as a preview would; UnknownStackError.
    """
    configuration = stack_file(stack) if values is None else values
    resources = render_stack(stack, configuration)
    return read_prices(configuration.get("aws:region", DEFAULT_REGION)), resources
