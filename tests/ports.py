"""Ports of this machine for servers that a test starts, however long they take to listen."""

import fcntl
import getpass
import random
import socket
import tempfile
from functools import cache
from pathlib import Path
from typing import BinaryIO

PORTS = range(20_000, 30_000)
"""Below those that systems give to clients (Linux: from 32768, macOS: from 49152) and those of Kubernetes' NodePorts."""

_given: set[int] = set()


def free_port() -> int:
    """Return a free port that no other call returns, here or in another run of the tests, while this process lives."""
    port = next(port for port in random.sample(PORTS, len(PORTS)) if port not in _given and _take(port))
    _given.add(port)
    return port


def free_ports(count: int) -> list[int]:
    """Return ``count`` of them."""
    return [free_port() for _ in range(count)]


def _take(port: int) -> bool:
    try:
        fcntl.lockf(_taken(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("", port))
    except OSError:
        return False
    return True


@cache
def _taken() -> BinaryIO:
    """Return the file in which each process that runs tests locks the bytes at the numbers of its ports."""
    return (Path(tempfile.gettempdir()) / f"ports-of-tests-{getpass.getuser()}").open("ab")
