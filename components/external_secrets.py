"""Secrets that External Secrets Operator makes of copies in Secrets Manager, so that Pulumi makes none in the cluster.

The operator must be there already. It reads as one service account of Airflow's namespace, by that one's role.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.object_metadata import object_metadata
from components.secret_mirror import SecretCopy
from components.workload_identity import WorkloadIdentity

API_VERSION = "external-secrets.io/v1"
SERVICE_ACCOUNT = "airflow-external-secrets"
COMPONENT = "external-secrets"


@dataclass(frozen=True, kw_only=True)
class ExternalSecretsArgs:
    namespace: pulumi.Input[str]
    region: str
    copies: Mapping[str, SecretCopy]
    """By purpose."""

    reader: WorkloadIdentity
    """Role that may read the copies, bound to ``SERVICE_ACCOUNT`` by IRSA."""


class ExternalSecrets(pulumi.ComponentResource):
    """A store that reads Secrets Manager, and an ExternalSecret per purpose."""

    names: Mapping[str, pulumi.Output[str]]
    """Purpose to the name of its Secret, another one for each version: a pod never starts with the one before."""

    def __init__(self, name: str, args: ExternalSecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:ExternalSecrets", name, {}, opts)
        self._args = args
        account = k8s.core.v1.ServiceAccount(
            f"{name}-{COMPONENT}",
            metadata=object_metadata(SERVICE_ACCOUNT, args.namespace, COMPONENT, args.reader.annotations),
            automount_service_account_token=False,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args.reader]),
        )
        store = k8s.apiextensions.CustomResource(
            f"{name}-secrets-manager",
            api_version=API_VERSION,
            kind="SecretStore",
            metadata=object_metadata("airflow-secrets-manager", args.namespace, COMPONENT),
            spec={"provider": {"aws": _reading(args.region, account.metadata.name)}},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.names = {purpose: self._secret(f"{name}-{purpose}", purpose, copy, store) for purpose, copy in args.copies.items()}
        self.register_outputs({})

    def _secret(self, name: str, purpose: str, copy: SecretCopy, store: k8s.apiextensions.CustomResource) -> pulumi.Output[str]:
        """Make the ExternalSecret of one copy, wait until its Secret is there, and return its name."""
        secret = copy.version_id.apply(lambda version: f"airflow-{purpose}-{hashlib.sha256(version.encode()).hexdigest()[:8]}")
        extract = {"key": copy.arn, "version": pulumi.Output.concat("uuid/", copy.version_id)}
        made = k8s.apiextensions.CustomResource(
            name,
            api_version=API_VERSION,
            kind="ExternalSecret",
            metadata=object_metadata(secret, self._args.namespace, COMPONENT, {"pulumi.com/waitFor": "condition=Ready"}),
            spec={
                "refreshInterval": "1h",
                "secretStoreRef": {"kind": "SecretStore", "name": "airflow-secrets-manager"},
                "target": {"name": secret, "creationPolicy": "Owner"},
                "dataFrom": [{"extract": extract}],
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[store]),
        )
        return pulumi.Output.all(secret, made.id).apply(lambda both: both[0])


def _reading(region: str, service_account: pulumi.Output[str]) -> dict[str, object]:
    """Return the provider of a store. Source: External Secrets documentation, "AWS Secrets Manager"."""
    authentication = {"jwt": {"serviceAccountRef": {"name": service_account}}}
    return {"service": "SecretsManager", "region": region, "auth": authentication}
