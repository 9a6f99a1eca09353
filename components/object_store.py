"""A prefix in S3, or in a store that speaks its protocol, as the pods that use it see it."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import pulumi
import pulumi_kubernetes as k8s

from components.attachments import Attachments

AWS_PORTS = (443, 80)
"""HTTPS to S3, and plain HTTP to the agent that hands out the credentials of EKS Pod Identity."""


@dataclass(frozen=True, kw_only=True)
class ObjectStore:
    """Where objects are, and how they are reached."""

    url: pulumi.Input[str]
    """``s3://bucket/prefix``."""

    endpoint_url: str | None = None
    """Address of the store; ``None`` is AWS."""

    credentials_secret: str | None = None
    """Secret with ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY``; ``None`` leaves it to the pod's identity."""

    def ports(self) -> tuple[int, ...]:
        """Return the TCP ports a pod that uses it must reach."""
        if self.endpoint_url is None:
            return AWS_PORTS
        parts = urlsplit(self.endpoint_url)
        return (parts.port or {"https": 443, "http": 80}[parts.scheme],)

    def access(self) -> Attachments:
        """Return the environment in which boto3 finds the store.

        Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints".
        """
        endpoint = k8s.core.v1.EnvVarArgs(name="AWS_ENDPOINT_URL_S3", value=self.endpoint_url)
        secret = k8s.core.v1.SecretEnvSourceArgs(name=self.credentials_secret)
        return Attachments(
            environment=(endpoint,) if self.endpoint_url else (),
            environment_from=(k8s.core.v1.EnvFromSourceArgs(secret_ref=secret),) if self.credentials_secret else (),
        )
