"""An argument parser whose ``--help`` reads like a manual page."""

import argparse

from dagsync.manual import MANUAL, Page, epilog


class Parser(argparse.ArgumentParser):
    """A parser with a page of the manual, which is only laid out when somebody asks for help."""

    page: Page | None = None

    def format_help(self) -> str:
        if self.page is not None:
            formatter = self._get_formatter()
            width: int = formatter._width  # pyright: ignore[reportPrivateUsage] - the only place that knows the terminal's
            self.description = _filled(f"{self.description or ''} {self.page.text}", width)
            self.epilog = epilog(self.page, self.prog.split(" ")[0], width)
            self.formatter_class = argparse.RawDescriptionHelpFormatter
        return super().format_help()


def with_page(parser: argparse.ArgumentParser, command: str) -> argparse.ArgumentParser:
    """Give a command's parser its page of the manual."""
    if isinstance(parser, Parser):
        parser.page = MANUAL.get(command, Page())
    return parser


def _filled(text: str, width: int) -> str:
    import textwrap

    return textwrap.fill(" ".join(text.split()), width)
