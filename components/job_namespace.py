"""Namespace for pods of jobs with ``isolation="kubernetes"``: what runs tasks makes them there, and they may do nothing else.

A job's pod has no token, no Secret of Airflow and no way into its namespace; what it extracts from cannot be known, so it
may call out.
"""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.airflow_namespace import AirflowNamespace, AirflowNamespaceArgs
from components.airflow_network_policies import ANYWHERE
from components.kubernetes_access import JOB_RUNNER_GRANTS, grant
from components.object_metadata import object_metadata
from components.workload_identity import WorkloadIdentity

SERVICE_ACCOUNT = "etl-jobs"


@dataclass(frozen=True, kw_only=True)
class JobNamespaceArgs:
    name: str
    """Name of the namespace. Changing it replaces everything inside."""

    pods: int
    """Most pods at once."""

    cpu: str
    """Most CPU they may request together."""

    memory: str
    """Most memory they may request together."""

    protect: bool = False
    """Whether the namespace, and with it the Secrets somebody put there, refuses deletion."""

    runner: str
    """Service account of what runs tasks."""

    runner_namespace: pulumi.Input[str]
    identity: WorkloadIdentity | None = None
    """Cloud role of the pods."""


class JobNamespace(pulumi.ComponentResource):
    """A restricted namespace with a quota, an account without a token, and one account outside that may make pods."""

    name: pulumi.Output[str]
    service_account: pulumi.Output[str]
    """Account of the pods."""

    def __init__(self, name: str, args: JobNamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:JobNamespace", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)

        quota = {
            "pods": str(args.pods),
            "requests.cpu": args.cpu,
            "requests.memory": args.memory,
            "persistentvolumeclaims": "0",
            "services": "0",
        }
        namespace = AirflowNamespace(name, AirflowNamespaceArgs(name=args.name, protect=args.protect, quota=quota), opts=child)
        self.name = namespace.name
        metadata = object_metadata(SERVICE_ACCOUNT, self.name, "job")
        metadata.annotations = dict(args.identity.annotations) if args.identity and args.identity.annotations else None
        account = k8s.core.v1.ServiceAccount(
            name,
            metadata=metadata,
            automount_service_account_token=False,
            opts=child,
        )
        k8s.networking.v1.NetworkPolicy(
            f"{name}-egress",
            metadata=object_metadata("egress", self.name, "job"),
            spec=k8s.networking.v1.NetworkPolicySpecArgs(
                pod_selector=k8s.meta.v1.LabelSelectorArgs(),
                policy_types=["Egress"],
                egress=[k8s.networking.v1.NetworkPolicyEgressRuleArgs(to=[ANYWHERE])],
            ),
            opts=child,
        )
        grant(
            "airflow-job-pods",
            namespace=self.name,
            grants=JOB_RUNNER_GRANTS,
            account=args.runner,
            account_namespace=args.runner_namespace,
            component="job",
            opts=child,
        )
        self.service_account = account.metadata.name
        self.register_outputs({"name": self.name, "serviceAccount": self.service_account})
