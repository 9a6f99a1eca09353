"""Turns the ETL jobs of a monorepo into Airflow DAGs.

``from dagsync import Job`` is all a job module needs; it imports neither Airflow nor the command line.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagsync.model import Job

__all__ = ["Job"]


def __getattr__(name: str) -> object:
    # Lazy, because every command imports this package and only job modules want the class.
    if name == "Job":
        from dagsync.model import Job

        return Job
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
