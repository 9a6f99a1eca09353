"""Airflow on Kubernetes: settings, then what the stack stands on, then the platform inside the cluster, then Airflow."""

import gc

# The providers' SDKs make a million objects that stay until the end: looking for cycles among them takes a tenth of a preview,
# and no process that runs this program lives long.
gc.disable()

import pulumi

from components.airflow import Airflow
from components.airflow_args import AirflowArgs, Scale
from components.airflow_namespace import AirflowNamespace, AirflowNamespaceArgs
from components.airflow_pods import Resources
from components.airflow_secrets import AirflowSecrets, AirflowSecretsArgs
from components.executor import service_account_name, task_runner
from components.job_namespace import SERVICE_ACCOUNT, JobNamespace, JobNamespaceArgs
from components.key_generations import Generations
from infrastructure import infrastructure
from infrastructure.address import address
from infrastructure.secret_delivery import copied_secrets
from settings import load_settings, stack_configuration
from settings.processes import ResourceSettings
from settings.secrets import GenerationSettings


def resources(asked: ResourceSettings) -> Resources:
    """Return what a container asks for, as pods take it."""
    return Resources(cpu=asked.cpu, cpu_limit=asked.cpu_limit, memory=asked.memory)


def generations(asked: GenerationSettings) -> Generations:
    """Return which generations of a key there are, as secrets take them."""
    return Generations(current=asked.generation, oldest=asked.oldest, newest=asked.newest)


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
        executor=settings.airflow.executor,
        fernet=generations(settings.secrets.fernet),
        jwt=generations(settings.secrets.jwt),
        api_generation=settings.secrets.api.generation,
        copied=lambda contents: copied_secrets(settings, platform, namespace.name, contents),
        protect=settings.protect,
    ),
    opts=in_cluster,
)
jobs = (
    JobNamespace(
        "etl-jobs",
        JobNamespaceArgs(
            name=settings.jobs.namespace,
            pods=settings.jobs.pods,
            cpu=settings.jobs.cpu,
            memory=settings.jobs.memory,
            protect=settings.protect,
            runner=service_account_name(task_runner(settings.airflow.executor)),
            runner_namespace=namespace.name,
            identity=platform.identities.get(SERVICE_ACCOUNT),
        ),
        opts=in_cluster,
    )
    if settings.jobs.enabled
    else None
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
        base_url=settings.url(),
        front=platform.front,
        executor=settings.airflow.executor,
        task_pod=resources(settings.airflow.task_pod),
        delete_failed_task_pods=settings.airflow.task_pod.delete_failed,
        packages=platform.packages,
        delivery=settings.dags.delivery,
        jobs=jobs,
        jobs_secret=settings.jobs.secret,
        sync_interval_seconds=settings.dags.sync_interval_seconds(),
        refresh_interval_seconds=settings.dags.refresh_seconds,
        parallelism=settings.airflow.parallelism,
        grace_seconds=settings.airflow.grace_seconds,
        kubernetes_ports=platform.kubernetes_ports,
        protect=settings.protect,
        scale={
            component: Scale(replicas=process.replicas, resources=resources(process))
            for component, process in settings.airflow.processes().items()
        },
    ),
    opts=in_cluster,
)

load_balancer = address(settings, platform, airflow, namespace.name)

for name, value in platform.outputs.items():
    pulumi.export(name, value)
pulumi.export("namespace", namespace.name)
pulumi.export("image", platform.image)
pulumi.export("service", airflow.service_name)
pulumi.export("url", settings.url() or f"http://airflow-api-server.{settings.namespace}.svc")
pulumi.export("loadBalancer", load_balancer)
pulumi.export("portForward", f"kubectl -n {settings.namespace} port-forward service/airflow-api-server 8080:80")
pulumi.export("jobsNamespace", jobs.name if jobs is not None else None)
pulumi.export("adminUsername", settings.airflow.admin_username)
pulumi.export("adminPasswordSecret", secrets.admin_secret_name)
pulumi.export("secondsUntilNewJobIsVisible", settings.dags.worst_case_seconds())
pulumi.export("newJobWaitsFor", settings.dags.visible_after())
