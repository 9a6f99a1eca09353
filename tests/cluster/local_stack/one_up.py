"""``python -m tests.cluster.local_stack.one_up FOLDER``: one ``up`` of a stack, in a process of its own that can be killed.

What is laid over the stack file is read from standard input, as JSON; the cluster is that of ``KUBECONFIG``.
"""

import json
import os
import sys
from pathlib import Path

from rich.console import Console

from stack.engine import find
from stack.operations import Operations
from stack.state import StateFolder
from standalone.progress import Progress


def main() -> None:
    opened = Operations.opened(
        "local",
        find("kubernetes"),
        StateFolder(Path(sys.argv[1])),
        Progress(Console()),
        more_environment={"KUBECONFIG": os.environ["KUBECONFIG"]},
        config=json.load(sys.stdin),
    )
    with opened as operations:
        print(operations.up())


if __name__ == "__main__":
    main()
