"""The arguments of the commands for people who write jobs, and of ``status`` and ``completion``."""

import argparse
from collections.abc import Callable
from typing import Protocol

from dagsync.errors import EXIT_PROBLEMS
from dagsync.store_arguments import add_fetched

AIRFLOW_CHOICES = ("auto", "require", "never")
ENVIRONMENT_ACTIONS = ("list", "build", "prune")
SHELLS = ("bash", "zsh", "fish")
DEFAULT_MAX_AGE_SECONDS = 900.0
"""Three intervals of ``sync --watch``."""


class AddCommand(Protocol):
    def __call__(self, name: str, description: str, *, packages: bool, target: bool) -> argparse.ArgumentParser: ...


def add_authoring_commands(command: AddCommand, seconds: Callable[[str], float]) -> None:
    """Add the commands; ``command`` makes one that knows the packages root, the DAG folder or neither."""
    validate = command("validate", "Say whether Airflow will take the DAGs of all jobs.", packages=True, target=False)
    validate.add_argument(
        "--airflow",
        choices=AIRFLOW_CHOICES,
        default="auto",
        help="let Airflow parse the DAG files: if it is installed, always, or never (default: %(default)s)",
    )
    validate.add_argument("--json", action="store_true", help="print JSON")

    status = command("status", "Show what is in the DAG folder and when it was synced.", packages=False, target=True)
    status.add_argument(
        "--max-age",
        type=seconds,
        default=DEFAULT_MAX_AGE_SECONDS,
        metavar="SECONDS",
        help=f"exit with {EXIT_PROBLEMS} if the last sync was longer ago (default: %(default)g)",
    )
    status.add_argument("--json", action="store_true", help="print JSON")

    run = command("run", "Run one job here as its Airflow task would.", packages=True, target=False)
    run.add_argument("job", metavar="PACKAGE.JOB", help="the job, such as sales.load_orders")
    add_fetched(run)
    run.usage = "%(prog)s [-h] [--packages-root DIR] PACKAGE.JOB [-- ARGUMENT ...]"

    environments = command(
        "environments",
        "List, make or remove the environments of packages that bring dependencies.",
        packages=True,
        target=False,
    )
    environments.add_argument(
        "action", choices=ENVIRONMENT_ACTIONS, nargs="?", default="list", metavar="ACTION", help="list (default), build, prune"
    )
    environments.add_argument(
        "--unused-days",
        type=seconds,
        metavar="DAYS",
        help="with prune: remove what no job used for so long (default: 7), and what is left of builds that were killed",
    )
    environments.add_argument("--json", action="store_true", help="with list: print JSON")

    new = command("new", "Write a new job, and its package if there is none.", packages=True, target=False)
    new.add_argument("package", metavar="PACKAGE", help="folder below the packages root")
    new.add_argument("job", metavar="JOB", help="name of the module")
    new.add_argument("--description", metavar="TEXT", help="shown beside the DAG in Airflow (default: made from the name)")

    completion = command("completion", "Print the completion script of a shell.", packages=False, target=False)
    completion.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
