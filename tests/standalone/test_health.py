"""What counts as healthy."""

from datetime import UTC, datetime
from typing import Any

from standalone import health

BEGAN = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def report(beat: str = "2026-01-01T12:00:05.123+00:00", status: str = "healthy") -> dict[str, Any]:
    """An answer of Airflow 3.3's ``/api/v2/monitor/health``."""
    return {
        "metadatabase": {"status": "healthy"},
        "scheduler": {"status": "healthy", "latest_scheduler_heartbeat": "2026-01-01T12:00:05+00:00"},
        "triggerer": {"status": "healthy", "latest_triggerer_heartbeat": "2026-01-01T12:00:05+00:00"},
        "dag_processor": {"status": status, "latest_dag_processor_heartbeat": beat},
    }


def test_all_four_beating_since_the_start_is_healthy() -> None:
    assert health.unhealthy(report(), BEGAN.timestamp()) == {}


def test_a_heartbeat_of_the_run_before_does_not_count() -> None:
    assert health.unhealthy(report(beat="2026-01-01T11:59:58+00:00"), BEGAN.timestamp()) == {
        "dag_processor": "no heartbeat yet"
    }


def test_a_component_that_never_started_is_not_healthy() -> None:
    answer = report()
    answer["triggerer"] = {"status": None, "latest_triggerer_heartbeat": None}
    assert list(health.unhealthy(answer, BEGAN.timestamp())) == ["triggerer"]


def test_a_heart_that_stopped_is_reported_with_its_last_beat() -> None:
    problems = health.unhealthy(report(status="unhealthy"), BEGAN.timestamp())
    assert problems == {"dag_processor": "last heartbeat 2026-01-01T12:00:05.123+00:00"}


def test_a_database_that_does_not_answer_is_reported() -> None:
    answer = report()
    answer["metadatabase"]["status"] = "unhealthy"
    assert list(health.unhealthy(answer, BEGAN.timestamp())) == ["database"]
