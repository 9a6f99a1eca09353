"""Use of the Kubernetes API by pods: the token that a container gets, and the roles of service accounts.

A token is mounted into the one container that needs it: the usual one would be in every container of the pod.
"""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.attachments import Attachments
from components.object_metadata import object_metadata

TOKEN_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - where every client library looks
TOKEN_SECONDS = 3607
"""Lifetime of a token, as Kubernetes' own; the kubelet renews it, and clients read it again."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Verbs on one resource of the core API group."""

    resource: str
    verbs: tuple[str, ...]


EXECUTOR_GRANTS = (
    Grant(resource="pods", verbs=("create", "get", "list", "watch", "patch", "delete")),
    Grant(resource="pods/log", verbs=("get",)),
)
"""What KubernetesExecutor calls; it patches labels on pods it is done with or that another scheduler left."""

LOG_READER_GRANTS = (
    Grant(resource="pods", verbs=("get", "list")),
    Grant(resource="pods/log", verbs=("get",)),
)
"""What the API server calls to show the log of a task that is running."""

JOB_RUNNER_GRANTS = (
    Grant(resource="pods", verbs=("create", "get", "list", "patch", "delete")),
    Grant(resource="pods/log", verbs=("get",)),
    Grant(resource="events", verbs=("list",)),
)
"""What KubernetesPodOperator calls for ``dagsync``. Without ``pods/exec``, which XComs from a sidecar would need."""


def token() -> Attachments:
    """Return the service account's token, mounted where client libraries look for it."""
    sources = [
        k8s.core.v1.VolumeProjectionArgs(
            service_account_token=k8s.core.v1.ServiceAccountTokenProjectionArgs(path="token", expiration_seconds=TOKEN_SECONDS)
        ),
        k8s.core.v1.VolumeProjectionArgs(
            config_map=k8s.core.v1.ConfigMapProjectionArgs(
                name="kube-root-ca.crt", items=[k8s.core.v1.KeyToPathArgs(key="ca.crt", path="ca.crt")]
            )
        ),
        k8s.core.v1.VolumeProjectionArgs(
            downward_api=k8s.core.v1.DownwardAPIProjectionArgs(
                items=[
                    k8s.core.v1.DownwardAPIVolumeFileArgs(
                        path="namespace",
                        # The list of sources has one owner: with the API server's default added, another `up` that makes the
                        # same object after one that was killed would ask for a different list.
                        field_ref=k8s.core.v1.ObjectFieldSelectorArgs(api_version="v1", field_path="metadata.namespace"),
                    )
                ]
            )
        ),
    ]
    projected = k8s.core.v1.ProjectedVolumeSourceArgs(sources=sources, default_mode=0o440)
    return Attachments(
        volumes=(k8s.core.v1.VolumeArgs(name="kubernetes-api", projected=projected),),
        mounts=(k8s.core.v1.VolumeMountArgs(name="kubernetes-api", mount_path=TOKEN_FOLDER, read_only=True),),
    )


def grant(
    name: str,
    *,
    namespace: pulumi.Input[str],
    grants: tuple[Grant, ...],
    account: pulumi.Input[str],
    account_namespace: pulumi.Input[str],
    component: str,
    opts: pulumi.ResourceOptions,
) -> None:
    """Let a service account do what ``grants`` say in ``namespace`` and nowhere else."""
    metadata = object_metadata(name, namespace, component)
    role = k8s.rbac.v1.Role(
        name,
        metadata=metadata,
        rules=[k8s.rbac.v1.PolicyRuleArgs(api_groups=[""], resources=[one.resource], verbs=list(one.verbs)) for one in grants],
        opts=opts,
    )
    k8s.rbac.v1.RoleBinding(
        name,
        metadata=metadata,
        role_ref=k8s.rbac.v1.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="Role", name=role.metadata.name),
        subjects=[k8s.rbac.v1.SubjectArgs(kind="ServiceAccount", name=account, namespace=account_namespace)],
        opts=opts,
    )
