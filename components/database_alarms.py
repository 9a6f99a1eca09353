"""CloudWatch alarms of an RDS instance: what fills up before it breaks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

GIB = 1024**3


@dataclass(frozen=True, kw_only=True)
class DatabaseAlarmsArgs:
    instance: pulumi.Input[str]
    """Identifier of the RDS instance."""

    storage_gib: int
    """Initial storage, in GiB."""

    connections: int
    """More than this many connections are too many."""

    topic_arns: Sequence[str]
    """SNS topics that are told; without any, alarms only show in CloudWatch."""


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """When an alarm goes off."""

    metric: str
    comparison: Literal["GreaterThanThreshold", "LessThanThreshold"]
    value: float
    minutes: int
    """How long it must last."""

    meaning: str


def thresholds(args: DatabaseAlarmsArgs) -> dict[str, Threshold]:
    """Return the alarms by name."""
    return {
        "free-storage": Threshold(
            metric="FreeStorageSpace",
            comparison="LessThanThreshold",
            value=args.storage_gib * GIB / 10,
            # RDS grows storage by itself after five minutes below a tenth.
            minutes=30,
            meaning="Less than a tenth of the initial storage is free, and it does not grow: raise database.maxStorageGib",
        ),
        "cpu": Threshold(
            metric="CPUUtilization",
            comparison="GreaterThanThreshold",
            value=80,
            minutes=15,
            meaning="More than 80 % CPU: a larger database.instanceClass, or fewer DAG files",
        ),
        "connections": Threshold(
            metric="DatabaseConnections",
            comparison="GreaterThanThreshold",
            value=args.connections,
            minutes=5,
            meaning="Connections run out: a larger database.instanceClass, or fewer replicas",
        ),
    }


def metric_alarm(
    name: str,
    threshold: Threshold,
    *,
    dimensions: Mapping[str, pulumi.Input[str]],
    topic_arns: Sequence[str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Make the alarm of a threshold on a metric of RDS."""
    topics = list(topic_arns)
    aws.cloudwatch.MetricAlarm(
        name,
        alarm_description=threshold.meaning,
        namespace="AWS/RDS",
        metric_name=threshold.metric,
        dimensions=dimensions,
        statistic="Average",
        period=60,
        evaluation_periods=threshold.minutes,
        comparison_operator=threshold.comparison,
        threshold=threshold.value,
        # A database that reports nothing is one that is being replaced or restarted; RDS has events for that.
        treat_missing_data="missing",
        alarm_actions=topics,
        ok_actions=topics,
        opts=opts,
    )


class DatabaseAlarms(pulumi.ComponentResource):
    """Alarms on storage, CPU and connections."""

    def __init__(self, name: str, args: DatabaseAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:DatabaseAlarms", name, {}, opts)
        for alarm, threshold in thresholds(args).items():
            metric_alarm(
                f"{name}-{alarm}",
                threshold,
                dimensions={"DBInstanceIdentifier": args.instance},
                topic_arns=args.topic_arns,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
