"""Who talked to whom in a VPC, kept in CloudWatch for some days."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.options import stateful
from components.policies import allowing, flow_logs_trust, write_logs

SECONDS = 600
"""The longest AWS gathers before it writes: a tenth of the records of the shortest, which are billed by their size."""


@dataclass(frozen=True, kw_only=True)
class FlowLogsArgs:
    vpc_id: pulumi.Input[str]
    vpc_arn: pulumi.Output[str]
    retention_days: int
    """One of those CloudWatch knows: 7, 14, 30 and so on."""

    protect: bool = False
    """Whether what was recorded refuses deletion, in Pulumi and in AWS."""


class FlowLogs(pulumi.ComponentResource):
    """All flows of a VPC, accepted and rejected, in a log group that CloudWatch encrypts."""

    def __init__(self, name: str, args: FlowLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:FlowLogs", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)

        group = aws.cloudwatch.LogGroup(
            name,
            retention_in_days=args.retention_days,
            deletion_protection_enabled=args.protect,
            opts=stateful(self, protect=args.protect),
        )
        role = aws.iam.Role(
            name,
            description="Flow logs of the Airflow VPC",
            assume_role_policy=args.vpc_arn.apply(flow_logs_trust),
            opts=child,
        )
        policy = aws.iam.RolePolicy(
            name, role=role.id, policy=group.arn.apply(lambda arn: allowing(write_logs(arn))), opts=child
        )
        aws.ec2.FlowLog(
            name,
            vpc_id=args.vpc_id,
            traffic_type="ALL",
            iam_role_arn=role.arn,
            log_destination=group.arn,
            max_aggregation_interval=SECONDS,
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.register_outputs({})
