"""Airflow's keys and passwords: generated once, kept in the stack's encrypted state, delivered as Kubernetes Secrets.

One Secret per purpose, so that a pod can be given one without the others; who gets which is in ``secret_access``.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as k8s
import pulumi_random as random

from components.attachments import Attachments
from components.database_connection import DatabaseConnection, database_environment
from components.executor import Executor
from components.key_generations import Generations, random_keys
from components.object_metadata import TAKEN_OVER
from components.options import stateful
from components.secret_access import secrets_of
from components.token_keys import SEED_BYTES, mounted_keys, token_key_files

Contents = Mapping[str, Mapping[str, pulumi.Input[str]]]
"""Purpose to what its Secret holds, by key."""


@dataclass(frozen=True, kw_only=True)
class AirflowSecretsArgs:
    namespace: pulumi.Input[str]
    database: DatabaseConnection
    admin_username: str
    """First user of Airflow."""

    executor: Executor = "LocalExecutor"
    fernet: Generations = field(default_factory=Generations)
    """Of the key that what is stored is encrypted with."""

    jwt: Generations = field(default_factory=Generations)
    """Of the key that signs tokens."""

    api_generation: int = 1
    """Of the key of sessions and of the log servers, of which one alone is accepted."""

    copied: Callable[[Contents], Mapping[str, pulumi.Output[str]] | None] | None = None
    """Puts the secrets elsewhere too, and returns purpose to the name of its Secret if those are made from there."""

    protect: bool = False
    """Whether the keys refuse deletion: a lost Fernet key makes stored connections unreadable."""


class AirflowSecrets(pulumi.ComponentResource):
    """Fernet keys, API secret key, keys of tokens, database URLs and the first user's password."""

    admin_secret_name: pulumi.Output[str]
    """Secret with the first user's ``username`` and ``password``."""

    fernet_generation: int
    """The one that encrypts."""

    def __init__(self, name: str, args: AirflowSecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:AirflowSecrets", name, {}, opts)
        direct = args.database.direct
        self._given = secrets_of(args.executor, proxy=direct is not None)
        keep = stateful(self, protect=args.protect)

        fernet = random_keys(f"{name}-fernet-key", args.fernet, length=32, opts=keep)
        api = random_keys(f"{name}-api-secret-key", Generations(current=args.api_generation), length=32, opts=keep)
        jwt = random_keys(f"{name}-jwt-key", args.jwt, length=SEED_BYTES, opts=keep)
        admin = random.RandomPassword(f"{name}-admin-password", length=24, special=False, opts=keep)
        contents: Contents = {
            "fernet-key": {"AIRFLOW__CORE__FERNET_KEY": fernet_keys([fernet[number] for number in args.fernet.accepted()])},
            "api-secret-key": {"AIRFLOW__API__SECRET_KEY": api[args.api_generation].hex},
            "jwt-keys": token_key_files(jwt, args.jwt),
            "database": database_environment(args.database),
            **({"database-direct": database_environment(direct)} if direct is not None else {}),
            "admin": {"username": args.admin_username, "password": admin.result},
        }
        elsewhere = args.copied(contents) if args.copied is not None else None
        self._names = elsewhere or self._secrets(name, args.namespace, contents)
        self.admin_secret_name = self._names["admin"]
        self._contents, self._signs_with = contents, args.jwt.current
        self.fernet_generation = args.fernet.current
        self.register_outputs({"adminSecretName": self.admin_secret_name})

    def _secrets(self, name: str, namespace: pulumi.Input[str], contents: Contents) -> Mapping[str, pulumi.Output[str]]:
        """Make the Secrets and return purpose to name."""
        made = {
            purpose: k8s.core.v1.Secret(
                f"{name}-{purpose}",
                metadata=k8s.meta.v1.ObjectMetaArgs(name=f"airflow-{purpose}", namespace=namespace, annotations=TAKEN_OVER),
                type="Opaque",
                string_data=dict(data),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for purpose, data in contents.items()
        }
        return {purpose: secret.metadata.name for purpose, secret in made.items()}

    def attachments(self, component: str) -> Attachments:
        """Return what brings the Secrets that ``component`` needs, and no others, into a container."""
        names = {purpose: self._names[purpose] for purpose in self._given[component]}
        files = mounted_keys(names.pop("jwt-keys"), signs_with=self._signs_with) if "jwt-keys" in names else Attachments()
        variables = [
            k8s.core.v1.EnvFromSourceArgs(secret_ref=k8s.core.v1.SecretEnvSourceArgs(name=name)) for name in names.values()
        ]
        return files + Attachments(environment_from=tuple(variables))

    def checksum(self, component: str) -> pulumi.Output[str]:
        """Return what changes when a secret of ``component`` does; its pods carry it so that they restart then."""
        values = [value for purpose in self._given[component] for value in self._contents[purpose].values()]
        # A digest of 256 random bits gives nothing away, and in plain text a preview shows that pods will restart.
        return pulumi.Output.unsecret(pulumi.Output.all(*values).apply(digest))


def fernet_keys(accepted: Sequence[random.RandomBytes]) -> pulumi.Output[str]:
    """Return the keys as Airflow reads them: the first encrypts, all decrypt."""
    return pulumi.Output.all(*[key.base64 for key in accepted]).apply(lambda keys: ",".join(map(url_safe, keys)))


def url_safe(base64: str) -> str:
    """Return standard base64 in the URL-safe alphabet that Fernet keys are written in."""
    return base64.replace("+", "-").replace("/", "_")


def digest(values: list[str]) -> str:
    """Return 16 hexadecimal digits that change when any value does."""
    return hashlib.sha256("\0".join(values).encode()).hexdigest()[:16]
