"""Where Airflow's secrets are copied to, and what makes Secrets of the copies, as settings ask for."""

from collections.abc import Mapping

import pulumi

from components.airflow_secrets import Contents
from components.external_secrets import SERVICE_ACCOUNT, ExternalSecrets, ExternalSecretsArgs
from components.policies import allowing, read_secret
from components.secret_mirror import SecretMirror, SecretMirrorArgs
from components.workload_identity import WorkloadIdentity, WorkloadIdentityArgs
from infrastructure.model import Infrastructure
from settings import Settings

RESTORABLE_DAYS = 30
"""The longest Secrets Manager offers."""


def copied_secrets(
    settings: Settings, platform: Infrastructure, namespace: pulumi.Input[str], contents: Contents
) -> Mapping[str, pulumi.Output[str]] | None:
    """Copy the secrets if settings say so; return the names of the Secrets made of the copies, None where Pulumi makes them."""
    if not settings.secrets.mirror:
        return None
    days = RESTORABLE_DAYS if settings.protect else 0
    mirror = SecretMirror("airflow", SecretMirrorArgs(contents=contents, recovery_window_days=days), opts=platform.account)
    arns = {purpose: copy.arn for purpose, copy in mirror.copies.items()}
    pulumi.export("mirroredSecrets", arns)
    if settings.secrets.source != "external":
        return None
    reader = WorkloadIdentity(
        SERVICE_ACCOUNT,
        WorkloadIdentityArgs(
            cluster_name=platform.outputs["clusterName"],
            namespace=settings.namespace,
            service_account=SERVICE_ACCOUNT,
            policy=pulumi.Output.all(*arns.values()).apply(lambda known: allowing(*map(read_secret, known))),
            oidc_provider=platform.oidc_provider,
        ),
        opts=platform.account,
    )
    region = pulumi.Config("aws").require("region")
    args = ExternalSecretsArgs(namespace=namespace, region=region, copies=mirror.copies, reader=reader)
    return ExternalSecrets("airflow", args, opts=pulumi.ResourceOptions(provider=platform.provider)).names
