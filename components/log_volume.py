"""Volume of the task logs."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.object_metadata import object_metadata
from components.options import stateful
from components.task_logs import VolumeLogs


@dataclass(frozen=True, kw_only=True)
class LogVolumeArgs:
    namespace: pulumi.Input[str]
    logs: VolumeLogs
    protect: bool = False
    """Whether it refuses deletion."""


class LogVolume(pulumi.ComponentResource):
    """A claim that outlives every pod."""

    claim: pulumi.Output[str]
    """Name of the PersistentVolumeClaim."""

    def __init__(self, name: str, args: LogVolumeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:LogVolume", name, {}, opts)
        claim = k8s.core.v1.PersistentVolumeClaim(
            name,
            # A class that binds at first use leaves the claim pending until a pod mounts it.
            metadata=object_metadata("airflow-logs", args.namespace, "logs", {"pulumi.com/skipAwait": "true"}),
            spec=k8s.core.v1.PersistentVolumeClaimSpecArgs(
                access_modes=[args.logs.access_mode],
                storage_class_name=args.logs.storage_class,
                resources=k8s.core.v1.VolumeResourceRequirementsArgs(requests={"storage": f"{args.logs.storage_gib}Gi"}),
            ),
            # The claim was once a child of what this component is a child of: logs outlive a move.
            opts=pulumi.ResourceOptions.merge(
                stateful(self, protect=args.protect),
                pulumi.ResourceOptions(aliases=[pulumi.Alias(parent=opts.parent)] if opts and opts.parent else None),
            ),
        )
        self.claim = claim.metadata.name
        self.register_outputs({"claim": self.claim})
