"""An account of a moto server, as the provider speaks to it."""

import threading
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT_HEADER = "x-moto-account-id"
ABSENT = frozenset(
    {
        *("NoSuchBucket", "NoSuchBucketPolicy", "NoSuchLifecycleConfiguration", "NoSuchPublicAccessBlockConfiguration"),
        *("NoSuchTagSet", "OwnershipControlsNotFoundError", "ServerSideEncryptionConfigurationNotFoundError", "404"),
        *("NoSuchEntity", "ResourceNotFoundException", "RepositoryNotFoundException", "LifecyclePolicyNotFoundException"),
    }
)
"""What AWS answers where there is nothing."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Everything of one account in one region."""

    address: str
    """URL of the server."""

    number: str
    region: str
    certificates: str | None = None
    """File of the authorities that the server's certificate is checked by."""

    _clients: dict[tuple[str, str], Any] = field(default_factory=dict[tuple[str, str], Any], init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def client(self, service: str, *, owner: str | None = None) -> Any:
        """Return the one client of a service: in this account, or in that of another ``owner`` who lets it."""
        number = owner or self.number
        with self._lock:
            if (service, number) not in self._clients:
                self._clients[service, number] = self._new_client(service, number)
            return self._clients[service, number]

    def _new_client(self, service: str, number: str) -> Any:
        def as_owner(request: Any, **_: object) -> None:
            request.headers[ACCOUNT_HEADER] = number

        # Every request counts in tests of failures: none is repeated in secret.
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=60)
        # There are stubs of S3 alone.
        session: Any = boto3.Session("testing", "testing", region_name=self.region)
        made = session.client(service, endpoint_url=self.address, verify=self.certificates, config=config)
        made.meta.events.register("before-sign", as_owner)
        return made


def is_absent(error: ClientError) -> bool:
    """Tell whether AWS says that there is no such thing."""
    return error.response.get("Error", {}).get("Code") in ABSENT


def found_by(ask: Any, **arguments: Any) -> Any:
    """Return what a client's method answers, ``None`` where there is nothing."""
    try:
        return ask(**arguments)
    except ClientError as error:
        if is_absent(error):
            return None
        raise


def gone_by(ask: Any, **arguments: Any) -> None:
    """Ask for a deletion, of what may be gone already."""
    found_by(ask, **arguments)
