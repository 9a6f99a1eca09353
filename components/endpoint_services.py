"""Which AWS services nodes and pods call, as a pure function: without the internet, each needs an address in the VPC."""

from typing import Literal

OF_NODES = ("ec2", "ecr.api", "ecr.dkr", "eks")
"""Joining the cluster, network and volumes, and images, whose layers come from S3 by an endpoint of its own.

Source: Amazon EKS user guide, "Deploy private clusters with limited internet access".
"""


def services_needed(*, identity: Literal["podIdentity", "irsa"], node_groups: bool, reads_secrets: bool) -> tuple[str, ...]:
    """Return the services by the name in ``com.amazonaws.REGION.SERVICE``.

    Add-ons of node groups have their credentials by Pod Identity, however other pods have theirs. Tokens of RDS are signed in
    the pod and ask nobody, and what the control plane calls it reaches by itself.
    """
    return (
        *OF_NODES,
        *(("eks-auth",) if identity == "podIdentity" or node_groups else ()),
        *(("sts",) if identity == "irsa" else ()),
        *(("secretsmanager",) if reads_secrets else ()),
    )
