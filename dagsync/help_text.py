"""An argument parser whose ``--help`` reads like a manual page."""

import argparse
import os
import sys


def formatter(prog: str) -> argparse.HelpFormatter:
    """Return what lays help out, as wide as argparse does.

    Every argument that is added asks for one. Without a width each would ask the terminal, by ``shutil``, which takes longer to
    import than a parser to make.
    """
    return argparse.HelpFormatter(prog, width=terminal_width() - 2)


def terminal_width() -> int:
    """Return the columns of the terminal, as ``shutil.get_terminal_size`` does."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80 if sys.__stdout__ is not None else 80
    except (OSError, ValueError):
        return 80


class Parser(argparse.ArgumentParser):
    """A parser with a page of the manual, which is only read and laid out when somebody asks for help."""

    command: str | None = None
    """Command whose page it is."""

    def format_help(self) -> str:
        if self.command is not None:
            from dagsync.manual import MANUAL, Page, epilog

            page = MANUAL.get(self.command, Page())
            width: int = self._get_formatter()._width  # pyright: ignore[reportPrivateUsage] - as wide as the options
            self.description = _filled(f"{self.description or ''} {page.text}", width)
            self.epilog = epilog(page, self.prog.split(" ")[0], width)
            self.formatter_class = argparse.RawDescriptionHelpFormatter
            self.command = None
        return super().format_help()


def with_page(parser: argparse.ArgumentParser, command: str) -> argparse.ArgumentParser:
    """Give a command's parser its page of the manual."""
    if isinstance(parser, Parser):
        parser.command = command
    return parser


def _filled(text: str, width: int) -> str:
    import textwrap

    return textwrap.fill(" ".join(text.split()), width)
