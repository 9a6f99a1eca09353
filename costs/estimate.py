"""A stack's month, line by line, from the resources its program declares."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml

from costs.charges import Charge, Usage, charges
from costs.errors import NoPriceError
from costs.nodes import Need, Nodes, cheapest, quantity, share
from costs.prices import HOURS_PER_MONTH, SHOWN_AS, Price, Prices
from rendering import RecordedResource
from rendering.documents import masked

CLUSTER, NODE_GROUP = "eks:index:Cluster", "aws:eks/nodeGroup:NodeGroup"
NODES = "Nodes"
"""What nodes are listed as: no resource of the program's makes them."""

AUTO_MODE_DISK_GIB = Decimal(80)
"""Disk of each node of Auto Mode. Source: EKS user guide, ``ephemeralStorage`` of a NodeClass."""

ALWAYS_LEFT_OUT = (
    "taxes, discounts, commitments and free tiers",
    "traffic to the internet and between zones, requests to S3, KMS and Secrets Manager",
    "growth: storage beyond what is declared, backups larger than the database, nodes while pods are rolled",
)
BROUGHT: Mapping[str, str] = {
    CLUSTER: "the cluster and its nodes, which are brought",
    "aws:ec2/vpc:Vpc": "the network, which is brought",
    "aws:rds/instance:Instance": "the database, which is brought",
}
"""What is paid elsewhere where a stack on AWS has no such resource."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """What one item costs a month."""

    component: str
    what: str
    item: str
    quantity: Decimal
    price: Price

    @property
    def monthly(self) -> Decimal:
        return self.price.monthly(self.quantity)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A stack's month."""

    lines: Sequence[Line]
    assumed: Sequence[str]
    left_out: Sequence[str]

    @property
    def monthly(self) -> Decimal:
        return sum((line.monthly for line in self.lines), Decimal(0))

    @property
    def components(self) -> dict[str, Decimal]:
        """What each component costs, in the order of the lines."""
        costs: dict[str, Decimal] = {}
        for line in self.lines:
            costs[line.component] = costs.get(line.component, Decimal(0)) + line.monthly
        return costs


def on_aws(resources: Iterable[RecordedResource]) -> bool:
    """Tell whether a stack makes anything on AWS."""
    return any(resource.type.startswith(("aws:", "eks:")) for resource in resources)


def estimate(resources: Sequence[RecordedResource], prices: Prices, usage: Usage) -> Estimate:
    """Return what the resources of a stack cost. Raises NoPriceError where the table has no price for something."""
    if not on_aws(resources):
        return Estimate(lines=(), assumed=(), left_out=())
    lines: list[Line] = []
    assumed: list[str] = []
    left_out = list(ALWAYS_LEFT_OUT)
    for resource in resources:
        for charge in charges(resource.type, masked(resource.inputs), usage):
            _add(lines, component(resource), charge, prices)
            assumed += [charge.assumed] if charge.assumed else []
    if gateways := [line for line in lines if line.item == "nat.gateway"]:
        _add(lines, gateways[0].component, Charge(what="traffic", item="nat.traffic", quantity=usage.nat_gib), prices)
        assumed.append(f"{usage.nat_gib} GiB through NAT gateways (--nat-gib)")
    nodes = _nodes(resources, prices, usage)
    for charge in nodes.charges:
        _add(lines, NODES, charge, prices)
    present = {resource.type for resource in resources}
    left_out += [sentence for token, sentence in BROUGHT.items() if token not in present]
    return Estimate(
        lines=sorted(lines, key=lambda line: line.component),
        assumed=list(dict.fromkeys([*assumed, *nodes.assumed])),
        left_out=[*left_out, *nodes.left_out],
    )


def component(resource: RecordedResource) -> str:
    """Return the component of the program that a resource belongs to, the innermost: ``Network``."""
    types = resource.urn.split("::")[2].split("$")
    ours = [token for token in types if token.startswith("airflow-control-plane:")]
    return ours[-1].rpartition(":")[2] if ours else "Stack"


def needs(resources: Iterable[RecordedResource]) -> Iterator[Need]:
    """Yield what each pod that is always there asks for."""
    for resource in resources:
        if resource.type in ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet"):
            inputs = masked(resource.inputs)
            for number in range(int(inputs["spec"].get("replicas", 1))):
                yield need(f"{inputs['metadata']['name']}-{number}", inputs["spec"]["template"]["spec"])


def need(name: str, spec: Mapping[str, Any]) -> Need:
    """Return what a pod asks for: its containers together, sidecars too, or one container of those that run before if more."""
    before: list[Mapping[str, Any]] = spec.get("initContainers") or []
    staying = [*spec["containers"], *(one for one in before if one.get("restartPolicy") == "Always")]

    def most(resource: str) -> Decimal:
        together = sum((_request(one, resource) for one in staying), Decimal(0))
        return max([together, *(_request(one, resource) for one in before)])

    return Need(pod=name, cpu=most("cpu"), memory=most("memory"))


