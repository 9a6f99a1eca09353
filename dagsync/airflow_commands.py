"""Several commands of Airflow's in one process, as importing Airflow takes longer than most of them.

They run in Airflow's own environment, not in that of the command ``dagsync``.
"""

import sys
from argparse import ArgumentParser

WAIT_SECONDS = 300
"""How long a server may take to answer that is started at the same time."""


class AirflowCommands:
    """Airflow's command line."""

    def __init__(self) -> None:
        from airflow.cli import cli_parser

        self._parser: ArgumentParser = cli_parser.get_parser()

    def run(self, *words: str, **more: str) -> None:
        """Run one command; ``more`` is added to its parsed arguments, and so to nobody's list of processes.

        Raises ``SystemExit`` and whatever else the command does.
        """
        # Airflow keeps in its audit log what sys.argv says.
        sys.argv = ["airflow", *words]
        parsed = self._parser.parse_args(words)
        for name, value in more.items():
            setattr(parsed, name, value)
        parsed.func(parsed)

    def wait_for_database(self) -> None:
        """Return once the metadata database answers. Raises SQLAlchemy's ``OperationalError`` after ``WAIT_SECONDS``."""
        self.run("db", "check", "--retry", str(WAIT_SECONDS), "--retry-delay", "1")
