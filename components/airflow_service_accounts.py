"""A service account per component of Airflow, none with a token, each bound to its cloud role where it has one."""

from collections.abc import Iterable, Mapping

import pulumi
import pulumi_kubernetes as k8s

from components.executor import service_account_name
from components.object_metadata import object_metadata
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
            metadata=object_metadata(
                service_account_name(component), namespace, component, identity.annotations if identity else None
            ),
            automount_service_account_token=False,
            opts=opts,
        )
        accounts[component] = account.metadata.name
    return accounts
