"""Pods onto nodes, by pure functions."""

from decimal import Decimal

import pytest

from costs.estimate import need
from costs.nodes import GIB, Need, allocatable, cheapest, packed, share
from costs.prices import NodeType

LARGE = NodeType(cpus=2, memory_gib=8, architecture="amd64")
XLARGE = NodeType(cpus=4, memory_gib=16, architecture="amd64")
CPUS, MEMORY = allocatable(LARGE)


def pod(cpu: str, gib: str) -> Need:
    return Need(pod="pod", cpu=Decimal(cpu), memory=Decimal(gib) * GIB)


def test_a_node_keeps_something_for_itself():
    assert Decimal("1.9") < CPUS < 2
    assert 5 * GIB < MEMORY < 7 * GIB


@pytest.mark.parametrize(
    ("pods", "nodes"),
    [
        ([], 0),
        ([pod("0.5", "2")] * 2, 1),
        # By memory, and by CPU.
        ([pod("0.1", "3")] * 2, 2),
        ([pod("1", "0.5")] * 2, 2),
        # Small ones go into what large ones leave, whatever comes first.
        ([pod("0.1", "2"), pod("0.1", "2"), pod("0.1", "3.5"), pod("0.1", "3.5")], 2),
        ([pod("0.1", "8")], None),
        ([pod("2", "1")], None),
    ],
)
def test_pods_are_packed_onto_as_few_nodes_as_first_fit_finds(pods: list[Need], nodes: int | None):
    assert packed(pods, LARGE) == nodes


def test_the_cheapest_type_that_fits_is_taken_not_the_smallest():
    kinds = {"large": LARGE, "xlarge": XLARGE}
    hourly = {"large": Decimal(1), "xlarge": Decimal("1.9")}
    wide = cheapest([pod("1", "1")] * 3, kinds, hourly.__getitem__)
    assert wide is not None
    assert (wide.instance_type, wide.count) == ("xlarge", 1)
    small = cheapest([pod("1", "1")], kinds, hourly.__getitem__)
    assert small is not None
    assert (small.instance_type, small.count) == ("large", 1)
    assert cheapest([pod("9", "1")], kinds, hourly.__getitem__) is None


def test_a_task_takes_the_share_of_what_is_scarcer():
    assert share(Need(pod="task", cpu=CPUS / 2, memory=MEMORY / 4), LARGE) == Decimal("0.5")
    assert share(Need(pod="task", cpu=CPUS / 8, memory=MEMORY / 4), LARGE) == Decimal("0.25")


def test_a_pod_asks_for_its_containers_together_or_for_the_largest_before_them():
    def container(cpu: str, memory: str, **more: str) -> dict[str, object]:
        return {"resources": {"requests": {"cpu": cpu, "memory": memory}}, **more}

    spec = {
        "containers": [container("500m", "1Gi")],
        "initContainers": [container("2", "512Mi"), container("100m", "1Gi", restartPolicy="Always")],
    }
    found = need("pod", spec)
    assert (found.cpu, found.memory) == (Decimal(2), 2 * GIB)
    assert need("bare", {"containers": [{}]}).cpu == 0
