"""How a job ends: 0 done, 1 bad data (with its message in the log), 2 wrong arguments (argparse)."""

import argparse
import functools
import logging
from collections.abc import Callable
from datetime import date, datetime

Entrypoint = Callable[[list[str]], int]


class DataError(Exception):
    """Data a job cannot work with. The message says where, what was expected and what was found."""


def reports_data_errors(entrypoint: Entrypoint) -> Entrypoint:
    """Return ``entrypoint`` with a ``DataError`` logged as one line and turned into exit code 1."""

    @functools.wraps(entrypoint)
    def run(argv: list[str]) -> int:
        try:
            return entrypoint(argv)
        except DataError as error:
            logging.getLogger(entrypoint.__module__).error("%s", error)
            return 1

    return run


def day(text: str) -> date:
    """argparse type: a day as ``YYYY-MM-DD``."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a day such as 2026-01-31, got {text!r}") from None


def positive(text: str) -> int:
    """argparse type: a whole number above zero."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, got {text!r}")
    return int(text)
