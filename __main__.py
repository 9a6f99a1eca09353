"""Airflow on Kubernetes: settings, then what the stack stands on, then the platform inside the cluster, then Airflow."""

import pulumi

from components.airflow import Airflow, AirflowArgs, Scale
from components.airflow_namespace import AirflowNamespace, AirflowNamespaceArgs
from components.airflow_pods import Resources
from components.airflow_secrets import AirflowSecrets, AirflowSecretsArgs
from infrastructure import infrastructure
from settings import load_settings, stack_configuration

settings = load_settings(stack_configuration(), stack=pulumi.get_stack())

platform = infrastructure(settings)
in_cluster = pulumi.ResourceOptions(provider=platform.provider)

namespace = AirflowNamespace(
    "airflow",
    AirflowNamespaceArgs(name=settings.namespace, protect=settings.protect),
    opts=in_cluster,
)
database = platform.database(namespace)
secrets = AirflowSecrets(
    "airflow",
    AirflowSecretsArgs(
        namespace=namespace.name,
        database=database,
        admin_username=settings.airflow.admin_username,
        protect=settings.protect,
    ),
    opts=in_cluster,
)
airflow = Airflow(
    "airflow",
    AirflowArgs(
        namespace=namespace.name,
        image=platform.image,
        database=database,
        secrets=secrets,
        logs=platform.logs,
        identities=platform.identities,
        admin_username=settings.airflow.admin_username,
        base_url=settings.airflow.base_url,
        delivery=settings.dags.delivery,
        sync_interval_seconds=settings.dags.interval_seconds,
        refresh_interval_seconds=settings.dags.refresh_seconds,
        parallelism=settings.airflow.parallelism,
        grace_seconds=settings.airflow.grace_seconds,
        protect=settings.protect,
        scale={
            component: Scale(
                replicas=process.replicas,
                resources=Resources(cpu=process.cpu, cpu_limit=process.cpu_limit, memory=process.memory),
            )
            for component, process in settings.airflow.processes().items()
        },
    ),
    opts=in_cluster,
)

for name, value in platform.outputs.items():
    pulumi.export(name, value)
pulumi.export("namespace", namespace.name)
pulumi.export("image", platform.image)
pulumi.export("service", airflow.service_name)
pulumi.export("url", settings.airflow.base_url or f"http://airflow-api-server.{settings.namespace}.svc")
pulumi.export("portForward", f"kubectl -n {settings.namespace} port-forward service/airflow-api-server 8080:80")
pulumi.export("adminUsername", settings.airflow.admin_username)
pulumi.export("adminPasswordSecret", secrets.admin_secret_name)
pulumi.export("secondsUntilNewJobIsVisible", settings.dags.worst_case_seconds())
