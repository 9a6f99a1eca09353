"""People are told through the providers' own notifiers, which are imported when there is something to tell."""

import asyncio
import importlib.util
import logging
import subprocess
import sys
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from dagsync.declarations import NOTIFICATIONS, Email, Notification, Slack, Sns, Webhook, plain
from dagsync.notifying import deadline_missed, send

EXPECTED: list[tuple[Notification, str, dict[str, Any]]] = [
    (
        Slack("#etl"),
        "airflow.providers.slack.notifications.slack.SlackNotifier",
        {"slack_conn_id": "slack_api_default", "channel": "#etl", "text": "late"},
    ),
    (
        Sns("arn:x", connection="aws"),
        "airflow.providers.amazon.aws.notifications.sns.SnsNotifier",
        {"aws_conn_id": "aws", "target_arn": "arn:x", "message": "late"},
    ),
    (
        Email("a@b.org"),
        "airflow.providers.smtp.notifications.smtp.SmtpNotifier",
        {"smtp_conn_id": "smtp_default", "to": "a@b.org", "subject": "late", "html_content": "late"},
    ),
    (
        Webhook("hooks", path="x"),
        "airflow.providers.http.notifications.http.HttpNotifier",
        {"http_conn_id": "hooks", "endpoint": "x", "json": {"text": "late"}},
    ),
]


@pytest.mark.parametrize(("notification", "path", "arguments"), EXPECTED)
def test_notifier_of_the_provider_gets_what_was_declared(
    monkeypatch: pytest.MonkeyPatch, notification: Notification, path: str, arguments: dict[str, Any]
) -> None:
    told: list[Any] = []

    def notifier(**given: Any) -> Any:
        return lambda context: told.append((given, context))

    module, _, name = path.rpartition(".")
    double = ModuleType(module)
    setattr(double, name, notifier)
    monkeypatch.setitem(sys.modules, module, double)
    send("on_failure", plain(replace(notification, text="late")), {"run_id": "r"})
    assert told == [(arguments, {"run_id": "r"})]
    send("on_success", plain(notification), {})
    assert "succeeded, run {{ run_id }}" in str(told[1])


def test_every_way_of_telling_is_covered() -> None:
    assert {each.via for each, *_ in EXPECTED} == set(NOTIFICATIONS)


def test_real_notifier_takes_these_arguments() -> None:
    from inspect import signature

    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    signature(SmtpNotifier).bind(**EXPECTED[2][2])


def test_missing_provider_costs_the_message_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    assert importlib.util.find_spec("airflow.providers.slack") is None
    with caplog.at_level(logging.ERROR):
        send("on_failure", plain(Slack("#etl")), {})
    assert "nobody is told by slack" in caplog.text
    assert "install apache-airflow-providers-slack" in caplog.text


def test_missed_deadline_is_told_with_dag_and_run(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    module = ModuleType("airflow.providers.slack.notifications.slack")
    module.SlackNotifier = lambda **given: lambda context: told.append(given["text"])  # pyright: ignore[reportAttributeAccessIssue] - a double
    monkeypatch.setitem(sys.modules, module.__name__, module)
    asyncio.run(deadline_missed("sales_load", [plain(Slack("#etl"))], {"dag_run": {"dag_run_id": "r1"}}))
    assert told == ["DAG sales_load missed its deadline, run r1"]
    asyncio.run(deadline_missed("sales_load", []))
    assert "sales_load missed its deadline" in caplog.text


def test_nothing_of_airflow_is_imported_before_there_is_something_to_tell() -> None:
    code = "import sys, dagsync.notifying\nassert not [name for name in sys.modules if name.startswith('airflow')]"
    subprocess.run([sys.executable, "-c", code], check=True)
