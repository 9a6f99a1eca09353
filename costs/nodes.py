"""How many nodes the pods of a stack need, as pure functions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

# The library brings no types.
from kubernetes.utils.quantity import parse_quantity  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from costs.prices import NodeType

GIB = Decimal(1024**3)
MIB = Decimal(1024**2)
MOST_PODS = 110


@dataclass(frozen=True, kw_only=True)
class Need:
    """What one pod asks for."""

    pod: str
    cpu: Decimal
    memory: Decimal
    """Bytes."""


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """Nodes of one type."""

    instance_type: str
    count: int


def quantity(text: str | int) -> Decimal:
    """Return a quantity of Kubernetes, such as ``500m`` or ``2Gi``, as a number."""
    return parse_quantity(text)


def allocatable(kind: NodeType) -> tuple[Decimal, Decimal]:
    """Return the CPUs and bytes that a node leaves to pods.

    EKS keeps 6 % of the first CPU, 1 % of the second, 0.5 % of two more and 0.25 % of the rest; 255 MiB, 11 MiB for each
    pod there may be, and 100 MiB before it evicts. Of a node's memory, 7.5 % is taken by the hypervisor and the kernel, as
    Karpenter counts. Source: the EKS AMI's bootstrap; Karpenter's ``vm-memory-overhead-percent``.
    """
    shares = [Decimal("0.06"), Decimal("0.01"), Decimal("0.005"), Decimal("0.005")]
    kept = sum(shares[: kind.cpus], Decimal(0)) + Decimal("0.0025") * max(0, kind.cpus - len(shares))
    memory = kind.memory_gib * GIB * Decimal("0.925") - (255 + 11 * MOST_PODS + 100) * MIB
    return kind.cpus - kept, memory


def packed(needs: Iterable[Need], kind: NodeType) -> int | None:
    """Return how many nodes of a type hold the pods, largest first, each where it fits first; None if one fits nowhere."""
    cpus, memory = allocatable(kind)
    nodes: list[tuple[Decimal, Decimal]] = []
    for need in sorted(needs, key=lambda need: (need.memory, need.cpu, need.pod), reverse=True):
        if need.cpu > cpus or need.memory > memory:
            return None
        for index, (cpu_left, memory_left) in enumerate(nodes):
            if need.cpu <= cpu_left and need.memory <= memory_left:
                nodes[index] = (cpu_left - need.cpu, memory_left - need.memory)
                break
        else:
            nodes.append((cpus - need.cpu, memory - need.memory))
    return len(nodes)


def cheapest(needs: Sequence[Need], kinds: Mapping[str, NodeType], hourly: Callable[[str], Decimal]) -> Nodes | None:
    """Return the cheapest nodes of one type that hold the pods; None if there is no type that does."""
    counted = {name: packed(needs, kind) for name, kind in kinds.items()}
    fitting = [Nodes(instance_type=name, count=count) for name, count in counted.items() if count is not None]
    return min(fitting, key=lambda nodes: (nodes.count * hourly(nodes.instance_type), nodes.instance_type), default=None)


def share(need: Need, kind: NodeType) -> Decimal:
    """Return the part of a node that one pod takes, by whichever of CPU and memory is scarcer."""
    cpus, memory = allocatable(kind)
    return max(need.cpu / cpus, need.memory / memory)
