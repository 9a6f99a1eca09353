"""What a pod must say to be admitted under Kubernetes' ``restricted`` Pod Security standard.

Source: Kubernetes documentation, "Pod Security Standards".
"""

import pulumi_kubernetes as k8s

RESTRICTED = "restricted"


def container_security() -> k8s.core.v1.SecurityContextArgs:
    """Return a container's security context: no privilege, no capability, a root file system that cannot be written."""
    return k8s.core.v1.SecurityContextArgs(
        allow_privilege_escalation=False,
        capabilities=k8s.core.v1.CapabilitiesArgs(drop=["ALL"]),
        privileged=False,
        read_only_root_filesystem=True,
    )


def pod_security(*, user: int, group: int) -> k8s.core.v1.PodSecurityContextArgs:
    """Return a pod's security context: every container runs as ``user``, and volumes belong to ``group``."""
    return k8s.core.v1.PodSecurityContextArgs(
        run_as_non_root=True,
        run_as_user=user,
        run_as_group=group,
        fs_group=group,
        fs_group_change_policy="OnRootMismatch",
        seccomp_profile=k8s.core.v1.SeccompProfileArgs(type="RuntimeDefault"),
    )
