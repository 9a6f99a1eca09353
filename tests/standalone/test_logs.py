"""Reading logs: the components' files, and what a job itself said in a task's log."""

from itertools import islice
from pathlib import Path

import pytest

from standalone import logs
from standalone.rest import own_lines

pytestmark = pytest.mark.timeout(20)


def test_a_follower_sees_only_whole_new_lines_each_with_its_component(tmp_path: Path) -> None:
    a, b = tmp_path / "a.log", tmp_path / "b.log"
    a.write_text("old\n")
    following = logs.follow({"a": a, "b": b})
    b.write_text("from b\nhalf")
    assert list(islice(following, 1)) == [("b", "from b")]
    with a.open("a") as file:
        file.write("from a\n")
    with b.open("a") as file:
        file.write(" and whole\n")
    assert set(islice(following, 2)) == {("a", "from a"), ("b", "half and whole")}


def test_a_follower_goes_on_in_the_log_of_the_next_start(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("a long line of the run before\n")
    following = logs.follow({"a": log})
    with log.open("a") as file:
        file.write("last\n")
    assert next(following) == ("a", "last")
    log.replace(tmp_path / "a.log.1")
    # Longer than what was read of the one before, so that only its identity tells them apart.
    log.write_text("new\n" * 100)
    assert next(following) == ("a", "new")


def test_a_failed_jobs_own_words_come_in_order_and_its_exception_last() -> None:
    content = [
        {"event": "::group::Log message source details"},
        {"timestamp": "2026-01-01T00:00:01.2Z", "event": "DAG bundles loaded", "logger": "airflow.dag_processing.bundles"},
        {
            "timestamp": "2026-01-01T00:00:02.5Z",
            "event": "Task failed with exception",
            "logger": "task",
            "error_detail": [{"exc_type": "JobFailedError", "exc_value": "job shop.fails returned exit code 3"}],
        },
        {"timestamp": "2026-01-01T00:00:02.1Z", "event": "no input found", "logger": "task.stdout"},
        {"timestamp": "2026-01-01T00:00:01.9Z", "event": "looking", "logger": "shop.jobs.fails"},
    ]
    assert own_lines(content) == ["looking", "no input found", "JobFailedError: job shop.fails returned exit code 3"]
