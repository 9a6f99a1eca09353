"""A service account per component of Airflow, none with a token, each bound to its cloud role where it has one."""

from collections.abc import Iterable, Mapping

import pulumi
import pulumi_kubernetes as k8s

from components.executor import service_account_name
from components.labels import object_labels
from components.workload_identity import WorkloadIdentity


def service_accounts(
    name: str,
    components: Iterable[str],
    *,
    namespace: pulumi.Input[str],
    identities: Mapping[str, WorkloadIdentity],
    opts: pulumi.ResourceOptions,
) -> dict[str, pulumi.Output[str]]:
    """Make an account per component, called ``name`` and the component's in Pulumi, and return their names in Kubernetes."""
    accounts: dict[str, pulumi.Output[str]] = {}
    for component in components:
        identity = identities.get(component)
        account = k8s.core.v1.ServiceAccount(
            f"{name}-{component}",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=service_account_name(component),
                namespace=namespace,
                labels=object_labels(component),
                annotations=dict(identity.annotations) if identity and identity.annotations else None,
            ),
            automount_service_account_token=False,
            opts=opts,
        )
        accounts[component] = account.metadata.name
    return accounts
