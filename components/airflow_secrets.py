"""Airflow's keys and passwords: generated once, kept in the stack's encrypted state, delivered as Kubernetes Secrets.

One Secret per purpose, so that a pod can be given one without the others; who gets which is in ``secret_access``.
"""

import hashlib
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s
import pulumi_random as random

from components.database_connection import DatabaseConnection, database_environment
from components.executor import Executor
from components.options import stateful
from components.secret_access import secrets_of


@dataclass(frozen=True, kw_only=True)
class AirflowSecretsArgs:
    namespace: pulumi.Input[str]
    database: DatabaseConnection
    admin_username: str
    """First user of Airflow."""

    executor: Executor = "LocalExecutor"
    protect: bool = False
    """Whether the keys refuse deletion: a lost Fernet key makes stored connections unreadable."""


class AirflowSecrets(pulumi.ComponentResource):
    """Fernet key, API secret key, JWT secret, database URLs and the first user's password."""

    admin_secret_name: pulumi.Output[str]
    """Secret with the first user's ``username`` and ``password``."""

    def __init__(self, name: str, args: AirflowSecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:AirflowSecrets", name, {}, opts)
        self._given = secrets_of(args.executor)
        keep = stateful(self, protect=args.protect)

        fernet = random.RandomBytes(f"{name}-fernet-key", length=32, opts=keep)
        api = random.RandomBytes(f"{name}-api-secret-key", length=32, opts=keep)
        jwt = random.RandomBytes(f"{name}-jwt-secret", length=64, opts=keep)
        admin = random.RandomPassword(f"{name}-admin-password", length=24, special=False, opts=keep)
        contents: dict[str, dict[str, pulumi.Input[str]]] = {
            "fernet-key": {"AIRFLOW__CORE__FERNET_KEY": fernet.base64.apply(url_safe)},
            "api-secret-key": {"AIRFLOW__API__SECRET_KEY": api.hex},
            "jwt-secret": {"AIRFLOW__API_AUTH__JWT_SECRET": jwt.hex},
            "database": database_environment(args.database),
            "admin": {"username": args.admin_username, "password": admin.result},
        }
        self._secrets = {
            purpose: k8s.core.v1.Secret(
                f"{name}-{purpose}",
                metadata=k8s.meta.v1.ObjectMetaArgs(name=f"airflow-{purpose}", namespace=args.namespace),
                type="Opaque",
                string_data=data,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for purpose, data in contents.items()
        }
        self.admin_secret_name = self._secrets["admin"].metadata.name
        self._contents = contents
        self.register_outputs({"adminSecretName": self.admin_secret_name})

    def environment_from(self, component: str) -> tuple[k8s.core.v1.EnvFromSourceArgs, ...]:
        """Return the ``envFrom`` entries of the Secrets that ``component`` needs, and no others."""
        return tuple(
            k8s.core.v1.EnvFromSourceArgs(secret_ref=k8s.core.v1.SecretEnvSourceArgs(name=self._secrets[purpose].metadata.name))
            for purpose in self._given[component]
        )

    def checksum(self, component: str) -> pulumi.Output[str]:
        """Return what changes when a secret of ``component`` does; its pods carry it so that they restart then."""
        values = [value for purpose in self._given[component] for value in self._contents[purpose].values()]
        # A digest of 256 random bits gives nothing away, and in plain text a preview shows that pods will restart.
        return pulumi.Output.unsecret(pulumi.Output.all(*values).apply(digest))


def url_safe(base64: str) -> str:
    """Return standard base64 in the URL-safe alphabet that Fernet keys are written in."""
    return base64.replace("+", "-").replace("/", "_")


def digest(values: list[str]) -> str:
    """Return 16 hexadecimal digits that change when any value does."""
    return hashlib.sha256("\0".join(values).encode()).hexdigest()[:16]
