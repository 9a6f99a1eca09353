"""Fetching follows the pointer, and whatever goes wrong leaves the version in use as it is and says why in one sentence."""

import gzip
import hashlib
import io
import json
import os
import socket
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from urllib3 import HTTPResponse

from dagsync.archive import Limits
from dagsync.cache import Cache
from dagsync.errors import DagsyncError, TargetWriteError
from dagsync.fetching import add_version, fetch
from dagsync.holding import held
from dagsync.publishing import publish, rollback
from dagsync.runtime import run_job
from dagsync.s3 import POINTER_NAME, S3Store
from dagsync.source_errors import ArchiveError, StoreError, VersionMissingError
from tests.dagsync.store.bucket import Bucket, content_of, write


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def change(packages: Path, bucket: Bucket, number: int) -> str:
    write(packages, {"sales/shared.py": f"RATE = {number}\n"})
    return publish(packages, bucket.store).pointer.version


def test_current_version_is_exactly_what_was_published(bucket: Bucket, packages: Path, cache: Cache) -> None:
    version = publish(packages, bucket.store).pointer.version
    assert fetch(bucket.store, cache).version == version
    assert content_of(cache.link) == content_of(packages)
    assert cache.current() == version
    # Relative, so that the volume may be mounted anywhere.
    assert str(cache.link.readlink()) == f"versions/{version}"


def test_unmoved_pointer_costs_one_conditional_request(bucket: Bucket, packages: Path, cache: Cache) -> None:
    publish(packages, bucket.store)
    fetch(bucket.store, cache)
    bucket.requests.clear()
    seen: list[int] = []
    bucket.client.meta.events.register("after-call.s3", lambda http_response, **_: seen.append(http_response.status_code))
    before = cache.link.lstat()
    assert fetch(bucket.store, cache).previous is None
    assert bucket.requests == ["GetObject"]
    assert seen == [304]
    assert cache.link.lstat() == before


def test_moved_pointer_is_followed_forward_and_back(bucket: Bucket, packages: Path, cache: Cache) -> None:
    first = publish(packages, bucket.store).pointer.version
    fetch(bucket.store, cache)
    second = change(packages, bucket, 2)
    assert fetch(bucket.store, cache).previous == first
    assert (cache.link / "sales" / "shared.py").read_text() == "RATE = 2\n"
    rollback(bucket.store)
    bucket.requests.clear()
    assert fetch(bucket.store, cache).previous == second
    assert (cache.link / "sales" / "shared.py").read_text() == "RATE = 1\n"
    # It was still here.
    assert bucket.requests == ["GetObject"]


def test_version_lost_from_the_cache_is_fetched_again(bucket: Bucket, packages: Path, cache: Cache) -> None:
    version = publish(packages, bucket.store).pointer.version
    fetch(bucket.store, cache)
    cache.path(version).rename(cache.folder / "elsewhere")
    fetch(bucket.store, cache)
    assert content_of(cache.link) == content_of(packages)


def test_cache_of_another_store_is_not_believed(bucket: Bucket, packages: Path, cache: Cache) -> None:
    publish(packages, bucket.store)
    fetch(bucket.store, cache)
    other = S3Store(f"s3://{bucket.name}/other", bucket.client)
    write(packages, {"sales/shared.py": "RATE = 9\n"})
    publish(packages, other)
    fetch(other, cache)
    assert (cache.link / "sales" / "shared.py").read_text() == "RATE = 9\n"


def put(bucket: Bucket, version: str, body: bytes) -> None:
    bucket.client.put_object(Bucket=bucket.name, Key=bucket.key(version), Body=body)


def point(bucket: Bucket, **changed: object) -> None:
    """Write a pointer as somebody with access to the bucket might."""
    key = f"team/packages/{POINTER_NAME}"
    document = json.loads(bucket.client.get_object(Bucket=bucket.name, Key=key)["Body"].read())
    bucket.client.put_object(Bucket=bucket.name, Key=key, Body=json.dumps(document | changed).encode())


def archive_of(bucket: Bucket, version: str) -> bytes:
    return bucket.client.get_object(Bucket=bucket.name, Key=bucket.key(version))["Body"].read()


def truncated(bucket: Bucket, version: str) -> None:
    put(bucket, version, archive_of(bucket, version)[:-20])


def corrupt(bucket: Bucket, version: str) -> None:
    body = bytearray(archive_of(bucket, version))
    body[len(body) // 2] ^= 0xFF
    put(bucket, version, bytes(body))


def of_another_tree(bucket: Bucket, version: str) -> None:
    put(bucket, version, gzip.compress(b"\0" * 1024))


def malicious(bucket: Bucket, version: str) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("../../../current"))
    digest = hashlib.sha256(raw.getvalue()).hexdigest()
    put(bucket, digest, gzip.compress(raw.getvalue()))
    point(bucket, version=digest)


