"""What a cluster of ours uses, as the kernel counts it: control groups of version 1 and 2 tell it in files of other names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cluster
from benchmarks.measuring import BenchmarkError
from cluster import cgroups
from cluster.paths import StateFolder

_NANOSECONDS, _MICROSECONDS = 1e-9, 1e-6


def cpu_seconds(node: cluster.Cluster) -> float:
    """Return the processor time of the node, its programs and all its pods so far, those that ended too."""
    for hierarchy in cgroups.hierarchies():
        folder = hierarchy / _identity(node)
        if (usage := folder / "cpuacct.usage").is_file():
            return int(usage.read_text()) * _NANOSECONDS
        if (usage := folder / "cpu.stat").is_file() and "usage_usec" in (figures := _figures(usage)):
            return figures["usage_usec"] * _MICROSECONDS
    raise BenchmarkError("no control group counts processor time here")


def resident_bytes(node: cluster.Cluster, pod: Mapping[str, Any]) -> int:
    """Return the anonymous memory of a pod's processes now, in bytes: what page cache cannot give back."""
    for hierarchy in cgroups.hierarchies():
        for folder in (hierarchy / _identity(node)).rglob(f"*pod{pod['metadata']['uid']}"):
            if (stat := folder / "memory.stat").is_file():
                figures = _figures(stat)
                return figures["total_rss"] if "total_rss" in figures else figures["anon"]
    raise BenchmarkError(f"no control group counts the memory of pod {pod['metadata']['name']}")


def _identity(node: cluster.Cluster) -> str:
    return StateFolder(node.kubeconfig.parent).identity


def _figures(path: Path) -> dict[str, int]:
    return {name: int(value) for name, value in map(str.split, path.read_text().splitlines())}
