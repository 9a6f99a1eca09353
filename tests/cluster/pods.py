"""Pods of the stack's images as restricted Pod Security wants them."""

from typing import Any

from images.layout import Image


def restricted_pod(name: str, image: Image, *, user: int, group: int, **container: Any) -> dict[str, Any]:
    """Return a pod with a read-only root that may write to ``/tmp`` and what ``writable`` names."""
    writable = {"tmp": "/tmp", **container.pop("writable", {})}
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 5,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": user,
                "runAsGroup": group,
                "fsGroup": group,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": name,
                    "image": image.reference,
                    "imagePullPolicy": "Never",
                    "securityContext": security,
                    "volumeMounts": [{"name": volume, "mountPath": path} for volume, path in writable.items()],
                    **container,
                }
            ],
            "volumes": [{"name": volume, "emptyDir": {}} for volume in writable],
        },
    }