def missing(bucket: Bucket, version: str) -> None:
    bucket.client.delete_object(Bucket=bucket.name, Key=bucket.key(version))


def answer(bucket: Bucket, status: int, code: str, operation: str) -> None:
    """Answer every request of one operation with an error, as S3 would."""
    body = f"<Error><Code>{code}</Code><Message>Said by S3</Message></Error>".encode()

    def respond(request: Any, **_: object) -> AWSResponse:
        bucket.requests.append(f"sent {operation}")
        return AWSResponse(request.url, status, {}, HTTPResponse(io.BytesIO(body), preload_content=False))  # pyright: ignore[reportArgumentType]

    bucket.client.meta.events.register(f"before-send.s3.{operation}", respond)


def cut_off(bucket: Bucket, version: str) -> None:
    """Close the connection in the middle of the archive."""

    def respond(request: Any, **_: object) -> AWSResponse | None:
        if "versions/" not in request.url:
            return None
        raw = HTTPResponse(io.BytesIO(b"half"), headers={"Content-Length": "1000"}, preload_content=False)
        return AWSResponse(request.url, 200, {"content-length": "1000"}, raw)  # pyright: ignore[reportArgumentType]

    bucket.client.meta.events.register("before-send.s3.GetObject", respond)


FAULTS: dict[str, tuple[Callable[[Bucket, str], object], type[DagsyncError], str]] = {
    "truncated": (truncated, ArchiveError, "truncated"),
    "corrupt": (corrupt, ArchiveError, "damaged|holds"),
    "of another tree": (of_another_tree, ArchiveError, "holds"),
    "malicious": (malicious, ArchiveError, "'..'"),
    "missing": (missing, VersionMissingError, "no such archive"),
    "cut off": (cut_off, StoreError, "cannot be read"),
    "throttled": (lambda bucket, _: answer(bucket, 503, "SlowDown", "GetObject"), StoreError, "SlowDown"),
    "denied": (lambda bucket, _: answer(bucket, 403, "AccessDenied", "GetObject"), StoreError, "AccessDenied"),
    "expired": (lambda bucket, _: answer(bucket, 400, "ExpiredToken", "GetObject"), StoreError, "ExpiredToken"),
    "failing": (lambda bucket, _: answer(bucket, 500, "InternalError", "GetObject"), StoreError, "InternalError"),
    "no bucket": (lambda bucket, _: answer(bucket, 404, "NoSuchBucket", "GetObject"), StoreError, "NoSuchBucket"),
    "pointer of a path": (lambda bucket, _: point(bucket, version="../../etc"), StoreError, "expected a pointer"),
    "pointer of tomorrow": (lambda bucket, _: point(bucket, format=2), StoreError, "expected a pointer"),
    "pointer of nothing": (lambda bucket, _: point(bucket, version=None, size="x"), StoreError, "expected a pointer"),
}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's pauses between retries are its own business."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)


@pytest.mark.parametrize("fault", FAULTS)
def test_failed_fetch_changes_nothing_says_why_and_the_next_one_repairs(
    bucket: Bucket, packages: Path, cache: Cache, impatient: None, fault: str
) -> None:
    do, kind, said = FAULTS[fault]
    first = publish(packages, bucket.store).pointer.version
    fetch(bucket.store, cache)
    before = state(cache)
    second = change(packages, bucket, 2)
    whole = archive_of(bucket, second)
    do(bucket, second)
    with pytest.raises(kind, match=said) as error:
        fetch(bucket.store, cache)
    assert error.value.fix
    assert "\n" not in str(error.value)
    assert state(cache) == before
    assert cache.current() == first

    put(bucket, second, whole)
    again = Bucket(bucket.name, bucket.endpoint, boto3.client("s3", endpoint_url=bucket.endpoint))
    point(again, version=second, format=1, size=len(whole))
    fetch(again.store, cache)
    assert content_of(cache.link) == content_of(packages)


def state(cache: Cache) -> list[tuple[str, int, bytes]]:
    paths = sorted(cache.folder.rglob("*"))
    return [(path.as_posix(), path.lstat().st_ino, path.read_bytes() if path.is_file() else b"") for path in paths]


def test_throttling_is_retried_before_it_is_a_failure(bucket: Bucket, packages: Path, cache: Cache, impatient: None) -> None:
    publish(packages, bucket.store)
    left = [1, 1]

    def respond(request: Any, **_: object) -> AWSResponse | None:
        if not left:
            return None
        left.pop()
        body = io.BytesIO(b"<Error><Code>SlowDown</Code></Error>")
        return AWSResponse(request.url, 503, {}, HTTPResponse(body, preload_content=False))  # pyright: ignore[reportArgumentType]

    bucket.client.meta.events.register("before-send.s3.GetObject", respond)
    fetch(bucket.store, cache)
    assert not left


