"""An IAM role bound to one Kubernetes service account, by EKS Pod Identity or by an IAM OIDC provider (IRSA)."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.policies import irsa_trust, pod_identity_trust


@dataclass(frozen=True, kw_only=True)
class OidcProvider:
    """What an account trusts a cluster's tokens by."""

    arn: pulumi.Input[str]
    issuer: pulumi.Input[str]
    """Host and path, without ``https://``."""


@dataclass(frozen=True, kw_only=True)
class WorkloadIdentityArgs:
    cluster_name: pulumi.Input[str]
    namespace: str
    service_account: str
    policy: pulumi.Input[str]
    """What the role may do, as JSON: exact resources, no more."""

    oidc_provider: OidcProvider | None = None
    """Binds by IRSA; without one, EKS Pod Identity binds."""


class WorkloadIdentity(pulumi.ComponentResource):
    """A role of its own for the pods of one service account."""

    role_arn: pulumi.Output[str]
    annotations: Mapping[str, pulumi.Input[str]]
    """Of the service account: how IRSA finds the role. Empty with Pod Identity."""

    def __init__(self, name: str, args: WorkloadIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:WorkloadIdentity", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)

        role = aws.iam.Role(
            name,
            description=f"Pods of service account {args.namespace}/{args.service_account}",
            assume_role_policy=_trust(args),
            opts=child,
        )
        policy = aws.iam.RolePolicy(name, role=role.id, policy=args.policy, opts=child)
        if args.oidc_provider is None:
            aws.eks.PodIdentityAssociation(
                name,
                cluster_name=args.cluster_name,
                namespace=args.namespace,
                service_account=args.service_account,
                role_arn=role.arn,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
            )
        self.role_arn = role.arn
        # A leftover annotation would win over Pod Identity.
        self.annotations = {} if args.oidc_provider is None else {"eks.amazonaws.com/role-arn": role.arn}
        self.register_outputs({"roleArn": self.role_arn})


def _trust(args: WorkloadIdentityArgs) -> pulumi.Input[str]:
    if args.oidc_provider is None:
        return pod_identity_trust(args.namespace, args.service_account)
    return pulumi.Output.all(args.oidc_provider.arn, args.oidc_provider.issuer).apply(
        lambda both: irsa_trust(both[0], both[1], args.namespace, args.service_account)
    )
