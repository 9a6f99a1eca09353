"""What a person sees while Airflow starts: one line per step, with its seconds."""

import time
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape


class Step:
    """A step under way; what is set as ``note`` stands in its line."""

    note = ""


class Progress:
    """Prints steps to a console; a spinner where the console is a terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def step(self, doing: str) -> Generator[Step]:
        """Show ``doing`` until the block ends, then a line with its seconds and note; a cross if it raised."""
        began = time.monotonic()
        step = Step()
        mark = "[red]✗[/]"
        try:
            with self.console.status(f"{escape(doing)} …"):
                yield step
            mark = "[green]✓[/]"
        finally:
            line = f"  {mark} {escape(doing):<34}{time.monotonic() - began:5.1f} s   [dim]{escape(step.note)}[/]"
            self.console.print(line, highlight=False, soft_wrap=True)

    def say_plain(self, line: str) -> None:
        """Print somebody else's text, which may hold what looks like markup."""
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def say(self, line: str = "") -> None:
        self.console.print(line, highlight=False, soft_wrap=True)
