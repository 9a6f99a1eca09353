"""AWS Load Balancer Controller, which makes load balancers of Ingresses where Auto Mode does not.

What it may do on AWS is decided in ``load_balancer_policy``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.auto_mode_ingress_class import namespace_selector
from components.workload_identity import OidcProvider, WorkloadIdentity, WorkloadIdentityArgs

NAME = "aws-load-balancer-controller"
NAMESPACE = "kube-system"
REPOSITORY = "https://aws.github.io/eks-charts"


@dataclass(frozen=True, kw_only=True)
class LoadBalancerControllerArgs:
    version: str
    """Of its Helm chart."""

    cluster_name: pulumi.Input[str]
    region: str
    vpc_id: pulumi.Input[str]
    policy: pulumi.Input[str]
    """What its role may do, as JSON."""

    class_name: str
    """Ingress class it answers to."""

    namespace: str
    """The one namespace whose Ingresses may have the class."""

    oidc_provider: OidcProvider | None
    """Binds the role by IRSA; without one, EKS Pod Identity binds."""


class LoadBalancerController(pulumi.ComponentResource):
    """The controller, its role and its Ingress class."""

    release: pulumi.Resource
    """What must outlive the Ingresses: their load balancers are deleted by it."""

    def __init__(self, name: str, args: LoadBalancerControllerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:LoadBalancerController", name, {}, opts)
        identity = WorkloadIdentity(
            NAME,
            WorkloadIdentityArgs(
                cluster_name=args.cluster_name,
                namespace=NAMESPACE,
                service_account=NAME,
                policy=args.policy,
                oidc_provider=args.oidc_provider,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.release = k8s.helm.v3.Release(
            name,
            name=NAME,
            namespace=NAMESPACE,
            chart=NAME,
            version=args.version,
            repository_opts=k8s.helm.v3.RepositoryOptsArgs(repo=REPOSITORY),
            values=_values(args, identity.annotations),
            # A release that fails is taken back whole, so that the next `up` installs it again.
            atomic=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[identity]),
        )
        self.register_outputs({})


def _values(args: LoadBalancerControllerArgs, annotations: Mapping[str, pulumi.Input[str]]) -> dict[str, object]:
    """Return the values of the chart. Source: its ``values.yaml``."""
    return {
        "clusterName": args.cluster_name,
        # Nodes keep their metadata to themselves, where it would read both.
        "region": args.region,
        "vpcId": args.vpc_id,
        "serviceAccount": {"create": True, "name": NAME, "annotations": dict(annotations)},
        "ingressClass": args.class_name,
        "ingressClassParams": {"spec": {"namespaceSelector": namespace_selector(args.namespace)}},
        "podDisruptionBudget": {"maxUnavailable": 1},
        # It makes load balancers of Ingresses; Services would be asked about it even while it is away.
        "enableServiceMutatorWebhook": False,
        "enableShield": False,
        "enableWaf": False,
        "enableWafv2": False,
        "controllerConfig": {"featureGates": {"ALBGatewayAPI": False, "NLBGatewayAPI": False}},
    }
