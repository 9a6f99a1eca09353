"""Settings of the VPC."""

from typing import Literal

from pydantic import Field

from settings.section import Section
from settings.values import Cidr, EndpointService, SubnetId, VpcId


class NetworkSettings(Section):
    """The VPC of the ``eks`` platform."""

    cidr: Cidr = "10.0.0.0/16"
    """IPv4 range of the VPC, a /16 to /18. Changing it replaces the VPC."""

    zones: int = Field(default=2, ge=2, le=3)
    """Availability zones; EKS and RDS need two."""

    nat: Literal["none", "single", "perZone"] = "single"
    """NAT gateways: one for all zones (cheap), one in each (survives the loss of a zone), or none: no way to the internet."""

    interface_endpoints: bool = False
    """Private addresses in the VPC for the AWS services that nodes and pods call. S3 has one in any case, which is free."""

    endpoint_services: tuple[EndpointService, ...] = ()
    """Further AWS services with such an address, for what jobs call: sts, kms, sqs, as in com.amazonaws.REGION.SERVICE."""

    flow_logs: Literal[7, 14, 30, 60, 90, 180, 365, 731, 1827] | None = Field(default=None, examples=[30])
    """Days that CloudWatch keeps who talked to whom in the VPC; none records nothing."""

    vpc_id: VpcId | None = None
    """A VPC that exists. None is made then, and how one is made means nothing: name its subnets."""

    private_subnet_ids: tuple[SubnetId, ...] = ()
    """Subnets of that VPC for nodes and pods, in two zones or more, with a route to the internet."""

    public_subnet_ids: tuple[SubnetId, ...] = ()
    """Subnets of that VPC for load balancers that face the internet; none if there shall be none."""

    database_subnet_ids: tuple[SubnetId, ...] = ()
    """Subnets of that VPC for RDS, in two zones or more."""
