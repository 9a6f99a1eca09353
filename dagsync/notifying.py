"""Tells people how a task ended or that a run is late, through the notifiers of Airflow's providers.

Called by the generated DAG files and by Airflow's triggerer. A provider is imported when there is something to tell, never
when a file is parsed; one that is missing costs the message and says so in the log.
"""

import asyncio
import importlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_LOG = logging.getLogger(__name__)

Settings = Mapping[str, str]

_ENDS = {"on_failure": "failed", "on_success": "succeeded"}

_NOTIFIERS: dict[str, tuple[str, str, Callable[[Settings, str], dict[str, Any]]]] = {
    "slack": (
        "airflow.providers.slack.notifications.slack.SlackNotifier",
        "apache-airflow-providers-slack",
        lambda of, text: {"slack_conn_id": of["connection"], "channel": of["channel"], "text": text},
    ),
    "sns": (
        "airflow.providers.amazon.aws.notifications.sns.SnsNotifier",
        "apache-airflow-providers-amazon",
        lambda of, text: {"aws_conn_id": of["connection"], "target_arn": of["topic"], "message": text},
    ),
    "email": (
        "airflow.providers.smtp.notifications.smtp.SmtpNotifier",
        "apache-airflow-providers-smtp",
        lambda of, text: {
            "smtp_conn_id": of["connection"],
            "to": of["to"],
            "subject": text.splitlines()[0],
            "html_content": text,
        },
    ),
    "webhook": (
        "airflow.providers.http.notifications.http.HttpNotifier",
        "apache-airflow-providers-http",
        lambda of, text: {"http_conn_id": of["connection"], "endpoint": of["path"], "json": {"text": text}},
    ),
}
"""Notifier, the distribution that has it, and its arguments."""


def send(option: str, notification: Settings, context: Any) -> None:
    """Tell one of those named in ``on_failure`` or ``on_success`` how the task of an Airflow context ended."""
    text = f"Task {{{{ ti.task_id }}}} of {{{{ ti.dag_id }}}} {_ENDS[option]}, run {{{{ run_id }}}}\n{{{{ ti.log_url }}}}"
    _send(notification, notification["text"] or text, context)


async def deadline_missed(dag_id: str, notifications: Sequence[Settings], context: Any = None) -> None:
    """Tell those named in ``on_failure`` that a run of a DAG is not done in time."""
    run: dict[str, str] = context["dag_run"] if context else {}
    text = f"DAG {dag_id} missed its deadline, run {run.get('dag_run_id', 'unknown')}"
    _LOG.warning("%s", text)
    for notification in notifications:
        # Notifiers wait for the network, and the triggerer's loop must not.
        await asyncio.to_thread(_send, notification, text, dict(context or {}))


def _send(notification: Settings, text: str, context: Any) -> None:
    path, distribution, arguments = _NOTIFIERS[notification["via"]]
    module, _, name = path.rpartition(".")
    try:
        notifier = getattr(importlib.import_module(module), name)
    except ImportError as error:
        _LOG.error("nobody is told by %s: %s\ninstall %s where tasks run", notification["via"], error, distribution)
        return
    notifier(**arguments(notification, text))(context)
