"""Copies of a stack's keys and passwords in Secrets Manager: they outlive the cluster, and the state."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class SecretCopy:
    """One version of one secret."""

    arn: pulumi.Output[str]
    version_id: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True)
class SecretMirrorArgs:
    contents: Mapping[str, Mapping[str, pulumi.Input[str]]]
    """Purpose to what its Secret holds, by key."""

    recovery_window_days: int
    """Days in which a deleted secret can be restored: 7 to 30, or 0 to delete at once."""


class SecretMirror(pulumi.ComponentResource):
    """One secret per purpose, its value a JSON object, so that a role may be let read one without the others."""

    copies: Mapping[str, SecretCopy]
    """By purpose."""

    def __init__(self, name: str, args: SecretMirrorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:SecretMirror", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        copies: dict[str, SecretCopy] = {}
        for purpose, data in args.contents.items():
            secret = aws.secretsmanager.Secret(
                f"{name}-{purpose}",
                description=f"Copy of the Kubernetes Secret airflow-{purpose}, written by pulumi up",
                recovery_window_in_days=args.recovery_window_days,
                opts=child,
            )
            version = aws.secretsmanager.SecretVersion(
                f"{name}-{purpose}",
                secret_id=secret.id,
                secret_string=pulumi.Output.secret(pulumi.Output.json_dumps(dict(data))),
                # Said, so that a refresh shows a value that somebody put above this one, and `up` takes its place back.
                version_stages=["AWSCURRENT"],
                opts=child,
            )
            copies[purpose] = SecretCopy(arn=secret.arn, version_id=version.version_id)
        self.copies = copies
        self.register_outputs({})
