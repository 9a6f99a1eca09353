"""PostgreSQL in the cluster, for stacks without a managed database.

One pod and one volume: enough for a laptop and for CI. Production uses ``metadata_database``.
"""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s
import pulumi_random as random

from components.database_connection import DATABASE, PORT, DatabaseConnection
from components.database_login import PasswordLogin
from components.labels import labels, object_labels
from components.object_metadata import TAKEN_OVER
from components.options import stateful
from components.pod_security import container_security, pod_security
from components.secret_access import database_users

POSTGRES_UID = 999
"""User and group ``postgres`` of the official Debian-based image."""

DATA = "/var/lib/postgresql/data"


@dataclass(frozen=True, kw_only=True)
class PostgreSQLArgs:
    namespace: pulumi.Input[str]
    namespace_name: str
    """The same, as text, for the host name."""

    image: str
    storage_gib: int
    """Size of the volume, in GiB."""

    protect: bool = False
    """Whether the data refuses deletion."""


class PostgreSQL(pulumi.ComponentResource):
    """A PostgreSQL StatefulSet with a generated password and its Service."""

    connection: DatabaseConnection

    def __init__(self, name: str, args: PostgreSQLArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:PostgreSQL", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        keep = stateful(self, protect=args.protect)
        selected, described = labels("database", name="postgresql"), object_labels("database", name="postgresql")
        metadata = k8s.meta.v1.ObjectMetaArgs(name=name, namespace=args.namespace, labels=described)
        taken_over = k8s.meta.v1.ObjectMetaArgs(name=name, namespace=args.namespace, labels=described, annotations=TAKEN_OVER)

        password = random.RandomPassword(f"{name}-password", length=32, special=False, opts=keep)
        secret = k8s.core.v1.Secret(
            name,
            metadata=taken_over,
            type="Opaque",
            string_data={"password": password.result},
            opts=child,
        )
        account = k8s.core.v1.ServiceAccount(name, metadata=metadata, automount_service_account_token=False, opts=child)
        k8s.core.v1.Service(
            name,
            metadata=metadata,
            spec=k8s.core.v1.ServiceSpecArgs(
                selector=selected,
                ports=[k8s.core.v1.ServicePortArgs(name="postgresql", port=PORT, target_port="postgresql")],
            ),
            opts=child,
        )
        stateful_set = k8s.apps.v1.StatefulSet(
            name,
            metadata=taken_over,
            spec=k8s.apps.v1.StatefulSetSpecArgs(
                service_name=name,
                replicas=1,
                selector=k8s.meta.v1.LabelSelectorArgs(match_labels=selected),
                template=k8s.core.v1.PodTemplateSpecArgs(
                    metadata=k8s.meta.v1.ObjectMetaArgs(labels=described),
                    spec=_pod(args.image, secret.metadata.name, account.metadata.name),
                ),
                volume_claim_templates=[
                    k8s.core.v1.PersistentVolumeClaimArgs(
                        metadata=k8s.meta.v1.ObjectMetaArgs(name="data"),
                        spec=k8s.core.v1.PersistentVolumeClaimSpecArgs(
                            access_modes=["ReadWriteOnce"],
                            resources=k8s.core.v1.VolumeResourceRequirementsArgs(requests={"storage": f"{args.storage_gib}Gi"}),
                        ),
                    )
                ],
            ),
            opts=keep,
        )
        k8s.networking.v1.NetworkPolicy(
            name,
            metadata=metadata,
            spec=k8s.networking.v1.NetworkPolicySpecArgs(
                pod_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=selected),
                policy_types=["Ingress"],
                ingress=[
                    k8s.networking.v1.NetworkPolicyIngressRuleArgs(
                        from_=[k8s.networking.v1.NetworkPolicyPeerArgs(pod_selector=_users())],
                        ports=[k8s.networking.v1.NetworkPolicyPortArgs(protocol="TCP", port=PORT)],
                    )
                ],
            ),
            opts=child,
        )
        self.connection = DatabaseConnection(
            # The Service's own output would be known only when the server is ready.
            host=pulumi.Output.from_input(f"{name}.{args.namespace_name}.svc"),
            port=PORT,
            name=DATABASE,
            login=PasswordLogin(username=pulumi.Output.from_input(DATABASE), password=password.result),
            certificate_authority=None,
            peers=[k8s.networking.v1.NetworkPolicyPeerArgs(pod_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=selected))],
            ready=(),
            server=[stateful_set],
        )
        self.register_outputs({"host": self.connection.host})


