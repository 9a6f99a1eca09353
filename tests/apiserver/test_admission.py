"""What the program declares, judged by a real API server: every field, every pod, every reference."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.apiserver.cluster import RefusedError, pods_of
from tests.apiserver.conftest import AppliedStack

ADDRESSED = ("nginx", "traefik", "auto-mode")
"""Stacks with an address."""


def containers(template: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what serves ports in a pod: its containers and native sidecars."""
    sidecars = [one for one in template["spec"].get("initContainers", []) if one.get("restartPolicy") == "Always"]
    return [*template["spec"]["containers"], *sidecars]


def selected(applied: AppliedStack, selector: dict[str, str]) -> list[dict[str, Any]]:
    """Return the pod templates that carry every label of ``selector``."""
    return [one for one in applied.templates() if selector.items() <= one.get("metadata", {}).get("labels", {}).items()]


def ports(template: dict[str, Any]) -> set[int | str]:
    """Return a pod's open ports, by number and by name."""
    opened = [port for container in containers(template) for port in container.get("ports", [])]
    return {port["containerPort"] for port in opened} | {port["name"] for port in opened if "name" in port}


def a_pod(applied: AppliedStack) -> dict[str, Any]:
    pod = copy.deepcopy(next(pod for workload in applied.workloads() for pod in pods_of(workload)))
    return {**pod, "metadata": {**pod["metadata"], "name": "seeded"}}


def test_every_object_is_accepted_field_by_field(applied: AppliedStack) -> None:
    kinds = {one["kind"] for one in applied.objects}
    assert {"Namespace", "Deployment", "Job", "Service", "ConfigMap", "Secret", "ServiceAccount", "NetworkPolicy"} <= kinds
    if applied.name == "local":
        assert applied.without_definition == []


def test_what_a_killed_up_has_made_is_made_again_without_a_conflict(applied: AppliedStack) -> None:
    """Each ``up`` makes an object under a name of its own, and what the first one asked for must not differ from the next.

    It does where the server adds a default to a list that has one owner, or turns what was sent into something else.
    """
    refused: dict[str, str] = {}
    for one in applied.objects:
        force = one["metadata"].get("annotations", {}).get("pulumi.com/patchForce") == "true"
        try:
            applied.cluster.apply(one, dry_run=True, manager="the-next-up", force=force)
        except RefusedError as error:
            refused[f"{one['kind']} {one['metadata']['name']}"] = str(error)
    assert refused == {}


def test_both_namespaces_enforce_restricted_pod_security(applied: AppliedStack) -> None:
    namespaces = [one["metadata"] for one in applied.objects if one["kind"] == "Namespace"]
    assert {one["name"] for one in namespaces} == {applied.namespace, applied.jobs_namespace}
    assert {one["labels"]["pod-security.kubernetes.io/enforce"] for one in namespaces} == {"restricted"}


def test_all_pods_of_the_stack_are_admitted_together(applied: AppliedStack) -> None:
    """Pod Security, LimitRange and quota judge pods when they are made, which a controller would see and nobody else."""
    made = [applied.cluster.create(pod) for workload in applied.workloads() for pod in pods_of(workload)]
    assert len(made) >= len(applied.workloads()) > 0
    for pod in made:
        applied.cluster.delete({**pod, "apiVersion": "v1", "kind": "Pod"})


def privileged(pod: dict[str, Any]) -> None:
    pod["spec"]["containers"][0]["securityContext"] = {"privileged": True}


def as_root(pod: dict[str, Any]) -> None:
    pod["spec"].setdefault("securityContext", {})["runAsNonRoot"] = False
    for one in pod["spec"]["containers"]:
        one["securityContext"]["runAsNonRoot"] = False


def on_the_host(pod: dict[str, Any]) -> None:
    pod["spec"].setdefault("volumes", []).append({"name": "host", "hostPath": {"path": "/etc"}})


def without_seccomp(pod: dict[str, Any]) -> None:
    for one in (pod["spec"], *pod["spec"]["containers"], *pod["spec"].get("initContainers", [])):
        one.get("securityContext", {}).pop("seccompProfile", None)


@pytest.mark.parametrize("violate", [privileged, as_root, on_the_host, without_seccomp])
def test_a_pod_that_violates_restricted_pod_security_is_refused(
    applied: AppliedStack, violate: Callable[[dict[str, Any]], None]
) -> None:
    pod = a_pod(applied)
    applied.cluster.create(pod, dry_run=True)
    violate(pod)
    with pytest.raises(RefusedError, match=r'403 .*violates PodSecurity "restricted'):
        applied.cluster.create(pod, dry_run=True)


