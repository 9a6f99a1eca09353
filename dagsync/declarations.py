"""What options of a job are made of, besides plain values: ``from dagsync import Asset, Cron, Resources, Slack``.

Each is read from the source without running it, and stands for a dict that may be written instead, in a module as in
``pyproject.toml``: ``Cron("0 4 * * *", timezone="Europe/Berlin")`` for ``{"cron": "0 4 * * *", "timezone": "Europe/Berlin"}``,
``Slack("#etl")`` for ``{"via": "slack", "channel": "#etl"}``, ``timedelta(hours=6)`` for ``{"hours": 6}``, and ``Asset("s3://a/b")``
for its URI.
"""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeAlias, cast

from dagsync.texts import Value


@dataclass(frozen=True)
class Cron:
    """A cron expression by the clocks of one place: at four in the morning there, in summer and in winter."""

    cron: str
    """Cron expression of five fields, or a preset such as ``@daily``."""

    timezone: str = "UTC"
    """Name in the tz database, such as ``"Europe/Berlin"``."""


@dataclass(frozen=True)
class Asset:
    """Data that one job produces and others consume."""

    uri: str
    """Such as ``s3://bucket/path``, or a plain name."""


@dataclass(frozen=True)
class Resources:
    """What a job asks of Kubernetes, as quantities such as ``"500m"`` or ``"2Gi"``: requests and limits alike."""

    cpu: str = ""
    """Cores, such as ``"500m"`` or ``"2"``."""

    memory: str = ""
    """Bytes, such as ``"512Mi"``."""

    ephemeral_storage: str = ""
    """Bytes on the node's disk, such as ``"10Gi"``."""


@dataclass(frozen=True)
class Slack:
    """A message in a Slack channel, by ``apache-airflow-providers-slack``."""

    via: ClassVar[str] = "slack"

    channel: str
    """Such as ``"#etl"``."""

    connection: str = "slack_api_default"
    """Id of an Airflow connection."""

    text: str = ""
    """Jinja template. Empty: which task of which DAG failed or succeeded, with a link to its log."""


@dataclass(frozen=True)
class Sns:
    """A message to a topic of Amazon SNS, by ``apache-airflow-providers-amazon``."""

    via: ClassVar[str] = "sns"

    topic: str
    """ARN of the topic."""

    connection: str = "aws_default"
    """Id of an Airflow connection."""

    text: str = ""
    """Jinja template; empty as for ``Slack``."""


@dataclass(frozen=True)
class Email:
    """An e-mail, by ``apache-airflow-providers-smtp``."""

    via: ClassVar[str] = "email"

    to: str
    """Addresses, separated by commas."""

    connection: str = "smtp_default"
    """Id of an Airflow connection, which also names the sender."""

    text: str = ""
    """Jinja template of the body; empty as for ``Slack``."""


@dataclass(frozen=True)
class Webhook:
    """A POST of ``{"text": …}`` as JSON, by ``apache-airflow-providers-http``."""

    via: ClassVar[str] = "webhook"

    connection: str
    """Id of an Airflow connection, which holds the address and any token."""

    path: str = ""
    """Path below the connection's address."""

    text: str = ""
    """Jinja template; empty as for ``Slack``."""


Notification: TypeAlias = Slack | Sns | Email | Webhook

NOTIFICATIONS: dict[str, type[Notification]] = {each.via: each for each in (Slack, Sns, Email, Webhook)}

_VIA = {each.__name__: via for via, each in NOTIFICATIONS.items()}
_UNITS = ("days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks")

CALLS: dict[str, tuple[str, ...]] = {
    "timedelta": _UNITS,
    "datetime": ("year", "month", "day", "hour", "minute", "second"),
    "date": ("year", "month", "day"),
    **{
        each.__name__: tuple(field.name for field in fields(each))
        for each in (Cron, Asset, Resources, Slack, Sns, Email, Webhook)
    },
}
"""The calls an option may be made of, each with the names of its arguments in their order."""

ORIGINS = frozenset({"airflow.sdk", "dagsync", "dagsync.declarations", "datetime"})
"""Modules from which they may be imported under another name."""


def declared(call: str, given: dict[str, Value]) -> Value:
    """Return the plain value that a call stands for. Raises ``ValueError`` for a date that is none."""
    if call in _VIA:
        return {"via": _VIA[call], **given}
    if call == "Asset":
        return given.get("uri")
    if call in {"date", "datetime"}:
        whole = {name: value for name, value in given.items() if isinstance(value, int)}
        if whole.keys() < given.keys() or not {"year", "month", "day"} <= whole.keys():
            raise ValueError(f"{call}(...) takes whole numbers: year, month and day")
        return datetime(**whole).isoformat()  # pyright: ignore[reportArgumentType] - the names are those of CALLS
    return {**given}


def plain(value: object) -> Any:
    """Return an option as JSON and TOML have it: what ``dagsync.checks`` takes back."""
    match value:
        case timedelta():
            return {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}
        case datetime():
            return value.isoformat()
        case tuple():
            return [plain(each) for each in cast("tuple[object, ...]", value)]
        case Slack() | Sns() | Email() | Webhook():
            return {"via": value.via, **vars(value)}
        case Cron() | Resources():
            return dict(vars(value))
        case _:
            return value