def _request(container: Mapping[str, Any], resource: str) -> Decimal:
    return quantity(container.get("resources", {}).get("requests", {}).get(resource, 0))


@dataclass(frozen=True, kw_only=True)
class _NodeCharges:
    charges: Sequence[Charge] = ()
    assumed: Sequence[str] = ()
    left_out: Sequence[str] = ()


def _nodes(resources: Sequence[RecordedResource], prices: Prices, usage: Usage) -> _NodeCharges:
    """Return what is charged for nodes beyond the instances of node groups, which are resources with charges of their own."""
    groups = [masked(resource.inputs) for resource in resources if resource.type == NODE_GROUP]
    cluster = next((masked(resource.inputs) for resource in resources if resource.type == CLUSTER), None)
    if cluster is None:
        return _NodeCharges()
    if groups:
        disks = [_disk_gib(resource) for resource in resources if resource.type == "aws:ec2/launchTemplate:LaunchTemplate"]
        count = sum(size * int(group["scalingConfig"]["minSize"]) for size, group in zip(disks, groups, strict=True))
        spot = ["spot nodes are counted at the on-demand price"] if any(g.get("capacityType") == "SPOT" for g in groups) else []
        return _NodeCharges(
            charges=[Charge(what="disks", item="ebs.gp3", quantity=Decimal(count))],
            left_out=["nodes beyond minSize of each group", *spot],
        )
    architecture = _architecture(resources)
    kinds = {name: kind for name, kind in prices.node_types.items() if kind.architecture == architecture}
    pods = list(needs(resources))
    chosen = cheapest(pods, kinds, lambda name: prices.of(f"ec2.{name}").usd)
    if chosen is None:
        largest = max(pods, key=lambda pod: (pod.memory, pod.cpu))
        raise NoPriceError(f"{largest.pod} fits no {architecture} node of {SHOWN_AS}", "Add a larger type to its node_types.")
    return _auto_mode(chosen, len(pods), _task(resources), prices, usage)


def _auto_mode(chosen: Nodes, pods: int, task: Need | None, prices: Prices, usage: Usage) -> _NodeCharges:
    kind, count = chosen.instance_type, Decimal(chosen.count)
    price = prices.of(f"ec2.{kind}")
    found = [
        Charge(what=f"{kind}", item=f"ec2.{kind}", quantity=count),
        Charge(what="Auto Mode's fee", item="eks.auto-mode", quantity=price.monthly(count)),
        Charge(what="disks", item="ebs.gp3", quantity=count * AUTO_MODE_DISK_GIB),
    ]
    assumed = [
        f"{chosen.count} x {kind}, the cheapest of one type in the table that hold what {pods} pods request; "
        "Auto Mode mixes types as it sees fit"
    ]
    left_out: list[str] = []
    if task is None:
        left_out.append("jobs in pods of their own; other tasks run in the scheduler's pod, which is counted")
    elif usage.task_hours:
        hours = usage.task_hours * share(task, prices.node_types[kind])
        spent = hours * price.usd
        # Priced by the hour for a whole month; these are there for a part of it.
        found.append(Charge(what="task pods", item=f"ec2.{kind}", quantity=hours / HOURS_PER_MONTH))
        found.append(Charge(what="Auto Mode's fee for task pods", item="eks.auto-mode", quantity=spent))
        assumed.append(f"{usage.task_hours} hours of task pods, each that part of a node it requests (--task-hours)")
    else:
        left_out.append("task pods: say how many hours they run with --task-hours")
    return _NodeCharges(charges=found, assumed=assumed, left_out=left_out)


def _task(resources: Iterable[RecordedResource]) -> Need | None:
    """Return what the pod of one task asks for; None where tasks have none."""
    for resource in resources:
        if resource.type == "kubernetes:core/v1:ConfigMap" and "pod-template.yaml" in (resource.inputs.get("data") or {}):
            return need("task", yaml.safe_load(resource.inputs["data"]["pod-template.yaml"])["spec"])
    return None


def _architecture(resources: Iterable[RecordedResource]) -> str:
    """Return what the image is built for; one that is brought is taken to be for what most are."""
    for resource in resources:
        if resource.type == "docker-build:index:Image":
            return resource.inputs["platforms"][0].rpartition("/")[2]
    return "amd64"


def _disk_gib(template: RecordedResource) -> int:
    return sum(int(device["ebs"]["volumeSize"]) for device in masked(template.inputs)["blockDeviceMappings"])


def _add(lines: list[Line], component: str, charge: Charge, prices: Prices) -> None:
    """Add a charge to the line of the same component, words and item, or to a new one."""
    for index, line in enumerate(lines):
        if (line.component, line.what, line.item) == (component, charge.what, charge.item):
            lines[index] = Line(
                component=component, what=line.what, item=line.item, quantity=line.quantity + charge.quantity, price=line.price
            )
            return
    price = prices.of(charge.item)
    lines.append(Line(component=component, what=charge.what, item=charge.item, quantity=charge.quantity, price=price))
