"""Settings of the VPC."""

from typing import Literal

from pydantic import Field

from settings.section import Section
from settings.values import Cidr, SubnetId, VpcId


class NetworkSettings(Section):
    """The VPC of the ``eks`` platform."""

    cidr: Cidr = "10.0.0.0/16"
    """IPv4 range of the VPC, a /16 to /18. Changing it replaces the VPC."""

    zones: int = Field(default=2, ge=2, le=3)
    """Availability zones; EKS and RDS need two."""

    nat: Literal["single", "perZone"] = "single"
    """NAT gateways: one for all zones (cheap) or one in each (survives the loss of a zone)."""

    vpc_id: VpcId | None = None
    """A VPC that exists. None is made then, and cidr, zones and nat mean nothing: name its subnets."""

    private_subnet_ids: tuple[SubnetId, ...] = ()
    """Subnets of that VPC for nodes and pods, in two zones or more, with a route to the internet."""

    public_subnet_ids: tuple[SubnetId, ...] = ()
    """Subnets of that VPC for load balancers that face the internet; none if there shall be none."""

    database_subnet_ids: tuple[SubnetId, ...] = ()
    """Subnets of that VPC for RDS, in two zones or more."""
