"""The Job that brings the metadata database to the image's schema and makes the first user.

A plain Job that workloads depend on, not a hook: it runs once per image and configuration, and what waits for it is known.
"""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.airflow_pods import PodArgs, Resources, airflow_container, pod_spec
from components.airflow_secrets import AirflowSecrets
from components.attachments import Attachments
from components.database_login import DatabaseLogin, IamLogin
from components.labels import object_labels
from components.object_metadata import object_metadata
from components.task_logs import pod_logs
from components.workload_identity import WorkloadIdentity

MIGRATE = ["python", "-m", "dagsync.migrations"]
"""One process for both, which waits for a server that is still starting. Takes the password from a variable, since arguments
show in ``ps``."""


@dataclass(frozen=True, kw_only=True)
class AirflowMigrationsArgs:
    namespace: pulumi.Input[str]
    pods: PodArgs
    secrets: AirflowSecrets
    login: DatabaseLogin
    service_account: pulumi.Input[str]
    identity: WorkloadIdentity | None = None
    """Cloud role of the pod, bound before it is made."""


class AirflowMigrations(pulumi.ComponentResource):
    """``airflow db migrate``, then the first user."""

    def __init__(self, name: str, args: AirflowMigrationsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:AirflowMigrations", name, {}, opts)
        resources = Resources(cpu="250m", cpu_limit="2", memory="1Gi")
        secrets = args.secrets.attachments("migrations") + pod_logs()
        admin = (
            _from_secret("ADMIN_USERNAME", args.secrets.admin_secret_name, "username"),
            _from_secret("ADMIN_PASSWORD", args.secrets.admin_secret_name, "password"),
        )
        migrate = airflow_container(
            args.pods,
            name="migrate",
            command=MIGRATE,
            resources=resources,
            attachments=secrets + Attachments(environment=admin),
        )
        spec = pod_spec(
            service_account=args.service_account,
            init_containers=_database_user(args, resources, secrets),
            containers=[migrate],
            attachments=secrets,
        )
        spec.restart_policy = "OnFailure"
        annotations = args.pods.annotated({"secrets": args.secrets.checksum("migrations")}).annotations
        k8s.batch.v1.Job(
            name,
            # A Job that failed stays failed: the next `up` makes another.
            metadata=object_metadata("airflow-migrations", args.namespace, "migrations", {"pulumi.com/replaceUnready": "true"}),
            spec=k8s.batch.v1.JobSpecArgs(
                backoff_limit=6,
                active_deadline_seconds=1800,
                template=k8s.core.v1.PodTemplateSpecArgs(
                    metadata=k8s.meta.v1.ObjectMetaArgs(labels=object_labels("migrations"), annotations=dict(annotations)),
                    spec=spec,
                ),
            ),
            # A Job's template cannot be changed: a new image or configuration makes a new Job under the same name.
            opts=pulumi.ResourceOptions(
                parent=self,
                replace_on_changes=["spec.template"],
                delete_before_replace=True,
                depends_on=[args.identity] if args.identity is not None else None,
                custom_timeouts=pulumi.CustomTimeouts(create="30m"),
            ),
        )
        self.register_outputs({})


def _database_user(
    args: AirflowMigrationsArgs, resources: Resources, attachments: Attachments
) -> list[k8s.core.v1.ContainerArgs]:
    """Return what makes the user of a login by IAM, as the administrator, whose login it is given instead."""
    if not isinstance(args.login, IamLogin):
        return []
    variables = args.login.administrator.environment().items()
    administrator = Attachments(environment=tuple(k8s.core.v1.EnvVarArgs(name=name, value=value) for name, value in variables))
    command = ["airflow-control-plane", "database-user", args.login.username]
    return [
        airflow_container(
            args.pods, name="database-user", command=command, resources=resources, attachments=attachments + administrator
        )
    ]


def _from_secret(name: str, secret: pulumi.Input[str], key: str) -> k8s.core.v1.EnvVarArgs:
    return k8s.core.v1.EnvVarArgs(
        name=name,
        value_from=k8s.core.v1.EnvVarSourceArgs(secret_key_ref=k8s.core.v1.SecretKeySelectorArgs(name=secret, key=key)),
    )
