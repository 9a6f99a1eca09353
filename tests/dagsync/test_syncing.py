"""The DAG folder follows the packages; nothing else in it is touched, and no DAG is lost to a mistake."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagsync.applying import plan_sync
from dagsync.errors import PackagesRootError, TargetLockedError, TargetWriteError
from dagsync.rendering import MARKER
from dagsync.storage import is_settled, locked
from dagsync.walking import Signature
from tests.dagsync.tree import JOB, Monorepo

BROKEN = "def entrypoint(argv:\n    JOB"


def state(folder: Path) -> dict[str, tuple[int, int]]:
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_ino) for path in folder.glob("*.py")}


def age(root: Path) -> None:
    """Make files look older than the moment in which a change might not show in their time stamps."""
    import time

    time.sleep(0.06)
    assert root.exists()


def test_jobs_added_changed_and_removed_are_dags_added_changed_and_removed(monorepo: Monorepo) -> None:
    for ref in ("sales.load", "sales.report", "crm.sync"):
        monorepo.job(ref)
    report = monorepo.sync()
    assert (report.jobs, report.written, report.unchanged, report.removed) == (3, 3, 0, 0)
    assert monorepo.dag_ids() == {"sales_load", "sales_report", "crm_sync"}

    monorepo.job("sales.load", 'JOB = (main, "Changed")')
    monorepo.job("ops.clean")
    (monorepo.packages / "crm/jobs/sync.py").unlink()
    report = monorepo.sync()
    assert report.files == (("delete", "crm_dags.py"), ("create", "ops_dags.py"), ("update", "sales_dags.py"))
    assert (report.written, report.unchanged, report.removed) == (3, 0, 1)
    assert monorepo.dag_ids() == {"sales_load", "sales_report", "ops_clean"}
    assert b"'Changed'" in monorepo.files()["sales_dags.py"]


def test_second_sync_changes_nothing_and_touches_no_file(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    monorepo.job("crm.sync")
    monorepo.sync()
    before = state(monorepo.dags)
    for _ in range(3):
        age(monorepo.packages)
        report = monorepo.sync()
        assert (report.written, report.unchanged, report.removed) == (0, 2, 0)
    assert state(monorepo.dags) == before


def test_file_whose_bytes_stay_the_same_is_not_touched_by_a_change_elsewhere(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    monorepo.job("crm.sync")
    monorepo.sync()
    before = state(monorepo.dags)
    monorepo.job("crm.more")
    monorepo.job("sales.load", JOB + "# a remark\n")
    monorepo.sync()
    after = state(monorepo.dags)
    assert after["sales_dags.py"] == before["sales_dags.py"]
    assert after["crm_dags.py"] != before["crm_dags.py"]


@pytest.mark.parametrize("same_size", ['"A jub"', '"A longer description"'])
def test_change_of_a_source_is_seen_even_if_its_time_stamp_is_set_back(monorepo: Monorepo, same_size: str) -> None:
    path = monorepo.job("sales.load")
    monorepo.sync()
    age(monorepo.packages)
    monorepo.sync()
    before = path.stat()
    path.write_text(JOB.replace('"A job"', same_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    monorepo.sync()
    assert same_size.strip('"') in monorepo.files()["sales_dags.py"].decode()


def test_file_changed_a_moment_before_it_was_listed_is_read_again() -> None:
    # The kernel may give a change within the same tick the same time stamp.
    def signature(mtime_ns: int, ctime_ns: int) -> Signature:
        return Signature(mtime_ns, ctime_ns, size=1, inode=1)

    listed_ns = 10**18
    long_ago, just_now = listed_ns - 10**9, listed_ns - 10**7
    assert is_settled(signature(long_ago, long_ago), listed_ns)
    assert not is_settled(signature(just_now, long_ago), listed_ns)
    assert not is_settled(signature(long_ago, just_now), listed_ns)


@pytest.mark.parametrize("group_by", ["package", "job"])
def test_broken_job_keeps_its_last_good_dag_while_others_move_on(monorepo: Monorepo, group_by: str) -> None:
    monorepo.job("sales.load", 'JOB = (main, "The last good one", {"retries": 7})')
    monorepo.job("sales.report")
    monorepo.sync(group_by=group_by)
    monorepo.job("sales.load", BROKEN)
    monorepo.job("sales.added")
    (monorepo.packages / "sales/jobs/report.py").unlink()
    for _ in range(2):
        report = monorepo.sync(group_by=group_by)
        assert report.kept == ("sales.load",)
        assert [problem.path for problem in report.problems] == ["sales/jobs/load.py"]
        assert monorepo.dag_ids() == {"sales_load", "sales_added"}
        content = b"".join(monorepo.files().values())
        assert b"The last good one" in content
        assert b"retries=7" in content
    (monorepo.packages / "sales/jobs/load.py").unlink()
    monorepo.sync(group_by=group_by)
    assert monorepo.dag_ids() == {"sales_added"}


def test_added_import_that_is_missing_does_not_remove_a_dag(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    monorepo.sync()
    monorepo.job("sales.load", f"import not_there_today\n{JOB}")
    report = monorepo.sync()
    assert (report.problems, report.removed) == ((), 0)
    assert monorepo.dag_ids() == {"sales_load"}


def lose_init(packages: Path) -> None:
    (packages / "sales/__init__.py").unlink()


def break_option(packages: Path) -> None:
    (packages / "sales/jobs/load.py").write_text('JOB = (main, "x", {"retry": 1})')


def empty_file(packages: Path) -> None:
    (packages / "sales/jobs/load.py").write_text("")


@pytest.mark.parametrize("mishap", [lose_init, break_option, empty_file])
def test_dag_of_a_job_that_is_not_known_to_be_gone_stays(monorepo: Monorepo, mishap: Callable[[Path], None]) -> None:
    monorepo.job("sales.load")
    for name in ("a", "b", "c"):
        monorepo.job(f"other.{name}")
    monorepo.sync()
    mishap(monorepo.packages)
    report = monorepo.sync()
    assert "sales_load" in monorepo.dag_ids()
    assert report.removed == 0
    assert report.problems


def test_dag_stays_when_another_job_claims_its_id(monorepo: Monorepo) -> None:
    monorepo.job("a.b_c", 'JOB = (main, "The first")')
    monorepo.sync()
    monorepo.job("a_b.c")
    report = monorepo.sync()
    assert len(report.problems) == 2
    assert monorepo.dag_ids() == {"a_b_c"}
    assert b"The first" in monorepo.files()["a_dags.py"]


def test_job_is_gone_once_its_module_declares_none(monorepo: Monorepo) -> None:
    for name in ("load", "b", "c"):
        monorepo.job(f"sales.{name}")
    monorepo.sync()
    monorepo.job("sales.load", "def entrypoint(argv): ...\n")
    report = monorepo.sync()
    assert report.removed == 1
    assert monorepo.dag_ids() == {"sales_b", "sales_c"}


def test_job_moved_to_a_package_where_it_has_the_same_dag_id_is_moved(monorepo: Monorepo) -> None:
    monorepo.job("a.b_c")
    monorepo.sync()
    (monorepo.packages / "a/jobs/b_c.py").unlink()
    monorepo.job("a_b.c")
    report = monorepo.sync()
    assert report.problems == ()
    assert monorepo.dag_ids() == {"a_b_c"}
    assert set(monorepo.files()) == {"a_b_dags.py"}


def test_only_files_we_wrote_are_ever_removed_or_overwritten(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    monorepo.job("crm.sync")
    monorepo.job("ops.clean")
    monorepo.sync()
    theirs = {
        "handwritten_dag.py": "# a person's DAG\n",
        "handwritten_dags.py": "# a person's DAGs\n",
        "copied_dags.py": (monorepo.dags / "crm_dags.py").read_text(),
        "plain.py": "from airflow.sdk import DAG\n",
        "hr_dags.py": "# a person got here first\n",
    }
    for name, content in theirs.items():
        (monorepo.dags / name).write_text(content)
    (monorepo.packages / "crm/jobs/sync.py").unlink()
    monorepo.job("hr.pay")
    for _ in range(2):
        report = monorepo.sync()
        assert set(monorepo.files()) == {"sales_dags.py", "ops_dags.py", *theirs}
        assert {name: (monorepo.dags / name).read_text() for name in theirs} == theirs
        assert [Path(problem.path).name for problem in report.problems] == ["hr_dags.py"]
        assert "not written by dagsync" in report.problems[0].message
        assert [Path(note.path).name for note in report.notes] == ["copied_dags.py"]


def test_file_of_ours_edited_by_hand_is_made_ours_again(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    monorepo.sync()
    good = monorepo.files()
    (monorepo.dags / "sales_dags.py").write_bytes(good["sales_dags.py"] + b"import os\n")
    assert monorepo.sync().written == 1
    assert monorepo.files() == good


def test_file_of_ours_without_its_header_belongs_to_who_took_it_off(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    monorepo.job("crm.sync")
    monorepo.sync()
    taken = monorepo.files()["sales_dags.py"].replace(MARKER.encode(), b"# Mine now, once written by dagsync")
    (monorepo.dags / "sales_dags.py").write_bytes(taken)
    assert "is in the way" in monorepo.sync().problems[0].message
    (monorepo.packages / "sales/jobs/load.py").unlink()
    monorepo.sync()
    assert monorepo.files()["sales_dags.py"] == taken


def test_link_in_the_way_is_neither_followed_nor_replaced(monorepo: Monorepo, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text(f"{MARKER}\n")
    monorepo.dags.mkdir()
    (monorepo.dags / "sales_dags.py").symlink_to(target)
    monorepo.job("sales.load")
    assert "is in the way" in monorepo.sync().problems[0].message
    assert (monorepo.dags / "sales_dags.py").is_symlink()
    assert target.read_text() == f"{MARKER}\n"


def test_more_than_half_of_the_dags_are_only_removed_when_told_to(monorepo: Monorepo) -> None:
    for name in "abcde":
        monorepo.job(f"sales.{name}")
    monorepo.sync()
    for name in "abc":
        (monorepo.packages / f"sales/jobs/{name}.py").unlink()
    monorepo.job("crm.sync")
    report = monorepo.sync()
    assert report.refused == ("sales_a", "sales_b", "sales_c")
    assert monorepo.dag_ids() == {"sales_a", "sales_b", "sales_c", "sales_d", "sales_e", "crm_sync"}
    report = monorepo.sync(allow_mass_removal=True)
    assert (report.refused, report.removed) == ((), 3)
    assert monorepo.dag_ids() == {"sales_d", "sales_e", "crm_sync"}


def test_half_of_the_dags_may_go(monorepo: Monorepo) -> None:
    for name in "abcd":
        monorepo.job(f"sales.{name}")
    monorepo.sync()
    for name in "ab":
        (monorepo.packages / f"sales/jobs/{name}.py").unlink()
    assert monorepo.sync().removed == 2


def test_no_jobs_at_all_still_cleans_under_the_same_guard(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    monorepo.sync()
    (monorepo.packages / "sales/jobs/load.py").unlink()
    assert monorepo.sync().refused == ("sales_load",)
    assert monorepo.dag_ids() == {"sales_load"}
    assert monorepo.sync(allow_mass_removal=True).removed == 1
    assert monorepo.files() == {}


def test_missing_packages_root_is_an_error_and_no_reason_to_clean(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    monorepo.sync()
    monorepo.packages.rename(monorepo.packages.with_name("unmounted"))
    with pytest.raises(PackagesRootError):
        monorepo.sync(allow_mass_removal=True)
    assert monorepo.dag_ids() == {"sales_load"}


def test_without_cleaning_nothing_is_removed(monorepo: Monorepo) -> None:
    for ref in ("sales.load", "sales.report", "crm.sync"):
        monorepo.job(ref)
    monorepo.sync()
    (monorepo.packages / "sales/jobs/load.py").unlink()
    (monorepo.packages / "crm/jobs/sync.py").unlink()
    monorepo.job("ops.clean")
    assert monorepo.sync(clean=False).removed == 0
    assert monorepo.dag_ids() == {"sales_load", "sales_report", "crm_sync", "ops_clean"}
    assert monorepo.sync().removed == 2


def test_grouping_can_be_changed_at_any_time(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    monorepo.job("sales.report")
    monorepo.sync()
    monorepo.sync(group_by="job")
    assert set(monorepo.files()) == {"sales_load_dag.py", "sales_report_dag.py"}
    monorepo.sync()
    assert set(monorepo.files()) == {"sales_dags.py"}
    assert monorepo.dag_ids() == {"sales_load", "sales_report"}


def test_grouping_can_be_changed_without_cleaning(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    monorepo.job("sales.report")
    monorepo.sync()
    (monorepo.packages / "sales/jobs/report.py").unlink()
    monorepo.sync(group_by="job", clean=False)
    assert set(monorepo.files()) == {"sales_load_dag.py", "sales_report_dag.py"}
    monorepo.sync(clean=False)
    assert set(monorepo.files()) == {"sales_dags.py"}
    assert monorepo.dag_ids() == {"sales_load", "sales_report"}


@pytest.mark.parametrize("clean", [True, False])
def test_dag_stays_where_it_is_if_the_file_it_should_move_to_is_not_ours(monorepo: Monorepo, clean: bool) -> None:
    for ref in ("sales.load", "sales.report", "crm.sync"):
        monorepo.job(ref)
    monorepo.sync(group_by="job")
    monorepo.dags.joinpath("sales_dags.py").write_text("# a person got here first\n")
    for _ in range(2):
        report = monorepo.sync(clean=clean)
        assert [Path(problem.path).name for problem in report.problems] == ["sales_dags.py"]
        assert monorepo.dag_ids() == {"sales_load", "sales_report", "crm_sync"}
        assert set(monorepo.files()) == {"crm_dags.py", "sales_dags.py", "sales_load_dag.py", "sales_report_dag.py"}
    monorepo.dags.joinpath("sales_dags.py").unlink()
    monorepo.sync(clean=clean)
    assert set(monorepo.files()) == {"crm_dags.py", "sales_dags.py"}


DAMAGE = [b"", b"{", b"null", b"[]", b'{"format": 99}', b"\xff\xff", b'{"format":1,"files":["../../x_dag.py"],"jobs":[[1]]}']


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", ["last.json", "readings.json"])
def test_damaged_cache_costs_time_and_nothing_else(monorepo: Monorepo, name: str, damage: bytes) -> None:
    monorepo.job("sales.load")
    monorepo.sync()
    age(monorepo.packages)
    monorepo.sync()
    good = monorepo.files()
    (monorepo.dags / ".dagsync" / name).write_bytes(damage)
    monorepo.job("crm.sync")
    report = monorepo.sync()
    assert (report.jobs, report.written, report.unchanged) == (2, 1, 1)
    assert monorepo.files()["sales_dags.py"] == good["sales_dags.py"]


@pytest.mark.parametrize("damage", DAMAGE)
def test_lost_record_removes_nothing_and_keeps_broken_jobs(monorepo: Monorepo, damage: bytes) -> None:
    for ref in ("sales.load", "sales.report", "crm.sync", "ops.clean"):
        monorepo.job(ref)
    monorepo.sync()
    good = monorepo.files()
    (monorepo.dags / ".dagsync/manifest.json").write_bytes(damage)
    monorepo.job("sales.load", BROKEN)
    (monorepo.packages / "crm/jobs/sync.py").unlink()
    for _ in range(2):
        report = monorepo.sync()
        assert monorepo.files() == good
        assert any("last good jobs cannot be read" in problem.message for problem in report.problems)
    monorepo.job("sales.load")
    report = monorepo.sync()
    assert report.problems == ()
    assert [Path(note.path).name for note in report.notes] == ["crm_dags.py"]
    assert monorepo.files() == good


def test_record_names_only_files_of_its_own_folder(monorepo: Monorepo, tmp_path: Path) -> None:
    outside = tmp_path / "victim_dags.py"
    outside.write_text(f"{MARKER}\n")
    monorepo.job("sales.load")
    monorepo.sync()
    record = monorepo.dags / ".dagsync/manifest.json"
    document = json.loads(record.read_text())
    document["files"] += ["../victim_dags.py", str(outside)]
    record.write_text(json.dumps(document))
    monorepo.sync()
    assert outside.exists()


def test_plan_says_what_sync_then_does_and_changes_nothing(monorepo: Monorepo) -> None:
    for ref in ("sales.load", "sales.report", "crm.sync"):
        monorepo.job(ref)
    assert [change.action for change in plan_sync(monorepo.options())[1].changes] == ["create", "create"]
    assert not monorepo.dags.exists()
    monorepo.sync()
    monorepo.job("sales.load", 'JOB = (main, "Changed")')
    (monorepo.packages / "crm/jobs/sync.py").unlink()
    before = monorepo.files()
    _, plan = plan_sync(monorepo.options())
    assert monorepo.files() == before
    assert tuple((change.action, change.name) for change in plan.changes) == monorepo.sync().files
    assert {change.name: change.after for change in plan.changes if change.after} == monorepo.files()
    assert plan_sync(monorepo.options())[1].is_empty


REFS = st.sets(st.sampled_from(["a.x", "a.y", "b.x", "b.y", "c.x"]))


@given(trees=st.lists(st.tuples(REFS, REFS), min_size=1, max_size=4))
def test_any_history_ends_where_a_fresh_sync_would(
    trees: list[tuple[set[str], set[str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("history")
    monorepo = Monorepo(folder)
    good: set[str] = set()
    for healthy, broken in trees:
        for ref in ("a.x", "a.y", "b.x", "b.y", "c.x"):
            path = monorepo.job(ref, BROKEN if ref in broken else JOB)
            if ref not in healthy | broken:
                path.unlink()
        monorepo.sync(allow_mass_removal=True)
        # Healthy jobs have a DAG, and broken ones that had one have it still.
        good = (healthy - broken) | (good & broken)
        assert monorepo.dag_ids() == {ref.replace(".", "_") for ref in good}
        assert plan_sync(monorepo.options())[1].is_empty
    for ref in good:
        monorepo.job(ref)
    fresh = Monorepo(folder / "fresh")
    for ref in good:
        fresh.job(ref)
    fresh.sync()
    assert monorepo.files() == fresh.files()


def test_second_sync_waits_for_the_first_and_says_so_in_the_end(monorepo: Monorepo) -> None:
    with locked(monorepo.dags), pytest.raises(TargetLockedError, match="another sync"), locked(monorepo.dags, 0.1):
        pass


def test_folder_that_cannot_be_written_is_an_error_that_names_it(monorepo: Monorepo, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TargetWriteError, match="file"):
        monorepo.sync(dags_dir=tmp_path / "file" / "dags")
