"""A bucket in moto's S3 server, and what writes and reads trees of packages."""

import uuid
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from dagsync.s3 import S3Store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

JOB = 'def entrypoint(argv):\n    return 0\n\nJOB = (entrypoint, "A job")\n'
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass
class Bucket:
    """One bucket of its own, with every request to it on record."""

    name: str
    endpoint: str
    client: "S3Client"
    requests: list[str] = field(default_factory=list[str])

    @property
    def url(self) -> str:
        return f"s3://{self.name}/team/packages"

    @property
    def store(self) -> S3Store:
        return S3Store(self.url, self.client)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to reach it."""
        return CREDENTIALS | {"AWS_ENDPOINT_URL_S3": self.endpoint, "AWS_EC2_METADATA_DISABLED": "true"}

    def key(self, version: str) -> str:
        return f"team/packages/versions/{version}.tar.gz"

    def keys(self) -> set[str]:
        listed = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return {each.get("Key", "").removeprefix("team/packages/") for each in listed}


@pytest.fixture(scope="session")
def s3_endpoint() -> Generator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    retries = {"mode": "standard", "total_max_attempts": 3}
    config = Config(connect_timeout=10, read_timeout=60, retries=retries)  # pyright: ignore[reportArgumentType] - a plain dict
    client = boto3.client("s3", endpoint_url=s3_endpoint, config=config)
    made = Bucket(f"packages-{uuid.uuid4().hex[:12]}", s3_endpoint, client)
    client.create_bucket(Bucket=made.name)

    def record(model: Any, **_: object) -> None:
        made.requests.append(model.name)

    client.meta.events.register("before-call.s3", record)
    return made


def write(root: Path, files: Mapping[str, str | bytes]) -> None:
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())


def content_of(root: Path) -> dict[str, bytes]:
    """Return the content of every file below ``root`` by its relative path."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
