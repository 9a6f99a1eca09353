"""Published packages in S3: ``<prefix>/versions/<version>.tar.gz`` and ``<prefix>/current.json``."""

import functools
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from dagsync.source_errors import ArchiveError, PointerMovedError, StoreError, VersionMissingError
from dagsync.store import Pointer, Seen, Stored, decode_pointer, encode_pointer, is_version

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_s3 import S3Client

POINTER_NAME = "current.json"
MAX_POINTER_BYTES = 4096

CONNECT_SECONDS = 5
READ_SECONDS = 20

_CHUNK = 1 << 20
_SUFFIX = ".tar.gz"
_URL = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?")
_MISSING = {"404", "NoSuchKey", "NotFound"}
_UNCHANGED = {"304", "NotModified"}
_CONDITION_FAILED = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict", *_MISSING}
"""If-Match on an object that is gone is answered with 404."""

_NO_CONDITIONS = {"501", "NotImplemented"}
_THROTTLED = {"429", "503", "RequestLimitExceeded", "SlowDown", "Throttling", "ThrottlingException"}
_DENIED = {
    *("401", "403", "AccessDenied", "AllAccessDisabled", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken"),
    "SignatureDoesNotMatch",
}


class S3Store:
    """A ``Store`` in a bucket."""

    def __init__(self, url: str, client: "S3Client | None" = None) -> None:
        """Raises ``StoreError`` if ``url`` is not ``s3://bucket/prefix``, or boto3 is not installed.

        Region, credentials and endpoint come from where AWS's tools look for them, ``AWS_ENDPOINT_URL_S3`` included.
        """
        match = _URL.fullmatch(url)
        if match is None:
            raise StoreError(f"{url!r}: expected s3://bucket/prefix", "give the address that publish was given")
        self._bucket = match[1]
        prefix = (match[2] or "").strip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._client = client or _client()

    @property
    def address(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def pointer(self, seen: Seen | None = None) -> Seen | None:
        unless: dict[str, Any] = {"IfNoneMatch": seen.tag} if seen else {}
        key = self._prefix + POINTER_NAME
        with self._translated("read", key):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=key, **unless)
                data = found["Body"].read(MAX_POINTER_BYTES)
            except self._client.exceptions.ClientError as error:
                if _code(error) in _UNCHANGED:
                    return seen
                if _code(error) in _MISSING:
                    return None
                raise
        return Seen(decode_pointer(data, self._url(key)), found["ETag"])

    def move(self, pointer: Pointer, seen: Seen | None) -> Seen:
        condition = {"IfMatch": seen.tag} if seen else {"IfNoneMatch": "*"}
        tag = self._put(self._prefix + POINTER_NAME, encode_pointer(pointer), "application/json", condition)
        if tag is None:
            message = f"{self.address}: somebody else published or rolled back in the meantime"
            raise PointerMovedError(message, "look at versions, then run this again")
        return Seen(pointer, tag)

    def size_of(self, version: str) -> int | None:
        key = self._key(version)
        with self._translated("read", key):
            try:
                return self._client.head_object(Bucket=self._bucket, Key=key)["ContentLength"]
            except self._client.exceptions.ClientError as error:
                if _code(error) not in _MISSING:
                    raise
        return None

    def upload(self, version: str, archive: Path) -> None:
        key = self._key(version)
        with archive.open("rb") as body:
            tag = self._put(key, body, "application/gzip", {"IfNoneMatch": "*"})
        if tag is None and self.size_of(version) is None:
            raise StoreError(f"{self._url(key)}: another upload of it is under way", "run the command again")

    def download(self, version: str, archive: Path, max_bytes: int) -> None:
        key = self._key(version)
        with self._translated("read", key):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=key)
            except self._client.exceptions.ClientError as error:
                if _code(error) not in _MISSING:
                    raise
                message = f"{self._url(key)}: there is no such archive"
                raise VersionMissingError(
                    message, "publish the packages again, or roll back to one that versions lists"
                ) from None
            if found["ContentLength"] > max_bytes:
                raise ArchiveError(f"{self._url(key)}: is larger than {max_bytes} bytes", "keep data out of the packages")
            with archive.open("xb") as file:
                for chunk in found["Body"].iter_chunks(_CHUNK):
                    file.write(chunk)

    def versions(self) -> list[Stored]:
        folder = f"{self._prefix}versions/"
        stored: list[Stored] = []
        with self._translated("listed", folder):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=folder):
                for each in page.get("Contents", ()):
                    version = each.get("Key", "")[len(folder) :].removesuffix(_SUFFIX)
                    if is_version(version) and "Size" in each and "LastModified" in each:
                        stored.append(Stored(version, each["Size"], each["LastModified"]))
        return sorted(stored, key=lambda each: each.uploaded_at, reverse=True)

    def delete(self, version: str) -> None:
        key = self._key(version)
        with self._translated("deleted", key):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def _put(self, key: str, body: bytes | BinaryIO, content_type: str, condition: dict[str, Any]) -> str | None:
        """Return the tag of the new object, or ``None`` if the condition did not hold."""
        put = functools.partial(self._client.put_object, Bucket=self._bucket, Key=key, ContentType=content_type)
        with self._translated("written", key):
            try:
                return put(Body=body, **condition)["ETag"]
            except self._client.exceptions.ClientError as error:
                if _code(error) in _CONDITION_FAILED:
                    return None
                if _code(error) not in _NO_CONDITIONS:
                    raise
            # Some stores that speak S3 know no conditions; there the last of two publishers wins.
            return put(Body=body)["ETag"]

    def _key(self, version: str) -> str:
        if not is_version(version):
            raise VersionMissingError(f"{version!r}: expected a version, 64 hexadecimal digits", "take one that versions lists")
        return f"{self._prefix}versions/{version}{_SUFFIX}"

    def _url(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"

    @contextmanager
    def _translated(self, done: str, key: str) -> Generator[None]:
        """Turn what botocore says into ``StoreError``; ``done`` is what could not be done to the object."""
        from botocore.exceptions import BotoCoreError, ClientError

        cannot = f"{self._url(key)}: cannot be {done}: "
        try:
            yield
        except ClientError as error:
            raise StoreError(cannot + _said(error), self._fix(_code(error))) from None
        except BotoCoreError as error:
            raise StoreError(cannot + str(error), self._network_fix(type(error).__name__)) from None

    def _fix(self, code: str) -> str:
        if code == "NoSuchBucket":
            return "create the bucket, or correct the address"
        if code in _DENIED:
            return (
                f"allow s3:GetObject on {self.address}/*, s3:ListBucket on the bucket and, to publish, s3:PutObject and "
                "s3:DeleteObject; for a bucket encrypted by KMS also kms:Decrypt and kms:GenerateDataKey"
            )
        if code in _THROTTLED:
            return "nothing: it is tried again at the next interval; a longer one asks less"
        return "look at the bucket's region and policy"

    def _network_fix(self, kind: str) -> str:
        if "Credentials" in kind or "Token" in kind or "Profile" in kind:
            return "give the pod a role (Pod Identity or IRSA), or the shell AWS_PROFILE or AWS_ACCESS_KEY_ID"
        return (
            "look at the network, at AWS_ENDPOINT_URL_S3 and at the VPC's S3 endpoint; it is tried again at the next interval"
        )


def _client() -> "S3Client":
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise StoreError("boto3 is not installed", "pip install 'airflow-control-plane[s3]'") from None
    # Repeats, after pauses, what was throttled, timed out or failed in the server; AWS_MAX_ATTEMPTS is 3 by default.
    retries = {"mode": "standard"}
    try:
        # Not boto3's default session, which keeps the credentials it saw first.
        return boto3.Session().client(
            "s3",
            config=Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries=retries),  # pyright: ignore[reportArgumentType]
        )
    except (BotoCoreError, ValueError) as error:
        raise StoreError(f"no client for S3: {error}", "correct AWS_PROFILE, AWS_REGION or AWS_ENDPOINT_URL_S3") from None


def _code(error: "ClientError") -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _said(error: "ClientError") -> str:
    found = error.response.get("Error", {})
    return f"{found.get('Code', 'unknown error')}: {found.get('Message', '')}".rstrip(": ")
