"""Which value each option may have, wherever it is given: in a module, in ``pyproject.toml`` or in a record of a sync."""

from typing import Any

from dagsync import conversions as to
from dagsync.conversions import Check, Given, UnfitError, optional, text, whole
from dagsync.texts import shown

_DURATION = Check("a duration such as timedelta(minutes=5), or seconds", to.duration)
_ASSETS = Check('a list of assets such as [Asset("s3://bucket/path")]', to.assets)
_NOTIFICATIONS = Check('a list of Slack, Sns, Email or Webhook such as [Slack("#etl")]', to.notifications)
_SCHEDULE = (
    'a preset, a cron expression, Cron("0 4 * * *", timezone="Europe/Berlin"), timedelta(hours=6), '
    '[Asset("s3://bucket/path")] or None'
)

CHECKS: dict[str, Check] = {
    "schedule": Check(_SCHEDULE, to.schedule),
    "start_date": optional(Check("a date such as '2026-01-31' or date(2026, 1, 31)", to.start_date)),
    "catchup": Check("True or False", to.boolean),
    "max_active_runs": whole(1, 1000),
    "after": Check('a list of jobs such as ["sales.load"]', to.distinct),
    "consumes": _ASSETS,
    "produces": _ASSETS,
    "group": optional(text("a name of letters, digits and underscores", r"\w+", 100)),
    "args": Check('a list of strings such as ["--full"]', to.texts),
    "retries": whole(0, 100),
    "retry_delay": _DURATION,
    "timeout": optional(_DURATION),
    "deadline": optional(_DURATION),
    "pool": optional(text("the name of a pool")),
    "priority": whole(1, 1_000_000),
    "owner": optional(text("the name of a person or a team")),
    "queue": optional(text("the name of a queue")),
    "executor": optional(text("the name of an executor such as 'KubernetesExecutor'", r"[\w.:]+")),
    "tags": Check(f'a list of tags such as ["finance"], each of 1 to {to.MAX_TAG} characters', to.tags),
    "docs": Check("a text", to.docs),
    "on_failure": _NOTIFICATIONS,
    "on_success": _NOTIFICATIONS,
    "resources": optional(Check('Resources(cpu="500m", memory="1Gi", ephemeral_storage="2Gi")', to.resources)),
    "isolation": to.one_of("process", "inline", "kubernetes"),
    "image": optional(text("the reference of an image such as 'registry.example.com/sales:1.0.0'", to.IMAGE, 500)),
}
"""Every option there is."""

OF_THE_JOB_ALONE = frozenset({"after", "args", "consumes", "docs", "group", "produces"})
"""Options that a package or a tree cannot set for its jobs."""

OF_THE_DAG = ("schedule", "start_date", "catchup", "max_active_runs", "deadline")
"""Options on which the jobs of a group must agree."""


def checked(name: str, value: Given) -> Any:
    """Return the value of the option ``name`` as ``JobSpec`` holds it.

    Raises ``UnfitError``, whose message names the option, what was expected and what was found.
    """
    expected, convert = CHECKS[name]
    try:
        return convert(value)
    except UnfitError as error:
        reason = str(error) or f"expected {expected}, found {_shown(value)}"
        raise UnfitError(f"{name}: {reason}") from None


def _shown(value: Given) -> str:
    # Nested containers may share parts, so that a short source prints as gigabytes.
    items = value.values() if isinstance(value, dict) else value if isinstance(value, tuple | list) else ()
    return f"a {type(value).__name__}" if any(isinstance(item, tuple | list | dict) for item in items) else shown(value)
