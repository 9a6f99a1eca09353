"""How a VPC's range is divided, as a pure function."""

import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ZoneSubnets:
    """CIDR ranges of one availability zone."""

    private: str
    """Nodes and pods: the largest, since every pod takes an address."""

    public: str
    """NAT gateways and load balancers."""

    database: str
    """RDS."""


def zone_subnets(cidr: str, zones: int) -> list[ZoneSubnets]:
    """Divide ``cidr``, a /16 to /18, over at most four ``zones``.

    Each zone has a quarter: its first half is private, then an eighth public and an eighth for the database, so that
    adding a zone moves none of the others' subnets.
    """
    result: list[ZoneSubnets] = []
    for quarter in list(ipaddress.ip_network(cidr).subnets(prefixlen_diff=2))[:zones]:
        private, rest = quarter.subnets(prefixlen_diff=1)
        public, database, *_ = rest.subnets(prefixlen_diff=2)
        result.append(ZoneSubnets(private=str(private), public=str(public), database=str(database)))
    return result
