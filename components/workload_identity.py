"""An IAM role bound to one Kubernetes service account by EKS Pod Identity."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.policies import pod_identity_trust


@dataclass(frozen=True, kw_only=True)
class WorkloadIdentityArgs:
    cluster_name: pulumi.Input[str]
    namespace: str
    service_account: str
    policy: pulumi.Input[str]
    """What the role may do, as JSON: exact resources, no more."""


class WorkloadIdentity(pulumi.ComponentResource):
    """A role of its own for the pods of one service account."""

    role_arn: pulumi.Output[str]

    def __init__(self, name: str, args: WorkloadIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:WorkloadIdentity", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)

        role = aws.iam.Role(
            name,
            description=f"Pods of service account {args.namespace}/{args.service_account}",
            assume_role_policy=pod_identity_trust(),
            opts=child,
        )
        policy = aws.iam.RolePolicy(name, role=role.id, policy=args.policy, opts=child)
        aws.eks.PodIdentityAssociation(
            name,
            cluster_name=args.cluster_name,
            namespace=args.namespace,
            service_account=args.service_account,
            role_arn=role.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.role_arn = role.arn
        self.register_outputs({"roleArn": self.role_arn})
