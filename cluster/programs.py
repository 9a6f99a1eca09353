"""What a cluster of one node needs on this machine, and what to do about what is missing."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from cluster.errors import MachineError
from cluster.paths import BUILT

BUILT_PROGRAMS = (
    *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"),
    *("network-policies", "local-provisioner"),
)
"""What runs on the node and ``make tools`` builds."""

IMAGE_PROGRAMS = ("pause", "coredns")
"""What ``make tools`` builds and runs in pods."""

CLIENTS = ("kubectl",)

PACKAGES = {
    "containerd": "containerd",
    "ctr": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "nft": "nftables",
    "ip": "iproute2",
    "mount": "mount",
    "unshare": "util-linux",
}
"""Commands of this machine, and the Debian package that has each."""

CNI_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
"""Where Debian's package containernetworking-plugins and others' put the plugins."""

CNI_PLUGINS = ("ptp", "host-local", "portmap", "loopback")
FREE_BYTES = 4 << 30


def cni_folder() -> Path | None:
    """Return the folder that has every plugin the pods' network uses."""
    return next((one for one in CNI_FOLDERS if all((one / name).exists() for name in CNI_PLUGINS)), None)


def missing_packages() -> list[str]:
    """Return the Debian packages that are needed and not here."""
    absent = {package for name, package in PACKAGES.items() if shutil.which(name, path=search_path(os.environ)) is None}
    if cni_folder() is None:
        absent.add("containernetworking-plugins")
    return sorted(absent)


def search_path(environment: Mapping[str, str]) -> str:
    """Return ``PATH`` with the folders of the administrator's commands, which some shells leave out."""
    return os.pathsep.join([environment.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def missing_tools() -> list[str]:
    """Return the programs that ``make tools`` builds and that are not here."""
    return [name for name in (*BUILT_PROGRAMS, *IMAGE_PROGRAMS, *CLIENTS) if not (BUILT / name).exists()]


def check_machine(folder: Path) -> None:
    """Raise MachineError where no node of ours can run, with all that is missing in one command."""
    if not sys.platform.startswith("linux"):
        raise MachineError(
            f"a node of its own needs Linux, this is {sys.platform}",
            "Start Docker, for kind or minikube, or name a cluster: make cluster CONTEXT=NAME",
        )
    if os.geteuid() != 0:
        raise MachineError(
            "a node of its own needs root: it makes namespaces, mounts and cgroups",
            "Run it as root, or start Docker, for kind or minikube, or name a cluster: make cluster CONTEXT=NAME",
        )
    if packages := missing_packages():
        raise MachineError(
            f"{len(packages)} packages are missing", f"apt-get install --no-install-recommends {' '.join(packages)}"
        )
    if tools := missing_tools():
        raise MachineError(f"not built yet: {', '.join(tools)}", f"tools/build {' '.join(tools)}")
    if (free := shutil.disk_usage(folder).free) < FREE_BYTES:
        raise MachineError(
            f"{folder}: expected {FREE_BYTES >> 30} GB of free disk for images and volumes, found {free / (1 << 30):.1f} GB",
            "Free some, or use another disk: --state DIR",
        )
