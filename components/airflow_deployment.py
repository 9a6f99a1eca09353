"""Deployments of Airflow's components: how many pods, and how a changed one takes the place of its predecessor."""

import pulumi_kubernetes as k8s

from components.labels import labels


def deployment_spec(
    component: str, template: k8s.core.v1.PodTemplateSpecArgs, *, replicas: int, one_at_a_time: bool
) -> k8s.apps.v1.DeploymentSpecArgs:
    """Return the Deployment of a component.

    ``one_at_a_time`` ends the old pod before the new one starts: two dag-processors with different DAGs, or two pods on one
    volume, do harm. The others are rolled, so that somebody answers all the while.
    """
    rolling = k8s.apps.v1.DeploymentStrategyArgs(
        type="RollingUpdate", rolling_update=k8s.apps.v1.RollingUpdateDeploymentArgs(max_surge=1, max_unavailable=0)
    )
    return k8s.apps.v1.DeploymentSpecArgs(
        replicas=replicas,
        revision_history_limit=5,
        progress_deadline_seconds=600,
        selector=k8s.meta.v1.LabelSelectorArgs(match_labels=labels(component)),
        strategy=k8s.apps.v1.DeploymentStrategyArgs(type="Recreate") if one_at_a_time else rolling,
        template=template,
    )