def _users() -> k8s.meta.v1.LabelSelectorArgs:
    """Select Airflow's components with work in the database: not the pods of tasks."""
    component = k8s.meta.v1.LabelSelectorRequirementArgs(
        key="app.kubernetes.io/component", operator="In", values=sorted(database_users())
    )
    return k8s.meta.v1.LabelSelectorArgs(match_labels={"app.kubernetes.io/name": "airflow"}, match_expressions=[component])


def _pod(image: str, secret_name: pulumi.Output[str], service_account: pulumi.Output[str]) -> k8s.core.v1.PodSpecArgs:
    writable = {"data": DATA, "run": "/var/run/postgresql", "tmp": "/tmp"}  # noqa: S108 - the path inside the container
    ready = k8s.core.v1.ExecActionArgs(command=["pg_isready", "--username", DATABASE, "--dbname", DATABASE])
    return k8s.core.v1.PodSpecArgs(
        service_account_name=service_account,
        automount_service_account_token=False,
        enable_service_links=False,
        security_context=pod_security(user=POSTGRES_UID, group=POSTGRES_UID),
        # PostgreSQL's smart shutdown waits for clients; Airflow's pools never leave, so the image's SIGINT (fast) decides.
        termination_grace_period_seconds=60,
        containers=[
            k8s.core.v1.ContainerArgs(
                name="postgresql",
                image=image,
                image_pull_policy="IfNotPresent",
                env=[
                    k8s.core.v1.EnvVarArgs(name="POSTGRES_USER", value=DATABASE),
                    k8s.core.v1.EnvVarArgs(name="POSTGRES_DB", value=DATABASE),
                    k8s.core.v1.EnvVarArgs(name="POSTGRES_PASSWORD_FILE", value="/run/secrets/postgresql/password"),
                    k8s.core.v1.EnvVarArgs(name="POSTGRES_INITDB_ARGS", value="--auth-host=scram-sha-256 --data-checksums"),
                    k8s.core.v1.EnvVarArgs(name="PGDATA", value=f"{DATA}/pgdata"),
                ],
                ports=[k8s.core.v1.ContainerPortArgs(name="postgresql", container_port=PORT)],
                startup_probe=k8s.core.v1.ProbeArgs(exec_=ready, period_seconds=2, failure_threshold=60),
                readiness_probe=k8s.core.v1.ProbeArgs(exec_=ready, period_seconds=5, timeout_seconds=5),
                liveness_probe=k8s.core.v1.ProbeArgs(exec_=ready, period_seconds=30, timeout_seconds=10, failure_threshold=6),
                resources=k8s.core.v1.ResourceRequirementsArgs(
                    requests={"cpu": "250m", "memory": "512Mi"}, limits={"cpu": "1", "memory": "512Mi"}
                ),
                security_context=container_security(),
                volume_mounts=[
                    *(k8s.core.v1.VolumeMountArgs(name=volume, mount_path=path) for volume, path in writable.items()),
                    k8s.core.v1.VolumeMountArgs(name="password", mount_path="/run/secrets/postgresql", read_only=True),
                ],
            )
        ],
        volumes=[
            k8s.core.v1.VolumeArgs(name="run", empty_dir=k8s.core.v1.EmptyDirVolumeSourceArgs(size_limit="16Mi")),
            k8s.core.v1.VolumeArgs(name="tmp", empty_dir=k8s.core.v1.EmptyDirVolumeSourceArgs(size_limit="256Mi")),
            k8s.core.v1.VolumeArgs(
                name="password", secret=k8s.core.v1.SecretVolumeSourceArgs(secret_name=secret_name, default_mode=0o440)
            ),
        ],
    )
