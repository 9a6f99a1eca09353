"""The one thing of a node that this machine sees of its network: a virtual cable whose other end is in the node's namespace.

No forwarding is turned on, no rule written and no route added here but the cable's own. When the last process of the node ends,
the kernel takes the namespace and with it the cable.
"""

import ipaddress
import json
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cluster.errors import MachineError, NodeError

NETWORKS = ipaddress.ip_network("172.30.0.0/16")
"""Where cables get their addresses; each takes four."""

LOCK_SECONDS = 30

DEVICE = "eth0"
"""The cable's end in the node."""


@dataclass(frozen=True)
class Cable:
    """The addresses of one cable."""

    host: str
    """This machine's: what pods reach a program on this machine by."""

    node: str
    """The node's: the API server's, and where NodePorts answer."""

    prefix: int = 30


@contextmanager
def reserved() -> Generator[Cable]:
    """Choose addresses that nothing here uses, and keep other starts from choosing until they are in use. Raises NodeError."""
    with _one_at_a_time():
        yield _free(_used())


def plug(cable: Cable, device: str, pid: int) -> None:
    """Lay the cable between ``device`` here and eth0 in the network namespace of ``pid``. Raises NodeError."""
    _ip("link", "add", device, "type", "veth", "peer", "name", DEVICE, "netns", str(pid))
    _ip("address", "add", f"{cable.host}/{cable.prefix}", "dev", device)
    _ip("link", "set", device, "up")


def unplug(device: str) -> None:
    """Remove the cable if it is there: the kernel is slower at it than a command that comes next."""
    subprocess.run(["ip", "link", "delete", device], capture_output=True, check=False)


def exists(device: str) -> bool:
    return any(name == device for _, name in socket.if_nameindex())


def _free(used: list[ipaddress.IPv4Network]) -> Cable:
    for network in NETWORKS.subnets(new_prefix=30):
        if not any(network.overlaps(other) for other in used):
            host, node = network.hosts()
            return Cable(str(host), str(node))
    raise MachineError(f"every address of {NETWORKS} is in use here", "End a cluster that nobody needs: make cluster-down")


def _used() -> list[ipaddress.IPv4Network]:
    """Return the networks this machine has addresses in or routes to."""
    routes: list[dict[str, Any]] = json.loads(_ip("-json", "-4", "route", "show", "table", "all"))
    return [ipaddress.IPv4Network(route["dst"], strict=False) for route in routes if route["dst"] != "default"]


@contextmanager
def _one_at_a_time() -> Generator[None]:
    """Keep two starts from choosing the same addresses, by a name in the kernel that leaves no file."""
    deadline = time.monotonic() + LOCK_SECONDS
    with socket.socket(socket.AF_UNIX) as lock:
        while True:
            try:
                lock.bind("\0airflow-control-plane-cables")
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    raise NodeError(f"another start has laid its cable for {LOCK_SECONDS} s", "Try again.") from error
                time.sleep(0.05)
        yield


def _ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NodeError(
            f"ip {' '.join(arguments)}: {done.stderr.strip()}", "Is this a machine where root may make network devices?"
        )
    return done.stdout
