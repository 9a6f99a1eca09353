"""Where commands write: results to standard output, remarks to standard error."""

import sys
from collections.abc import Iterable


def tell(lines: Iterable[str]) -> None:
    """Write results, so that another program may read them."""
    sys.stdout.writelines(line + "\n" for line in lines)


def remark(lines: Iterable[str]) -> None:
    """Write what only a person wants to know."""
    sys.stderr.writelines(line + "\n" for line in lines)