def test_network_that_is_away_is_one_sentence(packages: Path, cache: Cache, bucket: Bucket, impatient: None) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        store = S3Store(bucket.url, boto3.client("s3", endpoint_url=endpoint, config=Config(connect_timeout=1)))
        with pytest.raises(StoreError, match="Could not connect") as error:
            fetch(store, cache)
    assert "network" in error.value.fix


def test_missing_credentials_are_one_sentence(
    bucket: Bucket, cache: Cache, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", bucket.endpoint)
    with pytest.raises(StoreError, match="credentials") as error:
        fetch(S3Store(bucket.url), cache)
    assert "role" in error.value.fix


def test_store_in_which_nothing_was_published_is_one_sentence(bucket: Bucket, cache: Cache) -> None:
    with pytest.raises(StoreError, match="nothing was published"):
        fetch(bucket.store, cache)


def test_archive_that_is_too_large_is_not_even_downloaded(bucket: Bucket, packages: Path, cache: Cache) -> None:
    write(packages, {"data.bin": os.urandom(5000)})
    publish(packages, bucket.store)
    with pytest.raises(ArchiveError, match="larger than 4000 bytes"):
        fetch(bucket.store, cache, limits=Limits(total_bytes=4000))


def test_full_or_forbidden_disk_is_one_sentence(bucket: Bucket, packages: Path, tmp_path: Path) -> None:
    publish(packages, bucket.store)
    (tmp_path / "file").touch()
    with pytest.raises(TargetWriteError, match="cannot be written") as error:
        fetch(bucket.store, Cache(tmp_path / "file" / "cache"))
    assert "--cache" in error.value.fix


def test_old_versions_stay_while_they_are_few_young_or_in_use(bucket: Bucket, packages: Path, cache: Cache) -> None:
    versions: list[str] = []
    for number in range(4):
        versions.append(change(packages, bucket, number))
        fetch(bucket.store, cache)
    assert all(cache.path(version).is_dir() for version in versions)

    strict = replace(cache, keep=2, keep_seconds=0)
    with held(cache.path(versions[0])):
        assert set(fetch(bucket.store, strict).removed) == {versions[1]}
        assert content_of(cache.path(versions[0]))
    assert set(fetch(bucket.store, strict).removed) == {versions[0]}
    left = {path.name for path in (cache.folder / "versions").iterdir()}
    assert left == {name for version in versions[2:] for name in (version, f"{version}.lock")}


def test_what_goes_wrong_in_packages_of_the_image_is_told_without_the_lock_they_do_not_have(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError) as failure, held(tmp_path):
        raise ZeroDivisionError
    assert failure.value.__context__ is None


def test_running_job_stays_on_the_version_it_started_with(bucket: Bucket, packages: Path, cache: Cache) -> None:
    change(packages, bucket, 1)
    fetch(bucket.store, cache)
    with held(cache.link) as root:
        change(packages, bucket, 2)
        fetch(bucket.store, replace(cache, keep=1, keep_seconds=0))
        assert (root / "sales" / "shared.py").read_text() == "RATE = 1\n"
        assert (cache.link / "sales" / "shared.py").read_text() == "RATE = 2\n"


SWITCHES = """
import os
from pathlib import Path

def entrypoint(argv):
    cache, version, out = map(Path, argv)
    os.symlink(Path("versions") / version, cache / "other")
    os.replace(cache / "other", cache / "current")
    # Only now, as the last step of a long job may.
    from sales.shared import RATE
    out.write_text(str(RATE))
    return 0

JOB = (entrypoint, "Is overtaken by the next version while it runs")
"""


def test_task_imports_all_of_its_job_from_one_version(
    bucket: Bucket, packages: Path, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(packages, {"sales/jobs/switches.py": SWITCHES})
    change(packages, bucket, 1)
    fetch(bucket.store, cache)
    second = change(packages, bucket, 2)
    with cache.locked():
        add_version(bucket.store, cache, second)
    monkeypatch.setenv("ETL_PACKAGES_ROOT", str(cache.link))
    out = tmp_path / "rate"
    run_job("sales.switches", {"params": {"args": [str(cache.folder), second, str(out)]}}, isolation="process")
    assert out.read_text() == "1"
    assert cache.current() == second


def test_folder_that_is_no_version_is_held_as_it_is(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with held(folder) as root:
            assert root == folder
