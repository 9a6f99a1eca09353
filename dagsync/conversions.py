"""From plain values, as sources, TOML and JSON have them, to those an option holds."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, TypeAlias

from dagsync.assets import asset_problem
from dagsync.declarations import CALLS, NOTIFICATIONS, Cron, Notification, Resources
from dagsync.schedule import schedule_problem, zone_problem
from dagsync.texts import Value, is_storable, shown

MAX_NAME = 250
"""Longest name of a pool, a queue, an owner or an executor that Airflow 3.3's database stores, less a few."""

MAX_DURATION = timedelta(days=3650)

_LABEL = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
IMAGE = rf"(?:[A-Za-z0-9.-]+(?::[0-9]+)?/)?{_LABEL}(?:/{_LABEL})*(?::\w[\w.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?"
"""Reference of an image, as the distribution project's ``reference`` package has it."""

Given: TypeAlias = "Value | date"
"""What may be found: TOML has dates, too."""


class UnfitError(Exception):
    """A value that an option cannot have. The message says why; without one, because something else was expected."""


class Check(NamedTuple):
    """What an option may be."""

    expected: str
    convert: Callable[[Given], object]
    """Returns the value as ``JobSpec`` holds it, or raises ``UnfitError``."""


def whole(low: int, high: int) -> Check:
    def convert(value: Given) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise UnfitError
        return value

    return Check(f"a whole number from {low} to {high}", convert)


def optional(check: Check) -> Check:
    def convert(value: Given) -> object:
        return None if value is None else check.convert(value)

    return Check(f"{check.expected} or None", convert)


def text(what: str, shape: str = r"(?s:.*\S.*)", longest: int = MAX_NAME) -> Check:
    def convert(value: Given) -> str:
        if not isinstance(value, str) or len(value) > longest or not re.fullmatch(shape, value) or not is_storable(value):
            raise UnfitError
        return value

    return Check(what, convert)


def one_of(*names: str) -> Check:
    def convert(value: Given) -> str:
        if not isinstance(value, str) or value not in names:
            raise UnfitError
        return value

    return Check(f"one of {', '.join(map(repr, names))}", convert)


def boolean(value: Given) -> bool:
    if not isinstance(value, bool):
        raise UnfitError
    return value


def docs(value: Given) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or not is_storable(value):
        raise UnfitError
    return value


def duration(value: Given) -> timedelta:
    """Return a duration given as seconds or as a dict of units."""
    given = value if isinstance(value, dict) else {"seconds": value}
    units = {unit: number for unit, number in given.items() if isinstance(unit, str)}
    numbers = {unit: each for unit, each in units.items() if isinstance(each, int | float) and not isinstance(each, bool)}
    if not numbers or len(numbers) < len(given):
        raise UnfitError
    try:
        found = timedelta(**numbers)
    except (OverflowError, ValueError, TypeError):
        raise UnfitError from None
    if not timedelta() < found <= MAX_DURATION:
        raise UnfitError
    return found


def schedule(value: Given) -> object:
    match value:
        case None:
            return None
        case str():
            problem, found = schedule_problem(value), value
        case {"cron": str() as cron, **rest} if rest.keys() <= {"timezone"}:
            zone = rest.get("timezone", "UTC")
            problem = schedule_problem(cron) or zone_problem(zone)
            # Neither has a clock, and no timetable of Airflow's takes them with one.
            found = cron if problem or cron in {"@once", "@continuous"} else Cron(cron, str(zone))
        case dict():
            return duration(value)
        case list() | tuple() if value:
            return assets(value)
        case _:
            raise UnfitError
    if problem:
        raise UnfitError(problem)
    return found


def texts(value: Given) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise UnfitError
    found = tuple(each for each in value if isinstance(each, str))
    if len(found) < len(value):
        raise UnfitError
    if not all(map(is_storable, found)):
        raise UnfitError("found a NUL or half a surrogate pair, which no argument can hold")
    return found


def distinct(value: Given) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts(value)))


def tags(value: Given) -> tuple[str, ...]:
    found = distinct(value)
    if not all(0 < len(tag) <= MAX_TAG for tag in found):
        raise UnfitError
    return found


MAX_TAG = 100
"""Longest tag of Airflow 3.3 (``airflow.models.dag.TAG_MAX_LEN``)."""


def assets(value: Given) -> tuple[str, ...]:
    uris = distinct(value)
    for problem in filter(None, map(asset_problem, uris)):
        raise UnfitError(problem)
    return uris


def start_date(value: Given) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise UnfitError from None
    if not isinstance(value, date) or not 1970 <= value.year <= 2200:
        raise UnfitError
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def notifications(value: Given) -> tuple[Notification, ...]:
    return tuple(map(_notification, value if isinstance(value, list | tuple) else [value]))


def _notification(value: Given) -> Notification:
    if not isinstance(value, dict):
        raise UnfitError
    via = value.get("via")
    kind = NOTIFICATIONS.get(via) if isinstance(via, str) else None
    if kind is None:
        raise UnfitError(f"via: expected one of {', '.join(NOTIFICATIONS)}, found {shown(via)}")
    names = CALLS[kind.__name__]
    settings: dict[str, str] = {}
    for name, setting in value.items():
        if name == "to" and isinstance(setting, list | tuple):
            setting = ", ".join(texts(setting))
        if name in names and isinstance(setting, str) and is_storable(setting):
            settings[str(name)] = setting
        elif name != "via":
            expected = f"{kind.__name__}: expected texts for {', '.join(names)}"
            raise UnfitError(f"{expected}, found {name if isinstance(name, str) else shown(name)}={shown(setting)}")
    if not settings.get(names[0]):
        raise UnfitError(f"{kind.__name__}: {names[0]} is missing")
    return kind(**settings)


_CPU = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,3})?|[0-9]{1,9}m")
_BYTES = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,3})?(?:[kMGTP]|[KMGTP]i)?")


def resources(value: Given) -> Resources:
    if not isinstance(value, dict) or not value or not value.keys() <= set(CALLS["Resources"]):
        raise UnfitError
    asked: dict[str, str] = {}
    for name, quantity in value.items():
        shape, example = (_CPU, "'500m' or '2'") if name == "cpu" else (_BYTES, "'512Mi' or '2Gi'")
        if not isinstance(quantity, str) or (quantity and not (shape.fullmatch(quantity) and re.search("[1-9]", quantity))):
            raise UnfitError(f"{name}: expected a Kubernetes quantity such as {example}, found {shown(quantity)}")
        asked[str(name)] = quantity
    return Resources(**asked)
