"""The VPC that everything on AWS is put in, whether ``network`` made it or it was there before."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class Vpc:
    """A VPC and those of its subnets that are used."""

    id: pulumi.Input[str]
    cidr: pulumi.Input[str]
    """Its primary IPv4 range."""

    private_subnet_ids: Sequence[pulumi.Input[str]]
    """For nodes and pods."""

    private_cidrs: Sequence[pulumi.Input[str]]
    """Ranges of the private subnets: where internal load balancers send from."""

    public_subnet_ids: Sequence[pulumi.Input[str]]
    """For load balancers that face the internet."""

    public_cidrs: Sequence[pulumi.Input[str]]
    """Ranges of the public subnets: where those load balancers send from."""

    database_subnet_ids: Sequence[pulumi.Input[str]]
    """For RDS."""

    database_cidrs: Sequence[pulumi.Input[str]]
    """Ranges of the database subnets: what pods that use the database may reach."""

    endpoints: Sequence[pulumi.Resource] = ()
    """What nodes reach AWS by, where they do not go over the internet."""


def existing_vpc(
    vpc_id: str,
    *,
    private_subnet_ids: Sequence[str],
    public_subnet_ids: Sequence[str],
    database_subnet_ids: Sequence[str],
    opts: pulumi.InvokeOutputOptions,
) -> Vpc:
    """Look up a VPC that somebody else made. Nothing of it enters the stack: a destroy leaves it as it is."""

    def cidrs(subnet_ids: Sequence[str]) -> list[pulumi.Output[str]]:
        # With the VPC in the filter, a subnet of another VPC is not found.
        return [aws.ec2.get_subnet_output(id=subnet, vpc_id=vpc_id, opts=opts).cidr_block for subnet in subnet_ids]

    return Vpc(
        id=vpc_id,
        cidr=aws.ec2.get_vpc_output(id=vpc_id, opts=opts).cidr_block,
        private_subnet_ids=private_subnet_ids,
        private_cidrs=cidrs(private_subnet_ids),
        public_subnet_ids=public_subnet_ids,
        public_cidrs=cidrs(public_subnet_ids),
        database_subnet_ids=database_subnet_ids,
        database_cidrs=cidrs(database_subnet_ids),
    )
