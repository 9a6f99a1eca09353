"""Which schedules Airflow accepts, decided without Airflow.

A schedule Airflow cannot parse is an import error of the whole DAG file, so it must be caught before it is written. The
grammar is a subset of croniter's, which Airflow uses: hashed (``H``) and random (``R``) fields are left out because they
differ from parse to parse, and so are seconds and years.
"""

import re

from dagsync.texts import shown

PRESETS = ("@once", "@continuous", "@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)
_PART = re.compile(r"(?P<first>\*|[0-9]{1,2}|[a-z]{3})(?:-(?P<last>[0-9]{1,2}|[a-z]{3}))?(?:/(?P<step>[0-9]{1,2}))?")


def schedule_problem(schedule: str) -> str | None:
    """Return what is wrong with a preset or five-field cron expression, or ``None``."""
    if schedule.startswith("@"):
        if schedule in PRESETS:
            return None
        return f"unknown preset {schedule!r}; presets are {', '.join(PRESETS)}"
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        return f"expected a cron expression of 5 fields or a preset such as '@daily', found {schedule!r}"
    for text, (name, low, high, names) in zip(fields, _FIELDS, strict=True):
        for part in text.lower().split(","):
            if not _part_is_valid(part, low, high, names):
                return f"field {name!r} of cron expression {schedule!r}: {part!r} is not within {low}-{high}"
    day, month = fields[2], fields[3]
    if _never_comes(day, month):
        return f"cron expression {schedule!r} names a day that never comes"
    return None


def zone_problem(timezone: object) -> str | None:
    """Return what is wrong with the name of a time zone, or ``None``."""
    # Imported here: few jobs name one.
    from zoneinfo import ZoneInfo

    try:
        known = isinstance(timezone, str) and bool(ZoneInfo(timezone))
    except (ValueError, OSError, LookupError):
        known = False
    return None if known else f"timezone: expected a name of the tz database such as 'Europe/Berlin', found {shown(timezone)}"


def _part_is_valid(part: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    match = _PART.fullmatch(part)
    if match is None:
        return False
    first, last, step = match["first"], match["last"], match["step"]
    if step is not None and not 1 <= int(step) <= high:
        return False
    if first == "*":
        return last is None
    start = _number(first, names, low)
    # A step needs something to step through: croniter's reading of "5/2" changed between versions.
    if start is None or not low <= start <= high or (step is not None and last is None):
        return False
    if last is None:
        return True
    end = _number(last, names, low)
    return end is not None and start < end <= high


def _number(text: str, names: tuple[str, ...], low: int) -> int | None:
    if text.isdigit():
        return int(text)
    return names.index(text) + low if text in names else None


def _never_comes(day: str, month: str) -> bool:
    if not day.isdigit() or not month.isdigit():
        return False
    longest = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}.get(int(month), 31)
    return int(day) > longest
