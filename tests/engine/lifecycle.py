"""One stack from nothing to nothing, and what was seen on the way."""

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from doubles.provider import Call
from tests.engine.account_contents import AccountContents
from tests.engine.account_data import fill
from tests.engine.driven_stack import DrivenStack

STATEFUL = (
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:ec2/vpc:Vpc",
    "aws:ecr/repository:Repository",
    "aws:eks/cluster:Cluster",
    "aws:kms/key:Key",
    "aws:rds/instance:Instance",
    "aws:s3/bucket:Bucket",
    "kubernetes:apps/v1:StatefulSet",
    "kubernetes:core/v1:Namespace",
    "kubernetes:core/v1:PersistentVolumeClaim",
    "random:",
)
"""Prefixes of the types that hold what cannot be made again."""

KEPT = (*STATEFUL, "kubernetes:core/v1:Secret")
"""Prefixes of the types that a change of an ordinary setting leaves standing."""

ORDINARY = {"airflow.parallelism": 16, "airflow.graceSeconds": 90, "dags.intervalSeconds": 60}
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "local": (ORDINARY, {"image.reference": "docker.io/library/airflow-control-plane:next"}),
    "dev": (ORDINARY | {"logs.retentionDays": 10}, {"image.packages": "examples"}),
    "prod": (ORDINARY | {"database.instanceClass": "db.m7g.xlarge"}, {"image.packages": "examples"}),
}
"""Stack to ordinary settings and to those that change the image, each with its new value."""


@dataclass
class Lifecycle:
    """The facts of one run: preview, up, preview, changed settings, a changed image, destroy."""

    stack: DrivenStack
    planned: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    """What the first up says it did, operation to count."""

    made: list[Call] = field(default_factory=list)
    resources: list[dict[str, Any]] = field(default_factory=list)
    """The state after the first up."""

    replanned: dict[str, int] = field(default_factory=dict)
    retuned: list[Call] = field(default_factory=list)
    reimaged: list[Call] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    refusal: str = ""
    """Why a protected stack was not destroyed."""

    calls_of_refused_destroy: list[Call] = field(default_factory=list)
    filled: AccountContents | None = None
    """What is in the account, with data of somebody's, before the end; ``kept`` after a refused one, ``left`` after it."""

    kept: AccountContents | None = None
    left: AccountContents | None = None

    def run(self) -> None:
        stack = self.stack
        self.planned = stack.preview()
        self.changed = stack.up()
        self.made = list(stack.cloud.calls)
        self.resources = stack.resources()
        self.replanned = stack.preview()
        settings, image = CHANGES[stack.name]
        self.retuned = self._calls_of(lambda: self._change(settings))
        self.reimaged = self._calls_of(lambda: self._change(image))
        self.texts = stack.stored_text() | {"manifests": json.dumps(_manifests(stack.cloud.calls))}
        account = stack.cloud.account
        fill(account)
        self.filled = AccountContents.of(account)
        if any(resource.get("protect") for resource in self.resources):
            self.calls_of_refused_destroy = self._calls_of(self._refused_destroy)
            self.kept = AccountContents.of(account)
            stack.configure("protect", False)
            stack.up()
        stack.destroy()
        self.left = AccountContents.of(account)
        self.texts |= {f"{name} at the end": text for name, text in stack.stored_text().items()}

    def _change(self, settings: dict[str, Any]) -> None:
        for key, value in settings.items():
            self.stack.configure(key, value)
        self.stack.up()

    def _refused_destroy(self) -> None:
        # The command line looks before it deletes; the Automation API, told not to, deletes what is not protected.
        try:
            self.stack.command("destroy", "--yes", "--non-interactive")
        except subprocess.CalledProcessError as error:
            self.refusal = error.stdout + error.stderr

    def _calls_of(self, step: Any) -> list[Call]:
        before = len(self.stack.cloud.calls)
        step()
        return self.stack.cloud.calls[before:]


def _manifests(calls: Iterable[Call]) -> list[dict[str, Any]]:
    """Return what was asked of Kubernetes, arguments and environment of every pod among it, but for Secrets."""
    objects = [call for call in calls if call.type.startswith("kubernetes:") and call.type != "kubernetes:core/v1:Secret"]
    return [dict(call.inputs) for call in objects]
