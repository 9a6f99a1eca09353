"""The pod that KubernetesExecutor starts from, as the YAML file it reads.

Pure: arguments in, text out. Airflow adds the name, labels, the task's arguments and what a job asks of Kubernetes.
"""

from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pulumi_kubernetes as k8s
import yaml
from pulumi import _types  # pyright: ignore[reportPrivateUsage] - what the SDK itself turns input types into wire names by

from components.airflow_pods import PodArgs, Resources, airflow_container, pod_spec
from components.attachments import Attachments
from components.executor import TASK
from components.labels import object_labels

BASE = "base"
"""Name that KubernetesExecutor gives the task's container."""

UNDISTURBED = {"karpenter.sh/do-not-disrupt": "true", "cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
"""Annotations that keep a node's consolidation from ending a task."""


def pod_template(
    args: PodArgs, *, resources: Resources, service_account: pulumi.Input[str], attachments: Attachments
) -> pulumi.Output[str]:
    """Return the template of a task's pod as YAML."""
    attached = attachments + args.delivery.attachments()
    container = airflow_container(args, name=BASE, command=[], resources=resources, attachments=attached)
    spec = pod_spec(
        service_account=service_account,
        containers=[container],
        init_containers=args.delivery.init_containers(once=True),
        attachments=attached,
    )
    spec.restart_policy = "Never"
    # SIGTERM ends the task, whose on_kill then has this long.
    spec.termination_grace_period_seconds = 60
    metadata = k8s.meta.v1.ObjectMetaArgs(name="airflow-task", labels=object_labels(TASK), annotations=UNDISTURBED)
    pod = k8s.core.v1.PodArgs(api_version="v1", kind="Pod", metadata=metadata, spec=spec)
    return pulumi.Output.from_input(pod).apply(_yaml)


def _yaml(pod: k8s.core.v1.PodArgs) -> str:
    return yaml.safe_dump(_plain(pod), sort_keys=False, width=120)


def _plain(value: Any) -> Any:
    """Return input types as mappings with the names Kubernetes has for their fields."""
    if _types.is_input_type(type(cast(object, value))):
        return _plain(_types.input_type_to_dict(value))
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in cast(Mapping[str, Any], value).items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast(list[Any], value)]
    return value