def test_a_misspelt_field_is_refused(applied: AppliedStack) -> None:
    deployment = copy.deepcopy(next(one for one in applied.objects if one["kind"] == "Deployment"))
    deployment["spec"]["template"]["spec"]["containers"][0]["livenessprobe"] = {}
    with pytest.raises(RefusedError, match="livenessprobe"):
        applied.cluster.apply(deployment, dry_run=True)


def test_every_service_reaches_an_open_port_of_every_pod_it_selects(applied: AppliedStack) -> None:
    services = applied.kept("v1", "Service")
    assert services
    for service in services:
        reached = selected(applied, service["spec"]["selector"])
        assert reached, f"{service['metadata']['name']} selects no pods"
        for template in reached:
            targets = {port["targetPort"] for port in service["spec"]["ports"]}
            assert targets <= ports(template), f"{service['metadata']['name']} targets a port nobody listens on"


def test_every_ingress_leads_to_a_port_of_a_service_of_the_stack(applied: AppliedStack) -> None:
    ports_of = {
        one["metadata"]["name"]: {port["port"] for port in one["spec"]["ports"]} for one in applied.kept("v1", "Service")
    }
    ingresses = applied.kept("networking.k8s.io/v1", "Ingress")
    assert bool(ingresses) == (applied.name in ADDRESSED)
    for ingress in ingresses:
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                service = path["backend"]["service"]
                assert service["port"]["number"] in ports_of[service["name"]]


def test_an_ingress_of_a_load_balancer_has_a_class_and_one_of_a_controller_its_certificate(applied: AppliedStack) -> None:
    classes = {"nginx": "nginx", "traefik": None, "auto-mode": "alb"}
    secrets = {"nginx": "page", "traefik": "airflow-tls"}
    for ingress in applied.kept("networking.k8s.io/v1", "Ingress"):
        assert ingress["spec"].get("ingressClassName") == classes[applied.name]
        named = [tls["secretName"] for tls in ingress["spec"].get("tls", [])]
        assert named == ([secrets[applied.name]] if applied.name in secrets else [])


def test_every_network_policy_selects_pods_and_admits_only_to_ports_they_open(applied: AppliedStack) -> None:
    policies = applied.kept("networking.k8s.io/v1", "NetworkPolicy")
    assert policies
    for policy in policies:
        name, spec = policy["metadata"]["name"], policy["spec"]
        reached = selected(applied, spec["podSelector"].get("matchLabels", {}))
        assert reached, f"{name} selects no pods"
        admitted = {port["port"] for rule in spec.get("ingress", []) for port in rule.get("ports", [])}
        opened = set[int | str]().union(*(ports(template) for template in reached))
        assert admitted <= opened, f"{name} admits to ports that its pods do not open"


def test_every_reference_of_a_pod_exists(applied: AppliedStack) -> None:
    """A pod that names a missing ConfigMap, Secret, claim or account never starts, and nothing refuses it."""
    kinds = {"configMaps": "ConfigMap", "secrets": "Secret", "claims": "PersistentVolumeClaim", "accounts": "ServiceAccount"}
    existing = {role: {one["metadata"]["name"] for one in applied.kept("v1", kind)} for role, kind in kinds.items()}
    for workload in applied.workloads():
        claims = workload["spec"].get("volumeClaimTemplates", [])
        existing["claims"] |= {claim["metadata"]["name"] for claim in claims}
    for template in applied.templates():
        missing = {role: names - existing[role] for role, names in references(template["spec"]).items()}
        assert not any(missing.values()), f"{template['metadata'].get('labels')}: {missing}"


def references(spec: dict[str, Any]) -> dict[str, set[str]]:
    named: dict[str, set[str]] = {
        "configMaps": set(),
        "secrets": set(),
        "claims": set(),
        "accounts": {spec.get("serviceAccountName", "default")},
    }
    every = [*spec["containers"], *spec.get("initContainers", [])]
    sources = [source for one in every for source in one.get("envFrom", [])]
    sources += [variable["valueFrom"] for one in every for variable in one.get("env", []) if "valueFrom" in variable]
    for source in sources:
        for key, role in (("configMap", "configMaps"), ("secret", "secrets")):
            reference = source.get(f"{key}Ref") or source.get(f"{key}KeyRef")
            named[role] |= {reference["name"]} if reference else set()
    for volume in spec.get("volumes", []):
        named["configMaps"] |= {volume["configMap"]["name"]} if "configMap" in volume else set()
        named["secrets"] |= {volume["secret"]["secretName"]} if "secret" in volume else set()
        named["claims"] |= {volume["persistentVolumeClaim"]["claimName"]} if "persistentVolumeClaim" in volume else set()
    return named
