"""What passes is accepted by croniter, which Airflow uses: a bad schedule would be an import error of a whole DAG file."""

from datetime import UTC, datetime

import pytest
from croniter import croniter
from hypothesis import given
from hypothesis import strategies as st

from dagsync.schedule import PRESETS, schedule_problem


@pytest.mark.parametrize(
    "schedule", [*PRESETS, "* * * * *", "*/5 0-6 1,15 JAN-mar mon-fri", "0 0 29 2 *", "30 2 * * 7", "0-59/2 * * * *"]
)
def test_common_schedules_are_accepted(schedule: str) -> None:
    assert schedule_problem(schedule) is None


@pytest.mark.parametrize(
    "schedule",
    [
        *("", "@dailly", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *", "1- * * * *"),
        *("* * * *", "* * * * * *", "a b c d e", "5-1 * * * *", "0 0 31 2 *", "0 0 31 4 *", "1,,2 * * * *", "* * * xyz *"),
    ],
)
def test_schedules_airflow_could_not_run_are_refused(schedule: str) -> None:
    assert schedule_problem(schedule) is not None


FIELD = st.one_of(
    st.sampled_from(["*", "*/5", "jan", "mon-fri", "?", "L", "0-6/2", "1,2", "H", "W"]),
    st.text("0123456789*/-,LWH#?", min_size=1, max_size=6),
)


@given(st.lists(FIELD, min_size=5, max_size=5).map(" ".join))
def test_whatever_is_accepted_croniter_can_run(schedule: str) -> None:
    if schedule_problem(schedule) is None:
        assert croniter(schedule, datetime(2026, 1, 1, tzinfo=UTC)).get_next(datetime)
