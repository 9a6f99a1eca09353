"""Addresses in a VPC for services of AWS, by PrivateLink: nodes and pods call them without a way to the internet."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class InterfaceEndpointsArgs:
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    """One per zone: an endpoint is billed by the hour in each."""

    client_cidrs: Sequence[str]
    """Ranges of who calls."""

    services: Sequence[str]
    """By the name in ``com.amazonaws.REGION.SERVICE``."""


class InterfaceEndpoints(pulumi.ComponentResource):
    """An endpoint per service, under the name that the service has on the internet, for HTTPS from some ranges alone."""

    made: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: InterfaceEndpointsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:InterfaceEndpoints", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)

        group = aws.ec2.SecurityGroup(
            name, description="AWS services, for nodes and pods", vpc_id=args.vpc_id, tags={"Name": name}, opts=child
        )
        rules = [
            aws.vpc.SecurityGroupIngressRule(
                f"{name}-{cidr}",
                security_group_id=group.id,
                cidr_ipv4=cidr,
                ip_protocol="tcp",
                from_port=443,
                to_port=443,
                opts=child,
            )
            for cidr in args.client_cidrs
        ]
        region = aws.get_region_output(opts=pulumi.InvokeOutputOptions(parent=self)).region
        endpoints = [
            aws.ec2.VpcEndpoint(
                f"{name}-{service}",
                vpc_id=args.vpc_id,
                service_name=pulumi.Output.format("com.amazonaws.{0}.{1}", region, service),
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=list(args.subnet_ids),
                security_group_ids=[group.id],
                tags={"Name": f"{name}-{service}"},
                opts=child,
            )
            for service in args.services
        ]
        self.made = [*rules, *endpoints]
        self.register_outputs({})
