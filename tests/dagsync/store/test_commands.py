"""``publish``, ``rollback``, ``versions`` and ``sync --source`` as a person or a pod uses them."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.dagsync.store.bucket import JOB, Bucket, write
from tests.dagsync.waiting import until
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Generator


class Pod:
    """Runs commands where the packages are and where only the bucket is."""

    def __init__(self, bucket: Bucket, packages: Path, folder: Path) -> None:
        self.packages, self.dags, self.cache = packages, folder / "dags", folder / "cache"
        self.environment = bucket.environment | {
            "PATH": os.environ["PATH"],
            "DAGSYNC_STORE": bucket.url,
            "ETL_PACKAGES_ROOT": str(packages),
            "AIRFLOW_DAGS_DIR": str(self.dags),
            "DAGSYNC_CACHE": str(self.cache),
            "AWS_MAX_ATTEMPTS": "1",
        }

    def __call__(self, *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "dagsync", *arguments],
            env=self.environment | changed,
            capture_output=True,
            text=True,
            timeout=60,
        )

    @contextmanager
    def running(self, *arguments: str) -> "Generator[subprocess.Popen[str]]":
        command = [sys.executable, "-m", "dagsync", *arguments]
        with subprocess.Popen(command, env=self.environment, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    def dag_files(self) -> list[str]:
        return sorted(path.name for path in self.dags.glob("*.py"))


@pytest.fixture
def pod(bucket: Bucket, packages: Path, tmp_path: Path) -> Pod:
    return Pod(bucket, packages, tmp_path)


def test_what_is_published_becomes_dags_where_only_the_bucket_is(pod: Pod, bucket: Bucket) -> None:
    done = pod("publish")
    assert done.returncode == 0, done.stderr
    assert "uploaded" in done.stdout
    synced = pod("sync", "--source", bucket.url, ETL_PACKAGES_ROOT="/nowhere")
    assert synced.returncode == 0, synced.stderr
    assert pod.dag_files() == ["sales_dags.py"]
    assert (pod.cache / "current" / "sales" / "shared.py").read_text() == "RATE = 1\n"
    again = pod("sync", "--source", bucket.url)
    assert "0 DAGs written, 1 unchanged" in again.stdout


def test_publish_says_what_it_would_do_and_does_it(pod: Pod, bucket: Bucket) -> None:
    planned = pod("publish", "--dry-run")
    assert "would be uploaded" in planned.stdout
    assert "would be current" in planned.stdout
    assert bucket.keys() == set()
    assert "is current" in pod("publish").stdout
    assert "was current already" in pod("publish").stdout
    document = json.loads(pod("publish", "--json").stdout)
    assert (document["uploaded"], document["moved"]) == (False, False)


def test_versions_and_rollback(pod: Pod) -> None:
    pod("publish")
    write(pod.packages, {"sales/shared.py": "RATE = 2\n"})
    pod("publish")
    # S3 tells the time of an upload to the second, so of these two either may come first.
    rows = sorted(line.split("\t") for line in pod("versions").stdout.splitlines())
    assert [row[0] for row in rows] == ["current", "previous"]
    back = pod("rollback", "--to", rows[1][3][:12])
    assert f"version {rows[1][3]}; is current instead of {rows[0][3]}" in back.stdout
    document = json.loads(pod("versions", "--json").stdout)
    assert document["pointer"]["version"] == rows[1][3]
    assert {each["version"]: each["role"] for each in document["versions"]} == {rows[0][3]: "previous", rows[1][3]: "current"}


def test_tree_with_problems_or_without_jobs_is_not_published_by_mistake(pod: Pod, bucket: Bucket, tmp_path: Path) -> None:
    write(pod.packages, {"sales/jobs/broken.py": "JOB = ("})
    refused = pod("publish")
    assert refused.returncode == 14
    assert f"{pod.packages}/sales/jobs/broken.py:1" in refused.stderr
    assert "--allow-problems" in refused.stderr
    (tmp_path / "empty").mkdir()
    assert pod("publish", "--packages-root", str(tmp_path / "empty")).returncode == 14
    assert bucket.keys() == set()
    allowed = pod("publish", "--allow-problems")
    assert allowed.returncode == 0
    assert "broken.py:1" in allowed.stderr


def test_source_that_is_away_is_a_failure_and_the_version_at_hand_is_still_synced(pod: Pod, bucket: Bucket) -> None:
    pod("publish")
    pod("sync", "--source", bucket.url)
    (pod.dags / "sales_dags.py").unlink()
    away = pod("sync", "--source", bucket.url, AWS_ENDPOINT_URL_S3="http://127.0.0.1:1")
    assert away.returncode == 11
    assert "Could not connect" in away.stderr
    assert "Traceback" not in away.stderr
    assert pod.dag_files() == ["sales_dags.py"]
    # As an init container has it: the pod starts on the version at hand.
    away = pod("sync", "--source", bucket.url, "--exit-zero", AWS_ENDPOINT_URL_S3="http://127.0.0.1:1")
    assert away.returncode == 0
    assert "Could not connect" in away.stderr
    gone = pod(
        "sync", "--source", bucket.url, "--exit-zero", "--cache", f"{pod.cache}-2", AWS_ENDPOINT_URL_S3="http://127.0.0.1:1"
    )
    assert gone.returncode == 11


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("sync", "--source", "s3://no-such-bucket-anywhere/x"), 11, "create the bucket"),
        (("sync", "--source", "nonsense"), 11, "s3://bucket/prefix"),
        (("rollback",), 13, "no previous version"),
        (("rollback", "--to", "f00"), 13, "no version named 'f00'"),
        (("publish", "--packages-root", "/nowhere"), 3, "--packages-root"),
        (("publish", "--keep", "1"), 2, "at least 2"),
        (("sync", "--source", "s3://bucket/x", "--keep", "0"), 2, "at least 1"),
    ],
)
def test_failure_is_one_sentence_with_the_fix_and_its_own_exit_code(
    pod: Pod, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = pod(*arguments)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not pod.dags.exists()


def test_store_must_be_named(pod: Pod) -> None:
    del pod.environment["DAGSYNC_STORE"]
    for command in ("publish", "rollback", "versions"):
        done = pod(command)
        assert done.returncode == 2
        assert "--store" in done.stderr


def test_only_commands_that_reach_the_store_need_boto3(pod: Pod, tmp_path: Path) -> None:
    write(tmp_path / "without", {"boto3.py": "raise ImportError('boto3 is not here')"})
    path = str(tmp_path / "without")
    for arguments in (("discover",), ("sync",), ("plan",)):
        assert pod(*arguments, PYTHONPATH=path).returncode == 0
    done = pod("versions", PYTHONPATH=path)
    assert done.returncode == 11
    assert "airflow-control-plane[s3]" in done.stderr


def test_watch_follows_what_is_published_and_outlives_failures(pod: Pod, bucket: Bucket) -> None:
    arguments = ("sync", "--source", bucket.url, "--watch", "--interval", "0.2", "--health-port", "0")
    with pod.running(*arguments) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "nothing was published yet" in line
        pod("publish")
        until(lambda: pod.dag_files() == ["sales_dags.py"], "the first version is synced")
        write(pod.packages, {"stock/__init__.py": "", "stock/jobs/count.py": JOB})
        pod("publish")
        until(lambda: len(pod.dag_files()) == 2, "the second version is synced")
        pod("rollback")
        until(lambda: pod.dag_files() == ["sales_dags.py"], "the rollback is synced")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        # A failure that lasts is said once, however often it is met.
        assert process.stderr.read().count("nothing was published yet") == 0


def test_watching_sync_is_ready_once_the_first_version_is_synced(pod: Pod, bucket: Bucket) -> None:

    port = free_port()

    def status(path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    with pod.running("sync", "--source", bucket.url, "--watch", "--interval", "0.2", "--health-port", str(port)):
        until(lambda: status("/healthz") == 200, "the pod is alive")
        assert status("/readyz") == 503
        pod("publish")
        until(lambda: status("/readyz") == 200, "the pod is ready")
        assert pod.dag_files() == ["sales_dags.py"]


def test_run_fetches_the_version_it_is_told(pod: Pod) -> None:
    says = "def entrypoint(argv):\n    print('{}', argv)\n\nJOB = (entrypoint, 'A job')\n"
    versions: dict[str, str] = {}
    for said in ("first", "second"):
        write(pod.packages, {"sales/jobs/load.py": says.format(said)})
        versions[said] = json.loads(pod("publish", "--json").stdout)["pointer"]["version"]
    for said in ("first", "second", "first"):
        fetched = ["--source", pod.environment["DAGSYNC_STORE"], "--version", versions[said]]
        done = pod("run", *fetched, "sales.load", "--", "-x", ETL_PACKAGES_ROOT="/nowhere")
        assert (done.returncode, done.stdout) == (0, f"{said} ['-x']\n"), done.stderr
    assert pod("run", "--source", pod.environment["DAGSYNC_STORE"], "--version", "0" * 64, "sales.load").returncode == 13


@pytest.mark.parametrize(
    "given", [["--source", "s3://b/p"], ["--version", "0" * 64], ["--source", "s3://b/p", "--version", "1"]]
)
def test_run_needs_the_version_in_full_and_where_it_is(pod: Pod, given: list[str]) -> None:
    refused = pod("run", *given, "sales.load")
    assert refused.returncode == 2
    assert "--version" in refused.stderr
