"""What a stack stands on: one module per platform, each giving the workloads the same things."""

from infrastructure.eks import EksInfrastructure
from infrastructure.kubernetes import KubernetesInfrastructure
from infrastructure.model import Infrastructure
from settings import Settings

__all__ = ["Infrastructure", "infrastructure"]


def infrastructure(settings: Settings) -> Infrastructure:
    """Declare what the stack's platform needs before anything runs in the cluster."""
    platforms = {"eks": EksInfrastructure, "kubernetes": KubernetesInfrastructure}
    return platforms[settings.platform](settings)
