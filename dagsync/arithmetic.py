"""Arithmetic of numbers whose cost is bounded before it is done: a short source must not make gigabytes."""

import ast
import operator
from collections.abc import Callable
from typing import Any

from dagsync.texts import Value

_LARGEST = 2**256
_LARGEST_EXPONENT = 256

_OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}
"""Those that strings and lists do not have, or that are not followed for them."""


def computed(operation: ast.operator, left: Value, right: Value) -> int | float | None:
    """Return the result of an operation on two numbers, ``None`` if it is none that is done here.

    Raises ``ValueError`` for numbers that are too large, and ``ArithmeticError`` as Python does.
    """
    operate = _OPERATIONS.get(type(operation))
    if operate is None or not isinstance(left, int | float) or not isinstance(right, int | float):
        return None
    if abs(left) > _LARGEST or abs(right) > (_LARGEST_EXPONENT if operate is operator.pow else _LARGEST):
        raise ValueError("the numbers are too large")
    result = operate(left, right)
    # A root of a negative number is complex.
    return result if isinstance(result, int | float) else None
