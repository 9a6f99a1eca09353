"""Puts providers where the engine finds them."""

from collections.abc import Generator, Iterable
from concurrent import futures
from contextlib import contextmanager

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from doubles.provider import ProviderDouble

THREADS = 64
"""Calls at once per provider. Most only wait, and ``Cancel`` must not queue behind them."""


@contextmanager
def served(doubles: Iterable[ProviderDouble]) -> Generator[str]:
    """Serve on this machine and yield what the engine's ``PULUMI_DEBUG_PROVIDERS`` takes: ``name:port,…``."""
    servers: list[grpc.Server] = []
    ports: list[str] = []
    try:
        for double in doubles:
            server = grpc.server(futures.ThreadPoolExecutor(THREADS))
            servers.append(server)
            provider_pb2_grpc.add_ResourceProviderServicer_to_server(double, server)
            ports.append(f"{double.package}:{server.add_insecure_port('127.0.0.1:0')}")
            server.start()
        yield ",".join(ports)
    finally:
        for stopping in [server.stop(grace=None) for server in servers]:
            stopping.wait(5)
