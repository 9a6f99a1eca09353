"""What KubernetesExecutor needs in the cluster: the template of its pods, and leave to make, watch and remove them.

Task pods run beside Airflow, in its namespace: who may make pods there could mount its Secrets, and that is the scheduler,
which has them anyway.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.attachments import Attachments
from components.executor import TASK
from components.kubernetes_access import EXECUTOR_GRANTS, LOG_READER_GRANTS, grant
from components.object_metadata import object_metadata

TEMPLATE_FOLDER = "/opt/airflow/pod-template"
TEMPLATE_FILE = f"{TEMPLATE_FOLDER}/pod-template.yaml"


@dataclass(frozen=True, kw_only=True)
class TaskPodsArgs:
    namespace: pulumi.Input[str]
    template: pulumi.Output[str]
    """YAML of a task's pod."""

    accounts: Mapping[str, pulumi.Output[str]]
    """Service account by component."""


class TaskPods(pulumi.ComponentResource):
    """Pod template and roles of KubernetesExecutor."""

    template_checksum: pulumi.Output[str]
    """Changes when the template does; the scheduler carries it so that it restarts then."""

    def __init__(self, name: str, args: TaskPodsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:TaskPods", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)

        config_map = k8s.core.v1.ConfigMap(
            name,
            metadata=object_metadata("airflow-pod-template", args.namespace, TASK),
            data={"pod-template.yaml": args.template},
            opts=child,
        )
        for component, grants in (("scheduler", EXECUTOR_GRANTS), ("api-server", LOG_READER_GRANTS)):
            grant(
                f"airflow-{component}-task-pods",
                namespace=args.namespace,
                grants=grants,
                account=args.accounts[component],
                account_namespace=args.namespace,
                component=component,
                opts=child,
            )
        self._config_map = config_map.metadata.name
        self.template_checksum = args.template.apply(lambda text: hashlib.sha256(text.encode()).hexdigest()[:16])
        self.register_outputs({})

    def template(self) -> Attachments:
        """Return the template as a file, for the scheduler."""
        source = k8s.core.v1.ConfigMapVolumeSourceArgs(name=self._config_map)
        return Attachments(
            volumes=(k8s.core.v1.VolumeArgs(name="pod-template", config_map=source),),
            mounts=(k8s.core.v1.VolumeMountArgs(name="pod-template", mount_path=TEMPLATE_FOLDER, read_only=True),),
        )
