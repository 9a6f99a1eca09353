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


class Cloud(Ledger):
    """The ledger of one test, with providers listening on this machine."""

    debug_providers: str = ""
    """What the engine's ``PULUMI_DEBUG_PROVIDERS`` takes."""

    @classmethod
    @contextmanager
    def served(cls, kubernetes: KubernetesDouble | None = None) -> Generator["Cloud"]:
        """Serve a new cloud; ``kubernetes`` stands for its Kubernetes, which otherwise only remembers too."""
        cloud = cls()
        others = [double(cloud) for double in (RandomDouble, AwsDouble, EksDouble, DockerBuildDouble)]
        with served([kubernetes or KubernetesDouble(cloud), *others]) as cloud.debug_providers:
            yield cloud
