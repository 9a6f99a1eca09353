"""All doubles of one test, served."""

from collections.abc import Generator
from contextlib import contextmanager

from doubles.aws_live.account import Account
from doubles.aws_live.provider import LiveAwsDouble
from doubles.docker_build import DockerBuildDouble
from doubles.eks import EksDouble
from doubles.kubernetes import KubernetesDouble
from doubles.provider import Ledger
from doubles.random import RandomDouble
from doubles.serving import served


class Cloud(Ledger):
    """The ledger of one test, with providers listening on this machine."""

    account: Account
    """Where the aws provider makes what it makes for real."""

    debug_providers: str = ""
    """What the engine's ``PULUMI_DEBUG_PROVIDERS`` takes."""

    @classmethod
    @contextmanager
    def served(cls, account: Account, kubernetes: KubernetesDouble | None = None) -> Generator["Cloud"]:
        """Serve a new cloud; ``kubernetes`` stands for its Kubernetes, which otherwise only remembers too."""
        cloud = cls()
        cloud.account = account
        others = [double(cloud) for double in (RandomDouble, EksDouble, DockerBuildDouble)]
        with served([kubernetes or KubernetesDouble(cloud), LiveAwsDouble(cloud, account), *others]) as cloud.debug_providers:
            yield cloud
