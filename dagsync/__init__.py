"""Turns the ETL jobs of a monorepo into Airflow DAGs.

``from dagsync import Job`` is all a job module needs, with ``Asset``, ``Cron``, ``Resources``, ``Slack``, ``Sns``, ``Email``
and ``Webhook`` for its options; it imports neither Airflow nor the command line.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagsync.declarations import Asset, Cron, Email, Resources, Slack, Sns, Webhook
    from dagsync.job import Job

__all__ = ["Asset", "Cron", "Email", "Job", "Resources", "Slack", "Sns", "Webhook"]


def __getattr__(name: str) -> object:
    # Lazy, because every command imports this package and only job modules want the classes.
    if name == "Job":
        from dagsync.job import Job

        return Job
    if name in __all__:
        from dagsync import declarations

        return getattr(declarations, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
