"""Publishing adds an archive and moves the pointer last; what is current or previous is never removed."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from dagsync.archive import Limits
from dagsync.publishing import list_versions, publish, retain, rollback
from dagsync.s3 import S3Store
from dagsync.source_errors import ArchiveError, PointerMovedError, StoreError, VersionMissingError
from dagsync.store import Pointer, Seen
from tests.dagsync.store.bucket import Bucket, write


def change(packages: Path, number: int) -> None:
    write(packages, {"sales/shared.py": f"RATE = {number}\n"})


def test_publish_adds_the_archive_and_then_the_pointer(bucket: Bucket, packages: Path) -> None:
    published = publish(packages, bucket.store)
    version = published.pointer.version
    assert published.uploaded
    assert published.moved
    assert bucket.keys() == {"current.json", f"versions/{version}.tar.gz"}
    assert [name for name in bucket.requests if name == "PutObject"] == ["PutObject"] * 2
    assert bucket.requests.index("PutObject") > bucket.requests.index("GetObject")
    document = json.loads(bucket.client.get_object(Bucket=bucket.name, Key="team/packages/current.json")["Body"].read())
    assert document["version"] == version
    assert document["previous"] is None
    assert document["size"] == published.pointer.size == bucket.store.size_of(version)
    assert datetime.fromisoformat(document["published_at"]).tzinfo is not None


def test_pointer_never_names_an_archive_that_is_not_there(
    bucket: Bucket, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: S3Store, version: str, archive: Path) -> None:
        raise StoreError("the line is cut")

    monkeypatch.setattr(S3Store, "upload", fail)
    with pytest.raises(StoreError, match="cut"):
        publish(packages, bucket.store)
    assert bucket.keys() == set()


def test_same_content_again_uploads_and_moves_nothing(bucket: Bucket, packages: Path) -> None:
    first = publish(packages, bucket.store)
    bucket.requests.clear()
    again = publish(packages, bucket.store)
    assert (again.uploaded, again.moved) == (False, False)
    assert again.pointer == first.pointer
    assert "PutObject" not in bucket.requests


def test_dry_run_writes_nothing(bucket: Bucket, packages: Path) -> None:
    planned = publish(packages, bucket.store, dry_run=True)
    assert (planned.uploaded, planned.moved) == (True, True)
    assert bucket.keys() == set()
    assert publish(packages, bucket.store).pointer.version == planned.pointer.version


def test_rollback_makes_the_previous_version_current_and_back(bucket: Bucket, packages: Path) -> None:
    first = publish(packages, bucket.store).pointer.version
    change(packages, 2)
    second = publish(packages, bucket.store).pointer.version
    assert rollback(bucket.store).pointer.version == first
    assert rollback(bucket.store).pointer.version == second
    change(packages, 3)
    publish(packages, bucket.store)
    back = rollback(bucket.store, first[:8]).pointer
    assert back.version == first
    assert back.size == bucket.store.size_of(first)
    assert not rollback(bucket.store, first).moved


def test_rollback_goes_only_where_there_is_an_archive(bucket: Bucket, packages: Path) -> None:
    with pytest.raises(VersionMissingError, match="no previous version"):
        rollback(bucket.store)
    current = publish(packages, bucket.store).pointer
    with pytest.raises(VersionMissingError, match="no previous version"):
        rollback(bucket.store)
    for digits in ("0" * 64, "", "../current"):
        with pytest.raises(VersionMissingError):
            rollback(bucket.store, digits)
    assert list_versions(bucket.store).pointer == current


def test_of_two_publishers_at_once_one_is_told(bucket: Bucket, packages: Path, tmp_path: Path) -> None:
    """Without the condition on the pointer the second would undo the first, and nobody would know."""
    publish(packages, bucket.store)
    other = tmp_path / "other"
    write(other, {"sales/jobs/new.py": "1"})

    class Slow(S3Store):
        def upload(self, version: str, archive: Path) -> None:
            super().upload(version, archive)
            if version != theirs:
                publish(other, bucket.store)

    theirs = publish(other, bucket.store, dry_run=True).pointer.version
    change(packages, 2)
    with pytest.raises(PointerMovedError) as error:
        publish(packages, Slow(bucket.url, bucket.client))
    assert error.value.fix
    assert list_versions(bucket.store).pointer == Pointer(**_document(bucket))
    assert _document(bucket)["version"] == theirs


def test_first_publish_of_two_is_not_overwritten_by_the_second(bucket: Bucket) -> None:
    mine, theirs = (Pointer(digit * 64, "2026-01-01T00:00:00+00:00", 1) for digit in "12")
    bucket.store.move(theirs, None)
    with pytest.raises(PointerMovedError):
        bucket.store.move(mine, None)
    gone = Seen(theirs, '"0123456789abcdef0123456789abcdef"')
    with pytest.raises(PointerMovedError):
        bucket.store.move(mine, gone)


def test_move_that_was_answered_twice_is_no_failure(bucket: Bucket, packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore repeats a request whose answer was lost; the repetition then fails the condition the first one met."""
    move = S3Store.move

    def twice(self: S3Store, pointer: Pointer, seen: Seen | None) -> Seen:
        move(self, pointer, seen)
        return move(self, pointer, seen)

    monkeypatch.setattr(S3Store, "move", twice)
    assert publish(packages, bucket.store).moved


