"""The Job that encrypts anew, with a new Fernet key, what is stored encrypted with the ones before."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.airflow_pods import PodArgs, Resources, airflow_container, pod_spec
from components.attachments import Attachments
from components.labels import object_labels
from components.object_metadata import object_metadata
from components.task_logs import pod_logs


@dataclass(frozen=True, kw_only=True)
class AirflowReencryptionArgs:
    namespace: pulumi.Input[str]
    pods: PodArgs
    generation: int
    """Of the Fernet key: one Job for each."""

    secrets: Attachments
    """Those of the migration Job, whose account and network policy this one shares."""

    service_account: pulumi.Input[str]
    workloads: Sequence[pulumi.Resource]
    """What runs with the key: a pod that knows only the old one could not read what is encrypted anew."""


class AirflowReencryption(pulumi.ComponentResource):
    """``airflow rotate-fernet-key``, once per generation of the key, when all workloads have it."""

    def __init__(self, name: str, args: AirflowReencryptionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:AirflowReencryption", name, {}, opts)
        attachments = args.secrets + pod_logs()
        container = airflow_container(
            args.pods,
            name="rotate-fernet-key",
            command=["airflow", "rotate-fernet-key"],
            resources=Resources(cpu="250m", cpu_limit="2", memory="1Gi"),
            attachments=attachments,
        )
        spec = pod_spec(
            service_account=args.service_account, containers=[container], init_containers=[], attachments=attachments
        )
        spec.restart_policy = "OnFailure"
        annotations = {"pulumi.com/replaceUnready": "true"}
        k8s.batch.v1.Job(
            f"{name}-{args.generation}",
            metadata=object_metadata(f"airflow-rotate-fernet-key-{args.generation}", args.namespace, "migrations", annotations),
            spec=k8s.batch.v1.JobSpecArgs(
                backoff_limit=6,
                active_deadline_seconds=1800,
                template=k8s.core.v1.PodTemplateSpecArgs(
                    metadata=k8s.meta.v1.ObjectMetaArgs(labels=object_labels("migrations")), spec=spec
                ),
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(args.workloads),
                # What is encrypted anew stays so: another image or configuration is no reason to do it again.
                ignore_changes=["spec.template"],
                custom_timeouts=pulumi.CustomTimeouts(create="30m"),
            ),
        )
        self.register_outputs({})
