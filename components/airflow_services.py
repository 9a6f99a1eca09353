"""Services of Airflow: where the API server is reached, and the name under which a scheduler's logs are read."""

import pulumi
import pulumi_kubernetes as k8s

from components.airflow_environment import WORKER_LOG_PORT
from components.labels import labels
from components.object_metadata import object_metadata

SERVICE_PORT = 80
UNAWAITED = {"pulumi.com/skipAwait": "true"}
"""Nobody waits for a Service: its pods come after the migrations, whose failure is told at once."""


def services(
    name: str, *, namespace: pulumi.Input[str], scheduler_serves_logs: bool, opts: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """Make the Services and return the name of the API server's, port 80."""
    api_server = k8s.core.v1.Service(
        f"{name}-api-server",
        metadata=object_metadata("airflow-api-server", namespace, "api-server", UNAWAITED),
        spec=k8s.core.v1.ServiceSpecArgs(
            selector=labels("api-server"),
            ports=[k8s.core.v1.ServicePortArgs(name="http", port=SERVICE_PORT, target_port="http")],
        ),
        opts=opts,
    )
    if scheduler_serves_logs:
        # Headless: gives the scheduler's pod the stable name under which its logs are read.
        k8s.core.v1.Service(
            f"{name}-scheduler",
            metadata=object_metadata("airflow-scheduler", namespace, "scheduler", UNAWAITED),
            spec=k8s.core.v1.ServiceSpecArgs(
                selector=labels("scheduler"),
                cluster_ip="None",
                publish_not_ready_addresses=True,
                ports=[k8s.core.v1.ServicePortArgs(name="logs", port=WORKER_LOG_PORT, target_port="logs")],
            ),
            opts=opts,
        )
    return api_server.metadata.name
