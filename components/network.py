"""VPC with public, private and database subnets over several availability zones.

Owns addresses and routes. Who may talk to whom inside is decided by the security groups of what runs there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from components.flow_logs import FlowLogs, FlowLogsArgs
from components.interface_endpoints import InterfaceEndpoints, InterfaceEndpointsArgs
from components.options import stateful
from components.subnets import zone_subnets
from components.vpc import Vpc


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    cidr: str
    """IPv4 range, a /16 to /18."""

    zones: int
    """Number of availability zones."""

    nat: Literal["none", "single", "perZone"]
    """NAT gateways: one for all zones, one in each, or none, so that private subnets have no way to the internet."""

    endpoint_services: Sequence[str] = ()
    """AWS services that get an address in the VPC, by the name in ``com.amazonaws.REGION.SERVICE``."""

    flow_log_days: int | None = None
    """Days that flow logs are kept; None records nothing."""

    protect: bool = False


class Network(pulumi.ComponentResource):
    """A VPC, tagged as EKS and its load balancers look for subnets."""

    vpc: Vpc
    """No route leads from its database subnets out of the VPC."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:Network", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)

        def tagged(role: str, **more: str) -> dict[str, str]:
            return {"Name": f"{name}-{role}", **more}

        vpc = aws.ec2.Vpc(
            name,
            cidr_block=args.cidr,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags={"Name": name},
            opts=stateful(self, protect=args.protect),
        )
        # Rules of the default security group would let everything without a group of its own talk.
        aws.ec2.DefaultSecurityGroup(f"{name}-default", vpc_id=vpc.id, ingress=[], egress=[], opts=child)
        gateway = aws.ec2.InternetGateway(name, vpc_id=vpc.id, tags={"Name": name}, opts=child)
        public_routes = aws.ec2.RouteTable(f"{name}-public", vpc_id=vpc.id, tags=tagged("public"), opts=child)
        aws.ec2.Route(
            f"{name}-public",
            route_table_id=public_routes.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=gateway.id,
            opts=child,
        )
        database_routes = aws.ec2.RouteTable(f"{name}-database", vpc_id=vpc.id, tags=tagged("database"), opts=child)
        available = aws.get_availability_zones_output(
            state="available",
            # Local Zones and Wavelength Zones, once opted in to, are listed too and hold neither EKS nor RDS.
            filters=[aws.GetAvailabilityZonesFilterArgs(name="opt-in-status", values=["opt-in-not-required"])],
            opts=pulumi.InvokeOutputOptions(parent=self),
        )

        def subnet(role: str, index: int, cidr: str, routes: aws.ec2.RouteTable, tags: dict[str, str]) -> pulumi.Output[str]:
            """Make the subnet of a role in the zone of that index and return its id."""
            made = aws.ec2.Subnet(
                f"{name}-{role}-{index}",
                vpc_id=vpc.id,
                cidr_block=cidr,
                availability_zone=available.names[index],
                tags=tags,
                opts=child,
            )
            aws.ec2.RouteTableAssociation(f"{name}-{role}-{index}", subnet_id=made.id, route_table_id=routes.id, opts=child)
            return made.id

        privates: list[pulumi.Output[str]] = []
        publics: list[pulumi.Output[str]] = []
        databases: list[pulumi.Output[str]] = []
        private_routes: list[aws.ec2.RouteTable] = []
        nat: aws.ec2.NatGateway | None = None
        zones = zone_subnets(args.cidr, args.zones)
        for index, ranges in enumerate(zones):
            public = subnet("public", index, ranges.public, public_routes, tagged("public", **{"kubernetes.io/role/elb": "1"}))
            if args.nat != "none" and (nat is None or args.nat == "perZone"):
                address = aws.ec2.Eip(f"{name}-nat-{index}", domain="vpc", tags=tagged("nat"), opts=child)
                nat = aws.ec2.NatGateway(
                    f"{name}-{index}", allocation_id=address.id, subnet_id=public, tags=tagged("nat"), opts=child
                )
            routes = aws.ec2.RouteTable(f"{name}-private-{index}", vpc_id=vpc.id, tags=tagged("private"), opts=child)
            if nat is not None:
                aws.ec2.Route(
                    f"{name}-private-{index}",
                    route_table_id=routes.id,
                    destination_cidr_block="0.0.0.0/0",
                    nat_gateway_id=nat.id,
                    opts=child,
                )
            private_routes.append(routes)
            internal = tagged("private", **{"kubernetes.io/role/internal-elb": "1"})
            publics.append(public)
            privates.append(subnet("private", index, ranges.private, routes, internal))
            databases.append(subnet("database", index, ranges.database, database_routes, tagged("database")))

        # S3 without NAT: task logs and image layers would otherwise pay for every byte.
        aws.ec2.VpcEndpoint(
            f"{name}-s3",
            vpc_id=vpc.id,
            service_name=pulumi.Output.format(
                "com.amazonaws.{0}.s3", aws.get_region_output(opts=pulumi.InvokeOutputOptions(parent=self)).region
            ),
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in private_routes],
            tags=tagged("s3"),
            opts=child,
        )
        if args.flow_log_days is not None:
            flows = FlowLogsArgs(vpc_id=vpc.id, vpc_arn=vpc.arn, retention_days=args.flow_log_days, protect=args.protect)
            FlowLogs(f"{name}-flow-logs", flows, opts=child)
        self.vpc = Vpc(
            id=vpc.id,
            cidr=args.cidr,
            private_subnet_ids=privates,
            private_cidrs=[zone.private for zone in zones],
            public_subnet_ids=publics,
            public_cidrs=[zone.public for zone in zones],
            database_subnet_ids=databases,
            database_cidrs=[zone.database for zone in zones],
            endpoints=self._endpoints(name, args, vpc.id, privates),
        )
        self.register_outputs({"vpcId": vpc.id})

    def _endpoints(
        self, name: str, args: NetworkArgs, vpc_id: pulumi.Output[str], subnet_ids: Sequence[pulumi.Output[str]]
    ) -> Sequence[pulumi.Resource]:
        if not args.endpoint_services:
            return ()
        endpoints = InterfaceEndpointsArgs(
            vpc_id=vpc_id,
            subnet_ids=subnet_ids,
            client_cidrs=[zone.private for zone in zone_subnets(args.cidr, args.zones)],
            services=args.endpoint_services,
        )
        return InterfaceEndpoints(f"{name}-endpoints", endpoints, opts=pulumi.ResourceOptions(parent=self)).made
