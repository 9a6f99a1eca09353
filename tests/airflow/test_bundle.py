"""The bundle follows what is published, and gives a task the version its run is pinned to."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dagsync.publishing import publish, rollback
from dagsync.source_errors import ArchiveError, VersionMissingError
from tests.dagsync.store.bucket import JOB, Bucket, bucket, s3_endpoint, write

if TYPE_CHECKING:
    from dagsync.bundle import PackagesBundle

__all__ = ["bucket", "s3_endpoint"]

Make = Callable[..., "PackagesBundle"]


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Airflow, imported in this process, writes the configuration it insists on."""
    home = tmp_path_factory.mktemp("bundle-home")
    os.environ["AIRFLOW_HOME"] = str(home)
    return home


@pytest.fixture
def make(airflow_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes bundles of one name, which share storage as the processes of one machine do."""
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(tmp_path / "storage"))

    def made(source: str, version: str | None = None, **options: object) -> "PackagesBundle":
        from dagsync.bundle import PackagesBundle

        return PackagesBundle(name="packages", version=version, source=source, **options)  # pyright: ignore[reportArgumentType]

    return made


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    root = tmp_path / "packages"
    write(root, {"sales/__init__.py": "", "sales/jobs/load.py": JOB, "sales/shared.py": "RATE = 1\n"})
    return root


def version_of(bundle: "PackagesBundle") -> str:
    current = bundle.get_current_version()
    assert current is not None
    return current.version


def dag_files(bundle: "PackagesBundle") -> list[str]:
    return sorted(path.name for path in bundle.path.glob("*.py"))


def test_bundle_follows_the_pointer_forward_and_back(
    bucket: Bucket, packages: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", bucket.endpoint)
    first = publish(packages, bucket.store).pointer.version
    bundle = make(bucket.url)
    bundle.initialize()
    assert version_of(bundle) == first
    assert dag_files(bundle) == ["sales_dags.py"]
    write(packages, {"stock/__init__.py": "", "stock/jobs/count.py": JOB})
    second = publish(packages, bucket.store).pointer.version
    assert version_of(bundle) == first
    bundle.refresh()
    assert version_of(bundle) == second
    assert dag_files(bundle) == ["sales_dags.py", "stock_dags.py"]
    rollback(bucket.store)
    os.utime(make(bucket.url, first).path / "sales_dags.py", (1, 1))
    bundle.refresh()
    assert version_of(bundle) == first
    assert dag_files(bundle) == ["sales_dags.py"]
    # Or Airflow would take the files for those it has parsed long ago, and the rollback for no change.
    assert (bundle.path / "sales_dags.py").stat().st_mtime > time.time() - 60


def test_local_tree_is_a_source_too(packages: Path, make: Make) -> None:
    bundle = make(str(packages))
    bundle.initialize()
    first = version_of(bundle)
    write(packages, {"sales/shared.py": "RATE = 2\n"})
    bundle.refresh()
    assert version_of(bundle) != first
    assert (bundle.packages_root / "sales" / "shared.py").read_text() == "RATE = 2\n"
    pinned = make(str(packages), first)
    pinned.initialize()
    assert version_of(pinned) == first
    assert (pinned.packages_root / "sales" / "shared.py").read_text() == "RATE = 1\n"
    assert dag_files(pinned) == ["sales_dags.py"]


def test_version_of_a_run_is_fetched_where_it_is_not(
    bucket: Bucket, packages: Path, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", bucket.endpoint)
    first = publish(packages, bucket.store).pointer.version
    write(packages, {"sales/shared.py": "RATE = 2\n"})
    publish(packages, bucket.store)
    pinned = make(bucket.url, first)
    pinned.initialize()
    assert (pinned.packages_root / "sales" / "shared.py").read_text() == "RATE = 1\n"
    # It is there for this run, and not what the dag-processor of the same machine follows.
    assert not (tmp_path / "storage" / "packages" / "current").is_symlink()


def test_version_that_is_nowhere_says_what_to_do(packages: Path, make: Make) -> None:
    for version in ("0" * 64, "../../etc"):
        with pytest.raises(VersionMissingError) as error:
            make(str(packages), version).initialize()
        assert version in str(error.value)


def test_version_in_use_is_not_removed(packages: Path, make: Make) -> None:
    bundle = make(str(packages), keep=1, keep_seconds=0)
    bundle.initialize()
    first = version_of(bundle)
    pinned = make(str(packages), first)
    pinned.initialize()
    for number in (2, 3):
        write(packages, {"sales/shared.py": f"RATE = {number}\n"})
        bundle.refresh()
    assert dag_files(pinned) == ["sales_dags.py"]
    del pinned
    bundle.refresh()
    assert [path.name for path in bundle.versions_dir.iterdir() if path.is_dir()] == [version_of(bundle)]


def test_failed_refresh_is_logged_and_changes_nothing(packages: Path, make: Make, caplog: pytest.LogCaptureFixture) -> None:
    bundle = make(str(packages))
    bundle.initialize()
    first = version_of(bundle)
    (packages / "link").symlink_to("/etc")
    bundle.refresh()
    assert version_of(bundle) == first
    assert dag_files(bundle) == ["sales_dags.py"]
    assert "is a link" in caplog.text
    # And a processor that starts now still has the last version.
    again = make(str(packages))
    again.initialize()
    assert version_of(again) == first


def test_bundle_without_any_version_fails_to_initialize(make: Make, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="cannot be read"):
        make(str(tmp_path / "missing")).initialize()


def test_broken_job_keeps_its_last_good_dag(packages: Path, make: Make, caplog: pytest.LogCaptureFixture) -> None:
    bundle = make(str(packages))
    bundle.initialize()
    write(packages, {"sales/jobs/load.py": "JOB = (", "sales/jobs/new.py": JOB})
    bundle.refresh()
    text = (bundle.path / "sales_dags.py").read_text()
    assert "'sales_load'" in text
    assert "'sales_new'" in text
    assert f"{packages}/sales/jobs/load.py:1" in caplog.text


def test_version_whose_files_airflow_removed_is_made_again(packages: Path, make: Make) -> None:
    """Airflow removes versions no task has used lately, and after a rollback the current one may be among them."""
    bundle = make(str(packages))
    bundle.initialize()
    shutil.rmtree(bundle.versions_dir / version_of(bundle))
    bundle.refresh()
    assert dag_files(bundle) == ["sales_dags.py"]


def test_constructing_a_bundle_touches_nothing(make: Make, tmp_path: Path) -> None:
    """The API server does so to make links, and has neither the packages nor boto3's credentials."""
    for source in ("s3://nowhere/at-all", str(tmp_path / "missing")):
        bundle = make(source)
        assert bundle.view_url_template() is None
        assert not bundle.path.exists()
    assert not (tmp_path / "storage").exists()
