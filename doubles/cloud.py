"""All doubles of one test, served."""

from collections.abc import Generator
from contextlib import contextmanager

from doubles.aws import AwsDouble
from doubles.docker_build import DockerBuildDouble
from doubles.eks import EksDouble
from doubles.kubernetes import KubernetesDouble
from doubles.provider import Ledger
from doubles.random import RandomDouble
from doubles.serving import served

DOUBLES = (RandomDouble, KubernetesDouble, AwsDouble, EksDouble, DockerBuildDouble)


class Cloud(Ledger):
    """The ledger of one test, with providers listening on this machine."""

    debug_providers: str = ""
    """What the engine's ``PULUMI_DEBUG_PROVIDERS`` takes."""

    kubernetes: KubernetesDouble

    @classmethod
    @contextmanager
    def served(cls) -> Generator["Cloud"]:
        cloud = cls()
        doubles = [double(cloud) for double in DOUBLES]
        cloud.kubernetes = next(double for double in doubles if isinstance(double, KubernetesDouble))
        with served(doubles) as cloud.debug_providers:
            yield cloud
