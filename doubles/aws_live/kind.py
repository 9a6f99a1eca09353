"""What the provider must know of a type of resource to make it for real."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from doubles.aws_live.account import Account

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """A resource as AWS has it, in the provider's words."""

    inputs: Values
    """Every input that AWS tells, those among them that nobody gave."""

    outputs: Values


class Kind(ABC):
    """One type of resource. Raises botocore's ``ClientError`` where AWS refuses."""

    carried_out: frozenset[str]
    """The inputs that are; any other is refused."""

    @abstractmethod
    def create(self, account: Account, inputs: Values) -> str:
        """Make it, by one request, and return its id."""

    def complete(self, account: Account, resource_id: str, inputs: Values) -> None:  # noqa: B027 - most have nothing left to do
        """Do the rest of making it, which may fail and be repeated by ``update``."""

    @abstractmethod
    def read(self, account: Account, resource_id: str) -> Found | None:
        """Return what is there, ``None`` where there is nothing."""

    @abstractmethod
    def update(self, account: Account, resource_id: str, inputs: Values) -> None:
        """Make it what ``inputs`` say, whatever it is."""

    @abstractmethod
    def delete(self, account: Account, resource_id: str, inputs: Values) -> None:
        """Delete it if it is there."""