@pytest.mark.parametrize("keep", [2, 3, 5])
def test_retention_keeps_the_newest_the_current_and_the_previous(bucket: Bucket, packages: Path, keep: int) -> None:
    published: list[str] = []
    for number in range(5):
        change(packages, number)
        published.append(publish(packages, bucket.store).pointer.version)
    # The oldest becomes current and the one before the last previous: the two that age alone would remove first.
    rollback(bucket.store, published[3])
    rollback(bucket.store, published[0])
    removed = retain(bucket.store, keep, dry_run=True)
    assert retain(bucket.store, keep) == removed
    left = {each.version for each in list_versions(bucket.store).versions}
    assert len(left) == keep
    assert {published[0], published[3]} <= left
    assert left.isdisjoint(removed)


def test_publish_with_retention_never_removes_what_it_publishes(bucket: Bucket, packages: Path) -> None:
    versions: list[str] = []
    for number in (1, 2, 3, 1):
        change(packages, number)
        done = publish(packages, bucket.store, keep=2)
        versions.append(done.pointer.version)
        assert bucket.store.size_of(done.pointer.version) is not None
    assert {each.version for each in list_versions(bucket.store).versions} == {versions[2], versions[3]}


def test_versions_are_listed_newest_first_and_nothing_else_is(bucket: Bucket, packages: Path) -> None:
    first = publish(packages, bucket.store).pointer.version
    change(packages, 2)
    second = publish(packages, bucket.store).pointer.version
    for name in ("readme.txt", "../other.tar.gz", f"{first}.zip"):
        bucket.client.put_object(Bucket=bucket.name, Key=f"team/packages/versions/{name}", Body=b"")
    listing = list_versions(bucket.store)
    assert {each.version for each in listing.versions} == {first, second}
    assert [each.uploaded_at for each in listing.versions] == sorted(
        (each.uploaded_at for each in listing.versions), reverse=True
    )
    assert listing.pointer is not None
    assert (listing.pointer.version, listing.pointer.previous) == (second, first)


def test_tree_beyond_the_limits_is_not_published(bucket: Bucket, packages: Path) -> None:
    with pytest.raises(ArchiveError, match="more than 2 files"):
        publish(packages, bucket.store, limits=Limits(files=2))
    assert bucket.keys() == set()


@pytest.mark.parametrize("url", ["", "s3://", "bucket/prefix", "https://bucket/prefix", "s3://UPPER/x", "file:///tmp"])
def test_address_that_is_none_is_refused(bucket: Bucket, url: str) -> None:
    with pytest.raises(StoreError, match="s3://bucket/prefix"):
        S3Store(url, bucket.client)


@pytest.mark.parametrize("prefix", ["", "/", "a", "/a/b/"])
def test_prefix_may_be_anything_or_nothing(bucket: Bucket, packages: Path, prefix: str) -> None:
    store = S3Store(f"s3://{bucket.name}{prefix and '/' + prefix}", bucket.client)
    version = publish(packages, store).pointer.version
    expected = "/".join([part for part in prefix.split("/") if part] + ["versions", f"{version}.tar.gz"])
    assert bucket.client.head_object(Bucket=bucket.name, Key=expected)


def _document(bucket: Bucket) -> dict[str, object]:
    found = bucket.client.get_object(Bucket=bucket.name, Key="team/packages/current.json")["Body"].read()
    document = json.loads(found)
    document.pop("format")
    return document
