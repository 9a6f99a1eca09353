"""All doubles of one test, served."""

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from tests.engine.doubles.aws import AwsDouble
from tests.engine.doubles.docker_build import DockerBuildDouble
from tests.engine.doubles.eks import EksDouble
from tests.engine.doubles.kubernetes import KubernetesDouble
from tests.engine.doubles.provider import Ledger
from tests.engine.doubles.random import RandomDouble

DOUBLES = (RandomDouble, KubernetesDouble, AwsDouble, EksDouble, DockerBuildDouble)


class Cloud(Ledger):
    """The ledger of one test, with providers listening on this machine."""

    debug_providers: str = ""
    """What the engine's ``PULUMI_DEBUG_PROVIDERS`` takes: ``name:port,…``."""

    kubernetes: KubernetesDouble

    @classmethod
    @contextmanager
    def served(cls) -> Iterator["Cloud"]:
        cloud, servers, ports = cls(), [], []
        doubles = [double(cloud) for double in DOUBLES]
        cloud.kubernetes = next(double for double in doubles if isinstance(double, KubernetesDouble))
        for double in doubles:
            server = grpc.server(futures.ThreadPoolExecutor(8))
            provider_pb2_grpc.add_ResourceProviderServicer_to_server(double, server)
            ports.append(f"{double.package}:{server.add_insecure_port('127.0.0.1:0')}")
            server.start()
            servers.append(server)
        cloud.debug_providers = ",".join(ports)
        try:
            yield cloud
        finally:
            for stopping in [server.stop(grace=None) for server in servers]:
                stopping.wait(5)
